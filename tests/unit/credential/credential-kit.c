/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "credential-kit.h"

#include <glib/gstdio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "platform/secret-memory.h"

static char *folder;
static const char *const *answers;
static bool is_asked_again; /* by the first question */
guint kit_asked;
char kit_hint[256];
bool kit_keypad;

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

/* ---- keys and certificates ---- */

EVP_PKEY *kit_key(const char *kind)
{
    EVP_PKEY *key = g_str_has_prefix(kind, "rsa")
                        ? EVP_RSA_gen((unsigned)g_ascii_strtoull(kind + 3, NULL, 10))
                        : EVP_EC_gen(kind);
    assert_non_null(key);
    return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

X509 *kit_certificate(EVP_PKEY *key, const char *name, const char *san, const KitPair *issuer,
                      long seconds)
{
    static long serial = 1000;
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const guint8 *)name, -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(certificate), MIN(-60L, seconds - 60));
    X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
    X509_set_pubkey(certificate, key);
    X509 *parent = issuer != NULL ? issuer->certificate : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(parent));
    if (san == NULL)
        add_extension(certificate, parent, NID_basic_constraints, "critical,CA:TRUE");
    else
        add_extension(certificate, parent, NID_subject_alt_name, san);
    EVP_PKEY *signer = issuer != NULL ? issuer->key : key;
    assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
    return certificate;
}

KitPair kit_pair(const char *kind, const char *name, const char *san, const KitPair *issuer)
{
    EVP_PKEY *key = kit_key(kind);
    return (KitPair){.key = key, .certificate = kit_certificate(key, name, san, issuer, KIT_YEAR)};
}

void kit_pair_clear(KitPair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->certificate);
    *pair = (KitPair){0};
}

/* ---- files ---- */

int kit_setup(void **state)
{
    folder = g_dir_make_tmp("dialtone-credential-XXXXXX", NULL);
    kit_asked = 0;
    is_asked_again = false;
    return folder != NULL ? 0 : -1;
}

static void remove_all(const char *path)
{
    GDir *children = g_dir_open(path, 0, NULL);
    const char *name;
    while (children != NULL && (name = g_dir_read_name(children)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_all(child);
    }
    if (children != NULL)
        g_dir_close(children);
    g_remove(path);
}

int kit_teardown(void **state)
{
    remove_all(folder);
    g_clear_pointer(&folder, g_free);
    return 0;
}

char *kit_path(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

char *kit_write(const char *name, const void *bytes, gsize n)
{
    char *path = kit_path(name);
    assert_true(
        g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    return path;
}

static char *write_bio(const char *name, BIO *bio)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    char *path = kit_write(name, bytes, (gsize)n);
    BIO_free(bio);
    return path;
}

char *kit_write_pem(const char *name, EVP_PKEY *key, X509 *const *certificates,
                    const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_256_cbc() : NULL;
    int n = passphrase != NULL ? (int)strlen(passphrase) : 0;
    if (key != NULL)
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, passphrase, n, NULL, NULL),
                         1);
    for (gsize i = 0; certificates != NULL && certificates[i] != NULL; i++)
        assert_int_equal(PEM_write_bio_X509(bio, certificates[i]), 1);
    return write_bio(name, bio);
}

char *kit_write_p12(const char *name, const KitPair *pair, const KitPair *issuer,
                    const char *passphrase, bool old_ciphers)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    int key_cipher = old_ciphers ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : 0;
    int certificate_cipher = old_ciphers ? NID_pbe_WithSHA1And40BitRC2_CBC : 0;
    OSSL_PROVIDER *providers[] = {OSSL_PROVIDER_load(NULL, "default"),
                                  OSSL_PROVIDER_load(NULL, "legacy")};
    if (issuer != NULL)
        sk_X509_push(others, issuer->certificate);
    PKCS12 *p12 = PKCS12_create(passphrase, "vpn", pair->key, pair->certificate, others, key_cipher,
                                certificate_cipher, 0, 0, 0);
    assert_non_null(p12);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_PKCS12_bio(bio, p12), 1);
    PKCS12_free(p12);
    OSSL_PROVIDER_unload(providers[1]);
    OSSL_PROVIDER_unload(providers[0]);
    sk_X509_free(others);
    return write_bio(name, bio);
}

/* ---- profiles ---- */

DialtoneProfile *kit_profile(const char *ca, const char *lines)
{
    g_autofree char *text =
        g_strdup_printf("[Gateway]\nAddress=vpn.example.com\n[Identity]\nID=alice@example.com\n"
                        "Auth=certificate\nCA=file:%s\n%s\n",
                        ca, lines);
    g_autoptr(GPtrArray) issues = NULL;
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "F", &issues);
    if (profile == NULL)
        fail_msg("%s", ((DialtoneIssue *)issues->pdata[0])->message);
    return profile;
}

DialtoneCredentialAccess kit_access(void)
{
    return (DialtoneCredentialAccess){.file = "F", .caller = getuid(), .memory = &MEMORY};
}

static bool answer(const DialtoneKeyQuestion *question, char *line, gsize size, gpointer data)
{
    g_strlcpy(kit_hint, question->hint, sizeof(kit_hint));
    kit_keypad = question->keypad;
    if (question->keypad) {
        assert_null(line);
        return true;
    }
    assert_true(question->again == (kit_asked > 0 || is_asked_again));
    kit_asked++;
    if (answers == NULL || *answers == NULL)
        return false;
    g_strlcpy(line, *answers++, size);
    return true;
}

void kit_will_answer(DialtoneCredentialAccess *access, const char *const *given)
{
    answers = given;
    access->ask = answer;
}

void kit_will_answer_again(DialtoneCredentialAccess *access, const char *const *given)
{
    kit_will_answer(access, given);
    is_asked_again = true;
}

void kit_expect_refused(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                        const char *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneCredential) credential = dialtone_credential_load(profile, access, &error);
    assert_null(credential);
    assert_non_null(error);
    if (strstr(error->message, said) == NULL)
        fail_msg("said: %s", error->message);
}

DialtoneCredential *kit_expect_loaded(const DialtoneProfile *profile,
                                      const DialtoneCredentialAccess *access)
{
    g_autoptr(GError) error = NULL;
    DialtoneCredential *credential = dialtone_credential_load(profile, access, &error);
    if (credential == NULL)
        fail_msg("%s", error->message);
    return credential;
}
