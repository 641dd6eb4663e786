/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diffie-Hellman by libcrypto.
 *
 * The peer's value is checked here: for MODP, 1 < y < p - 1, which is all that a safe prime needs
 * (RFC 6989, 2.1) and spares libcrypto's full exponentiation y^q; for ECP, libcrypto checks that
 * the point is on the curve when it decodes it (RFC 5903, 6), and its length is checked before.
 * The First and Second Oakley Group have no name in libcrypto: their primes follow RFC 2409's
 * formula and are spelled out below.
 */
#include "ike/dh.h"

#include "ike/constants-attributes.h"
#include "ike/constants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

struct IkeDh {
    const IkeGroup *group;
    EVP_PKEY *key;
    BIGNUM *prime; /* MODP only */
    uint8_t public[IKE_DH_MAX];
};

/* RFC 2409, 6.1 and 6.2. */
static const char MODP768[] = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
                              "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
                              "4FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF";
static const char MODP1024[] = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
                               "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
                               "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
                               "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF";

/* EVP_PKEY_fromdata() with a prime and generator 2 of our own. */
static EVP_PKEY *oakley_parameters(const char *prime_hex)
{
    EVP_PKEY *params_key = NULL;
    BIGNUM *p = NULL, *g = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);

    if (g != NULL && builder != NULL && context != NULL && BN_hex2bn(&p, prime_hex) > 0 &&
        BN_set_word(g, 2) == 1 && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_P, p) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_G, g) == 1)
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params != NULL && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &params_key, EVP_PKEY_KEY_PARAMETERS, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(p);
    BN_free(g);
    return params_key;
}

static EVP_PKEY *generate_named(const char *type, const char *group)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_end(),
    };

    if (context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
        (group == NULL || EVP_PKEY_CTX_set_params(context, params) == 1))
        (void)EVP_PKEY_generate(context, &key);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *generate_from(EVP_PKEY *parameters)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context =
        parameters != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL) : NULL;

    if (context != NULL && EVP_PKEY_keygen_init(context) == 1)
        (void)EVP_PKEY_generate(context, &key);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *generate(const IkeGroup *group)
{
    if (group->number == IKE_GROUP_CURVE25519)
        return generate_named("X25519", NULL);
    if (group->elliptic)
        return generate_named("EC", group->openssl);
    if (group->openssl != NULL)
        return generate_named("DH", group->openssl);
    EVP_PKEY *parameters =
        oakley_parameters(group->number == IKE_GROUP_MODP768 ? MODP768 : MODP1024);
    EVP_PKEY *key = generate_from(parameters);
    EVP_PKEY_free(parameters);
    return key;
}

/* The public half as the KE payload has it: padded with zeros (MODP), or x | y without the point
 * format octet (RFC 5903, 7), or the plain 32 bytes of X25519. */
static int export_public(IkeDh *dh)
{
    const IkeGroup *group = dh->group;
    uint8_t encoded[IKE_DH_MAX + 1];
    size_t n = 0;

    if (!group->elliptic) {
        BIGNUM *y = NULL;
        int ok = EVP_PKEY_get_bn_param(dh->key, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 &&
                 BN_bn2binpad(y, dh->public, group->ke_size) == group->ke_size &&
                 EVP_PKEY_get_bn_param(dh->key, OSSL_PKEY_PARAM_FFC_P, &dh->prime) == 1;
        BN_free(y);
        return ok ? 0 : -EIO;
    }
    if (EVP_PKEY_get_octet_string_param(dh->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded,
                                        sizeof(encoded), &n) != 1)
        return -EIO;
    size_t skip = group->number == IKE_GROUP_CURVE25519 ? 0 : 1;
    if (n != group->ke_size + skip)
        return -EIO;
    memcpy(dh->public, encoded + skip, group->ke_size);
    return 0;
}

int ike_dh_new(IkeDh **dhp, const IkeGroup *group)
{
    IkeDh *dh = calloc(1, sizeof(*dh));
    if (dh == NULL)
        return -ENOMEM;
    dh->group = group;
    dh->key = generate(group);
    int r = dh->key != NULL ? export_public(dh) : -ENOTSUP;
    if (r < 0) {
        ike_dh_free(dh);
        return r;
    }
    *dhp = dh;
    return 0;
}

IkeDh *ike_dh_free(IkeDh *dh)
{
    if (dh == NULL)
        return NULL;
    EVP_PKEY_free(dh->key);
    BN_free(dh->prime);
    free(dh);
    return NULL;
}

const IkeGroup *ike_dh_group(const IkeDh *dh)
{
    return dh->group;
}

IkeSlice ike_dh_public(const IkeDh *dh)
{
    return (IkeSlice){dh->public, dh->group->ke_size};
}

/* 1 < y < p - 1: 0, IKE_DH_BAD_PEER or -ENOMEM. */
static int check_modp_range(const IkeDh *dh, IkeSlice peer)
{
    BIGNUM *y = BN_bin2bn(peer.bytes, (int)peer.n, NULL);
    BIGNUM *limit = BN_dup(dh->prime);
    int r = -ENOMEM;

    if (y != NULL && limit != NULL && BN_sub_word(limit, 1) == 1) {
        bool inside = BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, limit) < 0;
        r = inside ? 0 : IKE_DH_BAD_PEER;
    }
    BN_free(y);
    BN_free(limit);
    return r;
}

/* X25519 takes any 32 bytes; an ECP value may be no point of the curve. */
static bool is_ecp(const IkeGroup *group)
{
    return group->elliptic && group->number != IKE_GROUP_CURVE25519;
}

static int import_peer(const IkeDh *dh, IkeSlice peer, EVP_PKEY **keyp)
{
    uint8_t encoded[IKE_DH_MAX + 1] = {4}; /* uncompressed point */
    size_t skip = is_ecp(dh->group) ? 1 : 0;
    EVP_PKEY *key = EVP_PKEY_new();
    int r = -ENOMEM;

    memcpy(encoded + skip, peer.bytes, peer.n);
    if (key != NULL && EVP_PKEY_copy_parameters(key, dh->key) == 1) {
        if (EVP_PKEY_set1_encoded_public_key(key, encoded, peer.n + skip) == 1) {
            *keyp = key;
            return 0;
        }
        r = is_ecp(dh->group) ? IKE_DH_BAD_PEER : -EIO;
    }
    EVP_PKEY_free(key);
    return r;
}

static int derive(const IkeDh *dh, EVP_PKEY *peer, uint8_t *secret)
{
    const IkeGroup *group = dh->group;
    size_t n = group->secret_size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, dh->key, NULL);
    int r = -EIO;

    if (context == NULL)
        return -ENOMEM;
    /* Safe primes need no y^q check beyond the range; curves are checked once more here. */
    if (EVP_PKEY_derive_init(context) == 1 &&
        (group->elliptic || EVP_PKEY_CTX_set_dh_pad(context, 1) == 1)) {
        if (EVP_PKEY_derive_set_peer_ex(context, peer, group->elliptic) != 1)
            r = group->elliptic ? IKE_DH_BAD_PEER : -EIO;
        else if (EVP_PKEY_derive(context, secret, &n) != 1)
            /* X25519 tells a point of low order here; all others were checked before. */
            r = group->number == IKE_GROUP_CURVE25519 ? IKE_DH_BAD_PEER : -EIO;
        else
            r = n == group->secret_size ? 0 : -EIO;
    }
    EVP_PKEY_CTX_free(context);
    return r;
}

int ike_dh_derive(const IkeDh *dh, IkeSlice peer, uint8_t *secret)
{
    EVP_PKEY *key = NULL;
    int r = 0;

    if (peer.n != dh->group->ke_size)
        return IKE_DH_BAD_PEER;
    if (!dh->group->elliptic)
        r = check_modp_range(dh, peer);
    if (r == 0)
        r = import_peer(dh, peer, &key);
    if (r == 0)
        r = derive(dh, key, secret);
    EVP_PKEY_free(key);
    return r;
}
