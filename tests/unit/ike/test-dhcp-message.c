/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP messages in their packets: whoever stands behind the gateway can answer, and what he says
 * ends in an address, name servers and times.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/dhcp-message.h"

#include "core-kit.h"

enum {
    AT_LENGTH = 2,
    AT_UDP = 20,
    AT_MESSAGE = 28,
    AT_YIADDR = AT_MESSAGE + 16,
    AT_CHADDR = AT_MESSAGE + 28,
    AT_SNAME = AT_MESSAGE + 44,
    AT_FILE = AT_MESSAGE + 108,
    AT_MAGIC = AT_MESSAGE + 236,
    AT_OPTIONS = AT_MESSAGE + 240,
    SNAME_SIZE = 64,
    FILE_SIZE = 128,
};

static const uint8_t OFFER[] = {
    53, 1,  2,   54,  4,   10,  10,  0,   67,  51,  4,   0,   0,   14,  16,  58,  4,  0,
    0,  3,  132, 1,   4,   255, 255, 255, 0,   6,   8,   10,  10,  0,   53,  10,  10, 0,
    54, 15, 12,  'c', 'o', 'r', 'p', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 255,
};

typedef struct Packet {
    uint8_t bytes[IKE_DHCP_PACKET_MAX];
    size_t n;
} Packet;

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* A reply of 10.10.0.67 with these options and 10.20.1.10 in it. */
static Packet packet_of(const uint8_t *options, size_t n)
{
    static const uint8_t head[] = {0x45, 0,  0, 0,  0,   0,   0,   0,   64,   17,   0,    0,
                                   10,   10, 0, 67, 255, 255, 255, 255, 0,    67,   0,    68,
                                   0,    0,  0, 0,  2,   31,  6,   0,   0x11, 0x22, 0x33, 0x44};
    static const uint8_t yiaddr[] = {10, 20, 1, 10}, hardware[] = {0x42, 1, 2, 3, 4, 5};
    static const uint8_t magic[] = {0x63, 0x82, 0x53, 0x63};
    Packet p = {.n = AT_OPTIONS + n};

    memcpy(p.bytes, head, sizeof(head));
    memcpy(p.bytes + AT_YIADDR, yiaddr, sizeof(yiaddr));
    memcpy(p.bytes + AT_CHADDR, hardware, sizeof(hardware));
    memcpy(p.bytes + AT_MAGIC, magic, sizeof(magic));
    memcpy(p.bytes + AT_OPTIONS, options, n);
    put_u16(p.bytes + AT_LENGTH, p.n);
    put_u16(p.bytes + AT_UDP + 4, p.n - AT_UDP);
    return p;
}

/* From a buffer of exactly its size: the sanitizer sees a read beyond it. */
static bool read_packet(const Packet *p, IkeDhcpReply *reply)
{
    uint8_t *copy = kit_exact(p->bytes, p->n);
    bool ok = ike_dhcp_read((IkeSlice){copy, p->n}, reply);

    free(copy);
    return ok;
}

static bool reads(const Packet *p)
{
    IkeDhcpReply reply;

    return read_packet(p, &reply);
}

static bool reads_options(const uint8_t *options, size_t n)
{
    Packet p = packet_of(options, n);

    return reads(&p);
}

/* ---- what is refused ---- */

static void test_a_packet_that_is_cut_anywhere_is_refused(void **state)
{
    Packet whole = packet_of(OFFER, sizeof(OFFER));

    assert_true(reads(&whole));
    for (size_t n = 0; n < whole.n; n++) {
        Packet cut = whole;
        cut.n = n;
        assert_false(reads(&cut));
        /* With lengths that own up to it. */
        if (n < AT_MESSAGE)
            continue;
        put_u16(cut.bytes + AT_LENGTH, n);
        put_u16(cut.bytes + AT_UDP + 4, n - AT_UDP);
        assert_false(reads(&cut));
    }
}

static void test_lengths_that_lie_are_refused(void **state)
{
    Packet whole = packet_of(OFFER, sizeof(OFFER));

    for (unsigned value = 0; value < 65536; value += value < 400 ? 1 : 211) {
        Packet p = whole;
        put_u16(p.bytes + AT_LENGTH, value);
        assert_int_equal(reads(&p), value == whole.n);
        p = whole;
        put_u16(p.bytes + AT_UDP + 4, value);
        assert_int_equal(reads(&p), value == whole.n - AT_UDP);
    }
    for (unsigned words = 0; words < 16; words++) {
        Packet p = whole;
        p.bytes[0] = (uint8_t)(0x40 | words);
        assert_int_equal(reads(&p), words == 5);
    }
}

static void test_what_is_no_reply_of_a_server_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } odd[] = {
        {0, 0x65},             /* IPv6 */
        {6, 0x20},             /* a fragment, the first */
        {7, 1},                /* one behind it */
        {9, 6},                /* TCP */
        {AT_UDP + 1, 68},      /* from a client */
        {AT_UDP + 3, 67},      /* to a server */
        {AT_MESSAGE, 1},       /* BOOTREQUEST */
        {AT_MESSAGE + 2, 16},  /* a longer hardware address */
        {AT_MAGIC, 0},         /* BOOTP without options */
        {AT_YIADDR, 0},        /* this network */
        {AT_YIADDR, 127},      /* loopback */
        {AT_YIADDR, 224},      /* multicast */
        {AT_YIADDR, 255},      /* reserved, or everybody */
        {AT_OPTIONS + 2, 1},   /* DISCOVER */
        {AT_OPTIONS + 2, 4},   /* DECLINE */
        {AT_OPTIONS + 2, 8},   /* INFORM */
        {AT_OPTIONS + 5, 0},   /* a server of this network */
        {AT_OPTIONS + 5, 224}, /* many servers */
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        Packet p = packet_of(OFFER, sizeof(OFFER));
        p.bytes[odd[i].at] = odd[i].value;
        assert_false(reads(&p));
    }
}

static void test_options_of_a_wrong_length_are_refused(void **state)
{
    static const uint8_t codes[] = {51, 53, 54, 58, 6, 52, 15};
    uint8_t options[sizeof(OFFER) + 40];

    for (size_t i = 0; i < sizeof(codes); i++) {
        for (unsigned n = 0; n < 32; n++) {
            bool address = codes[i] == 6 && n > 0 && n % 4 == 0;
            bool text = codes[i] == 15 && n > 0;
            memset(options, 1, sizeof(options));
            options[0] = codes[i];
            options[1] = (uint8_t)n;
            memcpy(options + 2 + n, OFFER, sizeof(OFFER));
            /* All others stand in it a second time, or ask for a field that is empty. */
            assert_int_equal(reads_options(options, 2 + n + sizeof(OFFER)), address || text);
        }
    }
}

static void test_options_without_an_end_are_refused(void **state)
{
    uint8_t many[600];

    assert_false(reads_options(OFFER, sizeof(OFFER) - 1));
    memset(many, 0, sizeof(many));
    memcpy(many, OFFER, sizeof(OFFER) - 1);
    assert_false(reads_options(many, sizeof(many)));
    many[sizeof(many) - 1] = 255;
    assert_true(reads_options(many, sizeof(many)));
    assert_false(reads_options(OFFER, 0));
}

static void test_what_must_stand_in_an_offer_is_missed(void **state)
{
    static const uint8_t no_server[] = {53, 1, 2, 51, 4, 0, 0, 1, 0, 255};
    static const uint8_t no_lease[] = {53, 1, 2, 54, 4, 10, 10, 0, 67, 255};
    static const uint8_t zero_lease[] = {53, 1, 5, 54, 4, 10, 10, 0, 67, 51, 4, 0, 0, 0, 0, 255};
    static const uint8_t no_type[] = {54, 4, 10, 10, 0, 67, 51, 4, 0, 0, 1, 0, 255};
    static const uint8_t nak[] = {53, 1, 6, 255};

    assert_false(reads_options(no_server, sizeof(no_server)));
    assert_false(reads_options(no_lease, sizeof(no_lease)));
    assert_false(reads_options(zero_lease, sizeof(zero_lease)));
    assert_false(reads_options(no_type, sizeof(no_type)));
    assert_true(reads_options(nak, sizeof(nak)));
}

static void test_overload_reads_the_other_fields_and_no_further(void **state)
{
    static const uint8_t both[] = {53, 1, 2, 52, 1, 3, 255};
    static const uint8_t server[] = {54, 4, 10, 10, 0, 67, 255};
    static const uint8_t lease[] = {51, 4, 0, 0, 1, 0, 52, 1, 3, 255};
    static const uint8_t long_one[] = {15, 200, 255};
    IkeDhcpReply reply;
    Packet p = packet_of(both, sizeof(both));

    assert_false(reads(&p)); /* no END in them */
    memcpy(p.bytes + AT_FILE, server, sizeof(server));
    memcpy(p.bytes + AT_SNAME, lease, 6);
    p.bytes[AT_SNAME + 6] = 255;
    assert_true(read_packet(&p, &reply));
    assert_int_equal(reply.lease, 256);
    assert_int_equal(reply.server.bytes[3], 67);
    /* Overload within overload is a second one. */
    memcpy(p.bytes + AT_SNAME, lease, sizeof(lease));
    assert_false(reads(&p));
    /* An option does not reach from one field into the next. */
    memcpy(p.bytes + AT_SNAME, long_one, sizeof(long_one));
    assert_false(reads(&p));
    for (unsigned value = 0; value < 256; value++) {
        memset(p.bytes + AT_SNAME, 255, SNAME_SIZE);
        memset(p.bytes + AT_FILE, 255, FILE_SIZE);
        uint8_t options[sizeof(OFFER) + 3] = {52, 1, (uint8_t)value};
        memcpy(options + 3, OFFER, sizeof(OFFER));
        Packet q = packet_of(options, sizeof(options));
        memset(q.bytes + AT_SNAME, 255, SNAME_SIZE + FILE_SIZE);
        assert_int_equal(reads(&q), value >= 1 && value <= 3);
    }
}

static void test_more_servers_than_there_is_room_for_are_left_out(void **state)
{
    uint8_t options[sizeof(OFFER) + 2 + 252] = {6, 252};
    IkeDhcpReply reply;

    for (size_t i = 0; i < 252; i++)
        options[2 + i] = (uint8_t)(i % 4 == 3 ? i / 4 + 1 : 10);
    memcpy(options + 2 + 252, OFFER, sizeof(OFFER));
    Packet p = packet_of(options, sizeof(options));
    assert_true(read_packet(&p, &reply));
    assert_int_equal(reply.inner.dns_n, IKE_DNS_MAX);
}

static void test_routes_are_left_alone(void **state)
{
    static const uint8_t routes[] = {121, 6, 1,  128, 10, 0, 0,  1, 249, 6, 1, 128, 10, 0, 0, 1,
                                     3,   4, 10, 0,   0,  1, 33, 8, 1,   1, 1, 1,   2,  2, 2, 2};
    uint8_t options[sizeof(routes) + sizeof(OFFER)];
    IkeDhcpReply reply;

    memcpy(options, routes, sizeof(routes));
    memcpy(options + sizeof(routes), OFFER, sizeof(OFFER));
    Packet p = packet_of(options, sizeof(options));
    assert_true(read_packet(&p, &reply));
    assert_int_equal(reply.inner.networks_n, 0);
}

/* ---- what is taken ---- */

static void test_an_offer_is_read(void **state)
{
    Packet p = packet_of(OFFER, sizeof(OFFER));
    IkeDhcpReply reply;

    assert_true(read_packet(&p, &reply));
    assert_int_equal(reply.type, IKE_DHCP_OFFER);
    assert_int_equal(reply.xid, 0x11223344);
    assert_int_equal(reply.hardware[5], 5);
    assert_int_equal(reply.lease, 3600);
    assert_int_equal(reply.inner.expires, 3600);
    assert_int_equal(reply.renew, 900);
    assert_memory_equal(reply.server.bytes, ((uint8_t[]){10, 10, 0, 67}), 4);
    assert_memory_equal(reply.inner.address.bytes, ((uint8_t[]){10, 20, 1, 10}), 4);
    assert_int_equal(reply.inner.prefix, 32);
    assert_int_equal(reply.inner.dns_n, 2);
    assert_memory_equal(reply.inner.dns[1].bytes, ((uint8_t[]){10, 10, 0, 54}), 4);
    assert_string_equal(reply.inner.domain, "corp.example");
}

static void test_a_lease_without_end_does_not_expire(void **state)
{
    uint8_t options[sizeof(OFFER)];
    IkeDhcpReply reply;

    memcpy(options, OFFER, sizeof(OFFER));
    memset(options + 11, 0xff, 4);
    Packet p = packet_of(options, sizeof(options));
    assert_true(read_packet(&p, &reply));
    assert_int_equal(reply.lease, UINT32_MAX);
    assert_int_equal(reply.inner.expires, 0);
}

static void test_ip_options_are_passed_over(void **state)
{
    Packet p = packet_of(OFFER, sizeof(OFFER));

    memmove(p.bytes + 24, p.bytes + 20, p.n - 20);
    memset(p.bytes + 20, 1, 4);
    p.bytes[0] = 0x46;
    p.n += 4;
    put_u16(p.bytes + AT_LENGTH, p.n);
    assert_true(reads(&p));
}

/* ---- what is written ---- */

static unsigned sum_of(const uint8_t *bytes, size_t n, unsigned sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 == 0 ? (unsigned)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static IkeDhcpQuestion discover(void)
{
    return (IkeDhcpQuestion){.type = IKE_DHCP_DISCOVER,
                             .htype = IKE_DHCP_HTYPE_IPSEC,
                             .hardware = {0x42, 1, 2, 3, 4, 5},
                             .xid = 0x01020304,
                             .wanted = {4, {10, 20, 1, 9}, 0}};
}

/* A field the RFC gives a number in table 1, where it stands. */
static void test_a_discover_is_as_rfc_3456_has_it(void **state)
{
    uint8_t bytes[IKE_DHCP_PACKET_MAX];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkeDhcpQuestion q = discover();
    static const uint8_t options[] = {53, 1, 1, 61, 7, 31, 0x42, 1, 2,
                                      3,  4, 5, 50, 4, 10, 20,   1, 9};

    ike_dhcp_write(&w, &q);
    assert_true(ike_writer_ok(&w));
    assert_int_equal(w.n, AT_MESSAGE + 300);
    assert_int_equal(sum_of(bytes, 20, 0), 0xffff);
    assert_int_equal(sum_of(bytes + 12, w.n - 12, 17 + (unsigned)w.n - 20), 0xffff);
    assert_memory_equal(bytes + 12, ((uint8_t[]){0, 0, 0, 0, 255, 255, 255, 255}), 8);
    assert_memory_equal(bytes + AT_UDP, ((uint8_t[]){0, 68, 0, 67}), 4);
    assert_memory_equal(bytes + AT_MESSAGE, ((uint8_t[]){1, 31, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0}), 12);
    assert_memory_equal(bytes + AT_CHADDR, q.hardware, 6);
    assert_memory_equal(bytes + AT_OPTIONS, options, sizeof(options));
}

static void test_no_buffer_is_too_small_to_be_safe(void **state)
{
    IkeDhcpQuestion q = discover();

    for (size_t size = 0; size < AT_MESSAGE + 300; size++) {
        uint8_t *bytes = malloc(size > 0 ? size : 1);
        IkeWriter w = ike_writer(bytes, size);
        ike_dhcp_write(&w, &q);
        assert_false(ike_writer_ok(&w));
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_packet_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(test_lengths_that_lie_are_refused),
        cmocka_unit_test(test_what_is_no_reply_of_a_server_is_refused),
        cmocka_unit_test(test_options_of_a_wrong_length_are_refused),
        cmocka_unit_test(test_options_without_an_end_are_refused),
        cmocka_unit_test(test_what_must_stand_in_an_offer_is_missed),
        cmocka_unit_test(test_overload_reads_the_other_fields_and_no_further),
        cmocka_unit_test(test_more_servers_than_there_is_room_for_are_left_out),
        cmocka_unit_test(test_routes_are_left_alone),
        cmocka_unit_test(test_an_offer_is_read),
        cmocka_unit_test(test_a_lease_without_end_does_not_expire),
        cmocka_unit_test(test_ip_options_are_passed_over),
        cmocka_unit_test(test_a_discover_is_as_rfc_3456_has_it),
        cmocka_unit_test(test_no_buffer_is_too_small_to_be_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
