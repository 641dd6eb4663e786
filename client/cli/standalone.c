/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three processes out of one, before any thread or GIO call.
 *
 * The original stays root and becomes the helper: it changes the network and does nothing else. Its
 * children are the agent, which is the user again, and the tunnel, which is nobody. Helper and
 * tunnel share one socket pair, agent and tunnel another; the helper closes its copies of the
 * second, so that no secret can reach it. A terminal's signals go to all three: only the helper
 * listens, and tells the tunnel.
 */
#include "client/cli/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "platform/connectivity.h"
#include "platform/helper/helper.h"
#include "platform/sandbox.h"

enum { SOCKET_BUFFER = 1024 * 1024 };

typedef struct Wires {
    int helper[2]; /* helper, tunnel */
    int agent[2];  /* agent, tunnel */
} Wires;

/* ---- output ---- */

static void print(const char *text, DialtoneTextShape shape)
{
    enum { TEXT_MAX = 16 * 1024 };
    g_autofree char *clean = dialtone_text_clean(text, strlen(text), TEXT_MAX, shape);
    fprintf(stderr, "%s\n", clean);
}

/* A profile may have several mistakes, a line each; advice has lines of its own, for an
 * administrator to copy. */
static void print_failure(const DialtoneReport *report)
{
    g_autofree char *text =
        g_strdup_printf("%s: %s", dialtone_state_name(report->state), report->message);
    print(text, DIALTONE_TEXT_LINES);
    if (report->advice != NULL)
        print(report->advice, DIALTONE_TEXT_LINES);
}

static void print_progress(const DialtoneReport *report)
{
    if (report->state == DIALTONE_STATE_FAILED && report->message != NULL) {
        print_failure(report);
        return;
    }
    DialtoneReport shown = *report;
    shown.advice = NULL;
    g_autofree char *line = dialtone_report_to_line(&shown);
    print(line, DIALTONE_TEXT_LINE);
}

/* A failure without advice of its own still says where to look. */
static const char *general_advice(DialtoneFailure reason)
{
    if (reason == DIALTONE_FAILURE_PROFILE_INVALID)
        return _("Check the names of the profile and of the file after --secrets, and who may read "
                 "them; `dialtone check` reads them without connecting.");
    return _("Try again; if it stays so, send a report.");
}

/* Where a network wants to be met first, no other advice helps. Told once an outage. */
static void tell_portal(DialtoneReport *report)
{
    static bool told;
    if (report->state == DIALTONE_STATE_CONNECTED)
        told = false;
    if (!dialtone_report_is_out_of_reach(report) || !platform_connectivity_is_portal())
        return;
    g_free(report->advice);
    report->advice = g_strdup(dialtone_report_portal_advice());
    report->remedy = DIALTONE_REMEDY_NONE;
    if (report->state == DIALTONE_STATE_RECONNECTING && !told)
        standalone_print_notice(report->advice);
    told = true;
}

void standalone_print(DialtoneReport *report, bool json)
{
    tell_portal(report);
    if (report->state == DIALTONE_STATE_FAILED && report->advice == NULL)
        report->advice = g_strdup(general_advice(report->reason));
    print_progress(report);
    if (!json)
        return;
    g_autofree char *text = dialtone_report_to_json(report);
    printf("%s\n", text);
    fflush(stdout);
}

void standalone_print_failure(const char *profile, const GError *error, bool json)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_FAILED, profile);
    dialtone_report_take_error(report, error);
    standalone_print(report, json);
}

/* It may be a gateway's words: a second line of theirs could be taken for one of ours. */
void standalone_print_notice(const char *text)
{
    print(text, DIALTONE_TEXT_LINE);
}

/* ---- processes ---- */

static int refuse(const StandaloneOptions *options, DialtoneFailure reason, const char *message,
                  const char *advice)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, reason, advice, "%s", message);
    standalone_print_failure(options->profile, error, options->json);
    return (int)reason;
}

static void close_all(Wires *wires)
{
    int *fds[] = {&wires->helper[0], &wires->helper[1], &wires->agent[0], &wires->agent[1]};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static bool make_wires(Wires *wires)
{
    const int size = SOCKET_BUFFER;
    *wires = (Wires){.helper = {-1, -1}, .agent = {-1, -1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wires->helper) == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wires->agent) == 0) {
        /* A profile is one frame. The default may do for it; so a refusal is none of ours. */
        setsockopt(wires->agent[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
        return true;
    }
    close_all(wires);
    return false;
}

/* The two ends that a child keeps move out of the array; all others are closed. */
static int keep(int *fd)
{
    int kept = *fd;
    *fd = -1;
    return kept;
}

static void ignore_signals(const sigset_t *before)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTTIN, SIGTTOU};
    for (gsize i = 0; i < G_N_ELEMENTS(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, before, NULL);
}

static pid_t fork_agent(const StandaloneOptions *options, Wires *wires, const sigset_t *before)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    ignore_signals(before);
    int fd = keep(&wires->agent[0]);
    close_all(wires);
    int code = standalone_agent(options, fd);
    fflush(NULL);
    _exit(code);
}

static pid_t fork_tunnel(const StandaloneOptions *options, Wires *wires, const sigset_t *before)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    ignore_signals(before);
    dialtone_i18n_stop();
    int agent = keep(&wires->agent[1]);
    int helper = keep(&wires->helper[1]);
    close_all(wires);
    _exit(standalone_tunnel(agent, helper, options->began));
}

/* A socket must not become standard output because that was closed. */
static bool fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

/* Runs when the helper's loop does, so when it hears signals: none that came before is lost. */
static gboolean let_signals_in(gpointer data)
{
    sigprocmask(SIG_SETMASK, data, NULL);
    return G_SOURCE_REMOVE;
}

int standalone_run(const StandaloneOptions *options)
{
    Wires wires;
    PlatformIdentity caller;
    sigset_t signals, before;
    if (geteuid() != 0)
        return refuse(options, DIALTONE_FAILURE_NOT_PERMITTED,
                      _("A tunnel of its own may be set up by root only."),
                      _("Run it with sudo: sudo dialtone connect --standalone ..."));
    if (!fill_standard_descriptors() || platform_sandbox_caller_identity(&caller) < 0 ||
        !make_wires(&wires))
        return refuse(options, DIALTONE_FAILURE_INTERNAL, g_strerror(errno), NULL);
    fflush(NULL);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before);
    /* The tunnel first, for its way is the longer one. */
    pid_t tunnel = fork_tunnel(options, &wires, &before);
    pid_t agent = tunnel > 0 ? fork_agent(options, &wires, &before) : -1;
    int error = errno;
    const HelperOptions helper = {.peer_fd = keep(&wires.helper[0]),
                                  .tunnel = tunnel,
                                  .agent = agent,
                                  .owner = caller.uid,
                                  .owner_gid = caller.gid};
    close_all(&wires);
    g_idle_add_full(G_PRIORITY_HIGH, let_signals_in, &before, NULL);
    if (agent > 0)
        return helper_run(&helper);
    /* The tunnel, if there is one, sees that nobody holds the other ends, and ends. */
    close(helper.peer_fd);
    return refuse(options, DIALTONE_FAILURE_INTERNAL, g_strerror(error), NULL);
}
