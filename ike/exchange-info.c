/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Informational exchanges (RFC 2409, 5.7): DELETE, NOTIFY and DPD (RFC 3706), each one message.
 * What comes in is acted upon only with a HASH that fits; the runner has seen to that.
 */
#include "ike/payload-notify.h"
#include "ike/policy.h"
#include "ike/proposal.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- outbound: one payload that is ready made ---- */

typedef struct Outbound {
    IkePayloadType type;
    uint8_t protocol;
    uint16_t notify;
    uint8_t spi[2 * IKE_COOKIE_SIZE];
    size_t spi_n;
    uint8_t bytes[8];
    size_t n;
    size_t padded; /* see IkeExchange */
} Outbound;

static int build_outbound(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    const Outbound *out = x->data;
    const IkeSlice spi = {out->spi, out->spi_n};

    if (out->type == IKE_PAYLOAD_DELETE) {
        ike_delete_add(builder, out->protocol, spi);
    } else {
        const IkeNotify notify = {.protocol = out->protocol,
                                  .type = out->notify,
                                  .spi = spi,
                                  .data = {out->bytes, out->n}};
        ike_notify_add(builder, &notify);
    }
    return 0;
}

static const IkeStep OUT_STEPS[] = {
    {.direction = IKE_SEND, .protection = IKE_HASH_1, .build = build_outbound},
};

static const IkeScript SCRIPT_OUT = {
    .type = IKE_EXCHANGE_INFORMATIONAL,
    .steps = OUT_STEPS,
    .steps_n = 1,
    .free_data = free,
};

static int send_outbound(IkeSession *session, IkeIsakmpSa *sa, const Outbound *outbound)
{
    Outbound *copy = malloc(sizeof(*copy));
    uint32_t id = ike_exchange_new_id(session);

    if (copy == NULL || id == 0) {
        free(copy);
        return -ENOMEM;
    }
    *copy = *outbound;
    IkeExchange *x = ike_exchange_new(session, &SCRIPT_OUT, sa, id, copy);
    if (x == NULL)
        return -EAGAIN;
    x->padded = outbound->padded;
    int r = ike_exchange_run(session, x);
    ike_exchange_free(x); /* nobody answers it under its own message ID */
    return r;
}

static void put_cookies(Outbound *out, const IkeIsakmpSa *sa)
{
    memcpy(out->spi, sa->cookie_i, IKE_COOKIE_SIZE);
    memcpy(out->spi + IKE_COOKIE_SIZE, sa->cookie_r, IKE_COOKIE_SIZE);
    out->spi_n = 2 * IKE_COOKIE_SIZE;
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

int ike_info_delete_child(IkeSession *session, IkeIsakmpSa *sa, uint32_t spi_in)
{
    Outbound out = {.type = IKE_PAYLOAD_DELETE, .protocol = IKE_PROTOCOL_ESP, .spi_n = 4};

    put_u32(out.spi, spi_in);
    return send_outbound(session, sa, &out);
}

int ike_info_delete_sa(IkeSession *session, IkeIsakmpSa *sa)
{
    Outbound out = {.type = IKE_PAYLOAD_DELETE, .protocol = IKE_PROTOCOL_ISAKMP};

    put_cookies(&out, sa);
    return send_outbound(session, sa, &out);
}

int ike_info_initial_contact(IkeSession *session, IkeIsakmpSa *sa)
{
    Outbound out = {.type = IKE_PAYLOAD_NOTIFY,
                    .protocol = IKE_PROTOCOL_ISAKMP,
                    .notify = IKE_NOTIFY_INITIAL_CONTACT};

    put_cookies(&out, sa);
    return send_outbound(session, sa, &out);
}

static Outbound dpd(const IkeIsakmpSa *sa, uint16_t type, uint32_t sequence)
{
    Outbound out = {
        .type = IKE_PAYLOAD_NOTIFY, .protocol = IKE_PROTOCOL_ISAKMP, .notify = type, .n = 4};

    put_cookies(&out, sa);
    put_u32(out.bytes, sequence);
    return out;
}

static int send_probe(IkeSession *session, IkeIsakmpSa *sa, size_t message, size_t datagram)
{
    uint32_t sequence = ++sa->probe_sequence;
    Outbound out = dpd(sa, IKE_NOTIFY_R_U_THERE, sequence);

    out.padded = message;
    sa->probe_sizes[sequence % IKE_PROBES_KEPT] = (uint16_t)datagram;
    return send_outbound(session, sa, &out);
}

int ike_info_probe(IkeSession *session, IkeIsakmpSa *sa)
{
    return send_probe(session, sa, 0, 0);
}

/* The padding is of zeros, as RFC 2409, B has it, and more of them than fill the last block: to
 * strongSwan, racoon and pluto what stands behind the last payload is of no matter. Another payload
 * instead would be one that racoon leaves out of the HASH. */
int ike_info_probe_size(IkeSession *session, IkeIsakmpSa *sa, size_t size)
{
    size_t marker = sa->marked ? IKE_NON_ESP_MARKER_SIZE : 0, block = sa->keys.cipher->block_size;

    if (size < marker + IKE_HEADER_SIZE || size > IKE_MESSAGE_MAX)
        return 0;
    size_t message = size - marker - (size - marker - IKE_HEADER_SIZE) % block;
    return send_probe(session, sa, message, marker + message);
}

/* What was asked has arrived whole, or in fragments where this machine could not forbid them. */
static int take_acknowledgement(IkeSession *session, IkeIsakmpSa *sa, const IkeNotify *notify)
{
    IkeReader r = ike_reader_of(notify->data);
    uint16_t *size = &sa->probe_sizes[ike_read_u32(&r) % IKE_PROBES_KEPT];
    const IkeEvent event = {.type = IKE_EVENT_CARRIED, .carried = *size};

    if (*size == 0)
        return 0;
    *size = 0;
    return ike_session_emit(session, &event);
}

int ike_info_error(IkeSession *session, IkeIsakmpSa *sa, uint16_t notify, uint32_t spi)
{
    Outbound out = {
        .type = IKE_PAYLOAD_NOTIFY, .protocol = IKE_PROTOCOL_ESP, .notify = notify, .spi_n = 4};

    put_u32(out.spi, spi);
    return send_outbound(session, sa, &out);
}

/* ---- inbound ---- */

static int delete_children(IkeSession *session, IkeReader *spis)
{
    int r = 0;

    while (r == 0 && spis->left >= 4) {
        /* It names the SPI that its sender receives with: our outbound one (RFC 2408, 3.15). */
        uint32_t spi = ike_read_u32(spis);
        IkeChild *child = ike_child_by_spi_out(session, spi);
        if (child != NULL)
            r = ike_child_deleted(session, child);
    }
    return r;
}

static int delete_isakmp(IkeSession *session, IkeReader *spis)
{
    while (spis->left >= 2 * IKE_COOKIE_SIZE) {
        IkeSlice cookies = ike_reader_take(spis, 2 * IKE_COOKIE_SIZE);
        for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++) {
            IkeIsakmpSa *sa = session->sas[i];
            if (sa == NULL || !sa->authenticated ||
                memcmp(cookies.bytes, sa->cookie_i, IKE_COOKIE_SIZE) != 0 ||
                memcmp(cookies.bytes + IKE_COOKIE_SIZE, sa->cookie_r, IKE_COOKIE_SIZE) != 0)
                continue;
            int r = ike_isakmp_sa_deleted(session, sa);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int ike_info_take_deletes(IkeSession *session, const IkeMessage *message)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < message->n; i++) {
        IkeDelete deletion;
        if (message->payloads[i].type != IKE_PAYLOAD_DELETE ||
            !ike_delete_read(message->payloads[i].body, &deletion))
            continue;
        if (deletion.protocol == IKE_PROTOCOL_ESP && deletion.spi_size == 4)
            r = delete_children(session, &deletion.spis);
        else if (deletion.protocol == IKE_PROTOCOL_ISAKMP &&
                 deletion.spi_size == 2 * IKE_COOKIE_SIZE)
            r = delete_isakmp(session, &deletion.spis);
    }
    return r;
}

/* RFC 3706, 6.2: what is answered must move on; a repetition has the same number. */
static int answer_probe(IkeSession *session, IkeIsakmpSa *sa, const IkeNotify *notify)
{
    IkeReader r = ike_reader_of(notify->data);
    uint32_t sequence = ike_read_u32(&r);

    if (!ike_reader_done(&r) || (sa->peer_sequence_known && sequence < sa->peer_sequence))
        return 0;
    sa->peer_sequence = sequence;
    sa->peer_sequence_known = true;

    const Outbound out = dpd(sa, IKE_NOTIFY_R_U_THERE_ACK, sequence);
    return send_outbound(session, sa, &out);
}

static void shorten_lifetime(IkeSession *session, IkeIsakmpSa *sa, const IkeNotify *notify)
{
    uint32_t seconds = 0, kilobytes = 0;

    if (notify->protocol == IKE_PROTOCOL_ISAKMP)
        ike_lifetime_read(notify->data, IKE_P1_LIFE_TYPE, &seconds, &kilobytes);
    seconds = ike_policy_lifetime(sa->info.lifetime, seconds);
    /* Said again, a little shorter each time, it would never end. */
    if (seconds < sa->info.lifetime && session->now + seconds * IKE_SECOND < sa->expires_at)
        ike_isakmp_sa_set_lifetime(session, sa, seconds);
}

/* Cisco's load balancing: a member of a cluster names another one by its IPv4 address, in a notify
 * of the private range, which means that only where the gateway has shown Unity's vendor ID (RFC
 * 2408, 3.14.1). It has no port: the new one is called where this one was. A tunnel that stands is
 * not given up for it, nor is a Phase 1 that renews one. */
static int take_redirect(IkeSession *session, const IkeIsakmpSa *sa, const IkeNotify *notify)
{
    const IkeAddress *here = &session->config.gateway;
    IkeFailure failure = {
        .reason = IKE_REASON_UNREACHABLE, .detail = IKE_DETAIL_REDIRECTED, .notify = notify->type};
    IkeAddress *elsewhere = &failure.elsewhere;
    bool stands = sa->renewal || session->state >= IKE_STATE_CONNECTED;

    ike_address_take(elsewhere, notify->data);
    bool same = elsewhere->family == here->family &&
                memcmp(elsewhere->bytes, here->bytes, sizeof(here->bytes)) == 0;
    if (stands || same || elsewhere->family == 0 || (sa->vendors & IKE_VENDOR_UNITY) == 0)
        return ike_session_notice(session, IKE_DETAIL_NOTIFY, notify->type);
    elsewhere->port = here->port;
    return ike_session_fail(session, &failure);
}

static int take_notify(IkeSession *session, IkeIsakmpSa *sa, const IkeNotify *notify)
{
    switch (notify->type) {
    case IKE_NOTIFY_R_U_THERE:
        return answer_probe(session, sa, notify);
    case IKE_NOTIFY_R_U_THERE_ACK:
        return take_acknowledgement(session, sa, notify);
    case IKE_NOTIFY_RESPONDER_LIFETIME:
        shorten_lifetime(session, sa, notify);
        return 0;
    case IKE_NOTIFY_CISCO_LOAD_BALANCE:
        return take_redirect(session, sa, notify);
    default:
        break;
    }
    if (notify->type == 0 || notify->type > IKE_NOTIFY_ERROR_LAST)
        return 0;
    int r = ike_session_notice(session, IKE_DETAIL_NOTIFY, notify->type);
    return r == 0 ? ike_session_refused(session, sa, notify->type) : r;
}

/* RFC 3706, 6.1: an acknowledgement of what was not asked is none, and proves no life. */
static bool acknowledges_nothing(const IkeIsakmpSa *sa, const IkeNotify *notify)
{
    IkeReader r = ike_reader_of(notify->data);
    uint32_t sequence = ike_read_u32(&r);
    uint32_t behind = sa->probe_sequence - sequence;

    return notify->type == IKE_NOTIFY_R_U_THERE_ACK &&
           (!ike_reader_done(&r) || behind >= IKE_PROBES_KEPT);
}

static bool has_false_acknowledgement(const IkeIsakmpSa *sa, const IkeMessage *message)
{
    for (size_t i = 0; i < message->n; i++) {
        IkeNotify notify;
        if (message->payloads[i].type == IKE_PAYLOAD_NOTIFY &&
            ike_notify_read(message->payloads[i].body, &notify) &&
            acknowledges_nothing(sa, &notify))
            return true;
    }
    return false;
}

static int consume_info(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    if (has_false_acknowledgement(x->sa, message))
        return IKE_IGNORED;
    int r = ike_info_take_deletes(session, message);

    /* What ends the session is its last word, whatever else the message says. */
    for (size_t i = 0; r == 0 && session->state != IKE_STATE_ENDED && i < message->n; i++) {
        IkeNotify notify;
        if (message->payloads[i].type == IKE_PAYLOAD_NOTIFY &&
            ike_notify_read(message->payloads[i].body, &notify))
            r = take_notify(session, x->sa, &notify);
    }
    return r < 0 ? r : IKE_ACCEPTED;
}

static const IkeStep IN_STEPS[] = {
    {.direction = IKE_RECEIVE,
     .protection = IKE_HASH_1,
     .allowed = IKE_SET(IKE_PAYLOAD_DELETE),
     .consume = consume_info},
};

const IkeScript IKE_SCRIPT_INFO_IN = {
    .type = IKE_EXCHANGE_INFORMATIONAL,
    .steps = IN_STEPS,
    .steps_n = 1,
};
