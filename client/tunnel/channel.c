/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of an agent, one by one, to the Tunnel that they are for. SECRETS come once, and before
 * anything but CREDENTIALS, and once more behind each PROFILE that was asked for; whatever a tunnel
 * says itself has no business here.
 */
#include "client/tunnel/channel.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

struct TunnelChannel {
    int fd;
    guint source;
    Tunnel *tunnel;
    const TunnelChannelHandlers *handlers;
    gpointer data;
    bool ready;     /* SECRETS have come */
    bool reloading; /* a RELOAD was sent, and was not answered in full */
};

/* ---- frames ---- */

static bool take_secrets(TunnelChannel *self, const TunnelFrame *frame)
{
    TunnelSecrets *secrets = self->ready ? NULL : tunnel_secrets_new();
    if (secrets == NULL || !tunnel_frame_read_secrets(frame, secrets)) {
        tunnel_secrets_free(secrets);
        return false;
    }
    self->ready = true;
    self->reloading = false;
    self->handlers->secrets(secrets, self->data);
    return true;
}

static bool take_answer(TunnelChannel *self, const TunnelFrame *frame)
{
    guint32 id = 0;
    bool answered = false;
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    if (answer == NULL || !tunnel_frame_read_answer(frame, &id, answer, &answered))
        return false;
    tunnel_answer(self->tunnel, id, answered ? answer : NULL);
    return true;
}

static bool take_credentials(TunnelChannel *self, const TunnelFrame *frame)
{
    TunnelCredentials *credentials = self->ready ? NULL : tunnel_frame_read_credentials(frame);
    if (credentials == NULL)
        return false;
    if (self->handlers->credentials != NULL)
        self->handlers->credentials(credentials, self->data);
    else
        tunnel_give_credentials(self->tunnel, credentials);
    return true;
}

static bool take_signature(TunnelChannel *self, const TunnelFrame *frame)
{
    guint32 id = 0;
    const guint8 *signature = NULL;
    gsize n = 0;
    if (!tunnel_frame_read_signature(frame, &id, &signature, &n))
        return false;
    tunnel_give_signature(self->tunnel, id, signature, n);
    return true;
}

/* Once for each time that it was asked for. */
static bool take_profile(TunnelChannel *self, const TunnelFrame *frame)
{
    if (!self->reloading || !self->ready || frame->n < 1)
        return false;
    self->ready = false;
    return self->handlers->profile((const char *)frame->bytes + 1, frame->n - 1, self->data);
}

static bool take_refusal(const TunnelChannel *self, const GError *why)
{
    if (self->ready || why == NULL || self->handlers->refused == NULL)
        return false;
    self->handlers->refused(why, self->data);
    return true;
}

static bool take_keep(TunnelChannel *self, const TunnelFrame *frame)
{
    g_autoptr(GError) why = NULL;
    if (!tunnel_frame_read_keep(frame, &why))
        return false;
    if (!self->reloading)
        return take_refusal(self, why);
    self->ready = true;
    self->reloading = false;
    self->handlers->keep(why, self->data);
    return true;
}

static bool take(TunnelChannel *self, const TunnelFrame *frame)
{
    switch (frame->type) {
    case TUNNEL_FRAME_SECRETS:
        return take_secrets(self, frame);
    case TUNNEL_FRAME_ANSWER:
        return take_answer(self, frame);
    case TUNNEL_FRAME_CREDENTIALS:
        return take_credentials(self, frame);
    case TUNNEL_FRAME_SIGNATURE:
        return take_signature(self, frame);
    case TUNNEL_FRAME_PROFILE:
        return take_profile(self, frame);
    case TUNNEL_FRAME_KEEP:
        return take_keep(self, frame);
    case TUNNEL_FRAME_RELOAD:
    case TUNNEL_FRAME_CHANGED:
    case TUNNEL_FRAME_SIGN:
    case TUNNEL_FRAME_REPORT:
    case TUNNEL_FRAME_QUESTION:
    case TUNNEL_FRAME_NOTICE:
    case TUNNEL_FRAME_END:
        break;
    }
    return false;
}

/* Rather than only done with what it has to say: the kernel tells the two apart. */
static bool is_gone(int fd)
{
    struct pollfd end = {.fd = fd, .events = 0};
    return poll(&end, 1, 0) != 0;
}

/* One at a time: what a frame brings about may end this channel. */
static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    TunnelChannel *self = data;
    g_auto(TunnelFrame) frame = {0};
    int result = tunnel_frame_receive(fd, 0, &frame);
    if (result == -EAGAIN || result == -EINTR)
        return G_SOURCE_CONTINUE;
    if (result == 1) {
        /* The handlers may free it, and then its source is gone as well. */
        if (take(self, &frame))
            return G_SOURCE_CONTINUE;
        result = -EPROTO;
    }
    if (result == 0 && is_gone(fd))
        result = -ECONNRESET;
    self->source = 0;
    self->handlers->closed(result, self->data);
    return G_SOURCE_REMOVE;
}

void tunnel_channel_reload(TunnelChannel *self)
{
    if (self->reloading || !self->ready)
        return;
    self->reloading = true;
    if (tunnel_frame_send(self->fd, TUNNEL_FRAME_RELOAD, NULL, 0) < 0)
        g_debug("the agent does not read");
}

/* ---- life ---- */

TunnelChannel *tunnel_channel_new(int fd_take, Tunnel *tunnel,
                                  const TunnelChannelHandlers *handlers, gpointer data)
{
    TunnelChannel *self = g_new0(TunnelChannel, 1);
    *self = (TunnelChannel){.fd = fd_take, .tunnel = tunnel, .handlers = handlers, .data = data};
    self->source = g_unix_fd_add(fd_take, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
    return self;
}

void tunnel_channel_free(TunnelChannel *self)
{
    if (self == NULL)
        return;
    g_clear_handle_id(&self->source, g_source_remove);
    close(self->fd);
    g_free(self);
}

int tunnel_channel_fd(const TunnelChannel *self)
{
    return self->fd;
}

bool tunnel_channel_is_ready(const TunnelChannel *self)
{
    return self->ready;
}
