/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inner packets: hostile TCP options first, then sums, segment sizes and answers. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/tunnel/datapath-inner.h"

/* RFC 1071 as it is written. */
static unsigned naive_sum(const uint8_t *bytes, size_t n, unsigned long sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : (unsigned long)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned)sum;
}

static unsigned same_sum(unsigned sum)
{
    return sum == 0xffff ? 0 : sum; /* two names of zero */
}

static void test_sums_agree_with_the_definition(void **state)
{
    uint8_t room[200];

    srand(1);
    for (size_t i = 0; i < sizeof(room); i++)
        room[i] = (uint8_t)rand();
    for (size_t from = 0; from < 20; from++) {
        for (size_t n = 0; n < 180; n++) {
            uint8_t *exact = malloc(n ? n : 1);

            memcpy(exact, room + from, n);
            assert_int_equal(same_sum(inner_sum(exact, n, 0x1234)),
                             same_sum(naive_sum(room + from, n, 0x1234)));
            free(exact);
        }
    }
    memset(room, 0xff, sizeof(room));
    assert_int_equal(inner_sum(room, 200, 0xffff), 0xffff);
}

/* Every addition of a word overflows, as often as in the largest packet. */
static void test_no_carry_of_a_sum_is_lost(void **state)
{
    enum { LARGEST = 65535 };
    uint8_t *packet = malloc(LARGEST);

    memset(packet, 0xff, LARGEST);
    for (size_t n = LARGEST - 70; n <= LARGEST; n++) {
        packet[n / 2] = (uint8_t)n;
        assert_int_equal(same_sum(inner_sum(packet, n, 0xffff)),
                         same_sum(naive_sum(packet, n, 0xffff)));
    }
    free(packet);
}

/* ---- segment size ---- */

typedef struct Syn {
    uint8_t bytes[160];
    size_t n, tcp;
} Syn;

static unsigned long pseudo(const Syn *syn)
{
    size_t n = syn->n - syn->tcp;

    if (syn->bytes[0] >> 4 == 4)
        return naive_sum(syn->bytes + 12, 8, 6 + n);
    return naive_sum(syn->bytes + 8, 32, 6 + n);
}

static bool checksum_is_right(const Syn *syn)
{
    return same_sum(naive_sum(syn->bytes + syn->tcp, syn->n - syn->tcp, pseudo(syn))) == 0;
}

static void make(Syn *syn, bool six, const uint8_t *options, size_t n)
{
    unsigned sum;

    memset(syn, 0, sizeof(*syn));
    syn->tcp = six ? 40 : 20;
    syn->n = syn->tcp + 20 + n;
    syn->bytes[0] = six ? 0x60 : 0x45;
    syn->bytes[six ? 6 : 9] = 6;
    for (size_t i = 12; !six && i < 20; i++)
        syn->bytes[i] = (uint8_t)(i * 11);
    syn->bytes[syn->tcp + 12] = (uint8_t)((20 + n) / 4 << 4);
    syn->bytes[syn->tcp + 13] = 2;
    memcpy(syn->bytes + syn->tcp + 20, options, n);
    sum = ~naive_sum(syn->bytes + syn->tcp, syn->n - syn->tcp, pseudo(syn)) & 0xffff;
    syn->bytes[syn->tcp + 16] = (uint8_t)(sum >> 8);
    syn->bytes[syn->tcp + 17] = (uint8_t)sum;
    assert_true(checksum_is_right(syn));
}

static unsigned at16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void test_mss_is_lowered_wherever_it_stands(void **state)
{
    for (size_t before = 0; before < 8; before++) {
        for (int six = 0; six < 2; six++) {
            for (unsigned mss = 1; mss < 65536; mss += 97) {
                uint8_t options[12];
                unsigned most = 1400 - (six ? 60 : 40);
                Syn syn;

                memset(options, 1, sizeof(options));
                memcpy(options + before, (uint8_t[]){2, 4, (uint8_t)(mss >> 8), (uint8_t)mss}, 4);
                make(&syn, six, options, sizeof(options));
                inner_clamp_mss(syn.bytes, syn.n, 1400, true);
                assert_int_equal(at16(syn.bytes + syn.tcp + 20 + before + 2),
                                 mss < most ? mss : most);
                assert_true(checksum_is_right(&syn));
            }
        }
    }
}

static void test_a_partial_checksum_stays(void **state)
{
    Syn syn;
    unsigned before;

    make(&syn, false, (uint8_t[]){2, 4, 0x05, 0xb4}, 4);
    before = at16(syn.bytes + syn.tcp + 16);
    inner_clamp_mss(syn.bytes, syn.n, 1400, false);
    assert_int_equal(at16(syn.bytes + syn.tcp + 22), 1360);
    assert_int_equal(at16(syn.bytes + syn.tcp + 16), before);
}

static void expect_untouched(Syn *syn, unsigned mtu)
{
    Syn before = *syn;

    inner_clamp_mss(syn->bytes, syn->n, mtu, true);
    assert_memory_equal(syn, &before, sizeof(before));
}

static void test_what_is_no_syn_is_left_alone(void **state)
{
    static const uint8_t MSS[] = {2, 4, 0xff, 0xff};
    Syn syn;

    make(&syn, false, MSS, 4);
    syn.bytes[syn.tcp + 13] = 0x10;
    expect_untouched(&syn, 1400);
    make(&syn, false, MSS, 4);
    syn.bytes[9] = 17;
    expect_untouched(&syn, 1400);
    make(&syn, false, MSS, 4);
    syn.bytes[7] = 1; /* a later fragment */
    expect_untouched(&syn, 1400);
    make(&syn, false, MSS, 4);
    syn.bytes[0] = 0x44;
    expect_untouched(&syn, 1400);
    make(&syn, false, MSS, 4);
    expect_untouched(&syn, 40); /* no MSS would fit */
    make(&syn, false, (uint8_t[]){2, 3, 0xff, 0}, 4);
    expect_untouched(&syn, 1400);
    make(&syn, false, (uint8_t[]){0, 2, 4, 0xff}, 4); /* behind the end of the list */
    expect_untouched(&syn, 1400);
}

/* Random options, random cuts, in buffers of exactly the size: nothing is read or written beyond,
 * and no byte but MSS and checksum changes. */
static void test_random_options_do_no_harm(void **state)
{
    srand(7);
    for (int i = 0; i < 300000; i++) {
        uint8_t options[40], *exact;
        size_t n = (size_t)(rand() % 11) * 4, cut, changed = 0;
        Syn syn;

        for (size_t j = 0; j < n; j++)
            options[j] = (uint8_t)(rand() % 3 ? rand() % 6 : rand());
        make(&syn, rand() % 2, options, n);
        syn.bytes[syn.tcp + 12] = (uint8_t)rand();
        if (rand() % 4 == 0)
            syn.bytes[0] = (uint8_t)rand();
        cut = 1 + (size_t)rand() % syn.n;
        exact = malloc(cut);
        memcpy(exact, syn.bytes, cut);
        inner_clamp_mss(exact, cut, 100 + (unsigned)rand() % 1400, true);
        for (size_t j = 0; j < cut; j++)
            changed += exact[j] != syn.bytes[j];
        assert_true(changed <= 4);
        free(exact);
    }
}

/* ---- too big ---- */

static void test_answers_are_well_formed(void **state)
{
    uint8_t packet[3000] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
            answer[INNER_ANSWER_MAX];
    size_t n;

    for (size_t size = 20; size < sizeof(packet); size += 7) {
        n = inner_too_big(packet, size, 1400, answer);
        assert_in_range(n, 48, 576);
        assert_int_equal(at16(answer + 2), n);
        assert_int_equal(naive_sum(answer, 20, 0), 0xffff);
        assert_int_equal(naive_sum(answer + 20, n - 20, 0), 0xffff);
        assert_int_equal(at16(answer + 26), 1400);
        assert_memory_equal(answer + 12, packet + 16, 4);
        assert_memory_equal(answer + 16, packet + 12, 4);
        assert_memory_equal(answer + 28, packet, n - 28);
    }
    memset(packet, 7, sizeof(packet));
    packet[0] = 0x60;
    packet[6] = 17;
    for (size_t size = 40; size < sizeof(packet); size += 7) {
        n = inner_too_big(packet, size, 1300, answer);
        assert_in_range(n, 88, 1280);
        assert_int_equal(at16(answer + 4), n - 40);
        assert_int_equal(naive_sum(answer + 40, n - 40, naive_sum(answer + 8, 32, 58 + n - 40)),
                         0xffff);
        assert_int_equal(at16(answer + 46), 1300);
    }
    inner_too_big(packet, 1500, 1000, answer);
    assert_int_equal(at16(answer + 46), 1280); /* RFC 8200, 5: never less */
}

static void test_what_must_not_be_answered(void **state)
{
    uint8_t answer[INNER_ANSWER_MAX];
    uint8_t four[60] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t six[60] = {0x60, 0, 0, 0, 0, 20, 58};

    for (size_t n = 0; n < 20; n++)
        assert_int_equal(inner_too_big(four, n, 1400, answer), 0);
    for (size_t n = 0; n < 40; n++)
        assert_int_equal(inner_too_big(six, n, 1400, answer), 0);
    four[20] = 3;
    assert_int_equal(inner_too_big(four, 60, 1400, answer), 0);
    four[20] = 8;
    assert_true(inner_too_big(four, 60, 1400, answer) > 0);
    four[7] = 1;
    assert_int_equal(inner_too_big(four, 60, 1400, answer), 0);
    four[7] = 0;
    four[16] = 224;
    assert_int_equal(inner_too_big(four, 60, 1400, answer), 0);
    six[40] = 1;
    assert_int_equal(inner_too_big(six, 60, 1400, answer), 0);
    six[40] = 128;
    assert_true(inner_too_big(six, 60, 1400, answer) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_options_do_no_harm),
        cmocka_unit_test(test_what_is_no_syn_is_left_alone),
        cmocka_unit_test(test_what_must_not_be_answered),
        cmocka_unit_test(test_sums_agree_with_the_definition),
        cmocka_unit_test(test_no_carry_of_a_sum_is_lost),
        cmocka_unit_test(test_mss_is_lowered_wherever_it_stands),
        cmocka_unit_test(test_a_partial_checksum_stays),
        cmocka_unit_test(test_answers_are_well_formed),
    };

    return cmocka_run_group_tests_name("datapath-inner", tests, NULL, NULL);
}
