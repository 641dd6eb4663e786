/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config (draft-ietf-ipsec-isakmp-mode-cfg-05), both directions:
 *
 *   pull: -> REQUEST   <- REPLY     begun by us
 *   push: <- SET       -> ACK       begun by the gateway
 *
 * Whatever the gateway begins runs through one script, for a SET may carry addresses, the status of
 * XAUTH, or both, and gateways differ in the order.
 */
#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what both directions share ---- */

static int announce_inner(IkeSession *session)
{
    IkeEvent event = {.type = IKE_EVENT_CONFIG, .config = session->inner};

    return ike_session_emit(session, &event);
}

static bool same_address(const IkeAddress *a, const IkeAddress *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* False: the message says nothing about the inner network. */
static bool add_to(IkeInnerConfig *inner, const IkeConfigMessage *message)
{
    IkeReader r = message->attributes;
    IkeAttribute attribute;
    bool any = false;

    while (ike_config_attribute_read(&r, &attribute))
        any |= ike_inner_config_take(inner, &attribute);
    return any;
}

/* Some gateways spread it over several messages, in any order: what comes under one SA belongs
 * together until an address comes anew, and without an address it adds to what is known. */
static bool collect(const IkeSession *session, IkeIsakmpSa *sa, const IkeConfigMessage *message,
                    IkeInnerConfig *inner)
{
    IkeInnerConfig alone = {0};

    if (!add_to(&alone, message))
        return false;
    if (ike_inner_has_address(&alone) && ike_inner_has_address(&sa->told))
        sa->told = alone;
    else
        (void)add_to(&sa->told, message);
    *inner = sa->told;
    if (ike_inner_has_address(inner))
        return true;
    *inner = session->inner;
    (void)add_to(inner, message);
    return ike_inner_has_address(inner);
}

/* Under a tunnel that stands, an address of one family takes nothing from the other: without one
 * its SAs could not be renewed. */
static void keep_families(IkeInnerConfig *inner, const IkeInnerConfig *known)
{
    if (inner->address.family == 0) {
        inner->address = known->address;
        inner->prefix = known->prefix;
    }
    if (inner->address6.family == 0)
        inner->address6 = known->address6;
}

int ike_config_adopt(IkeSession *session, const IkeInnerConfig *inner)
{
    if (session->inner_known && memcmp(inner, &session->inner, sizeof(*inner)) == 0)
        return 0;
    /* The SAs that stand carry packets of the old address only. */
    if (session->inner_known && (!same_address(&inner->address, &session->inner.address) ||
                                 !same_address(&inner->address6, &session->inner.address6)))
        ike_child_renew_all(session);
    /* Said once: it ends on somebody's terminal. */
    bool cut = inner->networks_cut && !session->cut_told;
    session->cut_told |= cut;
    session->inner = *inner;
    session->inner_known = true;
    int r = announce_inner(session);
    if (r == 0 && cut)
        r = ike_session_notice(session, IKE_DETAIL_NETWORKS_CUT, 0);
    return r;
}

int ike_config_take_inner(IkeSession *session, IkeIsakmpSa *sa, const IkeConfigMessage *message)
{
    IkeInnerConfig inner;

    /* An address beside the lease would be another one. */
    if (session->config.config == IKE_CONFIG_DHCP || !collect(session, sa, message, &inner))
        return 0;
    if (session->inner_known)
        keep_families(&inner, &session->inner);
    sa->config_done = true;
    sa->pull_at = IKE_NEVER;
    if (inner.expires != 0)
        session->address_renew_at =
            session->now + ike_policy_renewal(ike_policy_lifetime(UINT32_MAX, inner.expires));
    return ike_config_adopt(session, &inner);
}

/* ---- pull ---- */

typedef struct Pull {
    uint16_t identifier;
} Pull;

/* Only a profile with IPv6 networks asks for IPv6: not every gateway passes over what it does not
 * know. */
static void ask_for_ipv6(const IkeSession *session, IkeWriter *w)
{
    const IkeConfig *config = &session->config;
    const IkeAddress *had = session->inner_known ? &session->inner.address6 : &config->address6;
    bool wanted = false;

    for (size_t i = 0; i < config->networks_n; i++)
        wanted = wanted || config->networks[i].family == 6;
    if (!wanted)
        return;
    ike_attribute_write_bytes(w, IKE_CONFIG_IP6_ADDRESS,
                              (IkeSlice){had->bytes, had->family == 6 ? 16 : 0});
    ike_attribute_write_bytes(w, IKE_CONFIG_IP6_DNS, (IkeSlice){NULL, 0});
}

static int build_request(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    static const uint16_t wanted[] = {
        IKE_CONFIG_IP4_NETMASK,   IKE_CONFIG_IP4_DNS,
        IKE_CONFIG_IP4_NBNS,      IKE_CONFIG_ADDRESS_EXPIRY,
        IKE_UNITY_BANNER,         IKE_UNITY_DEFAULT_DOMAIN,
        IKE_UNITY_SPLIT_DNS,      IKE_UNITY_SPLIT_INCLUDE,
        IKE_UNITY_LOCAL_LAN,      IKE_UNITY_PFS,
        IKE_UNITY_BACKUP_SERVERS, IKE_UNITY_SAVE_PASSWORD,
    };
    const Pull *pull = x->data;
    /* The address that we had is asked for again, so that connections inside survive. */
    const IkeAddress *had =
        session->inner_known ? &session->inner.address : &session->config.address;
    size_t start = ike_config_open(builder, IKE_CONFIG_REQUEST, pull->identifier);
    IkeWriter *w = &builder->writer;

    ike_attribute_write_bytes(w, IKE_CONFIG_IP4_ADDRESS,
                              (IkeSlice){had->bytes, had->family == 4 ? 4 : 0});
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        ike_attribute_write_bytes(w, wanted[i], (IkeSlice){NULL, 0});
    ask_for_ipv6(session, w);
    ike_builder_close(builder, start);
    return 0;
}

static int consume_reply(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    const Pull *pull = x->data;
    IkeConfigMessage reply;
    const IkePayload *payload = ike_message_find(message, IKE_PAYLOAD_ATTRIBUTES);

    if (!ike_config_read(payload->body, &reply) || reply.type != IKE_CONFIG_REPLY ||
        reply.identifier != pull->identifier || !ike_config_well_formed(&reply))
        return IKE_IGNORED;
    int r = ike_config_take_inner(session, x->sa, &reply);
    if (r < 0)
        return r;
    if (!session->inner_known)
        r = ike_session_fail_simply(session, IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_ADDRESS);
    x->sa->config_done = true;
    return r < 0 ? r : IKE_ACCEPTED;
}

static int pull_expired(IkeSession *session, IkeExchange *x)
{
    if (x->sa->config_done)
        return 0;
    if (x->sa->renewal) {
        x->sa->config_done = true; /* the address that we have goes on */
        return 0;
    }
    return ike_session_fail_simply(session, IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_SILENCE_LATER);
}

static const IkeStep PULL_STEPS[] = {
    {.direction = IKE_SEND, .protection = IKE_HASH_1, .build = build_request},
    {.direction = IKE_RECEIVE,
     .protection = IKE_HASH_1,
     .required = IKE_SET(IKE_PAYLOAD_ATTRIBUTES),
     .consume = consume_reply},
};

const IkeScript IKE_SCRIPT_PULL = {
    .type = IKE_EXCHANGE_TRANSACTION,
    .steps = PULL_STEPS,
    .steps_n = 2,
    .budget = IKE_ANSWER_BUDGET,
    .expired = pull_expired,
    .free_data = free,
};

int ike_config_pull(IkeSession *session, IkeIsakmpSa *sa)
{
    Pull *pull = calloc(1, sizeof(*pull));
    uint32_t id = ike_exchange_new_id(session);

    if (pull == NULL || id == 0) {
        free(pull);
        return -ENOMEM;
    }
    pull->identifier = (uint16_t)(id ^ id >> 16);
    sa->pull_at = IKE_NEVER;
    IkeExchange *x = ike_exchange_new(session, &IKE_SCRIPT_PULL, sa, id, pull);
    return x != NULL ? ike_exchange_run(session, x) : -EAGAIN;
}

/* ---- begun by the gateway: SET, and the REQUEST of XAUTH ---- */

static void remember_types(IkeTransaction *t, const IkeConfigMessage *message)
{
    IkeReader r = message->attributes;
    IkeAttribute attribute;

    t->types_n = 0;
    while (ike_config_attribute_read(&r, &attribute) && t->types_n < IKE_TRANSACTION_TYPES_MAX)
        t->types[t->types_n++] = attribute.type;
}

static int consume_set(IkeSession *session, IkeExchange *x, const IkeConfigMessage *message)
{
    IkeReader r = message->attributes;
    IkeAttribute attribute;
    char text[IKE_TEXT_MAX] = "";
    uint32_t status = 0;
    bool has_status = false, has_address = false;

    while (ike_config_attribute_read(&r, &attribute)) {
        if (attribute.type == IKE_XAUTH_STATUS)
            has_status = ike_attribute_number(&attribute, &status);
        else if (attribute.type == IKE_CONFIG_IP4_ADDRESS ||
                 attribute.type == IKE_CONFIG_IP6_ADDRESS)
            has_address = true;
        else if (attribute.type == IKE_XAUTH_MESSAGE)
            ike_text_copy(text, sizeof(text), attribute.value);
    }
    int error = ike_config_take_inner(session, x->sa, message);
    if (error == 0 && has_address && session->inner_known)
        session->pushed = true;
    if (error == 0 && has_status)
        error = ike_xauth_status(session, x->sa, status == 1, text);
    return error < 0 ? error : IKE_ACCEPTED;
}

static int consume_transaction(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    IkeTransaction *t = x->data;
    IkeConfigMessage config;
    const IkePayload *payload = ike_message_find(message, IKE_PAYLOAD_ATTRIBUTES);

    if (!ike_config_read(payload->body, &config) || !ike_config_well_formed(&config) ||
        (config.type != IKE_CONFIG_SET && config.type != IKE_CONFIG_REQUEST))
        return IKE_IGNORED;
    /* Gateways repeat themselves after seconds; while a user waits, we do sooner. */
    x->confirm = x->sa->stage != IKE_STAGE_READY;
    t->answer = config.type == IKE_CONFIG_SET ? IKE_CONFIG_ACK : IKE_CONFIG_REPLY;
    t->identifier = config.identifier;
    remember_types(t, &config);
    if (config.type == IKE_CONFIG_SET)
        return consume_set(session, x, &config);
    return ike_xauth_request(session, x, &config);
}

/* The ACK has the attributes of the SET, each empty (mode-cfg, 3.3). */
static int build_answer(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    IkeTransaction *t = x->data;
    size_t start = ike_config_open(builder, t->answer, t->identifier);

    if (t->answer == IKE_CONFIG_REPLY)
        ike_xauth_write_reply(t, &builder->writer);
    /* What is repeated is the datagram; the words are needed by nobody. */
    ike_wipe(&t->given, sizeof(t->given));
    for (size_t i = 0; t->answer == IKE_CONFIG_ACK && i < t->types_n; i++)
        ike_attribute_write_bytes(&builder->writer, t->types[i], (IkeSlice){NULL, 0});
    ike_builder_close(builder, start);
    return 0;
}

static void free_transaction(void *data)
{
    if (data != NULL)
        ike_wipe(data, sizeof(IkeTransaction));
    free(data);
}

static const IkeStep TRANSACTION_STEPS[] = {
    {.direction = IKE_RECEIVE,
     .protection = IKE_HASH_1,
     .required = IKE_SET(IKE_PAYLOAD_ATTRIBUTES),
     .consume = consume_transaction},
    {.direction = IKE_SEND, .protection = IKE_HASH_1, .build = build_answer},
};

const IkeScript IKE_SCRIPT_TRANSACTION = {
    .type = IKE_EXCHANGE_TRANSACTION,
    .steps = TRANSACTION_STEPS,
    .steps_n = 2,
    .repeats = true,
    .free_data = free_transaction,
};
