/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP once more, written for clarity, as the tests' opinion of what is right: libcrypto's one-shot
 * functions with explicit IVs, nothing kept between packets.
 */
#undef NDEBUG
#include "esp-kit.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static OSSL_PROVIDER *providers[2];

int kit_load_providers(void)
{
    providers[0] = OSSL_PROVIDER_load(NULL, "default");
    providers[1] = OSSL_PROVIDER_load(NULL, "legacy");
    return providers[0] != NULL && providers[1] != NULL ? 0 : -1;
}

int kit_unload_providers(void **state)
{
    OSSL_PROVIDER_unload(providers[1]);
    OSSL_PROVIDER_unload(providers[0]);
    return 0;
}

static void keymat(uint8_t bytes[ESP_KEYMAT_MAX])
{
    for (size_t i = 0; i < ESP_KEYMAT_MAX; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
}

static void add(KitSuite *suites, size_t *n, const IkeCipher *cipher, const IkeHash *hash)
{
    KitSuite *suite = &suites[(*n)++];

    assert(*n <= KIT_SUITES_MAX);
    *suite = (KitSuite){.cipher = cipher, .hash = hash};
    snprintf(suite->name, sizeof(suite->name), "%s%s%s", cipher->name, hash ? "-" : "",
             hash ? hash->name : "");
}

size_t kit_suites(KitSuite *suites)
{
    size_t n = 0;

    for (size_t i = 0; ike_alg_name(IKE_ALG_CIPHER, i) != NULL; i++) {
        const IkeCipher *cipher = ike_cipher_by_name(ike_alg_name(IKE_ALG_CIPHER, i));

        if (ike_cipher_is_aead(cipher)) {
            add(suites, &n, cipher, NULL);
            continue;
        }
        for (size_t j = 0; ike_alg_name(IKE_ALG_HASH, j) != NULL; j++) {
            add(suites, &n, cipher, ike_hash_by_name(ike_alg_name(IKE_ALG_HASH, j)));
            if (strcmp(suites[n - 1].hash->name, "sha256") != 0)
                continue;
            add(suites, &n, cipher, suites[n - 1].hash);
            suites[n - 1].truncated = true;
            strcat(suites[n - 1].name, "-96");
        }
    }
    return n;
}

size_t kit_icv_size(const KitSuite *suite)
{
    if (suite->hash == NULL)
        return 16;
    return suite->truncated ? 12 : suite->hash->icv_size;
}

static EspSa *make(const KitSuite *suite, int (*new_sa)(EspSa **, const EspParameters *))
{
    uint8_t bytes[ESP_KEYMAT_MAX];
    EspParameters parameters = {.spi = KIT_SPI,
                                .cipher = suite->cipher,
                                .integrity = suite->hash,
                                .sha256_truncation = suite->truncated,
                                .keymat = bytes,
                                .iv_seed = {0x1234, 0x5678}};
    EspSa *sa = NULL;
    int made;

    keymat(bytes);
    made = new_sa(&sa, &parameters);
    assert(made == 0 && sa != NULL);
    return sa;
}

EspSa *kit_seal_sa(const KitSuite *suite)
{
    return make(suite, esp_seal_new);
}

EspSa *kit_open_sa(const KitSuite *suite)
{
    return make(suite, esp_open_new);
}

void kit_ipv4(uint8_t *packet, size_t n)
{
    static const uint8_t head[20] = {0x45, 0, 0,  0, 0x12, 0x34, 0x40, 0,   64, 17,
                                     0,    0, 10, 1, 2,    3,    192,  168, 5,  6};

    for (size_t i = 0; i < n; i++)
        packet[i] = i < 20 ? head[i] : (uint8_t)(i * 3);
    packet[2] = (uint8_t)(n >> 8);
    packet[3] = (uint8_t)n;
}

void kit_ipv6(uint8_t *packet, size_t n)
{
    for (size_t i = 0; i < n; i++)
        packet[i] = (uint8_t)(i * 5);
    packet[0] = 0x60;
    packet[4] = (uint8_t)((n - 40) >> 8);
    packet[5] = (uint8_t)(n - 40);
}

void kit_plain(KitPlain *plain, const KitSuite *suite, const uint8_t *inner, size_t n)
{
    size_t align = suite->cipher->block_size, pad = (align - (n + 2) % align) % align;

    memcpy(plain->bytes, inner, n);
    for (size_t i = 0; i < pad; i++)
        plain->bytes[n + i] = (uint8_t)(i + 1);
    plain->bytes[n + pad] = (uint8_t)pad;
    plain->bytes[n + pad + 1] = inner[0] >> 4 == 6 ? 41 : 4;
    plain->n = n + pad + 2;
}

/* GCM or CBC over n bytes with an IV; the tag of GCM stands behind `out` or `in`. */
static bool crypt(const KitSuite *suite, const uint8_t *packet, const uint8_t *in, uint8_t *out,
                  size_t n, bool encrypt)
{
    const IkeCipher *cipher = suite->cipher;
    uint8_t bytes[ESP_KEYMAT_MAX], iv[16];
    EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, cipher->openssl, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;
    bool good;

    keymat(bytes);
    memcpy(iv, bytes + cipher->key_size, cipher->salt_size);
    memcpy(iv + cipher->salt_size, packet + 8, cipher->iv_size);
    assert(EVP_CipherInit_ex(context, evp, NULL, bytes, iv, encrypt) == 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    if (cipher->salt_size != 0)
        assert(EVP_CipherUpdate(context, NULL, &done, packet, 8) == 1);
    if (cipher->salt_size != 0 && !encrypt)
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (uint8_t *)in + n);
    assert(EVP_CipherUpdate(context, out, &done, in, (int)n) == 1);
    good = EVP_CipherFinal_ex(context, out + done, &done) == 1;
    if (cipher->salt_size != 0 && encrypt)
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + n);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(evp);
    return good;
}

static void hmac(const KitSuite *suite, const uint8_t *bytes, size_t n, uint8_t *mac)
{
    uint8_t keys[ESP_KEYMAT_MAX];
    unsigned size = 0;

    keymat(keys);
    HMAC(EVP_get_digestbyname(suite->hash->openssl), keys + suite->cipher->key_size,
         suite->hash->size, bytes, n, mac, &size);
    assert(size == suite->hash->size);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

size_t kit_forge(const KitSuite *suite, uint32_t sequence, const KitPlain *plain, uint8_t *packet)
{
    size_t iv = suite->cipher->iv_size, n = 8 + iv + plain->n;
    uint8_t mac[64];

    put32(packet, KIT_SPI);
    put32(packet + 4, sequence);
    for (size_t i = 0; i < iv; i++)
        packet[8 + i] = (uint8_t)(sequence * 31 + i * 7);
    crypt(suite, packet, plain->bytes, packet + 8 + iv, plain->n, true);
    if (suite->hash != NULL) {
        hmac(suite, packet, n, mac);
        memcpy(packet + n, mac, kit_icv_size(suite));
    }
    return n + kit_icv_size(suite);
}

bool kit_read(const KitSuite *suite, const uint8_t *packet, size_t n, KitPlain *plain)
{
    size_t head = 8u + suite->cipher->iv_size, icv = kit_icv_size(suite);
    uint8_t mac[64];

    plain->n = n - head - icv;
    if (suite->hash != NULL) {
        hmac(suite, packet, n - icv, mac);
        if (memcmp(mac, packet + n - icv, icv) != 0)
            return false;
    }
    return crypt(suite, packet, packet + head, plain->bytes, plain->n, false);
}

EspVerdict kit_open(EspSa *sa, const uint8_t *packet, size_t n, KitPlain *out)
{
    uint8_t *exact = malloc(n != 0 ? n : 1);
    EspPacket one = {.data = exact, .n = n};
    size_t good;

    assert(exact != NULL);
    memcpy(exact, packet, n);
    good = esp_open(sa, &one, 1);
    assert(good == (one.verdict == ESP_OK));
    if (out != NULL && one.verdict == ESP_OK) {
        out->n = one.n;
        memcpy(out->bytes, one.data, one.n);
    }
    free(exact);
    return one.verdict;
}

size_t kit_seal(EspSa *sa, const uint8_t *inner, size_t n, uint8_t *packet)
{
    uint8_t *exact = malloc(ESP_HEAD_ROOM + n + ESP_TAIL_ROOM);
    EspPacket one = {.data = exact + ESP_HEAD_ROOM, .n = n};
    size_t size;

    assert(exact != NULL);
    memcpy(one.data, inner, n);
    size = esp_seal(sa, &one, 1) == 1 ? one.n : 0;
    if (size != 0)
        memcpy(packet, one.data, size);
    free(exact);
    return size;
}
