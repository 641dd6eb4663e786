// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans as routes and rules, and which tunnels go together. */
#include "kit.h"

#include "platform/helper/routes.h"

#include <linux/rtnetlink.h>
#include <string.h>

static const PlatformSlotInfo slot = {
    .number = 3, .table = 53667, .mark = 0x0d1a0003, .netns = 4026531840};

static void add(GArray *list, const char *texts)
{
    g_auto(GStrv) words = g_strsplit(texts, " ", -1);

    for (char **word = words; *word && **word; word++) {
        PlatformPrefix prefix;

        assert_true(platform_prefix_parse(*word, &prefix));
        g_array_append_val(list, prefix);
    }
}

static HelperPlan *plan_of(const char *routes, const char *exclude)
{
    HelperPlan *plan = helper_plan_new();

    add(plan->routes, routes);
    add(plan->exclude, exclude);
    return plan;
}

/* "link 10.0.0.0/8, throw ..." */
static char *routes_text(const char *routes, const char *exclude)
{
    static const char *const types[] = {"link", "throw", "unreachable"};
    g_autoptr(HelperPlan) plan = plan_of(routes, exclude);
    g_autoptr(GArray) list = helper_routes_of(plan, &slot, 7);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const PlatformRoute *route = &g_array_index(list, PlatformRoute, i);
        char prefix[PLATFORM_ADDRESS_TEXT];

        assert_int_equal(route->table, slot.table);
        assert_int_equal(route->ifindex, route->type == PLATFORM_ROUTE_LINK ? 7 : 0);
        g_string_append_printf(text, "%s%s %s", i ? ", " : "", types[route->type],
                               platform_prefix_format(&route->prefix, prefix));
    }
    return g_string_free(text, FALSE);
}

static void assert_routes(const char *routes, const char *exclude, const char *wanted)
{
    g_autofree char *text = routes_text(routes, exclude);

    assert_string_equal(text, wanted);
}

static void test_each_network_has_one_route_and_exclusion_wins(void **state)
{
    assert_routes("", "", "");
    assert_routes("10.0.0.0/8 10.0.0.0/8", "", "link 10.0.0.0/8");
    assert_routes("10.0.0.0/8 10.5.0.0/16", "10.5.0.0/16", "throw 10.5.0.0/16, link 10.0.0.0/8");
}

/* RFC 7359: a tunnel of one family lets the other leak. */
static void test_f7_a_full_ipv4_tunnel_makes_ipv6_unreachable(void **state)
{
    assert_routes("0.0.0.0/0", "", "link 0.0.0.0/0, throw fe80::/10, unreachable ::/0");
    assert_routes("0.0.0.0/0", "2001:db8::/32",
                  "throw 2001:db8::/32, link 0.0.0.0/0, throw fe80::/10, unreachable ::/0");
    assert_routes("0.0.0.0/0 ::/0", "", "link 0.0.0.0/0, link ::/0");
    assert_routes("10.0.0.0/8", "", "link 10.0.0.0/8");
}

/* What stays on the link 4 in a network of that link's: "10.1.0.0/24 ..." */
static void assert_local(const char *routes, const char *allowed, const char *connected,
                         const char *wanted)
{
    g_autoptr(HelperPlan) plan = plan_of(routes, "");
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(PlatformRoute));
    g_autoptr(GString) text = g_string_new(NULL);
    PlatformPrefix subnet;

    add(plan->local, allowed);
    add(plan->addresses, "10.20.1.7/32");
    plan->dns.n_servers = 1;
    assert_true(platform_address_parse("10.20.2.53", &plan->dns.servers[0]));
    assert_true(platform_prefix_parse(connected, &subnet));
    helper_routes_add_local(list, plan, &slot, &subnet, 4);
    for (guint i = 0; i < list->len; i++) {
        const PlatformRoute *route = &g_array_index(list, PlatformRoute, i);
        char prefix[PLATFORM_ADDRESS_TEXT];

        assert_int_equal(route->type, PLATFORM_ROUTE_LINK);
        assert_int_equal(route->ifindex, 4);
        assert_int_equal(route->table, slot.table);
        g_string_append_printf(text, "%s ", platform_prefix_format(&route->prefix, prefix));
    }
    assert_string_equal(text->str, wanted);
}

/* A gateway that is careless or worse, and a network that claims to be larger than it is. */
static void test_what_is_not_the_user_s_own_network_stays_in_the_tunnel(void **state)
{
    assert_local("0.0.0.0/0", "", "192.168.1.0/24", "");
    assert_local("0.0.0.0/0", "192.168.0.0/16", "192.168.1.0/24", "");
    assert_local("0.0.0.0/0", "192.168.2.0/24", "192.168.1.0/24", "");
    assert_local("0.0.0.0/0", "128.0.0.0/1 0.0.0.0/1 192.0.0.0/8", "192.168.1.0/24", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "203.0.113.0/24", "");
    assert_local("0.0.0.0/0", "203.0.113.0/24", "203.0.113.0/24", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "10.128.0.0/9", "");
    assert_local("0.0.0.0/0", "10.128.0.0/9", "10.128.0.0/9", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "172.16.0.0/13", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "192.168.0.0/16", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "2001:db8::/64", "");
    assert_local("0.0.0.0/0", "::/0", "2001:db8::/64", "");
}

/* A hostile network that names itself as the office's takes neither its servers nor our address. */
static void test_a_network_with_a_part_in_the_tunnel_stays_in_it(void **state)
{
    assert_local("0.0.0.0/0", "0.0.0.0/0", "10.20.2.0/24", "");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "10.20.1.0/24", "");
    assert_local("0.0.0.0/0", "10.20.2.0/24", "10.20.0.0/16", "");
}

static void test_a_split_tunnel_needs_no_way_beside_it(void **state)
{
    assert_local("10.0.0.0/8", "0.0.0.0/0", "192.168.1.0/24", "");
}

static void test_the_user_s_own_network_stays_on_its_link(void **state)
{
    assert_local("0.0.0.0/0", "0.0.0.0/0", "192.168.1.0/24", "192.168.1.0/24 ");
    assert_local("0.0.0.0/0", "192.168.1.0/24", "192.168.1.0/24", "192.168.1.0/24 ");
    assert_local("0.0.0.0/0", "192.168.1.64/28", "192.168.1.0/24", "192.168.1.64/28 ");
    assert_local("0.0.0.0/0", "192.168.1.0/24 0.0.0.0/0", "192.168.1.0/24", "192.168.1.0/24 ");
    assert_local("0.0.0.0/0 ::/0", "172.16.4.0/22", "172.16.0.0/16", "172.16.4.0/22 ");
    assert_local("0.0.0.0/0", "0.0.0.0/0", "172.16.0.0/16", "172.16.0.0/16 ");
}

static unsigned count_rules(const char *routes, int family, uint32_t priority)
{
    g_autoptr(HelperPlan) plan = plan_of(routes, "");
    g_autoptr(GArray) rules = helper_rules_of(plan, &slot);
    unsigned n = 0;

    for (guint i = 0; i < rules->len; i++) {
        const PlatformRule *rule = &g_array_index(rules, PlatformRule, i);

        assert_true(rule->invert);
        assert_int_equal(rule->mask, PLATFORM_SLOT_MARK_MASK);
        assert_int_equal(rule->table, slot.table);
        /* Before the main table, behind the local one. */
        assert_true(rule->priority > 0 && rule->priority < 32766);
        n += rule->family == family && rule->priority == priority;
    }
    return n;
}

static void test_rules_of_split_tunnels_come_before_those_of_full_ones(void **state)
{
    assert_true(PLATFORM_SLOT_PRIORITY_SPLIT + PLATFORM_SLOT_COUNT <= PLATFORM_SLOT_PRIORITY_FULL);
    assert_true(PLATFORM_SLOT_PRIORITY_REPLIES + PLATFORM_SLOT_COUNT <=
                PLATFORM_SLOT_PRIORITY_SPLIT);
    assert_int_equal(count_rules("10.0.0.0/8", AF_INET, PLATFORM_SLOT_PRIORITY_SPLIT + 3), 1);
    assert_int_equal(count_rules("10.0.0.0/8", AF_INET6, PLATFORM_SLOT_PRIORITY_SPLIT + 3), 0);
    assert_int_equal(count_rules("0.0.0.0/0", AF_INET, PLATFORM_SLOT_PRIORITY_FULL + 3), 1);
    assert_int_equal(count_rules("0.0.0.0/0", AF_INET6, PLATFORM_SLOT_PRIORITY_FULL + 3), 1);
    assert_int_equal(count_rules("", AF_INET, PLATFORM_SLOT_PRIORITY_SPLIT + 3), 0);
}

static void test_every_slot_has_a_mark_that_all_rules_except(void **state)
{
    for (uint32_t number = 0; number < PLATFORM_SLOT_COUNT; number++)
        assert_int_equal((PLATFORM_SLOT_MARK_BASE + number) & PLATFORM_SLOT_MARK_MASK,
                         PLATFORM_SLOT_MARK_BASE);
}

static bool swallows(const char *routes, const char *exclude, const char *address)
{
    g_autoptr(HelperPlan) plan = plan_of(routes, exclude);
    PlatformAddress parsed;

    assert_true(platform_address_parse(address, &parsed));
    return helper_routes_swallow(plan, &parsed);
}

static void test_the_longest_prefix_decides_what_a_plan_carries(void **state)
{
    assert_true(swallows("0.0.0.0/0", "", "203.0.113.1"));
    assert_false(swallows("0.0.0.0/0", "203.0.113.0/24", "203.0.113.1"));
    assert_true(swallows("0.0.0.0/0 203.0.113.0/25", "203.0.113.0/24", "203.0.113.1"));
    assert_false(swallows("203.0.113.0/24", "203.0.113.0/24", "203.0.113.1"));
    assert_false(swallows("10.0.0.0/8", "", "203.0.113.1"));
    assert_false(swallows("0.0.0.0/0", "", "2001:db8::1"));
}

static void test_replies_are_let_in_from_the_gateway_s_ports_to_ours_only(void **state)
{
    static const uint16_t ports[] = {40001, 40002};
    g_autoptr(HelperPlan) plan = plan_of("0.0.0.0/0", "198.51.100.0/24");
    g_autoptr(GArray) rules = g_array_new(FALSE, TRUE, sizeof(PlatformRule));
    static const char *const gateways[] = {"203.0.113.1", "198.51.100.1", "2001:db8::1"};

    for (size_t i = 0; i < G_N_ELEMENTS(gateways); i++) {
        PlatformAddress gateway;

        assert_true(platform_address_parse(gateways[i], &gateway));
        g_array_append_val(plan->gateways, gateway);
    }
    helper_rules_add_replies(rules, plan, &slot, ports, 2);
    /* One gateway is swallowed; two ports of ours, two of its. */
    assert_int_equal(rules->len, 4);
    for (guint i = 0; i < rules->len; i++) {
        const PlatformRule *rule = &g_array_index(rules, PlatformRule, i);
        char text[PLATFORM_ADDRESS_TEXT];

        assert_string_equal(platform_prefix_format(&rule->to, text), "203.0.113.1/32");
        assert_int_equal(rule->table, RT_TABLE_MAIN);
        assert_int_equal(rule->ip_protocol, IPPROTO_UDP);
        assert_true(rule->source_port == 40001 || rule->source_port == 40002);
        assert_true(rule->destination_port == 4500 || rule->destination_port == 500);
        for (guint k = 0; k < i; k++)
            assert_false(platform_rule_equal(rule, &g_array_index(rules, PlatformRule, k)));
    }
}

static int conflict_in(const char *mine, const char *theirs, unsigned their_number, uint64_t netns)
{
    g_autoptr(HelperPlan) plan = plan_of(mine, "");
    g_autoptr(GArray) slots = g_array_new(FALSE, TRUE, sizeof(PlatformSlotInfo));
    g_autoptr(GArray) networks = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    PlatformPrefix network;

    add(networks, theirs);
    PlatformSlotInfo other = {.number = their_number,
                              .netns = netns,
                              .routes = (PlatformPrefix *)(void *)networks->data,
                              .n_routes = networks->len};

    g_array_append_val(slots, other);
    return helper_routes_conflict(plan, &slot, slots, &network);
}

static int conflict(const char *mine, const char *theirs, unsigned their_number)
{
    return conflict_in(mine, theirs, their_number, slot.netns);
}

static void test_tunnels_of_other_network_namespaces_do_not_conflict(void **state)
{
    assert_int_equal(conflict_in("0.0.0.0/0", "0.0.0.0/0", 0, slot.netns), 0);
    assert_int_equal(conflict_in("0.0.0.0/0", "0.0.0.0/0", 0, slot.netns + 1), -1);
}

static void test_overlapping_tunnels_conflict_but_full_and_split_go_together(void **state)
{
    assert_int_equal(conflict("10.0.0.0/8", "10.0.0.0/8", 0), 0);
    assert_int_equal(conflict("10.0.0.0/8", "10.1.0.0/16", 0), 0);
    assert_int_equal(conflict("10.1.0.0/16", "10.0.0.0/8", 0), 0);
    assert_int_equal(conflict("0.0.0.0/0", "0.0.0.0/0", 0), 0);
    assert_int_equal(conflict("172.16.0.0/12 10.9.0.0/16", "192.168.0.0/16 10.0.0.0/8", 0), 0);
    assert_int_equal(conflict("0.0.0.0/0", "10.0.0.0/8", 0), -1);
    assert_int_equal(conflict("10.0.0.0/8", "0.0.0.0/0", 0), -1);
    assert_int_equal(conflict("10.0.0.0/8", "11.0.0.0/8", 0), -1);
    assert_int_equal(conflict("0.0.0.0/0", "::/0", 0), -1);
    assert_int_equal(conflict("10.0.0.0/8", "10.0.0.0/8", 3), -1);
    assert_int_equal(conflict("", "10.0.0.0/8", 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_network_has_one_route_and_exclusion_wins),
        cmocka_unit_test(test_f7_a_full_ipv4_tunnel_makes_ipv6_unreachable),
        cmocka_unit_test(test_what_is_not_the_user_s_own_network_stays_in_the_tunnel),
        cmocka_unit_test(test_a_network_with_a_part_in_the_tunnel_stays_in_it),
        cmocka_unit_test(test_a_split_tunnel_needs_no_way_beside_it),
        cmocka_unit_test(test_the_user_s_own_network_stays_on_its_link),
        cmocka_unit_test(test_rules_of_split_tunnels_come_before_those_of_full_ones),
        cmocka_unit_test(test_every_slot_has_a_mark_that_all_rules_except),
        cmocka_unit_test(test_the_longest_prefix_decides_what_a_plan_carries),
        cmocka_unit_test(test_replies_are_let_in_from_the_gateway_s_ports_to_ours_only),
        cmocka_unit_test(test_tunnels_of_other_network_namespaces_do_not_conflict),
        cmocka_unit_test(test_overlapping_tunnels_conflict_but_full_and_split_go_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
