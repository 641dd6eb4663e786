/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config and XAUTH, which share one exchange (exchange-config.c, exchange-xauth.c).
 */
#ifndef IKE_TRANSACTION_H
#define IKE_TRANSACTION_H

#include "ike/isakmp-sa.h"
#include "ike/payload-config.h"

enum {
    IKE_TRANSACTION_TYPES_MAX = 64,
    IKE_CHALLENGE_MAX = 253, /* RFC 2865, 5.40 */
};

/* A transaction that the gateway has begun. */
typedef struct IkeTransaction {
    uint8_t answer; /* IKE_CONFIG_REPLY or IKE_CONFIG_ACK */
    uint16_t identifier;
    uint16_t types[IKE_TRANSACTION_TYPES_MAX]; /* of the attributes, in their order */
    size_t types_n;
    uint16_t type; /* of XAUTH, echoed in a REPLY */
    bool refused;  /* the REPLY says STATUS=FAIL */
    bool again;    /* see IkeQuestion */
    uint8_t challenge[IKE_CHALLENGE_MAX];
    size_t challenge_n;
    IkeAnswer given; /* for a REPLY */
} IkeTransaction;

int ike_config_pull(IkeSession *session, IkeIsakmpSa *sa);
extern const IkeScript IKE_SCRIPT_PULL;
extern const IkeScript IKE_SCRIPT_TRANSACTION;
/* The inner configuration as it is from now on. */
int ike_config_adopt(IkeSession *session, const IkeInnerConfig *inner);
int ike_config_take_inner(IkeSession *session, IkeIsakmpSa *sa, const IkeConfigMessage *message);
int ike_xauth_request(IkeSession *session, IkeExchange *exchange, const IkeConfigMessage *message);
void ike_xauth_write_reply(const IkeTransaction *transaction, IkeWriter *writer);
int ike_xauth_status(IkeSession *session, IkeIsakmpSa *sa, bool ok, const char *message);
int ike_xauth_answer(IkeSession *session, IkeExchange *exchange, const IkeAnswer *answer);
/* The configured password is not given a second time unasked. */
void ike_xauth_forget_password(IkeSession *session);

#endif
