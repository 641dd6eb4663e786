// SPDX-License-Identifier: GPL-2.0-or-later
/* What a kill switch lets leave, as commands for nft(8), and what it is asked for in. */
#include "kit.h"

#include "platform/killswitch.h"

#include <netinet/in.h>
#include <string.h>

enum { MARK = 0x0d1a0003 };

/* ---- arguments, odd ones first ---- */

/* NULL: refused. */
static PlatformKillSwitch *read_text(const char *gateways, const char *networks,
                                     const char *exclude, const char *options)
{
    const PlatformKillSwitchArguments arguments = {
        g_variant_ref_sink(g_variant_new_parsed(gateways)),
        g_variant_ref_sink(g_variant_new_parsed(networks)),
        g_variant_ref_sink(g_variant_new_parsed(exclude)),
        g_variant_ref_sink(g_variant_new_parsed(options)),
    };
    const char *why = NULL;
    PlatformKillSwitch *self = platform_kill_switch_from_arguments(&arguments, &why);

    assert_true((self == NULL) == (why != NULL));
    g_variant_unref(arguments.gateways);
    g_variant_unref(arguments.networks);
    g_variant_unref(arguments.exclude);
    g_variant_unref(arguments.options);
    return self;
}

#define NO_GATEWAYS "@a(ayq) []"
#define NO_NETWORKS "@a(ayu) []"
#define NO_OPTIONS  "@a{sv} {}"

static void assert_refused(const char *gateways, const char *networks, const char *exclude,
                           const char *options)
{
    assert_null(read_text(gateways, networks, exclude, options));
}

static void test_odd_gateways_are_refused(void **state)
{
    static const char *const odd[] = {
        "[([byte 1, 2, 3], uint16 500)]",             /* three bytes */
        "[(@ay [], uint16 500)]",                     /* none */
        "[([byte 192, 0, 2, 1], uint16 0)]",          /* no port */
        "[([byte 0, 0, 0, 0], uint16 500)]",          /* nobody */
        "[([byte 127, 0, 0, 1], uint16 500)]",        /* ourselves */
        "[([byte 224, 0, 0, 1], uint16 500)]",        /* many */
        "[([byte 255, 255, 255, 255], uint16 4500)]", /* all */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        assert_refused(odd[i], NO_NETWORKS, NO_NETWORKS, NO_OPTIONS);
}

static void test_odd_networks_are_refused(void **state)
{
    static const char *const odd[] = {
        "[([byte 10, 0, 0, 1], uint32 8)]",  /* bits behind the prefix */
        "[([byte 10, 0, 0, 0], uint32 33)]", /* longer than an address */
        "[([byte 10, 0, 0], uint32 8)]",     /* three bytes */
        "[([byte 10, 0, 0, 0], uint32 4294967295)]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        assert_refused(NO_GATEWAYS, odd[i], NO_NETWORKS, NO_OPTIONS);
        assert_refused(NO_GATEWAYS, NO_NETWORKS, odd[i], NO_OPTIONS);
    }
}

static void test_unknown_options_are_refused(void **state)
{
    assert_refused(NO_GATEWAYS, NO_NETWORKS, NO_NETWORKS, "{'persist': <true>}");
    assert_refused(NO_GATEWAYS, NO_NETWORKS, NO_NETWORKS, "{'persistent': <'yes'>}");
    assert_refused(NO_GATEWAYS, NO_NETWORKS, NO_NETWORKS, "{'persistent': <true>, 'x': <1>}");
}

static char *repeated(const char *entry, guint n)
{
    GString *text = g_string_new("[");

    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", entry);
    return g_string_free(g_string_append(text, "]"), FALSE);
}

static void test_lists_are_bounded(void **state)
{
    static const char gateway[] = "([byte 192, 0, 2, 1], uint16 500)";
    static const char network[] = "([byte 10, 0, 0, 0], uint32 8)";
    g_autofree char *gateways = repeated(gateway, PLATFORM_KILL_SWITCH_GATEWAYS);
    g_autofree char *networks = repeated(network, PLATFORM_KILL_SWITCH_NETWORKS);
    g_autofree char *exclude = repeated(network, PLATFORM_KILL_SWITCH_EXCLUDE);
    g_autofree char *more_gateways = repeated(gateway, PLATFORM_KILL_SWITCH_GATEWAYS + 1);
    g_autofree char *more_networks = repeated(network, PLATFORM_KILL_SWITCH_NETWORKS + 1);
    g_autofree char *more_exclude = repeated(network, PLATFORM_KILL_SWITCH_EXCLUDE + 1);
    PlatformKillSwitch *self = read_text(gateways, networks, exclude, NO_OPTIONS);

    assert_non_null(self);
    assert_int_equal(self->networks->len, PLATFORM_KILL_SWITCH_NETWORKS);
    platform_kill_switch_free(self);
    assert_refused(more_gateways, networks, exclude, NO_OPTIONS);
    assert_refused(gateways, more_networks, exclude, NO_OPTIONS);
    assert_refused(gateways, networks, more_exclude, NO_OPTIONS);
}

static void test_what_is_written_is_read(void **state)
{
    PlatformKillSwitch *self =
        read_text("[([byte 192, 0, 2, 1], uint16 4501)]", "[([byte 10, 0, 0, 0], uint32 8)]",
                  "[([byte 10, 1, 0, 0], uint32 16)]", "{'persistent': <true>}");

    assert_non_null(self);
    assert_true(self->persistent);
    PlatformKillSwitchArguments arguments = platform_kill_switch_to_arguments(self);
    const char *why = NULL;

    g_variant_ref_sink(arguments.gateways);
    g_variant_ref_sink(arguments.networks);
    g_variant_ref_sink(arguments.exclude);
    g_variant_ref_sink(arguments.options);
    PlatformKillSwitch *again = platform_kill_switch_from_arguments(&arguments, &why);
    g_autoptr(GString) one = g_string_new(NULL), two = g_string_new(NULL);

    platform_kill_switch_add_rules(self, "dialtone3", MARK, one);
    platform_kill_switch_add_rules(again, "dialtone3", MARK, two);
    assert_true(again->persistent);
    assert_string_equal(one->str, two->str);
    g_variant_unref(arguments.gateways);
    g_variant_unref(arguments.networks);
    g_variant_unref(arguments.exclude);
    g_variant_unref(arguments.options);
    platform_kill_switch_free(self);
    platform_kill_switch_free(again);
}

/* ---- rules ---- */

static void add(GArray *list, const char *texts)
{
    g_auto(GStrv) words = g_strsplit(texts, " ", -1);

    for (char **word = words; *word && **word; word++) {
        PlatformPrefix prefix;

        assert_true(platform_prefix_parse(*word, &prefix));
        g_array_append_val(list, prefix);
    }
}

/* The rules for networks alone: from the first behind those for the link on. */
static char *network_rules(const char *networks, const char *exclude)
{
    static const char last_of_link[] = "icmpv6 type { 131, 132, 143 } accept\n";
    g_autoptr(PlatformKillSwitch) self = platform_kill_switch_new();
    g_autoptr(GString) text = g_string_new(NULL);

    add(self->networks, networks);
    add(self->exclude, exclude);
    platform_kill_switch_add_rules(self, "dialtone3", MARK, text);
    const char *rest = strstr(text->str, last_of_link);

    assert_non_null(rest);
    return g_strdup(rest + strlen(last_of_link));
}

static void assert_rules(const char *networks, const char *exclude, const char *wanted)
{
    g_autofree char *text = network_rules(networks, exclude);

    assert_string_equal(text, wanted);
}

#define BESIDE "add rule inet dialtone3 beside "

static void test_f7_everything_means_ipv6_too(void **state)
{
    assert_rules("0.0.0.0/0", "",
                 BESIDE "ip daddr { 0.0.0.0/0 } drop\n" BESIDE "ip6 daddr { ::/0 } drop\n");
    assert_rules("0.0.0.0/0 fd00::/8", "",
                 BESIDE "ip daddr { 0.0.0.0/0 } drop\n" BESIDE "ip6 daddr { fd00::/8 } drop\n");
    assert_rules("10.0.0.0/8", "", BESIDE "ip daddr { 10.0.0.0/8 } drop\n");
}

static void test_the_longer_prefix_counts(void **state)
{
    assert_rules("0.0.0.0/0 192.168.5.0/24", "192.168.0.0/16 172.16.0.0/12",
                 BESIDE "ip daddr { 192.168.5.0/24 } drop\n" BESIDE
                        "ip daddr { 192.168.0.0/16, 172.16.0.0/12 } accept\n" BESIDE
                        "ip daddr { 0.0.0.0/0 } drop\n" BESIDE "ip6 daddr { ::/0 } drop\n");
    /* Of the same network: as routes have it, which is what is excluded. */
    assert_rules("10.0.0.0/8", "10.0.0.0/8",
                 BESIDE "ip daddr { 10.0.0.0/8 } accept\n" BESIDE "ip daddr { 10.0.0.0/8 } drop\n");
}

static void test_f5_own_packets_need_mark_address_protocol_and_port(void **state)
{
    PlatformKillSwitch *self =
        read_text("[([byte 192, 0, 2, 1], uint16 500)]", NO_NETWORKS, NO_NETWORKS, NO_OPTIONS);
    g_autoptr(GString) text = g_string_new(NULL);

    platform_kill_switch_add_rules(self, "dialtone3", MARK, text);
    assert_non_null(strstr(text->str, BESIDE "meta mark 0xd1a0003 ip daddr 192.0.2.1 udp dport "
                                             "{ 500, 4500 } accept\n"));
    assert_non_null(strstr(text->str, BESIDE
                           "meta mark 0xd1a0003 ip daddr 192.0.2.1 meta l4proto 50 accept\n"));
    assert_non_null(strstr(text->str, BESIDE "meta mark 0xd1a0003 udp dport 53 accept\n"));
    assert_non_null(strstr(text->str, BESIDE "meta mark != 0xd1a0003 meta mark and 0xffffff00 == "
                                             "0xd1a0000 accept\n"));
    /* Nothing else names a mark, and nothing without one names the gateway. */
    g_auto(GStrv) marks = g_strsplit(text->str, "meta mark", -1);
    g_auto(GStrv) addresses = g_strsplit(text->str, "192.0.2.1", -1);

    assert_int_equal(g_strv_length(marks), 6);
    assert_int_equal(g_strv_length(addresses), 3);
    platform_kill_switch_free(self);
}

static void test_both_ways_out_are_watched(void **state)
{
    g_autoptr(PlatformKillSwitch) self = platform_kill_switch_new();
    g_autoptr(GString) text = g_string_new(NULL);

    platform_kill_switch_add_rules(self, "dialtone3", MARK, text);
    assert_non_null(strstr(text->str, "hook output"));
    assert_non_null(strstr(text->str, "hook forward"));
    assert_non_null(strstr(text->str, "dialtone3 sent oifname \"dialtone*\" accept\n"));
    assert_non_null(strstr(text->str, "dialtone3 sent jump beside\n"));
    assert_non_null(strstr(text->str, "dialtone3 passed jump beside\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_gateways_are_refused),
        cmocka_unit_test(test_odd_networks_are_refused),
        cmocka_unit_test(test_unknown_options_are_refused),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_f7_everything_means_ipv6_too),
        cmocka_unit_test(test_the_longer_prefix_counts),
        cmocka_unit_test(test_f5_own_packets_need_mark_address_protocol_and_port),
        cmocka_unit_test(test_both_ways_out_are_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
