/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the settings of a profile to a credential. Each step that can fail names its setting; the
 * credential is given out only when all of it is there and fits together: the key belongs to the
 * certificate, is of a kind that IKEv1 knows, and the certificate has not ended.
 */
#include "client/credential/credential.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/credential/private.h"

enum { SECURE_HEAP = 128 * 1024, SECURE_HEAP_MIN = 32 };

struct DialtoneCredential {
    CredentialLibrary libcrypto;
    EVP_PKEY *key;        /* or */
    DialtoneToken *token; /* or neither: hybrid */
    GPtrArray *chain, *anchors, *crls;
    DialtoneCertificate *certificate;
};

/* What a step of loading works on. */
typedef struct Loading {
    const DialtoneProfile *profile;
    const DialtoneCredentialAccess *access;
    OSSL_LIB_CTX *libcrypto;
    CredentialFile file;
    CredentialContents contents; /* what counts in the end */
} Loading;

static void loading_clear(Loading *loading)
{
    credential_file_clear(&loading->file);
    credential_contents_clear(&loading->contents);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loading, loading_clear)

static bool refuse(const Loading *loading, const char *key, GError **error, const char *message)
{
    return credential_refuse(loading->profile, loading->access, key, message, error);
}

static bool refuse_path(const Loading *loading, const char *key, const char *path,
                        const char *problem, GError **error)
{
    g_autofree char *message = g_strdup_printf("%s: %s", path, problem);
    return refuse(loading, key, error, message);
}

/* ---- files ---- */

static CredentialOpening open_contents(gpointer what, const char *passphrase)
{
    Loading *loading = what;

    return credential_contents_read(&loading->contents, loading->libcrypto, &loading->file,
                                    passphrase);
}

static bool read_file(Loading *loading, const char *key, const char *path, GError **error)
{
    credential_file_clear(&loading->file);
    g_autofree char *problem = credential_file_read(&loading->file, path, loading->access);
    if (problem == NULL)
        return true;
    return refuse_path(loading, key, path, problem, error);
}

/* Whether a file may hold the key that is said to be in it. */
static bool check_mode(const Loading *loading, const char *key, const char *path, GError **error)
{
    g_autofree char *problem = credential_file_refuse_mode(&loading->file, path, loading->access);

    return problem == NULL || refuse_path(loading, key, path, problem, error);
}

static bool open_read(Loading *loading, const char *key, const char *path, GError **error)
{
    switch (credential_open(loading->access, path, open_contents, loading, error)) {
    case CREDENTIAL_LOCKED:
        return false;
    case CREDENTIAL_BROKEN:
        return refuse_path(loading, key, path,
                           _("neither a certificate nor a key is in it, as PEM or as PKCS #12"),
                           error);
    case CREDENTIAL_OPENED:
        break;
    }
    return loading->contents.key == NULL || check_mode(loading, key, path, error);
}

static bool open_file(Loading *loading, const char *key, const char *path, GError **error)
{
    return read_file(loading, key, path, error) && open_read(loading, key, path, error);
}

/* A key of its own file takes the place of one beside the certificate. */
static bool open_key_file(Loading *loading, GError **error)
{
    CredentialContents certificate = loading->contents;
    bool ok;

    loading->contents = (CredentialContents){0};
    ok = open_file(loading, "Key", loading->profile->key, error);
    if (ok && loading->contents.key == NULL)
        ok = refuse(loading, "Key", error, _("no private key is in the file"));
    EVP_PKEY_free(certificate.key);
    certificate.key = g_steal_pointer(&loading->contents.key);
    credential_contents_clear(&loading->contents);
    loading->contents = certificate;
    return ok;
}

static bool fetch_certificate(Loading *loading, GError **error)
{
    const DialtoneCredentialAccess *access = loading->access;
    char *text = access->memory->alloc(DIALTONE_CREDENTIAL_TEXT_MAX + 1);
    bool found = text != NULL && access->fetch != NULL &&
                 access->fetch("certificate", text, DIALTONE_CREDENTIAL_TEXT_MAX + 1, access->data);

    found = found && credential_file_from_text(&loading->file, text, access->memory);
    access->memory->free(text);
    if (found)
        return true;
    const char *advice =
        credential_keyring_is_locked(access)
            ? _("Unlock it and connect again: it opens when you sign in to the desktop, or with "
                "Seahorse (Passwords and Keys).")
            : _("Put it there with `dialtone secret set PROFILE certificate < FILE`, or write "
                "[Identity] Certificate=file:/path.p12, file:/path.pem or pkcs11:...");
    dialtone_failure_set(error, DIALTONE_FAILURE_SECRET_MISSING, advice, "%s",
                         credential_missing(access));
    return false;
}

static bool load_files(Loading *loading, GError **error)
{
    bool kept = loading->profile->certificate_source == DIALTONE_CERT_KEYRING;

    if (kept && (!fetch_certificate(loading, error) ||
                 !open_read(loading, "Certificate", _("the certificate in the keyring"), error)))
        return false;
    if (!kept && !open_file(loading, "Certificate", loading->profile->certificate, error))
        return false;
    if (loading->profile->key != NULL && !open_key_file(loading, error))
        return false;
    if (loading->contents.certificates->len == 0)
        return refuse(loading, "Certificate", error, _("no certificate is in the file"));
    if (loading->contents.key != NULL)
        return true;
    return refuse(loading, "Certificate", error,
                  _("no private key is in the file; write it there, or its path into Key="));
}

/* ---- what was found ---- */

static bool check_times(const Loading *loading, const DialtoneCertificate *certificate,
                        GError **error)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *begin = dialtone_certificate_date(certificate->not_before);
    g_autofree char *end = dialtone_certificate_date(certificate->not_after);

    if (now >= certificate->not_before && now <= certificate->not_after)
        return true;
    const char *advice = _("Ask the administrator for a new certificate and write it to "
                           "[Identity] Certificate; or set this computer's clock, if it is wrong.");
    if (now < certificate->not_before)
        dialtone_failure_set(error, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION, advice,
                             _("Your certificate (%s) does not hold before %s."),
                             certificate->subject, begin);
    else
        dialtone_failure_set(error, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION, advice,
                             _("Your certificate (%s) ended on %s."), certificate->subject, end);
    return false;
}

static bool settle_certificate(DialtoneCredential *self, Loading *loading, X509 *leaf,
                               GError **error)
{
    if (leaf == NULL)
        return refuse(loading, "Certificate", error,
                      _("the private key belongs to none of the certificates there"));
    EVP_PKEY *public_key = X509_get0_pubkey(leaf);
    g_autofree char *problem = public_key != NULL ? credential_key_problem(public_key)
                                                  : g_strdup(_("its public key can't be read"));
    if (problem != NULL)
        return refuse(loading, "Certificate", error, problem);
    self->chain = credential_chain_of(leaf, loading->contents.certificates);
    self->certificate = credential_certificate_new(leaf, loading->profile);
    return check_times(loading, self->certificate, error);
}

static bool load_from_files(DialtoneCredential *self, Loading *loading, GError **error)
{
    if (!load_files(loading, error))
        return false;
    self->key = g_steal_pointer(&loading->contents.key);
    X509 *leaf = credential_chain_leaf(loading->contents.certificates, self->key);
    return settle_certificate(self, loading, leaf, error);
}

static void free_certificate(gpointer certificate)
{
    X509_free(certificate);
}

static bool load_from_token(DialtoneCredential *self, Loading *loading, GError **error)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(free_certificate);

    loading->contents.certificates = found;
    self->token =
        credential_token_open(loading->profile->certificate, loading->access, true, found, error);
    return self->token != NULL && settle_certificate(self, loading, found->pdata[0], error);
}

static bool load_own(DialtoneCredential *self, Loading *loading, GError **error)
{
    if (loading->profile->auth != DIALTONE_AUTH_CERTIFICATE || loading->access->without_own)
        return true;
    switch (loading->profile->certificate_source) {
    case DIALTONE_CERT_FILE:
    case DIALTONE_CERT_KEYRING:
        return load_from_files(self, loading, error);
    case DIALTONE_CERT_PKCS11:
        return load_from_token(self, loading, error);
    case DIALTONE_CERT_NONE:
        break;
    }
    return refuse(loading, "Certificate", error, _("Auth=certificate needs it"));
}

gsize credential_bytes_of(const GPtrArray *items)
{
    gsize n = 0;

    for (guint i = 0; items != NULL && i < items->len; i++)
        n += g_bytes_get_size(items->pdata[i]);
    return n;
}

static bool lists_are_larger(const DialtoneCredential *self)
{
    return self->crls->len > DIALTONE_CREDENTIAL_CRLS_MAX ||
           credential_bytes_of(self->crls) > credential_bytes_of(self->anchors);
}

/* All of it crosses to the tunnel in one message. */
static bool check_size(const DialtoneCredential *self, const Loading *loading, GError **error)
{
    if (self->anchors->len <= DIALTONE_CREDENTIAL_ITEMS_MAX &&
        self->crls->len <= DIALTONE_CREDENTIAL_CRLS_MAX &&
        credential_bytes_of(self->chain) + credential_bytes_of(self->anchors) +
                credential_bytes_of(self->crls) <=
            DIALTONE_CREDENTIAL_BYTES_MAX)
        return true;
    return refuse(loading, lists_are_larger(self) ? "CRL" : "CA", error,
                  _("what it names is too large; leave out what does not belong to the gateway's "
                    "authority"));
}

static bool load_authorities(DialtoneCredential *self, const Loading *loading, GError **error)
{
    const DialtoneCredentialAccess *access = loading->access;

    return access->without_authorities ||
           (credential_load_authorities(loading->profile, access, self->anchors, error) &&
            credential_load_crls(loading->profile, access, self->anchors, self->crls, error));
}

/* Where there is no memory to lock, keys lie where all else does: in a process that nobody of the
 * same user can look into. */
static void prepare_memory(void)
{
    if (CRYPTO_secure_malloc_initialized() == 0)
        CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_HEAP_MIN);
}

DialtoneCredential *dialtone_credential_load(const DialtoneProfile *profile,
                                             const DialtoneCredentialAccess *access, GError **error)
{
    g_autoptr(DialtoneCredential) self = g_new0(DialtoneCredential, 1);
    g_auto(Loading) loading = {.profile = profile, .access = access};

    prepare_memory();
    self->chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    self->anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    self->crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    if (!credential_library_open(&self->libcrypto)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("OpenSSL could not be set up."));
        return NULL;
    }
    loading.libcrypto = self->libcrypto.context;
    if (!load_own(self, &loading, error) || !load_authorities(self, &loading, error) ||
        !check_size(self, &loading, error))
        return NULL;
    return g_steal_pointer(&self);
}

void dialtone_credential_free(DialtoneCredential *self)
{
    if (self == NULL)
        return;
    credential_token_free(self->token);
    EVP_PKEY_free(self->key);
    g_ptr_array_unref(self->chain);
    g_ptr_array_unref(self->anchors);
    g_ptr_array_unref(self->crls);
    dialtone_certificate_free(self->certificate);
    credential_library_close(&self->libcrypto);
    g_free(self);
}

/* ---- what it is for ---- */

const GPtrArray *dialtone_credential_chain(const DialtoneCredential *self)
{
    return self->chain;
}

const GPtrArray *dialtone_credential_anchors(const DialtoneCredential *self)
{
    return self->anchors;
}

const GPtrArray *dialtone_credential_crls(const DialtoneCredential *self)
{
    return self->crls;
}

const DialtoneCertificate *dialtone_credential_certificate(const DialtoneCredential *self)
{
    return self->certificate;
}

/* The lengths of MD5 to SHA-512. A DigestInfo, or the hash of TLS 1.0, is none of them. */
static bool is_hash(const DialtoneDigest *digest)
{
    static const gsize lengths[] = {16, 20, 32, 48, 64};

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++)
        if (digest->n == lengths[i])
            return true;
    return false;
}

char *dialtone_credential_keypad(DialtoneCredential *self)
{
    return self->token != NULL ? credential_token_keypad(self->token) : NULL;
}

GBytes *dialtone_credential_sign(DialtoneCredential *self, const DialtoneDigest *digest,
                                 GError **error)
{
    GBytes *signature = NULL;

    if (is_hash(digest) && self->token != NULL)
        return credential_token_sign(self->token, digest, error);
    if (is_hash(digest) && self->key != NULL)
        signature = credential_sign_with_key(self->libcrypto.context, self->key, digest);
    if (signature == NULL)
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("The private key could not sign what was asked of it."));
    return signature;
}

/* ---- the certificate alone ---- */

static CredentialOpening open_quietly(Loading *loading)
{
    const DialtoneSecret *known = loading->access->passphrase;
    CredentialOpening opening = open_contents(loading, NULL);

    if (opening != CREDENTIAL_LOCKED || known == NULL || known->bytes == NULL)
        return opening;
    char *passphrase = credential_passphrase(loading->access, NULL, NULL);
    if (passphrase != NULL)
        opening = open_contents(loading, passphrase);
    loading->access->memory->free(passphrase);
    return opening;
}

static bool find_in_file(Loading *loading, GError **error)
{
    const char *path = loading->profile->certificate;

    if (!read_file(loading, "Certificate", path, error))
        return false;
    CredentialOpening opening = open_quietly(loading);
    bool has_key = loading->contents.key != NULL || loading->contents.locked_key;
    if (has_key && !check_mode(loading, "Certificate", path, error))
        return false;
    if (loading->profile->key != NULL &&
        (!read_file(loading, "Key", loading->profile->key, error) ||
         !check_mode(loading, "Key", loading->profile->key, error)))
        return false;
    if (loading->contents.certificates->len > 0)
        return true;
    return opening != CREDENTIAL_LOCKED &&
           refuse(loading, "Certificate", error, _("no certificate is in the file"));
}

static bool find_on_token(Loading *loading, GError **error)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(free_certificate);

    loading->contents.certificates = found;
    DialtoneToken *token =
        credential_token_open(loading->profile->certificate, loading->access, false, found, error);
    credential_token_free(token);
    return token != NULL;
}

static bool check_authorities(const Loading *loading, GError **error)
{
    g_autoptr(GPtrArray) anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    return credential_load_authorities(loading->profile, loading->access, anchors, error) &&
           credential_load_crls(loading->profile, loading->access, anchors, crls, error);
}

/* Whether there is a certificate to show. */
static bool find_public(Loading *loading, GError **error)
{
    if (loading->profile->auth == DIALTONE_AUTH_PSK || !check_authorities(loading, error) ||
        loading->profile->auth == DIALTONE_AUTH_HYBRID)
        return false;
    switch (loading->profile->certificate_source) {
    case DIALTONE_CERT_FILE:
        return find_in_file(loading, error);
    case DIALTONE_CERT_PKCS11:
        return find_on_token(loading, error);
    case DIALTONE_CERT_KEYRING:
    case DIALTONE_CERT_NONE:
        break;
    }
    return false;
}

DialtoneCertificate *dialtone_credential_describe(const DialtoneProfile *profile,
                                                  const DialtoneCredentialAccess *access,
                                                  GError **error)
{
    Loading loading = {.profile = profile, .access = access};
    CredentialLibrary libcrypto = {0};
    DialtoneCertificate *certificate = NULL;

    bool ready = credential_library_open(&libcrypto);
    loading.libcrypto = libcrypto.context;
    if (ready && find_public(&loading, error)) {
        const CredentialContents *contents = &loading.contents;
        X509 *leaf = credential_chain_leaf(contents->certificates, contents->key);
        if (leaf != NULL)
            certificate = credential_certificate_new(leaf, profile);
    }
    /* Keys and certificates refer to it. */
    loading_clear(&loading);
    credential_library_close(&libcrypto);
    return certificate;
}
