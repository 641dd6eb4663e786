/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames between agent and tunnel, both directions in one place. What comes in is read through a
 * bounded cursor, for the tunnel believes the agent no more than it has to. Frames that hold
 * secrets are built and received in locked memory, which is wiped as soon as they are done with.
 */
#include "client/tunnel/frames.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/common/text.h"
#include "ike/reader.h"
#include "ike/writer.h"
#include "platform/secret-memory.h"

enum {
    FRAME_MAX = 2 * 1024 * 1024,
    SECRETS_FRAME_MAX = 8 + 3 * (3 + IKE_SECRET_MAX),
    QUESTION_FRAME_MAX = 16 + IKE_SECRET_MAX + IKE_TEXT_MAX * 2,
};

static bool holds_secrets(TunnelFrameType type)
{
    return type == TUNNEL_FRAME_SECRETS || type == TUNNEL_FRAME_ANSWER;
}

/* ---- receiving ---- */

void tunnel_frame_clear(TunnelFrame *frame)
{
    if (holds_secrets(frame->type))
        platform_secret_free(frame->bytes);
    else
        g_free(frame->bytes);
    memset(frame, 0, sizeof(*frame));
}

static int wait_for(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int n = poll(&poll_fd, 1, timeout_ms);
    if (n < 0)
        return -errno;
    return n == 0 ? -EAGAIN : 0;
}

/* The kind and the length of the next frame, which stays where it is. */
static int peek(int fd, uint8_t *typep, gsize *np)
{
    uint8_t type = 0;
    ssize_t n = recv(fd, &type, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (n < 0)
        return -errno;
    if (n == 0)
        return 0;
    *typep = type;
    *np = (gsize)n;
    return 1;
}

int tunnel_frame_receive(int fd, int timeout_ms, TunnelFrame *frame)
{
    uint8_t type = 0;
    gsize n = 0;
    int result = timeout_ms != 0 ? wait_for(fd, timeout_ms) : 0;
    if (result == 0)
        result = peek(fd, &type, &n);
    /* The other end left without having read everything: what it said before still stands. */
    if (result == -ECONNRESET)
        result = peek(fd, &type, &n);
    if (result <= 0)
        return result;
    bool secret = holds_secrets(type);
    if (n > (secret ? (gsize)SECRETS_FRAME_MAX : (gsize)FRAME_MAX))
        return -EMSGSIZE;
    uint8_t *bytes = secret ? platform_secret_alloc(n + 1) : g_malloc0(n + 1);
    if (bytes == NULL)
        return -ENOMEM;
    ssize_t got = recv(fd, bytes, n, MSG_DONTWAIT);
    result = got < 0 ? -errno : 1;
    *frame = (TunnelFrame){.type = type, .bytes = bytes, .n = n - 1};
    if (result < 0) {
        tunnel_frame_clear(frame);
        return result;
    }
    memmove(bytes, bytes + 1, n - 1);
    bytes[n - 1] = 0;
    return 1;
}

/* ---- sending ---- */

int tunnel_frame_send(int fd, TunnelFrameType type, const void *bytes, gsize n)
{
    uint8_t first = (uint8_t)type;
    struct iovec parts[] = {{.iov_base = &first, .iov_len = 1},
                            {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = n > 0 ? 2 : 1};
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int tunnel_frame_send_profile(int fd, const char *text, bool legacy)
{
    g_autofree char *frame = g_strdup_printf("%c%s", legacy ? 1 : 2, text);
    return tunnel_frame_send(fd, TUNNEL_FRAME_PROFILE, frame, strlen(frame));
}

static void write_secret(IkeWriter *writer, const IkeSecret *secret)
{
    ike_write_u8(writer, secret->known ? 1 : 0);
    ike_write_u16(writer, secret->n);
    ike_write_bytes(writer, secret->bytes, secret->n);
}

static void write_secrets(IkeWriter *writer, const TunnelSecrets *secrets)
{
    write_secret(writer, &secrets->psk);
    write_secret(writer, &secrets->user);
    write_secret(writer, &secrets->password);
}

static int send_secret_frame(int fd, TunnelFrameType type, const guint32 *id,
                             const TunnelSecrets *secrets)
{
    uint8_t *bytes = platform_secret_alloc(SECRETS_FRAME_MAX);
    if (bytes == NULL)
        return -ENOMEM;
    IkeWriter writer = ike_writer(bytes, SECRETS_FRAME_MAX);
    if (id != NULL)
        ike_write_u32(&writer, *id);
    if (secrets != NULL)
        write_secrets(&writer, secrets);
    int result = -EMSGSIZE;
    if (ike_writer_ok(&writer))
        result = tunnel_frame_send(fd, type, bytes, writer.n);
    platform_secret_free(bytes);
    return result;
}

int tunnel_frame_send_secrets(int fd, const TunnelSecrets *secrets)
{
    return send_secret_frame(fd, TUNNEL_FRAME_SECRETS, NULL, secrets);
}

int tunnel_frame_send_answer(int fd, guint32 id, const TunnelSecrets *answer)
{
    return send_secret_frame(fd, TUNNEL_FRAME_ANSWER, &id, answer);
}

int tunnel_frame_send_question(int fd, const TunnelQuestion *question)
{
    uint8_t bytes[QUESTION_FRAME_MAX];
    IkeWriter writer = ike_writer(bytes, sizeof(bytes));
    ike_write_u32(&writer, question->id);
    unsigned wanted = question->psk ? TUNNEL_ASK_PSK : 0;
    wanted |= question->user ? TUNNEL_ASK_USER : 0;
    wanted |= question->password ? TUNNEL_ASK_PASSWORD : 0;
    ike_write_u8(&writer, (uint8_t)wanted);
    const char *user = question->user_name != NULL ? question->user_name : "";
    gsize n = MIN(strlen(user), (gsize)IKE_SECRET_MAX);
    ike_write_u16(&writer, (uint16_t)n);
    ike_write_bytes(&writer, (const uint8_t *)user, n);
    const char *message = question->message != NULL ? question->message : "";
    ike_write_bytes(&writer, (const uint8_t *)message, strlen(message));
    if (!ike_writer_ok(&writer))
        return -EMSGSIZE;
    return tunnel_frame_send(fd, TUNNEL_FRAME_QUESTION, bytes, writer.n);
}

/* ---- reading ---- */

static bool read_secret(IkeReader *reader, IkeSecret *secret)
{
    uint8_t known = ike_read_u8(reader);
    uint16_t n = ike_read_u16(reader);
    IkeSlice bytes = ike_reader_take(reader, n);
    if (!ike_reader_ok(reader) || known > 1 || (known == 0 && n > 0))
        return false;
    return known == 0 || tunnel_secret_set(secret, bytes.bytes, bytes.n);
}

static bool read_secrets(IkeReader *reader, TunnelSecrets *secrets)
{
    return read_secret(reader, &secrets->psk) && read_secret(reader, &secrets->user) &&
           read_secret(reader, &secrets->password) && ike_reader_done(reader);
}

bool tunnel_frame_read_secrets(const TunnelFrame *frame, TunnelSecrets *secrets)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    return frame->type == TUNNEL_FRAME_SECRETS && read_secrets(&reader, secrets);
}

bool tunnel_frame_read_answer(const TunnelFrame *frame, guint32 *idp, TunnelSecrets *answer,
                              bool *answeredp)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    guint32 id = ike_read_u32(&reader);
    bool answered = reader.left > 0;
    if (frame->type != TUNNEL_FRAME_ANSWER || !ike_reader_ok(&reader))
        return false;
    if (answered && !read_secrets(&reader, answer))
        return false;
    *idp = id;
    *answeredp = answered;
    return true;
}

bool tunnel_frame_read_question(const TunnelFrame *frame, TunnelQuestion *question,
                                char **user_namep)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    guint32 id = ike_read_u32(&reader);
    unsigned wanted = ike_read_u8(&reader);
    IkeSlice user = ike_reader_take(&reader, ike_read_u16(&reader));
    if (frame->type != TUNNEL_FRAME_QUESTION || !ike_reader_ok(&reader))
        return false;
    /* It stands in a prompt, and the tunnel is not believed more than it has to be. */
    *user_namep =
        dialtone_text_clean((const char *)user.bytes, user.n, IKE_SECRET_MAX, DIALTONE_TEXT_LINE);
    *question = (TunnelQuestion){.id = id,
                                 .psk = (wanted & TUNNEL_ASK_PSK) != 0,
                                 .user = (wanted & TUNNEL_ASK_USER) != 0,
                                 .password = (wanted & TUNNEL_ASK_PASSWORD) != 0,
                                 .user_name = *user_namep,
                                 .message = (const char *)reader.bytes};
    return true;
}
