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

#include "client/common/failure.h"
#include "client/common/text.h"
#include "ike/reader.h"
#include "ike/writer.h"
#include "platform/secret-memory.h"

enum {
    FRAME_MAX = 2 * 1024 * 1024,
    SOCKET_BUFFER = 1024 * 1024,
    FIRST_KEY_KIND = TUNNEL_ASK_PASSPHRASE, /* and the last */
    SECRETS_FRAME_MAX = 8 + (3 + TUNNEL_CODES_MAX) * (3 + IKE_SECRET_MAX),
    TEXT_MAX = IKE_TEXT_MAX * 2, /* what is cleaned may grow */
    REFUSAL_MAX = 16 * 1024,
    QUESTION_FRAME_MAX = 16 + 2 * TUNNEL_ASK_KINDS + 3 * (2 + TEXT_MAX),
};

static bool holds_secrets(TunnelFrameType type)
{
    return type == TUNNEL_FRAME_SECRETS || type == TUNNEL_FRAME_ANSWER;
}

int tunnel_frame_pair(int ends[2])
{
    const int size = SOCKET_BUFFER;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
            g_debug("a channel keeps its small buffers");
    return 0;
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

int tunnel_frame_send_profile(int fd, const char *text, unsigned flags)
{
    g_autofree char *frame = g_strdup_printf("%c%s", (int)(TUNNEL_PROFILE_ALWAYS | flags), text);
    return tunnel_frame_send(fd, TUNNEL_FRAME_PROFILE, frame, strlen(frame));
}

int tunnel_frame_send_keep(int fd, const GError *why)
{
    if (why == NULL)
        return tunnel_frame_send(fd, TUNNEL_FRAME_KEEP, NULL, 0);
    const char *advice = dialtone_failure_advice(why);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_c(text, (char)dialtone_failure_of(why));
    g_string_append_len(text, why->message, (gssize)strlen(why->message) + 1);
    g_string_append(text, advice != NULL ? advice : "");
    return tunnel_frame_send(fd, TUNNEL_FRAME_KEEP, text->str, text->len);
}

bool tunnel_frame_read_keep(const TunnelFrame *frame, GError **whyp)
{
    if (frame->type != TUNNEL_FRAME_KEEP)
        return false;
    if (frame->n == 0)
        return true;
    const char *message = (const char *)frame->bytes + 1;
    const gsize n = strnlen(message, frame->n - 1);
    const guint8 reason = frame->bytes[0];
    if (reason == DIALTONE_FAILURE_NONE || reason >= DIALTONE_FAILURE_N || n == 0 ||
        n == frame->n - 1)
        return false;
    const char *advice = message + n + 1;
    g_autofree char *clean = dialtone_text_clean(message, n, REFUSAL_MAX, DIALTONE_TEXT_LINES);
    g_autofree char *clean_advice =
        dialtone_text_clean(advice, strlen(advice), REFUSAL_MAX, DIALTONE_TEXT_LINES);
    dialtone_failure_set(whyp, (DialtoneFailure)reason, *clean_advice != '\0' ? clean_advice : NULL,
                         "%s", clean);
    return true;
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
    ike_write_u8(writer, (uint8_t)secrets->codes_n);
    for (unsigned i = 0; i < secrets->codes_n; i++)
        write_secret(writer, &secrets->codes[i]);
}

static int send_written(int fd, TunnelFrameType type, const IkeWriter *writer)
{
    return ike_writer_ok(writer) ? tunnel_frame_send(fd, type, writer->bytes, writer->n)
                                 : -EMSGSIZE;
}

int tunnel_frame_send_secrets(int fd, const TunnelSecrets *secrets)
{
    uint8_t *bytes = platform_secret_alloc(SECRETS_FRAME_MAX);
    if (bytes == NULL)
        return -ENOMEM;
    IkeWriter writer = ike_writer(bytes, SECRETS_FRAME_MAX);
    write_secrets(&writer, secrets);
    int result = send_written(fd, TUNNEL_FRAME_SECRETS, &writer);
    platform_secret_free(bytes);
    return result;
}

/* What no tunnel asks for is left out of what it is told. */
static gsize count_given(const TunnelAnswer *answer)
{
    gsize n = TUNNEL_ASK_KINDS;
    while (n > FIRST_KEY_KIND && !answer->given[n - 1].known)
        n--;
    return n;
}

int tunnel_frame_send_answer(int fd, guint32 id, const TunnelAnswer *answer)
{
    uint8_t *bytes = platform_secret_alloc(SECRETS_FRAME_MAX);
    if (bytes == NULL)
        return -ENOMEM;
    IkeWriter writer = ike_writer(bytes, SECRETS_FRAME_MAX);
    ike_write_u32(&writer, id);
    if (answer != NULL)
        ike_write_u8(&writer, answer->by_program ? 1 : 0);
    for (gsize i = 0; answer != NULL && i < count_given(answer); i++)
        write_secret(&writer, &answer->given[i]);
    int result = send_written(fd, TUNNEL_FRAME_ANSWER, &writer);
    platform_secret_free(bytes);
    return result;
}

static void write_text(IkeWriter *writer, const char *text)
{
    gsize n = text != NULL ? strlen(text) : 0;
    ike_write_u16(writer, (uint16_t)MIN(n, TEXT_MAX));
    ike_write_bytes(writer, (const uint8_t *)text, MIN(n, TEXT_MAX));
}

int tunnel_frame_send_question(int fd, const TunnelQuestion *question)
{
    uint8_t bytes[QUESTION_FRAME_MAX];
    IkeWriter writer = ike_writer(bytes, sizeof(bytes));
    ike_write_u32(&writer, question->id);
    ike_write_u8(&writer, question->again ? 1 : 0);
    ike_write_u8(&writer, (uint8_t)question->asked_n);
    for (gsize i = 0; i < question->asked_n; i++) {
        const TunnelAsked *asked = &question->asked[i];
        ike_write_u8(&writer, (uint8_t)asked->kind);
        ike_write_u8(&writer, (uint8_t)((asked->secret ? TUNNEL_ASKED_SECRET : 0) |
                                        (asked->once ? TUNNEL_ASKED_ONCE : 0) |
                                        (asked->keypad ? TUNNEL_ASKED_KEYPAD : 0)));
    }
    write_text(&writer, question->user_name);
    write_text(&writer, question->challenge);
    write_text(&writer, question->message);
    return send_written(fd, TUNNEL_FRAME_QUESTION, &writer);
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

static bool read_codes(IkeReader *reader, TunnelSecrets *secrets)
{
    unsigned n = ike_read_u8(reader);
    if (n > TUNNEL_CODES_MAX)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!read_secret(reader, &secrets->codes[i]) || !secrets->codes[i].known)
            return false;
    secrets->codes_n = n;
    return true;
}

bool tunnel_frame_read_secrets(const TunnelFrame *frame, TunnelSecrets *secrets)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    return frame->type == TUNNEL_FRAME_SECRETS && read_secret(&reader, &secrets->psk) &&
           read_secret(&reader, &secrets->user) && read_secret(&reader, &secrets->password) &&
           read_codes(&reader, secrets) && ike_reader_done(&reader);
}

bool tunnel_frame_read_answer(const TunnelFrame *frame, guint32 *idp, TunnelAnswer *answer,
                              bool *answeredp)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    guint32 id = ike_read_u32(&reader);
    bool answered = reader.left > 0;
    if (frame->type != TUNNEL_FRAME_ANSWER || !ike_reader_ok(&reader))
        return false;
    if (answered)
        answer->by_program = ike_read_u8(&reader) != 0;
    for (gsize i = 0; answered && i < TUNNEL_ASK_KINDS; i++)
        if ((i < FIRST_KEY_KIND || reader.left > 0) && !read_secret(&reader, &answer->given[i]))
            return false;
    if (!ike_reader_done(&reader))
        return false;
    *idp = id;
    *answeredp = answered;
    return true;
}

/* It is shown to a person, and the tunnel is not believed more than it has to be. */
static const char *read_text(IkeReader *reader, DialtoneTextShape shape)
{
    IkeSlice text = ike_reader_take(reader, ike_read_u16(reader));
    return dialtone_text_clean((const char *)text.bytes, text.n, TEXT_MAX, shape);
}

static bool read_asked(IkeReader *reader, TunnelQuestion *question)
{
    question->asked_n = ike_read_u8(reader);
    if (question->asked_n > TUNNEL_ASK_KINDS)
        return false;
    for (gsize i = 0; i < question->asked_n; i++) {
        guint kind = ike_read_u8(reader), flags = ike_read_u8(reader);
        if (kind >= TUNNEL_ASK_KINDS)
            return false;
        question->asked[i] = (TunnelAsked){.kind = kind,
                                           .secret = (flags & TUNNEL_ASKED_SECRET) != 0,
                                           .once = (flags & TUNNEL_ASKED_ONCE) != 0,
                                           .keypad = (flags & TUNNEL_ASKED_KEYPAD) != 0};
    }
    return true;
}

bool tunnel_frame_read_question(const TunnelFrame *frame, TunnelQuestion *question)
{
    g_auto(TunnelQuestion) read = {0};
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    read.id = ike_read_u32(&reader);
    read.again = ike_read_u8(&reader) != 0;
    if (frame->type != TUNNEL_FRAME_QUESTION || !read_asked(&reader, &read))
        return false;
    read.user_name = read_text(&reader, DIALTONE_TEXT_LINE);
    read.challenge = read_text(&reader, DIALTONE_TEXT_LINES);
    read.message = read_text(&reader, DIALTONE_TEXT_LINES);
    if (!ike_reader_done(&reader))
        return false;
    *question = read;
    read = (TunnelQuestion){0};
    return true;
}

void tunnel_question_clear(TunnelQuestion *question)
{
    g_free((char *)(uintptr_t)question->user_name);
    g_free((char *)(uintptr_t)question->challenge);
    g_free((char *)(uintptr_t)question->message);
    *question = (TunnelQuestion){0};
}

bool tunnel_question_is_for_keypad(const TunnelQuestion *question)
{
    for (gsize i = 0; i < question->asked_n; i++)
        if (question->asked[i].keypad)
            return true;
    return false;
}

bool tunnel_question_opens_key(const TunnelQuestion *question)
{
    for (gsize i = 0; i < question->asked_n; i++)
        if (question->asked[i].kind >= FIRST_KEY_KIND)
            return true;
    return false;
}
