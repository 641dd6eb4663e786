/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tunnel process. What it can do is taken away step by step: descriptors, identity,
 * capabilities and the way to be traced before it has a second thread; system calls, in all of its
 * threads, before a byte from the network can reach it. That last step waits for the profile, which
 * says whether libcrypto's legacy provider will be needed: libraries can't be loaded afterwards.
 *
 * It ends when the tunnel has ended, and goes through the same end when agent or helper vanish.
 */
#include "client/cli/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/provider.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/tunnel/channel.h"
#include "client/tunnel/network.h"
#include "client/tunnel/tunnel.h"
#include "client/tunnel/warm-up.h"
#include "platform/sandbox.h"

enum {
    PROFILE_WAIT_MS = 60 * 1000,
    FIRST_FREE_FD = 5,
    AGENT_FD = 3,
    HELPER_FD = 4,
};

typedef struct Process {
    GMainLoop *loop;
    Tunnel *tunnel;
    TunnelChannel *channel;
    const char *profile; /* its name */
    int code;
} Process;

/* ---- giving up ---- */

/* Two sockets and standard error are all that it keeps. */
static bool keep_descriptors(int agent_fd, int helper_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int agent = fcntl(agent_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int helper = fcntl(helper_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (null < 0 || agent < 0 || helper < 0)
        return false;
    return dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
           dup3(agent, AGENT_FD, O_CLOEXEC) >= 0 && dup3(helper, HELPER_FD, O_CLOEXEC) >= 0 &&
           close_range(FIRST_FREE_FD, ~0u, 0) == 0;
}

static bool give_up_identity(void)
{
    PlatformIdentity nobody;
    return platform_sandbox_service_identity(&nobody) == 0 &&
           platform_sandbox_become(&nobody) == 0 && platform_sandbox_keep_caps(NULL, 0) == 0 &&
           platform_sandbox_harden() == 0;
}

/* The first frame; 0 when the agent has ended without one. */
static int wait_for_profile(TunnelFrame *frame)
{
    int result = tunnel_frame_receive(AGENT_FD, PROFILE_WAIT_MS, frame);
    if (result == 1 && (frame->type != TUNNEL_FRAME_PROFILE || frame->n < 1))
        return -EPROTO;
    return result;
}

static bool close_sandbox(const TunnelFrame *profile)
{
    bool legacy = (profile->bytes[0] & TUNNEL_PROFILE_LEGACY) != 0;
    if (legacy && OSSL_PROVIDER_load(NULL, "legacy") != NULL)
        legacy = OSSL_PROVIDER_load(NULL, "default") == NULL;
    return platform_sandbox_seccomp_tunnel() == 0;
}

/* ---- to the agent ---- */

static void send_report(const DialtoneReport *report)
{
    g_autofree char *json = dialtone_report_to_json(report);
    if (tunnel_frame_send(AGENT_FD, TUNNEL_FRAME_REPORT, json, strlen(json)) < 0)
        g_debug("the agent does not read");
}

static void send_end(int code)
{
    guint8 byte = (guint8)code;
    if (tunnel_frame_send(AGENT_FD, TUNNEL_FRAME_END, &byte, 1) < 0)
        g_debug("the agent does not read");
}

static void report_failure(const char *profile, const GError *error)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_FAILED, profile);
    dialtone_report_take_error(report, error);
    send_report(report);
    send_end((int)dialtone_failure_of(error));
}

static int refuse(const char *profile, const char *message)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL, NULL, "%s", message);
    report_failure(profile, error);
    return DIALTONE_FAILURE_INTERNAL;
}

static void on_report(const DialtoneReport *report, gpointer data)
{
    send_report(report);
}

static void on_question(const TunnelQuestion *question, gpointer data)
{
    Process *process = data;
    if (tunnel_frame_send_question(AGENT_FD, question) < 0)
        tunnel_answer(process->tunnel, question->id, NULL);
}

static void on_sign(const TunnelSigning *signing, gpointer data)
{
    Process *process = data;
    if (tunnel_frame_send_signing(AGENT_FD, signing) < 0)
        tunnel_give_signature(process->tunnel, signing->id, NULL, 0);
}

static void on_notice(const char *text, gpointer data)
{
    if (tunnel_frame_send(AGENT_FD, TUNNEL_FRAME_NOTICE, text, strlen(text)) < 0)
        g_debug("the agent does not read");
}

static void on_renegotiate(gpointer data)
{
    const Process *process = data;
    tunnel_channel_reload(process->channel);
}

static void on_changed(DialtoneFailure why, gpointer data)
{
    const guint8 byte = why == DIALTONE_FAILURE_NONE ? 1 : 0;
    if (tunnel_frame_send(AGENT_FD, TUNNEL_FRAME_CHANGED, &byte, 1) < 0)
        g_debug("the agent does not read");
}

static void on_ended(DialtoneFailure code, gpointer data)
{
    Process *process = data;
    process->code = (int)code;
    send_end(process->code);
    g_main_loop_quit(process->loop);
}

static const TunnelHandlers HANDLERS = {
    .report = on_report,
    .question = on_question,
    .sign = on_sign,
    .notice = on_notice,
    .renegotiate = on_renegotiate,
    .changed = on_changed,
    .ended = on_ended,
};

/* ---- from the agent ---- */

static void on_secrets(TunnelSecrets *secrets_take, gpointer data)
{
    const Process *process = data;
    tunnel_give_secrets(process->tunnel, secrets_take);
}

/* The agent goes back to what it had, too. */
static void refuse_change(const Process *process, const GError *error)
{
    on_changed(dialtone_failure_of(error), (gpointer)(uintptr_t)process);
    tunnel_refuse_change(process->tunnel, error);
}

static bool on_profile(const char *text, gsize n, gpointer data)
{
    const Process *process = data;
    g_autoptr(GError) error = NULL;
    DialtoneProfile *profile = dialtone_profile_parse(text, n, "profile", NULL);
    if (profile == NULL)
        return false;
    if (!tunnel_change(process->tunnel, profile, &error))
        refuse_change(process, error);
    return true;
}

static void on_keep(const GError *why, gpointer data)
{
    const Process *process = data;
    if (why != NULL)
        tunnel_refuse_change(process->tunnel, why);
    else
        tunnel_keep_profile(process->tunnel);
}

/* It ends in good order, but only an agent that lives has asked for it: the helper may hear of the
 * other's death later than it hears the tunnel. */
static void on_closed(int error, gpointer data)
{
    const Process *process = data;
    g_autoptr(GError) why = NULL;
    if (error == 0) {
        tunnel_stop(process->tunnel);
        return;
    }
    /* One that is gone does not read this. */
    dialtone_failure_set(&why, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                         _("What was handed over could not be read."));
    tunnel_fail(process->tunnel, why);
}

static const TunnelChannelHandlers CHANNEL = {
    .secrets = on_secrets, .profile = on_profile, .keep = on_keep, .closed = on_closed};

/* ---- life ---- */

static int run(Process *process, const TunnelSetup *setup)
{
    g_autoptr(GError) error = NULL;
    process->tunnel = tunnel_new(setup, &error);
    if (process->tunnel == NULL) {
        report_failure(process->profile, error);
        return (int)dialtone_failure_of(error);
    }
    process->loop = g_main_loop_new(NULL, FALSE);
    process->channel = tunnel_channel_new(AGENT_FD, process->tunnel, &CHANNEL, process);
    tunnel_start(process->tunnel);
    g_main_loop_run(process->loop);
    tunnel_free(process->tunnel);
    tunnel_channel_free(process->channel);
    g_main_loop_unref(process->loop);
    return process->code;
}

/* The key pair is made while the helper gets ready, so the profile comes before the greeting. */
static int meet_helper(const TunnelFrame *frame, guint64 began)
{
    g_autoptr(GError) error = NULL;
    const char *text = (const char *)frame->bytes + 1;
    g_autoptr(DialtoneProfile) profile =
        dialtone_profile_parse(text, frame->n - 1, "profile", NULL);
    if (profile == NULL)
        return refuse(NULL, _("The profile could not be read a second time."));
    g_autofree char *name = g_strdup(profile->name);
    TunnelWarmUp *warm_up = tunnel_warm_up_proposal(profile);
    GDBusConnection *helper = tunnel_network_connect(HELPER_FD, &error);
    if (helper == NULL) {
        tunnel_warm_up_free(warm_up);
        return refuse(name, error->message);
    }
    Process process = {.profile = name};
    const TunnelSetup setup = {.profile_take = g_steal_pointer(&profile),
                               .is_system = (frame->bytes[0] & TUNNEL_PROFILE_SYSTEM) != 0,
                               .helper_take = helper,
                               .warm_up_take = warm_up,
                               .began = began,
                               .handlers = &HANDLERS,
                               .data = &process};
    return run(&process, &setup);
}

int standalone_tunnel(int agent_fd, int helper_fd, guint64 began)
{
    g_auto(TunnelFrame) frame = {0};
    if (!keep_descriptors(agent_fd, helper_fd))
        return DIALTONE_FAILURE_INTERNAL;
    if (!give_up_identity())
        return refuse(NULL, _("The privileges of root could not be given up."));
    g_log_writer_default_set_use_stderr(TRUE);
    tunnel_warm_up();
    int result = wait_for_profile(&frame);
    /* The agent had nothing to hand over, and has said why. */
    if (result == 0)
        return DIALTONE_FAILURE_NONE;
    if (result < 0)
        return refuse(NULL, _("No profile was handed over."));
    if (!close_sandbox(&frame))
        return refuse(NULL, _("The sandbox could not be closed."));
    return meet_helper(&frame, began);
}
