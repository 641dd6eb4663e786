/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session trusts and shows: its certificates and revocation lists, parsed once. No file, no
 * directory and no default of the system's is ever looked at, and no address that stands in a
 * certificate is used.
 */
#include "ike/cert-key.h"
#include "ike/cert-trust.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { CERT_SIZE_MAX = 65536, CRL_SIZE_MAX = 16 * 1024 * 1024 };

/* Nothing may stand behind it: two readers must not see two certificates in the same bytes. */
X509 *ike_cert_read(IkeSlice der)
{
    const uint8_t *p = der.bytes;
    X509 *cert = der.n <= CERT_SIZE_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;

    if (cert != NULL && p == der.bytes + der.n)
        return cert;
    X509_free(cert);
    return NULL;
}

static X509_CRL *read_crl(IkeBlob der)
{
    const uint8_t *p = der.bytes;
    X509_CRL *crl = der.n <= CRL_SIZE_MAX ? d2i_X509_CRL(NULL, &p, (long)der.n) : NULL;

    if (crl != NULL && p == der.bytes + der.n)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

static int read_certs(STACK_OF(X509) * certs, const IkeBlob *blobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        X509 *cert = ike_cert_read((IkeSlice){blobs[i].bytes, blobs[i].n});
        if (cert == NULL)
            return -EBADMSG;
        if (sk_X509_push(certs, cert) <= 0) {
            X509_free(cert);
            return -ENOMEM;
        }
    }
    return 0;
}

static int read_crls(STACK_OF(X509_CRL) * crls, const IkeBlob *blobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        X509_CRL *crl = read_crl(blobs[i]);
        if (crl == NULL)
            return -EBADMSG;
        if (sk_X509_CRL_push(crls, crl) <= 0) {
            X509_CRL_free(crl);
            return -ENOMEM;
        }
    }
    return 0;
}

static int fill_store(IkeTrust *trust)
{
    for (int i = 0; i < sk_X509_num(trust->anchors); i++)
        if (X509_STORE_add_cert(trust->store, sk_X509_value(trust->anchors, i)) != 1)
            return -ENOMEM;
    return 0;
}

/* The DER of what is shown, as it will go out. */
static int keep_chain(IkeTrust *trust, const IkeCredentials *credentials)
{
    for (size_t i = 0; i < credentials->chain_n; i++) {
        const IkeBlob *blob = &credentials->chain[i];
        trust->chain[i] = malloc(blob->n > 0 ? blob->n : 1);
        if (trust->chain[i] == NULL)
            return -ENOMEM;
        memcpy(trust->chain[i], blob->bytes, blob->n);
        trust->chain_n[i] = blob->n;
    }
    return read_certs(trust->own, credentials->chain, credentials->chain_n);
}

static int find_own_key(IkeTrust *trust)
{
    EVP_PKEY *key = ike_trust_public_key(trust);

    if (sk_X509_num(trust->own) == 0)
        return 0;
    trust->kind = key != NULL ? ike_key_kind(key) : IKE_KEY_NONE;
    return trust->kind != IKE_KEY_NONE ? 0 : -EKEYREJECTED;
}

int ike_trust_new(IkeTrust **trustp, const IkeCredentials *credentials, const IkeIdentity *expected)
{
    IkeTrust *trust = calloc(1, sizeof(*trust));
    int r = -ENOMEM;

    if (trust == NULL)
        return r;
    trust->store = X509_STORE_new();
    trust->anchors = sk_X509_new_null();
    trust->own = sk_X509_new_null();
    trust->lists = sk_X509_CRL_new_null();
    trust->expected = *expected;
    trust->require_crl = credentials->require_crl;
    trust->wall_offset = credentials->wall_offset;
    if (trust->store != NULL && trust->anchors != NULL && trust->own != NULL &&
        trust->lists != NULL)
        r = read_certs(trust->anchors, credentials->anchors, credentials->anchors_n);
    if (r == 0)
        r = fill_store(trust);
    if (r == 0)
        r = read_crls(trust->lists, credentials->crls, credentials->crls_n);
    if (r == 0)
        r = keep_chain(trust, credentials);
    if (r == 0)
        r = find_own_key(trust);
    if (r < 0) {
        ike_trust_free(trust);
        return r;
    }
    *trustp = trust;
    return 0;
}

IkeTrust *ike_trust_free(IkeTrust *trust)
{
    if (trust == NULL)
        return NULL;
    for (size_t i = 0; i < IKE_CHAIN_MAX; i++)
        free(trust->chain[i]);
    sk_X509_pop_free(trust->anchors, X509_free);
    sk_X509_pop_free(trust->own, X509_free);
    sk_X509_CRL_pop_free(trust->lists, X509_CRL_free);
    X509_STORE_free(trust->store);
    free(trust);
    return NULL;
}

IkeKeyKind ike_trust_key(const IkeTrust *trust)
{
    return trust->kind;
}

EVP_PKEY *ike_trust_public_key(const IkeTrust *trust)
{
    return X509_get0_pubkey(sk_X509_value(trust->own, 0));
}

static IkeSlice der_of(const X509_NAME *name)
{
    const uint8_t *der = NULL;
    size_t n = 0;

    return X509_NAME_get0_der(name, &der, &n) == 1 ? (IkeSlice){der, n} : (IkeSlice){NULL, 0};
}

static bool is_named(IkeSlice name, const IkeSlice *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].n == name.n && memcmp(names[i].bytes, name.bytes, name.n) == 0)
            return true;
    return false;
}

size_t ike_trust_chain_for(const IkeTrust *trust, const IkeSlice *names, size_t n)
{
    const int all = sk_X509_num(trust->own);

    for (int i = 0; i < all; i++)
        if (is_named(der_of(X509_get_issuer_name(sk_X509_value(trust->own, i))), names, n))
            return (size_t)i + 1;
    return 0;
}

IkeSlice ike_trust_chain(const IkeTrust *trust, size_t i)
{
    return i < IKE_CHAIN_MAX ? (IkeSlice){trust->chain[i], trust->chain_n[i]} : (IkeSlice){NULL, 0};
}

size_t ike_trust_anchors(const IkeTrust *trust)
{
    return (size_t)sk_X509_num(trust->anchors);
}

IkeSlice ike_trust_anchor_name(const IkeTrust *trust, size_t i)
{
    return der_of(X509_get_subject_name(sk_X509_value(trust->anchors, (int)i)));
}
