/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted gateway. It computes with the core's own functions, so it can't tell whether those
 * are right (vectors and the simulator do that): it is here to say wrong things at the right time.
 */
#undef NDEBUG
#include "gateway-kit.h"

#include "ike/message-crypt.h"
#include "ike/payload-notify.h"
#include "ike/proposal.h"
#include "ike/vendor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t COOKIE_R[8] = {0xc0, 1, 2, 3, 4, 5, 6, 7};

KitPayload *kit_list_add(KitList *list, uint8_t type, const void *bytes, size_t n)
{
    KitPayload *payload = &list->items[list->n++];

    assert(list->n <= KIT_LIST_MAX && n <= sizeof(payload->bytes));
    payload->type = type;
    payload->n = n;
    if (n > 0)
        memcpy(payload->bytes, bytes, n);
    return payload;
}

KitPayload *kit_list_find(KitList *list, uint8_t type)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].type == type)
            return &list->items[i];
    return NULL;
}

/* ---- what comes out of the session ---- */

static void take_event(KitGateway *gw, const IkeEvent *event)
{
    gw->events[event->type]++;
    switch (event->type) {
    case IKE_EVENT_STATE:
        gw->state = event->state;
        break;
    case IKE_EVENT_QUESTION:
        gw->question = event->question;
        break;
    case IKE_EVENT_MESSAGE:
        memcpy(gw->message, event->message, sizeof(gw->message));
        break;
    case IKE_EVENT_SIGN:
        gw->signing = event->signing;
        break;
    case IKE_EVENT_CONFIG:
        gw->inner = event->config;
        break;
    case IKE_EVENT_SA_IN:
        gw->in = event->sa;
        esp_sa_free(event->esp);
        break;
    case IKE_EVENT_SA_OUT:
        gw->out = event->sa;
        esp_sa_free(event->esp);
        break;
    case IKE_EVENT_SA_GONE:
        gw->gone = event->sa;
        break;
    case IKE_EVENT_FAILED:
    case IKE_EVENT_LOST:
    case IKE_EVENT_NOTICE:
        gw->failure = event->failure;
        break;
    case IKE_EVENT_PHASE1:
    case IKE_EVENT_USER:
    case IKE_EVENT_CONNECTED:
    case IKE_EVENT_PATH:
    case IKE_EVENT_STOPPED:
        break;
    }
}

void kit_collect(KitGateway *gw)
{
    IkePacket packet;
    IkeEvent event;

    while (ike_session_next_packet(gw->session, &packet)) {
        assert(gw->packets_n < KIT_PACKETS_MAX);
        KitBytes *kept = &gw->packets[gw->packets_n];
        size_t skip = packet.to.port == IKE_PORT_NATT ? 4 : 0;
        assert(packet.n > skip && (skip == 0 || memcmp(packet.bytes, "\0\0\0\0", 4) == 0));
        kept->n = 0;
        kit_append(kept, packet.bytes + skip, packet.n - skip);
        gw->ports[gw->packets_n++] = packet.to.port;
    }
    while (ike_session_next_event(gw->session, &event))
        take_event(gw, &event);
}

void kit_forget(KitGateway *gw)
{
    gw->packets_n = 0;
    memset(gw->events, 0, sizeof(gw->events));
    memset(&gw->failure, 0, sizeof(gw->failure));
}

int kit_deliver(KitGateway *gw, const KitBytes *datagram)
{
    static const uint8_t marker[4] = {0};
    const IkeAddress from = {4, {192, 0, 2, 1}, gw->marked ? IKE_PORT_NATT : IKE_PORT};
    KitBytes whole = {0};

    kit_append(&whole, marker, gw->marked ? 4 : 0);
    kit_append(&whole, datagram->bytes, datagram->n);
    uint8_t *exact = kit_exact(whole.bytes, whole.n);
    int r = ike_session_receive(gw->session, exact, whole.n, from, gw->now);
    free(exact);
    kit_collect(gw);
    return r;
}

int kit_tick(KitGateway *gw, uint64_t now)
{
    gw->now = now;
    int r = ike_session_tick(gw->session, now);
    kit_collect(gw);
    return r;
}

unsigned kit_pass_time(KitGateway *gw, uint64_t now, unsigned most)
{
    unsigned ticks = 0;

    while (ike_session_deadline(gw->session) <= now && ticks < most) {
        uint64_t deadline = ike_session_deadline(gw->session);
        (void)kit_tick(gw, deadline > gw->now ? deadline : gw->now);
        ticks++;
    }
    gw->now = now;
    return ticks;
}

const KitBytes *kit_last_packet(const KitGateway *gw, IkeExchangeType exchange)
{
    for (size_t i = gw->packets_n; i-- > 0;)
        if (gw->packets[i].bytes[18] == exchange)
            return &gw->packets[i];
    return NULL;
}

size_t kit_count_packets(const KitGateway *gw, IkeExchangeType exchange)
{
    size_t count = 0;

    for (size_t i = 0; i < gw->packets_n; i++)
        count += gw->packets[i].bytes[18] == exchange;
    return count;
}

/* ---- messages ---- */

static void read_clear(const KitBytes *packet, IkeMessage *message)
{
    IkeHeader header;
    int r = ike_header_read(kit_slice(packet), &header);

    assert(r == 0);
    r = ike_payloads_read(
        &header, (IkeSlice){packet->bytes + IKE_HEADER_SIZE, packet->n - IKE_HEADER_SIZE}, message);
    assert(r == 0);
}

static void keep(KitBytes *out, const IkeMessage *message, IkePayloadType type)
{
    const IkePayload *payload = ike_message_find(message, type);

    out->n = 0;
    if (payload != NULL)
        kit_append(out, payload->body.bytes, payload->body.n);
}

static IkeHeader header_of(const KitGateway *gw, IkeExchangeType exchange, uint32_t id)
{
    IkeHeader header = {.exchange = (uint8_t)exchange, .message_id = id};

    memcpy(header.cookie_i, gw->cookie_i, 8);
    memcpy(header.cookie_r, gw->cookie_r, 8);
    return header;
}

static void add_list(IkeBuilder *builder, const KitList *list)
{
    for (size_t i = 0; i < list->n; i++)
        ike_builder_add(builder, (IkePayloadType)list->items[i].type,
                        (IkeSlice){list->items[i].bytes, list->items[i].n});
}

void kit_encode(const KitGateway *gw, IkeExchangeType exchange, const KitList *list, KitBytes *out)
{
    const IkeHeader header = header_of(gw, exchange, 0);
    IkeBuilder builder;

    ike_builder_begin(&builder, out->bytes, sizeof(out->bytes), &header);
    add_list(&builder, list);
    ike_builder_end(&builder);
    assert(ike_writer_ok(&builder.writer));
    out->n = builder.writer.n;
}

void kit_chain_begin(const KitGateway *gw, KitChain *chain, uint32_t id)
{
    chain->id = id;
    chain->nonce_i.n = chain->nonce_r.n = 0;
    int r = ike_keys_message_iv(&gw->keys, id, chain->iv);
    assert(r == 0);
}

void kit_chain_new(KitGateway *gw, KitChain *chain)
{
    kit_chain_begin(gw, chain, ++gw->last_id);
}

static IkeMessageHash hash_parts(const KitChain *chain, IkeProtection protection)
{
    IkeMessageHash parts = {.message_id = chain->id, .zero = protection == IKE_HASH_3};

    if (protection != IKE_HASH_1)
        parts.nonce_i = kit_slice(&chain->nonce_i);
    if (protection == IKE_HASH_3)
        parts.nonce_r = kit_slice(&chain->nonce_r);
    return parts;
}

void kit_seal(const KitGateway *gw, KitChain *chain, IkeExchangeType exchange,
              IkeProtection protection, const KitList *list, KitBytes *out)
{
    const IkeHeader header = header_of(gw, exchange, chain->id);
    const size_t behind = IKE_HEADER_SIZE + IKE_PAYLOAD_HEADER_SIZE + gw->keys.hash->size;
    uint8_t hash[IKE_HASH_MAX] = {0};
    IkeBuilder builder;

    ike_builder_begin(&builder, out->bytes, sizeof(out->bytes), &header);
    ike_builder_add(&builder, IKE_PAYLOAD_HASH, (IkeSlice){hash, gw->keys.hash->size});
    add_list(&builder, list);
    IkeMessageHash parts = hash_parts(chain, protection);
    if (protection != IKE_HASH_3)
        parts.rest = ike_writer_slice(&builder.writer, behind);
    int r =
        ike_message_hash(&gw->keys, &parts, out->bytes + IKE_HEADER_SIZE + IKE_PAYLOAD_HEADER_SIZE);
    assert(r == 0);
    r = ike_message_encrypt(&gw->keys, chain->iv, &builder);
    assert(r == 0);
    out->n = builder.writer.n;
}

int kit_send(KitGateway *gw, KitChain *chain, IkeExchangeType exchange, IkeProtection protection,
             const KitList *list)
{
    KitBytes datagram;

    kit_seal(gw, chain, exchange, protection, list, &datagram);
    return kit_deliver(gw, &datagram);
}

bool kit_open(const KitGateway *gw, KitChain *chain, const KitBytes *packet, KitBytes *bytes,
              IkeMessage *message)
{
    IkeHeader header;

    if (ike_header_read(kit_slice(packet), &header) != 0 || packet->n == IKE_HEADER_SIZE)
        return false;
    bytes->n = 0;
    kit_append(bytes, packet->bytes + IKE_HEADER_SIZE, packet->n - IKE_HEADER_SIZE);
    if (ike_message_decrypt(&gw->keys, chain->iv, bytes->bytes, bytes->n) != 0)
        return false;
    return ike_payloads_read(&header, kit_slice(bytes), message) == 0;
}

/* ---- Phase 1 ---- */

KitGateway *kit_gateway_new(const IkeConfig *config)
{
    KitGateway *gw = calloc(1, sizeof(*gw));
    IkeMessage am1;

    assert(gw != NULL);
    gw->config = *config;
    gw->dice.state = 0x9e3779b97f4a7c15;
    gw->now = 1000 * IKE_SECOND;
    gw->last_id = 0x51000000;
    gw->last_spi = 0x52000000;
    int r = ike_session_new(&gw->session, config, kit_random, &gw->dice);
    assert(r == 0);
    r = ike_session_start(gw->session, gw->now);
    assert(r == 0);
    kit_collect(gw);
    assert(gw->packets_n == 1);
    read_clear(&gw->packets[0], &am1);
    memcpy(gw->cookie_i, am1.header.cookie_i, 8);
    memcpy(gw->cookie_r, COOKIE_R, 8);
    keep(&gw->sa_i, &am1, IKE_PAYLOAD_SA);
    keep(&gw->id_i, &am1, IKE_PAYLOAD_ID);
    keep(&gw->ke_i, &am1, IKE_PAYLOAD_KE);
    keep(&gw->nonce_i, &am1, IKE_PAYLOAD_NONCE);
    kit_forget(gw);
    return gw;
}

KitGateway *kit_gateway_free(KitGateway *gw)
{
    ike_session_free(gw->session);
    ike_dh_free(gw->dh);
    free(gw);
    return NULL;
}

static IkeSlice body_of(KitList *list, IkePayloadType type)
{
    const KitPayload *payload = kit_list_find(list, (uint8_t)type);

    return payload != NULL ? (IkeSlice){payload->bytes, payload->n} : (IkeSlice){NULL, 0};
}

void kit_am2_sign(KitGateway *gw, KitList *list)
{
    uint8_t secret[IKE_DH_MAX], hash[IKE_HASH_MAX];
    const IkeConfig *config = &gw->config;
    const IkePhase1Material material = {
        .cookie_i = {gw->cookie_i, 8},
        .cookie_r = {gw->cookie_r, 8},
        .public_i = kit_slice(&gw->ke_i),
        .public_r = body_of(list, IKE_PAYLOAD_KE),
        .nonce_i = kit_slice(&gw->nonce_i),
        .nonce_r = body_of(list, IKE_PAYLOAD_NONCE),
        .sa_i = kit_slice(&gw->sa_i),
        .id_i = kit_slice(&gw->id_i),
        .id_r = body_of(list, IKE_PAYLOAD_ID),
        .secret = {secret, config->phase1[0].group->secret_size},
        .psk = {config->psk.bytes, config->psk.n},
    };
    int r = ike_dh_derive(gw->dh, kit_slice(&gw->ke_i), secret);

    assert(r == 0);
    gw->keys.cipher = config->phase1[0].cipher;
    gw->keys.hash = config->phase1[0].hash;
    r = ike_keys_derive(&gw->keys, &material);
    assert(r == 0);
    r = ike_auth_hash_r(&gw->keys, &material, hash);
    assert(r == 0);
    KitPayload *payload = kit_list_find(list, IKE_PAYLOAD_HASH);
    if (payload == NULL)
        payload = kit_list_add(list, IKE_PAYLOAD_HASH, hash, gw->keys.hash->size);
    memcpy(payload->bytes, hash, gw->keys.hash->size);
    payload->n = gw->keys.hash->size;
}

static void add_vendors(KitList *list, unsigned vendors)
{
    uint8_t bytes[1024];
    const IkeHeader header = {0};
    IkeBuilder builder;
    IkeMessage message;
    IkeHeader read;

    if (vendors == 0)
        return;
    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    ike_vendor_add(&builder, vendors);
    ike_builder_end(&builder);
    int r = ike_header_read((IkeSlice){bytes, builder.writer.n}, &read);
    assert(r == 0);
    r = ike_payloads_read(&read, ike_writer_slice(&builder.writer, IKE_HEADER_SIZE), &message);
    assert(r == 0);
    for (size_t i = 0; i < message.n; i++)
        kit_list_add(list, IKE_PAYLOAD_VENDOR, message.payloads[i].body.bytes,
                     message.payloads[i].body.n);
}

void kit_am2(KitGateway *gw, KitList *list, unsigned vendors)
{
    static const uint8_t id[] = "\x02\0\0\0gw.example.com", nonce[] = "0123456789abcdef";
    const IkeConfig *config = &gw->config;
    uint16_t method = config->xauth == IKE_XAUTH_REQUIRED ||
                              (config->xauth == IKE_XAUTH_AUTO && config->user.known)
                          ? IKE_METHOD_XAUTH_INIT_PSK
                          : IKE_METHOD_PSK;
    const IkePhase1Offer offer = {config->phase1, 1, config->phase1[0].group,
                                  &method,        1, config->phase1_lifetime};
    uint8_t sa[256];
    IkeWriter w = ike_writer(sa, sizeof(sa));

    list->n = 0;
    gw->dh = ike_dh_free(gw->dh);
    int r = ike_dh_new(&gw->dh, config->phase1[0].group);
    assert(r == 0);
    ike_phase1_offer_write(&w, &offer);
    kit_list_add(list, IKE_PAYLOAD_SA, sa, w.n);
    IkeSlice ke = ike_dh_public(gw->dh);
    kit_list_add(list, IKE_PAYLOAD_KE, ke.bytes, ke.n);
    kit_list_add(list, IKE_PAYLOAD_NONCE, nonce, sizeof(nonce) - 1);
    kit_list_add(list, IKE_PAYLOAD_ID, id, sizeof(id) - 1);
    kit_am2_sign(gw, list);
    add_vendors(list, vendors);
}

/* What AM3 leaves behind: its last block begins all later chains, and ESP's port is used. */
static void take_am3(KitGateway *gw)
{
    const KitBytes *am3 = kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    size_t block = gw->keys.cipher->block_size;

    assert(am3 != NULL && (am3->bytes[19] & IKE_FLAG_ENCRYPTION) != 0);
    memcpy(gw->keys.iv, am3->bytes + am3->n - block, block);
    gw->marked = gw->ports[am3 - gw->packets] == IKE_PORT_NATT;
}

void kit_phase1(KitGateway *gw, unsigned vendors)
{
    static KitList list;

    kit_am2(gw, &list, vendors);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &gw->am2);
    int r = kit_deliver(gw, &gw->am2);
    assert(r == 0);
    take_am3(gw);
}

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
    keep(&chain->nonce_i, &qm1, IKE_PAYLOAD_NONCE);
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
