/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ciphers of ESP against published packets and tags. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ike/crypto-bulk.h"
#include "ike/esp.h"
#include "vectors/esp.h"

enum { ROOM = 512 };

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

/* The RFC's packets have no integrity, which this ESP never goes without: each gets a tag. */
static void test_rfc3602_tunnel_packets_open(void **state)
{
    for (size_t i = 0; i < sizeof(CBC_VECTORS) / sizeof(CBC_VECTORS[0]); i++) {
        uint8_t keymat[ROOM] = {0}, packet[ROOM], inner[ROOM], mac[64];
        size_t n = unhex(CBC_VECTORS[i].packet, packet), size = unhex(CBC_VECTORS[i].inner, inner);
        EspParameters parameters = {.spi = spi_of(packet),
                                    .cipher = ike_cipher_by_name("aes128"),
                                    .integrity = ike_hash_by_name("sha1"),
                                    .keymat = keymat};
        EspPacket one = {.data = packet, .n = n + 12};
        EspSa *sa = NULL;

        assert_int_equal(unhex(CBC_VECTORS[i].key, keymat), 16);
        memset(keymat + 16, 0x77, 20);
        assert_non_null(HMAC(EVP_sha1(), keymat + 16, 20, packet, n, mac, NULL));
        memcpy(packet + n, mac, 12);
        assert_int_equal(esp_open_new(&sa, &parameters), 0);
        assert_int_equal(esp_open(sa, &one, 1), 1);
        assert_int_equal(one.n, size);
        assert_memory_equal(one.data, inner, size);
        assert_int_equal(one.next_header, 4);
        esp_sa_free(sa);
    }
}

static IkeBulk *gcm(const GcmVector *vector, const uint8_t *key, bool encrypt)
{
    IkeBulkKeys keys = {
        .cipher = ike_cipher_by_name(vector->cipher), .cipher_key = key, .encrypt = encrypt};
    IkeBulk *bulk = NULL;

    assert_int_equal(ike_bulk_new(&bulk, &keys), 0);
    return bulk;
}

static void test_gcm_packets_seal_and_open(void **state)
{
    for (size_t i = 0; i < sizeof(GCM_VECTORS) / sizeof(GCM_VECTORS[0]); i++) {
        const GcmVector *vector = &GCM_VECTORS[i];
        uint8_t key[ROOM], nonce[ROOM], aad[ROOM], plain[ROOM], sealed[ROOM], data[ROOM];
        size_t salt = unhex(vector->key_and_salt, key) - 4, n = unhex(vector->plain, plain);
        IkeBulk *seal = gcm(vector, key, true), *open = gcm(vector, key, false);

        memcpy(nonce, key + salt, 4);
        assert_int_equal(unhex(vector->iv, nonce + 4), 8);
        assert_int_equal(unhex(vector->aad, aad), 8);
        assert_int_equal(unhex(vector->sealed, sealed), n + 16);
        for (int again = 0; again < 2; again++) { /* the context is used more than once */
            memcpy(data, plain, n);
            assert_true(ike_bulk_gcm_seal(seal, nonce, aad, data, n));
            assert_memory_equal(data, sealed, n + 16);
            assert_int_equal(ike_bulk_gcm_open(open, nonce, aad, data, n), IKE_BULK_OK);
            assert_memory_equal(data, plain, n);
            memcpy(data, sealed, n + 16);
            data[n + 15] ^= 0x80;
            assert_int_equal(ike_bulk_gcm_open(open, nonce, aad, data, n), IKE_BULK_FORGED);
        }
        ike_bulk_free(seal);
        ike_bulk_free(open);
    }
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
        uint8_t key[64], cipher_key[16] = {0}, want[ROOM], mac[64];
        IkeBulkKeys keys = {.cipher = ike_cipher_by_name("aes128"),
                            .cipher_key = cipher_key,
                            .hash = ike_hash_by_name(HMAC_VECTORS[i].hash),
                            .hash_key = key};
        IkeBulk *bulk = NULL;
        size_t n = unhex(HMAC_VECTORS[i].mac, want);

        memset(key, 0x0b, sizeof(key));
        assert_int_equal(n, keys.hash->size);
        assert_int_equal(ike_bulk_new(&bulk, &keys), 0);
        for (int again = 0; again < 2; again++) {
            ike_bulk_hmac(bulk, (const uint8_t *)"Hi There", 8, mac);
            assert_memory_equal(mac, want, n);
        }
        ike_bulk_free(bulk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3602_tunnel_packets_open),
        cmocka_unit_test(test_gcm_packets_seal_and_open),
        cmocka_unit_test(test_gcm_packets_as_esp),
        cmocka_unit_test(test_hmac_tags),
    };

    return cmocka_run_group_tests_name("esp-vectors", tests, NULL, NULL);
}
