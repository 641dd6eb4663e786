// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams of "NAME=value" lines to the socket that NOTIFY_SOCKET names.
 *
 * Whatever is wrong with the environment makes it silent, and no failure: a service that can't tell
 * that it is ready is found out by who waits for it.
 */
#include "platform/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { STATUS_MAX = 256, PINGS_A_PERIOD = 2 };

struct PlatformNotify {
    int fd; /* -1: nobody wants to hear */
    struct sockaddr_un address;
    socklen_t address_n;
    guint period_ms; /* 0: nobody watches */
    guint timer;
};

/* A path, or "@" and the name of an abstract socket. */
static gboolean read_address(PlatformNotify *self, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n < 2 || n >= sizeof self->address.sun_path || (text[0] != '/' && text[0] != '@'))
        return FALSE;
    self->address.sun_family = AF_UNIX;
    memcpy(self->address.sun_path, text, n);
    if (text[0] == '@')
        self->address.sun_path[0] = '\0';
    self->address_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return TRUE;
}

static gboolean read_number(const char *name, guint64 *valuep)
{
    const char *text = g_getenv(name);

    return text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, valuep, NULL);
}

/* WATCHDOG_PID names whose life is watched; an ancestor's is none of our concern. */
static guint read_period(void)
{
    guint64 usec, pid;

    if (!read_number("WATCHDOG_USEC", &usec) ||
        (g_getenv("WATCHDOG_PID") &&
         (!read_number("WATCHDOG_PID", &pid) || pid != (guint64)getpid())))
        return 0;
    return (guint)CLAMP(usec / 1000 / PINGS_A_PERIOD, 1, G_MAXINT);
}

static void send_text(PlatformNotify *self, const char *text)
{
    if (self->fd >= 0)
        (void)sendto(self->fd, text, strlen(text), MSG_NOSIGNAL,
                     (const struct sockaddr *)&self->address, self->address_n);
}

static gboolean on_ping(gpointer user_data)
{
    send_text(user_data, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

PlatformNotify *platform_notify_new(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
    const struct timeval patience = {.tv_sec = 1};
    PlatformNotify *self = g_new0(PlatformNotify, 1);

    self->fd = -1;
    if (read_address(self, g_getenv("NOTIFY_SOCKET"))) {
        self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        self->period_ms = read_period();
    }
    if (self->fd >= 0)
        setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
    return self;
}

void platform_notify_free(PlatformNotify *self)
{
    if (!self)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    if (self->fd >= 0)
        close(self->fd);
    g_free(self);
}

void platform_notify_ready(PlatformNotify *self)
{
    send_text(self, "READY=1");
    if (self->fd >= 0 && self->period_ms && !self->timer)
        self->timer = g_timeout_add(self->period_ms, on_ping, self);
}

/* A second line would be a message of its own. */
void platform_notify_status(PlatformNotify *self, const char *status)
{
    g_autoptr(GString) text = g_string_new("STATUS=");
    g_autofree char *valid = g_utf8_make_valid(status, -1);

    for (const char *p = valid; *p && text->len < STATUS_MAX; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        g_string_append_unichar(text, g_unichar_iscntrl(c) ? ' ' : c);
    }
    send_text(self, text->str);
}

void platform_notify_stopping(PlatformNotify *self)
{
    send_text(self, "STOPPING=1");
}
