/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done when the network changes. Relied on by whoever takes a tunnel along: a change too
 * many must not cost a tunnel that works, nor a person another code; one too few must not leave
 * `connected` standing for what is gone. The network, the session and the clock are played here.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/tunnel/config.h"
#include "client/tunnel/tunnel-private.h"

static Tunnel *tunnel;
static PlatformNetworkFunc tell;
static struct {
    uint64_t now, heard, inbound;
    int link;           /* 0: no network */
    bool six;           /* it has IPv6 only */
    const char *source; /* of ours there */
    unsigned mtu;       /* of the link */
    unsigned asked, again, away, applied, goodbyes, ways;
    GString *said;
} world;

PlatformNetworkWatch *__wrap_platform_network_watch_new(int fd_take, PlatformNetworkFunc func,
                                                        void *data);
void __wrap_platform_network_watch_free(PlatformNetworkWatch *watch);
bool __wrap_platform_network_watch_way(PlatformNetworkWatch *watch, const PlatformAddress *to,
                                       uint32_t mark, PlatformWay *wayp);
uint64_t __wrap_platform_clock_now(void);
int __wrap_ike_session_network_changed(IkeSession *session, uint64_t now);
uint64_t __wrap_ike_session_last_heard(const IkeSession *session);
int __wrap_ike_session_stop(IkeSession *session, uint64_t now);
bool __wrap_ike_session_next_packet(IkeSession *session, IkePacket *packet);
int __wrap_datapath_send(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n);
uint64_t __wrap_datapath_last_inbound(const Datapath *self, uint32_t *spi);
void __wrap_tunnel_session_pump(Tunnel *self);
void __wrap_tunnel_session_drop(Tunnel *self);
void __wrap_tunnel_rearm(Tunnel *self);
void __wrap_tunnel_attempt_again(Tunnel *self, GError *why_take);
void __wrap_tunnel_attempt_away(Tunnel *self, GError *why_take);
void __wrap_tunnel_attempt_cancel(Tunnel *self);
void __wrap_tunnel_link_apply(Tunnel *self);
void __wrap_tunnel_mtu_way_changed(Tunnel *self);

PlatformNetworkWatch *__wrap_platform_network_watch_new(int fd_take, PlatformNetworkFunc func,
                                                        void *data)
{
    tell = func;
    return (PlatformNetworkWatch *)data;
}

void __wrap_platform_network_watch_free(PlatformNetworkWatch *watch)
{
}

bool __wrap_platform_network_watch_way(PlatformNetworkWatch *watch, const PlatformAddress *to,
                                       uint32_t mark, PlatformWay *wayp)
{
    if (world.link == 0 || (to->family == AF_INET6) != world.six)
        return false;
    *wayp = (PlatformWay){.ifindex = world.link, .mtu = world.mtu};
    assert_true(platform_address_parse(world.source, &wayp->source));
    return true;
}

uint64_t __wrap_platform_clock_now(void)
{
    return world.now;
}

int __wrap_ike_session_network_changed(IkeSession *session, uint64_t now)
{
    world.asked++;
    return 0;
}

uint64_t __wrap_ike_session_last_heard(const IkeSession *session)
{
    return world.heard;
}

int __wrap_ike_session_stop(IkeSession *session, uint64_t now)
{
    world.goodbyes = 1;
    return 0;
}

bool __wrap_ike_session_next_packet(IkeSession *session, IkePacket *packet)
{
    if (world.goodbyes == 0)
        return false;
    world.goodbyes--;
    *packet = (IkePacket){.to = kit_address("192.0.2.1")};
    packet->to.port = IKE_PORT_NATT;
    return true;
}

int __wrap_datapath_send(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n)
{
    g_autofree char *text = tunnel_host_text(to);
    g_string_append_printf(world.said, "%s %u ", text, to->port);
    return 0;
}

uint64_t __wrap_datapath_last_inbound(const Datapath *self, uint32_t *spi)
{
    return world.inbound;
}

void __wrap_tunnel_session_pump(Tunnel *self)
{
}

void __wrap_tunnel_session_drop(Tunnel *self)
{
    self->session = NULL;
}

void __wrap_tunnel_rearm(Tunnel *self)
{
}

void __wrap_tunnel_attempt_again(Tunnel *self, GError *why_take)
{
    world.again++;
    g_error_free(why_take);
    self->state = DIALTONE_STATE_RECONNECTING;
    self->session = NULL;
}

void __wrap_tunnel_attempt_away(Tunnel *self, GError *why_take)
{
    world.away++;
    g_error_free(why_take);
    self->state = DIALTONE_STATE_RECONNECTING;
}

void __wrap_tunnel_attempt_cancel(Tunnel *self)
{
}

void __wrap_tunnel_mtu_way_changed(Tunnel *self)
{
    world.ways++;
}

void __wrap_tunnel_link_apply(Tunnel *self)
{
    world.applied++;
    self->state = DIALTONE_STATE_CONNECTED;
}

/* ---- the world ---- */

static void wait_ms(uint64_t ms)
{
    world.now += ms * IKE_MILLISECOND;
    tunnel_roam_tick(tunnel, world.now);
}

static void change(int link, const char *source)
{
    const PlatformNetworkChange nothing_lost = {0};
    world.link = link;
    world.six = source != NULL && strchr(source, ':') != NULL;
    world.source = source;
    tell(&nothing_lost, tunnel);
}

static void lose(int link)
{
    const PlatformNetworkChange lost = {.lost = {link}, .lost_n = 1};
    tell(&lost, tunnel);
}

static void answer(void)
{
    world.now += IKE_MILLISECOND;
    world.heard = world.now;
    tunnel_roam_heard(tunnel);
}

static void stand(void)
{
    tunnel->session = (IkeSession *)tunnel;
    tunnel->session_over = false;
    tunnel->ike_connected = tunnel->was_connected = true;
    tunnel->state = DIALTONE_STATE_CONNECTED;
    tunnel_roam_called(tunnel, &tunnel->peer);
    tunnel_roam_connected(tunnel);
    tunnel_roam_tick(tunnel, world.now);
}

static int setup(void **state)
{
    memset(&world, 0, sizeof(world));
    world.said = g_string_new(NULL);
    world.now = 1000 * IKE_SECOND;
    world.link = 2;
    world.source = "10.0.0.2";
    tunnel = g_new0(Tunnel, 1);
    tunnel->profile = kit_profile("");
    tunnel->state_fd = -1;
    tunnel->found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    tunnel->good_found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    tunnel->good = tunnel->peer = kit_address("192.0.2.1");
    tunnel->phase1.natt = true;
    tunnel_roam_take_watch(tunnel, 0);
    stand();
    return 0;
}

static int teardown(void **state)
{
    g_string_free(world.said, TRUE);
    dialtone_profile_free(tunnel->profile);
    g_array_unref(tunnel->found);
    g_array_unref(tunnel->good_found);
    g_free(tunnel);
    return 0;
}

/* ---- what is no change ---- */

static void what_leaves_the_way_alone_is_nothing(void **state)
{
    for (int i = 0; i < 100; i++) {
        change(2, "10.0.0.2");
        lose(7);
    }
    wait_ms(60000);
    assert_int_equal(world.asked + world.away + world.again, 0);
}

static void before_the_tunnel_stood_nothing_is_done(void **state)
{
    tunnel->was_connected = tunnel->ike_connected = false;
    change(3, "10.0.1.2");
    change(0, NULL);
    assert_int_equal(world.asked + world.away + world.again, 0);
    assert_false(tunnel->roam.offline);
}

static void when_it_is_ending_nothing_is_done(void **state)
{
    tunnel->end = TUNNEL_END_GOODBYE;
    change(3, "10.0.1.2");
    change(0, NULL);
    tunnel_woke_up(tunnel);
    assert_int_equal(world.asked + world.away + world.again, 0);
}

static void another_mtu_of_the_link_is_looked_at_and_keeps_the_tunnel(void **state)
{
    const unsigned before = world.ways;
    world.mtu = 1400;
    change(2, "10.0.0.2");
    assert_int_equal(world.ways, before + 1);
    change(2, "10.0.0.2");
    assert_int_equal(world.ways, before + 1);
    assert_int_equal(world.asked + world.away + world.again, 0);
}

/* ---- another way ---- */

static void another_address_is_asked_from_and_the_answer_keeps_the_tunnel(void **state)
{
    change(2, "10.0.0.3");
    assert_int_equal(world.asked, 1);
    answer();
    wait_ms(60000);
    assert_int_equal(world.applied, 1);
    assert_int_equal(world.again + world.away, 0);
}

static void what_looks_the_same_after_an_interruption_is_asked_after(void **state)
{
    lose(2);
    assert_int_equal(world.asked, 1);
}

static void a_gateway_that_does_not_follow_is_called_anew(void **state)
{
    change(3, "10.0.1.2");
    wait_ms(TUNNEL_DOUBT_MS - 1);
    assert_int_equal(world.again, 0);
    wait_ms(1);
    assert_int_equal(world.again, 1);
    /* It is told on the new way, on the port that it listens on. */
    assert_string_equal(world.said->str, "192.0.2.1 4500 ");
}

static void what_was_heard_before_is_no_answer(void **state)
{
    world.heard = world.inbound = world.now;
    change(3, "10.0.1.2");
    tunnel_roam_heard(tunnel);
    assert_int_equal(world.applied, 0);
    wait_ms(TUNNEL_DOUBT_MS);
    assert_int_equal(world.again, 1);
}

static void a_gateway_without_dpd_is_known_by_its_traffic(void **state)
{
    change(3, "10.0.1.2");
    world.inbound = world.now + 1;
    wait_ms(TUNNEL_DOUBT_MS);
    assert_int_equal(world.applied, 1);
    assert_int_equal(world.again, 0);
}

static void ever_new_changes_delay_the_truth_by_two_seconds_at_most(void **state)
{
    for (int i = 0; i < 13 && world.again == 0; i++) {
        change(2, i % 2 == 0 ? "10.0.0.3" : "10.0.0.2");
        wait_ms(150);
    }
    assert_int_equal(world.again, 1);
}

static void without_udp_encapsulation_nobody_can_follow(void **state)
{
    tunnel->phase1.natt = false;
    change(2, "10.0.0.3");
    assert_int_equal(world.again, 1);
    assert_int_equal(world.asked, 0);
}

static void another_family_is_another_phase1_and_a_goodbye_there(void **state)
{
    IkeAddress other = kit_address("2001:db8::1");
    g_array_append_val(tunnel->good_found, other);
    change(3, "2001:db8:7::2");
    assert_int_equal(world.again, 1);
    assert_string_equal(world.said->str, "2001:db8::1 4500 ");
}

static void where_a_person_would_be_asked_the_old_sas_have_longer(void **state)
{
    tunnel->asking.spent = true;
    change(3, "10.0.1.2");
    wait_ms(TUNNEL_DOUBT_MS);
    assert_int_equal(world.away, 1); /* it does not say that it is connected */
    assert_int_equal(world.again, 0);
    wait_ms(5000);
    answer();
    assert_int_equal(world.applied, 1);
    assert_int_equal(world.again, 0);
    wait_ms(60000);
    change(2, "10.0.0.2");
    wait_ms(TUNNEL_DOUBT_MS);
    wait_ms(TUNNEL_HOLD_SECONDS * 1000);
    assert_int_equal(world.again, 1);
}

static void who_types_is_not_interrupted(void **state)
{
    tunnel->ike_connected = false;
    tunnel->state = DIALTONE_STATE_NEEDS_SECRETS;
    tunnel->question = 1;
    change(3, "10.0.1.2");
    change(0, NULL);
    change(3, "10.0.1.2");
    assert_int_equal(world.again, 0);
    assert_non_null(tunnel->session);
}

static void an_attempt_on_the_old_way_begins_anew(void **state)
{
    tunnel->ike_connected = false;
    tunnel->state = DIALTONE_STATE_RECONNECTING;
    lose(2); /* what is sent is sent again anyway */
    assert_int_equal(world.again, 0);
    change(3, "10.0.1.2");
    assert_int_equal(world.again, 1);
}

static void a_pause_between_attempts_ends_when_a_link_comes_back(void **state)
{
    tunnel->session = NULL;
    tunnel->state = DIALTONE_STATE_RECONNECTING;
    change(2, "10.0.0.2");
    assert_int_equal(world.again, 0);
    lose(2);
    assert_int_equal(world.again, 1);
}

/* It is told that it stands from within its session, which must not be dropped there. */
static void what_changed_while_it_was_set_up_is_seen_a_turn_later(void **state)
{
    tunnel->phase1.natt = false;
    world.source = "10.0.0.9";
    tunnel_roam_connected(tunnel);
    assert_int_equal(world.again, 0);
    assert_int_equal(tunnel_roam_deadline(tunnel), 0);
    wait_ms(0);
    assert_int_equal(world.again, 1);
    assert_true(tunnel_roam_deadline(tunnel) > 0);
}

/* ---- no network ---- */

static void without_a_network_nothing_is_tried(void **state)
{
    change(0, NULL);
    change(0, NULL);
    assert_int_equal(world.away, 1);
    assert_true(tunnel->roam.offline);
    for (int i = 0; i < 100; i++)
        wait_ms(10000);
    assert_int_equal(world.again + world.asked, 0);
    assert_int_equal(tunnel_session_deadline(tunnel), IKE_NEVER);
}

static void when_it_is_back_the_old_sas_are_asked_after_at_once(void **state)
{
    change(0, NULL);
    wait_ms(60000);
    change(2, "10.0.0.2");
    assert_int_equal(world.asked, 1);
    answer();
    assert_int_equal(tunnel->state, DIALTONE_STATE_CONNECTED);
}

static void what_was_doubted_before_the_network_went_takes_no_time_from_the_answer(void **state)
{
    change(3, "10.0.1.2");
    wait_ms(500);
    change(0, NULL);
    wait_ms(60000);
    change(2, "10.0.0.2");
    wait_ms(TUNNEL_DOUBT_MS - 1);
    assert_int_equal(world.again, 0);
    answer();
    assert_int_equal(tunnel->state, DIALTONE_STATE_CONNECTED);
    wait_ms(60000);
    assert_int_equal(world.again, 0);
}

static void when_it_is_back_and_nothing_is_left_a_call_is_made_at_once(void **state)
{
    change(0, NULL);
    tunnel->session = NULL;
    wait_ms(60000);
    change(2, "10.0.0.2");
    assert_int_equal(world.again, 1);
}

static void a_kernel_that_knows_no_way_at_all_is_not_believed(void **state)
{
    tunnel->roam.known = false;
    world.link = 0;
    tunnel_roam_connected(tunnel);
    assert_null(tunnel->roam.watch);
    assert_int_equal(world.away, 0);
}

/* ---- sleep, and words ---- */

static void who_wakes_up_asks_on_the_same_way(void **state)
{
    tunnel_woke_up(tunnel);
    assert_int_equal(world.asked, 1);
    wait_ms(TUNNEL_DOUBT_MS);
    assert_int_equal(world.again, 1);
}

static void while_it_sleeps_nobody_looks(void **state)
{
    tunnel_goes_to_sleep(tunnel);
    change(0, NULL);
    change(3, "10.0.1.2");
    lose(3);
    wait_ms(60000);
    assert_int_equal(world.asked + world.away + world.again, 0);
    assert_int_equal(tunnel_session_deadline(tunnel), IKE_NEVER);
    assert_int_equal(tunnel_attempt_deadline(tunnel), IKE_NEVER);
    tunnel_woke_up(tunnel);
    assert_int_equal(world.asked, 1);
}

static void who_wakes_up_without_a_network_says_so(void **state)
{
    tunnel_goes_to_sleep(tunnel);
    change(0, NULL);
    tunnel_woke_up(tunnel);
    assert_int_equal(world.away, 1);
    assert_true(tunnel->roam.offline);
}

static void a_sleep_before_the_tunnel_stood_keeps_nothing_waiting(void **state)
{
    tunnel->was_connected = tunnel->ike_connected = false;
    tunnel_goes_to_sleep(tunnel);
    assert_false(tunnel_roam_is_still(tunnel));
    tunnel_woke_up(tunnel);
    assert_int_equal(world.asked + world.away + world.again, 0);
}

static void expect_words(const char *message, const char *wanted)
{
    g_autofree char *words = tunnel_roam_words(tunnel, message);
    assert_string_equal(words, wanted);
}

static void a_question_says_why_it_comes(void **state)
{
    expect_words("Enter your token", "Enter your token");
    change(3, "10.0.1.2");
    expect_words("", "The network has changed, so the gateway asks again.");
    expect_words("Enter your token",
                 "The network has changed, so the gateway asks again.\nEnter your token");
    tunnel_woke_up(tunnel);
    expect_words("", "The computer was asleep, so the gateway asks again.");
    answer();
    expect_words("Enter your token", "Enter your token");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_leaves_the_way_alone_is_nothing),
        CASE(another_mtu_of_the_link_is_looked_at_and_keeps_the_tunnel),
        CASE(before_the_tunnel_stood_nothing_is_done),
        CASE(when_it_is_ending_nothing_is_done),
        CASE(another_address_is_asked_from_and_the_answer_keeps_the_tunnel),
        CASE(what_looks_the_same_after_an_interruption_is_asked_after),
        CASE(a_gateway_that_does_not_follow_is_called_anew),
        CASE(what_was_heard_before_is_no_answer),
        CASE(a_gateway_without_dpd_is_known_by_its_traffic),
        CASE(ever_new_changes_delay_the_truth_by_two_seconds_at_most),
        CASE(without_udp_encapsulation_nobody_can_follow),
        CASE(another_family_is_another_phase1_and_a_goodbye_there),
        CASE(where_a_person_would_be_asked_the_old_sas_have_longer),
        CASE(who_types_is_not_interrupted),
        CASE(an_attempt_on_the_old_way_begins_anew),
        CASE(a_pause_between_attempts_ends_when_a_link_comes_back),
        CASE(what_changed_while_it_was_set_up_is_seen_a_turn_later),
        CASE(without_a_network_nothing_is_tried),
        CASE(when_it_is_back_the_old_sas_are_asked_after_at_once),
        CASE(what_was_doubted_before_the_network_went_takes_no_time_from_the_answer),
        CASE(when_it_is_back_and_nothing_is_left_a_call_is_made_at_once),
        CASE(a_kernel_that_knows_no_way_at_all_is_not_believed),
        CASE(who_wakes_up_asks_on_the_same_way),
        CASE(while_it_sleeps_nobody_looks),
        CASE(who_wakes_up_without_a_network_says_so),
        CASE(a_sleep_before_the_tunnel_stood_keeps_nothing_waiting),
        CASE(a_question_says_why_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
