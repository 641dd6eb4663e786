/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions on the controlling terminal, whatever standard input and output are. Typed characters
 * are not shown unless they are a name. The tunnel is heard meanwhile, and the wait for the user
 * ends when it has; what else it says is shown, and the prompt once more. The terminal's modes are
 * put back on every way out. The process ignores the terminal's signals (the helper has them), so
 * none can leave it without an echo.
 */
#include "client/cli/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void put(int fd, const char *text)
{
    gsize left = strlen(text);
    while (left > 0) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        left -= (gsize)n;
    }
}

/* A terminal that a question is asked on. */
typedef struct Asking {
    int tty;
    const char *text;
    const StandaloneWait *wait;
} Asking;

/* What the tunnel says stands on lines of its own. */
static bool hear(const Asking *asking)
{
    put(asking->tty, "\n");
    if (!standalone_hear(asking->wait))
        return false;
    put(asking->tty, asking->text);
    return true;
}

/* 1: a character; 0: end of input; -1: interrupted. */
static int next_character(const Asking *asking, char *c)
{
    struct pollfd fds[] = {
        {.fd = asking->tty, .events = POLLIN},
        {.fd = asking->wait != NULL ? asking->wait->tunnel : -1, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, G_N_ELEMENTS(fds), -1);
        if (n < 0 && errno != EINTR)
            return 0;
        if (n > 0 && fds[1].revents != 0 && !hear(asking))
            return -1;
        if (n > 0 && fds[0].revents != 0)
            return read(asking->tty, c, 1) == 1 ? 1 : 0;
    }
}

static StandalonePrompt read_line(const Asking *asking, char *line, gsize size)
{
    gsize n = 0;
    for (;;) {
        char c = 0;
        int result = next_character(asking, &c);
        if (result < 0)
            return STANDALONE_PROMPT_INTERRUPTED;
        if (result == 0)
            return STANDALONE_PROMPT_NOBODY;
        if (c == '\n' || c == '\r')
            break;
        if (n + 1 < size)
            line[n++] = c;
    }
    line[n] = '\0';
    return n > 0 ? STANDALONE_PROMPT_ANSWERED : STANDALONE_PROMPT_EMPTY;
}

StandalonePrompt standalone_prompt(const char *text, bool echo, const StandaloneWait *wait,
                                   char *line, gsize size)
{
    struct termios before;
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return STANDALONE_PROMPT_NOBODY;
    if (tcgetattr(tty, &before) < 0) {
        close(tty);
        return STANDALONE_PROMPT_NOBODY;
    }
    struct termios quiet = before;
    quiet.c_lflag |= ICANON | ISIG | ECHONL;
    quiet.c_lflag = echo ? quiet.c_lflag | ECHO : quiet.c_lflag & ~(tcflag_t)ECHO;
    tcsetattr(tty, TCSAFLUSH, &quiet);
    put(tty, text);
    const Asking asking = {tty, text, wait};
    StandalonePrompt result = read_line(&asking, line, size);
    tcsetattr(tty, TCSAFLUSH, &before);
    if (result == STANDALONE_PROMPT_NOBODY)
        put(tty, "\n");
    close(tty);
    return result;
}

void standalone_prompt_show(const char *text)
{
    int tty = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return;
    put(tty, text);
    put(tty, "\n");
    close(tty);
}
