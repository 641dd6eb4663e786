/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP, adversary first: what is forged, cut, replayed or malformed is dropped with the right name,
 * for every suite. What is right has test-esp-right.c.
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

/* B10: the tag is compared in full, and covers all of the packet. */
static void test_b10_any_flipped_bit_is_noticed(void **state)
{
    uint8_t packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n = forge_ipv4(suite, 7, 60, packet);

        for (size_t i = 0; i < n; i++) {
            for (int bit = 0; bit < 8; bit++) {
                EspVerdict verdict;

                packet[i] ^= (uint8_t)(1 << bit);
                verdict = kit_open(sa, packet, n, NULL);
                assert_int_equal(verdict, i < 4 ? ESP_MALFORMED : ESP_FORGED);
                packet[i] ^= (uint8_t)(1 << bit);
            }
        }
        /* None of them moved the window, not even those with a flipped sequence number. */
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_OK);
        assert_int_equal(esp_sa_counters(sa).forged, (n - 4) * 8);
        assert_int_equal(esp_sa_counters(sa).malformed, 4 * 8);
        esp_sa_free(sa);
    }
}

static void test_a_cut_packet_is_refused(void **state)
{
    uint8_t packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n = forge_ipv4(suite, 1, 84, packet);

        for (size_t cut = 0; cut < n; cut++)
            assert_int_not_equal(kit_open(sa, packet, cut, NULL), ESP_OK);
        for (size_t from = 1; from < n; from++)
            assert_int_not_equal(kit_open(sa, packet + from, n - from, NULL), ESP_OK);
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_OK);
        esp_sa_free(sa);
    }
}

static void test_a_longer_packet_is_refused(void **state)
{
    uint8_t packet[KIT_ROOM] = {0};

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n = forge_ipv4(suite, 1, 84, packet);

        for (size_t more = 1; more <= 64; more++) {
            packet[n + more - 1] = 0;
            assert_int_not_equal(kit_open(sa, packet, n + more, NULL), ESP_OK);
        }
        esp_sa_free(sa);
    }
}

static void test_a_huge_packet_is_malformed(void **state)
{
    size_t n = 200000;
    uint8_t *packet = calloc(1, n);

    assert_non_null(packet);
    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);

        memcpy(packet, "\x1b\xad\xca\xfe\0\0\0\1", 8);
        for (size_t size = n - 64; size <= n; size++)
            assert_int_equal(kit_open(sa, packet, size, NULL), ESP_MALFORMED);
        esp_sa_free(sa);
    }
    free(packet);
}

/* C13: what only the holder of the key can make, and yet is wrong, is malformed after the tag. */
static EspVerdict verdict_of(const KitSuite *suite, const KitPlain *plain)
{
    EspSa *sa = kit_open_sa(suite);
    uint8_t packet[KIT_ROOM] = {0};
    EspVerdict verdict = kit_open(sa, packet, kit_forge(suite, 1, plain, packet), NULL);

    esp_sa_free(sa);
    return verdict;
}

static void test_c13_padding_counts_up(void **state)
{
    KitPlain good, bad;
    uint8_t inner[KIT_ROOM];

    EACH_SUITE(suite)
    {
        size_t pad;

        kit_ipv4(inner, 43);
        kit_plain(&good, suite, inner, 43);
        assert_int_equal(verdict_of(suite, &good), ESP_OK);
        pad = good.bytes[good.n - 2];
        assert_true(pad > 0);
        for (size_t i = 0; i < pad; i++) {
            bad = good;
            bad.bytes[bad.n - 3 - i] ^= 1;
            assert_int_equal(verdict_of(suite, &bad), ESP_MALFORMED);
        }
        bad = good;
        memset(bad.bytes + 43, 0, pad);
        assert_int_equal(verdict_of(suite, &bad), ESP_MALFORMED);
    }
}

static void test_c13_pad_length_stays_inside(void **state)
{
    KitPlain plain;
    uint8_t inner[KIT_ROOM];

    EACH_SUITE(suite)
    {
        kit_ipv4(inner, 43);
        kit_plain(&plain, suite, inner, 43);
        for (unsigned length = 0; length < 256; length++) {
            unsigned right = plain.bytes[plain.n - 2];
            KitPlain bad = plain;

            bad.bytes[bad.n - 2] = (uint8_t)length;
            /* Shorter padding leaves bytes behind the inner packet, which is what RFC 4303, 2.7
             * allows; but the padding that is left does not begin with 1. */
            if (length != right && length != 0)
                assert_int_equal(verdict_of(suite, &bad), ESP_MALFORMED);
            else
                assert_int_equal(verdict_of(suite, &bad), ESP_OK);
        }
    }
}

/* The smallest inner packet from 40 bytes on that makes whole blocks with so much padding. */
static void pad_with(KitPlain *plain, const KitSuite *suite, size_t pad)
{
    size_t inner = 40;

    while ((inner + pad + 2) % suite->cipher->block_size != 0)
        inner++;
    kit_ipv4(plain->bytes, inner);
    for (size_t i = 0; i < pad; i++)
        plain->bytes[inner + i] = (uint8_t)(i + 1);
    plain->bytes[inner + pad] = (uint8_t)pad;
    plain->bytes[inner + pad + 1] = 4;
    plain->n = inner + pad + 2;
}

/* Up to 255 bytes of padding are allowed, and its length hides nothing from the check. */
static void test_each_length_of_padding_is_checked_to_its_ends(void **state)
{
    EACH_SUITE(suite)
    {
        for (size_t pad = 0; pad < 256; pad++) {
            /* From the end. */
            const size_t places[] = {1, 2, 8, 9, pad / 2, pad - 8, pad - 7, pad};
            KitPlain plain = {.n = 0};

            pad_with(&plain, suite, pad);
            assert_int_equal(verdict_of(suite, &plain), ESP_OK);
            for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
                KitPlain bad = plain;

                if (places[i] == 0 || places[i] > pad)
                    continue;
                bad.bytes[bad.n - 2 - places[i]] ^= 0x80;
                assert_int_equal(verdict_of(suite, &bad), ESP_MALFORMED);
            }
        }
    }
}

/* Authentic all of them: with no plaintext at all, and with one that is no whole blocks. */
static void test_c13_plaintext_has_room_for_its_trailer(void **state)
{
    EACH_SUITE(suite)
    {
        KitPlain plain = {.n = 0};

        assert_int_equal(verdict_of(suite, &plain), ESP_MALFORMED);
        kit_ipv4(plain.bytes, 40);
        for (plain.n = 1; plain.n < 66; plain.n++) {
            plain.bytes[plain.n - 2 + (plain.n == 1)] = 0;
            plain.bytes[plain.n - 1] = 4;
            if (plain.n % suite->cipher->block_size != 0)
                assert_int_equal(verdict_of(suite, &plain), ESP_MALFORMED);
        }
    }
}

static void test_next_header_is_an_ip_version(void **state)
{
    uint8_t inner[KIT_ROOM];
    KitPlain plain;

    EACH_SUITE(suite)
    {
        for (unsigned next = 0; next < 256; next++) {
            EspVerdict want = next == 4 ? ESP_OK : next == 59 ? ESP_DUMMY : ESP_MALFORMED;

            kit_ipv4(inner, 62);
            kit_plain(&plain, suite, inner, 62);
            plain.bytes[plain.n - 1] = (uint8_t)next;
            assert_int_equal(verdict_of(suite, &plain), want);
        }
        /* Garbage that is no IP at all, under next header 0 as well. */
        for (unsigned first = 0; first < 256; first++) {
            plain.bytes[0] = (uint8_t)first;
            plain.bytes[plain.n - 1] = 0;
            assert_int_equal(verdict_of(suite, &plain), ESP_MALFORMED);
            plain.bytes[plain.n - 1] = 41;
            if (first >> 4 != 6)
                assert_int_equal(verdict_of(suite, &plain), ESP_MALFORMED);
        }
    }
}

static void test_inner_length_stays_inside(void **state)
{
    uint8_t inner[KIT_ROOM];
    KitPlain plain;

    EACH_SUITE(suite)
    {
        for (unsigned total = 0; total < 200; total++) {
            kit_ipv4(inner, 62);
            inner[3] = (uint8_t)total;
            kit_plain(&plain, suite, inner, 62);
            assert_int_equal(verdict_of(suite, &plain),
                             total >= 20 && total <= 62 ? ESP_OK : ESP_MALFORMED);
            kit_ipv6(inner, 62);
            inner[5] = (uint8_t)total;
            kit_plain(&plain, suite, inner, 62);
            assert_int_equal(verdict_of(suite, &plain), total <= 22 ? ESP_OK : ESP_MALFORMED);
        }
        for (unsigned words = 0; words < 16; words++) {
            kit_ipv4(inner, 46);
            inner[0] = (uint8_t)(0x40 | words);
            kit_plain(&plain, suite, inner, 46);
            assert_int_equal(verdict_of(suite, &plain),
                             words >= 5 && words * 4 <= 46 ? ESP_OK : ESP_MALFORMED);
        }
        for (size_t n = 1; n < 20; n++) {
            kit_ipv4(inner, 20);
            inner[3] = (uint8_t)n;
            kit_plain(&plain, suite, inner, n);
            assert_int_equal(verdict_of(suite, &plain), ESP_MALFORMED);
        }
    }
}

static void test_d1_a_replay_is_refused_alone_and_in_a_batch(void **state)
{
    uint8_t packet[KIT_ROOM], copies[3][KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n = forge_ipv4(suite, 5000, 60, packet);
        EspPacket batch[3];

        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_OK);
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_REPLAYED);
        for (uint32_t old = 5000 - 1024 - 3; old <= 5000 - 1024; old++)
            assert_int_equal(kit_open(sa, packet, forge_ipv4(suite, old, 60, packet), NULL),
                             ESP_REPLAYED);
        n = forge_ipv4(suite, 0, 60, packet);
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_REPLAYED);
        n = forge_ipv4(suite, 5001, 60, packet);
        for (int i = 0; i < 3; i++) {
            memcpy(copies[i], packet, n);
            batch[i] = (EspPacket){.data = copies[i], .n = n};
        }
        assert_int_equal(esp_open(sa, batch, 3), 1);
        assert_int_equal(batch[0].verdict, ESP_OK);
        assert_int_equal(batch[1].verdict, ESP_REPLAYED);
        assert_int_equal(batch[2].verdict, ESP_REPLAYED);
        assert_int_equal(esp_sa_counters(sa).replayed, 1 + 4 + 1 + 2);
        esp_sa_free(sa);
    }
}

/* What has no place in the window is not even decrypted: a forged copy says nothing else. */
static void test_d1_the_window_comes_before_the_tag(void **state)
{
    uint8_t packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n = forge_ipv4(suite, 2000, 60, packet);

        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_OK);
        packet[n - 1] ^= 1;
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_REPLAYED);
        assert_int_equal(esp_sa_counters(sa).forged, 0);
        esp_sa_free(sa);
    }
}

/* A packet that is authentic but malformed has used up its number all the same. */
static void test_a_malformed_packet_is_taken_once(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];
    KitPlain plain;

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_open_sa(suite);
        size_t n;

        kit_ipv4(inner, 62);
        kit_plain(&plain, suite, inner, 62);
        plain.bytes[plain.n - 1] = 17;
        n = kit_forge(suite, 3, &plain, packet);
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_MALFORMED);
        assert_int_equal(kit_open(sa, packet, n, NULL), ESP_REPLAYED);
        esp_sa_free(sa);
    }
}

static void test_sealing_refuses_what_is_no_ip_packet(void **state)
{
    uint8_t inner[KIT_ROOM] = {0}, packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *sa = kit_seal_sa(suite);

        for (unsigned first = 0; first < 256; first += 16) {
            inner[0] = (uint8_t)first;
            if (first != 0x40 && first != 0x60)
                assert_int_equal(kit_seal(sa, inner, 60, packet), 0);
        }
        inner[0] = 0x45;
        for (size_t n = 0; n < 20; n++)
            assert_int_equal(kit_seal(sa, inner, n, packet), 0);
        inner[0] = 0x60;
        for (size_t n = 0; n < 40; n++)
            assert_int_equal(kit_seal(sa, inner, n, packet), 0);
        assert_int_equal(esp_sa_counters(sa).packets, 0);
        esp_sa_free(sa);
    }
}

static void test_an_sa_works_in_one_direction(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];

    EACH_SUITE(suite)
    {
        EspSa *seal = kit_seal_sa(suite), *open = kit_open_sa(suite);
        size_t n;

        kit_ipv4(inner, 60);
        assert_int_equal(kit_seal(open, inner, 60, packet), 0);
        n = kit_seal(seal, inner, 60, packet);
        assert_int_equal(kit_open(seal, packet, n, NULL), ESP_MALFORMED);
        esp_sa_free(seal);
        esp_sa_free(open);
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
        CASE(test_b10_any_flipped_bit_is_noticed),
        CASE(test_a_cut_packet_is_refused),
        CASE(test_a_longer_packet_is_refused),
        CASE(test_a_huge_packet_is_malformed),
        CASE(test_c13_padding_counts_up),
        CASE(test_c13_pad_length_stays_inside),
        CASE(test_each_length_of_padding_is_checked_to_its_ends),
        CASE(test_c13_plaintext_has_room_for_its_trailer),
        CASE(test_next_header_is_an_ip_version),
        CASE(test_inner_length_stays_inside),
        CASE(test_d1_a_replay_is_refused_alone_and_in_a_batch),
        CASE(test_d1_the_window_comes_before_the_tag),
        CASE(test_a_malformed_packet_is_taken_once),
        CASE(test_sealing_refuses_what_is_no_ip_packet),
        CASE(test_an_sa_works_in_one_direction),
    };

    return cmocka_run_group_tests_name("esp", tests, set_up, kit_unload_providers);
}
