/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of the network: who wins, and what a hostile gateway can't bring about. The helper
 * checks types and counts again; that no name or address of a gateway does harm is settled here.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/tunnel/plan.h"

typedef struct Case {
    DialtoneProfile *profile;
    IkeInnerConfig config;
    IkeSaInfo sa;
    unsigned mtu;
} Case;

static Case *begin(const char *more)
{
    Case *c = g_new0(Case, 1);
    c->profile = kit_profile(more);
    c->config.address = kit_address("10.20.1.7");
    c->config.prefix = 24;
    c->sa.local = kit_network("10.20.1.7/32");
    c->sa.remote = kit_network("0.0.0.0/0");
    c->mtu = 1422;
    return c;
}

static HelperPlan *plan_of(Case *c, GError **error)
{
    const TunnelPlanInput input = {.profile = c->profile,
                                   .config = &c->config,
                                   .sas = &c->sa,
                                   .sas_n = 1,
                                   .mtu = c->mtu,
                                   .gateway = kit_address("192.0.2.1")};
    return tunnel_plan_new(&input, error);
}

static HelperPlan *finish(Case *c)
{
    GError *error = NULL;
    HelperPlan *plan = plan_of(c, &error);
    assert_null(error);
    assert_non_null(plan);
    dialtone_profile_free(c->profile);
    g_free(c);
    return plan;
}

static void add_include(Case *c, const char *network)
{
    c->config.networks[c->config.networks_n++] = kit_network(network);
}

static void add_dns(Case *c, const char *address)
{
    c->config.dns[c->config.dns_n++] = kit_address(address);
}

static void assert_routes(const HelperPlan *plan, const char *expected)
{
    char **list = tunnel_plan_routes_text(plan);
    char *text = g_strjoinv(" ", list);
    assert_string_equal(text, expected);
    g_free(text);
    g_strfreev(list);
}

static void assert_dns(const HelperPlan *plan, const char *expected)
{
    char **list = tunnel_plan_dns_text(plan);
    char *text = g_strjoinv(" ", list);
    assert_string_equal(text, expected);
    g_free(text);
    g_strfreev(list);
}

/* "name" is searched, "~name" only routed. */
static void assert_domains(const HelperPlan *plan, const char *expected)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < plan->dns.n_domains; i++)
        g_string_append_printf(text, "%s%s%s", i > 0 ? " " : "",
                               plan->dns.domains[i].routing_only ? "~" : "",
                               plan->dns.domains[i].name);
    assert_string_equal(text->str, expected);
    g_string_free(text, TRUE);
}

/* ---- routes ---- */

static void without_any_word_of_networks_everything_goes_through(void **state)
{
    g_autoptr(HelperPlan) plan = finish(begin(""));
    assert_routes(plan, "0.0.0.0/0");
    assert_true(helper_plan_is_full(plan, AF_INET));
}

static void networks_of_the_profile_win_over_split_include(void **state)
{
    Case *c = begin("[Phase2]\nNetworks=10.0.0.0/8;192.168.5.0/24\n");
    add_include(c, "172.16.0.0/12");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.0.0.0/8 192.168.5.0/24");
}

static void split_include_wins_over_what_the_sa_covers(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.0/24");
    add_include(c, "10.10.0.0/24");
    add_include(c, "172.16.0.0/12");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.10.0.0/24 172.16.0.0/12");
}

/* A gateway that narrows its answer carries no more than that: a default route would be a hole. */
static void an_sa_that_was_narrowed_takes_only_its_network(void **state)
{
    Case *c = begin("");
    c->sa.remote = kit_network("10.10.0.0/24");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.10.0.0/24");
}

static void bits_behind_the_prefix_of_a_split_include_are_cut_off(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.0/24");
    c->config.networks[0].bytes[3] = 99;
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.10.0.0/24");
}

static void a_prefix_beyond_the_address_is_a_host(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.9/32");
    c->config.networks[0].prefix = 255;
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.10.0.9/32");
}

static void loopback_link_local_and_multicast_stay_out(void **state)
{
    Case *c = begin("");
    add_include(c, "127.0.0.0/8");
    add_include(c, "127.0.0.53/32");
    add_include(c, "169.254.1.0/24");
    add_include(c, "224.0.0.0/4");
    add_include(c, "255.255.255.255/32");
    add_include(c, "0.0.0.0/32");
    add_include(c, "10.0.0.0/8");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.0.0.0/8");
}

static void networks_of_a_family_without_an_address_are_left_out(void **state)
{
    Case *c = begin("");
    add_include(c, "2001:db8::/32");
    add_include(c, "10.0.0.0/8");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "10.0.0.0/8");
}

static void excluded_networks_are_the_profile_s(void **state)
{
    g_autoptr(HelperPlan) plan = finish(begin("[Network]\nExclude=192.168.1.0/24\n"));
    assert_int_equal(plan->exclude->len, 1);
    assert_int_equal(g_array_index(plan->exclude, PlatformPrefix, 0).length, 24);
}

/* ---- addresses ---- */

static void the_inner_address_is_a_host_whatever_netmask_came(void **state)
{
    g_autoptr(HelperPlan) plan = finish(begin(""));
    g_autofree char *text = tunnel_plan_address_text(plan, AF_INET);
    assert_string_equal(text, "10.20.1.7/32");
    assert_null(tunnel_plan_address_text(plan, AF_INET6));
}

static void an_inner_address_that_no_interface_can_have_is_a_failure(void **state)
{
    static const char *const bad[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                                      "169.254.3.4"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        Case *c = begin("");
        GError *error = NULL;
        c->config.address = kit_address(bad[i]);
        assert_null(plan_of(c, &error));
        assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PHASE2_REFUSED);
        assert_non_null(strstr(dialtone_failure_advice(error), "Config=none"));
        g_error_free(error);
        dialtone_profile_free(c->profile);
        g_free(c);
    }
}

static void an_address_of_the_profile_s_own_needs_no_gateway(void **state)
{
    Case *c = begin("[Network]\nConfig=none\nAddress=10.1.2.3/32\n");
    memset(&c->config, 0, sizeof(c->config));
    g_autoptr(HelperPlan) plan = finish(c);
    g_autofree char *text = tunnel_plan_address_text(plan, AF_INET);
    assert_string_equal(text, "10.1.2.3/32");
}

static void the_gateway_in_use_is_named(void **state)
{
    g_autoptr(HelperPlan) plan = finish(begin(""));
    char text[PLATFORM_ADDRESS_TEXT];
    assert_int_equal(plan->gateways->len, 1);
    assert_string_equal(
        platform_address_format(&g_array_index(plan->gateways, PlatformAddress, 0), text),
        "192.0.2.1");
}

/* ---- DNS ---- */

static void auto_takes_the_gateway_s_servers_once_each(void **state)
{
    Case *c = begin("");
    add_dns(c, "10.10.0.53");
    add_dns(c, "10.10.0.53");
    add_dns(c, "10.10.0.54");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_dns(plan, "10.10.0.53 10.10.0.54");
}

static void none_takes_no_server(void **state)
{
    Case *c = begin("[Network]\nDNS=none\n");
    add_dns(c, "10.10.0.53");
    strcpy(c->config.domain, "lan.example.com");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_dns(plan, "");
    assert_domains(plan, "");
}

static void servers_of_the_profile_win(void **state)
{
    Case *c = begin("[Network]\nDNS=10.9.9.9\n");
    add_dns(c, "10.10.0.53");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_dns(plan, "10.9.9.9");
}

static void a_server_that_is_no_host_is_left_out(void **state)
{
    Case *c = begin("");
    add_dns(c, "127.0.0.53");
    add_dns(c, "0.0.0.0");
    add_dns(c, "224.0.0.251");
    add_dns(c, "10.10.0.53");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_dns(plan, "10.10.0.53");
}

/* Otherwise the questions would leave by the physical link, in the clear. */
static void a_server_outside_the_split_gets_a_route(void **state)
{
    Case *c = begin("");
    add_include(c, "192.168.7.0/24");
    add_dns(c, "10.10.0.53");
    add_dns(c, "192.168.7.1");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "192.168.7.0/24 10.10.0.53/32");
}

static void a_server_that_no_sa_reaches_is_left_out(void **state)
{
    Case *c = begin("[Phase2]\nNetworks=10.11.0.0/24\n");
    c->sa.remote = kit_network("10.11.0.0/24");
    add_dns(c, "10.10.0.53");
    add_dns(c, "10.11.0.53");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_dns(plan, "10.11.0.53");
    assert_routes(plan, "10.11.0.0/24");
}

static void a_server_in_an_excluded_network_gets_none(void **state)
{
    Case *c = begin("[Network]\nExclude=10.10.0.0/16\n");
    add_include(c, "192.168.7.0/24");
    add_dns(c, "10.10.0.53");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_routes(plan, "192.168.7.0/24");
}

static void a_full_tunnel_sends_every_name_there(void **state)
{
    Case *c = begin("");
    add_dns(c, "10.10.0.53");
    strcpy(c->config.domain, "lan.example.com");
    strcpy(c->config.split_dns, "corp.example.com");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_domains(plan, "lan.example.com ~corp.example.com ~.");
}

static void split_dns_sends_only_its_names_there(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.0/24");
    add_dns(c, "10.10.0.53");
    strcpy(c->config.domain, "lan.example.com");
    strcpy(c->config.split_dns, "lan.example.com corp.example.com,a.example");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_domains(plan, "lan.example.com ~corp.example.com ~a.example");
}

static void without_split_dns_every_name_goes_there(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.0/24");
    add_dns(c, "10.10.0.53");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_domains(plan, "~.");
}

/* Each has once been pasted into somebody's resolv.conf or shell. */
static void names_that_are_no_host_names_are_left_out(void **state)
{
    Case *c = begin("");
    add_include(c, "10.10.0.0/24");
    add_dns(c, "10.10.0.53");
    strcpy(c->config.domain, "a.example\nnameserver 6.6.6.6");
    strcpy(c->config.split_dns, "$(reboot) `id` ../../etc -x.example .. a..b . UPPER.example. "
                                "b\tc \x1b[2J ok.example");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_domains(plan, "~upper.example ~ok.example");
}

static void more_domains_than_there_is_room_for_are_cut(void **state)
{
    Case *c = begin("");
    add_dns(c, "10.10.0.53");
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 100; i++)
        g_string_append_printf(text, "d%d.e ", i);
    g_strlcpy(c->config.split_dns, text->str, sizeof(c->config.split_dns));
    g_string_free(text, TRUE);
    g_autoptr(HelperPlan) plan = finish(c);
    assert_int_equal(plan->dns.n_domains, PLATFORM_DNS_DOMAINS);
    assert_string_equal(plan->dns.domains[PLATFORM_DNS_DOMAINS - 1].name, ".");
}

static void the_root_domain_is_not_told_to_users(void **state)
{
    Case *c = begin("");
    add_dns(c, "10.10.0.53");
    strcpy(c->config.domain, "lan.example.com");
    g_autoptr(HelperPlan) plan = finish(c);
    g_auto(GStrv) domains = tunnel_plan_domains_text(plan);
    assert_int_equal(g_strv_length(domains), 1);
    assert_string_equal(domains[0], "lan.example.com");
}

/* ---- MTU ---- */

static void the_mtu_is_the_suite_s_unless_the_profile_says(void **state)
{
    g_autoptr(HelperPlan) suite = finish(begin(""));
    assert_int_equal(suite->mtu, 1422);
    g_autoptr(HelperPlan) own = finish(begin("[Network]\nMTU=1300\n"));
    assert_int_equal(own->mtu, 1300);
    Case *c = begin("");
    c->mtu = 0;
    g_autoptr(HelperPlan) unknown = finish(c);
    assert_int_equal(unknown->mtu, TUNNEL_MTU_FALLBACK);
}

static void an_absurd_mtu_is_brought_within_what_the_helper_takes(void **state)
{
    Case *c = begin("");
    c->mtu = 100;
    g_autoptr(HelperPlan) small = finish(c);
    assert_int_equal(small->mtu, HELPER_PLAN_MTU_MIN);
}

static void with_ipv6_inside_the_interface_keeps_what_ipv6_needs(void **state)
{
    for (int own = 0; own < 2; own++) {
        Case *c = begin(own ? "[Network]\nMTU=1000\n" : "");
        c->config.address6 = kit_address("fd00:20::7");
        c->mtu = 1200;
        g_autoptr(HelperPlan) plan = finish(c);
        assert_int_equal(plan->mtu, TUNNEL_MTU_LEAST6);
    }
}

/* ---- equality ---- */

/* A reconnect that changes nothing must not touch the network; whatever changes must. */
static void plans_are_equal_only_when_nothing_differs(void **state)
{
    g_autoptr(HelperPlan) a = finish(begin(""));
    g_autoptr(HelperPlan) b = finish(begin(""));
    assert_true(tunnel_plan_equal(a, b));
    Case *c = begin("");
    c->config.address = kit_address("10.20.1.8");
    g_autoptr(HelperPlan) address = finish(c);
    assert_false(tunnel_plan_equal(a, address));
    c = begin("");
    add_include(c, "10.0.0.0/8");
    g_autoptr(HelperPlan) route = finish(c);
    assert_false(tunnel_plan_equal(a, route));
    c = begin("");
    add_dns(c, "10.10.0.53");
    g_autoptr(HelperPlan) dns = finish(c);
    assert_false(tunnel_plan_equal(a, dns));
    c = begin("");
    c->mtu = 1400;
    g_autoptr(HelperPlan) mtu = finish(c);
    assert_false(tunnel_plan_equal(a, mtu));
    g_autoptr(HelperPlan) exclude = finish(begin("[Network]\nExclude=192.168.1.0/24\n"));
    assert_false(tunnel_plan_equal(a, exclude));
}

/* ---- the user's own network ---- */

static void add_local(Case *c, const char *network)
{
    c->config.local_lans[c->config.local_lans_n++] = kit_network(network);
}

static void assert_local(const HelperPlan *plan, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char one[PLATFORM_ADDRESS_TEXT];
    for (guint i = 0; i < plan->local->len; i++)
        g_string_append_printf(
            text, "%s%s", i > 0 ? " " : "",
            platform_prefix_format(&g_array_index(plan->local, PlatformPrefix, i), one));
    assert_string_equal(text->str, expected);
}

static void a_part_of_the_internet_is_nobody_s_own_network(void **state)
{
    Case *c = begin("");
    add_local(c, "0.0.0.0/0");
    add_local(c, "0.0.0.0/1");
    add_local(c, "128.0.0.0/1");
    add_local(c, "192.0.0.0/7");
    add_local(c, "127.0.0.0/8");
    add_local(c, "224.0.0.0/8");
    add_local(c, "127.0.0.1/32");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_local(plan, "");
    assert_int_equal(plan->exclude->len, 0);
}

/* What the gateway allows is the helper's to compare with the links; it is no exclusion. */
static void the_user_s_own_network_is_left_to_the_helper(void **state)
{
    Case *c = begin("");
    add_local(c, "192.168.1.0/24");
    add_local(c, "0.0.0.0/32");
    add_local(c, "192.168.1.0/24");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_local(plan, "192.168.1.0/24 0.0.0.0/0");
    assert_int_equal(plan->exclude->len, 0);
    assert_routes(plan, "0.0.0.0/0");
}

static void a_kill_switch_leaves_no_network_outside(void **state)
{
    Case *c = begin("");
    c->profile->kill_switch = DIALTONE_KILL_SWITCH_YES;
    add_local(c, "0.0.0.0/32");
    add_local(c, "192.168.1.0/24");
    g_autoptr(HelperPlan) plan = finish(c);
    assert_local(plan, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_any_word_of_networks_everything_goes_through),
        cmocka_unit_test(networks_of_the_profile_win_over_split_include),
        cmocka_unit_test(split_include_wins_over_what_the_sa_covers),
        cmocka_unit_test(an_sa_that_was_narrowed_takes_only_its_network),
        cmocka_unit_test(bits_behind_the_prefix_of_a_split_include_are_cut_off),
        cmocka_unit_test(a_prefix_beyond_the_address_is_a_host),
        cmocka_unit_test(loopback_link_local_and_multicast_stay_out),
        cmocka_unit_test(networks_of_a_family_without_an_address_are_left_out),
        cmocka_unit_test(excluded_networks_are_the_profile_s),
        cmocka_unit_test(the_inner_address_is_a_host_whatever_netmask_came),
        cmocka_unit_test(an_inner_address_that_no_interface_can_have_is_a_failure),
        cmocka_unit_test(an_address_of_the_profile_s_own_needs_no_gateway),
        cmocka_unit_test(the_gateway_in_use_is_named),
        cmocka_unit_test(auto_takes_the_gateway_s_servers_once_each),
        cmocka_unit_test(none_takes_no_server),
        cmocka_unit_test(servers_of_the_profile_win),
        cmocka_unit_test(a_server_that_is_no_host_is_left_out),
        cmocka_unit_test(a_server_outside_the_split_gets_a_route),
        cmocka_unit_test(a_server_that_no_sa_reaches_is_left_out),
        cmocka_unit_test(a_server_in_an_excluded_network_gets_none),
        cmocka_unit_test(a_full_tunnel_sends_every_name_there),
        cmocka_unit_test(split_dns_sends_only_its_names_there),
        cmocka_unit_test(without_split_dns_every_name_goes_there),
        cmocka_unit_test(names_that_are_no_host_names_are_left_out),
        cmocka_unit_test(more_domains_than_there_is_room_for_are_cut),
        cmocka_unit_test(the_root_domain_is_not_told_to_users),
        cmocka_unit_test(the_mtu_is_the_suite_s_unless_the_profile_says),
        cmocka_unit_test(with_ipv6_inside_the_interface_keeps_what_ipv6_needs),
        cmocka_unit_test(an_absurd_mtu_is_brought_within_what_the_helper_takes),
        cmocka_unit_test(plans_are_equal_only_when_nothing_differs),
        cmocka_unit_test(a_part_of_the_internet_is_nobody_s_own_network),
        cmocka_unit_test(the_user_s_own_network_is_left_to_the_helper),
        cmocka_unit_test(a_kill_switch_leaves_no_network_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
