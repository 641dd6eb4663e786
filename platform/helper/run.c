// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of a helper: the original process of a standalone tunnel after the fork, or one of the
 * manager's.
 *
 * It waits for its peer, for signals and for its children, and ends when the children have. The
 * network is undone as soon as the peer is gone, in whatever way it went. Every wait for somebody
 * else has an end.
 */
#include "platform/helper/helper.h"
#include "platform/helper/session.h"
#include "platform/peer.h"
#include "platform/sandbox.h"
#include "platform/sleep-watch.h"

#include <glib-unix.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum {
    GREETING_WAIT_S = 10, /* for a caller to speak D-Bus */
    STOP_WAIT_S = 20,     /* for a tunnel that was asked to stop */
    AGENT_WAIT_S = 10,    /* for an agent whose tunnel is gone */
    EXIT_INTERNAL = 1,
    EXIT_NOT_PERMITTED = 10,
};

typedef struct Runner Runner;

typedef struct Child {
    pid_t pid; /* 0: none, or gone */
    int status;
    guint watch;
    guint killer;
    void (*gone)(Runner *runner);
    Runner *runner;
} Child;

struct Runner {
    GMainLoop *loop;
    HelperSession *session;
    int peer_fd; /* until the peer greets; then -1 */
    guint greeting;
    GDBusConnection *connection;
    Child tunnel, agent;
    gboolean stopping;
    guint deadline; /* for a peer that is no child of ours, to greet or to stop */
    gboolean peer_gone;
    gboolean undo_failed;
};

/* ---- ending ---- */

static void undo(Runner *runner)
{
    g_autoptr(GError) error = NULL;

    if (helper_session_undo(runner->session, &error)) {
        runner->undo_failed = FALSE;
        return;
    }
    if (!runner->undo_failed)
        fprintf(stderr, "dialtone: %s\n", error->message);
    runner->undo_failed = TRUE;
}

static gboolean is_done(const Runner *runner)
{
    return runner->peer_gone && !runner->tunnel.pid && !runner->agent.pid;
}

static void quit_if_done(Runner *runner)
{
    if (is_done(runner))
        g_main_loop_quit(runner->loop);
}

/* Without CAP_KILL a child of another uid can't be killed; but it need not be waited for, and the
   tunnel ends with us (platform_sandbox_seccomp_tunnel). */
static gboolean on_late(gpointer user_data)
{
    Child *child = user_data;

    child->killer = 0;
    if (kill(child->pid, SIGKILL) == 0)
        return G_SOURCE_REMOVE;
    fprintf(stderr, "dialtone: process %d does not end\n", (int)child->pid);
    g_clear_handle_id(&child->watch, g_source_remove);
    child->pid = 0;
    child->status = EXIT_INTERNAL;
    child->gone(child->runner);
    return G_SOURCE_REMOVE;
}

static void kill_after(Child *child, guint seconds)
{
    if (child->pid && !child->killer)
        child->killer = g_timeout_add_seconds(seconds, on_late, child);
}

/* A peer that is cut off for what it sent has to see that. */
static void hang_up(GDBusConnection *connection)
{
    GIOStream *stream = g_dbus_connection_get_stream(connection);

    if (G_IS_SOCKET_CONNECTION(stream))
        g_socket_shutdown(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)), TRUE, TRUE,
                          NULL);
}

static int take_peer(Runner *runner)
{
    const int fd = runner->peer_fd;

    g_clear_handle_id(&runner->greeting, g_source_remove);
    runner->peer_fd = -1;
    return fd;
}

static void on_peer_gone(Runner *runner)
{
    if (runner->peer_gone)
        return;
    runner->peer_gone = TRUE;
    if (runner->connection)
        hang_up(runner->connection);
    else if (runner->peer_fd >= 0)
        close(take_peer(runner));
    undo(runner);
    kill_after(&runner->tunnel, STOP_WAIT_S);
    quit_if_done(runner);
}

static gboolean on_deadline(gpointer user_data)
{
    Runner *runner = user_data;

    runner->deadline = 0;
    on_peer_gone(runner);
    return G_SOURCE_REMOVE;
}

static void stop(Runner *runner)
{
    if (runner->stopping)
        return;
    runner->stopping = TRUE;
    helper_session_request_stop(runner->session);
    kill_after(&runner->tunnel, STOP_WAIT_S);
    if (!runner->tunnel.pid && !runner->deadline)
        runner->deadline = g_timeout_add_seconds(STOP_WAIT_S, on_deadline, runner);
}

/* ---- events ---- */

static gboolean on_stop_signal(gpointer user_data)
{
    Runner *runner = user_data;

    /* The manager's is no word of a user's: its caller is gone, or the machine goes down. */
    if (runner->tunnel.pid)
        helper_session_note_end(runner->session, TRUE);
    stop(runner);
    return G_SOURCE_CONTINUE;
}

static gboolean on_renegotiate_signal(gpointer user_data)
{
    Runner *runner = user_data;

    helper_session_request_renegotiation(runner->session);
    return G_SOURCE_CONTINUE;
}

static void on_closed(GDBusConnection *connection, gboolean remote, GError *error,
                      gpointer user_data)
{
    on_peer_gone(user_data);
}

static gboolean meet(Runner *runner)
{
    g_autoptr(GError) error = NULL;

    runner->connection = platform_peer_accept(take_peer(runner), GREETING_WAIT_S, &error);
    if (!runner->connection)
        return FALSE;
    g_signal_connect(runner->connection, "closed", G_CALLBACK(on_closed), runner);
    if (!helper_session_serve(runner->session, runner->connection, &error)) {
        fprintf(stderr, "dialtone: %s\n", error->message);
        return FALSE;
    }
    return !g_dbus_connection_is_closed(runner->connection);
}

/* The rest of a greeting that has begun is waited for without a thread: it takes no time, and has
 * an end. */
static gboolean on_greeting(int fd, GIOCondition condition, gpointer user_data)
{
    Runner *runner = user_data;

    if (!runner->stopping)
        g_clear_handle_id(&runner->deadline, g_source_remove);
    if (!meet(runner))
        on_peer_gone(runner);
    else if (runner->stopping)
        helper_session_request_stop(runner->session);
    return G_SOURCE_REMOVE;
}

/* A tunnel waits for its profile first, and ends by itself without one; any other peer has no
 * reason to wait. */
static void await_greeting(Runner *runner)
{
    runner->greeting =
        g_unix_fd_add(runner->peer_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_greeting, runner);
    if (!runner->tunnel.pid)
        runner->deadline = g_timeout_add_seconds(GREETING_WAIT_S, on_deadline, runner);
}

static void on_child_exit(GPid pid, gint wait_status, gpointer user_data)
{
    Child *child = user_data;

    child->pid = 0;
    child->watch = 0;
    g_clear_handle_id(&child->killer, g_source_remove);
    child->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_INTERNAL;
    child->gone(child->runner);
}

static void on_tunnel_gone(Runner *runner)
{
    kill_after(&runner->agent, AGENT_WAIT_S);
    /* A copy of its end of the socket may live on somewhere; the tunnel does not. */
    on_peer_gone(runner);
    quit_if_done(runner);
}

static void on_agent_gone(Runner *runner)
{
    if (runner->agent.status == EXIT_INTERNAL)
        helper_session_note_end(runner->session, FALSE);
    stop(runner);
    quit_if_done(runner);
}

/* A turn of its own in the loop: nothing that was asked for is half done. */
static void on_sleep(PlatformSleep what, gpointer user_data)
{
    Runner *runner = user_data;

    helper_session_tell_sleep(runner->session, what == PLATFORM_SLEEP_BEGINS);
}

/* ---- the run ---- */

static void watch_child(Runner *runner, Child *child, void (*gone)(Runner *runner))
{
    child->runner = runner;
    child->gone = gone;
    if (child->pid)
        child->watch = g_child_watch_add(child->pid, on_child_exit, child);
}

static void watch(Runner *runner)
{
    g_unix_signal_add(SIGINT, on_stop_signal, runner);
    g_unix_signal_add(SIGTERM, on_stop_signal, runner);
    g_unix_signal_add(SIGHUP, on_renegotiate_signal, runner);
    watch_child(runner, &runner->tunnel, on_tunnel_gone);
    watch_child(runner, &runner->agent, on_agent_gone);
}

static int serve(Runner *runner)
{
    runner->loop = g_main_loop_new(NULL, FALSE);
    watch(runner);
    await_greeting(runner);
    PlatformSleepWatch *sleep = platform_sleep_watch_new(on_sleep, runner);

    g_main_loop_run(runner->loop);
    platform_sleep_watch_free(sleep);
    undo(runner);
    g_clear_handle_id(&runner->deadline, g_source_remove);
    if (runner->connection)
        g_signal_handlers_disconnect_by_data(runner->connection, runner);
    helper_session_free(runner->session);
    g_clear_object(&runner->connection);
    g_main_loop_unref(runner->loop);
    if (runner->agent.status)
        return runner->agent.status;
    if (runner->tunnel.status)
        return runner->tunnel.status;
    return runner->undo_failed ? EXIT_INTERNAL : 0;
}

/* Within this time, or killed. */
static void reap(pid_t pid, int seconds)
{
    for (int i = 0; i < seconds * 50; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        g_usleep(G_USEC_PER_SEC / 50);
    }
    if (kill(pid, SIGKILL) == 0)
        waitpid(pid, NULL, 0);
}

/* Nothing was set up. The tunnel sees that the socket closes, tells the agent, and both end. */
static int give_up(const HelperOptions *options, const char *message, int status)
{
    fprintf(stderr, "dialtone: %s\n", message);
    close(options->peer_fd);
    if (options->tunnel > 0)
        reap(options->tunnel, AGENT_WAIT_S);
    if (options->agent > 0)
        reap(options->agent, AGENT_WAIT_S);
    return status;
}

/* Where resolvconf(8) keeps /etc/resolv.conf it has to be started, with all that it starts. */
static int confine(void)
{
    static const int kept[] = {CAP_NET_ADMIN};
    int r = platform_sandbox_keep_caps(kept, G_N_ELEMENTS(kept));

    if (r == 0)
        r = platform_sandbox_harden();
    if (r < 0)
        return r;
    return access(platform_dns_paths.resolvconf, X_OK) == 0 ? platform_sandbox_seccomp_starter()
                                                            : platform_sandbox_seccomp_helper();
}

int helper_run(const HelperOptions *options)
{
    Runner runner = {
        .peer_fd = options->peer_fd,
        .tunnel = {.pid = options->tunnel},
        .agent = {.pid = options->agent},
    };
    g_autoptr(GError) error = NULL;

    /* A reader of our messages that went away must not take the helper along. */
    signal(SIGPIPE, SIG_IGN);
    if (!platform_sandbox_has_cap(CAP_NET_ADMIN))
        return give_up(options, "this needs root, or the capability CAP_NET_ADMIN",
                       EXIT_NOT_PERMITTED);
    (void)helper_undo_stale(options->dir);
    runner.session = helper_session_new(options->dir, options->owner, options->owner_gid, &error);
    if (!runner.session)
        return give_up(options, error->message, EXIT_INTERNAL);
    if (confine() < 0) {
        helper_session_free(runner.session);
        return give_up(options, "cannot give up privileges", EXIT_INTERNAL);
    }
    return serve(&runner);
}
