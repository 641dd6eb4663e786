/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom the client calls, and in what order. Relied on by everybody whose gateway is several: a call
 * too many is a password given away, or a circle without an end. What begins and ends a session is
 * wrapped, and writes down who was called.
 */
#include "tunnel-kit.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "client/tunnel/config.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/tunnel-private.h"

static Tunnel *tunnel;
static GString *called; /* "192.0.2.1 192.0.2.2 " */
static char *ended;     /* the message of the end; NULL: not yet */

bool __wrap_tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error);
void __wrap_tunnel_end(Tunnel *self, GError *error_take);
void __wrap_platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer data);

bool __wrap_tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error)
{
    g_autofree char *text = tunnel_host_text(gateway);
    g_string_append_printf(called, "%s ", text);
    self->trying = *gateway;
    return true;
}

void __wrap_tunnel_end(Tunnel *self, GError *error_take)
{
    self->end = TUNNEL_END_GOODBYE;
    ended = g_strdup(error_take->message);
    g_error_free(error_take);
}

/* Nobody answers: the names of these tests are called, never found. */
void __wrap_platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer data)
{
    g_string_append_printf(called, "%s ", name);
}

static void begin(const char *addresses)
{
    g_autofree char *more = g_strdup_printf("[Gateway]\nAddress=%s\n[Identity]\n"
                                            "ID=alice@example.com\nAuth=psk\n[Phase1]\n"
                                            "Proposals=aes256-sha256-modp2048\n[Profile]\n"
                                            "Name=Kit\n[Secrets]\nPSK=keyring\n",
                                            addresses);
    tunnel->profile = kit_profile_of(more);
    tunnel_attempt_begin(tunnel);
}

static int setup(void **state)
{
    called = g_string_new(NULL);
    tunnel = g_new0(Tunnel, 1);
    tunnel->secrets = tunnel_secrets_new();
    assert_true(tunnel_secret_set(&tunnel->secrets->psk, "psk", 3));
    tunnel->state = DIALTONE_STATE_PHASE1;
    tunnel->state_fd = -1;
    tunnel->interface = g_strdup("dialtone0");
    tunnel->resolver_ready = true;
    tunnel->backoff.retry_for = G_MAXUINT64;
    g_queue_init(&tunnel->candidates);
    tunnel->found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    tunnel->good_found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    /* Nothing looks into it. */
    tunnel->datapath = (Datapath *)tunnel;
    return 0;
}

static int teardown(void **state)
{
    g_clear_pointer(&ended, g_free);
    g_string_free(called, TRUE);
    g_queue_clear_full(&tunnel->candidates, g_free);
    g_clear_error(&tunnel->round_error);
    g_clear_object(&tunnel->resolving);
    tunnel_secrets_free(tunnel->secrets);
    tunnel_credentials_free(tunnel->credentials);
    dialtone_profile_free(tunnel->profile);
    g_free(tunnel->interface);
    g_free(tunnel->host);
    g_free(tunnel->good_host);
    g_free(tunnel->good_backup);
    g_free(tunnel->member);
    g_free(tunnel->backup);
    g_clear_pointer(&tunnel->backups, g_ptr_array_unref);
    g_array_unref(tunnel->found);
    g_array_unref(tunnel->good_found);
    g_free(tunnel);
    return 0;
}

/* ---- what becomes of the session that was begun last ---- */

static void session_ends(IkeReason reason, IkeDetail detail)
{
    tunnel->over = (IkeFailure){.reason = reason, .detail = detail};
    tunnel_attempt_session_over(tunnel);
}

static void redirect(const char *address)
{
    tunnel->over = (IkeFailure){.reason = IKE_REASON_UNREACHABLE,
                                .detail = IKE_DETAIL_REDIRECTED,
                                .elsewhere = kit_address(address)};
    tunnel->over.elsewhere.port = IKE_PORT;
    tunnel_attempt_session_over(tunnel);
}

/* Every SA stands, and the helper has done its work. */
static void come_up(void)
{
    tunnel->ike_connected = true;
    tunnel_link_handlers.applied(NULL, NULL, tunnel);
    assert_int_equal(tunnel->state, DIALTONE_STATE_CONNECTED);
}

/* It is lost, and the pause before the first round is over. */
static void lose(void)
{
    session_ends(IKE_REASON_TUNNEL_LOST, IKE_DETAIL_DPD);
    assert_int_equal(tunnel->state, DIALTONE_STATE_RECONNECTING);
    tunnel_attempt_tick(tunnel, tunnel->retry_at);
}

static void expect_called(const char *addresses)
{
    assert_string_equal(called->str, addresses);
}

/* ---- the beginning ---- */

/* Whether libcrypto may do what the profile asks for is looked at when a slot has been claimed. */
static void nothing_is_sent_before_a_slot_was_claimed(void **state)
{
    g_clear_pointer(&tunnel->interface, g_free);
    begin("192.0.2.1");
    expect_called("");
    tunnel->interface = g_strdup("dialtone0");
    tunnel_attempt_begin(tunnel);
    expect_called("192.0.2.1 ");
}

static void nobody_is_asked_before_a_slot_was_claimed(void **state)
{
    g_clear_pointer(&tunnel->interface, g_free);
    tunnel->secrets->psk.known = false;
    begin("192.0.2.1"); /* it would tell its owner, and there is none */
    assert_int_equal(tunnel->question, 0);
    expect_called("");
}

/* ---- load balancing ---- */

static void a_redirect_is_followed_at_once(void **state)
{
    begin("192.0.2.1;192.0.2.2");
    redirect("198.51.100.9");
    expect_called("192.0.2.1 198.51.100.9 ");
    assert_null(ended);
}

/* And what the new one must prove is what the first had to: its name is that of the profile. */
static void who_is_expected_stays_the_same(void **state)
{
    begin("192.0.2.1");
    g_autofree char *host = g_strdup(tunnel->host);
    redirect("198.51.100.9");
    assert_string_equal(tunnel->host, host);
    assert_string_equal(tunnel_attempt_context(tunnel).gateway, "198.51.100.9");
}

static void back_and_forth_has_an_end(void **state)
{
    begin("192.0.2.1");
    redirect("198.51.100.9");
    redirect("192.0.2.1");
    expect_called("192.0.2.1 198.51.100.9 ");
    assert_non_null(ended);
    assert_non_null(strstr(ended, "192.0.2.1"));
}

static void a_circle_has_an_end(void **state)
{
    begin("192.0.2.1");
    redirect("198.51.100.1");
    redirect("198.51.100.2");
    redirect("198.51.100.1");
    expect_called("192.0.2.1 198.51.100.1 198.51.100.2 ");
    assert_non_null(ended);
}

static void ever_new_gateways_have_an_end(void **state)
{
    begin("192.0.2.1");
    for (int i = 1; i <= 2 * TUNNEL_REDIRECTS_MAX && ended == NULL; i++) {
        g_autofree char *address = g_strdup_printf("198.51.100.%d", i);
        redirect(address);
    }
    expect_called("192.0.2.1 198.51.100.1 198.51.100.2 198.51.100.3 198.51.100.4 ");
    assert_non_null(ended);
}

static void behind_a_dead_one_the_profile_goes_on(void **state)
{
    begin("192.0.2.1;192.0.2.2");
    redirect("198.51.100.9");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.1 198.51.100.9 192.0.2.2 ");
    assert_null(tunnel->member);
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    assert_string_equal(ended, "The gateway 192.0.2.2 does not answer.");
}

static void one_that_refuses_is_named_itself(void **state)
{
    begin("192.0.2.1");
    redirect("198.51.100.9");
    session_ends(IKE_REASON_USER_AUTHENTICATION, IKE_DETAIL_PASSWORD);
    assert_string_equal(ended, "The gateway 198.51.100.9 refused the user name or the password.");
}

/* Which member is free is the first one's to say, each time. */
static void a_lost_tunnel_is_sought_where_it_began(void **state)
{
    begin("192.0.2.1;192.0.2.2");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    redirect("198.51.100.9");
    come_up();
    g_string_truncate(called, 0);
    lose();
    expect_called("192.0.2.2 ");
    redirect("198.51.100.7");
    expect_called("192.0.2.2 198.51.100.7 ");
}

/* ---- in the place of one whose helper was killed ---- */

static void begin_in_another_s_place(const char *addresses)
{
    Tunnel before = {.was_connected = true,
                     .good = kit_address("192.0.2.2"),
                     .good_host = (char *)(uintptr_t) "192.0.2.2",
                     .inner.address = kit_address("10.1.2.3"),
                     .weakest = ike_group_by_name("modp2048")};
    before.good.port = IKE_PORT;
    g_autoptr(TunnelMemory) memory = tunnel_memory_new(&before);
    assert_non_null(memory);
    tunnel_remember(tunnel, memory);
    begin(addresses);
}

static void who_takes_another_s_place_knows_what_that_did(void **state)
{
    begin_in_another_s_place("192.0.2.1;192.0.2.2");
    expect_called("192.0.2.2 ");
    assert_int_equal(tunnel->state, DIALTONE_STATE_RECONNECTING);
    g_autofree char *inner = tunnel_host_text(&tunnel->inner.address);
    assert_string_equal(inner, "10.1.2.3");
    /* A weaker group is taken by a user's word alone, and nobody gave one. */
    assert_ptr_equal(tunnel->weakest, ike_group_by_name("modp2048"));
}

static void in_another_s_place_silence_is_no_end(void **state)
{
    begin_in_another_s_place("192.0.2.1;192.0.2.2");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.2 192.0.2.1 ");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    assert_null(ended);
    assert_true(tunnel->retry_at != 0);
    g_string_truncate(called, 0);
    tunnel_attempt_tick(tunnel, tunnel->retry_at);
    expect_called("192.0.2.2 ");
}

static void who_was_never_connected_leaves_nothing_behind(void **state)
{
    const Tunnel before = {.good = kit_address("192.0.2.2")};
    assert_null(tunnel_memory_new(&before));
    tunnel_remember(tunnel, NULL);
    begin("192.0.2.1");
    expect_called("192.0.2.1 ");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    assert_non_null(ended);
}

/* ---- revocation lists ---- */

static void add_list(long until)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, -7200), *to = X509_gmtime_adj(NULL, until);
    guint8 *der = NULL;
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, to);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    int n = i2d_X509_CRL(crl, &der);
    assert_true(n > 0);
    g_ptr_array_add(tunnel->credentials->crls, g_bytes_new(der, (gsize)n));
    OPENSSL_free(der);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_CRL_free(crl);
    EVP_PKEY_free(key);
}

/* Each round would be over in the same way. */
static void with_a_list_that_has_ended_nothing_is_tried_for_ever(void **state)
{
    begin("192.0.2.1");
    tunnel->credentials = tunnel_credentials_new();
    add_list(3600);
    come_up();
    /* Somebody else's certificate, of an issuer without a list. */
    session_ends(IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_CERT_NO_CRL);
    assert_int_equal(tunnel->state, DIALTONE_STATE_RECONNECTING);
    tunnel_attempt_tick(tunnel, tunnel->retry_at);
    session_ends(IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_CERT_NO_CRL);
    assert_null(ended);
    add_list(-60);
    tunnel_attempt_tick(tunnel, tunnel->retry_at);
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    assert_null(ended);
    tunnel_attempt_tick(tunnel, tunnel->retry_at);
    session_ends(IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_CERT_NO_CRL);
    assert_non_null(ended);
}

static void a_renewal_with_a_list_that_has_ended_is_the_end(void **state)
{
    begin("192.0.2.1");
    tunnel->credentials = tunnel_credentials_new();
    add_list(-60);
    come_up();
    session_ends(IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_CERT_NO_CRL);
    assert_non_null(ended);
}

/* ---- backup servers ---- */

static void fail_all(void)
{
    for (int i = 0; i < 20 && tunnel->retry_at == 0 && ended == NULL; i++) {
        if (tunnel->resolving != NULL)
            return;
        session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    }
}

static void come_up_and_lose(const char *addresses, const char *backups)
{
    begin(addresses);
    tunnel_attempt_take_backups(tunnel, backups);
    come_up();
    g_string_truncate(called, 0);
    lose();
}

/* Whatever it is, it is no server: nobody is called, and nothing is looked up. */
static void what_is_neither_name_nor_address_is_nobody(void **state)
{
    tunnel->resolver = (PlatformResolver *)tunnel;
    come_up_and_lose("192.0.2.1", "127.0.0.1,0.0.0.0 255.255.255.255 224.0.0.1 ::1 -x.example "
                                  "a..b $(id) 1.2.3 1.2.3.4.5 host:500 ../x \x1b[2J %s");
    fail_all();
    expect_called("192.0.2.1 ");
}

static void without_a_resolver_names_are_nobody(void **state)
{
    come_up_and_lose("192.0.2.1", "vpn2.example.com 192.0.2.7");
    fail_all();
    expect_called("192.0.2.1 192.0.2.7 ");
}

static void more_than_there_is_room_for_are_cut(void **state)
{
    come_up_and_lose("192.0.2.1", "192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.14 192.0.2.15 "
                                  "192.0.2.16 192.0.2.17 192.0.2.18 192.0.2.19 192.0.2.20");
    fail_all();
    assert_null(strstr(called->str, "192.0.2.19"));
    assert_non_null(strstr(called->str, "192.0.2.18 "));
}

/* A first connection is the profile's alone. */
static void before_the_tunnel_was_up_nobody_else_is_called(void **state)
{
    begin("192.0.2.1");
    tunnel_attempt_take_backups(tunnel, "192.0.2.7");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.1 ");
    assert_non_null(ended);
}

static void they_come_behind_the_profile_s_own(void **state)
{
    come_up_and_lose("192.0.2.1;192.0.2.2", "192.0.2.7, 192.0.2.8\n192.0.2.7 192.0.2.2");
    fail_all();
    expect_called("192.0.2.1 192.0.2.2 192.0.2.7 192.0.2.8 192.0.2.2 ");
}

/* A gateway that was believed once can't say who else is: what is expected stays the profile's. */
static void a_backup_must_prove_what_the_first_had_to(void **state)
{
    come_up_and_lose("192.0.2.1", "192.0.2.7");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.1 192.0.2.7 ");
    assert_string_equal(tunnel->host, "192.0.2.1");
    assert_string_equal(tunnel_attempt_context(tunnel).gateway, "192.0.2.7");
}

/* The report names it, too: it isn't the profile's gateway that has changed. */
static void a_backup_that_is_sought_again_is_named_itself(void **state)
{
    come_up_and_lose("192.0.2.1", "192.0.2.7");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    come_up();
    g_string_truncate(called, 0);
    lose();
    expect_called("192.0.2.7 ");
    assert_string_equal(tunnel->member, "192.0.2.7");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.7 192.0.2.1 ");
    assert_null(tunnel->member);
}

static void a_backup_s_name_is_looked_up(void **state)
{
    tunnel->resolver = (PlatformResolver *)tunnel;
    come_up_and_lose("192.0.2.1", "vpn2.example.com");
    session_ends(IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE);
    expect_called("192.0.2.1 vpn2.example.com ");
}

static void a_gateway_that_names_none_leaves_those_known(void **state)
{
    begin("192.0.2.1");
    tunnel_attempt_take_backups(tunnel, "192.0.2.7");
    tunnel_attempt_take_backups(tunnel, "");
    assert_int_equal(tunnel->backups->len, 1);
    tunnel_attempt_take_backups(tunnel, "192.0.2.8 192.0.2.9");
    assert_int_equal(tunnel->backups->len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_that_is_sought_again_is_named_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_sent_before_a_slot_was_claimed, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_asked_before_a_slot_was_claimed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_redirect_is_followed_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_expected_stays_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(back_and_forth_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_circle_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(ever_new_gateways_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_a_dead_one_the_profile_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_refuses_is_named_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_tunnel_is_sought_where_it_began, setup, teardown),
        cmocka_unit_test_setup_teardown(who_takes_another_s_place_knows_what_that_did, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(in_another_s_place_silence_is_no_end, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_never_connected_leaves_nothing_behind, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(with_a_list_that_has_ended_nothing_is_tried_for_ever, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_renewal_with_a_list_that_has_ended_is_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_neither_name_nor_address_is_nobody, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_resolver_names_are_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_there_is_room_for_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(before_the_tunnel_was_up_nobody_else_is_called, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(they_come_behind_the_profile_s_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_must_prove_what_the_first_had_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_s_name_is_looked_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gateway_that_names_none_leaves_those_known, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
