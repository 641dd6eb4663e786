/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway to be scripted by hand, for conversations in which every byte is the test's: what it
 * says is a list of payloads that the test may change before it is sent. */
#ifndef TESTS_UNIT_IKE_GATEWAY_KIT_H
#define TESTS_UNIT_IKE_GATEWAY_KIT_H

#include "ike/auth.h"
#include "ike/dh.h"
#include "ike/exchange.h"
#include "ike/ike.h"
#include "ike/keymat.h"
#include "ike/message.h"

#include "cert-kit.h"
#include "core-kit.h"

enum { KIT_LIST_MAX = 80, KIT_PACKETS_MAX = 96, KIT_CHAIN_MAX = 4 };

typedef struct KitPayload {
    uint8_t type;
    size_t n;
    uint8_t bytes[2048];
} KitPayload;

typedef struct KitList {
    size_t n;
    KitPayload items[KIT_LIST_MAX];
} KitList;

KitPayload *kit_list_add(KitList *list, uint8_t type, const void *bytes, size_t n);
KitPayload *kit_list_find(KitList *list, uint8_t type);

/* One exchange under the ISAKMP SA: its message ID and its chain of IVs. */
typedef struct KitChain {
    uint32_t id;
    uint8_t iv[16];
    KitBytes nonce_i, nonce_r;
} KitChain;

typedef struct KitGateway {
    IkeSession *session;
    IkeConfig config;
    KitDice dice;
    uint64_t now;
    bool marked;
    IkeDh *dh;
    IkeKeys keys;
    /* with certificates: what it shows, its own first, and whether it signs */
    const KitCert *chain[KIT_CHAIN_MAX];
    size_t chain_n;
    const IkeMethod *method;
    uint8_t cookie_i[8], cookie_r[8];
    uint32_t last_id, last_spi;
    KitBytes sa_i, id_i, ke_i, nonce_i, am2;
    /* what came out of the session since it was last forgotten */
    KitBytes packets[KIT_PACKETS_MAX];
    uint16_t ports[KIT_PACKETS_MAX];
    bool whole[KIT_PACKETS_MAX];
    size_t carried;
    size_t packets_n;
    unsigned events[IKE_EVENT_STOPPED + 1];
    IkeState state;
    IkeFailure failure;
    IkeQuestion question;
    char message[IKE_TEXT_MAX];
    IkeSigning signing;
    IkePhase1Info phase1;
    IkeInnerConfig inner;
    IkeSaInfo in, out, gone;
} KitGateway;

/* A session under `config`, started; its AM1 is read. */
KitGateway *kit_gateway_new(const IkeConfig *config);
KitGateway *kit_gateway_free(KitGateway *gw);
/* The session has begun a new Phase 1 by itself: its AM1 is read. */
void kit_renew(KitGateway *gw);
/* Takes packets and events out of the session. */
void kit_collect(KitGateway *gw);
void kit_forget(KitGateway *gw);

/* A datagram, from a buffer of exactly its size. */
int kit_deliver(KitGateway *gw, const KitBytes *datagram);
int kit_tick(KitGateway *gw, uint64_t now);
/* Ticks at every deadline until `now`, at most `most` times; returns how often. */
unsigned kit_pass_time(KitGateway *gw, uint64_t now, unsigned most);

/* Messages in the clear and under the SA. `protection` says which HASH stands first. */
void kit_encode(const KitGateway *gw, IkeExchangeType exchange, const KitList *list, KitBytes *out);
void kit_chain_begin(const KitGateway *gw, KitChain *chain, uint32_t id);
void kit_chain_new(KitGateway *gw, KitChain *chain);
void kit_seal(const KitGateway *gw, KitChain *chain, IkeExchangeType exchange,
              IkeProtection protection, const KitList *list, KitBytes *out);
int kit_send(KitGateway *gw, KitChain *chain, IkeExchangeType exchange, IkeProtection protection,
             const KitList *list);
/* The message that stands in a packet of the session's, decrypted into `bytes`. */
bool kit_open(const KitGateway *gw, KitChain *chain, const KitBytes *packet, KitBytes *bytes,
              IkeMessage *message);
/* The last packet of an exchange type, or NULL. */
const KitBytes *kit_last_packet(const KitGateway *gw, IkeExchangeType exchange);
size_t kit_count_packets(const KitGateway *gw, IkeExchangeType exchange);

/* AM2 as it should be, ready to be changed; keys are derived. */
void kit_am2(KitGateway *gw, KitList *list, unsigned vendors);
/* HASH_R, or SIG_R, of what the list says now. */
void kit_am2_sign(KitGateway *gw, KitList *list);
/* AM2 and AM3: the gateway's keys stand. */
void kit_phase1(KitGateway *gw, unsigned vendors);
/* AM2 of a gateway with certificates: what comes next is the session's wish for a signature. */
int kit_show(KitGateway *gw, const KitList *list);
/* The answer to that, by this key. */
int kit_answer_signature(KitGateway *gw, EVP_PKEY *key);
/* AM3, opened; the gateway's keys stand. False where none came. */
bool kit_am3(KitGateway *gw, KitBytes *bytes, IkeMessage *message);
/* HASH_I as the gateway computes it; its size. */
size_t kit_hash_i(KitGateway *gw, KitList *am2, uint8_t *hash);
/* The body of a payload; empty where there is none. */
void kit_keep(KitBytes *out, const IkeMessage *message, IkePayloadType type);
/* Answers the first Quick Mode that waits, as QM2 for the list to be changed. */
bool kit_qm2(KitGateway *gw, KitChain *chain, KitList *list);
bool kit_quick(KitGateway *gw);
/* All of it, to IKE_STATE_CONNECTED. */
KitGateway *kit_connected(const IkeConfig *config, unsigned vendors);

/* The body of a payload of attributes. */
void kit_config_begin(KitBytes *body, uint8_t type, uint16_t identifier);
void kit_config_basic(KitBytes *body, uint16_t type, uint16_t number);
void kit_config_bytes(KitBytes *body, uint16_t type, const void *bytes, size_t n);
int kit_send_config(KitGateway *gw, KitChain *chain, const KitBytes *body);
/* The session's last question, answered by a user's name and a password; NULL: not known. */
int kit_answer(KitGateway *gw, const char *user, const char *password);
int kit_send_notify(KitGateway *gw, uint16_t type, const void *data, size_t n);

#endif
