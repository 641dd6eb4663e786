/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tunnel's end of its channel to an agent: an agent that breaks the protocol is hung up on,
 * whatever it sends, and what it says in order arrives. */
#include "service-kit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/tunnel/channel.h"

void __wrap_tunnel_answer(Tunnel *self, guint32 id, const TunnelAnswer *answer);
void __wrap_tunnel_give_credentials(Tunnel *self, TunnelCredentials *credentials_take);
void __wrap_tunnel_give_signature(Tunnel *self, guint32 id, const guint8 *signature, gsize n);

typedef struct Heard {
    int agent; /* its end */
    TunnelChannel *channel;
    guint secrets, answers, signatures, credentials, profiles, kept, refused;
    bool answered, closed;
    int error, why;
} Heard;

static Heard heard;

void __wrap_tunnel_answer(Tunnel *self, guint32 id, const TunnelAnswer *answer)
{
    heard.answers++;
    heard.answered = answer != NULL;
}

void __wrap_tunnel_give_credentials(Tunnel *self, TunnelCredentials *credentials_take)
{
    heard.credentials++;
    tunnel_credentials_free(credentials_take);
}

void __wrap_tunnel_give_signature(Tunnel *self, guint32 id, const guint8 *signature, gsize n)
{
    heard.signatures++;
}

static void on_secrets(TunnelSecrets *secrets_take, gpointer data)
{
    heard.secrets++;
    tunnel_secrets_free(secrets_take);
}

static void on_closed(int error, gpointer data)
{
    heard.closed = true;
    heard.error = error;
    g_clear_pointer(&heard.channel, tunnel_channel_free);
}

static bool on_profile(const char *text, gsize n, gpointer data)
{
    heard.profiles++;
    return n > 0;
}

static void on_keep(const GError *why, gpointer data)
{
    heard.kept++;
    heard.why = why != NULL ? (int)dialtone_failure_of(why) : 0;
}

/* The channel may be freed in it. */
static void on_refused(const GError *why, gpointer data)
{
    heard.refused++;
    heard.why = (int)dialtone_failure_of(why);
    g_clear_pointer(&heard.channel, tunnel_channel_free);
}

static const TunnelChannelHandlers HANDLERS = {
    .secrets = on_secrets, .refused = on_refused, .closed = on_closed};
static const TunnelChannelHandlers RELOADING = {
    .secrets = on_secrets, .profile = on_profile, .keep = on_keep, .closed = on_closed};

static int set_up(void **state)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return 1;
    heard = (Heard){.agent = ends[1]};
    heard.channel = tunnel_channel_new(ends[0], NULL, &HANDLERS, NULL);
    return 0;
}

static int tear_down(void **state)
{
    tunnel_channel_free(heard.channel);
    close(heard.agent);
    return 0;
}

static void run(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void send_secrets(void)
{
    g_autoptr(TunnelSecrets) secrets = tunnel_secrets_new();
    assert_int_equal(tunnel_frame_send_secrets(heard.agent, secrets), 0);
}

static void frames_of_the_tunnel_s_own_are_a_breach(void **state)
{
    assert_int_equal(tunnel_frame_send(heard.agent, TUNNEL_FRAME_END, "\0", 1), 0);
    run();
    assert_true(heard.closed);
    assert_int_equal(heard.error, -EPROTO);
}

static void a_profile_is_a_breach_here(void **state)
{
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    run();
    assert_int_equal(heard.error, -EPROTO);
}

static void secrets_twice_are_a_breach(void **state)
{
    send_secrets();
    run();
    assert_int_equal(heard.secrets, 1);
    assert_true(tunnel_channel_is_ready(heard.channel));
    send_secrets();
    run();
    assert_int_equal(heard.secrets, 1);
    assert_int_equal(heard.error, -EPROTO);
}

static void send_refusal(void)
{
    g_autoptr(GError) why = NULL;
    dialtone_failure_set(&why, DIALTONE_FAILURE_SECRET_MISSING, NULL, "nobody gave it");
    assert_int_equal(tunnel_frame_send_keep(heard.agent, why), 0);
    run();
}

static void what_can_t_be_had_is_told_in_place_of_the_secrets(void **state)
{
    send_refusal();
    assert_int_equal(heard.refused, 1);
    assert_int_equal(heard.why, DIALTONE_FAILURE_SECRET_MISSING);
    assert_false(heard.closed);
}

static void a_refusal_behind_the_secrets_or_without_a_reason_is_a_breach(void **state)
{
    send_secrets();
    run();
    send_refusal();
    assert_int_equal(heard.refused, 0);
    assert_int_equal(heard.error, -EPROTO);
    tear_down(state);
    set_up(state);
    assert_int_equal(tunnel_frame_send_keep(heard.agent, NULL), 0);
    run();
    assert_int_equal(heard.refused, 0);
    assert_int_equal(heard.error, -EPROTO);
}

static void every_first_byte_and_length_is_survived(void **state)
{
    for (int type = 0; type < 256; type++) {
        for (gsize n = 0; n < 64; n += 7) {
            guint8 bytes[64] = {0};
            memset(bytes, type ^ 0xff, n);
            assert_int_equal(tunnel_frame_send(heard.agent, (TunnelFrameType)type, bytes, n), 0);
            run();
            tear_down(state);
            set_up(state);
        }
    }
}

/* ---- a profile that is read again ---- */

/* The tunnel of this program's own agent, whose secrets have come. */
static void begin_reloading(void)
{
    int ends[2];
    tear_down(NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    heard = (Heard){.agent = ends[1]};
    heard.channel = tunnel_channel_new(ends[0], NULL, &RELOADING, NULL);
    send_secrets();
    run();
    assert_int_equal(heard.secrets, 1);
}

static void expect_reload(void)
{
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_receive(heard.agent, 0, &frame), 1);
    assert_int_equal(frame.type, TUNNEL_FRAME_RELOAD);
}

static void a_profile_that_nobody_asked_for_is_a_breach(void **state)
{
    begin_reloading();
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    run();
    assert_int_equal(heard.profiles, 0);
    assert_int_equal(heard.error, -EPROTO);
    begin_reloading();
    assert_int_equal(tunnel_frame_send_keep(heard.agent, NULL), 0);
    run();
    assert_int_equal(heard.kept, 0);
    assert_int_equal(heard.error, -EPROTO);
}

static void it_is_asked_for_once_and_behind_the_secrets(void **state)
{
    g_auto(TunnelFrame) frame = {0};
    tunnel_channel_reload(heard.channel);
    assert_int_equal(tunnel_frame_receive(heard.agent, 0, &frame), -EAGAIN);
    begin_reloading();
    tunnel_channel_reload(heard.channel);
    tunnel_channel_reload(heard.channel);
    expect_reload();
    assert_int_equal(tunnel_frame_receive(heard.agent, 0, &frame), -EAGAIN);
}

static void a_profile_comes_with_its_secrets_and_once(void **state)
{
    begin_reloading();
    tunnel_channel_reload(heard.channel);
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    send_secrets();
    run();
    assert_int_equal(heard.profiles, 1);
    assert_int_equal(heard.secrets, 2);
    assert_false(heard.closed);
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    run();
    assert_int_equal(heard.error, -EPROTO);
}

static void two_profiles_at_once_are_a_breach(void **state)
{
    begin_reloading();
    tunnel_channel_reload(heard.channel);
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    run();
    assert_int_equal(heard.profiles, 1);
    assert_int_equal(heard.error, -EPROTO);
}

static void what_can_t_be_used_is_told_with_its_reason(void **state)
{
    g_autoptr(GError) why = NULL;
    dialtone_failure_set(&why, DIALTONE_FAILURE_POLICY, "Ask.", "Not that one.");
    begin_reloading();
    tunnel_channel_reload(heard.channel);
    assert_int_equal(tunnel_frame_send_profile(heard.agent, "[Gateway]\n", 0), 0);
    assert_int_equal(tunnel_frame_send_keep(heard.agent, why), 0);
    run();
    assert_int_equal(heard.kept, 1);
    assert_int_equal(heard.why, DIALTONE_FAILURE_POLICY);
    tunnel_channel_reload(heard.channel);
    assert_int_equal(tunnel_frame_send_keep(heard.agent, NULL), 0);
    run();
    assert_int_equal(heard.kept, 2);
    assert_int_equal(heard.why, 0);
    assert_false(heard.closed);
}

static void an_agent_that_is_done_is_no_fault(void **state)
{
    send_secrets();
    shutdown(heard.agent, SHUT_WR);
    run();
    /* What it said before still counts. */
    assert_int_equal(heard.secrets, 1);
    assert_true(heard.closed);
    assert_int_equal(heard.error, 0);
}

/* Killed, it can't say that it wants the end; a kill switch must not go with it. */
static void an_agent_that_is_gone_is_known_from_one_that_is_done(void **state)
{
    send_secrets();
    close(heard.agent);
    heard.agent = -1;
    run();
    assert_int_equal(heard.secrets, 1);
    assert_true(heard.closed);
    assert_int_equal(heard.error, -ECONNRESET);
}

static void answers_and_signatures_arrive(void **state)
{
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    send_secrets();
    assert_int_equal(tunnel_frame_send_answer(heard.agent, 3, answer), 0);
    run();
    assert_true(heard.answered);
    assert_int_equal(tunnel_frame_send_answer(heard.agent, 4, NULL), 0);
    assert_int_equal(tunnel_frame_send_signature(heard.agent, 1, (const guint8 *)"sig", 3), 0);
    run();
    assert_int_equal(heard.answers, 2);
    assert_false(heard.answered);
    assert_int_equal(heard.signatures, 1);
    assert_false(heard.closed);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(frames_of_the_tunnel_s_own_are_a_breach),
        CASE(a_profile_is_a_breach_here),
        CASE(secrets_twice_are_a_breach),
        CASE(what_can_t_be_had_is_told_in_place_of_the_secrets),
        CASE(a_refusal_behind_the_secrets_or_without_a_reason_is_a_breach),
        CASE(every_first_byte_and_length_is_survived),
        CASE(a_profile_that_nobody_asked_for_is_a_breach),
        CASE(it_is_asked_for_once_and_behind_the_secrets),
        CASE(a_profile_comes_with_its_secrets_and_once),
        CASE(two_profiles_at_once_are_a_breach),
        CASE(what_can_t_be_used_is_told_with_its_reason),
        CASE(an_agent_that_is_done_is_no_fault),
        CASE(an_agent_that_is_gone_is_known_from_one_that_is_done),
        CASE(answers_and_signatures_arrive),
    };
    return cmocka_run_group_tests_name("service channel", tests, NULL, NULL);
}
