/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a profile's certificate settings stand for: the user's certificate and the way to sign with
 * its key, the authorities that may have issued the gateway's certificate, and the lists of revoked
 * ones. Lives in the process that acts for the user (the agent), or for a profile of the system in
 * the service: certificates and lists are handed on as DER, the private key never is. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/profile/owned.h"
#include "client/profile/profile.h"
#include "client/profile/secrets.h"

enum {
    DIALTONE_CREDENTIAL_ITEMS_MAX = 1024,
    DIALTONE_CREDENTIAL_CRLS_MAX = 64,
    DIALTONE_CREDENTIAL_TEXT_MAX = 64 * 1024,   /* of a certificate in the keyring */
    DIALTONE_CREDENTIAL_BYTES_MAX = 640 * 1024, /* of all certificates and lists together */
    DIALTONE_CREDENTIAL_LIST_MAX = 512 * 1024,  /* of a list that is fetched */
    DIALTONE_PASSPHRASE_MAX = 1024,             /* bytes, with a NUL */
    DIALTONE_SIGNATURE_MAX = 512,               /* RSA with 4096 bits */
};

typedef struct DialtoneCredential DialtoneCredential;

/* A passphrase or PIN that is missing, to be put to a person. */
typedef struct DialtoneKeyQuestion {
    const char *prompt; /* of a terminal: "Passphrase of /path: " */
    const char *hint;   /* a sentence: what is locked; or, when it is asked again, why */
    bool pin;           /* of a token */
    bool keypad;        /* it is typed on its reader: the person is told, and nothing is answered */
    bool again;         /* what was said before was wrong, or it is the last try: ask a person */
} DialtoneKeyQuestion;

/* How it is read. */
typedef struct DialtoneCredentialAccess {
    const char *file; /* the profile's, for messages; NULL: they are sentences without a place */
    uid_t caller;     /* who, beside root, may own a private key */
    const DialtoneSecretMemory *memory;
    const DialtoneSecret *passphrase; /* of the secrets file; NULL, or without bytes: none */
    /* Asks a person for one line; NULL: there is nobody to ask. False: no answer. Where a keypad is
     * what answers, @line is NULL and so is the line's size. */
    bool (*ask)(const DialtoneKeyQuestion *question, char *line, gsize size, gpointer data);
    /* What the user's keyring keeps of the profile: "certificate", PEM or a file's bytes in base64,
     * "passphrase" or "pin". NULL: there is no keyring. False: it has none. */
    bool (*fetch)(const char *kind, char *text, gsize size, gpointer data);
    /* With fetch: what it did not find may be there, for the keyring is locked. May be NULL. */
    bool (*is_locked)(gpointer data);
    /* With fetch: takes out of the keyring what a token refused, lest it is given once more. */
    void (*forget)(const char *kind, gpointer data);
    /* Fetches the list at an address of the profile's. NULL, or why not, which is freed; without
     * this function none is fetched. */
    char *(*download)(const char *url, GBytes **listp, gpointer data);
    /* With download: says a line about a list that could not be had. */
    void (*tell)(const char *line, gpointer data);
    const char *cache; /* the folder of lists that were fetched; NULL: none is kept */
    /* Set: only what an administrator put below /etc/dialtone and /etc/ssl is read, and a private
     * key only where nobody but root and @group can read it. */
    const DialtoneRoot *system;
    gid_t group; /* see dialtone_system_group() */
    /* Another process reads these. */
    bool without_own, without_authorities;
    gpointer data;
} DialtoneCredentialAccess;

/* What may be shown of a certificate. */
typedef struct DialtoneCertificate {
    char *subject;
    char *issuer;
    char *key;                    /* "RSA 2048", "ECDSA P-256" */
    gint64 not_before, not_after; /* seconds since 1970 */
    bool names_id;                /* the profile's ID stands in it */
    int curve_bits;               /* of an ECDSA key; 0: RSA */
} DialtoneCertificate;

/* Digest to be signed for IKE. RSA: PKCS #1 v1.5 padding of type 1 around the bytes as they are
 * (RFC 2409, 5.1: no DigestInfo). ECDSA: r | s, each as long as the curve's order (RFC 4754). */
typedef struct DialtoneDigest {
    bool ecdsa;
    gsize n;
    guint8 bytes[64];
} DialtoneDigest;

/* All that Auth= of the profile needs, but for what @access leaves out; with Auth=hybrid there is
 * no certificate and no key. The error names file, line and setting. Keys are read into libcrypto's
 * secure heap, which is locked and not dumped. */
DialtoneCredential *dialtone_credential_load(const DialtoneProfile *profile,
                                             const DialtoneCredentialAccess *access,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_credential_free(DialtoneCredential *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneCredential, dialtone_credential_free)

/* Arrays of GBytes with DER, owned by the credential: our certificate and then its issuers without
 * the root; the authorities; the lists. */
const GPtrArray *dialtone_credential_chain(const DialtoneCredential *self);
const GPtrArray *dialtone_credential_anchors(const DialtoneCredential *self);
const GPtrArray *dialtone_credential_crls(const DialtoneCredential *self);
/* NULL with hybrid. */
const DialtoneCertificate *dialtone_credential_certificate(const DialtoneCredential *self);

/* What a person is told before each signature, where they type a PIN for each on the keypad of the
 * token's reader; NULL: nothing. The caller frees it. */
char *dialtone_credential_keypad(DialtoneCredential *self) G_GNUC_WARN_UNUSED_RESULT;
/* Signs; may take as long as a smart card does. Only what can be a hash is signed, so that who
 * asks can't have other structures signed. NULL and an error otherwise. */
GBytes *dialtone_credential_sign(DialtoneCredential *self, const DialtoneDigest *digest,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The user's certificate alone, without its key: nobody is asked, and nothing is unlocked but by
 * the passphrase of @access. NULL without an error: what it stands in is locked, or there is none.
 * Whatever else the profile names must be there to be read, as for _load(). */
DialtoneCertificate *dialtone_credential_describe(const DialtoneProfile *profile,
                                                  const DialtoneCredentialAccess *access,
                                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What somebody chose, see inspect.c. */
typedef struct DialtoneInspection {
    DialtoneCertificate *certificate; /* NULL: none can be seen */
    bool locked;                      /* a passphrase is missing, or another one is needed */
    char *problem;                    /* why it can't be used; NULL: nothing speaks against it */
} DialtoneInspection;

/* @profile may lack all that is of no interest here. The clock is the reader's to look at. Opened
 * by the passphrase of @access, else by the keyring's. */
void dialtone_credential_inspect(const DialtoneProfile *profile,
                                 const DialtoneCredentialAccess *access, DialtoneInspection *found);
void dialtone_inspection_clear(DialtoneInspection *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DialtoneInspection, dialtone_inspection_clear)

/* A certificate on one of the computer's tokens. */
typedef struct DialtoneTokenCertificate {
    char *uri; /* for [Identity] Certificate */
    char *token;
    char *subject;
} DialtoneTokenCertificate;

/* Of DialtoneTokenCertificate; the caller frees it. */
GPtrArray *dialtone_token_certificates(void) G_GNUC_WARN_UNUSED_RESULT;

void dialtone_certificate_free(DialtoneCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneCertificate, dialtone_certificate_free)

/* "2027-03-01", in UTC. The caller frees it. */
char *dialtone_certificate_date(gint64 time) G_GNUC_WARN_UNUSED_RESULT;
/* A sentence about a certificate that ends within 30 days; NULL where there is nothing to say. */
char *dialtone_certificate_warning(const DialtoneCertificate *certificate,
                                   gint64 now) G_GNUC_WARN_UNUSED_RESULT;
