/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A changed profile, in the midst of what else happens to a tunnel. Relied on by whoever edits a
 * profile twice, or while the network comes and goes: a secret must not reach the gateway of
 * another profile, and the tunnel has to carry on with one of the two. What begins and ends a
 * session is wrapped, and writes down who was called.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/tunnel/config.h"
#include "client/tunnel/tunnel-private.h"

static Tunnel *tunnel;
static GString *happened; /* "call 192.0.2.1 pass 192.0.2.9 changed 0 " */

bool __wrap_tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error);
void __wrap_tunnel_session_say_goodbye(Tunnel *self);
bool __wrap_tunnel_network_is_gone(const TunnelNetwork *self);
void __wrap_tunnel_network_open_resolver(TunnelNetwork *self);
void __wrap_tunnel_network_set_kill_switch(TunnelNetwork *self, const PlatformKillSwitch *wanted);
void __wrap_tunnel_network_release_kill_switch(TunnelNetwork *self, bool asked);
void __wrap_platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer data);
void __wrap_tunnel_network_release(TunnelNetwork *self);
void __wrap_platform_clock_timer_set(PlatformClockTimer *timer, uint64_t deadline);

bool __wrap_tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error)
{
    g_autofree char *text = tunnel_host_text(gateway);
    g_string_append_printf(happened, "call %s ", text);
    self->trying = *gateway;
    return true;
}

void __wrap_tunnel_session_say_goodbye(Tunnel *self)
{
}

bool __wrap_tunnel_network_is_gone(const TunnelNetwork *self)
{
    return false;
}

void __wrap_tunnel_network_open_resolver(TunnelNetwork *self)
{
    g_string_append(happened, "resolver ");
}

void __wrap_tunnel_network_set_kill_switch(TunnelNetwork *self, const PlatformKillSwitch *wanted)
{
    char text[PLATFORM_ADDRESS_TEXT];
    const PlatformEndpoint *gateway = &g_array_index(wanted->gateways, PlatformEndpoint, 0);
    g_string_append_printf(happened, "%s %s ", wanted->persistent ? "keep" : "pass",
                           platform_address_format(&gateway->address, text));
}

void __wrap_tunnel_network_release_kill_switch(TunnelNetwork *self, bool asked)
{
    g_string_append(happened, "release ");
}

void __wrap_platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer data)
{
    assert_non_null(resolver);
    g_string_append_printf(happened, "find %s ", name);
}

void __wrap_tunnel_network_release(TunnelNetwork *self)
{
    g_string_append(happened, "down ");
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

static void on_renegotiate(gpointer data)
{
    g_string_append(happened, "renegotiate ");
}

static void on_changed(DialtoneFailure why, gpointer data)
{
    g_string_append_printf(happened, "changed %d ", (int)why);
}

static const TunnelHandlers HANDLERS = {
    .report = on_report, .notice = on_notice, .renegotiate = on_renegotiate, .changed = on_changed};

static DialtoneProfile *profile_of(const char *address, const char *kill_switch)
{
    g_autofree char *text = g_strdup_printf(
        "[Profile]\nName=Kit\n[Gateway]\nAddress=%s\n[Identity]\nID=alice@example.com\nAuth=psk\n"
        "[Phase1]\nProposals=aes256-sha256-modp2048\n[Secrets]\nPSK=keyring\n"
        "[Network]\nKillSwitch=%s\n",
        address, kill_switch);
    return kit_profile_of(text);
}

static void give(const char *psk)
{
    TunnelSecrets *secrets = tunnel_secrets_new();
    if (psk != NULL)
        assert_true(tunnel_secret_set(&secrets->psk, psk, strlen(psk)));
    tunnel_give_secrets(tunnel, secrets);
}

/* Every SA stands, and the helper has done its work. */
static void come_up(void)
{
    tunnel->ike_connected = true;
    tunnel_link_handlers.applied(NULL, NULL, tunnel);
}

static void connect_with(const char *kill_switch)
{
    tunnel->profile = profile_of("192.0.2.1", kill_switch);
    give("former");
    if (tunnel->passing)
        tunnel_link_handlers.kill_switch_set(NULL, tunnel);
    come_up();
    assert_int_equal(tunnel->state, DIALTONE_STATE_CONNECTED);
    g_string_truncate(happened, 0);
}

static bool take(const char *address, const char *kill_switch)
{
    return tunnel_change(tunnel, profile_of(address, kill_switch), NULL);
}

static void refuse(void)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, NULL, "It does not answer.");
    assert_true(tunnel_change_gives_up(tunnel, error));
}

static void expect_happened(const char *what)
{
    assert_string_equal(happened->str, what);
    g_string_truncate(happened, 0);
}

static void expect_in_use(const char *address, const char *psk)
{
    const DialtoneEndpoint *gateway =
        &g_array_index(tunnel->profile->gateways, DialtoneEndpoint, 0);
    const IkeSecret *known = &tunnel->secrets->psk;
    assert_string_equal(gateway->host, address);
    assert_int_equal(known->n, strlen(psk));
    assert_memory_equal(known->bytes, psk, known->n);
}

static int setup(void **state)
{
    happened = g_string_new(NULL);
    tunnel = g_new0(Tunnel, 1);
    tunnel->handlers = &HANDLERS;
    tunnel->state_fd = -1;
    tunnel->sas = g_array_new(FALSE, TRUE, sizeof(TunnelSa));
    tunnel->interface = g_strdup("dialtone0");
    tunnel->resolver_ready = true;
    g_queue_init(&tunnel->candidates);
    tunnel->found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    tunnel->good_found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    /* Nothing looks into it. */
    tunnel->datapath = (Datapath *)tunnel;
    return 0;
}

static int teardown(void **state)
{
    g_string_free(happened, TRUE);
    tunnel_attempt_cancel(tunnel);
    tunnel_question_free(tunnel);
    tunnel_change_free(tunnel);
    g_queue_clear_full(&tunnel->candidates, g_free);
    g_clear_error(&tunnel->round_error);
    g_clear_error(&tunnel->error);
    g_array_unref(tunnel->sas);
    tunnel_secrets_free(tunnel->secrets);
    dialtone_profile_free(tunnel->profile);
    g_free(tunnel->interface);
    g_free(tunnel->host);
    g_free(tunnel->good_host);
    g_free(tunnel->good_backup);
    g_free(tunnel->member);
    g_free(tunnel->backup);
    g_array_unref(tunnel->found);
    g_array_unref(tunnel->good_found);
    g_free(tunnel);
    return 0;
}

/* ---- one upon the other ---- */

static void while_one_is_tried_no_other_is_taken(void **state)
{
    g_autoptr(GError) error = NULL;
    connect_with("no");
    assert_true(take("192.0.2.2", "no"));
    give("second");
    assert_false(tunnel_change(tunnel, profile_of("192.0.2.3", "no"), &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_USAGE);
    give("third"); /* nobody waits for it */
    tunnel_link_handlers.renegotiate_requested(tunnel);
    come_up();
    expect_happened("call 192.0.2.2 changed 0 ");
    expect_in_use("192.0.2.2", "second");
    assert_true(take("192.0.2.3", "no"));
}

static void of_those_that_wait_the_last_is_taken(void **state)
{
    connect_with("no");
    assert_true(take("192.0.2.2", "no"));
    assert_true(take("192.0.2.3", "no"));
    give("third");
    refuse();
    tunnel_change_tick(tunnel);
    expect_happened("call 192.0.2.3 changed 5 call 192.0.2.1 ");
    expect_in_use("192.0.2.1", "former");
}

static void what_has_failed_is_not_good_any_more(void **state)
{
    connect_with("no");
    assert_true(take("192.0.2.2", "no"));
    give("second");
    refuse();
    come_up(); /* its last word was under way */
    tunnel_change_tick(tunnel);
    expect_happened("call 192.0.2.2 changed 5 call 192.0.2.1 ");
    expect_in_use("192.0.2.1", "former");
}

/* Any other failure costs the change alone. */
static void its_owner_s_failure_ends_both(void **state)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL, NULL, "The agent is gone.");
    connect_with("yes");
    assert_true(take("192.0.2.2", "yes"));
    give("second");
    g_string_truncate(happened, 0);
    tunnel_fail(tunnel, error);
    expect_happened("down "); /* and the kill switch stays */
    assert_null(tunnel->change.failed);
}

/* ---- without the helper ---- */

static void what_waited_is_forgotten_with_the_helper(void **state)
{
    connect_with("no");
    assert_true(take("192.0.2.2", "no"));
    tunnel_forget_change(tunnel);
    give("second");
    expect_happened("");
    expect_in_use("192.0.2.1", "former");
}

static void what_was_tried_is_forgotten_with_the_helper(void **state)
{
    connect_with("no");
    assert_true(take("192.0.2.2", "no"));
    give("second");
    tunnel_forget_change(tunnel);
    expect_in_use("192.0.2.1", "former");
    assert_false(tunnel_change_is_tried(tunnel));
}

/* ---- the network ---- */

/* The network changes before the helper has brought the resolver's sockets. */
static void a_name_waits_for_its_resolver(void **state)
{
    connect_with("no");
    assert_true(take("vpn.example.com", "no"));
    give("second");
    expect_happened("resolver ");
    tunnel_attempt_again(tunnel, NULL);
    assert_null(tunnel->change.failed);
    expect_happened("");
    tunnel->resolver = (PlatformResolver *)tunnel;
    tunnel->resolver_ready = true;
    tunnel_attempt_begin(tunnel);
    expect_happened("find vpn.example.com ");
}

/* That of the former stands until the other is connected, and lets nobody else pass. */
static void without_a_kill_switch_the_former_s_is_told_whom_to_let_pass(void **state)
{
    connect_with("yes");
    assert_true(take("192.0.2.2", "no"));
    give("second");
    expect_happened("pass 192.0.2.2 ");
    tunnel_link_handlers.kill_switch_set(NULL, tunnel);
    come_up();
    expect_happened("call 192.0.2.2 release changed 0 ");
}

static void a_kill_switch_stays_persistent_while_another_is_tried(void **state)
{
    connect_with("persistent");
    assert_true(take("192.0.2.2", "yes"));
    give("second");
    expect_happened("keep 192.0.2.2 ");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(while_one_is_tried_no_other_is_taken),
        CASE(of_those_that_wait_the_last_is_taken),
        CASE(what_has_failed_is_not_good_any_more),
        CASE(its_owner_s_failure_ends_both),
        CASE(what_waited_is_forgotten_with_the_helper),
        CASE(what_was_tried_is_forgotten_with_the_helper),
        CASE(a_name_waits_for_its_resolver),
        CASE(without_a_kill_switch_the_former_s_is_told_whom_to_let_pass),
        CASE(a_kill_switch_stays_persistent_while_another_is_tried),
    };
    return cmocka_run_group_tests_name("tunnel change", tests, NULL, NULL);
}
