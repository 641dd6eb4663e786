/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report says of the packets that a tunnel has carried: its JSON, both ways, and its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <json-glib/json-glib.h>

#include <cmocka.h>

#include "client/common/report.h"

static DialtoneReport *with_traffic(void)
{
    DialtoneReport *report = dialtone_report_new(DIALTONE_STATE_CONNECTED, "office");

    report->offloads = g_strsplit("vnet-hdr gso", " ", -1);
    report->traffic.bytes_in = 123456789;
    report->traffic.packets_in = 1234;
    report->traffic.bytes_out = G_MAXUINT64;
    report->traffic.packets_out = 1;
    dialtone_report_add_drop(report, "replayed", 3);
    dialtone_report_add_drop(report, "forged", 0);
    dialtone_report_add_drop(report, "no-sa", 1);
    return report;
}

static void test_traffic_and_offloads_are_told(void **state)
{
    g_autoptr(DialtoneReport) report = with_traffic();
    report->time_us = 1700000000123000;
    g_autofree char *json = dialtone_report_to_json(report);
    g_autoptr(JsonParser) parser = json_parser_new();
    assert_true(json_parser_load_from_data(parser, json, -1, NULL));
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    JsonObject *traffic = json_object_get_object_member(object, "traffic");
    JsonObject *drops = json_object_get_object_member(traffic, "drops");
    JsonArray *offloads = json_object_get_array_member(object, "offloads");

    assert_int_equal(json_array_get_length(offloads), 2);
    assert_string_equal(json_array_get_string_element(offloads, 1), "gso");
    assert_int_equal(json_object_get_int_member(traffic, "bytes_in"), 123456789);
    assert_int_equal(json_object_get_int_member(traffic, "packets_in"), 1234);
    assert_int_equal(json_object_get_int_member(traffic, "bytes_out"), G_MAXINT64);
    assert_int_equal(json_object_get_int_member(traffic, "packets_out"), 1);
    assert_int_equal(json_object_get_size(drops), 3);
    assert_int_equal(json_object_get_int_member(drops, "replayed"), 3);
    assert_int_equal(json_object_get_int_member(drops, "forged"), 0);

    g_autoptr(DialtoneReport) again = dialtone_report_from_json(json, strlen(json), NULL);
    g_autofree char *same = dialtone_report_to_json(again);
    assert_string_equal(same, json);
    g_autofree char *line = dialtone_report_to_traffic_line(again);
    assert_non_null(strstr(line, "received 123.5"));
    assert_non_null(strstr(line, " in 1 packet; 4 packets dropped (replayed: 3, no-sa: 1); "));
    assert_true(g_str_has_suffix(line, "; offloads: vnet-hdr gso"));
}

static void test_traffic_that_is_none_is_said_so(void **state)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_CONNECTED, "office");

    assert_null(dialtone_report_to_traffic_line(report));
    g_autofree char *json = dialtone_report_to_json(report);
    assert_non_null(strstr(json, "\"offloads\":null"));
    assert_non_null(strstr(json, "\"traffic\":null"));
    g_autoptr(DialtoneReport) again = dialtone_report_from_json(json, strlen(json), NULL);
    assert_non_null(again);
    assert_null(again->offloads);
    report->offloads = g_new0(char *, 1);
    g_autofree char *line = dialtone_report_to_traffic_line(report);
    assert_null(strstr(line, "dropped"));
    assert_true(g_str_has_suffix(line, "; no offload is in use"));
}

/* A process that was taken over writes what it likes. */
static void test_wrong_traffic_is_refused(void **state)
{
    static const char *const WRONG[] = {
        "\"traffic\":[]",
        "\"traffic\":{},\"offloads\":\"gso\"",
        "\"traffic\":{},\"offloads\":[1]",
        "\"traffic\":{\"bytes_in\":-1}",
        "\"traffic\":{\"packets_out\":\"1\"}",
        "\"traffic\":{\"drops\":1}",
        "\"traffic\":{\"drops\":{\"forged\":\"1\"}}",
        "\"traffic\":{\"drops\":{\"forged\":-1}}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autofree char *json = g_strdup_printf(
            "{\"schema\":1,\"time\":\"2026-01-02T03:04:05.678Z\",\"state\":\"connected\","
            "\"profile\":\"a\",%s}",
            WRONG[i]);
        g_autoptr(GError) error = NULL;
        assert_null(dialtone_report_from_json(json, strlen(json), &error));
        assert_non_null(error);
    }
}

static void test_too_many_causes_are_refused(void **state)
{
    GString *json = g_string_new("{\"schema\":1,\"time\":\"2026-01-02T03:04:05.678Z\","
                                 "\"state\":\"connected\",\"traffic\":{\"drops\":{");
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(json, "%s\"c%d\":1", i > 0 ? "," : "", i);
    g_string_append(json, "}}}");
    assert_null(dialtone_report_from_json(json->str, json->len, NULL));
    g_string_free(json, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traffic_and_offloads_are_told),
        cmocka_unit_test(test_traffic_that_is_none_is_said_so),
        cmocka_unit_test(test_wrong_traffic_is_refused),
        cmocka_unit_test(test_too_many_causes_are_refused),
    };

    return cmocka_run_group_tests_name("report-traffic", tests, NULL, NULL);
}
