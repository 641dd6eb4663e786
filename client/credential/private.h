/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share. */
#pragma once

#include <openssl/types.h>
#include <openssl/x509.h>

#include "client/credential/credential.h"
#include "client/credential/opener.h"

typedef struct DialtoneToken DialtoneToken;

/* ---- complaint.c ---- */

/* Sets an error that begins with `FILE:LINE: [Identity] Key: `, or is a sentence where whoever
 * reads it has no file before them. Always false. */
bool credential_refuse(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                       const char *key, const char *message, GError **error);

/* ---- credential.c ---- */

/* Of an array of GBytes, or NULL. */
gsize credential_bytes_of(const GPtrArray *items);

/* ---- file.c ---- */

/* A file's bytes in secret memory, and who else may read it. */
typedef struct CredentialFile {
    const DialtoneSecretMemory *memory;
    guint8 *bytes;
    gsize n;
    uid_t owner;
    gid_t group;
    guint mode;
} CredentialFile;

/* NULL, or why not; the caller frees that. */
char *credential_file_read(CredentialFile *file, const char *path,
                           const DialtoneCredentialAccess *access) G_GNUC_WARN_UNUSED_RESULT;
/* The same out of the keyring: PEM, or anything in base64. False: neither. */
bool credential_file_from_text(CredentialFile *file, const char *text,
                               const DialtoneSecretMemory *memory) G_GNUC_WARN_UNUSED_RESULT;
/* NULL, or why a private key must not stand in it. */
char *credential_file_refuse_mode(const CredentialFile *file, const char *path,
                                  const DialtoneCredentialAccess *access) G_GNUC_WARN_UNUSED_RESULT;
void credential_file_clear(CredentialFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CredentialFile, credential_file_clear)

/* ---- place.c ---- */

/* Opens a file of the system; the caller closes it. -1, and why not, which the caller frees. */
int credential_place_open(const DialtoneRoot *root, const char *path,
                          char **whyp) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a folder. */
int credential_place_open_folder(const DialtoneRoot *root, const char *path,
                                 char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* ---- contents.c ---- */

/* What a PEM, PKCS #12 or DER file holds. */
typedef struct CredentialContents {
    GPtrArray *certificates; /* of X509 */
    EVP_PKEY *key;           /* or NULL */
    bool locked_key;         /* a key was there that needed a passphrase */
} CredentialContents;

/* @library has libcrypto's legacy provider, for the ciphers of old PKCS #12 files. */
CredentialOpening credential_contents_read(CredentialContents *contents, OSSL_LIB_CTX *library,
                                           const CredentialFile *file, const char *passphrase);
void credential_contents_clear(CredentialContents *contents);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CredentialContents, credential_contents_clear)

/* A context of libcrypto with providers of its own. */
typedef struct CredentialLibrary {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *providers[2]; /* the second, legacy, may be missing */
} CredentialLibrary;

bool credential_library_open(CredentialLibrary *library) G_GNUC_WARN_UNUSED_RESULT;
/* After all that was made in it is gone. */
void credential_library_close(CredentialLibrary *library);

/* ---- authorities.c ---- */

/* Fills arrays of GBytes; false and an error otherwise. */
bool credential_load_authorities(const DialtoneProfile *profile,
                                 const DialtoneCredentialAccess *access, GPtrArray *anchors,
                                 GError **error);
/* @anchors are those that were filled in before. */
bool credential_load_crls(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                          const GPtrArray *anchors, GPtrArray *crls, GError **error);

/* ---- list.c ---- */

/* Adds the list at @url as DER, else the one from before; told where neither can be used. */
void credential_download_list(const DialtoneCredentialAccess *access, const char *url,
                              const GPtrArray *anchors, GPtrArray *crls);

/* ---- chain.c ---- */

/* The one among @certificates that @key belongs to; without a key the first that issued none of
 * the others. NULL: none. */
X509 *credential_chain_leaf(const GPtrArray *certificates, EVP_PKEY *key);
/* DER of the leaf and its issuers, without what signed itself; array of GBytes. */
GPtrArray *credential_chain_of(X509 *leaf, const GPtrArray *certificates);
DialtoneCertificate *credential_certificate_new(X509 *leaf, const DialtoneProfile *profile);
/* Its name as text; the caller frees it. */
char *credential_subject(X509 *certificate);
/* NULL, or why the gateway would not take it. */
char *credential_key_problem(EVP_PKEY *key);

/* ---- signature.c ---- */
GBytes *credential_sign_with_key(OSSL_LIB_CTX *library, EVP_PKEY *key,
                                 const DialtoneDigest *digest);
/* Bytes of an ECDSA signature's half for @curve, by OpenSSL's short name; 0: not one of IKE's. */
gsize credential_curve_bytes(const char *curve);

/* ---- token.c ---- */

/* Finds the certificate and its key at a PKCS #11 URI. @certificates gets the X509 of the token,
 * ours first. Without @login nothing is unlocked and there is no key. */
DialtoneToken *credential_token_open(const char *uri, const DialtoneCredentialAccess *access,
                                     bool login, GPtrArray *certificates, GError **error);
char *credential_token_keypad(DialtoneToken *token) G_GNUC_WARN_UNUSED_RESULT;
GBytes *credential_token_sign(DialtoneToken *token, const DialtoneDigest *digest, GError **error);
void credential_token_free(DialtoneToken *token);
