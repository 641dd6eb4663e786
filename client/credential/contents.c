/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in a certificate file, whatever its kind. PKCS #12 is opened here; for the rest
 * libcrypto's store looks at the bytes and finds certificates and keys in PEM and DER. All runs in
 * a library context of its own, so that RC2 and DES, which old PKCS #12 files need, are known
 * nowhere else in the process. (The store would open PKCS #12 too, but in the default context.)
 */
#include "client/credential/private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

enum { OBJECTS_MAX = 64, ERRORS_MAX = 16 };

typedef struct Asked {
    const char *passphrase; /* NULL: none */
    bool wanted;
} Asked;

bool credential_library_open(CredentialLibrary *library)
{
    library->context = OSSL_LIB_CTX_new();
    if (library->context == NULL)
        return false;
    library->providers[0] = OSSL_PROVIDER_load(library->context, "default");
    /* Where it is not installed, only old files can't be read. */
    library->providers[1] = OSSL_PROVIDER_load(library->context, "legacy");
    ERR_clear_error();
    return library->providers[0] != NULL;
}

void credential_library_close(CredentialLibrary *library)
{
    for (gsize i = 0; i < G_N_ELEMENTS(library->providers); i++)
        if (library->providers[i] != NULL)
            OSSL_PROVIDER_unload(library->providers[i]);
    OSSL_LIB_CTX_free(library->context);
    memset(library, 0, sizeof(*library));
}

static void free_certificate(gpointer certificate)
{
    X509_free(certificate);
}

void credential_contents_clear(CredentialContents *contents)
{
    g_clear_pointer(&contents->certificates, g_ptr_array_unref);
    EVP_PKEY_free(contents->key);
    memset(contents, 0, sizeof(*contents));
}

static int give_passphrase(char *buffer, int size, int writing, void *data)
{
    Asked *asked = data;

    asked->wanted = true;
    if (asked->passphrase == NULL || strlen(asked->passphrase) > (size_t)size)
        return -1;
    memcpy(buffer, asked->passphrase, strlen(asked->passphrase));
    return (int)strlen(asked->passphrase);
}

static void take(CredentialContents *contents, OSSL_STORE_INFO *info)
{
    int type = OSSL_STORE_INFO_get_type(info);

    if (type == OSSL_STORE_INFO_CERT)
        g_ptr_array_add(contents->certificates, OSSL_STORE_INFO_get1_CERT(info));
    else if (type == OSSL_STORE_INFO_PKEY && contents->key == NULL)
        contents->key = OSSL_STORE_INFO_get1_PKEY(info);
}

/* Goes on after what can't be read, for a locked key must not hide the certificate behind it. */
static void load_all(CredentialContents *contents, OSSL_STORE_CTX *store)
{
    int errors = 0;

    for (int i = 0; i < OBJECTS_MAX && errors < ERRORS_MAX && !OSSL_STORE_eof(store); i++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL)
            errors++;
        else
            take(contents, info);
        OSSL_STORE_INFO_free(info);
    }
}

/* ---- PKCS #12 ---- */

static PKCS12 *parse_p12(OSSL_LIB_CTX *library, const CredentialFile *file)
{
    const guint8 *bytes = file->bytes;
    PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, library, NULL);

    /* Frees what it was given when it fails. */
    if (p12 != NULL)
        p12 = d2i_PKCS12(&p12, &bytes, (long)file->n);
    ERR_clear_error();
    return p12;
}

/* The passphrase that opens it; files without one come in two kinds, by what their makers took
 * none to be. */
static bool unlock(PKCS12 *p12, const char *passphrase, const char **opensp)
{
    *opensp = passphrase != NULL ? passphrase : "";
    if (PKCS12_mac_present(p12) != 1 || PKCS12_verify_mac(p12, *opensp, -1) == 1)
        return true;
    if (passphrase != NULL || PKCS12_verify_mac(p12, NULL, 0) != 1)
        return false;
    *opensp = NULL;
    return true;
}

static CredentialOpening read_p12(CredentialContents *contents, PKCS12 *p12, const char *passphrase)
{
    STACK_OF(X509) *others = NULL;
    X509 *own = NULL;
    const char *opens = NULL;

    contents->locked_key = true;
    if (!unlock(p12, passphrase, &opens))
        return CREDENTIAL_LOCKED;
    if (PKCS12_parse(p12, opens, &contents->key, &own, &others) != 1)
        return passphrase == NULL ? CREDENTIAL_LOCKED : CREDENTIAL_BROKEN;
    if (own != NULL)
        g_ptr_array_add(contents->certificates, own);
    while (sk_X509_num(others) > 0)
        g_ptr_array_add(contents->certificates, sk_X509_shift(others));
    sk_X509_free(others);
    return CREDENTIAL_OPENED;
}

/* ---- all kinds ---- */

static CredentialOpening read_store(CredentialContents *contents, OSSL_LIB_CTX *library,
                                    const CredentialFile *file, const char *passphrase)
{
    Asked asked = {.passphrase = passphrase};
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    BIO *bytes = BIO_new_mem_buf(file->bytes, (int)file->n);
    OSSL_STORE_CTX *store =
        bytes != NULL && method != NULL
            ? OSSL_STORE_attach(bytes, "file", library, NULL, method, &asked, NULL, NULL, NULL)
            : NULL;

    if (store != NULL)
        load_all(contents, store);
    OSSL_STORE_close(store);
    BIO_free(bytes);
    UI_destroy_method(method);
    ERR_clear_error();
    contents->locked_key = asked.wanted;
    if (asked.wanted && contents->key == NULL)
        return CREDENTIAL_LOCKED;
    bool any = contents->key != NULL || contents->certificates->len > 0;
    return any ? CREDENTIAL_OPENED : CREDENTIAL_BROKEN;
}

CredentialOpening credential_contents_read(CredentialContents *contents, OSSL_LIB_CTX *library,
                                           const CredentialFile *file, const char *passphrase)
{
    PKCS12 *p12 = parse_p12(library, file);
    CredentialOpening opening;

    credential_contents_clear(contents);
    contents->certificates = g_ptr_array_new_with_free_func(free_certificate);
    opening = p12 != NULL ? read_p12(contents, p12, passphrase)
                          : read_store(contents, library, file, passphrase);
    PKCS12_free(p12);
    ERR_clear_error();
    return opening;
}
