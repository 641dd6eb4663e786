/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes in: datagrams are put together where they are fragments, and routed to exchanges by
 * cookies and message ID. What belongs to no SA is met with silence.
 */
#include "ike/fragment.h"
#include "ike/payload-notify.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- whose it is ---- */

static bool same_host(const IkeAddress *a, const IkeAddress *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static IkeIsakmpSa *find_sa(IkeSession *session, const IkeHeader *header, const IkeAddress *from)
{
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++) {
        IkeIsakmpSa *sa = session->sas[i];
        if (sa == NULL || memcmp(header->cookie_i, sa->cookie_i, IKE_COOKIE_SIZE) != 0)
            continue;
        /* Before there are keys, only the address tells who speaks. */
        if (!sa->authenticated)
            return same_host(from, &sa->peer) ? sa : NULL;
        if (memcmp(header->cookie_r, sa->cookie_r, IKE_COOKIE_SIZE) == 0)
            return sa;
    }
    return NULL;
}

static IkeExchange *find_exchange(IkeSession *session, const IkeIsakmpSa *sa,
                                  const IkeHeader *header)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (x->script != NULL && x->sa == sa && x->message_id == header->message_id &&
            x->script->type == (IkeExchangeType)header->exchange)
            return x;
    }
    return NULL;
}

static IkeExchange *phase1_of(IkeSession *session, const IkeIsakmpSa *sa)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (x->script == &IKE_SCRIPT_AGGRESSIVE && x->sa == sa)
            return x;
    }
    return NULL;
}

/* A notify in the clear, before Phase 1 is authenticated: somebody says that he refuses. */
static void take_hint(IkeSession *session, const IkeIsakmpSa *sa, const IkeHeader *header,
                      IkeSlice datagram)
{
    IkeMessage message;
    IkeExchange *phase1 = phase1_of(session, sa);
    IkeSlice payloads = {datagram.bytes + IKE_HEADER_SIZE, datagram.n - IKE_HEADER_SIZE};

    if (phase1 == NULL || ike_payloads_read(header, payloads, &message) != 0)
        return;
    for (size_t i = 0; i < message.n; i++) {
        IkeNotify notify;
        if (message.payloads[i].type == IKE_PAYLOAD_NOTIFY &&
            ike_notify_read(message.payloads[i].body, &notify) && notify.type != 0 &&
            notify.type <= IKE_NOTIFY_ERROR_LAST)
            ike_aggressive_hint(session, phase1, notify.type);
    }
}

/* The script for an exchange that the gateway begins; NULL: we take part in no such exchange. */
static const IkeScript *script_for(const IkeHeader *header)
{
    switch ((int)header->exchange) {
    case IKE_EXCHANGE_INFORMATIONAL:
        return &IKE_SCRIPT_INFO_IN;
    case IKE_EXCHANGE_TRANSACTION:
        return &IKE_SCRIPT_TRANSACTION;
    case IKE_EXCHANGE_QUICK:
        return &IKE_SCRIPT_QUICK_RESPONDER;
    default:
        return NULL;
    }
}

static void *data_for(const IkeScript *script)
{
    if (script == &IKE_SCRIPT_TRANSACTION)
        return calloc(1, sizeof(IkeTransaction));
    if (script == &IKE_SCRIPT_QUICK_RESPONDER)
        return ike_quick_renewal_new();
    return NULL;
}

static int begin_theirs(IkeSession *session, IkeIsakmpSa *sa, const IkeHeader *header,
                        IkeSlice datagram)
{
    const IkeScript *script = script_for(header);

    /* A message ID serves one exchange: a recorded message is no new one. */
    if (script == NULL || !sa->authenticated || sa->signing || header->message_id == 0 ||
        (header->flags & IKE_FLAG_ENCRYPTION) == 0 ||
        !ike_isakmp_sa_is_fresh_id(sa, header->message_id))
        return IKE_IGNORED;
    void *data = data_for(script);
    if (data == NULL && script->free_data != NULL)
        return -ENOMEM;
    IkeExchange *x = ike_exchange_new(session, script, sa, header->message_id, data);
    if (x == NULL)
        return IKE_IGNORED; /* all places taken: it will be sent again */
    int r = ike_exchange_receive(session, x, datagram);
    if (r == IKE_ACCEPTED)
        ike_isakmp_sa_use_id(session, sa, header->message_id);
    else
        ike_exchange_free(x);
    return r;
}

/* RFC 3947, 7: an authentic message from another address moves the gateway there. */
static int follow(IkeSession *session, IkeIsakmpSa *sa, const IkeAddress *from, bool marked)
{
    if (!sa->authenticated || sa->natt == NULL || !marked ||
        (same_host(from, &sa->peer) && from->port == sa->peer.port))
        return 0;
    sa->peer = *from;
    if (sa != session->current)
        return 0;
    IkeEvent event = {.type = IKE_EVENT_PATH, .path = *from};
    return ike_session_emit(session, &event);
}

/* A fragment of a message for an SA. 0: it was the one that was missing, and the message takes its
 * place. */
static int reassemble(const IkeSession *session, IkeIsakmpSa *sa, IkeHeader *header,
                      IkeSlice *datagram)
{
    if (sa->reassembly == NULL)
        sa->reassembly = ike_reassembly_new();
    if (sa->reassembly == NULL)
        return -ENOMEM;
    int r = ike_reassembly_take(sa->reassembly, header, *datagram, session->now, datagram);
    if (r != 0)
        return IKE_IGNORED;
    return ike_header_read(*datagram, header) == 0 ? 0 : IKE_IGNORED;
}

static int route(IkeSession *session, IkeSlice datagram, const IkeAddress *from, bool marked)
{
    IkeHeader header;

    if (ike_header_read(datagram, &header) != 0)
        return IKE_IGNORED;
    IkeIsakmpSa *sa = find_sa(session, &header, from);
    if (sa == NULL)
        return IKE_IGNORED;
    if (header.next == IKE_PAYLOAD_FRAGMENT) {
        int r = reassemble(session, sa, &header, &datagram);
        if (r != 0)
            return r;
    }
    if (!sa->authenticated && header.exchange == IKE_EXCHANGE_INFORMATIONAL) {
        if ((header.flags & IKE_FLAG_ENCRYPTION) == 0)
            take_hint(session, sa, &header, datagram);
        return IKE_IGNORED;
    }
    bool was_authenticated = sa->authenticated;
    IkeExchange *x = find_exchange(session, sa, &header);
    int r = x != NULL ? ike_exchange_receive(session, x, datagram)
                      : begin_theirs(session, sa, &header, datagram);
    if (r == IKE_ACCEPTED && was_authenticated)
        r = follow(session, sa, from, marked);
    return r;
}

int ike_session_receive(IkeSession *session, const uint8_t *bytes, size_t n, IkeAddress from,
                        uint64_t now)
{
    static const uint8_t marker[IKE_NON_ESP_MARKER_SIZE] = {0};
    IkeSlice datagram = {bytes, n};
    bool marked = n >= sizeof(marker) && memcmp(bytes, marker, sizeof(marker)) == 0;

    session->now = now;
    if (session->state == IKE_STATE_IDLE || session->state == IKE_STATE_ENDED)
        return 0;
    if (marked)
        datagram = (IkeSlice){bytes + sizeof(marker), n - sizeof(marker)};
    else if (ike_dhcp_is_for(session, datagram))
        return ike_session_finish(session, ike_dhcp_receive(session, datagram));
    int r = route(session, datagram, &from, marked);
    return ike_session_finish(session, r < 0 ? r : 0);
}
