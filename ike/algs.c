/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of algorithms. A new algorithm is a new row here and nothing else.
 *
 * Sources: RFC 2407 4.4.4, RFC 2409 appendix A, RFC 3526 (MODP groups), RFC 5903 (ECP groups),
 * RFC 3602 (AES-CBC), RFC 4106 (AES-GCM), RFC 4868 (HMAC-SHA2), RFC 2403 and 2404 (96-bit tags).
 */
#include "ike/algs.h"

#include "ike/constants-attributes.h"
#include "ike/constants.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const IkeCipher CIPHERS[] = {
    {.name = "des",
     .phase1 = IKE_ENC_DES,
     .esp = IKE_ESP_DES,
     .key_size = 8,
     .block_size = 8,
     .iv_size = 8,
     .weak = true,
     .openssl = "DES-CBC"},
    {.name = "3des",
     .phase1 = IKE_ENC_3DES,
     .esp = IKE_ESP_3DES,
     .key_size = 24,
     .block_size = 8,
     .iv_size = 8,
     .weak = true,
     .openssl = "DES-EDE3-CBC"},
    {.name = "aes128",
     .phase1 = IKE_ENC_AES,
     .esp = IKE_ESP_AES_CBC,
     .key_bits = 128,
     .key_size = 16,
     .block_size = 16,
     .iv_size = 16,
     .openssl = "AES-128-CBC"},
    {.name = "aes192",
     .phase1 = IKE_ENC_AES,
     .esp = IKE_ESP_AES_CBC,
     .key_bits = 192,
     .key_size = 24,
     .block_size = 16,
     .iv_size = 16,
     .openssl = "AES-192-CBC"},
    {.name = "aes256",
     .phase1 = IKE_ENC_AES,
     .esp = IKE_ESP_AES_CBC,
     .key_bits = 256,
     .key_size = 32,
     .block_size = 16,
     .iv_size = 16,
     .openssl = "AES-256-CBC"},
    {.name = "aes128gcm16",
     .esp = IKE_ESP_AES_GCM_16,
     .key_bits = 128,
     .key_size = 16,
     .block_size = 4,
     .iv_size = 8,
     .salt_size = 4,
     .icv_size = 16,
     .openssl = "AES-128-GCM"},
    {.name = "aes192gcm16",
     .esp = IKE_ESP_AES_GCM_16,
     .key_bits = 192,
     .key_size = 24,
     .block_size = 4,
     .iv_size = 8,
     .salt_size = 4,
     .icv_size = 16,
     .openssl = "AES-192-GCM"},
    {.name = "aes256gcm16",
     .esp = IKE_ESP_AES_GCM_16,
     .key_bits = 256,
     .key_size = 32,
     .block_size = 4,
     .iv_size = 8,
     .salt_size = 4,
     .icv_size = 16,
     .openssl = "AES-256-GCM"},
};

static const IkeHash HASHES[] = {
    {"md5", IKE_HASH_MD5, IKE_INTEGRITY_HMAC_MD5, 16, 12, true, "MD5"},
    {"sha1", IKE_HASH_SHA1, IKE_INTEGRITY_HMAC_SHA1, 20, 12, false, "SHA1"},
    {"sha256", IKE_HASH_SHA256, IKE_INTEGRITY_SHA2_256, 32, 16, false, "SHA256"},
    {"sha384", IKE_HASH_SHA384, IKE_INTEGRITY_SHA2_384, 48, 24, false, "SHA384"},
    {"sha512", IKE_HASH_SHA512, IKE_INTEGRITY_SHA2_512, 64, 32, false, "SHA512"},
};

/* Strengths after NIST SP 800-57; they only order groups. */
static const IkeGroup GROUPS[] = {
    {"modp768", IKE_GROUP_MODP768, 96, 96, 65, false, true, NULL},
    {"modp1024", IKE_GROUP_MODP1024, 128, 128, 80, false, true, NULL},
    {"modp1536", IKE_GROUP_MODP1536, 192, 192, 95, false, true, "modp_1536"},
    {"modp2048", IKE_GROUP_MODP2048, 256, 256, 112, false, false, "modp_2048"},
    {"modp3072", IKE_GROUP_MODP3072, 384, 384, 128, false, false, "modp_3072"},
    {"modp4096", IKE_GROUP_MODP4096, 512, 512, 150, false, false, "modp_4096"},
    {"ecp256", IKE_GROUP_ECP256, 64, 32, 128, true, false, "P-256"},
    {"ecp384", IKE_GROUP_ECP384, 96, 48, 192, true, false, "P-384"},
    {"ecp521", IKE_GROUP_ECP521, 132, 66, 256, true, false, "P-521"},
    {"curve25519", IKE_GROUP_CURVE25519, 32, 32, 127, true, false, "X25519"},
};

const IkeCipher *ike_cipher_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(CIPHERS); i++)
        if (strcmp(CIPHERS[i].name, name) == 0)
            return &CIPHERS[i];
    return NULL;
}

const IkeCipher *ike_cipher_by_phase1(uint16_t number, uint16_t key_bits)
{
    for (size_t i = 0; i < COUNT(CIPHERS); i++)
        if (number != 0 && CIPHERS[i].phase1 == number && CIPHERS[i].key_bits == key_bits)
            return &CIPHERS[i];
    return NULL;
}

const IkeCipher *ike_cipher_by_esp(uint16_t number, uint16_t key_bits)
{
    for (size_t i = 0; i < COUNT(CIPHERS); i++)
        if (CIPHERS[i].esp == number && CIPHERS[i].key_bits == key_bits)
            return &CIPHERS[i];
    return NULL;
}

const IkeHash *ike_hash_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(HASHES); i++)
        if (strcmp(HASHES[i].name, name) == 0)
            return &HASHES[i];
    return NULL;
}

const IkeHash *ike_hash_by_phase1(uint16_t number)
{
    for (size_t i = 0; i < COUNT(HASHES); i++)
        if (HASHES[i].phase1 == number)
            return &HASHES[i];
    return NULL;
}

const IkeHash *ike_hash_by_integrity(uint16_t number)
{
    for (size_t i = 0; i < COUNT(HASHES); i++)
        if (HASHES[i].integrity == number)
            return &HASHES[i];
    return NULL;
}

const IkeGroup *ike_group_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(GROUPS); i++)
        if (strcmp(GROUPS[i].name, name) == 0)
            return &GROUPS[i];
    return NULL;
}

const IkeGroup *ike_group_by_number(uint16_t number)
{
    for (size_t i = 0; i < COUNT(GROUPS); i++)
        if (GROUPS[i].number == number)
            return &GROUPS[i];
    return NULL;
}

const char *ike_alg_name(IkeAlgKind kind, size_t i)
{
    switch (kind) {
    case IKE_ALG_CIPHER:
        return i < COUNT(CIPHERS) ? CIPHERS[i].name : NULL;
    case IKE_ALG_HASH:
        return i < COUNT(HASHES) ? HASHES[i].name : NULL;
    case IKE_ALG_GROUP:
        return i < COUNT(GROUPS) ? GROUPS[i].name : NULL;
    }
    return NULL;
}
