/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ISAKMP SA of a session: keys, how far it has come, lifetime, and whether the gateway lives.
 */
#ifndef IKE_ISAKMP_SA_H
#define IKE_ISAKMP_SA_H

#include "ike/exchange.h"
#include "ike/fragment.h"
#include "ike/ike.h"
#include "ike/keymat.h"
#include "ike/natt.h"

enum {
    IKE_SEEN_IDS_MAX = 16384,
    IKE_SEEN_IDS_MANY = 12288, /* a probe every 10 s for a day, and more: time for a new SA */
};

enum { IKE_PROBES_KEPT = 64 }; /* how far behind the last an acknowledgement may be */

/* How far an ISAKMP SA has come. */
typedef enum IkeStage {
    IKE_STAGE_PHASE1,
    IKE_STAGE_USER_AUTH,
    IKE_STAGE_CONFIG,
    IKE_STAGE_READY,
    IKE_STAGE_OVER, /* the gateway has ended it, and need not be told */
} IkeStage;

/* What a gateway has asked a user, and how it was answered. */
typedef struct IkeRound {
    uint16_t type;
    uint32_t kinds;  /* a set of IkeAskKind */
    bool once;       /* the password was a one-time one */
    bool configured; /* the password was the configured one */
} IkeRound;

struct IkeIsakmpSa {
    uint8_t cookie_i[IKE_COOKIE_SIZE], cookie_r[IKE_COOKIE_SIZE];
    IkeStage stage;
    bool authenticated; /* HASH_R and the gateway's ID were verified */
    bool signing;       /* AM3 waits for a signature of ours */
    uint64_t heard;     /* protected messages that have come; the first proves AM3 has arrived */
    bool renewal;       /* takes the place of another one */
    IkeKeys keys;
    IkePhase1Info info;
    uint16_t method;
    unsigned vendors;
    const IkeNattDialect *natt; /* NULL: no UDP encapsulation */
    IkeAddress peer;
    bool marked; /* UDP encapsulation's port: the non-ESP marker stands before each message */
    uint64_t round_trip; /* ns, of AM1 and AM2 */
    bool user_done;      /* STATUS=OK */
    bool user_sent;      /* answers have gone out, and were not yet accepted */
    bool password_sent;  /* a password was among them */
    IkeRound round;      /* of user authentication, that was answered last */
    unsigned rounds;     /* since it began */
    bool config_done;
    IkeInnerConfig told;  /* what the gateway has said of the inner network under this SA */
    uint64_t pull_at;     /* when to ask for an address; IKE_NEVER: not */
    uint64_t stage_limit; /* when the gateway must have made its move */
    uint64_t renew_at, expires_at, remove_at;
    uint64_t probe_at;    /* next R-U-THERE */
    uint64_t probe_since; /* when the first that is unanswered went out; 0: none is */
    unsigned probes;
    uint32_t probe_sequence;
    uint16_t probe_sizes[IKE_PROBES_KEPT]; /* of datagrams, by sequence; 0: of no matter */
    bool peer_sequence_known;
    uint32_t peer_sequence;
    IkeReassembly *reassembly;           /* NULL as long as nothing came in fragments */
    uint16_t fragment_ids;               /* the last that one of our messages has taken */
    uint32_t seen_ids[IKE_SEEN_IDS_MAX]; /* message IDs that were used, by either side */
    size_t seen_ids_n;
};

IkeIsakmpSa *ike_isakmp_sa_new(IkeSession *session);
/* Under which something new is begun: the current one, else the first that waits for its inner
 * address; NULL: none. */
IkeIsakmpSa *ike_isakmp_sa_bearer(const IkeSession *session);
bool ike_isakmp_sa_has_place(const IkeSession *session); /* for one more */
void ike_isakmp_sa_remove(IkeSession *session, IkeIsakmpSa *sa);
/* A message ID serves one exchange. When no more can be remembered none is fresh: nothing recorded
 * may come back as new, and the SA is renewed well before. */
bool ike_isakmp_sa_is_fresh_id(const IkeIsakmpSa *sa, uint32_t message_id);
void ike_isakmp_sa_use_id(IkeSession *session, IkeIsakmpSa *sa, uint32_t message_id);
void ike_isakmp_sa_heard(IkeSession *session, IkeIsakmpSa *sa);  /* something authentic came */
int ike_isakmp_sa_deleted(IkeSession *session, IkeIsakmpSa *sa); /* by the gateway */
void ike_isakmp_sa_set_lifetime(IkeSession *session, IkeIsakmpSa *sa, uint32_t seconds);
int ike_isakmp_sa_tick(IkeSession *session, IkeIsakmpSa *sa);
uint64_t ike_isakmp_sa_deadline(const IkeSession *session, const IkeIsakmpSa *sa);

#endif
