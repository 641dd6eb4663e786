/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket pair and a child of ours. While an answer of it is due a deadline runs, which is long
 * enough for a person who types a PIN at the keypad of a card's reader; a smart card's module that
 * hangs is no reason for this program to.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/signer.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "gui/program.h"

#define PROGRAM "dialtone-certificate"

enum { PATIENCE_MS = 120000 };

struct DialtoneSigner {
    DialtoneSignerSetup setup;
    GSubprocess *program;
    int fd; /* our end */
    guint source;
    guint timer; /* 0: nothing is due */
};

static void end(DialtoneSigner *self, gboolean was_late)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->source, g_source_remove);
    g_subprocess_force_exit(self->program);
    self->setup.ended(was_late, self->setup.data);
}

static gboolean on_time(gpointer data)
{
    DialtoneSigner *self = data;
    self->timer = 0;
    end(self, TRUE);
    return G_SOURCE_REMOVE;
}

/* Whether the frame got out shows in what comes back. */
static void expect(DialtoneSigner *self, int sent)
{
    if (sent < 0)
        g_debug("%s does not read: %s", PROGRAM, g_strerror(-sent));
    g_clear_handle_id(&self->timer, g_source_remove);
    self->timer = g_timeout_add(PATIENCE_MS, on_time, self);
}

static gboolean on_channel(int fd, GIOCondition condition, gpointer data)
{
    DialtoneSigner *self = data;
    g_auto(TunnelFrame) frame = {0};
    int result = tunnel_frame_receive(fd, 0, &frame);
    if (result == -EAGAIN || result == -EINTR)
        return G_SOURCE_CONTINUE;
    if (result == 1) {
        if (frame.type != TUNNEL_FRAME_NOTICE)
            g_clear_handle_id(&self->timer, g_source_remove);
        self->setup.heard(&frame, self->setup.data);
        return G_SOURCE_CONTINUE;
    }
    self->source = 0;
    end(self, FALSE);
    return G_SOURCE_REMOVE;
}

void dialtone_signer_answer(DialtoneSigner *self, guint32 id, const TunnelAnswer *answer)
{
    expect(self, tunnel_frame_send_answer(self->fd, id, answer));
}

void dialtone_signer_sign(DialtoneSigner *self, const TunnelFrame *frame)
{
    expect(self, tunnel_frame_send(self->fd, TUNNEL_FRAME_SIGN, frame->bytes, frame->n));
}

/* ---- life ---- */

static GSubprocess *start(const DialtoneSignerSetup *setup, int fd_take)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dialtone_program_find(PROGRAM);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    const char *argv[] = {path, "sign", NULL, NULL, NULL};
    gsize n = 2;
    if (setup->without_own)
        argv[n++] = "own";
    if (setup->without_authorities)
        argv[n++] = "authorities";
    g_subprocess_launcher_take_stdin_fd(launcher, fd_take);
    GSubprocess *program = g_subprocess_launcher_spawnv(launcher, argv, &error);
    if (program == NULL)
        g_warning("%s can't be run: %s", PROGRAM, error->message);
    return program;
}

DialtoneSigner *dialtone_signer_new(const DialtoneSignerSetup *setup)
{
    int ends[2];
    if (tunnel_frame_pair(ends) < 0)
        return NULL;
    GSubprocess *program = start(setup, ends[1]);
    if (program == NULL) {
        close(ends[0]);
        return NULL;
    }
    DialtoneSigner *self = g_new0(DialtoneSigner, 1);
    *self = (DialtoneSigner){.setup = *setup, .program = program, .fd = ends[0]};
    self->source = g_unix_fd_add(self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_channel, self);
    expect(self, tunnel_frame_send_profile(self->fd, setup->profile, TUNNEL_PROFILE_ALWAYS));
    return self;
}

void dialtone_signer_free(DialtoneSigner *self)
{
    if (self == NULL)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->source, g_source_remove);
    g_subprocess_force_exit(self->program);
    g_object_unref(self->program);
    close(self->fd);
    g_free(self);
}
