/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of certificates: what the agent read from files and tokens, the tunnel's requests for
 * signatures, and the agent's answers. Counts and lengths are checked against what is there before
 * anything is allocated for them.
 */
#include "client/tunnel/frames.h"

#include <errno.h>
#include <string.h>

#include "ike/reader.h"
#include "ike/writer.h"

enum {
    CREDENTIALS_FRAME_MAX = 700 * 1024,
    SUBJECT_MAX = 1024,
    SIGN_FRAME_MAX = 5 + IKE_HASH_MAX,
};

/* ---- credentials ---- */

static void write_items(IkeWriter *writer, const GPtrArray *items)
{
    ike_write_u16(writer, (uint16_t)items->len);
    for (guint i = 0; i < items->len; i++) {
        gsize n = 0;
        const uint8_t *bytes = g_bytes_get_data(items->pdata[i], &n);
        ike_write_u32(writer, (uint32_t)n);
        ike_write_bytes(writer, bytes, n);
    }
}

int tunnel_frame_send_credentials(int fd, const TunnelCredentials *credentials)
{
    g_autofree uint8_t *bytes = g_malloc(CREDENTIALS_FRAME_MAX);
    IkeWriter writer = ike_writer(bytes, CREDENTIALS_FRAME_MAX);
    const char *subject = credentials->subject != NULL ? credentials->subject : "";
    gsize n = MIN(strlen(subject), (gsize)SUBJECT_MAX);
    ike_write_u32(&writer, (uint32_t)(credentials->not_after >> 32));
    ike_write_u32(&writer, (uint32_t)credentials->not_after);
    ike_write_u16(&writer, (uint16_t)n);
    ike_write_bytes(&writer, (const uint8_t *)subject, n);
    write_items(&writer, credentials->chain);
    write_items(&writer, credentials->anchors);
    write_items(&writer, credentials->crls);
    if (!ike_writer_ok(&writer))
        return -EMSGSIZE;
    return tunnel_frame_send(fd, TUNNEL_FRAME_CREDENTIALS, bytes, writer.n);
}

static void read_items(IkeReader *reader, GPtrArray *items, guint max)
{
    uint16_t count = ike_read_u16(reader);
    for (guint i = 0; i < count && ike_reader_ok(reader); i++) {
        IkeSlice item = ike_reader_take(reader, ike_read_u32(reader));
        if (i >= max || item.n == 0)
            reader->failed = true;
        else
            g_ptr_array_add(items, g_bytes_new(item.bytes, item.n));
    }
}

TunnelCredentials *tunnel_frame_read_credentials(const TunnelFrame *frame)
{
    g_autoptr(TunnelCredentials) credentials = tunnel_credentials_new();
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    uint32_t high = ike_read_u32(&reader), low = ike_read_u32(&reader);
    IkeSlice subject = ike_reader_take(&reader, ike_read_u16(&reader));
    read_items(&reader, credentials->chain, IKE_CHAIN_MAX);
    read_items(&reader, credentials->anchors, IKE_ANCHORS_MAX);
    read_items(&reader, credentials->crls, IKE_CRLS_MAX);
    if (frame->type != TUNNEL_FRAME_CREDENTIALS || !ike_reader_done(&reader))
        return NULL;
    credentials->not_after = (gint64)((guint64)high << 32 | low);
    credentials->subject = g_strndup((const char *)subject.bytes, subject.n);
    return g_steal_pointer(&credentials);
}

/* ---- signatures ---- */

int tunnel_frame_send_signing(int fd, const TunnelSigning *signing)
{
    uint8_t bytes[SIGN_FRAME_MAX];
    IkeWriter writer = ike_writer(bytes, sizeof(bytes));
    ike_write_u32(&writer, signing->id);
    ike_write_u8(&writer, signing->ecdsa ? 1 : 0);
    ike_write_bytes(&writer, signing->bytes, signing->n);
    if (!ike_writer_ok(&writer))
        return -EMSGSIZE;
    return tunnel_frame_send(fd, TUNNEL_FRAME_SIGN, bytes, writer.n);
}

bool tunnel_frame_read_signing(const TunnelFrame *frame, TunnelSigning *signing)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    guint32 id = ike_read_u32(&reader);
    unsigned kind = ike_read_u8(&reader);
    if (frame->type != TUNNEL_FRAME_SIGN || !ike_reader_ok(&reader) || kind > 1 ||
        reader.left == 0 || reader.left > sizeof(signing->bytes))
        return false;
    *signing = (TunnelSigning){.id = id, .ecdsa = kind == 1, .n = reader.left};
    memcpy(signing->bytes, reader.bytes, reader.left);
    return true;
}

int tunnel_frame_send_signature(int fd, guint32 id, const guint8 *signature, gsize n)
{
    uint8_t bytes[4 + IKE_SIGNATURE_MAX];
    IkeWriter writer = ike_writer(bytes, sizeof(bytes));
    ike_write_u32(&writer, id);
    if (n > 0)
        ike_write_bytes(&writer, signature, n);
    if (!ike_writer_ok(&writer))
        return -EMSGSIZE;
    return tunnel_frame_send(fd, TUNNEL_FRAME_SIGNATURE, bytes, writer.n);
}

bool tunnel_frame_read_signature(const TunnelFrame *frame, guint32 *idp, const guint8 **signaturep,
                                 gsize *np)
{
    IkeReader reader = ike_reader(frame->bytes, frame->n);
    guint32 id = ike_read_u32(&reader);
    if (frame->type != TUNNEL_FRAME_SIGNATURE || !ike_reader_ok(&reader) ||
        reader.left > IKE_SIGNATURE_MAX)
        return false;
    *idp = id;
    *signaturep = reader.left > 0 ? reader.bytes : NULL;
    *np = reader.left;
    return true;
}
