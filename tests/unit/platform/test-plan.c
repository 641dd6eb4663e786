// SPDX-License-Identifier: GPL-2.0-or-later
/* The arguments of Apply: what is refused, and that what one side writes the other reads. */
#include "kit.h"

#include "platform/helper/error.h"
#include "platform/helper-plan.h"

#include <string.h>

/* A plan as texts of GVariants, in the order of the arguments. */
typedef struct Texts {
    guint mtu;
    const char *addresses, *routes, *exclude, *dns, *domains, *gateways, *options;
} Texts;

static const Texts good = {
    1400,
    "[([byte 10,1,2,3], 32)]",
    "[([byte 10,0,0,0], 8), ([byte 0,0,0,0], 0)]",
    "[([byte 192,168,1,0], 24)]",
    "[[byte 10,1,0,53]]",
    "[('corp.example', false), ('.', true)]",
    "[[byte 192,0,2,1]]",
    "{}",
};

static GVariant *variant(const char *type, const char *text)
{
    GError *error = NULL;
    GVariant *value = g_variant_parse(G_VARIANT_TYPE(type), text, NULL, NULL, &error);

    if (error)
        print_message("%s: %s\n", text, error->message);
    assert_null(error);
    return value;
}

static HelperPlan *read_plan(const Texts *texts, GError **error)
{
    HelperPlanArguments arguments = {
        texts->mtu,
        variant("a(ayu)", texts->addresses),
        variant("a(ayu)", texts->routes),
        variant("a(ayu)", texts->exclude),
        variant("aay", texts->dns),
        variant("a(sb)", texts->domains),
        variant("aay", texts->gateways),
        variant("a{sv}", texts->options),
    };
    HelperPlan *plan = helper_plan_from_arguments(&arguments, error);

    g_variant_unref(arguments.addresses);
    g_variant_unref(arguments.routes);
    g_variant_unref(arguments.exclude);
    g_variant_unref(arguments.dns);
    g_variant_unref(arguments.domains);
    g_variant_unref(arguments.gateways);
    g_variant_unref(arguments.options);
    return plan;
}

static void assert_refused(const Texts *texts, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HelperPlan) plan = read_plan(texts, &error);

    if (plan)
        print_message("%s was taken\n", what);
    assert_null(plan);
    assert_true(g_error_matches(error, HELPER_ERROR, HELPER_ERROR_INVALID_ARGUMENT));
}

static void test_a_good_plan_is_read_whole(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HelperPlan) plan = read_plan(&good, &error);

    assert_non_null(plan);
    assert_int_equal(plan->mtu, 1400);
    assert_int_equal(plan->addresses->len, 1);
    assert_int_equal(plan->routes->len, 2);
    assert_int_equal(plan->exclude->len, 1);
    assert_int_equal(plan->gateways->len, 1);
    assert_int_equal(plan->dns.n_servers, 1);
    assert_int_equal(plan->dns.n_domains, 2);
    assert_string_equal(plan->dns.domains[0].name, "corp.example");
    assert_false(plan->dns.domains[0].routing_only);
    assert_true(plan->dns.domains[1].routing_only);
    assert_true(helper_plan_is_full(plan, AF_INET));
    assert_false(helper_plan_is_full(plan, AF_INET6));
}

static void test_mtus_outside_the_range_are_refused(void **state)
{
    static const guint bad[] = {0, 1, 575, 9001, 65536, G_MAXUINT32};
    Texts texts = good;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        texts.mtu = bad[i];
        assert_refused(&texts, "an mtu");
    }
    texts.mtu = 576;
    g_autoptr(HelperPlan) least = read_plan(&texts, NULL);

    assert_non_null(least);
    texts.mtu = 9000;
    g_autoptr(HelperPlan) most = read_plan(&texts, NULL);

    assert_non_null(most);
}

static void test_addresses_that_no_interface_can_have_are_refused(void **state)
{
    static const char *const bad[] = {
        "[]",
        "[([], 32)]",
        "[([byte 10], 8)]",
        "[([byte 10,1,2,3,4], 32)]",
        "[([byte 10,1,2,3], 0)]",
        "[([byte 10,1,2,3], 33)]",
        "[([byte 10,1,2,3], 4294967295)]",
        "[([byte 0,0,0,0], 32)]",
        "[([byte 127,0,0,1], 8)]",
        "[([byte 169,254,1,1], 16)]",
        "[([byte 224,0,0,1], 32)]",
        "[([byte 255,255,255,255], 32)]",
        "[([byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1], 128)]",
        "[([byte 0xfe,0x80,0,0,0,0,0,0,0,0,0,0,0,0,0,1], 64)]",
        "[([byte 0x20,1,0xd,0xb8,0,0,0,0,0,0,0,0,0,0,0,1], 129)]",
        "[([byte 10,1,2,3], 32), ([byte 10,1,2,3], 0)]",
    };
    Texts texts = good;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        texts.addresses = bad[i];
        assert_refused(&texts, bad[i]);
    }
}

static void test_networks_that_cannot_be_routed_are_refused(void **state)
{
    static const char *const bad[] = {
        "[([byte 10,0,0,1], 8)]",
        "[([byte 10,0,0,0], 33)]",
        "[([byte 1,0,0,0], 0)]",
        "[([byte 0,0,0,0], 8)]",
        "[([byte 127,0,0,0], 8)]",
        "[([byte 127,0,0,1], 32)]",
        "[([byte 224,0,0,0], 8)]",
        "[([byte 224,0,0,0], 4)]",
        "[([byte 240,0,0,0], 4)]",
        "[([byte 255,255,255,255], 32)]",
        "[([byte 169,254,0,0], 16)]",
        "[([byte 0xfe,0x80,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 64)]",
        "[([byte 0xff,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 16)]",
        "[([byte 0xfe,0x80,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 10)]",
        "[([byte 0xff,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 8)]",
        "[([byte 10,0], 8)]",
    };
    Texts routes = good, exclude = good;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        routes.routes = bad[i];
        assert_refused(&routes, bad[i]);
        exclude.exclude = bad[i];
        assert_refused(&exclude, bad[i]);
    }
}

/* Everything but 192.168.0.0/16, say. */
static void test_large_parts_of_everything_can_be_routed(void **state)
{
    static const char *const parts[] = {
        "[([byte 0,0,0,0], 0)]",
        "[([byte 0,0,0,0], 1), ([byte 128,0,0,0], 1)]",
        "[([byte 0,0,0,0], 5), ([byte 8,0,0,0], 7), ([byte 224,0,0,0], 3)]",
        "[([byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 3)]",
        "[([byte 0x20,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], 3)]",
    };
    Texts texts = good;

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        texts.routes = parts[i];
        g_autoptr(HelperPlan) plan = read_plan(&texts, NULL);

        assert_non_null(plan);
    }
}

static void test_e4_servers_and_domains_that_are_none_are_refused(void **state)
{
    static const char *const servers[] = {
        "[[byte 10,1]]", "[[]]", "[[byte 127,0,0,53]]", "[[byte 0,0,0,0]]", "[[byte 224,0,0,251]]",
    };
    static const char *const domains[] = {
        "[('', false)]",      "[('.', false)]",   "[('a b', true)]",
        "[('a\\nb', false)]", "[('a..b', true)]", "[('10.0.0.1', false)]",
        "[('..', true)]",     "[('-a', true)]",   "[('\\u00e4', true)]",
    };
    Texts texts = good;

    for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
        texts.dns = servers[i];
        assert_refused(&texts, servers[i]);
    }
    texts = good;
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
        texts.domains = domains[i];
        assert_refused(&texts, domains[i]);
    }
}

static void test_gateways_and_options_that_are_none_are_refused(void **state)
{
    Texts texts = good;

    texts.gateways = "[]";
    assert_refused(&texts, "no gateway");
    texts.gateways = "[[byte 1,2,3]]";
    assert_refused(&texts, "a short gateway");
    texts = good;
    texts.options = "{'persist': <true>}";
    assert_refused(&texts, "an option");
    texts.options = "{'local': <true>}";
    assert_refused(&texts, "another type");
    texts.options = "{'local': <@a(ayu) []>}";
    assert_refused(&texts, "no network");
    texts.options = "{'local': <@a(ayu) [([byte 192,168,1,1], 24)]>}";
    assert_refused(&texts, "bits behind the prefix");
    texts.options = "{'local': <@a(ayu) [([byte 127,0,0,0], 8)]>}";
    assert_refused(&texts, "a loopback network");
    texts.options = "{'local': <@a(ayu) [([byte 192,168,1,0], 24)]>, 'more': <true>}";
    assert_refused(&texts, "an option beside one that is known");
}

static void test_local_networks_are_read(void **state)
{
    Texts texts = good;
    g_autoptr(GError) error = NULL;

    texts.options = "{'local': <@a(ayu) [([byte 192,168,1,0], 24), ([byte 0,0,0,0], 0)]>}";
    g_autoptr(HelperPlan) plan = read_plan(&texts, &error);
    assert_non_null(plan);
    assert_int_equal(plan->local->len, 2);
    assert_int_equal(g_array_index(plan->local, PlatformPrefix, 0).length, 24);
}

/* "[item, item, ...]" */
static char *repeat(const char *item, unsigned n)
{
    GString *text = g_string_new("[");

    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i ? "," : "", item);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void assert_limit(size_t offset, const char *item, unsigned max)
{
    for (unsigned n = max; n <= max + 1; n++) {
        Texts texts = good;
        g_autofree char *list = repeat(item, n);
        g_autoptr(GError) error = NULL;

        *(const char **)(void *)((char *)&texts + offset) = list;
        g_autoptr(HelperPlan) plan = read_plan(&texts, &error);

        assert_int_equal(plan != NULL, n == max);
    }
}

static void test_each_list_ends_at_its_limit(void **state)
{
    assert_limit(offsetof(Texts, addresses), "([byte 10,1,2,3], 32)", HELPER_PLAN_ADDRESSES);
    assert_limit(offsetof(Texts, routes), "([byte 10,0,0,0], 8)", HELPER_PLAN_ROUTES);
    assert_limit(offsetof(Texts, exclude), "([byte 10,0,0,0], 8)", HELPER_PLAN_EXCLUDE);
    assert_limit(offsetof(Texts, dns), "[byte 10,0,0,1]", PLATFORM_DNS_SERVERS);
    assert_limit(offsetof(Texts, domains), "('a.example', true)", PLATFORM_DNS_DOMAINS);
    assert_limit(offsetof(Texts, gateways), "[byte 10,0,0,1]", HELPER_PLAN_GATEWAYS);
}

/* Bytes that no GVariant text can give: the serialised form itself is damaged. */
static void test_damaged_serialised_arguments_are_survived(void **state)
{
    GRand *rand = g_rand_new_with_seed(5);
    g_autoptr(GVariant) routes = variant("a(ayu)", good.routes);
    g_autoptr(GVariant) domains = variant("a(sb)", good.domains);

    for (int i = 0; i < 20000; i++) {
        GVariant *damaged[2];
        GVariant *const sources[2] = {routes, domains};

        for (int k = 0; k < 2; k++) {
            gsize n = g_variant_get_size(sources[k]);
            g_autofree uint8_t *bytes = g_memdup2(g_variant_get_data(sources[k]), n);

            bytes[g_rand_int_range(rand, 0, (gint32)n)] = (uint8_t)g_rand_int(rand);
            g_autoptr(GBytes) held = g_bytes_new(bytes, n);

            damaged[k] = g_variant_ref_sink(
                g_variant_new_from_bytes(g_variant_get_type(sources[k]), held, FALSE));
        }
        g_autoptr(GVariant) addresses = variant("a(ayu)", good.addresses);
        g_autoptr(GVariant) exclude = variant("a(ayu)", "[]");
        g_autoptr(GVariant) dns = variant("aay", good.dns);
        g_autoptr(GVariant) gateways = variant("aay", good.gateways);
        g_autoptr(GVariant) options = variant("a{sv}", "{}");
        const HelperPlanArguments arguments = {1400, addresses,  damaged[0], exclude,
                                               dns,  damaged[1], gateways,   options};
        g_autoptr(HelperPlan) plan = helper_plan_from_arguments(&arguments, NULL);

        if (plan)
            assert_true(plan->routes->len <= HELPER_PLAN_ROUTES);
        g_variant_unref(damaged[0]);
        g_variant_unref(damaged[1]);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_plan_is_read_whole),
        cmocka_unit_test(test_mtus_outside_the_range_are_refused),
        cmocka_unit_test(test_addresses_that_no_interface_can_have_are_refused),
        cmocka_unit_test(test_networks_that_cannot_be_routed_are_refused),
        cmocka_unit_test(test_large_parts_of_everything_can_be_routed),
        cmocka_unit_test(test_e4_servers_and_domains_that_are_none_are_refused),
        cmocka_unit_test(test_gateways_and_options_that_are_none_are_refused),
        cmocka_unit_test(test_local_networks_are_read),
        cmocka_unit_test(test_each_list_ends_at_its_limit),
        cmocka_unit_test(test_damaged_serialised_arguments_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
