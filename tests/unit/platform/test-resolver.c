// SPDX-License-Identifier: GPL-2.0-or-later
/* Lookups against name servers on the loopback that answer as told: late, wrongly, or not at all.
 *
 * Port 53 of addresses of 127.0.0.0/8 is bound, which wants root; otherwise the cases skip.
 */
#include "kit.h"

#include "platform/resolver.h"
#include "platform/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum Manner {
    HONEST,    /* A and AAAA */
    ONLY_IPV4, /* never answers AAAA */
    EMPTY,
    NXDOMAIN,
    SERVFAIL,
    SILENT,
    WRONG_ID,
    LOWER_CASE, /* gives the question back in lower case */
    GARBAGE,
} Manner;

typedef struct Server {
    int fd;
    guint source;
    Manner manner;
    unsigned asked;
    uint8_t last; /* of the address that it gives */
} Server;

typedef struct Bench {
    char *dir;
    Server servers[3];
    unsigned n;
    PlatformResolverPaths paths;
    char *files[3];
    PlatformResolver *resolver;
    GMainLoop *loop;
    GArray *found;
    GError *error;
} Bench;

/* ---- servers ---- */

static size_t write_answer(const Server *server, const uint8_t *query, size_t n, uint8_t *answer)
{
    static const uint8_t v4[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2};
    static const uint8_t v6[] = {0xc0, 12,   0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1,
                                 0xd,  0xb8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0};
    size_t question = n - 11; /* without the OPT record */
    bool four = query[question - 3] == 1;

    memcpy(answer, query, question);
    answer[2] = 0x81;
    answer[3] = server->manner == NXDOMAIN ? 0x83 : server->manner == SERVFAIL ? 0x82 : 0x80;
    answer[7] = 0;
    answer[11] = 0;
    if (server->manner == WRONG_ID)
        answer[0] ^= 0xff;
    if (server->manner == LOWER_CASE) {
        for (size_t i = 12; i < question - 4; i++)
            answer[i] = (uint8_t)g_ascii_tolower((char)answer[i]);
    }
    if (server->manner == EMPTY || server->manner == NXDOMAIN || server->manner == SERVFAIL)
        return question;
    answer[7] = 1;
    size_t record = four ? sizeof v4 : sizeof v6;

    memcpy(answer + question, four ? v4 : v6, record);
    answer[question + record] = server->last;
    return question + record + 1;
}

static gboolean on_query(gint fd, GIOCondition condition, gpointer user_data)
{
    Server *server = user_data;
    uint8_t query[512], answer[1024];
    struct sockaddr_storage from;
    socklen_t from_n = sizeof from;
    ssize_t n = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_n);

    if (n < 30)
        return G_SOURCE_CONTINUE;
    server->asked++;
    if (server->manner == SILENT || (server->manner == ONLY_IPV4 && query[n - 14] == 28))
        return G_SOURCE_CONTINUE;
    size_t length = write_answer(server, query, (size_t)n, answer);

    if (server->manner == GARBAGE)
        memset(answer + 2, 0xff, length - 2);
    sendto(fd, answer, length, 0, (struct sockaddr *)&from, from_n);
    return G_SOURCE_CONTINUE;
}

static void start_server(Bench *bench, unsigned i, Manner manner)
{
    Server *server = &bench->servers[i];
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(53)};

    in.sin_addr.s_addr = htonl(0x7f090000 | (i + 1));
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* Where two of these tests run at the same time one waits for the other. */
    int bound = bind(server->fd, (struct sockaddr *)&in, sizeof in);
    for (int tries = 0; tries < 300 && bound < 0 && errno == EADDRINUSE; tries++) {
        g_usleep(100000);
        bound = bind(server->fd, (struct sockaddr *)&in, sizeof in);
    }
    if (bound < 0)
        skip();
    server->manner = manner;
    server->last = (uint8_t)(i + 1);
    server->source = g_unix_fd_add(server->fd, G_IO_IN, on_query, server);
    bench->n = MAX(bench->n, i + 1);
}

/* ---- bench ---- */

static int set_up(void **state)
{
    static const char *const names[] = {"hosts", "resolv.conf", "uplink"};
    Bench *bench = g_new0(Bench, 1);
    int fd = -1;
    uint16_t port;

    bench->dir = kit_make_dir();
    for (int i = 0; i < 3; i++)
        bench->files[i] = kit_path(bench->dir, names[i]);
    bench->paths =
        (PlatformResolverPaths){bench->files[0], bench->files[1], bench->files[2], bench->dir};
    if (platform_udp_open(&(PlatformUdpOptions){.family = AF_INET}, &fd, &port) < 0)
        return -1;
    bench->resolver = platform_resolver_new(fd, -1, &bench->paths);
    bench->loop = g_main_loop_new(NULL, FALSE);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    Bench *bench = *state;

    platform_resolver_free(bench->resolver);
    for (unsigned i = 0; i < G_N_ELEMENTS(bench->servers); i++) {
        if (bench->servers[i].source)
            g_source_remove(bench->servers[i].source);
        if (bench->servers[i].fd > 0)
            close(bench->servers[i].fd);
    }
    for (int i = 0; i < 3; i++)
        g_free(bench->files[i]);
    g_main_loop_unref(bench->loop);
    g_clear_pointer(&bench->found, g_array_unref);
    g_clear_error(&bench->error);
    kit_remove_dir(bench->dir);
    g_free(bench);
    return 0;
}

static void on_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Bench *bench = user_data;

    g_clear_pointer(&bench->found, g_array_unref);
    g_clear_error(&bench->error);
    bench->found = platform_resolver_lookup_finish(result, &bench->error);
    assert_true((bench->found != NULL) != (bench->error != NULL));
    g_main_loop_quit(bench->loop);
}

static double look_up(Bench *bench, const char *name)
{
    gint64 began = g_get_monotonic_time();

    platform_resolver_lookup(bench->resolver, name, NULL, on_done, bench);
    g_main_loop_run(bench->loop);
    return (double)(g_get_monotonic_time() - began) / 1e6;
}

static void use_all(Bench *bench)
{
    g_autoptr(GString) text = g_string_new("# servers\noptions edns0\n");

    for (unsigned i = 0; i < bench->n; i++)
        g_string_append_printf(text, "nameserver 127.9.0.%u\n", i + 1);
    kit_write(bench->files[1], text->str);
}

static void assert_found(const Bench *bench, const char *wanted)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char address[PLATFORM_ADDRESS_TEXT];

    if (bench->error)
        print_message("%s\n", bench->error->message);
    assert_non_null(bench->found);
    for (guint i = 0; i < bench->found->len; i++)
        g_string_append_printf(
            text, "%s%s", i ? " " : "",
            platform_address_format(&g_array_index(bench->found, PlatformAddress, i), address));
    assert_string_equal(text->str, wanted);
}

static void assert_error(const Bench *bench, PlatformResolverError code)
{
    assert_non_null(bench->error);
    assert_true(g_error_matches(bench->error, PLATFORM_RESOLVER_ERROR, (gint)code));
}

/* ---- cases ---- */

static void test_both_families_come_back_ipv4_first(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, HONEST);
    use_all(bench);
    look_up(bench, "vpn.example.com");
    assert_found(bench, "192.0.2.1 2001:db8::1");
    assert_int_equal(bench->servers[0].asked, 2);
    look_up(bench, "vpn.example.com.");
    assert_found(bench, "192.0.2.1 2001:db8::1");
}

static void test_a_literal_is_given_back_and_nobody_is_asked(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, HONEST);
    use_all(bench);
    look_up(bench, "198.51.100.77");
    assert_found(bench, "198.51.100.77");
    look_up(bench, "2001:db8::77");
    assert_found(bench, "2001:db8::77");
    assert_int_equal(bench->servers[0].asked, 0);
}

static void test_the_hosts_file_comes_first(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, HONEST);
    use_all(bench);
    kit_write(bench->files[0], "127.0.0.1 localhost\n# 192.0.2.9 vpn\n192.0.2.8\tother VPN #x\n"
                               "2001:db8::8 vpn\n192.0.2.8 vpn\nbad vpn\n192.0.2.7vpn\n");
    look_up(bench, "vpn");
    assert_found(bench, "192.0.2.8 2001:db8::8");
    assert_int_equal(bench->servers[0].asked, 0);
    look_up(bench, "x");
    assert_found(bench, "192.0.2.1 2001:db8::1");
}

static void test_a_silent_server_costs_half_a_second(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SILENT);
    start_server(bench, 1, HONEST);
    use_all(bench);
    double seconds = look_up(bench, "vpn.example.com");

    assert_found(bench, "192.0.2.2 2001:db8::2");
    assert_true(seconds > 0.4 && seconds < 2);
}

static void test_silence_is_a_time_out_within_ten_seconds(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SILENT);
    use_all(bench);
    double seconds = look_up(bench, "vpn.example.com");

    assert_error(bench, PLATFORM_RESOLVER_ERROR_TIMED_OUT);
    assert_true(seconds < 10.5);
    assert_int_equal(bench->servers[0].asked, 8);
}

static void test_no_such_name_is_told_at_once_and_from_silence(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, NXDOMAIN);
    use_all(bench);
    assert_true(look_up(bench, "vpn.example.com") < 0.4);
    assert_error(bench, PLATFORM_RESOLVER_ERROR_NOT_FOUND);
}

static void test_a_name_without_address_is_told_from_no_such_name(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, EMPTY);
    use_all(bench);
    look_up(bench, "vpn.example.com");
    assert_error(bench, PLATFORM_RESOLVER_ERROR_NO_ADDRESS);
}

static void test_a_server_that_fails_gives_way_to_the_next(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SERVFAIL);
    start_server(bench, 1, HONEST);
    use_all(bench);
    assert_true(look_up(bench, "vpn.example.com") < 0.4);
    assert_found(bench, "192.0.2.2 2001:db8::2");
}

static void test_servers_that_all_fail_are_told_from_silence(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SERVFAIL);
    use_all(bench);
    look_up(bench, "vpn.example.com");
    assert_error(bench, PLATFORM_RESOLVER_ERROR_FAILED);
    assert_true(bench->servers[0].asked <= 8);
}

static void test_one_family_is_enough_when_the_other_stays_silent(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, ONLY_IPV4);
    use_all(bench);
    assert_true(look_up(bench, "vpn.example.com") < 0.6);
    assert_found(bench, "192.0.2.1");
}

static void test_forged_and_broken_answers_are_as_good_as_none(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, WRONG_ID);
    start_server(bench, 1, GARBAGE);
    start_server(bench, 2, HONEST);
    use_all(bench);
    look_up(bench, "vpn.example.com");
    assert_found(bench, "192.0.2.3 2001:db8::3");
}

static void test_an_answer_of_somebody_who_was_not_asked_is_ignored(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SILENT);
    start_server(bench, 1, HONEST);
    use_all(bench);
    /* The second server answers for the first one's questions: from an address not yet asked. */
    bench->servers[0].manner = HONEST;
    int honest = bench->servers[0].fd, other = bench->servers[1].fd;

    g_source_remove(bench->servers[0].source);
    bench->servers[0].source = 0;
    assert_int_equal(dup2(other, honest), honest);
    double seconds = look_up(bench, "vpn.example.com");

    assert_found(bench, "192.0.2.2 2001:db8::2");
    assert_true(seconds > 0.4);
}

static void test_a_server_that_changes_the_case_is_understood_in_the_second_round(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, LOWER_CASE);
    use_all(bench);
    double seconds = look_up(bench, "a-name-with-many-letters.example.com");

    assert_found(bench, "192.0.2.1 2001:db8::1");
    assert_true(seconds > 0.4 && seconds < 2);
}

static void test_the_stub_leads_to_the_servers_of_the_links(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, HONEST);
    kit_write(bench->files[1], "nameserver 127.0.0.53\noptions edns0 trust-ad\n");
    kit_write(bench->files[2], "nameserver 127.9.0.1\n");
    look_up(bench, "vpn.example.com");
    assert_found(bench, "192.0.2.1 2001:db8::1");
}

static void test_our_own_resolv_conf_leads_to_the_one_that_was_saved(void **state)
{
    static const char body[] = "# It is put back\nnameserver 127.9.0.2\n";
    Bench *bench = *state;
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
    g_autofree char *ours =
        g_strdup_printf("# Dialtone wrote this file for dialtone0 (%.16s)\n%s", sum, body);
    g_autofree char *saved = g_strconcat(bench->files[1], ".before-dialtone0", NULL);

    start_server(bench, 0, HONEST);
    start_server(bench, 1, HONEST);
    kit_write(bench->files[1], ours);
    kit_write(saved, "nameserver 127.9.0.1\n");
    look_up(bench, "vpn.example.com");
    assert_found(bench, "192.0.2.1 2001:db8::1");
    assert_int_equal(bench->servers[1].asked, 0);
}

static void test_servers_to_be_skipped_are_not_asked(void **state)
{
    Bench *bench = *state;
    PlatformAddress first;

    start_server(bench, 0, HONEST);
    start_server(bench, 1, HONEST);
    use_all(bench);
    platform_address_parse("127.9.0.1", &first);
    platform_resolver_skip_servers(bench->resolver, &first, 1);
    look_up(bench, "vpn.example.com");
    assert_found(bench, "192.0.2.2 2001:db8::2");
    assert_int_equal(bench->servers[0].asked, 0);
}

static void test_without_servers_that_is_said(void **state)
{
    static const char *const texts[] = {
        "",
        "nameserver\n",
        "nameserver nowhere\n",
        "#nameserver 127.9.0.1\n",
        "nameservers 127.9.0.1\n",
        "nameserver 127.9.0.1%lo\n",
        "nameserver fe80::1%no/such\n",
    };
    Bench *bench = *state;

    look_up(bench, "vpn.example.com");
    assert_error(bench, PLATFORM_RESOLVER_ERROR_NO_SERVERS);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        kit_write(bench->files[1], texts[i]);
        look_up(bench, "vpn.example.com");
        assert_error(bench, PLATFORM_RESOLVER_ERROR_NO_SERVERS);
    }
}

static void test_names_that_are_none_are_refused(void **state)
{
    static const char *const names[] = {"", ".", "a b", "a..b", "-a", "1.2.3", "a/b", "\xff\xfe"};
    Bench *bench = *state;

    kit_write(bench->files[1], "nameserver 127.9.0.1\n");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        look_up(bench, names[i]);
        assert_error(bench, PLATFORM_RESOLVER_ERROR_INVALID_NAME);
    }
}

static gboolean on_cancel(gpointer user_data)
{
    g_cancellable_cancel(user_data);
    return G_SOURCE_REMOVE;
}

static void test_a_cancelled_lookup_ends_as_cancelled(void **state)
{
    Bench *bench = *state;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();

    start_server(bench, 0, SILENT);
    use_all(bench);
    g_timeout_add(50, on_cancel, cancellable);
    platform_resolver_lookup(bench->resolver, "vpn.example.com", cancellable, on_done, bench);
    g_main_loop_run(bench->loop);
    assert_true(g_error_matches(bench->error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

static void test_lookups_end_when_their_resolver_does(void **state)
{
    Bench *bench = *state;

    start_server(bench, 0, SILENT);
    use_all(bench);
    platform_resolver_lookup(bench->resolver, "vpn.example.com", NULL, on_done, bench);
    g_clear_pointer(&bench->resolver, platform_resolver_free);
    g_main_loop_run(bench->loop);
    assert_true(g_error_matches(bench->error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

static void on_one_of_many(GObject *source, GAsyncResult *result, gpointer user_data)
{
    unsigned *left = user_data;
    g_autoptr(GArray) found = platform_resolver_lookup_finish(result, NULL);

    assert_non_null(found);
    (*left)--;
}

static void test_many_lookups_run_at_the_same_time(void **state)
{
    Bench *bench = *state;
    unsigned left = 50;

    start_server(bench, 0, HONEST);
    use_all(bench);
    for (int i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("vpn%d.example.com", i);

        platform_resolver_lookup(bench->resolver, name, NULL, on_one_of_many, &left);
    }
    while (left)
        g_main_context_iteration(NULL, TRUE);
    assert_int_equal(bench->servers[0].asked, 100);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_both_families_come_back_ipv4_first),
        CASE(test_a_literal_is_given_back_and_nobody_is_asked),
        CASE(test_the_hosts_file_comes_first),
        CASE(test_a_silent_server_costs_half_a_second),
        CASE(test_silence_is_a_time_out_within_ten_seconds),
        CASE(test_no_such_name_is_told_at_once_and_from_silence),
        CASE(test_a_name_without_address_is_told_from_no_such_name),
        CASE(test_a_server_that_fails_gives_way_to_the_next),
        CASE(test_servers_that_all_fail_are_told_from_silence),
        CASE(test_one_family_is_enough_when_the_other_stays_silent),
        CASE(test_forged_and_broken_answers_are_as_good_as_none),
        CASE(test_an_answer_of_somebody_who_was_not_asked_is_ignored),
        CASE(test_a_server_that_changes_the_case_is_understood_in_the_second_round),
        CASE(test_the_stub_leads_to_the_servers_of_the_links),
        CASE(test_our_own_resolv_conf_leads_to_the_one_that_was_saved),
        CASE(test_servers_to_be_skipped_are_not_asked),
        CASE(test_without_servers_that_is_said),
        CASE(test_names_that_are_none_are_refused),
        CASE(test_a_cancelled_lookup_ends_as_cancelled),
        CASE(test_lookups_end_when_their_resolver_does),
        CASE(test_many_lookups_run_at_the_same_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
