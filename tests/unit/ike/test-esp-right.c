/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP, what is right: every suite seals and opens every size, alone and in batches, means the same
 * to libcrypto's one-shot functions (esp-kit.c), and asks for renewal in time.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp-kit.h"

static KitSuite suites[KIT_SUITES_MAX];
static size_t suites_n;

#define EACH_SUITE(suite)                                                                          \
    for (const KitSuite *suite = suites; suite < suites + suites_n && (named = suite->name);       \
         suite++)

/* The suite a failure belongs to; cmocka prints no more than the line. */
static const char *named;

static int print_suite(void **state)
{
    if (named != NULL)
        print_message("last suite: %s\n", named);
    named = NULL;
    return 0;
}

static size_t forge_ipv4(const KitSuite *suite, uint32_t sequence, size_t n, uint8_t *packet)
{
    uint8_t inner[KIT_ROOM];
    KitPlain plain;

    kit_ipv4(inner, n);
    kit_plain(&plain, suite, inner, n);
    return kit_forge(suite, sequence, &plain, packet);
}

/* C13: nobody can foretell a CBC IV, and none comes twice; a GCM IV counts and never repeats. */
static void test_c13_ivs(void **state)
{
    enum { N = 512 };
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM], ivs[N][16];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_seal_sa(suite);
        size_t iv = suite->cipher->iv_size;
        unsigned changed = 0;

        kit_ipv4(inner, 60);
        for (unsigned i = 0; i < N; i++) {
            size_t n = kit_seal(sa, inner, 60, packet);

            memcpy(ivs[i], packet + 8, iv);
            for (unsigned j = 0; j < i; j++)
                assert_memory_not_equal(ivs[j], ivs[i], iv);
            /* Not the last block of the packet before either, which is in everybody's hands. */
            assert_memory_not_equal(packet + n - kit_icv_size(suite) - iv, ivs[i], iv);
            for (size_t b = 0; i > 0 && b < iv; b++)
                changed += (unsigned)__builtin_popcount(ivs[i][b] ^ ivs[i - 1][b]);
        }
        if (suite->hash != NULL)
            assert_in_range(changed / (N - 1), iv * 8 / 2 - 6, iv * 8 / 2 + 6);
        else
            assert_int_equal(ivs[N - 1][6] << 8 | ivs[N - 1][7], N);
        esp_sa_free(sa);
    }
}

static void test_round_trip_at_every_size(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];
    KitPlain plain, out;

    EACH_SUITE(suite)
    {
        EspSa *seal = kit_seal_sa(suite), *open = kit_open_sa(suite);

        for (size_t n = 20; n <= 1500; n++) {
            size_t size;

            if (n >= 40 && n % 2 == 0)
                kit_ipv6(inner, n);
            else
                kit_ipv4(inner, n);
            size = kit_seal(seal, inner, n, packet);
            assert_true(size > n && size <= n + ESP_HEAD_ROOM + ESP_TAIL_ROOM);
            assert_int_equal(packet[7], (n - 19) & 255);
            if (n % 16 < 2) { /* the kit is slow */
                assert_true(kit_read(suite, packet, size, &plain));
                assert_memory_equal(plain.bytes, inner, n);
                assert_int_equal(plain.bytes[plain.n - 1], inner[0] >> 4 == 6 ? 41 : 4);
            }
            assert_int_equal(kit_open(open, packet, size, &out), ESP_OK);
            assert_int_equal(out.n, n);
            assert_memory_equal(out.bytes, inner, n);
        }
        assert_int_equal(esp_sa_counters(open).packets, 1481);
        assert_int_equal(esp_sa_counters(open).bytes, esp_sa_counters(seal).bytes);
        esp_sa_free(seal);
        esp_sa_free(open);
    }
}

static void test_inner_mtu_is_the_largest_that_fits(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        for (size_t limit = 100; limit < 1480; limit += 7) {
            EspSa *sa = kit_seal_sa(suite);
            size_t mtu = esp_sa_inner_mtu(sa, limit);

            kit_ipv4(inner, mtu + 1);
            assert_in_range(kit_seal(sa, inner, mtu + 1, packet), limit + 1, limit + 17);
            kit_ipv4(inner, mtu);
            assert_in_range(kit_seal(sa, inner, mtu, packet), limit - 15, limit);
            esp_sa_free(sa);
        }
        EspSa *sa = kit_seal_sa(suite);

        for (size_t limit = 0; limit < 8 + suite->cipher->iv_size + kit_icv_size(suite) + 4;
             limit++)
            assert_true(esp_sa_inner_mtu(sa, limit) <= 2);
        assert_int_equal(esp_sa_inner_mtu(sa, 0), 0);
        esp_sa_free(sa);
    }
}

static void test_batch_equals_single(void **state)
{
    enum { N = 40 };
    static uint8_t room[N][KIT_ROOM], single[N][KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *a = kit_seal_sa(suite), *b = kit_seal_sa(suite), *open = kit_open_sa(suite);
        EspPacket batch[N];
        uint8_t inner[KIT_ROOM];

        for (size_t i = 0; i < N; i++) {
            size_t n = 20 + i * 37;

            batch[i] = (EspPacket){.data = room[i] + ESP_HEAD_ROOM, .n = n};
            kit_ipv4(batch[i].data, n);
            if (i % 7 == 3)
                batch[i].data[0] = 0;
            memcpy(inner, batch[i].data, n);
            kit_seal(a, inner, n, single[i]);
        }
        assert_int_equal(esp_seal(b, batch, N), N - 6);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(batch[i].verdict, i % 7 == 3 ? ESP_MALFORMED : ESP_OK);
            if (batch[i].verdict == ESP_OK)
                assert_memory_equal(batch[i].data, single[i], batch[i].n);
            if (i % 5 == 4)
                batch[i].data[batch[i].n - 1] ^= 1;
        }
        for (size_t i = 0; i < N; i++)
            if (i % 7 == 3)
                batch[i].n = 3;
        esp_open(open, batch, N);
        for (size_t i = 0; i < N; i++) {
            kit_ipv4(inner, 20 + i * 37);
            if (i % 7 == 3) {
                assert_int_equal(batch[i].verdict, ESP_MALFORMED);
            } else if (i % 5 == 4) {
                assert_int_equal(batch[i].verdict, ESP_FORGED);
            } else {
                assert_int_equal(batch[i].verdict, ESP_OK);
                assert_int_equal(batch[i].n, 20 + i * 37);
                assert_memory_equal(batch[i].data, inner, batch[i].n);
            }
        }
        esp_sa_free(a);
        esp_sa_free(b);
        esp_sa_free(open);
    }
}

static void test_soft_limits_are_said_once(void **state)
{
    const KitSuite *suite = &suites[suites_n - 1];
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];
    EspSa *seal = kit_seal_sa(suite), *open = kit_open_sa(suite);

    kit_ipv4(inner, 100);
    esp_sa_set_soft_limit(seal, 1000, 0);
    esp_sa_set_soft_limit(open, 0, 5);
    for (int i = 1; i <= 20; i++) {
        size_t n = kit_seal(seal, inner, 100, packet);

        assert_int_equal(esp_sa_wants_renewal(seal), i == 10);
        assert_false(esp_sa_wants_renewal(seal));
        assert_int_equal(kit_open(open, packet, n, NULL), ESP_OK);
        assert_int_equal(esp_sa_wants_renewal(open), i == 5);
    }
    esp_sa_free(seal);
    esp_sa_free(open);
}

/* D5: half of the numbers are spent when renewal is asked for, even if most packets were lost. */
static void test_d5_renewal_comes_long_before_the_last_number(void **state)
{
    uint8_t packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);

        assert_int_equal(
            kit_open(sa, packet, forge_ipv4(suite, UINT32_C(0x7fffffff), 60, packet), NULL),
            ESP_OK);
        assert_false(esp_sa_wants_renewal(sa));
        assert_int_equal(
            kit_open(sa, packet, forge_ipv4(suite, UINT32_C(0x80000000), 60, packet), NULL),
            ESP_OK);
        assert_true(esp_sa_wants_renewal(sa));
        esp_sa_free(sa);
    }
}

static void test_parameters_that_do_not_fit_are_refused(void **state)
{
    uint8_t keymat[ESP_KEYMAT_MAX] = {0};
    EspParameters parameters = {.spi = 1, .keymat = keymat};
    EspSa *sa = NULL;

    parameters.cipher = ike_cipher_by_name("aes128gcm16");
    parameters.integrity = ike_hash_by_name("sha1");
    assert_int_equal(esp_seal_new(&sa, &parameters), -EINVAL);
    parameters.cipher = ike_cipher_by_name("aes128");
    parameters.integrity = NULL;
    assert_int_equal(esp_open_new(&sa, &parameters), -EINVAL);
    assert_null(sa);
    assert_null(esp_sa_free(NULL));
}

static void test_keymat_sizes(void **state)
{
    size_t largest = 0;

    EACH_SUITE(suite)
    {
        size_t n = esp_keymat_size(suite->cipher, suite->hash);

        if (n > largest)
            largest = n;
    }
    assert_int_equal(largest, ESP_KEYMAT_MAX);
    assert_int_equal(esp_keymat_size(ike_cipher_by_name("aes256gcm16"), NULL), 36);
    assert_int_equal(esp_keymat_size(ike_cipher_by_name("3des"), ike_hash_by_name("sha1")), 44);
}

/* RFC 4303, 2.7: the sender may pad behind the inner packet; only the packet comes out. */
static void test_tfc_padding_is_cut_off(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];
    KitPlain plain, out;

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);

        kit_ipv4(inner, 100);
        memset(inner + 100, 0xa5, 400);
        kit_plain(&plain, suite, inner, 500);
        assert_int_equal(kit_open(sa, packet, kit_forge(suite, 1, &plain, packet), &out), ESP_OK);
        assert_int_equal(out.n, 100);
        assert_memory_equal(out.bytes, inner, 100);
        esp_sa_free(sa);
    }
}

static void test_plain_crypto_is_libcrypto(void **state)
{
    static const uint8_t keymat[ESP_KEYMAT_MAX];
    EspSa *sa = NULL;

    EACH_SUITE(suite)
    {
        const EspParameters parameters = {.spi = 1,
                                          .cipher = suite->cipher,
                                          .integrity = suite->hash,
                                          .keymat = keymat,
                                          .plain_crypto = true};

        assert_int_equal(esp_seal_new(&sa, &parameters), 0);
        assert_string_equal(esp_sa_provider(sa), "OpenSSL");
        sa = esp_sa_free(sa);
    }
}

static int set_up(void **state)
{
    suites_n = kit_suites(suites);
    return kit_load_providers();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, NULL, print_suite)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_c13_ivs),
        CASE(test_round_trip_at_every_size),
        CASE(test_inner_mtu_is_the_largest_that_fits),
        CASE(test_batch_equals_single),
        CASE(test_soft_limits_are_said_once),
        CASE(test_d5_renewal_comes_long_before_the_last_number),
        CASE(test_parameters_that_do_not_fit_are_refused),
        CASE(test_keymat_sizes),
        CASE(test_tfc_padding_is_cut_off),
        CASE(test_plain_crypto_is_libcrypto),
    };

    return cmocka_run_group_tests_name("esp-right", tests, set_up, kit_unload_providers);
}
