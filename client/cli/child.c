/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a program in a session of its own, so that it has no terminal and can be ended with all
 * that it has started. The caller waits for it, with the deadline that suits the question.
 */
#include "client/cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/program.h"

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int spawn(CliChild *child, const char *const *argv, char *const *environment, int in,
                 int out)
{
    const PlatformSpawn program = {
        .program = argv[0],
        .argv = argv,
        .environment = environment,
        .fds = {in, out, -1},
        .n_fds = 3,
        .session = true,
    };
    int r = platform_spawn(&program, &child->pid);
    if (r < 0)
        child->pid = 0;
    return -r;
}

int cli_child_start(CliChild *child, const char *const *argv, char *const *environment)
{
    int in[2], out[2];
    *child = (CliChild){.pidfd = -1, .in = -1, .out = -1};
    if (pipe2(in, O_CLOEXEC) < 0)
        return errno;
    child->in = in[1];
    int result = pipe2(out, O_CLOEXEC) < 0 ? errno : 0;
    if (result == 0) {
        child->out = out[0];
        result = spawn(child, argv, environment, in[0], out[1]);
        close(out[1]);
    }
    close(in[0]);
    if (result == 0)
        child->pidfd = pidfd_open(child->pid, 0);
    return result == 0 && child->pidfd < 0 ? errno : result;
}

char *cli_child_find(const char *program)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
    char *beside = g_build_filename(folder, program, NULL);
    if (access(beside, X_OK) == 0)
        return beside;
    g_free(beside);
    return g_build_filename(DIALTONE_LIBEXECDIR, program, NULL);
}

bool cli_child_wait(int fd, short events, gint64 deadline, int interrupt_fd)
{
    for (;;) {
        gint64 left = (deadline - g_get_monotonic_time()) / 1000;
        struct pollfd fds[] = {{.fd = fd, .events = events},
                               {.fd = interrupt_fd, .events = POLLIN}};
        int n = left > 0 ? poll(fds, G_N_ELEMENTS(fds), (int)left) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        return n > 0 && fds[0].revents != 0 && fds[1].revents == 0;
    }
}

void cli_child_close_input(CliChild *child)
{
    close_end(&child->in);
}

int cli_child_end(CliChild *child)
{
    int status = 0;
    close_end(&child->in);
    close_end(&child->out);
    close_end(&child->pidfd);
    if (child->pid == 0)
        return -1;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
