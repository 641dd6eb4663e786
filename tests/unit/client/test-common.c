/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, reasons, reports. Scripts match on what is printed here, so the names are compared with
 * the contract's own words; and what a gateway sends goes through here on its way to terminals,
 * logs and JSON, so the strings are hostile.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <json-glib/json-glib.h>

#include "client/common/failure.h"
#include "client/common/report.h"
#include "client/common/state.h"
#include "client/common/text.h"
#include "client/profile/weak.h"

/* ---- names ---- */

static void test_states_have_the_names_that_scripts_match(void **state)
{
    static const char words[] = "idle resolving phase1 user-auth config phase2 connected "
                                "reconnecting needs-secrets disconnecting failed";
    g_auto(GStrv) names = g_strsplit(words, " ", -1);

    assert_int_equal(g_strv_length(names), DIALTONE_STATE_N);
    for (guint i = 0; i < DIALTONE_STATE_N; i++) {
        DialtoneState back = DIALTONE_STATE_N;
        assert_string_equal(dialtone_state_name((DialtoneState)i), names[i]);
        assert_true(dialtone_state_from_name(names[i], &back));
        assert_int_equal(back, i);
        assert_true(*dialtone_state_sentence((DialtoneState)i) != '\0');
    }
}

static void test_reasons_are_the_exit_codes(void **state)
{
    static const char *const names[] = {"",
                                        "internal",
                                        "usage",
                                        "profile-invalid",
                                        "secret-missing",
                                        "unreachable",
                                        "no-proposal-chosen",
                                        "gateway-authentication",
                                        "user-authentication",
                                        "phase2-refused",
                                        "not-permitted",
                                        "tunnel-lost",
                                        "policy"};

    assert_int_equal(G_N_ELEMENTS(names), DIALTONE_FAILURE_N);
    for (guint i = 1; i < DIALTONE_FAILURE_N; i++) {
        DialtoneFailure back = DIALTONE_FAILURE_NONE;
        assert_string_equal(dialtone_failure_name((DialtoneFailure)i), names[i]);
        assert_true(dialtone_failure_from_name(names[i], &back));
        assert_int_equal(back, i);
    }
}

static void test_unknown_names_are_refused_and_change_nothing(void **state)
{
    DialtoneState a = DIALTONE_STATE_PHASE2;
    DialtoneFailure b = DIALTONE_FAILURE_POLICY;

    assert_false(dialtone_state_from_name("Connected", &a));
    assert_false(dialtone_state_from_name(NULL, &a));
    assert_false(dialtone_failure_from_name("", &b));
    assert_false(dialtone_failure_from_name(NULL, &b));
    assert_int_equal(a, DIALTONE_STATE_PHASE2);
    assert_int_equal(b, DIALTONE_FAILURE_POLICY);
    assert_string_equal(dialtone_failure_name((DialtoneFailure)99), "internal");
    assert_string_equal(dialtone_state_name((DialtoneState)99), "failed");
}

static void test_an_error_keeps_its_advice_when_copied(void **state)
{
    g_autoptr(GError) error = NULL;

    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, "Look at Address.", "no %s",
                         "answer");
    dialtone_failure_set_remedy(error, DIALTONE_REMEDY_DIAGNOSE);
    g_autoptr(GError) copy = g_error_copy(error);
    g_clear_error(&error);
    assert_string_equal(copy->message, "no answer");
    assert_string_equal(dialtone_failure_advice(copy), "Look at Address.");
    assert_int_equal(dialtone_failure_remedy(copy), DIALTONE_REMEDY_DIAGNOSE);
    assert_int_equal(dialtone_failure_of(copy), 5);
}

static void test_an_advice_has_a_part_for_the_administrator(void **state)
{
    static const struct {
        const char *advice, *for_user, *configuration, *longer;
    } rows[] = {
        {NULL, "", NULL, "Diagnose."},
        {"", "", NULL, "Diagnose."},
        {"Ask.\nOr wait.", "Ask.\nOr wait.", NULL, "Ask.\nOr wait.\nDiagnose."},
        {"Ask.\n\nset a\nset b", "Ask.", "set a\nset b", "Ask.\nDiagnose.\n\nset a\nset b"},
        {"\n\nset a", "", "set a", "Diagnose.\n\nset a"},
        {"Ask.\n\n", "Ask.", NULL, "Ask.\nDiagnose.\n\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *for_user = dialtone_advice_for_user(rows[i].advice);
        g_autofree char *longer = dialtone_advice_add(rows[i].advice, "Diagnose.");
        const char *configuration = dialtone_advice_configuration(rows[i].advice);
        assert_string_equal(for_user, rows[i].for_user);
        assert_int_equal(g_strcmp0(configuration, rows[i].configuration), 0);
        assert_string_equal(longer, rows[i].longer);
    }
}

static void test_other_errors_are_faults_of_ours(void **state)
{
    g_autoptr(GError) error = g_error_new_literal(G_FILE_ERROR, 7, "x");

    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_INTERNAL);
    assert_int_equal(dialtone_failure_of(NULL), DIALTONE_FAILURE_INTERNAL);
    assert_null(dialtone_failure_advice(error));
    assert_null(dialtone_failure_advice(NULL));
    dialtone_failure_set(NULL, DIALTONE_FAILURE_USAGE, NULL, "nobody listens");
}

/* ---- strings of others ---- */

static const struct {
    const char *dirty;
    const char *line;
} TEXTS[] = {
    {"plain", "plain"},
    {"a\x1b[31mred\x1b[0m", "a[31mred[0m"},
    {"a\nb\tc\rd", "a b cd"},
    {"bell\a back\b del\x7f", "bell back del"},
    {"c1 \xc2\x9b"
     "31m",
     "c1 31m"},
    {"bidi \xe2\x80\xae"
     "gnp.exe",
     "bidi gnp.exe"},
    {"isolate \xe2\x81\xa6"
     "x\xe2\x81\xa9",
     "isolate x"},
    {"line\xe2\x80\xa8sep\xe2\x80\xa9", "linesep"},
    {"latin1 \xe9 end", "latin1  end"},
    {"cut \xe2\x82", "cut "},
    {"overlong \xc0\xaf", "overlong "},
    {"surrogate \xed\xa0\x80", "surrogate "},
    {"%s%n%p", "%s%n%p"},
    {"<b>markup</b>", "<b>markup</b>"},
    {"日本語 🗝", "日本語 🗝"},
    {"", ""},
};

static void test_hostile_strings_become_one_clean_line(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autofree char *clean =
            dialtone_text_clean(TEXTS[i].dirty, strlen(TEXTS[i].dirty), 1000, DIALTONE_TEXT_LINE);
        assert_string_equal(clean, TEXTS[i].line);
        assert_true(dialtone_text_is_clean(clean));
        assert_int_equal(dialtone_text_is_clean(TEXTS[i].dirty),
                         strcmp(TEXTS[i].dirty, TEXTS[i].line) == 0);
    }
}

static void test_a_nul_inside_is_dropped(void **state)
{
    g_autofree char *clean = dialtone_text_clean("a\0b", 3, 10, DIALTONE_TEXT_LINE);
    assert_string_equal(clean, "ab");
}

static void test_a_text_is_cut_between_characters(void **state)
{
    for (gsize max = 0; max <= 12; max++) {
        g_autofree char *clean = dialtone_text_clean("a\xe2\x82\xac"
                                                     "b\xe2\x82\xac",
                                                     8, max, DIALTONE_TEXT_LINE);
        assert_true(strlen(clean) <= max);
        assert_true(g_utf8_validate(clean, -1, NULL));
    }
}

static void test_any_bytes_become_clean_text(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (guint round = 0; round < 5000; round++) {
        gsize n = (gsize)g_rand_int_range(random, 0, 64);
        g_autofree char *bytes = g_malloc(MAX(n, 1));
        for (gsize i = 0; i < n; i++)
            bytes[i] = (char)g_rand_int_range(random, 0, 256);
        g_autofree char *exact = g_memdup2(bytes, n);
        g_autofree char *clean = dialtone_text_clean(exact, n, 40, DIALTONE_TEXT_LINE);
        assert_true(dialtone_text_is_clean(clean));
        assert_true(strlen(clean) <= 40);
    }
}

static void test_the_nearest_word_is_what_was_meant(void **state)
{
    static const char *const words[] = {"Address",    "RemoteID", "Proposals", "Lifetime",
                                        "LifetimeKB", "MTU",      NULL};
    static const struct {
        const char *typed, *meant;
    } typos[] = {
        {"Adress", "Address"},
        {"address", "Address"},
        {"Addresses", "Address"},
        {"RemoteId", "RemoteID"},
        {"Proposal", "Proposals"},
        {"Lifetiem", "Lifetime"},
        {"lifetimekb", "LifetimeKB"},
        {"MUT", "MTU"},
        {"Bananas", NULL},
        {"", NULL},
        {"x", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(typos); i++) {
        const char *near = dialtone_text_nearest(typos[i].typed, words);
        if (g_strcmp0(near, typos[i].meant) != 0)
            fail_msg("%s gave %s", typos[i].typed, near != NULL ? near : "nothing");
    }
    g_autofree char *huge = g_strnfill(100000, 'A');
    assert_null(dialtone_text_nearest(huge, words));
}

/* ---- reports ---- */

static JsonObject *parse(const char *json, JsonParser *parser)
{
    assert_null(strchr(json, '\n'));
    assert_true(json_parser_load_from_data(parser, json, -1, NULL));
    return json_node_get_object(json_parser_get_root(parser));
}

static DialtoneReport *connected(void)
{
    DialtoneReport *report = dialtone_report_new(DIALTONE_STATE_CONNECTED, "Head office");

    report->time_us = G_GINT64_CONSTANT(1700000000123456);
    report->interface = g_strdup("dialtone0");
    report->address = g_strdup("10.1.2.3/32");
    report->dns = g_strsplit("10.0.0.53 10.0.0.54", " ", -1);
    report->domains = g_strsplit("corp.example", " ", -1);
    report->routes = g_strsplit("10.0.0.0/8 192.168.5.0/24", " ", -1);
    report->gateway = g_strdup("192.0.2.1:4500");
    report->nat = DIALTONE_NAT_FORCED;
    report->mtu = 1400;
    report->banner = g_strdup("Welcome\nto \"work\" \x1b[31m");
    report->fallback = true;
    report->phase1 = (DialtonePhase1Report){g_strdup("aes256"), g_strdup("sha256"),
                                            g_strdup("modp2048"), g_strdup("xauth-psk"), 28800};
    DialtonePhase2Report *pair = dialtone_report_add_phase2(report);
    pair->encryption = g_strdup("aes256gcm16");
    pair->pfs = g_strdup("modp2048");
    pair->lifetime = 3600;
    pair->local = g_strdup("10.1.2.3/32");
    pair->remote = g_strdup("10.0.0.0/8");
    report->elapsed_ms = 412;
    return report;
}

static void test_a_state_has_four_members(void **state)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_PHASE1, "office");
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(json, parser);
    const char *time = json_object_get_string_member(object, "time");

    assert_int_equal(json_object_get_size(object), 4);
    assert_int_equal(json_object_get_int_member(object, "schema"), 1);
    assert_string_equal(json_object_get_string_member(object, "state"), "phase1");
    assert_string_equal(json_object_get_string_member(object, "profile"), "office");
    assert_int_equal(strlen(time), strlen("2023-11-14T22:13:20.123Z"));
    assert_true(g_str_has_suffix(time, "Z"));
}

static void test_connected_has_every_member_of_the_contract(void **state)
{
    static const char *const members[] = {"schema",   "time",        "state",
                                          "profile",  "interface",   "address",
                                          "address6", "dns",         "domains",
                                          "routes",   "gateway",     "nat",
                                          "mtu",      "banner",      "fallback",
                                          "phase1",   "phase2",      "elapsed_ms",
                                          "weak",     "certificate", "gateway_certificate",
                                          "offloads", "traffic"};
    g_autoptr(DialtoneReport) report = connected();
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(json, parser);
    JsonObject *phase1 = json_object_get_object_member(object, "phase1");
    JsonArray *phase2 = json_object_get_array_member(object, "phase2");
    JsonObject *pair = json_array_get_object_element(phase2, 0);

    assert_int_equal(json_object_get_size(object), G_N_ELEMENTS(members));
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        assert_true(json_object_has_member(object, members[i]));
    assert_string_equal(json_object_get_string_member(object, "time"), "2023-11-14T22:13:20.123Z");
    assert_string_equal(json_object_get_string_member(object, "nat"), "forced");
    assert_true(json_object_get_boolean_member(object, "fallback"));
    assert_true(json_object_get_null_member(object, "address6"));
    assert_string_equal(json_object_get_string_member(object, "banner"),
                        "Welcome\nto \"work\" [31m");
    assert_int_equal(json_object_get_int_member(phase1, "lifetime"), 28800);
    assert_string_equal(json_object_get_string_member(phase1, "group"), "modp2048");
    assert_string_equal(json_object_get_string_member(pair, "remote"), "10.0.0.0/8");
    assert_true(json_object_get_null_member(pair, "integrity"));
    assert_int_equal(json_object_get_int_member(object, "elapsed_ms"), 412);
}

static void test_certificates_are_told_and_when_they_end(void **state)
{
    const gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(DialtoneReport) report = connected();
    report->certificate.subject = g_strdup("C=NL, CN=alice\x1b");
    report->certificate.not_after = now + DIALTONE_EXPIRES_SOON + 60;
    report->gateway_certificate.subject = g_strdup("CN=gw");
    report->gateway_certificate.not_after = now + DIALTONE_EXPIRES_SOON - 60;
    report->gateway_certificate.fingerprint = g_strdup("00ff");
    report->gateway_certificate.issuer = g_strdup("CN=CA");
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(json, parser);
    JsonObject *own = json_object_get_object_member(object, "certificate");
    JsonObject *theirs = json_object_get_object_member(object, "gateway_certificate");
    g_autoptr(DialtoneReport) again = dialtone_report_from_json(json, strlen(json), NULL);

    assert_string_equal(json_object_get_string_member(own, "subject"), "C=NL, CN=alice");
    assert_false(json_object_get_boolean_member(own, "expires_soon"));
    assert_false(json_object_has_member(own, "fingerprint"));
    assert_true(json_object_get_boolean_member(theirs, "expires_soon"));
    assert_non_null(again);
    assert_int_equal(again->certificate.not_after, report->certificate.not_after);
    assert_string_equal(again->gateway_certificate.fingerprint, "00ff");
    assert_string_equal(again->gateway_certificate.issuer, "CN=CA");
}

static void test_failed_has_reason_message_and_advice(void **state)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_PHASE1, "office");
    g_autoptr(GError) error = NULL;

    dialtone_failure_set(&error, DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN, "Ask for aes256.",
                         "Nothing fits.");
    dialtone_report_take_error(report, error);
    g_autofree char *json = dialtone_report_to_json(report);
    g_autofree char *line = dialtone_report_to_line(report);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(json, parser);

    assert_int_equal(json_object_get_size(object), 7);
    assert_string_equal(json_object_get_string_member(object, "reason"), "no-proposal-chosen");
    assert_string_equal(json_object_get_string_member(object, "message"), "Nothing fits.");
    assert_string_equal(json_object_get_string_member(object, "advice"), "Ask for aes256.");
    assert_string_equal(line, "failed: Nothing fits. Ask for aes256.");
}

static void test_a_remedy_survives_the_way_through_json(void **state)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_PHASE1, "office");
    g_autoptr(GError) error = NULL;
    const char *with = "{\"schema\":1,\"state\":\"failed\",\"profile\":\"office\",\"time\":"
                       "\"2026-01-01T00:00:00Z\",\"reason\":\"unreachable\",\"message\":\"\","
                       "\"advice\":\"\",\"remedy\":\"pray\"}";
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, NULL, "No answer.");
    dialtone_failure_set_remedy(error, DIALTONE_REMEDY_DIAGNOSE);
    dialtone_report_take_error(report, error);
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(DialtoneReport) back = dialtone_report_from_json(json, strlen(json), NULL);
    assert_int_equal(back->remedy, DIALTONE_REMEDY_DIAGNOSE);
    g_autoptr(DialtoneReport) newer = dialtone_report_from_json(with, strlen(with), NULL);
    assert_non_null(newer);
    assert_int_equal(newer->remedy, DIALTONE_REMEDY_NONE);
}

static void test_failed_without_a_reason_is_internal(void **state)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_FAILED, "office");
    g_autofree char *json = dialtone_report_to_json(report);

    assert_non_null(strstr(json, "\"reason\":\"internal\""));
}

static void test_a_report_survives_the_way_through_json(void **state)
{
    g_autoptr(DialtoneReport) report = connected();
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneReport) back = dialtone_report_from_json(json, strlen(json), &error);

    assert_non_null(back);
    g_autofree char *again = dialtone_report_to_json(back);
    assert_string_equal(json, again);
}

static void test_every_truncation_of_a_report_is_refused(void **state)
{
    g_autoptr(DialtoneReport) report = connected();
    g_autofree char *json = dialtone_report_to_json(report);

    for (gsize n = 0; n < strlen(json); n++) {
        g_autofree char *exact = g_memdup2(json, n);
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneReport) back = dialtone_report_from_json(exact, n, &error);
        assert_null(back);
        assert_non_null(error);
    }
}

static void test_damaged_reports_are_reports_or_errors(void **state)
{
    g_autoptr(DialtoneReport) report = connected();
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    gsize n = strlen(json);

    for (guint round = 0; round < 3000; round++) {
        g_autofree char *bytes = g_memdup2(json, n);
        g_autoptr(GError) error = NULL;
        bytes[g_rand_int_range(random, 0, (gint32)n)] = (char)g_rand_int_range(random, 0, 256);
        g_autoptr(DialtoneReport) back = dialtone_report_from_json(bytes, n, &error);
        assert_int_equal(back == NULL, error != NULL);
    }
}

#define HEAD                                                                                       \
    "{\"schema\":1,\"time\":\"2023-11-14T22:13:20Z\",\"state\":\"connected\",\"profile\":\"x\""

static void test_wrong_reports_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "null",
        "[]",
        "7",
        "{}",
        "{\"schema\":2,\"time\":\"2023-11-14T22:13:20Z\",\"state\":\"idle\",\"profile\":\"x\"}",
        "{\"schema\":1,\"time\":\"yesterday\",\"state\":\"idle\",\"profile\":\"x\"}",
        "{\"schema\":1,\"time\":\"2023-11-14T22:13:20Z\",\"state\":\"happy\",\"profile\":\"x\"}",
        "{\"schema\":1,\"time\":\"2023-11-14T22:13:20Z\",\"state\":[],\"profile\":\"x\"}",
        HEAD ",\"mtu\":\"1400\"}",
        HEAD ",\"mtu\":-1}",
        HEAD ",\"dns\":\"10.0.0.53\"}",
        HEAD ",\"dns\":[7]}",
        HEAD ",\"nat\":\"maybe\"}",
        HEAD ",\"phase1\":[]}",
        HEAD ",\"phase1\":{\"lifetime\":\"x\"}}",
        HEAD ",\"phase2\":[7]}",
        HEAD ",\"phase2\":{}}",
        HEAD ",\"fallback\":1}",
        HEAD ",\"reason\":\"because\"}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneReport) back =
            dialtone_report_from_json(wrong[i], strlen(wrong[i]), &error);
        if (back != NULL)
            fail_msg("accepted: %s", wrong[i]);
        assert_non_null(error);
    }
}

static void test_unknown_members_of_a_report_are_ignored(void **state)
{
    static const char json[] = HEAD ",\"future\":{\"a\":[1]}}";
    g_autoptr(DialtoneReport) back = dialtone_report_from_json(json, sizeof(json) - 1, NULL);

    assert_non_null(back);
}

static void test_deep_and_large_reports_are_refused(void **state)
{
    g_autofree char *deep = g_strnfill(60000, '[');
    g_autofree char *large = g_strnfill(70000, ' ');
    g_autoptr(GError) one = NULL, two = NULL;

    assert_null(dialtone_report_from_json(deep, strlen(deep), &one));
    assert_null(dialtone_report_from_json(large, strlen(large), &two));
}

static void test_a25_a_banner_can_forge_no_second_line(void **state)
{
    g_autoptr(DialtoneReport) report = connected();

    g_free(report->banner);
    report->banner = g_strdup("hi\nfailed: %s%n\r\x1b[2Jconnected");
    g_autofree char *line = dialtone_report_to_line(report);
    assert_null(strpbrk(line, "\n\r\x1b"));
    assert_true(g_str_has_prefix(line, "connected: dialtone0 10.1.2.3/32, gateway 192.0.2.1:4500"));
    assert_non_null(strstr(line, "hi failed: %s%n[2Jconnected"));
}

/* Readers refuse more than 64 KiB: what a gateway sends must not make a report unreadable. */
static void test_the_largest_report_can_be_read(void **state)
{
    g_autoptr(DialtoneReport) report = connected();
    g_autofree char *domain = g_strnfill(255, '"');
    g_autoptr(GPtrArray) domains = g_ptr_array_new();

    for (guint i = 0; i < 2000; i++)
        g_ptr_array_add(domains, domain);
    g_ptr_array_add(domains, NULL);
    g_strfreev(report->domains);
    report->domains = g_strdupv((char **)domains->pdata);
    g_strfreev(report->routes);
    report->routes = g_strdupv((char **)domains->pdata);
    g_free(report->banner);
    report->banner = g_strnfill(1000000, '\\');
    report->advice = g_strnfill(1000000, '"');
    report->message = g_strnfill(1000000, 'x');
    for (guint i = 0; i < 1000; i++) {
        DialtonePhase2Report *pair = dialtone_report_add_phase2(report);
        pair->encryption = g_strdup("aes256");
        pair->remote = g_strdup("2001:db8:1111:2222:3333:4444:5555:6666/128");
    }
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(DialtoneReport) back = dialtone_report_from_json(json, strlen(json), NULL);
    assert_in_range(strlen(json), 30000, 60000);
    assert_non_null(back);
    assert_string_equal(back->gateway, "192.0.2.1:4500");
    assert_string_equal(back->phase1.group, "modp2048");
}

static void test_weak_algorithms_are_marked_once_each(void **state)
{
    static const char *const wanted[] = {"3des", "md5", "modp1024", NULL};
    g_autoptr(DialtoneReport) report = connected();
    DialtonePhase2Report *pair = dialtone_report_add_phase2(report);

    dialtone_report_mark_weak(report);
    assert_int_equal(g_strv_length(report->weak), 0);
    g_free(report->phase1.encryption);
    report->phase1.encryption = g_strdup("3des");
    g_free(report->phase1.hash);
    report->phase1.hash = g_strdup("md5");
    pair->encryption = g_strdup("3des");
    pair->integrity = g_strdup("no such thing");
    pair->pfs = g_strdup("modp1024");
    dialtone_report_mark_weak(report);
    assert_true(g_strv_equal((const char *const *)report->weak, wanted));
    g_autofree char *line = dialtone_report_to_line(report);
    assert_non_null(strstr(line, ", weak: 3des md5 modp1024 | "));
}

static void test_every_state_has_a_line_that_begins_with_its_name(void **state)
{
    for (guint i = 0; i < DIALTONE_STATE_N; i++) {
        g_autoptr(DialtoneReport) report = dialtone_report_new((DialtoneState)i, "x");
        g_autofree char *line = dialtone_report_to_line(report);
        assert_true(g_str_has_prefix(line, dialtone_state_name((DialtoneState)i)));
        assert_null(strchr(line, '\n'));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_have_the_names_that_scripts_match),
        cmocka_unit_test(test_reasons_are_the_exit_codes),
        cmocka_unit_test(test_unknown_names_are_refused_and_change_nothing),
        cmocka_unit_test(test_an_error_keeps_its_advice_when_copied),
        cmocka_unit_test(test_an_advice_has_a_part_for_the_administrator),
        cmocka_unit_test(test_other_errors_are_faults_of_ours),
        cmocka_unit_test(test_hostile_strings_become_one_clean_line),
        cmocka_unit_test(test_a_nul_inside_is_dropped),
        cmocka_unit_test(test_a_text_is_cut_between_characters),
        cmocka_unit_test(test_any_bytes_become_clean_text),
        cmocka_unit_test(test_the_nearest_word_is_what_was_meant),
        cmocka_unit_test(test_a_state_has_four_members),
        cmocka_unit_test(test_connected_has_every_member_of_the_contract),
        cmocka_unit_test(test_certificates_are_told_and_when_they_end),
        cmocka_unit_test(test_failed_has_reason_message_and_advice),
        cmocka_unit_test(test_a_remedy_survives_the_way_through_json),
        cmocka_unit_test(test_failed_without_a_reason_is_internal),
        cmocka_unit_test(test_a_report_survives_the_way_through_json),
        cmocka_unit_test(test_every_truncation_of_a_report_is_refused),
        cmocka_unit_test(test_damaged_reports_are_reports_or_errors),
        cmocka_unit_test(test_wrong_reports_are_refused),
        cmocka_unit_test(test_unknown_members_of_a_report_are_ignored),
        cmocka_unit_test(test_deep_and_large_reports_are_refused),
        cmocka_unit_test(test_a25_a_banner_can_forge_no_second_line),
        cmocka_unit_test(test_the_largest_report_can_be_read),
        cmocka_unit_test(test_weak_algorithms_are_marked_once_each),
        cmocka_unit_test(test_every_state_has_a_line_that_begins_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
