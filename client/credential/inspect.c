/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A certificate that somebody chooses: all that can be seen of it is told, and what would keep it
 * from being used, in one go, for whoever chose the wrong file is to see which one it is. Nobody is
 * asked; no PIN is tried, for tokens count.
 */
#include "client/credential/credential.h"

#include <openssl/evp.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/credential/private.h"

typedef struct Look {
    const DialtoneProfile *profile;
    const DialtoneCredentialAccess *access;
    OSSL_LIB_CTX *libcrypto;
    DialtoneInspection *found;
} Look;

/* What was said first stands. */
static void object(const Look *look, char *problem_take)
{
    if (look->found->problem == NULL)
        look->found->problem = problem_take;
    else
        g_free(problem_take);
}

/* ---- opening ---- */

static CredentialOpening try_passphrase(const Look *look, const CredentialFile *file,
                                        CredentialContents *contents)
{
    const DialtoneSecret *known = look->access->passphrase;
    CredentialOpening opening = CREDENTIAL_LOCKED;
    char *text = look->access->memory->alloc(DIALTONE_PASSPHRASE_MAX);
    bool given = text != NULL && known != NULL && known->bytes != NULL;

    if (given && known->n < DIALTONE_PASSPHRASE_MAX)
        memcpy(text, known->bytes, known->n);
    bool kept =
        !given && text != NULL && look->access->fetch != NULL &&
        look->access->fetch("passphrase", text, DIALTONE_PASSPHRASE_MAX, look->access->data);
    if (given || kept)
        opening = credential_contents_read(contents, look->libcrypto, file, text);
    look->access->memory->free(text);
    return opening;
}

/* With what is known, and no more. */
static void open_file(const Look *look, const CredentialFile *file, CredentialContents *contents)
{
    CredentialOpening opening = credential_contents_read(contents, look->libcrypto, file, NULL);

    if (opening == CREDENTIAL_LOCKED)
        opening = try_passphrase(look, file, contents);
    if (opening == CREDENTIAL_LOCKED)
        look->found->locked = true;
    if (opening == CREDENTIAL_BROKEN)
        object(look,
               g_strdup(_("neither a certificate nor a key is in it, as PEM or as PKCS #12")));
}

static void check_mode(const Look *look, const CredentialFile *file,
                       const CredentialContents *contents, const char *path)
{
    char *problem = contents->key != NULL || contents->locked_key
                        ? credential_file_refuse_mode(file, path, look->access)
                        : NULL;

    if (problem != NULL)
        object(look, problem);
}

static void read_path(const Look *look, const char *path, CredentialContents *contents)
{
    g_auto(CredentialFile) file = {0};
    char *problem = credential_file_read(&file, path, look->access);

    if (problem != NULL) {
        object(look, problem);
        return;
    }
    open_file(look, &file, contents);
    check_mode(look, &file, contents, path);
}

static void read_keyring(const Look *look, CredentialContents *contents)
{
    const DialtoneCredentialAccess *access = look->access;
    g_auto(CredentialFile) file = {0};
    char *text = access->memory->alloc(DIALTONE_CREDENTIAL_TEXT_MAX + 1);
    bool found = text != NULL && access->fetch != NULL &&
                 access->fetch("certificate", text, DIALTONE_CREDENTIAL_TEXT_MAX + 1, access->data);

    found = found && credential_file_from_text(&file, text, access->memory);
    access->memory->free(text);
    if (found)
        open_file(look, &file, contents);
    else
        object(look, g_strdup(credential_missing(access)));
}

/* ---- judging ---- */

static void take_leaf(const Look *look, X509 *leaf)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    char *problem =
        key != NULL ? credential_key_problem(key) : g_strdup(_("its public key can't be read"));

    look->found->certificate = credential_certificate_new(leaf, look->profile);
    if (problem != NULL)
        object(look, problem);
}

static void judge(const Look *look, const CredentialContents *contents, EVP_PKEY *key)
{
    const GPtrArray *certificates = contents->certificates;
    bool any = certificates != NULL && certificates->len > 0;
    X509 *leaf = any ? credential_chain_leaf(certificates, key) : NULL;

    if (leaf == NULL && any && key != NULL) {
        object(look, g_strdup(_("the private key belongs to none of the certificates there")));
        leaf = credential_chain_leaf(certificates, NULL);
    }
    if (leaf != NULL)
        take_leaf(look, leaf);
    else if (!look->found->locked)
        object(look, g_strdup(_("no certificate is in the file")));
    if (key == NULL && !look->found->locked)
        object(look, g_strdup(_("no private key is in the file; write it there, or its path into "
                                "Key=")));
}

static void look_at_files(const Look *look)
{
    const DialtoneProfile *profile = look->profile;
    g_auto(CredentialContents) own = {0}, other = {0};

    if (profile->certificate_source == DIALTONE_CERT_KEYRING)
        read_keyring(look, &own);
    else
        read_path(look, profile->certificate, &own);
    if (profile->key != NULL)
        read_path(look, profile->key, &other);
    judge(look, &own, profile->key != NULL ? other.key : own.key);
}

static void free_certificate(gpointer certificate)
{
    X509_free(certificate);
}

static void look_at_token(const Look *look)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_certificate);
    g_autoptr(GError) error = NULL;
    DialtoneToken *token =
        credential_token_open(look->profile->certificate, look->access, false, found, &error);

    credential_token_free(token);
    if (token == NULL)
        object(look, g_strdup(error->message));
    else
        take_leaf(look, found->pdata[0]);
}

void dialtone_credential_inspect(const DialtoneProfile *profile,
                                 const DialtoneCredentialAccess *access, DialtoneInspection *found)
{
    CredentialLibrary libcrypto = {0};
    Look look = {.profile = profile, .access = access, .found = found};

    *found = (DialtoneInspection){0};
    bool ready = credential_library_open(&libcrypto);
    look.libcrypto = libcrypto.context;
    if (!ready)
        object(&look, g_strdup(_("OpenSSL could not be set up.")));
    else if (profile->certificate_source == DIALTONE_CERT_PKCS11)
        look_at_token(&look);
    else if (profile->certificate_source != DIALTONE_CERT_NONE)
        look_at_files(&look);
    credential_library_close(&libcrypto);
}

void dialtone_inspection_clear(DialtoneInspection *found)
{
    dialtone_certificate_free(found->certificate);
    g_free(found->problem);
    *found = (DialtoneInspection){0};
}
