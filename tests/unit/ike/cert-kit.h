/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates for tests, made while they run: right ones, and each kind of wrong one. */
#ifndef TESTS_UNIT_IKE_CERT_KIT_H
#define TESTS_UNIT_IKE_CERT_KIT_H

#include "ike/cert.h"

#include "core-kit.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

enum { KIT_DAY = 86400 };
#define KIT_WALL INT64_C(1900000000) /* what the clock says in all of these tests */

typedef struct KitCert {
    X509 *cert;
    EVP_PKEY *key;
    KitBytes der;
} KitCert;

/* NULL and 0 everywhere: a CN of "nobody", version 3, valid for a year, P-256, SHA-256. */
typedef struct KitCertSpec {
    const KitCert *issuer; /* NULL: self-signed */
    const char *name;      /* CN; O is always Example */
    const char *key;       /* rsa2048 rsa1024 rsa-e3 p224 p256 p384 p521 ed25519 */
    const char *digest;
    const char *basic, *usage, *extended, *names, *constraints; /* as in openssl.cnf */
    bool nul_in_name;                                           /* gw.example.com\0.evil.example */
    long version;                                               /* 1 or 3 */
    int64_t from, to;                                           /* days from KIT_WALL */
} KitCertSpec;

KitCert *kit_cert_new(const KitCertSpec *spec);
KitCert *kit_cert_free(KitCert *cert);
KitCert *kit_ca_new(const KitCert *issuer, const char *name, const char *key);
KitCert *kit_leaf_new(const KitCert *issuer, const char *names, const char *key);

/* A CRL of a CA that has one certificate on it (or none), made and to be renewed at these days. */
void kit_crl(const KitCert *ca, const KitCert *revoked, int64_t from, int64_t to, KitBytes *out);
/* All of them in one degenerate PKCS #7. */
void kit_pkcs7(const KitCert *const *certs, size_t n, KitBytes *out);

/* A signature of Phase 1, as IkeSigning asks for it. */
void kit_sign(EVP_PKEY *key, const uint8_t *hash, size_t n, KitBytes *out);
/* What RSA makes of bytes that are as long as the modulus. */
void kit_rsa_raw(EVP_PKEY *key, const uint8_t *bytes, size_t n, KitBytes *out);

#endif
