/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exchange runner. An exchange is a script: a const table of steps, each a message that is sent
 * or received. The runner checks which payloads stand in a message, verifies and makes its HASH,
 * keeps the chain of IVs, retransmits, and answers duplicates from its cache. Handlers only build
 * or consume decoded payloads.
 *
 * A handler decodes, verifies, then commits: the runner calls it only with an authentic message
 * (where the step is protected), and takes the message's IV and marks it as seen only when the
 * handler has accepted it.
 */
#ifndef IKE_EXCHANGE_H
#define IKE_EXCHANGE_H

#include "ike/message.h"

typedef struct IkeSession IkeSession;
typedef struct IkeExchange IkeExchange;
typedef struct IkeIsakmpSa IkeIsakmpSa;

/* How a message is protected, and which HASH stands first in it (RFC 2409, 5.5 and 5.7). */
typedef enum IkeProtection {
    IKE_CLEAR,
    IKE_ENCRYPTED, /* its HASH authenticates Phase 1 and is the handler's */
    IKE_HASH_1,    /* prf(SKEYID_a, M-ID | rest) */
    IKE_HASH_2,    /* prf(SKEYID_a, M-ID | Ni | rest) */
    IKE_HASH_3,    /* prf(SKEYID_a, 0 | M-ID | Ni | Nr) */
} IkeProtection;

typedef enum IkeDirection { IKE_SEND, IKE_RECEIVE } IkeDirection;

/* Sets of payload types. */
typedef uint32_t IkePayloadSet;
#define IKE_SET(type)  (UINT32_C(1) << (type))
#define IKE_SET_NATD   (IKE_SET(IKE_PAYLOAD_NATD) | IKE_SET(30)) /* both numbers; see exchange.c */
#define IKE_SET_NATOA  (IKE_SET(IKE_PAYLOAD_NATOA) | IKE_SET(31))
#define IKE_SET_ALWAYS (IKE_SET(IKE_PAYLOAD_VENDOR) | IKE_SET(IKE_PAYLOAD_NOTIFY))

/* What a consuming handler says; negative numbers are faults of this machine. */
enum { IKE_ACCEPTED, IKE_IGNORED /* as if it had never come */ };

typedef struct IkeStep {
    IkeDirection direction;
    IkeProtection protection;
    IkePayloadSet required; /* each at least once */
    IkePayloadSet allowed;  /* beside those; a message with others is ignored */
    int (*build)(IkeSession *session, IkeExchange *exchange, IkeBuilder *builder);
    int (*consume)(IkeSession *session, IkeExchange *exchange, const IkeMessage *message);
} IkeStep;

typedef struct IkeScript {
    IkeExchangeType type;
    const IkeStep *steps;
    size_t steps_n;
    bool repeats;    /* begins again after its last step */
    uint64_t budget; /* ns without an answer before it is given up */
    /* Repetitions found no answer: asks the same in another exchange. NULL: they go on. */
    int (*ask_anew)(IkeSession *session, IkeExchange *exchange);
    /* The answer did not come. */
    int (*expired)(IkeSession *session, IkeExchange *exchange);
    void (*free_data)(void *data);
} IkeScript;

struct IkeExchange {
    const IkeScript *script; /* NULL: a free place */
    IkeIsakmpSa *sa;
    uint32_t message_id;
    size_t step;
    bool done;    /* all steps are through; kept for duplicates */
    bool anew;    /* asks what another one found no answer to */
    bool waiting; /* its next message waits for somebody's answer */
    /* What was sent last has no answer of its own: it goes out again until anything new is heard
     * on the SA. So are AM3 and our words in user authentication and mode config. */
    bool confirm;
    uint64_t heard_before; /* of the SA, when it was sent */
    /* How often the last message goes out again without anybody asking: QM3 is answered by nothing
     * but traffic. At once, before another exchange begins: what comes directly behind its first
     * copy strongSwan knows again. */
    unsigned echoes;
    bool proved;       /* that has arrived */
    size_t ids_before; /* message IDs of the SA when it went out for the first time */
    /* A message before the last went out, or was answered, more than once. */
    bool twice;
    bool in_hand; /* a message for it is being looked at */
    uint8_t iv[16];
    uint8_t nonce_i[IKE_NONCE_MAX], nonce_r[IKE_NONCE_MAX];
    uint16_t nonce_i_n, nonce_r_n;
    uint8_t *sent, *received; /* the last datagram of each direction */
    size_t sent_n, received_n;
    uint16_t fragment_id; /* of what was sent last, where it goes in fragments */
    size_t padded;        /* size of the message, which is to arrive whole; 0: as it comes */
    unsigned tries;
    unsigned repeats_answered;
    uint64_t sent_at; /* last */
    uint64_t give_up_at, retransmit_at, forget_at;
    void *data; /* the handlers' */
};

enum { IKE_EXCHANGES_MAX = 32 };

/* A new exchange in a free place, not yet run; `data` is freed by the script. NULL, with `data`
 * freed, when there is no place. */
IkeExchange *ike_exchange_new(IkeSession *session, const IkeScript *script, IkeIsakmpSa *sa,
                              uint32_t message_id, void *data);
void ike_exchange_free(IkeExchange *exchange);
/* A random number that is not zero; 0 when randomness fails. */
uint32_t ike_exchange_new_id(IkeSession *session);
/* Sends what is to be sent, until the next message to receive. */
int ike_exchange_run(IkeSession *session, IkeExchange *exchange);
/* A datagram (without marker) for this exchange. IKE_ACCEPTED, IKE_IGNORED or negative. */
int ike_exchange_receive(IkeSession *session, IkeExchange *exchange, IkeSlice datagram);
/* Retransmits, gives up, forgets. */
int ike_exchange_tick(IkeSession *session, IkeExchange *exchange);
uint64_t ike_exchange_deadline(const IkeExchange *exchange);
/* No more retransmission: somebody else has said that there will be no answer. */
void ike_exchange_finish(IkeSession *session, IkeExchange *exchange);

#endif
