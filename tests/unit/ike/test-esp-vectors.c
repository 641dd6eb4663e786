/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ciphers of ESP against published packets and tags, each library's. libcrypto's file is part
 * of this one, for no packet is as short as what the published tags are of.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* It says of itself that it uses what libcrypto would rather not have used. */
#include "ike/crypto-bulk-openssl.c"

#include <openssl/hmac.h>

#include "ike/esp.h"
#include "vectors/esp.h"

enum { ROOM = 512 };

static const IkeBulkProvider *const PROVIDERS[] = {&ike_bulk_openssl, &ike_bulk_multi};

static size_t unhex(const char *text, uint8_t *bytes)
{
    size_t n = strlen(text) / 2;

    assert_true(n <= ROOM);
    for (size_t i = 0; i < n; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'}, *end;

        bytes[i] = (uint8_t)strtoul(digits, &end, 16);
        assert_ptr_equal(end, digits + 2);
    }
    return n;
}

static uint32_t spi_of(const uint8_t *packet)
{
    return (uint32_t)packet[0] << 24 | (uint32_t)packet[1] << 16 | (uint32_t)packet[2] << 8 |
           packet[3];
}

/* False where this machine has not got the library, or that not the algorithms. */
static bool make(const IkeBulkProvider *provider, void **selfp, const IkeBulkKeys *keys)
{
    int error = provider->make(selfp, keys);

    assert_true(error == 0 || (error == -ENOTSUP && provider == &ike_bulk_multi));
    return error == 0;
}

/* The RFC's packets have no integrity, which this ESP never goes without: each gets a tag. Returns
 * the size without it. */
static size_t rfc3602(const CbcVector *vector, uint8_t *keymat, uint8_t *packet)
{
    size_t n = unhex(vector->packet, packet);
    uint8_t mac[64];

    assert_int_equal(unhex(vector->key, keymat), 16);
    memset(keymat + 16, 0x77, 20);
    assert_non_null(HMAC(EVP_sha1(), keymat + 16, 20, packet, n, mac, NULL));
    memcpy(packet + n, mac, 12);
    return n;
}

static void test_rfc3602_tunnel_packets_open(void **state)
{
    for (size_t i = 0; i < sizeof(CBC_VECTORS) / sizeof(CBC_VECTORS[0]); i++) {
        uint8_t keymat[ROOM] = {0}, packet[ROOM], inner[ROOM];
        size_t n = rfc3602(&CBC_VECTORS[i], keymat, packet);
        size_t size = unhex(CBC_VECTORS[i].inner, inner);
        EspParameters parameters = {.spi = spi_of(packet),
                                    .cipher = ike_cipher_by_name("aes128"),
                                    .integrity = ike_hash_by_name("sha1"),
                                    .keymat = keymat};
        EspPacket one = {.data = packet, .n = n + 12};
        EspSa *sa = NULL;

        assert_int_equal(esp_open_new(&sa, &parameters), 0);
        assert_int_equal(esp_open(sa, &one, 1), 1);
        assert_int_equal(one.n, size);
        assert_memory_equal(one.data, inner, size);
        assert_int_equal(one.next_header, 4);
        esp_sa_free(sa);
    }
}

static void open_rfc3602(const CbcVector *vector, const IkeBulkProvider *provider)
{
    uint8_t keymat[ROOM] = {0}, packet[ROOM], inner[ROOM];
    size_t n = rfc3602(vector, keymat, packet), size = unhex(vector->inner, inner);
    IkeBulkPacket work = {.esp = packet, .n = n - 8 - 16};
    const IkeBulkKeys keys = {.cipher = ike_cipher_by_name("aes128"),
                              .hash = ike_hash_by_name("sha1"),
                              .keymat = keymat,
                              .icv_size = 12};
    void *self = NULL;

    if (!make(provider, &self, &keys))
        return;
    provider->open(self, &work, 1);
    assert_int_equal(work.result, IKE_BULK_OK);
    assert_memory_equal(packet + 8 + 16, inner, size);
    provider->free(self);
}

static void test_rfc3602_packets_open_in_each_library(void **state)
{
    for (size_t i = 0; i < sizeof(CBC_VECTORS) / sizeof(CBC_VECTORS[0]); i++)
        for (size_t j = 0; j < 2; j++)
            open_rfc3602(&CBC_VECTORS[i], PROVIDERS[j]);
}

static size_t gcm_packet(const GcmVector *vector, const char *data, uint8_t *packet)
{
    assert_int_equal(unhex(vector->aad, packet), 8);
    assert_int_equal(unhex(vector->iv, packet + 8), 8);
    return unhex(data, packet + 16);
}

static void seal_and_open_gcm(const GcmVector *vector, const IkeBulkProvider *provider)
{
    uint8_t key[ROOM], packet[ROOM], plain[ROOM], sealed[ROOM];
    size_t n = gcm_packet(vector, vector->plain, plain);
    IkeBulkPacket work = {.esp = packet, .n = n};
    IkeBulkKeys keys = {.cipher = ike_cipher_by_name(vector->cipher),
                        .keymat = key,
                        .icv_size = 16,
                        .encrypt = true};
    void *seal = NULL, *open = NULL;

    unhex(vector->key_and_salt, key);
    assert_int_equal(gcm_packet(vector, vector->sealed, sealed), n + 16);
    if (!make(provider, &seal, &keys))
        return;
    keys.encrypt = false;
    assert_true(make(provider, &open, &keys));
    for (int again = 0; again < 2; again++) { /* the context is used more than once */
        memcpy(packet, plain, 16 + n);
        provider->seal(seal, &work, 1);
        assert_int_equal(work.result, IKE_BULK_OK);
        assert_memory_equal(packet, sealed, 16 + n + 16);
        provider->open(open, &work, 1);
        assert_int_equal(work.result, IKE_BULK_OK);
        assert_memory_equal(packet, plain, 16 + n);
        memcpy(packet, sealed, 16 + n + 16);
        packet[16 + n + 15] ^= 0x80;
        provider->open(open, &work, 1);
        assert_int_equal(work.result, IKE_BULK_FORGED);
    }
    provider->free(seal);
    provider->free(open);
}

static void test_gcm_packets_seal_and_open(void **state)
{
    for (size_t i = 0; i < sizeof(GCM_VECTORS) / sizeof(GCM_VECTORS[0]); i++)
        for (size_t j = 0; j < 2; j++)
            seal_and_open_gcm(&GCM_VECTORS[i], PROVIDERS[j]);
}

/* As ESP packets they are authentic, and refused for their next header, which is not IP. */
static void test_gcm_packets_as_esp(void **state)
{
    for (size_t i = 0; i < sizeof(GCM_VECTORS) / sizeof(GCM_VECTORS[0]); i++) {
        const GcmVector *vector = &GCM_VECTORS[i];
        uint8_t key[ROOM], packet[ROOM], plain[ROOM];
        size_t n, size = unhex(vector->plain, plain);
        EspParameters parameters = {.cipher = ike_cipher_by_name(vector->cipher), .keymat = key};
        EspPacket one = {.data = packet};
        EspSa *sa = NULL;

        unhex(vector->key_and_salt, key);
        n = unhex(vector->aad, packet);
        n += unhex(vector->iv, packet + n);
        one.n = n + unhex(vector->sealed, packet + n);
        parameters.spi = spi_of(packet);
        assert_int_equal(esp_open_new(&sa, &parameters), 0);
        assert_int_equal(esp_open(sa, &one, 1), 0);
        assert_int_equal(one.verdict, ESP_MALFORMED);
        assert_memory_equal(packet + n, plain, size);
        esp_sa_free(sa);
    }
}

static void test_hmac_tags(void **state)
{
    for (size_t i = 0; i < sizeof(HMAC_VECTORS) / sizeof(HMAC_VECTORS[0]); i++) {
        uint8_t keymat[16 + 64], want[ROOM], mac[64];
        IkeBulkKeys keys = {.cipher = ike_cipher_by_name("aes128"),
                            .hash = ike_hash_by_name(HMAC_VECTORS[i].hash),
                            .keymat = keymat};
        size_t n = unhex(HMAC_VECTORS[i].mac, want);
        void *self = NULL;

        memset(keymat, 0x0b, sizeof(keymat));
        assert_int_equal(n, keys.hash->size);
        assert_true(make(&ike_bulk_openssl, &self, &keys));
        for (int again = 0; again < 2; again++) {
            hmac(self, (const uint8_t *)"Hi There", 8, mac);
            assert_memory_equal(mac, want, n);
        }
        openssl_free(self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3602_tunnel_packets_open),
        cmocka_unit_test(test_rfc3602_packets_open_in_each_library),
        cmocka_unit_test(test_gcm_packets_seal_and_open),
        cmocka_unit_test(test_gcm_packets_as_esp),
        cmocka_unit_test(test_hmac_tags),
    };

    return cmocka_run_group_tests_name("esp-vectors", tests, NULL, NULL);
}
