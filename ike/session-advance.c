/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is next. After each message, tick and answer the session looks at what is done and begins
 * what follows: user authentication, mode config, one Quick Mode a network, and later the renewal
 * of each. Nothing here depends on which message brought it about.
 */
#include "ike/policy.h"
#include "ike/session-private.h"

#include <string.h>

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool ike_session_renewing(const IkeSession *session)
{
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++) {
        const IkeIsakmpSa *sa = session->sas[i];
        if (sa != NULL && sa->renewal && sa->stage != IKE_STAGE_READY && sa->remove_at == IKE_NEVER)
            return true;
    }
    return false;
}

/* ---- one ISAKMP SA, from authenticated to ready ---- */

static void set_phase_state(IkeSession *session, const IkeIsakmpSa *sa, IkeState state)
{
    if (!sa->renewal && session->state < IKE_STATE_CONNECTED)
        ike_session_set_state(session, state);
}

/* How long a push is awaited. Gateways that are known to be asked send a push, if they do push,
 * together with their last message: half a round trip more allows for jitter. */
static uint64_t push_wait(const IkeIsakmpSa *sa)
{
    if ((sa->vendors & IKE_VENDORS_PULL) == 0)
        return IKE_PUSH_WAIT;
    return sooner(IKE_PUSH_WAIT, IKE_PUSH_WAIT_SHORT + sa->round_trip / 2);
}

/* Nothing was said of a user in Phase 1: a question that follows it would find an early Quick Mode
 * in its way, and the gateway's no to that would end what the user is being asked for. */
static bool may_ask_for_user(const IkeSession *session, const IkeIsakmpSa *sa)
{
    return !sa->user_done && session->config.xauth != IKE_XAUTH_NO;
}

static int enter_config(IkeSession *session, IkeIsakmpSa *sa)
{
    const IkeConfig *config = &session->config;

    sa->stage = IKE_STAGE_CONFIG;
    sa->stage_limit = session->now + IKE_STAGE_BUDGET;
    set_phase_state(session, sa, IKE_STATE_CONFIG);
    if (sa->config_done)
        return 0;
    if (config->config == IKE_CONFIG_NONE) {
        session->inner.address = config->address;
        session->inner.prefix = config->address.family == 4 ? 32 : 128;
        session->inner.address6 = config->address6;
        sa->config_done = session->inner_known = true;
        IkeEvent event = {.type = IKE_EVENT_CONFIG, .config = session->inner};
        return sa->renewal ? 0 : ike_session_emit(session, &event);
    }
    if (sa->renewal && (session->pushed || config->config == IKE_CONFIG_PUSH)) {
        sa->config_done = true; /* it pushes again, or it does not; the address goes on */
        return 0;
    }
    if (config->config == IKE_CONFIG_DHCP) {
        sa->config_done = sa->renewal; /* the lease goes on */
        if (!sa->renewal)
            sa->pull_at = session->now + (may_ask_for_user(session, sa) ? push_wait(sa) : 0);
        return 0;
    }
    if (config->config == IKE_CONFIG_PULL || sa->renewal)
        sa->pull_at = session->now;
    else if (config->config == IKE_CONFIG_AUTO)
        sa->pull_at = session->now + push_wait(sa);
    return 0;
}

/* What nobody has pushed is asked for. */
static int ask_for_config(IkeSession *session, IkeIsakmpSa *sa)
{
    if (session->config.config != IKE_CONFIG_DHCP)
        return ike_config_pull(session, sa);
    sa->pull_at = IKE_NEVER;
    return ike_dhcp_begin(session);
}

static int announce_phase1(IkeSession *session, const IkeIsakmpSa *sa)
{
    IkeEvent event = {.type = IKE_EVENT_PHASE1, .phase1 = sa->info};

    return ike_session_emit(session, &event);
}

/* RFC 2407, 4.6.3.3: drops what the gateway remembers of a former self of ours. Never with an ID
 * that others share, whose tunnels it would end. */
static int say_initial_contact(IkeSession *session, IkeIsakmpSa *sa)
{
    const IkeConfig *config = &session->config;
    bool shared = config->id.type == IKE_ID_KEY_ID || sa->info.xauth || sa->user_done;
    bool wanted =
        config->initial_contact == IKE_YES || (config->initial_contact == IKE_AUTO && !shared);

    return wanted && !sa->renewal ? ike_info_initial_contact(session, sa) : 0;
}

static int leave_phase1(IkeSession *session, IkeIsakmpSa *sa)
{
    int r = announce_phase1(session, sa);

    if (r < 0)
        return r;
    if (!sa->info.xauth)
        r = say_initial_contact(session, sa);
    if (r < 0)
        return r;
    bool user = sa->info.xauth || session->config.xauth == IKE_XAUTH_REQUIRED;
    if (!user || sa->user_done)
        return enter_config(session, sa);
    sa->stage = IKE_STAGE_USER_AUTH;
    sa->stage_limit = session->now + IKE_STAGE_BUDGET;
    set_phase_state(session, sa, IKE_STATE_USER_AUTH);
    return 0;
}

/* What stays of the SA that this one replaces: nothing new is begun under it, and a Quick Mode that
 * is under way moves on, for the gateway may have forgotten the old one already. */
static int replace_current(IkeSession *session, IkeIsakmpSa *successor)
{
    IkeIsakmpSa *old = session->current;

    session->current = successor;
    if (old == NULL || old == successor)
        return 0;
    old->renew_at = IKE_NEVER;
    old->remove_at = session->now + IKE_ISAKMP_OVERLAP;
    return ike_quick_move(session, old);
}

/* Everything, of each family that we have an address of. */
static void choose_everything(IkeSession *session)
{
    static const uint8_t families[] = {4, 6};

    session->wanted_n = 0;
    for (size_t i = 0; i < sizeof(families); i++)
        if (ike_inner_host(&session->inner, families[i]).family != 0)
            session->wanted[session->wanted_n++] = (IkeNetwork){.family = families[i]};
}

/* A network of a family in which the gateway gave no address can't be reached: its traffic would
 * leave beside the tunnel, so that is an end. */
static int choose_networks(IkeSession *session)
{
    const IkeConfig *config = &session->config;
    IkeFailure failure = {.reason = IKE_REASON_PHASE2_REFUSED, .detail = IKE_DETAIL_NO_ADDRESS};

    for (size_t i = 0; i < config->networks_n; i++) {
        if (ike_inner_host(&session->inner, config->networks[i].family).family != 0)
            continue;
        return ike_session_fail(session, &failure);
    }
    if (config->networks_n == 0 || config->selectors != IKE_SELECTORS_EACH) {
        choose_everything(session);
        return 0;
    }
    memcpy(session->wanted, config->networks, config->networks_n * sizeof(IkeNetwork));
    session->wanted_n = config->networks_n;
    return 0;
}

/* After `renegotiate` the children are renewed, too, under the new SA. */
static void renew_children(IkeSession *session)
{
    if (session->renegotiating)
        ike_child_renew_all(session);
    session->renegotiating = false;
}

static int become_ready(IkeSession *session, IkeIsakmpSa *sa)
{
    sa->stage = IKE_STAGE_READY;
    sa->stage_limit = sa->pull_at = IKE_NEVER;
    int r = replace_current(session, sa);
    ike_isakmp_sa_heard(session, sa);
    if (sa->renewal)
        renew_children(session);
    if (r == 0 && session->state < IKE_STATE_PHASE2) {
        r = choose_networks(session);
        if (session->state != IKE_STATE_ENDED)
            ike_session_set_state(session, IKE_STATE_PHASE2);
    }
    return r;
}

static int stage_expired(IkeSession *session, IkeIsakmpSa *sa)
{
    if (sa->renewal) {
        sa->remove_at = session->now;
        session->phase1_retry_at = session->now + IKE_RENEWAL_RETRY;
        return 0;
    }
    if (sa->stage == IKE_STAGE_CONFIG && session->config.config == IKE_CONFIG_DHCP)
        return ike_dhcp_late(session);
    if (sa->stage == IKE_STAGE_CONFIG)
        return ike_session_fail_simply(session, IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_CONFIG);
    if (session->asking != NULL) {
        int r = ike_xauth_answer(session, session->asking, NULL);
        return r < 0 ? r : ike_session_fail(session, &session->verdict);
    }
    return ike_session_fail_simply(session, IKE_REASON_USER_AUTHENTICATION,
                                   sa->heard ? IKE_DETAIL_SILENCE_LATER : IKE_DETAIL_XAUTH_MISSING);
}

static int advance_sa(IkeSession *session, IkeIsakmpSa *sa)
{
    int r = 0;

    if (sa->signing)
        return session->now >= sa->stage_limit
                   ? ike_aggressive_sign(session, session->signing, (IkeSlice){NULL, 0})
                   : 0;
    if (sa->stage == IKE_STAGE_PHASE1 && sa->authenticated && sa->remove_at == IKE_NEVER)
        r = leave_phase1(session, sa);
    if (r == 0 && sa->stage == IKE_STAGE_USER_AUTH && sa->user_done)
        r = enter_config(session, sa);
    if (r == 0 && sa->stage == IKE_STAGE_CONFIG && sa->config_done)
        r = become_ready(session, sa);
    bool their_move = sa->stage == IKE_STAGE_USER_AUTH || sa->stage == IKE_STAGE_CONFIG;
    if (r == 0 && their_move && session->now >= sa->stage_limit)
        r = stage_expired(session, sa);
    if (r == 0 && sa->stage == IKE_STAGE_CONFIG && session->now >= sa->pull_at)
        r = ask_for_config(session, sa);
    return r;
}

/* ---- children ---- */

static bool needs_child(IkeSession *session, size_t network)
{
    const IkeChild *child = ike_child_current(session, network);

    if (session->now < session->retry_at[network])
        return false;
    return child == NULL || session->now >= child->renew_at;
}

static bool every_network_stands(IkeSession *session)
{
    for (size_t i = 0; i < session->wanted_n; i++)
        if (ike_child_current(session, i) == NULL)
            return false;
    return true;
}

static int become_connected(IkeSession *session)
{
    IkeEvent event = {.type = IKE_EVENT_CONNECTED};

    ike_session_set_state(session, IKE_STATE_CONNECTED);
    session->restarts = 0;
    ike_isakmp_sa_heard(session, session->current);
    return ike_session_emit(session, &event);
}

static int advance_children(IkeSession *session)
{
    if (session->current == NULL || session->state < IKE_STATE_PHASE2)
        return 0;
    for (size_t i = 0; i < session->wanted_n && !ike_quick_running(session); i++) {
        int r = needs_child(session, i) ? ike_quick_begin(session, i) : 0;
        if (r < 0)
            return r;
    }
    if (session->state == IKE_STATE_PHASE2 && every_network_stands(session))
        return become_connected(session);
    return 0;
}

static int expire_children(IkeSession *session)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        IkeChild *child = &session->children[i];
        if (!child->used || session->now < child->expires_at)
            continue;
        if (!child->replaced && ike_child_current(session, child->network) == child)
            return ike_session_fail_simply(session, IKE_REASON_TUNNEL_LOST, IKE_DETAIL_EXPIRED);
        child->remove_at = session->now;
        child->replaced = true;
    }
    return 0;
}

static uint64_t children_deadline(const IkeSession *session)
{
    uint64_t deadline = IKE_NEVER;
    bool busy = ike_quick_running(session);

    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        const IkeChild *child = &session->children[i];
        if (!child->used)
            continue;
        deadline = sooner(deadline, sooner(ike_child_deadline(child), child->expires_at));
    }
    for (size_t i = 0; i < session->wanted_n && !busy; i++) {
        const IkeChild *child = ike_child_current(session, i);
        uint64_t retry = session->retry_at[i];
        uint64_t renew = child != NULL ? child->renew_at : retry;
        if (child != NULL || retry > session->now)
            deadline = sooner(deadline, renew > retry ? renew : retry);
    }
    return deadline;
}

/* ---- Phase 1's renewal ---- */

static int advance_renewal(IkeSession *session)
{
    IkeIsakmpSa *current = session->current;

    if (current == NULL || session->state != IKE_STATE_CONNECTED)
        return 0;
    if (session->now >= current->expires_at)
        return ike_session_fail_simply(session, IKE_REASON_TUNNEL_LOST, IKE_DETAIL_EXPIRED);
    if (session->now < current->renew_at || session->now < session->phase1_retry_at ||
        ike_session_renewing(session))
        return 0;
    if (!ike_isakmp_sa_has_place(session)) {
        session->phase1_retry_at = session->now + IKE_RENEWAL_RETRY;
        return 0;
    }
    return ike_aggressive_begin(session, current->info.chosen.group, true);
}

/* mode-cfg, 3.4: an address that expires is asked for again before it does. */
static int advance_address(IkeSession *session)
{
    if (session->current == NULL || session->state != IKE_STATE_CONNECTED ||
        session->now < session->address_renew_at)
        return 0;
    session->address_renew_at = IKE_NEVER;
    return ike_config_pull(session, session->current);
}

/* ---- all of it ---- */

int ike_session_advance(IkeSession *session)
{
    int r = 0;

    if (session->verdict.reason != IKE_REASON_NONE)
        return ike_session_fail(session, &session->verdict);
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX && r == 0; i++)
        if (session->sas[i] != NULL && session->state != IKE_STATE_ENDED)
            r = advance_sa(session, session->sas[i]);
    if (r == 0 && session->state != IKE_STATE_ENDED)
        r = expire_children(session);
    if (r == 0 && session->state != IKE_STATE_ENDED)
        r = advance_renewal(session);
    if (r == 0 && session->state != IKE_STATE_ENDED)
        r = advance_children(session);
    if (r == 0 && session->state != IKE_STATE_ENDED)
        r = advance_address(session);
    if (r == 0 && session->state != IKE_STATE_ENDED)
        r = ike_dhcp_advance(session);
    return r;
}

uint64_t ike_session_advance_deadline(const IkeSession *session)
{
    uint64_t deadline = children_deadline(session);

    if (session->state == IKE_STATE_CONNECTED)
        deadline = sooner(deadline, session->address_renew_at);
    deadline = sooner(deadline, ike_dhcp_deadline(session));
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        if (session->sas[i] != NULL)
            deadline = sooner(deadline, ike_isakmp_sa_deadline(session, session->sas[i]));
    return deadline;
}

static bool may_be_unread(const IkeExchange *x)
{
    /* QM3 that nothing has proved; a gateway that repeats QM2 lacks it. */
    if (x->script == &IKE_SCRIPT_QUICK && x->done)
        return !x->proved && (x->echoes > 0 || x->repeats_answered > 0);
    return (x->script == &IKE_SCRIPT_PULL || x->script == &IKE_SCRIPT_QUICK) && !x->done &&
           x->tries > 0;
}

/* What a gateway means that says, under a message ID of its own, that it can't read something: what
 * it was sent last. NULL: nothing of ours. */
static IkeExchange *unread_exchange(IkeSession *session)
{
    IkeExchange *found = NULL;

    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (may_be_unread(x) && (found == NULL || x->sent_at > found->sent_at))
            found = x;
    }
    return found;
}

/* A QM3 that went out again and can't be read now was read the first time, which has moved the IV
 * of its message ID on. Not so where earlier messages went twice, too: the IV may have moved on
 * with those, before any QM3 came. Nor where so many other exchanges came in between that the
 * gateway has forgotten the IV. */
static bool was_read_before(const IkeExchange *x)
{
    const IkeIsakmpSa *sa = x->sa;
    size_t others = sa->seen_ids_n - x->ids_before;

    return x->done && x->tries > 0 && !x->twice && x->repeats_answered == 0 &&
           others <= IKE_IVS_KEPT && sa->seen_ids_n < IKE_SEEN_IDS_MAX;
}

/* strongSwan answers a repetition whose first copy it has answered and forgotten with
 * PAYLOAD-MALFORMED: the IV of that message ID has moved on at its end. The same question under
 * another message ID is understood. */
static int begin_anew(IkeSession *session)
{
    IkeExchange *x = unread_exchange(session);

    if (x != NULL && was_read_before(x)) {
        x->echoes = 0;
        x->proved = true;
        return 0;
    }
    if (x == NULL || session->restarts >= IKE_RESTARTS_MAX)
        return 0;
    session->restarts++;
    if (x->script == &IKE_SCRIPT_QUICK)
        return ike_quick_restart(session, x);
    ike_exchange_finish(session, x);
    return ike_config_pull(session, x->sa);
}

int ike_session_refused(IkeSession *session, IkeIsakmpSa *sa, uint16_t notify)
{
    IkeFailure failure = {.detail = IKE_DETAIL_NOTIFY, .notify = notify};

    if (notify == IKE_NOTIFY_PAYLOAD_MALFORMED || notify == IKE_NOTIFY_INVALID_HASH_INFORMATION)
        return begin_anew(session);
    if (ike_quick_running(session))
        return ike_quick_refused(session, notify);
    if (sa->renewal || session->state >= IKE_STATE_PHASE2)
        return 0;
    if (sa->stage == IKE_STAGE_USER_AUTH)
        failure.reason = IKE_REASON_USER_AUTHENTICATION;
    else if (notify == IKE_NOTIFY_AUTHENTICATION_FAILED ||
             (notify >= IKE_NOTIFY_INVALID_CERT_ENCODING &&
              notify <= IKE_NOTIFY_INVALID_CERT_AUTHORITY) ||
             notify == IKE_NOTIFY_INVALID_SIGNATURE)
        failure.reason = IKE_REASON_GATEWAY_AUTHENTICATION;
    else
        return 0; /* mode config runs to its own end */
    return ike_session_fail(session, &failure);
}
