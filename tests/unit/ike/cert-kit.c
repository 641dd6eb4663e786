/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates for tests. Making RSA keys takes long, so each kind is made twice in a program: for
 * those who issue, and for those who are issued to.
 */
#undef NDEBUG
#include "cert-kit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum { KEYS_MAX = 32 };

static EVP_PKEY *make_rsa(unsigned bits, unsigned long exponent)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *key = NULL;
    int ok = BN_set_word(e, exponent) == 1 && EVP_PKEY_keygen_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1 &&
             EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 &&
             EVP_PKEY_generate(context, &key) == 1;

    assert(ok);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *make_key(const char *kind)
{
    EVP_PKEY *key = NULL;

    if (strcmp(kind, "rsa2048") == 0)
        return make_rsa(2048, 65537);
    if (strcmp(kind, "rsa1024") == 0)
        return make_rsa(1024, 65537);
    if (strcmp(kind, "rsa-e3") == 0)
        return make_rsa(2048, 3);
    if (strcmp(kind, "ed25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
                                strcmp(kind, "p224") == 0   ? "P-224"
                                : strcmp(kind, "p384") == 0 ? "P-384"
                                : strcmp(kind, "p521") == 0 ? "P-521"
                                                            : "P-256");
    assert(key != NULL);
    return key;
}

static EVP_PKEY *key_of(const char *kind, bool issues)
{
    static struct {
        const char *kind;
        bool issues;
        EVP_PKEY *key;
    } pool[KEYS_MAX];
    size_t i = 0;

    while (pool[i].key != NULL && (strcmp(pool[i].kind, kind) != 0 || pool[i].issues != issues))
        i++;
    assert(i + 1 < KEYS_MAX);
    if (pool[i].key == NULL) {
        pool[i].kind = kind;
        pool[i].issues = issues;
        pool[i].key = make_key(kind);
    }
    EVP_PKEY_up_ref(pool[i].key);
    return pool[i].key;
}

static void set_name(X509_NAME *name, const char *cn)
{
    int ok =
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"Example", -1, -1,
                                   0) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0) == 1;

    assert(ok);
}

static void extend(X509 *cert, int nid, const char *value)
{
    if (value == NULL)
        return;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert(extension != NULL);
    int ok = X509_add_ext(cert, extension, -1);
    assert(ok == 1);
    X509_EXTENSION_free(extension);
}

static void extend_with_nul(X509 *cert)
{
    static const char name[] = "gw.example.com\0.evil.example";
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    int ok = ASN1_STRING_set(string, name, sizeof(name) - 1);

    assert(ok == 1);
    GENERAL_NAME_set0_value(general, GEN_DNS, string);
    ok = sk_GENERAL_NAME_push(names, general) > 0 &&
         X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    assert(ok);
    GENERAL_NAMES_free(names);
}

static void encode(KitCert *made)
{
    uint8_t *der = NULL;
    int n = i2d_X509(made->cert, &der);

    assert(n > 0);
    kit_append(&made->der, der, (size_t)n);
    OPENSSL_free(der);
}

KitCert *kit_cert_new(const KitCertSpec *spec)
{
    static long serial = 0;
    KitCert *made = calloc(1, sizeof(*made));
    const char *digest = spec->digest != NULL ? spec->digest : "SHA256";
    const char *kind = spec->key != NULL ? spec->key : "p256";

    assert(made != NULL);
    made->cert = X509_new();
    made->key = key_of(kind, spec->basic != NULL);
    const KitCert *issuer = spec->issuer != NULL ? spec->issuer : made;
    X509_set_version(made->cert, spec->version == 1 ? 0 : 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made->cert), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(made->cert), (time_t)(KIT_WALL + spec->from * KIT_DAY));
    ASN1_TIME_set(X509_getm_notAfter(made->cert),
                  (time_t)(KIT_WALL + (spec->to != 0 ? spec->to : 365) * KIT_DAY));
    set_name(X509_get_subject_name(made->cert), spec->name != NULL ? spec->name : "nobody");
    X509_set_issuer_name(made->cert, X509_get_subject_name(issuer->cert));
    X509_set_pubkey(made->cert, made->key);
    extend(made->cert, NID_basic_constraints, spec->basic);
    extend(made->cert, NID_key_usage, spec->usage);
    extend(made->cert, NID_ext_key_usage, spec->extended);
    extend(made->cert, NID_subject_alt_name, spec->names);
    extend(made->cert, NID_name_constraints, spec->constraints);
    if (spec->nul_in_name)
        extend_with_nul(made->cert);
    bool edwards = EVP_PKEY_is_a(issuer->key, "ED25519") == 1;
    int n = X509_sign(made->cert, issuer->key, edwards ? NULL : EVP_get_digestbyname(digest));
    assert(n > 0);
    encode(made);
    return made;
}

KitCert *kit_cert_free(KitCert *cert)
{
    if (cert == NULL)
        return NULL;
    X509_free(cert->cert);
    EVP_PKEY_free(cert->key);
    free(cert);
    return NULL;
}

KitCert *kit_ca_new(const KitCert *issuer, const char *name, const char *key)
{
    const KitCertSpec spec = {.issuer = issuer,
                              .name = name,
                              .key = key,
                              .basic = "critical,CA:TRUE",
                              .usage = "critical,keyCertSign,cRLSign",
                              .from = -100};

    return kit_cert_new(&spec);
}

KitCert *kit_leaf_new(const KitCert *issuer, const char *names, const char *key)
{
    const KitCertSpec spec = {.issuer = issuer,
                              .name = "gateway",
                              .key = key,
                              .usage = "digitalSignature",
                              .names = names,
                              .from = -10};

    return kit_cert_new(&spec);
}

void kit_crl(const KitCert *ca, const KitCert *revoked, int64_t from, int64_t to, KitBytes *out)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *first = ASN1_TIME_set(NULL, (time_t)(KIT_WALL + from * KIT_DAY));
    ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)(KIT_WALL + to * KIT_DAY));
    uint8_t *der = NULL;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
    X509_CRL_set1_lastUpdate(crl, first);
    X509_CRL_set1_nextUpdate(crl, next);
    if (revoked != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->cert));
        X509_REVOKED_set_revocationDate(entry, first);
        X509_CRL_add0_revoked(crl, entry);
    }
    int n = X509_CRL_sign(crl, ca->key, EVP_sha256());
    assert(n > 0);
    n = i2d_X509_CRL(crl, &der);
    assert(n > 0);
    out->n = 0;
    kit_append(out, der, (size_t)n);
    OPENSSL_free(der);
    ASN1_TIME_free(first);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
}

void kit_pkcs7(const KitCert *const *certs, size_t n, KitBytes *out)
{
    PKCS7 *wrapped = PKCS7_new();
    uint8_t *der = NULL;
    int ok = PKCS7_set_type(wrapped, NID_pkcs7_signed) == 1 &&
             PKCS7_content_new(wrapped, NID_pkcs7_data) == 1;

    for (size_t i = 0; i < n && ok; i++)
        ok = PKCS7_add_certificate(wrapped, certs[i]->cert) == 1;
    assert(ok);
    int size = i2d_PKCS7(wrapped, &der);
    assert(size > 0);
    out->n = 0;
    kit_append(out, der, (size_t)size);
    OPENSSL_free(der);
    PKCS7_free(wrapped);
}

static void sign_rsa(EVP_PKEY *key, int padding, const uint8_t *bytes, size_t n, KitBytes *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    out->n = sizeof(out->bytes);
    int ok = EVP_PKEY_sign_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
             EVP_PKEY_sign(context, out->bytes, &out->n, bytes, n) == 1;
    assert(ok);
    EVP_PKEY_CTX_free(context);
}

void kit_rsa_raw(EVP_PKEY *key, const uint8_t *bytes, size_t n, KitBytes *out)
{
    sign_rsa(key, RSA_NO_PADDING, bytes, n, out);
}

static void sign_ecdsa(EVP_PKEY *key, const uint8_t *hash, size_t n, KitBytes *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    const int size = (EVP_PKEY_get_bits(key) + 7) / 8;
    uint8_t der[256];
    const uint8_t *p = der;
    size_t der_n = sizeof(der);
    int ok = EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_sign(context, der, &der_n, hash, n) == 1;

    assert(ok);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)der_n);
    ok = BN_bn2binpad(ECDSA_SIG_get0_r(pair), out->bytes, size) == size &&
         BN_bn2binpad(ECDSA_SIG_get0_s(pair), out->bytes + size, size) == size;
    assert(ok);
    out->n = 2 * (size_t)size;
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

void kit_sign(EVP_PKEY *key, const uint8_t *hash, size_t n, KitBytes *out)
{
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        sign_rsa(key, RSA_PKCS1_PADDING, hash, n, out);
    else
        sign_ecdsa(key, hash, n, out);
}
