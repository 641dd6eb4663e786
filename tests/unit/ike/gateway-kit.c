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
        gw->phase1 = event->phase1;
        break;
    case IKE_EVENT_CARRIED:
        gw->carried = event->carried;
        break;
    case IKE_EVENT_USER:
    case IKE_EVENT_CONNECTED:
    case IKE_EVENT_PATH:
    case IKE_EVENT_STOPPED:
        break;
    }
}

/* DHCP's, which nobody here reads: it comes before the tunnel, from the session itself. */
static bool is_esp(const KitGateway *gw, const IkePacket *packet)
{
    return gw->config.config == IKE_CONFIG_DHCP && packet->to.port == IKE_PORT_NATT &&
           packet->n > 4 && memcmp(packet->bytes, "\0\0\0\0", 4) != 0;
}

void kit_collect(KitGateway *gw)
{
    IkePacket packet;
    IkeEvent event;

    while (ike_session_next_packet(gw->session, &packet)) {
        if (is_esp(gw, &packet))
            continue;
        assert(gw->packets_n < KIT_PACKETS_MAX);
        KitBytes *kept = &gw->packets[gw->packets_n];
        size_t skip = packet.to.port == IKE_PORT_NATT ? 4 : 0;
        assert(packet.n > skip && (skip == 0 || memcmp(packet.bytes, "\0\0\0\0", 4) == 0));
        kept->n = 0;
        kit_append(kept, packet.bytes + skip, packet.n - skip);
        gw->whole[gw->packets_n] = packet.whole;
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

void kit_keep(KitBytes *out, const IkeMessage *message, IkePayloadType type)
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

/* What the first transform of AM1 asks for. */
static const IkeMethod *first_method(const KitBytes *sa_i)
{
    IkeReader proposals, attributes;
    IkeProposal proposal;
    IkeTransform transform;
    IkeAttribute attribute = {0};
    bool ok = ike_sa_open(kit_slice(sa_i), &proposals) &&
              ike_proposal_read(&proposals, &proposal) &&
              ike_transform_read(&proposal.transforms, &transform);

    assert(ok);
    attributes = transform.attributes;
    while (attribute.type != IKE_P1_AUTH && ike_attribute_read(&attributes, &attribute))
        ;
    const IkeMethod *method = ike_auth_method((uint16_t)attribute.number);
    assert(method != NULL);
    return method;
}

static void take_am1(KitGateway *gw, const KitBytes *packet)
{
    IkeMessage am1;

    read_clear(packet, &am1);
    memcpy(gw->cookie_i, am1.header.cookie_i, 8);
    memcpy(gw->cookie_r, COOKIE_R, 8);
    kit_keep(&gw->sa_i, &am1, IKE_PAYLOAD_SA);
    kit_keep(&gw->id_i, &am1, IKE_PAYLOAD_ID);
    kit_keep(&gw->ke_i, &am1, IKE_PAYLOAD_KE);
    kit_keep(&gw->nonce_i, &am1, IKE_PAYLOAD_NONCE);
    gw->method = first_method(&gw->sa_i);
}

void kit_renew(KitGateway *gw)
{
    const KitBytes *am1 = kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);

    assert(am1 != NULL && (am1->bytes[19] & IKE_FLAG_ENCRYPTION) == 0);
    take_am1(gw, am1);
    kit_forget(gw);
}

KitGateway *kit_gateway_new(const IkeConfig *config)
{
    KitGateway *gw = calloc(1, sizeof(*gw));

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
    take_am1(gw, &gw->packets[0]);
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

/* What the list says now; `secret` is filled. */
static IkePhase1Material material_of(KitGateway *gw, KitList *list, uint8_t *secret)
{
    const IkeConfig *config = &gw->config;
    IkePhase1Material material = {
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
    ike_auth_bind(gw->method, &material);
    gw->keys.cipher = config->phase1[0].cipher;
    gw->keys.hash = config->phase1[0].hash;
    r = ike_keys_derive(&gw->keys, &material);
    assert(r == 0);
    return material;
}

static size_t hash_size(const KitGateway *gw, const IkePhase1Material *material)
{
    return material->auth_hash != NULL ? material->auth_hash->size : gw->keys.hash->size;
}

size_t kit_hash_i(KitGateway *gw, KitList *am2, uint8_t *hash)
{
    uint8_t secret[IKE_DH_MAX];
    const IkePhase1Material material = material_of(gw, am2, secret);
    int r = ike_auth_hash_i(&gw->keys, &material, hash);

    assert(r == 0);
    return hash_size(gw, &material);
}

void kit_am2_sign(KitGateway *gw, KitList *list)
{
    uint8_t secret[IKE_DH_MAX], hash[IKE_HASH_MAX];
    const IkePhase1Material material = material_of(gw, list, secret);
    const uint8_t type = gw->method->gateway_signs ? IKE_PAYLOAD_SIG : IKE_PAYLOAD_HASH;
    KitBytes proof = {.n = hash_size(gw, &material)};
    int r = ike_auth_hash_r(&gw->keys, &material, hash);

    assert(r == 0);
    memcpy(proof.bytes, hash, proof.n);
    if (gw->method->gateway_signs)
        kit_sign(gw->chain[0]->key, hash, hash_size(gw, &material), &proof);
    KitPayload *payload = kit_list_find(list, type);
    if (payload == NULL)
        payload = kit_list_add(list, type, proof.bytes, proof.n);
    memcpy(payload->bytes, proof.bytes, proof.n);
    payload->n = proof.n;
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
    const IkePhase1Offer offer = {config->phase1,      1, config->phase1[0].group,
                                  &gw->method->number, 1, config->phase1_lifetime};
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
    for (size_t i = 0; i < gw->chain_n; i++) {
        KitBytes body = {0};
        kit_append_u8(&body, IKE_CERT_X509_SIGNATURE);
        kit_append(&body, gw->chain[i]->der.bytes, gw->chain[i]->der.n);
        kit_list_add(list, IKE_PAYLOAD_CERT, body.bytes, body.n);
    }
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

int kit_show(KitGateway *gw, const KitList *list)
{
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, list, &gw->am2);
    return kit_deliver(gw, &gw->am2);
}

int kit_answer_signature(KitGateway *gw, EVP_PKEY *key)
{
    KitBytes signature;

    kit_sign(key, gw->signing.bytes, gw->signing.n, &signature);
    uint8_t *exact = kit_exact(signature.bytes, signature.n);
    int r = ike_session_answer_signature(gw->session, gw->signing.id, exact, signature.n, gw->now);
    free(exact);
    kit_collect(gw);
    return r;
}

bool kit_am3(KitGateway *gw, KitBytes *bytes, IkeMessage *message)
{
    const KitBytes *am3 = kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    KitChain chain = {0};

    if (am3 == NULL || (am3->bytes[19] & IKE_FLAG_ENCRYPTION) == 0)
        return false;
    memcpy(chain.iv, gw->keys.iv, sizeof(chain.iv));
    bool ok = kit_open(gw, &chain, am3, bytes, message);
    take_am3(gw);
    return ok;
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
