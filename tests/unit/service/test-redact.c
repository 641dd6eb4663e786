/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must not be in a report is not in it, and what has to be understood still is. */
#include "service-kit.h"

#include <string.h>

#include "client/cli/redact.h"

static void expect(CliRedaction *redaction, const char *text, const char *expected)
{
    g_autofree char *out = cli_redact(redaction, text);
    assert_string_equal(out, expected);
}

static void words_go_in_any_case_and_the_longest_first(void **state)
{
    g_autoptr(CliRedaction) redaction = cli_redaction_new();
    cli_redaction_add(redaction, "gateway", "vpn");
    cli_redaction_add(redaction, "gateway", "vpn.example.com");
    expect(redaction, "VPN.Example.COM and vpn", "<gateway-2> and <gateway-1>");
}

static void the_same_is_the_same_throughout(void **state)
{
    g_autoptr(CliRedaction) redaction = cli_redaction_new();
    expect(redaction, "192.0.2.1 198.51.100.2 192.0.2.1", "<address-1> <address-2> <address-1>");
}

static void addresses_of_all_shapes_go(void **state)
{
    static const char *const texts[] = {
        "10.1.2.3",           "2001:db8::1", "2001:db8:1:2:3:4:5:6", "fe80::1",
        "2001:db8::5efe:1:2", "fd00::",      "alice@example.com",    "::ffff:192.0.2.1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(CliRedaction) redaction = cli_redaction_new();
        g_autofree char *out = cli_redact(redaction, texts[i]);
        for (const char *c = texts[i]; strlen(c) >= 5; c++)
            assert_null(strstr(out, c));
    }
}

static void what_says_nothing_of_anybody_stays(void **state)
{
    g_autoptr(CliRedaction) redaction = cli_redaction_new();
    expect(redaction,
           "0.0.0.0/0 ::1 127.0.0.1 12:34:56 2026-11-22T12:34:56Z aes256-sha256-modp2048",
           "0.0.0.0/0 ::1 127.0.0.1 12:34:56 2026-11-22T12:34:56Z aes256-sha256-modp2048");
}

static void short_and_missing_words_are_left_alone(void **state)
{
    g_autoptr(CliRedaction) redaction = cli_redaction_new();
    cli_redaction_add(redaction, "user", NULL);
    cli_redaction_add(redaction, "user", "");
    cli_redaction_add(redaction, "user", "al");
    expect(redaction, "al is also called all", "al is also called all");
}

static void bytes_that_are_no_text_are_survived(void **state)
{
    g_autoptr(CliRedaction) redaction = cli_redaction_new();
    g_autofree char *out = cli_redact(redaction, "a\xff\xfe 192.0.2.1 \xc3");
    assert_true(g_utf8_validate(out, -1, NULL));
    assert_null(strstr(out, "192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_go_in_any_case_and_the_longest_first),
        cmocka_unit_test(the_same_is_the_same_throughout),
        cmocka_unit_test(addresses_of_all_shapes_go),
        cmocka_unit_test(what_says_nothing_of_anybody_stays),
        cmocka_unit_test(short_and_missing_words_are_left_alone),
        cmocka_unit_test(bytes_that_are_no_text_are_survived),
    };
    return cmocka_run_group_tests_name("cli redact", tests, NULL, NULL);
}
