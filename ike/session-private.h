/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of a session share: the session itself, and the calls between the exchanges and
 * their owner. No file outside of ike/ includes this, but for tests.
 */
#ifndef IKE_SESSION_PRIVATE_H
#define IKE_SESSION_PRIVATE_H

#include "ike/cert.h"
#include "ike/child.h"
#include "ike/dh.h"
#include "ike/dhcp.h"
#include "ike/event.h"
#include "ike/isakmp-sa.h"
#include "ike/payload-config.h"
#include "ike/transaction.h"
#include "ike/vendor.h"

enum {
    IKE_ISAKMP_SAS_MAX = 4,
    IKE_CHILDREN_MAX = 3 * IKE_NETWORKS_MAX, /* current, previous and next of each */
};

struct IkeSession {
    IkeConfig config;
    IkeRandomFn random;
    void *random_context;
    uint64_t now; /* of the call that is under way */
    IkeState state;
    IkeQueue packets, events;

    IkeIsakmpSa *sas[IKE_ISAKMP_SAS_MAX];
    IkeIsakmpSa *current; /* ready for new exchanges; NULL before Phase 1 is through */
    IkeExchange exchanges[IKE_EXCHANGES_MAX];

    IkeDh *dh; /* a pair for the first Phase 1 of its group; NULL: none, or used */
    const IkeGroup *groups[IKE_PHASE1_PROPOSALS_MAX]; /* one attempt each */
    size_t groups_n, group;
    uint64_t attempts_end; /* when the address has had its time */
    IkeFailure refusal;    /* the most telling end of an earlier attempt */

    IkeInnerConfig inner;
    bool inner_known;
    bool cut_told; /* that the gateway names more networks than there is room for */
    bool pushed;   /* the address came by SET */
    IkeNetwork wanted[IKE_NETWORKS_MAX]; /* remote selectors, one Quick Mode each */
    size_t wanted_n;
    IkeChild children[IKE_CHILDREN_MAX];
    uint64_t retry_at[IKE_NETWORKS_MAX]; /* per network: when a renewal is tried again */
    uint64_t phase1_retry_at;
    uint64_t address_renew_at;
    IkeDhcp dhcp;
    bool renegotiating;
    unsigned restarts;
    uint64_t last_inbound; /* of ESP, as the data path has it */
    uint64_t heard_at;     /* when an authentic message came last */
    IkeFailure verdict;    /* the end, once what is being said has been said */
    bool unheard;          /* the configured password has gone out, and no OK has come since */
    uint32_t question;     /* ID of the last question */
    IkeExchange *asking;   /* which exchange waits for its answer */
    IkeTrust *trust;       /* NULL with a preshared key */
    uint32_t signature;    /* ID of the last one that was asked for */
    IkeExchange *signing;  /* which exchange waits for it */
};

/* ---- session.c: the owner ---- */
/* The end of every call: a fault of this machine ends the session, and is told. */
int ike_session_finish(IkeSession *session, int r);
int ike_session_emit(IkeSession *session, const IkeEvent *event);
void ike_session_set_state(IkeSession *session, IkeState state);
/* A pair for one exchange: fresh, and the one that was given where it is of this group. */
int ike_session_dh(IkeSession *session, const IkeGroup *group, IkeDh **dhp);
int ike_session_random(IkeSession *session, uint8_t *bytes, size_t n);
/* Up to `range` ns less than `value`, at random; `value` where there is no randomness. */
uint64_t ike_session_jitter(IkeSession *session, uint64_t value, uint64_t range);
/* `whole`: nobody may cut it. */
int ike_session_send(IkeSession *session, const IkeIsakmpSa *sa, IkeSlice datagram, bool whole);
int ike_session_send_in_fragments(IkeSession *session, const IkeIsakmpSa *sa, IkeSlice message,
                                  uint16_t id);
/* The end: FAILED before it was connected, LOST after. */
int ike_session_fail(IkeSession *session, const IkeFailure *failure);
int ike_session_fail_simply(IkeSession *session, IkeReason reason, IkeDetail detail);
/* The end that was asked for: DELETEs, and STOPPED. */
int ike_session_end(IkeSession *session);
int ike_session_notice(IkeSession *session, IkeDetail detail, uint32_t notify);

/* ---- session-advance.c: what is next ---- */
int ike_session_advance(IkeSession *session);
uint64_t ike_session_advance_deadline(const IkeSession *session);
bool ike_session_renewing(const IkeSession *session);
/* An authentic error notify: it ends what is under way. */
int ike_session_refused(IkeSession *session, IkeIsakmpSa *sa, uint16_t notify);

/* ---- exchange-aggressive.c ---- */
int ike_aggressive_begin(IkeSession *session, const IkeGroup *group, bool renewal);
int ike_aggressive_sign(IkeSession *session, IkeExchange *exchange, IkeSlice signature);
/* A notify in the clear while an attempt waits: a hint, not the truth. */
void ike_aggressive_hint(IkeSession *session, IkeExchange *exchange, uint16_t notify);
extern const IkeScript IKE_SCRIPT_AGGRESSIVE;

/* ---- exchange-quick.c, exchange-quick-responder.c ---- */
/* One of the wanted networks, or IKE_NETWORK_DHCP. */
int ike_quick_begin(IkeSession *session, size_t network);
bool ike_quick_running(const IkeSession *session);
/* Begins anew under another message ID. */
int ike_quick_restart(IkeSession *session, IkeExchange *exchange);
/* What is under way beneath an SA that another has replaced begins anew beneath that one. */
int ike_quick_move(IkeSession *session, const IkeIsakmpSa *from);
/* Traffic on this SPI: its QM3 has arrived. */
void ike_quick_proved(IkeSession *session, uint32_t spi_in);
/* The gateway has refused the Quick Mode that is under way. */
int ike_quick_refused(IkeSession *session, uint16_t notify);
/* The lifetimes of a RESPONDER-LIFETIME in the message, where it is shorter than what is given. */
void ike_quick_shorten(const IkeMessage *message, uint32_t *seconds, uint32_t *kilobytes);
uint32_t ike_quick_new_spi(IkeSession *session);
uint16_t ike_quick_encapsulation(const IkeIsakmpSa *sa);
void *ike_quick_renewal_new(void); /* data for IKE_SCRIPT_QUICK_RESPONDER; NULL: no memory */
extern const IkeScript IKE_SCRIPT_QUICK;
extern const IkeScript IKE_SCRIPT_QUICK_RESPONDER;

/* ---- exchange-info.c ---- */
extern const IkeScript IKE_SCRIPT_INFO_IN;
int ike_info_delete_child(IkeSession *session, IkeIsakmpSa *sa, uint32_t spi_in);
int ike_info_delete_sa(IkeSession *session, IkeIsakmpSa *sa);
int ike_info_initial_contact(IkeSession *session, IkeIsakmpSa *sa);
int ike_info_error(IkeSession *session, IkeIsakmpSa *sa, uint16_t notify, uint32_t spi);
int ike_info_probe(IkeSession *session, IkeIsakmpSa *sa);
int ike_info_probe_size(IkeSession *session, IkeIsakmpSa *sa, size_t size);
/* DELETE payloads of an authentic message, wherever they stand in it. */
int ike_info_take_deletes(IkeSession *session, const IkeMessage *message);

#endif
