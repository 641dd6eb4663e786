/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys, certificates and files of them, made on the spot; and profiles that name them. */
#pragma once

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/credential/credential.h"
#include "client/profile/parse.h"

typedef struct KitPair {
    EVP_PKEY *key;
    X509 *certificate;
} KitPair;

enum { KIT_DAY = 86400, KIT_YEAR = 365 * KIT_DAY };

/* @kind is "rsa" and its bits ("rsa2048"), or a curve. */
EVP_PKEY *kit_key(const char *kind);
/* A certificate for @key from now on for @seconds, which may be negative; signed by @issuer, or by
 * itself. @san as in openssl.cnf, or NULL. */
X509 *kit_certificate(EVP_PKEY *key, const char *name, const char *san, const KitPair *issuer,
                      long seconds);
KitPair kit_pair(const char *kind, const char *name, const char *san, const KitPair *issuer);
void kit_pair_clear(KitPair *pair);

/* A folder that is gone when the test is. */
int kit_setup(void **state);
int kit_teardown(void **state);
/* Paths into it; the caller frees them. */
char *kit_path(const char *name);
/* PEM of what is not NULL, mode 0600. @passphrase encrypts the key. */
char *kit_write_pem(const char *name, EVP_PKEY *key, X509 *const *certificates,
                    const char *passphrase);
char *kit_write_p12(const char *name, const KitPair *pair, const KitPair *issuer,
                    const char *passphrase, bool old_ciphers);
char *kit_write(const char *name, const void *bytes, gsize n);

/* A profile with Auth=certificate and these lines in [Identity], CA=file:@ca. */
DialtoneProfile *kit_profile(const char *ca, const char *lines);

/* Nobody to ask, no passphrase. */
DialtoneCredentialAccess kit_access(void);
/* Answers of a person, one a question; NULL ends them. Sets what stands below: how often they were
 * asked, why at last, and whether a keypad was to answer. */
void kit_will_answer(DialtoneCredentialAccess *access, const char *const *answers);
/* The same of one who is asked again from the beginning. */
void kit_will_answer_again(DialtoneCredentialAccess *access, const char *const *answers);
extern guint kit_asked;
extern char kit_hint[256];
extern bool kit_keypad;

/* Asserts that it is refused, and that the sentence has @said in it. */
void kit_expect_refused(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                        const char *said);
DialtoneCredential *kit_expect_loaded(const DialtoneProfile *profile,
                                      const DialtoneCredentialAccess *access);
