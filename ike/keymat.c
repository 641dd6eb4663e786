/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key derivation, in the order of RFC 2409: SKEYID (section 5), SKEYID_d, _a and _e (section 5),
 * the cipher's key and IVs (appendix B), KEYMAT (section 5.5).
 */
#include "ike/keymat.h"

#include "ike/constants.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* DES keys that leave plaintext readable (RFC 2409, appendix A): weak and semi-weak, parity bits
 * cleared from comparison. The chance is 2^-52; the standard asks for a new exchange. */
static bool des_key_is_weak(const uint8_t *key)
{
    static const uint8_t weak[][8] = {
        {0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
        {0x1f, 0x1f, 0x1f, 0x1f, 0x0e, 0x0e, 0x0e, 0x0e},
        {0xe0, 0xe0, 0xe0, 0xe0, 0xf1, 0xf1, 0xf1, 0xf1},
        {0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe},
    };

    for (size_t i = 0; i < COUNT(weak); i++) {
        uint8_t difference = 0;
        for (size_t j = 0; j < 8; j++)
            difference |= (uint8_t)((weak[i][j] ^ key[j]) & 0xfe);
        if (difference == 0)
            return true;
    }
    return false;
}

/* K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1), ... where SKEYID_e alone is too short. */
static int cipher_key(IkeKeys *keys)
{
    const size_t size = keys->hash->size, wanted = keys->cipher->key_size;
    const IkeSlice skeyid_e = {keys->skeyid_e, size};
    uint8_t block[IKE_HASH_MAX] = {0};
    IkeSlice previous = {block, 1};
    int r = 0;

    if (wanted <= size) {
        memcpy(keys->key, keys->skeyid_e, wanted);
    } else {
        for (size_t n = 0; n < wanted && r == 0; n += size) {
            r = ike_prf(keys->hash, skeyid_e, &previous, 1, block);
            previous = (IkeSlice){block, size};
            memcpy(keys->key + n, block, wanted - n < size ? wanted - n : size);
        }
    }
    ike_wipe(block, sizeof(block));
    if (r == 0 && keys->cipher->phase1 == 1 && des_key_is_weak(keys->key))
        return -EKEYREJECTED;
    return r;
}

static int skeyid_child(const IkeKeys *keys, const IkePhase1Material *m, const uint8_t *previous,
                        uint8_t number, uint8_t *out)
{
    const IkeSlice parts[] = {
        {previous, previous != NULL ? keys->hash->size : 0},
        m->secret,
        m->cookie_i,
        m->cookie_r,
        {&number, 1},
    };

    return ike_prf(keys->hash, (IkeSlice){keys->skeyid, keys->hash->size}, parts, COUNT(parts),
                   out);
}

static int first_iv(IkeKeys *keys, const IkePhase1Material *m)
{
    const IkeSlice parts[] = {m->public_i, m->public_r};
    uint8_t digest[IKE_HASH_MAX];
    int r = ike_hash(keys->hash, parts, COUNT(parts), digest);

    if (r == 0)
        memcpy(keys->iv, digest, keys->cipher->block_size);
    return r;
}

/* For preshared keys prf(psk, Ni_b | Nr_b), for signatures prf(Ni_b | Nr_b, g^xy). */
static int skeyid(IkeKeys *keys, const IkePhase1Material *m)
{
    const IkeSlice nonces[] = {m->nonce_i, m->nonce_r};
    uint8_t key[2 * IKE_NONCE_MAX];

    if (!m->by_signature)
        return ike_prf(keys->hash, m->psk, nonces, COUNT(nonces), keys->skeyid);
    memcpy(key, m->nonce_i.bytes, m->nonce_i.n);
    memcpy(key + m->nonce_i.n, m->nonce_r.bytes, m->nonce_r.n);
    return ike_prf(keys->hash, (IkeSlice){key, m->nonce_i.n + m->nonce_r.n}, &m->secret, 1,
                   keys->skeyid);
}

int ike_keys_derive(IkeKeys *keys, const IkePhase1Material *m)
{
    int r = skeyid(keys, m);

    if (r == 0)
        r = skeyid_child(keys, m, NULL, 0, keys->skeyid_d);
    if (r == 0)
        r = skeyid_child(keys, m, keys->skeyid_d, 1, keys->skeyid_a);
    if (r == 0)
        r = skeyid_child(keys, m, keys->skeyid_a, 2, keys->skeyid_e);
    if (r == 0)
        r = cipher_key(keys);
    if (r == 0)
        r = first_iv(keys, m);
    return r;
}

static int auth_hash(const IkeKeys *keys, const IkePhase1Material *m, const IkeSlice parts[6],
                     uint8_t *out)
{
    const IkeHash *hash = m->auth_hash != NULL ? m->auth_hash : keys->hash;

    return ike_prf(hash, (IkeSlice){keys->skeyid, keys->hash->size}, parts, 6, out);
}

int ike_auth_hash_i(const IkeKeys *keys, const IkePhase1Material *m, uint8_t *out)
{
    const IkeSlice parts[] = {m->public_i, m->public_r, m->cookie_i, m->cookie_r, m->sa_i, m->id_i};

    return auth_hash(keys, m, parts, out);
}

int ike_auth_hash_r(const IkeKeys *keys, const IkePhase1Material *m, uint8_t *out)
{
    const IkeSlice parts[] = {m->public_r, m->public_i, m->cookie_r, m->cookie_i, m->sa_i, m->id_r};

    return auth_hash(keys, m, parts, out);
}

static void number_bytes(uint32_t number, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

int ike_keys_message_iv(const IkeKeys *keys, uint32_t message_id, uint8_t *iv)
{
    uint8_t id[4], digest[IKE_HASH_MAX];
    number_bytes(message_id, id);
    const IkeSlice parts[] = {{keys->iv, keys->cipher->block_size}, {id, sizeof(id)}};
    int r = ike_hash(keys->hash, parts, COUNT(parts), digest);

    if (r == 0)
        memcpy(iv, digest, keys->cipher->block_size);
    return r;
}

int ike_keys_child(const IkeKeys *keys, const IkeChildMaterial *m, uint8_t *out, size_t n)
{
    const size_t size = keys->hash->size;
    uint8_t spi[4], block[IKE_HASH_MAX];
    number_bytes(m->spi, spi);
    const IkeSlice parts[] = {
        {block, 0}, m->secret, {&m->protocol, 1}, {spi, sizeof(spi)}, m->nonce_i, m->nonce_r,
    };
    IkeSlice rounds[COUNT(parts)];
    int r = 0;

    /* KEYMAT = K1 | K2 | ..., each from the one before (RFC 2409, 5.5). */
    memcpy(rounds, parts, sizeof(parts));
    for (size_t done = 0; done < n && r == 0; done += size) {
        r = ike_prf(keys->hash, (IkeSlice){keys->skeyid_d, size}, rounds, COUNT(rounds), block);
        rounds[0].n = size;
        memcpy(out + done, block, n - done < size ? n - done : size);
    }
    ike_wipe(block, sizeof(block));
    return r;
}
