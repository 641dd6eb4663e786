// SPDX-License-Identifier: GPL-2.0-or-later
/* DNS answers as an attacker would write them. Every packet is parsed from a heap copy of its exact
 * size, so that the sanitizer sees a byte that is read too much.
 */
#include "kit.h"

#include "platform/resolver-message.h"

#include <string.h>
#include <sys/socket.h>

typedef struct Packet {
    uint8_t bytes[2048];
    size_t n;
} Packet;

static const PlatformResolverQuestion question = {"vPn.eXample", AF_INET, 0x1234};

static void put(Packet *packet, const void *bytes, size_t n)
{
    assert_true(packet->n + n <= sizeof packet->bytes);
    memcpy(packet->bytes + packet->n, bytes, n);
    packet->n += n;
}

static void put16(Packet *packet, unsigned value)
{
    put(packet, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(Packet *packet, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);

    for (char **label = labels; *label; label++) {
        uint8_t n = (uint8_t)strlen(*label);

        put(packet, &n, 1);
        put(packet, *label, n);
    }
    put(packet, "", 1);
}

/* Header and question as an honest server gives them back. */
static Packet answer(unsigned flags, unsigned records)
{
    Packet packet = {.n = 0};

    put16(&packet, 0x1234);
    put16(&packet, 0x8180 | flags);
    put16(&packet, 1);
    put16(&packet, records);
    put16(&packet, 0);
    put16(&packet, 0);
    put_name(&packet, question.name);
    put16(&packet, 1);
    put16(&packet, 1);
    return packet;
}

static void put_record(Packet *packet, unsigned type, const void *data, size_t n)
{
    put16(packet, type);
    put16(packet, 1);
    put16(packet, 0);
    put16(packet, 60);
    put16(packet, (unsigned)n);
    put(packet, data, n);
}

static void put_address(Packet *packet, const char *name, uint8_t last)
{
    if (name)
        put_name(packet, name);
    else
        put16(packet, 0xc00c);
    put_record(packet, 1, (uint8_t[]){192, 0, 2, last}, 4);
}

static PlatformResolverAnswer parse(const Packet *packet, GArray *addresses)
{
    g_autofree uint8_t *copy = g_memdup2(packet->bytes, packet->n);

    return platform_resolver_parse(&question, copy, packet->n, addresses);
}

static void assert_parsed(const Packet *packet, PlatformResolverAnswer wanted, guint n)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

    assert_int_equal(parse(packet, addresses), wanted);
    assert_int_equal(addresses->len, n);
}

static void test_a_query_asks_one_question_and_says_what_it_takes(void **state)
{
    uint8_t query[PLATFORM_RESOLVER_QUERY_MAX];
    size_t n = platform_resolver_build(&question, query);
    static const uint8_t wanted[] = {
        0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1,  3,    'v',  'P', 'n', 7, 'e', 'X', 'a',
        'm',  'p',  'l',  'e',  0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0,   0,   0, 0,   0,   0,
    };

    assert_int_equal(n, sizeof wanted);
    assert_memory_equal(query, wanted, n);
}

static void test_names_that_cannot_be_asked_give_no_query(void **state)
{
    PlatformResolverQuestion bad = {.family = AF_INET};
    uint8_t query[PLATFORM_RESOLVER_QUERY_MAX];

    strcpy(bad.name, "a..b");
    assert_int_equal(platform_resolver_build(&bad, query), 0);
    memset(bad.name, 'a', 64);
    assert_int_equal(platform_resolver_build(&bad, query), 0);
    memset(bad.name, 'a', 255);
    assert_int_equal(platform_resolver_build(&bad, query), 0);
}

static void test_addresses_are_taken_once_each(void **state)
{
    Packet packet = answer(0, 3);

    put_address(&packet, NULL, 1);
    put_address(&packet, "VPN.example", 2);
    put_address(&packet, NULL, 1);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_ADDRESSES, 2);
}

static void test_every_truncation_is_survived(void **state)
{
    Packet packet = answer(0, 2);

    put_address(&packet, NULL, 1);
    put_address(&packet, "vpn.example", 2);
    size_t whole = packet.n;

    for (packet.n = 0; packet.n < whole; packet.n++) {
        g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

        assert_int_equal(parse(&packet, addresses), PLATFORM_RESOLVER_ANSWER_IGNORED);
        assert_int_equal(addresses->len, 0);
    }
}

static void test_answers_to_another_question_are_ignored(void **state)
{
    Packet packet = answer(0, 1);
    size_t at_type = packet.n - 4;

    put_address(&packet, NULL, 1);
    static const struct {
        size_t offset;
        uint8_t value;
    } changes[] = {
        {0, 0x13},            /* id */
        {1, 0x35}, {2, 0x01}, /* a query */
        {2, 0xa9},            /* another opcode */
        {5, 0},               /* no question */
        {5, 2},               /* two */
        {13, 'V'},            /* letters in another case: somebody who did not see our query */
        {14, 'q'},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        Packet changed = packet;

        changed.bytes[changes[i].offset] = changes[i].value;
        assert_parsed(&changed, PLATFORM_RESOLVER_ANSWER_IGNORED, 0);
    }
    Packet aaaa = packet, chaos = packet;

    aaaa.bytes[at_type + 1] = 28;
    assert_parsed(&aaaa, PLATFORM_RESOLVER_ANSWER_IGNORED, 0);
    chaos.bytes[at_type + 3] = 3;
    assert_parsed(&chaos, PLATFORM_RESOLVER_ANSWER_IGNORED, 0);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_ADDRESSES, 1);
}

static void test_names_that_point_at_themselves_or_behind_the_end_are_ignored(void **state)
{
    static const unsigned pointers[] = {0xc01d, 0xc01e, 0xffff, 0xc000, 0xc7ff};

    for (size_t i = 0; i < G_N_ELEMENTS(pointers); i++) {
        Packet packet = answer(0, 1);

        put16(&packet, pointers[i]);
        put_record(&packet, 1, "\300\0\2\1", 4);
        g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

        (void)parse(&packet, addresses);
        assert_int_equal(addresses->len, 0);
    }
}

static void test_an_alias_of_itself_ends(void **state)
{
    Packet packet = answer(0, 2);

    put16(&packet, 0xc00c);
    put_record(&packet, 5, "\xc0\x0c", 2);
    put_address(&packet, "other.example", 1);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_EMPTY, 0);
}

static void test_aliases_that_go_round_end(void **state)
{
    Packet packet = answer(0, 2);

    put16(&packet, 0xc00c);
    put_record(&packet, 5, "\1a\0", 3);
    put_name(&packet, "a");
    put_record(&packet, 5, "\xc0\x0c", 2);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_EMPTY, 0);
}

static void test_an_alias_is_followed_to_its_address_in_any_order(void **state)
{
    Packet packet = answer(0, 3);

    put_address(&packet, "gw.example", 7);
    put16(&packet, 0xc00c);
    put_record(&packet, 5, "\1a\7example\0", 11);
    put_name(&packet, "a.example");
    put_record(&packet, 5, "\2gw\7example\0", 12);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_ADDRESSES, 1);
}

static void test_an_alias_that_is_cut_off_is_no_name(void **state)
{
    static const char *const data[] = {"\xc0", "\3ab", "\xc0\xff", "\377abc"};

    for (size_t i = 0; i < G_N_ELEMENTS(data); i++) {
        Packet packet = answer(0, 1);

        put16(&packet, 0xc00c);
        put_record(&packet, 5, data[i], strlen(data[i]));
        g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

        assert_int_not_equal(parse(&packet, addresses), PLATFORM_RESOLVER_ANSWER_ADDRESSES);
        assert_int_equal(addresses->len, 0);
    }
}

static void test_addresses_of_other_names_types_or_sizes_are_not_taken(void **state)
{
    Packet packet = answer(0, 5);

    put_address(&packet, "evil.example", 1);
    put16(&packet, 0xc00c);
    put_record(&packet, 1, "\300\0\2", 3);
    put16(&packet, 0xc00c);
    put_record(&packet, 1, "\300\0\2\1\1", 5);
    put16(&packet, 0xc00c);
    put_record(&packet, 28, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    put16(&packet, 0xc00c);
    put_record(&packet, 1, "", 0);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_EMPTY, 0);
}

static void test_no_such_name_no_address_and_failure_are_told_apart(void **state)
{
    static const unsigned failures[] = {1, 2, 4, 5, 15};
    Packet packet = answer(3, 0);

    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_NOT_FOUND, 0);
    packet = answer(0, 0);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_EMPTY, 0);
    packet = answer(0x200, 0); /* truncated */
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_FAILED, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        packet = answer(failures[i], 0);
        assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_FAILED, 0);
    }
}

static void test_a_truncated_answer_s_addresses_are_taken(void **state)
{
    Packet packet = answer(0x200, 1);

    put_address(&packet, NULL, 1);
    assert_parsed(&packet, PLATFORM_RESOLVER_ANSWER_ADDRESSES, 1);
}

static void test_record_counts_that_lie_are_survived(void **state)
{
    Packet packet = answer(0, 0xffff);

    put_address(&packet, NULL, 1);
    g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

    assert_int_equal(parse(&packet, addresses), PLATFORM_RESOLVER_ANSWER_IGNORED);
}

/* Random damage to a good answer: nothing but survival is asked. */
static void test_damaged_answers_are_survived(void **state)
{
    GRand *rand = g_rand_new_with_seed(77);

    for (int i = 0; i < 100000; i++) {
        Packet packet = answer(0, 3);

        put_address(&packet, NULL, 1);
        put16(&packet, 0xc00c);
        put_record(&packet, 5, "\2gw\xc0\x10", 5);
        put_address(&packet, "gw.example", 3);
        for (int flips = g_rand_int_range(rand, 1, 5); flips > 0; flips--)
            packet.bytes[g_rand_int_range(rand, 2, (gint32)packet.n)] = (uint8_t)g_rand_int(rand);
        packet.n = (size_t)g_rand_int_range(rand, 12, (gint32)packet.n + 1);
        g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

        (void)parse(&packet, addresses);
        assert_true(addresses->len <= 3);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_query_asks_one_question_and_says_what_it_takes),
        cmocka_unit_test(test_names_that_cannot_be_asked_give_no_query),
        cmocka_unit_test(test_addresses_are_taken_once_each),
        cmocka_unit_test(test_every_truncation_is_survived),
        cmocka_unit_test(test_answers_to_another_question_are_ignored),
        cmocka_unit_test(test_names_that_point_at_themselves_or_behind_the_end_are_ignored),
        cmocka_unit_test(test_an_alias_of_itself_ends),
        cmocka_unit_test(test_aliases_that_go_round_end),
        cmocka_unit_test(test_an_alias_is_followed_to_its_address_in_any_order),
        cmocka_unit_test(test_an_alias_that_is_cut_off_is_no_name),
        cmocka_unit_test(test_addresses_of_other_names_types_or_sizes_are_not_taken),
        cmocka_unit_test(test_no_such_name_no_address_and_failure_are_told_apart),
        cmocka_unit_test(test_a_truncated_answer_s_addresses_are_taken),
        cmocka_unit_test(test_record_counts_that_lie_are_survived),
        cmocka_unit_test(test_damaged_answers_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
