/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where no desktop's session asks for an administrator's password, polkit's own program does it on
 * the terminal: it is started when polkit has found nobody to ask, as pkexec(1) does, and stays for
 * that one question. The password goes from there to PAM, past this program and the service.
 *
 * It is not registered as the fallback that pkttyagent(1) can be: of those polkit thinks only where
 * logind knows a session, and who has one of the desktop's was asked there already.
 */
#include "client/cli/text-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/child.h"
#include "platform/program.h"

#define PROGRAM "/usr/bin/pkttyagent"

enum { START_SECONDS = 10, END_SECONDS = 2 };

extern char **environ;

/* A program in the background would be stopped by its own question. */
static bool has_terminal(void)
{
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return false;
    bool is_ours = tcgetpgrp(tty) == getpgrp();
    close(tty);
    return is_ours;
}

/* It closes the descriptor when polkit knows it, and so does its end. */
static void wait_ready(int fd)
{
    gint64 deadline = g_get_monotonic_time() + START_SECONDS * G_USEC_PER_SEC;
    if (!cli_child_wait(fd, POLLIN, deadline, -1))
        g_debug(PROGRAM " does not say that it is ready");
}

bool cli_text_agent_start(CliTextAgent *agent)
{
    g_autofree char *self = g_strdup_printf("%d", (int)getpid());
    const char *const argv[] = {PROGRAM, "--process", self, "--notify-fd", "3", NULL};
    int ready[2];

    agent->pid = 0;
    if (!has_terminal() || pipe2(ready, O_CLOEXEC) < 0)
        return false;
    /* What it prints is for a person: standard output may be for a program. */
    const PlatformSpawn program = {
        .program = PROGRAM,
        .argv = argv,
        .environment = environ,
        .fds = {-1, STDERR_FILENO, -1, ready[1]},
        .n_fds = 4,
    };
    int r = platform_spawn(&program, &agent->pid);
    close(ready[1]);
    if (r == 0)
        wait_ready(ready[0]);
    else
        agent->pid = 0;
    close(ready[0]);
    return r == 0;
}

/* Asked to, it leaves the terminal as it was. */
void cli_text_agent_end(CliTextAgent *agent)
{
    gint64 deadline = g_get_monotonic_time() + END_SECONDS * G_USEC_PER_SEC;

    if (agent->pid == 0)
        return;
    int pidfd = pidfd_open(agent->pid, 0);
    kill(agent->pid, SIGTERM);
    if (pidfd < 0 || !cli_child_wait(pidfd, POLLIN, deadline, -1))
        kill(agent->pid, SIGKILL);
    while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (pidfd >= 0)
        close(pidfd);
    agent->pid = 0;
}
