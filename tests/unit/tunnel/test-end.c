/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who ends a tunnel, and what becomes of its kill switch. Relied on by whoever must not be seen on
 * a network without the tunnel: nothing but their own word opens what was shut. The helper is
 * wrapped, and writes down what it is asked for.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/tunnel/tunnel-private.h"

static Tunnel *tunnel;
static GString *asked; /* of the helper: "release-asked release-failed down " */

void __wrap_tunnel_session_drop(Tunnel *self);
bool __wrap_tunnel_network_is_gone(const TunnelNetwork *self);
void __wrap_tunnel_network_release(TunnelNetwork *self);
void __wrap_tunnel_network_release_kill_switch(TunnelNetwork *self, bool asked);
void __wrap_platform_clock_timer_set(PlatformClockTimer *timer, uint64_t deadline);

void __wrap_tunnel_session_drop(Tunnel *self)
{
}

bool __wrap_tunnel_network_is_gone(const TunnelNetwork *self)
{
    return false;
}

void __wrap_tunnel_network_release(TunnelNetwork *self)
{
    g_string_append(asked, "down ");
}

void __wrap_tunnel_network_release_kill_switch(TunnelNetwork *self, bool by_user)
{
    g_string_append(asked, by_user ? "release-asked " : "release-failed ");
}

void __wrap_platform_clock_timer_set(PlatformClockTimer *timer, uint64_t deadline)
{
}

static void on_report(const DialtoneReport *report, gpointer data)
{
}

static void on_notice(const char *text, gpointer data)
{
}

static const TunnelHandlers HANDLERS = {.report = on_report, .notice = on_notice};

static int setup(void **state)
{
    asked = g_string_new(NULL);
    tunnel = g_new0(Tunnel, 1);
    tunnel->handlers = &HANDLERS;
    tunnel->state_fd = -1;
    tunnel->interface = g_strdup("dialtone0");
    tunnel->sas = g_array_new(FALSE, TRUE, sizeof(TunnelSa));
    tunnel->profile = kit_profile("[Network]\nKillSwitch=yes\n");
    tunnel->state = DIALTONE_STATE_CONNECTED;
    tunnel->link = TUNNEL_LINK_UP;
    g_queue_init(&tunnel->candidates);
    return 0;
}

static int teardown(void **state)
{
    g_string_free(asked, TRUE);
    g_clear_error(&tunnel->error);
    dialtone_profile_free(tunnel->profile);
    g_array_unref(tunnel->sas);
    g_free(tunnel->interface);
    g_free(tunnel);
    return 0;
}

static void fail_tunnel(void)
{
    g_autoptr(GError) why = NULL;
    dialtone_failure_set(&why, DIALTONE_FAILURE_INTERNAL, NULL, "Its agent is gone.");
    tunnel_fail(tunnel, why);
}

static void a_user_s_word_ends_the_kill_switch(void **state)
{
    tunnel->was_connected = true;
    tunnel_stop(tunnel);
    assert_string_equal(asked->str, "release-asked down ");
}

static void what_fails_leaves_it_where_the_tunnel_is_wanted_back(void **state)
{
    tunnel->was_connected = true;
    fail_tunnel();
    assert_string_equal(asked->str, "down ");
    assert_int_equal(dialtone_failure_of(tunnel->error), DIALTONE_FAILURE_INTERNAL);
}

/* The helper then leaves one that stood before. */
static void what_fails_at_first_says_that_nobody_asked(void **state)
{
    fail_tunnel();
    assert_string_equal(asked->str, "release-failed down ");
}

static void the_first_word_counts(void **state)
{
    tunnel->was_connected = true;
    fail_tunnel();
    tunnel_stop(tunnel);
    assert_string_equal(asked->str, "down ");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_user_s_word_ends_the_kill_switch),
        CASE(what_fails_leaves_it_where_the_tunnel_is_wanted_back),
        CASE(what_fails_at_first_says_that_nobody_asked),
        CASE(the_first_word_counts),
    };
    return cmocka_run_group_tests_name("tunnel end", tests, NULL, NULL);
}
