/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ISAKMP SA: its cookies and message IDs, its lifetime, and whether the gateway behind it is
 * alive (RFC 3706). An SA that is to go is marked by its remove_at and taken away by the session's
 * sweep, never in the middle of a message that still refers to it.
 */
#include "ike/policy.h"
#include "ike/session-private.h"

#include <stdlib.h>
#include <string.h>

IkeIsakmpSa *ike_isakmp_sa_bearer(const IkeSession *session)
{
    IkeIsakmpSa *found = session->current;

    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX && found == NULL; i++)
        if (session->sas[i] != NULL && session->sas[i]->stage == IKE_STAGE_CONFIG)
            found = session->sas[i];
    return found;
}

bool ike_isakmp_sa_has_place(const IkeSession *session)
{
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        if (session->sas[i] == NULL)
            return true;
    return false;
}

IkeIsakmpSa *ike_isakmp_sa_new(IkeSession *session)
{
    size_t place = 0;

    while (place < IKE_ISAKMP_SAS_MAX && session->sas[place] != NULL)
        place++;
    if (place == IKE_ISAKMP_SAS_MAX)
        return NULL;
    IkeIsakmpSa *sa = calloc(1, sizeof(*sa));
    if (sa == NULL)
        return NULL;
    /* The first four bytes are never zero: they would look like a non-ESP marker. */
    do {
        if (ike_session_random(session, sa->cookie_i, IKE_COOKIE_SIZE) < 0 ||
            ike_session_random(session, (uint8_t *)&sa->probe_sequence, 4) < 0) {
            free(sa);
            return NULL;
        }
    } while (memcmp(sa->cookie_i, "\0\0\0\0", 4) == 0);
    sa->probe_sequence &= 0x7fffffff; /* RFC 3706, 6.2: a random value to begin with */
    sa->pull_at = sa->renew_at = sa->expires_at = sa->remove_at = IKE_NEVER;
    sa->probe_at = sa->stage_limit = IKE_NEVER;
    session->sas[place] = sa;
    return sa;
}

void ike_isakmp_sa_remove(IkeSession *session, IkeIsakmpSa *sa)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        if (session->exchanges[i].script == NULL || session->exchanges[i].sa != sa)
            continue;
        if (session->asking == &session->exchanges[i])
            session->asking = NULL;
        if (session->signing == &session->exchanges[i])
            session->signing = NULL;
        ike_exchange_free(&session->exchanges[i]);
    }
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        if (session->sas[i] == sa)
            session->sas[i] = NULL;
    if (session->current == sa)
        session->current = NULL;
    sa->reassembly = ike_reassembly_free(sa->reassembly);
    ike_wipe(sa, sizeof(*sa));
    free(sa);
}

bool ike_isakmp_sa_is_fresh_id(const IkeIsakmpSa *sa, uint32_t message_id)
{
    for (size_t i = 0; i < sa->seen_ids_n; i++)
        if (sa->seen_ids[i] == message_id)
            return false;
    return sa->seen_ids_n < IKE_SEEN_IDS_MAX;
}

void ike_isakmp_sa_use_id(IkeSession *session, IkeIsakmpSa *sa, uint32_t message_id)
{
    if (sa->seen_ids_n == IKE_SEEN_IDS_MAX)
        return;
    sa->seen_ids[sa->seen_ids_n++] = message_id;
    if (sa->seen_ids_n == IKE_SEEN_IDS_MANY && sa->renew_at > session->now)
        sa->renew_at = session->now;
}

static uint64_t dpd_interval(const IkeSession *session)
{
    uint32_t seconds = session->config.dpd_interval;

    return (seconds != 0 ? seconds : IKE_DPD_DEFAULT) * IKE_SECOND;
}

void ike_isakmp_sa_heard(IkeSession *session, IkeIsakmpSa *sa)
{
    sa->heard++;
    session->heard_at = session->now;
    sa->probes = 0;
    sa->probe_since = 0;
    if ((sa->vendors & IKE_VENDOR_DPD) != 0)
        sa->probe_at = session->now + dpd_interval(session);
}

/* Before the tunnel stands, an SA that the gateway ends is a refusal; which one, the stage tells.
 */
static IkeReason refusal_of(const IkeIsakmpSa *sa)
{
    return sa->stage == IKE_STAGE_USER_AUTH ? IKE_REASON_USER_AUTHENTICATION
                                            : IKE_REASON_PHASE2_REFUSED;
}

int ike_isakmp_sa_deleted(IkeSession *session, IkeIsakmpSa *sa)
{
    bool carries_on = session->current == sa || (session->current == NULL && !sa->renewal);

    if (carries_on && ike_session_renewing(session)) {
        /* The gateway has dropped the old one early; the new one is on its way. */
        uint64_t limit = session->now + IKE_DELETED_SA_WAIT;
        sa->expires_at = sa->expires_at < limit ? sa->expires_at : limit;
        return 0;
    }
    IkeReason reason =
        session->state == IKE_STATE_CONNECTED ? IKE_REASON_TUNNEL_LOST : refusal_of(sa);
    sa->stage = IKE_STAGE_OVER;
    /* So refuses who doesn't say so. */
    if (sa->password_sent)
        ike_xauth_forget_password(session);
    if (carries_on)
        return ike_session_fail_simply(session, reason, IKE_DETAIL_DELETED);
    sa->remove_at = session->now;
    return 0;
}

void ike_isakmp_sa_set_lifetime(IkeSession *session, IkeIsakmpSa *sa, uint32_t seconds)
{
    uint64_t renewal = ike_policy_renewal(seconds);

    sa->info.lifetime = seconds;
    sa->renew_at =
        session->now + ike_session_jitter(session, renewal, ike_policy_renewal_jitter(seconds));
    sa->expires_at = session->now + seconds * IKE_SECOND;
}

/* Only the SA that carries on is asked after; the data path's word counts as the gateway's. */
static bool probes_run(const IkeSession *session, const IkeIsakmpSa *sa)
{
    return session->state == IKE_STATE_CONNECTED && session->current == sa &&
           (sa->vendors & IKE_VENDOR_DPD) != 0;
}

static int probe(IkeSession *session, IkeIsakmpSa *sa)
{
    if (sa->probes == IKE_PROBES_MAX)
        return ike_session_fail_simply(session, IKE_REASON_TUNNEL_LOST, IKE_DETAIL_DPD);
    if (sa->probes == 0)
        sa->probe_since = session->now;
    sa->probe_at =
        session->now +
        (sa->probes + 1 == IKE_PROBES_MAX ? IKE_PROBE_LAST : ike_policy_retransmit(sa->probes));
    sa->probes++;
    return ike_info_probe(session, sa);
}

static bool data_path_has_heard(const IkeSession *session, const IkeIsakmpSa *sa)
{
    uint64_t since = sa->probe_since != 0 ? sa->probe_since : sa->probe_at - dpd_interval(session);

    return session->last_inbound > since;
}

int ike_isakmp_sa_tick(IkeSession *session, IkeIsakmpSa *sa)
{
    if (session->now >= sa->remove_at) {
        bool tell = sa->authenticated && sa->stage != IKE_STAGE_OVER && session->current != sa;
        int r = tell ? ike_info_delete_sa(session, sa) : 0;
        ike_isakmp_sa_remove(session, sa);
        return r;
    }
    if (!probes_run(session, sa) || session->now < sa->probe_at)
        return 0;
    if (data_path_has_heard(session, sa)) {
        sa->probes = 0;
        sa->probe_since = 0;
        sa->probe_at = session->last_inbound + dpd_interval(session);
        if (sa->probe_at > session->now)
            return 0;
    }
    return probe(session, sa);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t ike_isakmp_sa_deadline(const IkeSession *session, const IkeIsakmpSa *sa)
{
    uint64_t deadline = sa->remove_at;

    if (probes_run(session, sa))
        deadline = sooner(deadline, sa->probe_at);
    if (sa->signing)
        deadline = sooner(deadline, sa->stage_limit);
    if (sa->stage == IKE_STAGE_USER_AUTH || sa->stage == IKE_STAGE_CONFIG)
        deadline = sooner(deadline, sooner(sa->pull_at, sa->stage_limit));
    if (session->current == sa && session->state == IKE_STATE_CONNECTED) {
        deadline = sooner(deadline, sa->expires_at);
        if (!ike_session_renewing(session))
            deadline = sooner(deadline, sa->renew_at > session->phase1_retry_at
                                            ? sa->renew_at
                                            : session->phase1_retry_at);
    }
    return deadline;
}
