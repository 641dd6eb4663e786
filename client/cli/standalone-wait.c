/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent waits for. Whatever it is, it hears the tunnel, and that the terminal which its
 * words go to is closed: SIGHUP makes a tunnel agree on new keys, so that is noticed by what is
 * left of the terminal. The tunnel then ends as if it had been asked to.
 */
#include "client/cli/standalone.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static void terminal_is_gone(StandaloneWait *wait)
{
    wait->terminal = -1;
    if (shutdown(wait->tunnel, SHUT_WR) < 0)
        g_debug("the tunnel is gone, too");
}

static int milliseconds_until(gint64 until)
{
    if (until < 0)
        return -1;
    gint64 left = until - g_get_monotonic_time();
    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

bool standalone_hear(const StandaloneWait *wait)
{
    return wait->hear != NULL && wait->hear(wait->data);
}

StandalonePrompt standalone_wait(StandaloneWait *wait, int other, gint64 until)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = wait->tunnel, .events = POLLIN},
                               {.fd = other, .events = POLLIN},
                               {.fd = wait->terminal, .events = 0}};
        int n = poll(fds, G_N_ELEMENTS(fds), milliseconds_until(until));
        if (n < 0)
            continue;
        if (fds[2].revents != 0)
            terminal_is_gone(wait);
        if (fds[1].revents != 0)
            return STANDALONE_PROMPT_ANSWERED;
        if (fds[0].revents != 0 && !standalone_hear(wait))
            return STANDALONE_PROMPT_INTERRUPTED;
        if (n == 0)
            return STANDALONE_PROMPT_NOBODY;
    }
}
