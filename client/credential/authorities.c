/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authorities and revocation lists, as DER. What can't be read counts as not there. The list of a
 * whole operating system has 150 certificates, and libcrypto takes most of a millisecond to parse
 * one: of that PEM is taken off and no more. What a certificate says is left to who verifies the
 * gateway's. A file without PEM is one object.
 */
#include "client/credential/private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"

/* Where the systems keep what they trust, Debian first. */
static const char *const SYSTEM_FILES[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

/* What is looked for. */
typedef struct Kind {
    const char *key;  /* of the profile */
    const char *name; /* of the PEM blocks */
    bool (*is_der)(const guint8 *bytes, gsize n);
    const char *none; /* said when there is none */
    bool sound;       /* as the system keeps it, so that what PEM holds need not be parsed */
    GPtrArray *into;
} Kind;

/* Nothing may stand behind it: the protocol core takes exactly one, or none of all. */
static bool is_certificate(const guint8 *bytes, gsize n)
{
    const guint8 *at = bytes;
    X509 *parsed = d2i_X509(NULL, &at, (long)n);
    bool is = parsed != NULL && at == bytes + n;
    X509_free(parsed);
    return is;
}

static bool is_crl(const guint8 *bytes, gsize n)
{
    const guint8 *at = bytes;
    X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)n);
    bool is = parsed != NULL && at == bytes + n;
    X509_CRL_free(parsed);
    return is;
}

static void add(const Kind *kind, const guint8 *bytes, gsize n)
{
    g_autoptr(GBytes) item = g_bytes_new(bytes, n);

    /* Directories of certificates have each twice, under its name and its hash. */
    if (!g_ptr_array_find_with_equal_func(kind->into, item, (GEqualFunc)g_bytes_equal, NULL))
        g_ptr_array_add(kind->into, g_steal_pointer(&item));
}

static guint add_blocks(const Kind *kind, const CredentialFile *file)
{
    BIO *bytes = BIO_new_mem_buf(file->bytes, (int)file->n);
    char *name = NULL, *header = NULL;
    guint8 *block = NULL;
    long n = 0;
    guint found = 0;

    while (bytes != NULL && kind->into->len <= DIALTONE_CREDENTIAL_ITEMS_MAX &&
           PEM_read_bio(bytes, &name, &header, &block, &n) == 1) {
        if (strcmp(name, kind->name) == 0 && (kind->sound || kind->is_der(block, (gsize)n))) {
            add(kind, block, (gsize)n);
            found++;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(block);
    }
    BIO_free(bytes);
    ERR_clear_error();
    return found;
}

/* NULL, or why nothing could be taken from it. */
static char *add_file(const Kind *kind, const DialtoneCredentialAccess *access, const char *path)
{
    g_auto(CredentialFile) file = {0};
    /* The list of the whole system may be anywhere that the system has it, by links, too. */
    DialtoneCredentialAccess anywhere = *access;
    anywhere.system = NULL;
    char *problem = credential_file_read(&file, path, kind->sound ? &anywhere : access);

    if (problem != NULL)
        return problem;
    if (add_blocks(kind, &file) > 0)
        return NULL;
    if (!kind->is_der(file.bytes, file.n)) {
        ERR_clear_error();
        return g_strdup(_(kind->none));
    }
    add(kind, file.bytes, file.n);
    return NULL;
}

/* What root alone can have made on the whole way can be opened by its name once more. */
static char *refuse_folder(const DialtoneCredentialAccess *access, const char *path)
{
    char *why = NULL;
    int fd = credential_place_open_folder(access->system, path, &why);
    if (fd >= 0)
        close(fd);
    return why;
}

/* Other things may lie there, too; but nothing of use at all is a mistake. */
static char *add_directory(const Kind *kind, const DialtoneCredentialAccess *access,
                           const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *refused = access->system != NULL ? refuse_folder(access, path) : NULL;
    g_autofree char *place =
        g_strconcat(access->system != NULL ? access->system->path : "", path, NULL);
    g_autoptr(GDir) folder = refused == NULL ? g_dir_open(place, 0, &error) : NULL;
    guint before = kind->into->len;
    const char *name;

    if (folder == NULL)
        return refused != NULL ? g_steal_pointer(&refused) : g_strdup(error->message);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *problem = add_file(kind, access, file);
        if (problem != NULL)
            g_debug("%s: %s", file, problem);
    }
    return kind->into->len > before ? NULL : g_strdup(_(kind->none));
}

static bool load(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                 const Kind *kind, const char *path, GError **error)
{
    g_autofree char *place =
        g_strconcat(access->system != NULL ? access->system->path : "", path, NULL);
    g_autofree char *problem = g_file_test(place, G_FILE_TEST_IS_DIR)
                                   ? add_directory(kind, access, path)
                                   : add_file(kind, access, path);

    if (problem == NULL)
        return true;
    g_autofree char *message = g_strdup_printf("%s: %s", path, problem);
    return credential_refuse(profile, access, kind->key, message, error);
}

static const char *system_file(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(SYSTEM_FILES); i++)
        if (g_file_test(SYSTEM_FILES[i], G_FILE_TEST_IS_REGULAR))
            return SYSTEM_FILES[i];
    return NULL;
}

bool credential_load_authorities(const DialtoneProfile *profile,
                                 const DialtoneCredentialAccess *access, GPtrArray *anchors,
                                 GError **error)
{
    const Kind kind = {.key = "CA",
                       .name = PEM_STRING_X509,
                       .is_der = is_certificate,
                       .none = N_("no certificate is in it, as PEM or as DER"),
                       .sound = profile->ca_source == DIALTONE_CA_SYSTEM,
                       .into = anchors};
    const char *path = profile->ca_source == DIALTONE_CA_SYSTEM ? system_file() : profile->ca;

    if (path != NULL)
        return load(profile, access, &kind, path, error);
    return credential_refuse(profile, access, "CA",
                             _("this computer has no list of authorities; write CA=file:/path "
                               "with the certificate of the gateway's authority"),
                             error);
}

bool credential_load_crls(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                          const GPtrArray *anchors, GPtrArray *crls, GError **error)
{
    const Kind kind = {.key = "CRL",
                       .name = PEM_STRING_X509_CRL,
                       .is_der = is_crl,
                       .none = N_("no revocation list is in it, as PEM or as DER"),
                       .into = crls};

    for (guint i = 0; i < profile->crls->len; i++)
        if (g_path_is_absolute(profile->crls->pdata[i]) &&
            !load(profile, access, &kind, profile->crls->pdata[i], error))
            return false;
    /* What comes from elsewhere gets the room that is left; it must not take that of the files. */
    for (guint i = 0; i < profile->crls->len; i++)
        if (!g_path_is_absolute(profile->crls->pdata[i]))
            credential_download_list(access, profile->crls->pdata[i], anchors, crls);
    return true;
}
