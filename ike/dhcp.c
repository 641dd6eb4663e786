/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP through IPsec (RFC 3456), in place of mode config:
 *
 *   Quick Mode      the DHCP SA: 0.0.0.0 UDP 68, the gateway UDP 67
 *   -> DISCOVER     <- OFFER        in ESP of the DHCP SA, which the session itself seals and opens
 *   -> REQUEST      <- ACK
 *   DELETE          of the DHCP SA; Quick Modes for the networks follow, with the leased address
 *
 * A lease is renewed in the same way, with a REQUEST in place of the first three (4.1). It goes to
 * everybody, as RFC 2131, 4.3.2 has it for rebinding: an answer to one that goes to the server
 * alone would come through the SA of some network, or through none. So renewing and rebinding are
 * one here, and T2 has no meaning.
 */
#include "ike/dhcp.h"

#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <string.h>

/* Not every gateway of the field follows the RFC: some serve only what looks like Ethernet, some
 * only what goes to their own address. Each repetition of a DISCOVER has another form, and an
 * xid of its own: servers look whether an address is in use before they offer it, so an answer may
 * be to one that is seconds old. The form that was answered is spoken from then on. */
typedef struct Form {
    uint8_t htype;
    bool to_gateway; /* else to everybody */
} Form;

/* The RFC's first, and then the one that has least in common with it. */
static const Form FORMS[IKE_DHCP_FORMS] = {
    {IKE_DHCP_HTYPE_IPSEC, false},
    {IKE_DHCP_HTYPE_ETHERNET, true},
    {IKE_DHCP_HTYPE_IPSEC, true},
    {IKE_DHCP_HTYPE_ETHERNET, false},
};

enum { ESP_IPV4 = 4 };

static bool is_asking(const IkeDhcp *dhcp)
{
    return dhcp->stage == IKE_DHCP_SELECTING || dhcp->stage == IKE_DHCP_REQUESTING ||
           dhcp->stage == IKE_DHCP_RENEWING;
}

/* ---- beginning and end of a conversation ---- */

int ike_dhcp_begin(IkeSession *session)
{
    session->dhcp.stage = IKE_DHCP_OPENING;
    session->dhcp.began_at = session->now;
    session->dhcp.naks = 0;
    return ike_quick_begin(session, IKE_NETWORK_DHCP);
}

/* RFC 2131, 4.4.1: another xid for each conversation; its answers belong to no other. */
static int ask(IkeSession *session, IkeDhcpStage stage)
{
    IkeDhcp *dhcp = &session->dhcp;

    dhcp->xid = ike_exchange_new_id(session);
    dhcp->stage = stage;
    dhcp->tries = 0;
    dhcp->asked_at = dhcp->send_at = session->now;
    dhcp->give_up_at = session->now + IKE_DHCP_BUDGET;
    return dhcp->xid != 0 ? 0 : -EIO;
}

/* By RELEASE, through a DHCP SA once more: the tunnel's own SAs, which RFC 3456, 4.4 has it go
 * through, belong to the data path, and their networks need not have the server. */
bool ike_dhcp_release(IkeSession *session)
{
    IkeDhcp *dhcp = &session->dhcp;

    if (!dhcp->leased || dhcp->ending || session->state != IKE_STATE_CONNECTED ||
        session->current == NULL || ike_quick_running(session))
        return false;
    dhcp->ending = true;
    dhcp->give_up_at = session->now + IKE_DHCP_RELEASE_WAIT;
    if (ike_child_for_dhcp(session) != NULL)
        dhcp->stage = IKE_DHCP_RELEASING;
    else
        dhcp->ending = ike_dhcp_begin(session) == 0;
    return dhcp->ending;
}

/* The first message waits for the next call, by which the event that says what to do with the
 * answer has been taken. */
int ike_dhcp_open(IkeSession *session)
{
    if (session->dhcp.ending) {
        session->dhcp.stage = IKE_DHCP_RELEASING;
        return 0;
    }
    int r = ask(session, session->dhcp.leased ? IKE_DHCP_RENEWING : IKE_DHCP_SELECTING);

    session->dhcp.send_at++;
    return r;
}

bool ike_dhcp_use_local(IkeSession *session)
{
    bool fresh = !session->dhcp.use_local && session->config.local.family == 4;

    session->dhcp.use_local |= fresh;
    return fresh;
}

/* RFC 3456, 4.4: the DHCP SA may go when the conversation is over. */
static void end_conversation(IkeSession *session)
{
    IkeChild *child = ike_child_for_dhcp(session);

    if (child != NULL)
        child->remove_at = session->now;
    session->dhcp.stage = IKE_DHCP_IDLE;
}

void ike_dhcp_interrupt(IkeSession *session)
{
    if (!session->dhcp.leased)
        end_conversation(session);
}

int ike_dhcp_refused(IkeSession *session, const IkeFailure *why)
{
    IkeDhcp *dhcp = &session->dhcp;
    const IkeIsakmpSa *sa = ike_isakmp_sa_bearer(session);
    IkeFailure failure = *why;

    if (dhcp->ending)
        return ike_session_end(session);
    end_conversation(session);
    failure.reason = IKE_REASON_PHASE2_REFUSED;
    /* It has spoken on this way, but not about this. */
    if (failure.detail == IKE_DETAIL_SILENCE_LATER && !dhcp->leased && sa != NULL && sa->heard)
        failure.detail = IKE_DETAIL_DHCP_REFUSED;
    /* The proposals are those of any other SA, and so is what there is to say about them. */
    if (failure.detail == IKE_DETAIL_NETWORK_REFUSED &&
        failure.notify != IKE_NOTIFY_NO_PROPOSAL_CHOSEN)
        failure.detail = IKE_DETAIL_DHCP_REFUSED;
    if (!dhcp->leased)
        return ike_session_fail(session, &failure);
    uint64_t rest = dhcp->lease_end - session->now;
    uint64_t wait = rest / 2 > IKE_DHCP_RENEWAL_LEAST ? rest / 2 : IKE_DHCP_RENEWAL_LEAST;
    dhcp->renew_at = session->now + wait;
    return ike_session_notice(session, failure.detail, failure.notify);
}

int ike_dhcp_late(IkeSession *session)
{
    bool opening = session->dhcp.stage == IKE_DHCP_OPENING;
    IkeDetail detail = opening ? IKE_DETAIL_DHCP_REFUSED : IKE_DETAIL_DHCP_SILENCE;

    return ike_dhcp_refused(session, &(IkeFailure){.detail = detail});
}

/* ---- out ---- */

static IkeDhcpQuestion question_of(const IkeSession *session, const IkeIsakmpSa *sa)
{
    const IkeDhcp *dhcp = &session->dhcp;
    const Form *form = &FORMS[dhcp->form];
    IkeDhcpQuestion q = {
        .type = IKE_DHCP_REQUEST, .htype = form->htype, .xid = dhcp->xid + dhcp->form};

    memcpy(q.hardware, session->config.hardware, sizeof(q.hardware));
    if (form->to_gateway)
        q.to = sa->peer;
    if (dhcp->stage == IKE_DHCP_RELEASING) {
        q.type = IKE_DHCP_RELEASE;
        q.ours = session->inner.address;
        q.server = dhcp->server;
        if (!form->to_gateway)
            q.to = dhcp->server; /* RFC 2131, 4.4.4 */
    } else if (dhcp->stage == IKE_DHCP_RENEWING) {
        q.ours = session->inner.address;
    } else if (dhcp->stage == IKE_DHCP_REQUESTING) {
        q.wanted = dhcp->offered;
        q.server = dhcp->server;
        q.seconds = dhcp->seconds[dhcp->form]; /* RFC 2131, 4.4.1: relays choose servers by it */
    } else {
        q.type = IKE_DHCP_DISCOVER;
        q.seconds = dhcp->seconds[dhcp->form];
        /* The address that we had is asked for again, but not after a no to it. */
        if (dhcp->naks == 0)
            q.wanted = session->config.address;
    }
    return q;
}

static int post(IkeSession *session, const IkeIsakmpSa *sa, IkeChild *child)
{
    uint8_t bytes[ESP_HEAD_ROOM + IKE_DHCP_PACKET_MAX + ESP_TAIL_ROOM];
    IkeWriter w = ike_writer(bytes + ESP_HEAD_ROOM, IKE_DHCP_PACKET_MAX);
    IkeDhcpQuestion question = question_of(session, sa);
    IkeAddress to = sa->peer;

    ike_dhcp_write(&w, &question);
    if (!ike_writer_ok(&w))
        return -EINVAL;
    EspPacket packet = {.data = w.bytes, .n = w.n, .next_header = ESP_IPV4};
    if (esp_seal(child->own_out, &packet, 1) != 1)
        return -EIO;
    if (sa->natt == NULL)
        to.port = 0;
    const IkePacket ready = {.to = to, .bytes = packet.data, .n = packet.n};
    return ike_queue_packet(&session->packets, &ready);
}

static uint16_t seconds_since(const IkeSession *session, uint64_t then)
{
    uint64_t seconds = (session->now - then) / IKE_SECOND;

    return (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX);
}

static int send_question(IkeSession *session)
{
    IkeDhcp *dhcp = &session->dhcp;
    IkeChild *child = ike_child_for_dhcp(session);
    const IkeIsakmpSa *sa = ike_isakmp_sa_bearer(session);

    /* The gateway has deleted it in the middle. */
    if (child == NULL || sa == NULL)
        return ike_dhcp_refused(session, &(IkeFailure){.detail = IKE_DETAIL_DHCP_REFUSED});
    if (dhcp->stage == IKE_DHCP_SELECTING && dhcp->tries > 0)
        dhcp->form = (dhcp->form + 1) % IKE_DHCP_FORMS;
    if (dhcp->stage == IKE_DHCP_SELECTING)
        dhcp->seconds[dhcp->form] = seconds_since(session, dhcp->began_at);
    uint64_t wait = IKE_DHCP_RETRANSMIT_FIRST << (dhcp->tries < 2 ? dhcp->tries : 2);
    dhcp->tries++;
    dhcp->send_at = session->now + wait;
    return post(session, sa, child);
}

/* ---- in ---- */

bool ike_dhcp_is_for(IkeSession *session, IkeSlice datagram)
{
    const IkeChild *child = ike_child_for_dhcp(session);
    IkeReader r = ike_reader_of(datagram);

    return child != NULL && datagram.n >= ESP_HEADER_SIZE && ike_read_u32(&r) == child->info.spi_in;
}

static bool same_address(const IkeAddress *a, const IkeAddress *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, 4) == 0;
}

static int take_offer(IkeSession *session, const IkeDhcpReply *reply)
{
    IkeDhcp *dhcp = &session->dhcp;
    uint32_t xid = dhcp->xid;

    dhcp->server = reply->server;
    dhcp->offered = reply->inner.address;
    dhcp->form = reply->xid - xid;
    int r = ask(session, IKE_DHCP_REQUESTING);
    dhcp->xid = xid; /* RFC 2131, 4.4.1: the REQUEST has that of the DISCOVER */
    return r;
}

/* RFC 2131, 4.4.1: the time runs from the question on. */
static void set_times(IkeSession *session, const IkeDhcpReply *reply)
{
    IkeDhcp *dhcp = &session->dhcp;
    uint64_t lease = reply->lease, renew = reply->renew;

    dhcp->renew_at = dhcp->lease_end = IKE_NEVER;
    if (reply->lease == UINT32_MAX)
        return;
    /* Half of what the server gave: what is used beyond that is not known to be ours. */
    renew = renew != 0 && renew < lease ? renew : lease / 2;
    lease = lease > IKE_DHCP_LEASE_LEAST ? lease : IKE_DHCP_LEASE_LEAST;
    renew *= IKE_SECOND;
    dhcp->lease_end = dhcp->asked_at + lease * IKE_SECOND;
    dhcp->renew_at =
        dhcp->asked_at + (renew > IKE_DHCP_RENEWAL_LEAST ? renew : IKE_DHCP_RENEWAL_LEAST);
}

static int take_ack(IkeSession *session, const IkeDhcpReply *reply)
{
    end_conversation(session);
    session->dhcp.leased = true;
    /* Another server of a pair may have renewed it; a RELEASE is for the one that has it. */
    if (reply->server.family != 0)
        session->dhcp.server = reply->server;
    set_times(session, reply);
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        if (session->sas[i] != NULL && session->sas[i]->stage == IKE_STAGE_CONFIG)
            session->sas[i]->config_done = true;
    return ike_config_adopt(session, &reply->inner);
}

/* RFC 2131, 4.4: from the beginning. The address is somebody else's, or will be, so that it is used
 * for no longer than another one takes to be leased. */
static int take_nak(IkeSession *session)
{
    IkeDhcp *dhcp = &session->dhcp;
    const IkeFailure failure = {.detail = IKE_DETAIL_DHCP_NAK};
    uint64_t limit = session->now + IKE_STAGE_BUDGET;

    if (dhcp->leased && limit < dhcp->lease_end)
        dhcp->lease_end = limit;
    if (dhcp->naks++ >= IKE_DHCP_NAKS_MAX)
        return ike_dhcp_refused(session, &failure);
    return ask(session, IKE_DHCP_SELECTING);
}

static int take_reply(IkeSession *session, const IkeDhcpReply *reply)
{
    const IkeDhcp *dhcp = &session->dhcp;
    bool renewing = dhcp->stage == IKE_DHCP_RENEWING;
    const IkeAddress *asked = renewing ? &session->inner.address : &dhcp->offered;

    if (dhcp->stage == IKE_DHCP_SELECTING)
        return reply->type == IKE_DHCP_OFFER ? take_offer(session, reply) : 0;
    /* Another server has no say in what one has offered. */
    if (!renewing && reply->server.family != 0 && !same_address(&reply->server, &dhcp->server))
        return 0;
    if (reply->type == IKE_DHCP_NAK)
        return take_nak(session);
    bool fits = reply->type == IKE_DHCP_ACK && same_address(&reply->inner.address, asked);
    return fits ? take_ack(session, reply) : 0;
}

/* An offer may be for any form, and what follows it is for the one that was chosen by it. */
static bool is_answer(const IkeDhcp *dhcp, uint32_t xid)
{
    uint32_t form = xid - dhcp->xid;

    return dhcp->stage == IKE_DHCP_SELECTING ? form < IKE_DHCP_FORMS : form == dhcp->form;
}

int ike_dhcp_receive(IkeSession *session, IkeSlice datagram)
{
    uint8_t bytes[IKE_DHCP_PACKET_MAX + ESP_HEAD_ROOM + ESP_TAIL_ROOM];
    const IkeDhcp *dhcp = &session->dhcp;
    IkeChild *child = ike_child_for_dhcp(session);
    EspPacket packet = {.data = bytes, .n = datagram.n};
    IkeDhcpReply reply;

    if (child == NULL || datagram.n > sizeof(bytes))
        return 0;
    memcpy(bytes, datagram.bytes, datagram.n);
    if (esp_open(child->own_in, &packet, 1) != 1)
        return 0;
    session->last_inbound = session->now;
    ike_quick_proved(session, child->info.spi_in);
    if (!is_asking(dhcp) || !ike_dhcp_read((IkeSlice){packet.data, packet.n}, &reply) ||
        !is_answer(dhcp, reply.xid) ||
        memcmp(reply.hardware, session->config.hardware, sizeof(reply.hardware)) != 0)
        return 0;
    return take_reply(session, &reply);
}

/* ---- time ---- */

static bool renewal_is_due(const IkeSession *session)
{
    return session->dhcp.stage == IKE_DHCP_IDLE && session->dhcp.leased &&
           session->state == IKE_STATE_CONNECTED && session->now >= session->dhcp.renew_at;
}

/* RELEASE has no answer (RFC 2131, 4.4.6). */
static int advance_end(IkeSession *session)
{
    const IkeDhcp *dhcp = &session->dhcp;
    IkeChild *child = ike_child_for_dhcp(session);
    bool opening = dhcp->stage == IKE_DHCP_OPENING && ike_quick_running(session);

    if (opening && session->now < dhcp->give_up_at)
        return 0;
    int r = 0;
    if (dhcp->stage == IKE_DHCP_RELEASING && child != NULL && session->current != NULL)
        r = post(session, session->current, child);
    return r < 0 ? r : ike_session_end(session);
}

int ike_dhcp_advance(IkeSession *session)
{
    const IkeDhcp *dhcp = &session->dhcp;

    if (dhcp->ending)
        return advance_end(session);
    if (dhcp->leased && session->now >= dhcp->lease_end)
        return ike_session_fail_simply(session, IKE_REASON_TUNNEL_LOST, IKE_DETAIL_LEASE_EXPIRED);
    if (renewal_is_due(session) && session->current != NULL && !ike_quick_running(session))
        return ike_dhcp_begin(session);
    /* Its Quick Mode went with the ISAKMP SA that it was begun under. */
    if (dhcp->stage == IKE_DHCP_OPENING && !ike_quick_running(session))
        return ike_dhcp_refused(session, &(IkeFailure){.detail = IKE_DETAIL_SILENCE_LATER});
    if (is_asking(dhcp) && session->now >= dhcp->give_up_at)
        return ike_dhcp_refused(session, &(IkeFailure){.detail = IKE_DETAIL_DHCP_SILENCE});
    return is_asking(dhcp) && session->now >= dhcp->send_at ? send_question(session) : 0;
}

uint64_t ike_dhcp_deadline(const IkeSession *session)
{
    const IkeDhcp *dhcp = &session->dhcp;
    uint64_t deadline = dhcp->leased ? dhcp->lease_end : IKE_NEVER;
    uint64_t next = IKE_NEVER;

    if (dhcp->ending)
        next = dhcp->give_up_at;
    else if (is_asking(dhcp))
        next = dhcp->send_at < dhcp->give_up_at ? dhcp->send_at : dhcp->give_up_at;
    else if (dhcp->stage == IKE_DHCP_IDLE && dhcp->leased && session->current != NULL &&
             session->state == IKE_STATE_CONNECTED && !ike_quick_running(session))
        next = dhcp->renew_at;
    return next < deadline ? next : deadline;
}
