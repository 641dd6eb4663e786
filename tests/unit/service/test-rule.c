/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules decide. Relied on by whoever thinks that a tunnel is up in a cafe, and by whoever has
 * just disconnected one: a network that looks like a trusted one is none, what is not known is not
 * guessed, and a user's hand is never worked against. */
#include "service-kit.h"

#include <string.h>

#include "client/profile/parse.h"
#include "client/service/rule.h"

#define UUID "5d2b0c3e-7d53-4a4a-9f0f-b1c8f1f3f001"

static DialtoneProfile *parse(const char *rules)
{
    g_autofree char *text = g_strconcat("[Gateway]\nAddress=192.0.2.1\n[Identity]\nID=a@b.example\n"
                                        "Auth=psk\n[Rules]\n",
                                        rules, NULL);
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "F", NULL);
    assert_non_null(profile);
    return profile;
}

static GPtrArray *joined_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)platform_joined_network_free);
}

static void join(GPtrArray *joined, const char *id, const char *ssid, bool primary)
{
    PlatformJoinedNetwork *network = g_new0(PlatformJoinedNetwork, 1);
    *network =
        (PlatformJoinedNetwork){.id = g_strdup(id),
                                .uuid = g_strdup(id[0] != '\0' ? UUID : ""),
                                .ssid = ssid != NULL ? g_bytes_new(ssid, strlen(ssid)) : NULL,
                                .primary = primary};
    g_ptr_array_add(joined, network);
}

typedef struct Joined {
    const char *rules, *id, *ssid;
    ServicePlace place;
} Joined;

static void only_the_very_network_is_the_one_that_is_named(void **state)
{
    static const Joined CASES[] = {
        {"Trusted=ssid:Office\n", "Any", "Office", SERVICE_PLACE_TRUSTED},
        {"Trusted=ssid:Office\n", "Any", "office", SERVICE_PLACE_UNTRUSTED},
        {"Trusted=ssid:Office\n", "Any", "Office ", SERVICE_PLACE_UNTRUSTED},
        {"Trusted=ssid:Office\n", "Any", "Offic", SERVICE_PLACE_UNTRUSTED},
        {"Trusted=ssid:Office\n", "Any", "Office2", SERVICE_PLACE_UNTRUSTED},
        /* A connection may be called as the SSID is; it is another thing. */
        {"Trusted=ssid:Office\n", "Office", NULL, SERVICE_PLACE_UNTRUSTED},
        {"Trusted=network:Office\n", "Any", "Office", SERVICE_PLACE_UNTRUSTED},
        {"Trusted=network:Office\n", "Office", NULL, SERVICE_PLACE_TRUSTED},
        {"Trusted=network:Office\n", "OFFICE", NULL, SERVICE_PLACE_UNTRUSTED},
        {"Trusted=network:" UUID "\n", "Any", NULL, SERVICE_PLACE_TRUSTED},
        {"Trusted=network:5D2B0C3E-7D53-4A4A-9F0F-B1C8F1F3F001\n", "Any", NULL,
         SERVICE_PLACE_TRUSTED},
        {"Trusted=network:" UUID "\n", "", NULL, SERVICE_PLACE_UNTRUSTED},
        {"Trusted=ssid:0x4f6666696365\n", "Any", "Office", SERVICE_PLACE_TRUSTED},
        {"Trusted=ssid:0x4f66003b\n", "Any", "Of", SERVICE_PLACE_UNTRUSTED},
        {"Trusted=ssid:0xff3b\n", "Any", "\xff;", SERVICE_PLACE_TRUSTED},
        {"Trusted=ssid:B\xc3\xbcro, 1. Stock #2\n", "Any", "B\xc3\xbcro, 1. Stock #2",
         SERVICE_PLACE_TRUSTED},
        /* Never wins. */
        {"Trusted=ssid:Office\nNever=network:Any\n", "Any", "Office", SERVICE_PLACE_NEVER},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(DialtoneProfile) profile = parse(CASES[i].rules);
        g_autoptr(GPtrArray) joined = joined_new();
        const DialtonePlace *by = NULL;
        join(joined, CASES[i].id, CASES[i].ssid, true);
        assert_int_equal(service_rule_place(profile, joined, &by), CASES[i].place);
        assert_int_equal(by != NULL, CASES[i].place != SERVICE_PLACE_UNTRUSTED);
    }
}

static void what_is_not_known_is_no_place(void **state)
{
    g_autoptr(DialtoneProfile) profile = parse("Trusted=ssid:Office\nNever=ssid:Lab\n");
    g_autoptr(GPtrArray) joined = joined_new();
    const DialtonePlace *by = NULL;
    assert_int_equal(service_rule_place(profile, NULL, &by), SERVICE_PLACE_UNKNOWN);
    assert_int_equal(service_rule_place(profile, joined, &by), SERVICE_PLACE_NOWHERE);
    join(joined, "Any", "Office", false);
    assert_int_equal(service_rule_place(profile, joined, &by), SERVICE_PLACE_NOWHERE);
    assert_null(service_rule_network(NULL));
    assert_null(service_rule_network(joined));
}

static void a_second_network_is_not_trusted_for_the_first_and_forbids_all_the_same(void **state)
{
    g_autoptr(DialtoneProfile) profile = parse("Trusted=ssid:Office\nNever=ssid:Lab\n");
    g_autoptr(GPtrArray) joined = joined_new();
    const DialtonePlace *by = NULL;
    join(joined, "Cable", NULL, true);
    join(joined, "Any", "Office", false);
    assert_int_equal(service_rule_place(profile, joined, &by), SERVICE_PLACE_UNTRUSTED);
    join(joined, "Any", "Lab", false);
    assert_int_equal(service_rule_place(profile, joined, &by), SERVICE_PLACE_NEVER);
    assert_string_equal(by->written, "ssid:Lab");
}

static void networks_are_told_apart_by_all_that_is_known_of_them(void **state)
{
    g_autoptr(GPtrArray) one = joined_new();
    g_autoptr(GPtrArray) two = joined_new();
    join(one, "Any", "Office", true);
    join(two, "Any", NULL, true);
    g_autofree char *first = service_rule_network(one);
    g_autofree char *second = service_rule_network(two);
    assert_string_not_equal(first, second);
    assert_string_equal(first, UUID " 4f6666696365");
}

/* Every combination, against the rules in words. */
static ServiceRuleAct expected(const ServiceRuleFacts *f)
{
    bool free = !f->wanted && !f->held;
    if (f->place == SERVICE_PLACE_UNKNOWN || f->place == SERVICE_PLACE_NOWHERE)
        return SERVICE_RULE_LEAVE;
    if (f->place == SERVICE_PLACE_NEVER)
        return !f->wanted   ? SERVICE_RULE_LEAVE
               : f->by_rule ? SERVICE_RULE_DISCONNECT
                            : SERVICE_RULE_REFUSE;
    if (f->rule == DIALTONE_RULE_MANUAL)
        return SERVICE_RULE_LEAVE;
    if (f->place == SERVICE_PLACE_TRUSTED && f->rule == DIALTONE_RULE_UNTRUSTED)
        return f->wanted && f->by_rule ? SERVICE_RULE_DISCONNECT : SERVICE_RULE_LEAVE;
    return free ? SERVICE_RULE_CONNECT : SERVICE_RULE_LEAVE;
}

static void every_combination_is_decided_as_it_is_written(void **state)
{
    guint seen[4] = {0};
    for (guint i = 0; i < 3 * 5 * 8; i++) {
        const ServiceRuleFacts facts = {.rule = (DialtoneRule)(i % 3),
                                        .place = (ServicePlace)(i / 3 % 5),
                                        .wanted = i / 15 & 1,
                                        .by_rule = i / 30 & 1,
                                        .held = i / 60 & 1};
        ServiceRuleAct act = service_rule_decide(&facts);
        assert_int_equal(act, expected(&facts));
        seen[act]++;
    }
    for (guint i = 0; i < G_N_ELEMENTS(seen); i++)
        assert_true(seen[i] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_very_network_is_the_one_that_is_named),
        cmocka_unit_test(what_is_not_known_is_no_place),
        cmocka_unit_test(a_second_network_is_not_trusted_for_the_first_and_forbids_all_the_same),
        cmocka_unit_test(networks_are_told_apart_by_all_that_is_known_of_them),
        cmocka_unit_test(every_combination_is_decided_as_it_is_written),
    };
    return cmocka_run_group_tests_name("service rule", tests, NULL, NULL);
}
