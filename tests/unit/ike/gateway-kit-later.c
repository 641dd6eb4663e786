/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted gateway behind Phase 1: Quick Mode, transactions and notifies.
 */
#undef NDEBUG
#include "gateway-kit.h"

#include "ike/proposal.h"

#include <assert.h>
#include <string.h>

/* ---- Quick Mode ---- */

/* The IDs of QM1 go back as they came, behind everything else. */
static void echo_ids(KitList *list, const IkeMessage *qm1)
{
    for (size_t i = 0; i < qm1->n; i++)
        if (qm1->payloads[i].type == IKE_PAYLOAD_ID)
            kit_list_add(list, IKE_PAYLOAD_ID, qm1->payloads[i].body.bytes,
                         qm1->payloads[i].body.n);
}

static void add_choice(KitGateway *gw, KitList *list, const IkeMessage *qm1)
{
    const IkePhase2Offer offer = {.proposals = gw->config.phase2,
                                  .n = gw->config.phase2_n,
                                  .any_pfs = true,
                                  .encapsulation = gw->marked ? IKE_ENCAPSULATION_UDP_TUNNEL
                                                              : IKE_ENCAPSULATION_TUNNEL};
    uint8_t sa[256];
    IkeWriter w = ike_writer(sa, sizeof(sa));
    IkePhase2Choice choice;
    int r = ike_phase2_choose(ike_message_find(qm1, IKE_PAYLOAD_SA)->body, &offer, &choice);

    assert(r == 0);
    ike_phase2_answer_write(&w, &choice, ++gw->last_spi);
    kit_list_add(list, IKE_PAYLOAD_SA, sa, w.n);
    if (choice.proposal.pfs == NULL)
        return;
    gw->dh = ike_dh_free(gw->dh);
    r = ike_dh_new(&gw->dh, choice.proposal.pfs);
    assert(r == 0);
    IkeSlice ke = ike_dh_public(gw->dh);
    kit_list_add(list, IKE_PAYLOAD_KE, ke.bytes, ke.n);
}

/* The last packet that is a QM1: only that opens with a fresh chain. */
static bool find_qm1(const KitGateway *gw, KitChain *chain, KitBytes *bytes, IkeMessage *qm1)
{
    for (size_t i = gw->packets_n; i-- > 0;) {
        const KitBytes *packet = &gw->packets[i];
        IkeHeader header;
        if (ike_header_read(kit_slice(packet), &header) != 0 ||
            header.exchange != IKE_EXCHANGE_QUICK)
            continue;
        kit_chain_begin(gw, chain, header.message_id);
        if (kit_open(gw, chain, packet, bytes, qm1) &&
            ike_message_find(qm1, IKE_PAYLOAD_SA) != NULL &&
            ike_message_find(qm1, IKE_PAYLOAD_ID) != NULL)
            return true;
    }
    return false;
}

bool kit_qm2(KitGateway *gw, KitChain *chain, KitList *list)
{
    static const uint8_t nonce[] = "fedcba9876543210";
    KitBytes bytes;
    IkeMessage qm1;

    list->n = 0;
    if (!find_qm1(gw, chain, &bytes, &qm1))
        return false;
    kit_keep(&chain->nonce_i, &qm1, IKE_PAYLOAD_NONCE);
    add_choice(gw, list, &qm1);
    kit_list_add(list, IKE_PAYLOAD_NONCE, nonce, sizeof(nonce) - 1);
    echo_ids(list, &qm1);
    return true;
}

bool kit_quick(KitGateway *gw)
{
    static KitList list;
    KitChain chain;

    if (!kit_qm2(gw, &chain, &list))
        return false;
    kit_forget(gw);
    int r = kit_send(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list);
    assert(r == 0);
    return true;
}

KitGateway *kit_connected(const IkeConfig *config, unsigned vendors)
{
    KitGateway *gw = kit_gateway_new(config);

    kit_phase1(gw, vendors);
    while (gw->state != IKE_STATE_CONNECTED) {
        bool asked = kit_quick(gw);
        assert(asked);
    }
    kit_forget(gw);
    return gw;
}

/* ---- transactions and notifies ---- */

void kit_config_begin(KitBytes *body, uint8_t type, uint16_t identifier)
{
    body->n = 0;
    kit_append_u8(body, type);
    kit_append_u8(body, 0);
    kit_append_u16(body, identifier);
}

void kit_config_basic(KitBytes *body, uint16_t type, uint16_t number)
{
    kit_append_u16(body, type | IKE_ATTRIBUTE_BASIC);
    kit_append_u16(body, number);
}

void kit_config_bytes(KitBytes *body, uint16_t type, const void *bytes, size_t n)
{
    kit_append_u16(body, type);
    kit_append_u16(body, (unsigned)n);
    kit_append(body, bytes, n);
}

int kit_send_config(KitGateway *gw, KitChain *chain, const KitBytes *body)
{
    static KitList list;

    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_ATTRIBUTES, body->bytes, body->n);
    return kit_send(gw, chain, IKE_EXCHANGE_TRANSACTION, IKE_HASH_1, &list);
}

int kit_answer(KitGateway *gw, const char *user, const char *password)
{
    IkeAnswer answer = {0};

    if (user != NULL)
        kit_secret(&answer.given[IKE_ASK_USER], user);
    if (password != NULL)
        kit_secret(&answer.given[IKE_ASK_PASSWORD], password);
    int r = ike_session_answer(gw->session, gw->question.id, &answer, gw->now);
    kit_collect(gw);
    return r;
}

int kit_send_notify(KitGateway *gw, uint16_t type, const void *data, size_t n)
{
    static KitList list;
    KitChain chain;
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 16);
    kit_append_u16(&body, type);
    kit_append(&body, gw->cookie_i, 8);
    kit_append(&body, gw->cookie_r, 8);
    kit_append(&body, data, n);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
    kit_chain_new(gw, &chain);
    return kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list);
}
