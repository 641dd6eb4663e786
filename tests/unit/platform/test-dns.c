// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that a gateway may send, and the text that root writes from them. */
#include "kit.h"

#include "platform/dns.h"

#include <string.h>

/* CVE-2026-10805: a name from the network became a line of a file that root's programs read. */
static void test_e4_names_with_anything_but_a_host_name_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           ".",     "..",         ".example",
        "example.",   "a..b",  "-a.example", "a-.example",
        "a b",        " a",    "a ",         "a\nnameserver 192.0.2.66",
        "a\toptions", "a\r",   "a;b",        "a#b",
        "a/b",        "a\\b",  "a\"b",       "a'b",
        "$(id)",      "`id`",  "a%sb",       "a:b",
        "a,b",        "~a",    "*.example",  "caf\xc3\xa9.example",
        "a\x7f",      "a\x01", "1.2.3.4",    "12",
        "example.1",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(platform_dns_name_is_valid(bad[i]));
}

static void test_every_byte_but_those_of_host_names_is_refused(void **state)
{
    for (int c = 1; c < 256; c++) {
        const char name[] = {'a', (char)c, 'b', '\0'};
        bool good = g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.';

        assert_int_equal(platform_dns_name_is_valid(name), good);
    }
}

static void test_host_names_are_taken(void **state)
{
    static const char *const good[] = {
        "a",          "corp.example", "CORP.Example",        "1a.2b",
        "4.example",  "_tcp.example", "xn--caf-dma.example", "a-b--c.d",
        "0.0.example"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(platform_dns_name_is_valid(good[i]));
}

/* RFC 1035 section 2.3.4: 63 a label, 255 bytes in all, which are 253 in text. */
static void test_lengths_end_where_the_standard_ends_them(void **state)
{
    char label[70], name[400] = "";

    memset(label, 'a', sizeof label);
    label[63] = '\0';
    assert_true(platform_dns_name_is_valid(label));
    label[63] = 'a';
    label[64] = '\0';
    assert_false(platform_dns_name_is_valid(label));
    for (int i = 0; i < 126; i++)
        strcat(name, "a.");
    strcat(name, "a");
    assert_int_equal(strlen(name), 253);
    assert_true(platform_dns_name_is_valid(name));
    memmove(name + 1, name, strlen(name) + 1);
    assert_false(platform_dns_name_is_valid(name));
}

static PlatformDnsConfig *config_of(const char *servers, const char *domains)
{
    PlatformDnsConfig *config = g_new0(PlatformDnsConfig, 1);
    g_auto(GStrv) s = g_strsplit(servers, " ", -1);
    g_auto(GStrv) d = g_strsplit(domains, " ", -1);

    for (char **server = s; *server && **server; server++)
        assert_true(platform_address_parse(*server, &config->servers[config->n_servers++]));
    for (char **domain = d; *domain && **domain; domain++) {
        PlatformDnsDomain *entry = &config->domains[config->n_domains++];

        entry->routing_only = **domain == '~';
        g_strlcpy(entry->name, *domain + entry->routing_only, sizeof entry->name);
    }
    return config;
}

static void test_the_text_has_three_servers_and_the_domains_that_are_searched(void **state)
{
    g_autofree PlatformDnsConfig *config = config_of("10.0.0.1 2001:db8::1 10.0.0.2 10.0.0.3",
                                                     "corp.example ~lab.example ~. b.example");
    g_autofree char *text = platform_dns_resolv_conf_text(config);

    assert_string_equal(text, "nameserver 10.0.0.1\nnameserver 2001:db8::1\nnameserver 10.0.0.2\n"
                              "search corp.example b.example\n");
}

static void test_the_text_never_searches_more_than_the_library_reads(void **state)
{
    g_autofree PlatformDnsConfig *config = config_of("10.0.0.1", "a b c d e f g h i");
    g_autofree char *text = platform_dns_resolv_conf_text(config);

    assert_non_null(strstr(text, "search a b c d e f\n"));
    for (int i = 0; i < 6; i++) {
        memset(config->domains[i].name, 'a', 60);
        config->domains[i].name[60] = '\0';
    }
    g_autofree char *long_text = platform_dns_resolv_conf_text(config);
    const char *line = strstr(long_text, "search");

    assert_true(strlen(line) <= 256);
}

static void test_configurations_differ_in_any_part(void **state)
{
    g_autofree PlatformDnsConfig *a = config_of("10.0.0.1", "corp.example");
    g_autofree PlatformDnsConfig *same = config_of("10.0.0.1", "corp.example");
    g_autofree PlatformDnsConfig *server = config_of("10.0.0.2", "corp.example");
    g_autofree PlatformDnsConfig *domain = config_of("10.0.0.1", "corp.exampl");
    g_autofree PlatformDnsConfig *routing = config_of("10.0.0.1", "~corp.example");
    g_autofree PlatformDnsConfig *more = config_of("10.0.0.1 10.0.0.2", "corp.example");

    assert_true(platform_dns_config_equal(a, same));
    assert_false(platform_dns_config_equal(a, server));
    assert_false(platform_dns_config_equal(a, domain));
    assert_false(platform_dns_config_equal(a, routing));
    assert_false(platform_dns_config_equal(a, more));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_e4_names_with_anything_but_a_host_name_are_refused),
        cmocka_unit_test(test_every_byte_but_those_of_host_names_is_refused),
        cmocka_unit_test(test_host_names_are_taken),
        cmocka_unit_test(test_lengths_end_where_the_standard_ends_them),
        cmocka_unit_test(test_the_text_has_three_servers_and_the_domains_that_are_searched),
        cmocka_unit_test(test_the_text_never_searches_more_than_the_library_reads),
        cmocka_unit_test(test_configurations_differ_in_any_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
