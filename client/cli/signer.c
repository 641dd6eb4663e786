/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the window's agent that has the private key: it reads what the profile names, asks by
 * frames for what opens it, and signs. Nothing but hashes goes in then, and signatures out. It ends
 * with the window's end of the socket.
 */
#include "client/cli/signer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/standalone.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "platform/secret-memory.h"

enum { PROFILE_WAIT_MS = 10000, ENDED_BADLY = 1 };

typedef struct Signer {
    int fd;
    guint32 asked; /* the number of the last question */
    DialtoneProfile *profile;
    DialtoneCredential *credential;
} Signer;

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static void signer_clear(Signer *self)
{
    dialtone_credential_free(self->credential);
    dialtone_profile_free(self->profile);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signer, signer_clear)

/* False: the other end is gone, or says nothing in time. */
static bool receive(const Signer *self, int timeout_ms, TunnelFrame *frame)
{
    int result;
    do
        result = tunnel_frame_receive(self->fd, timeout_ms, frame);
    while (result == -EINTR);
    return result == 1;
}

/* ---- asking ---- */

static bool take_answer(const Signer *self, guint kind, char *line, gsize size)
{
    g_auto(TunnelFrame) frame = {0};
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    guint32 id = 0;
    bool answered = false;
    if (answer == NULL || !receive(self, -1, &frame) ||
        !tunnel_frame_read_answer(&frame, &id, answer, &answered) || !answered || id != self->asked)
        return false;
    const IkeSecret *given = &answer->given[kind];
    if (!given->known || given->n >= size)
        return false;
    memcpy(line, given->bytes, given->n);
    line[given->n] = '\0';
    return true;
}

static bool ask(const DialtoneKeyQuestion *key, char *line, gsize size, gpointer data)
{
    Signer *self = data;
    const guint kind = key->pin ? TUNNEL_ASK_PIN : TUNNEL_ASK_PASSPHRASE;
    const TunnelQuestion question = {
        .id = ++self->asked,
        .asked = {{.kind = kind, .secret = true, .keypad = key->keypad}},
        .asked_n = 1,
        .again = key->again,
        .message = key->hint};
    return tunnel_frame_send_question(self->fd, &question) == 0 &&
           (key->keypad || take_answer(self, kind, line, size));
}

static void tell(const char *line, gpointer data)
{
    const Signer *self = data;
    if (tunnel_frame_send(self->fd, TUNNEL_FRAME_NOTICE, line, strlen(line)) < 0)
        g_debug("nobody reads a notice");
}

/* ---- opening and signing ---- */

static bool read_profile(Signer *self)
{
    g_auto(TunnelFrame) frame = {0};
    if (!receive(self, PROFILE_WAIT_MS, &frame) || frame.type != TUNNEL_FRAME_PROFILE ||
        frame.n < 1)
        return false;
    self->profile = dialtone_profile_parse_with_psk((const char *)frame.bytes + 1, frame.n - 1,
                                                    "profile", NULL);
    return self->profile != NULL;
}

static bool open_credential(Signer *self, bool without_own, bool without_authorities)
{
    g_autoptr(GError) error = NULL;
    const StandaloneCredentialSetup setup = {
        .profile = self->profile,
        .caller = getuid(),
        .memory = &MEMORY,
        .tunnel_fd = self->fd,
        .without_own = without_own,
        .without_authorities = without_authorities,
        .asks_for_kept = true,
        .unlocks_keyring = true,
        .ask = ask,
        .tell = tell,
        .data = self,
    };
    if (standalone_credential_load(&setup, &self->credential, &error))
        return true;
    if (tunnel_frame_send_keep(self->fd, error) < 0)
        g_debug("nobody reads why not");
    return false;
}

static void sign(Signer *self, const TunnelFrame *frame)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hint = dialtone_credential_keypad(self->credential);
    const DialtoneKeyQuestion question = {.hint = hint, .pin = true, .keypad = true};
    if (hint != NULL && !ask(&question, NULL, 0, self))
        g_debug("nobody shows what is to be typed");
    standalone_credential_sign(self->credential, self->fd, frame, &error);
    if (error != NULL)
        tell(error->message, self);
}

int signer_run(int fd, bool without_own, bool without_authorities)
{
    g_auto(Signer) self = {.fd = fd};
    if (!read_profile(&self))
        return ENDED_BADLY;
    if (!open_credential(&self, without_own, without_authorities))
        return 0;
    for (;;) {
        g_auto(TunnelFrame) frame = {0};
        if (!receive(&self, -1, &frame))
            return 0;
        if (frame.type == TUNNEL_FRAME_SIGN)
            sign(&self, &frame);
    }
}
