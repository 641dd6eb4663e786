/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session: the boundary of the core. Time is handed to all who wait, and after each call the
 * session looks at what is next.
 *
 * Invariants:
 * - nothing is freed while a message that may refer to it is in hand: what is to go is marked, and
 *   swept by tick();
 * - DELETEs go into the packet queue before FAILED, LOST and STOPPED, and after those nothing more
 *   is sent and no more events come;
 * - a message that fails verification changes nothing and is answered by nothing.
 */
#include "ike/fragment.h"
#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- services for the other files ---- */

int ike_session_emit(IkeSession *session, const IkeEvent *event)
{
    return ike_queue_event(&session->events, event);
}

void ike_session_set_state(IkeSession *session, IkeState state)
{
    IkeEvent event = {.type = IKE_EVENT_STATE, .state = state};

    if (session->state == state)
        return;
    session->state = state;
    /* Without memory the next fallible call fails, too; a state that went unsaid does no harm. */
    if (state != IKE_STATE_ENDED)
        (void)ike_session_emit(session, &event);
}

int ike_session_random(IkeSession *session, uint8_t *bytes, size_t n)
{
    return session->random(session->random_context, bytes, n);
}

uint64_t ike_session_jitter(IkeSession *session, uint64_t value, uint64_t range)
{
    uint8_t bytes[4];

    if (range == 0 || ike_session_random(session, bytes, sizeof(bytes)) < 0)
        return value;
    IkeReader r = ike_reader(bytes, sizeof(bytes));
    uint64_t less = (range >> 16) * (ike_read_u32(&r) >> 16);
    return less < value ? value - less : value;
}

int ike_session_send(IkeSession *session, const IkeIsakmpSa *sa, IkeSlice datagram, bool whole)
{
    uint8_t bytes[IKE_NON_ESP_MARKER_SIZE + IKE_MESSAGE_MAX];
    IkePacket packet = {.to = sa->peer, .bytes = datagram.bytes, .n = datagram.n, .whole = whole};

    if (sa->marked) {
        memset(bytes, 0, IKE_NON_ESP_MARKER_SIZE);
        memcpy(bytes + IKE_NON_ESP_MARKER_SIZE, datagram.bytes, datagram.n);
        packet.bytes = bytes;
        packet.n += IKE_NON_ESP_MARKER_SIZE;
    }
    return ike_queue_packet(&session->packets, &packet);
}

int ike_session_send_in_fragments(IkeSession *session, const IkeIsakmpSa *sa, IkeSlice message,
                                  uint16_t id)
{
    uint8_t bytes[IKE_WHOLE_MAX];
    int r = 0;

    for (size_t i = 1; i <= ike_fragment_count(message.n) && r == 0; i++) {
        size_t n = ike_fragment_write(bytes, message, id, i);
        r = ike_session_send(session, sa, (IkeSlice){bytes, n}, false);
    }
    return r;
}

/* Before AM3 the gateway can read nothing: the IVs follow from its last block (RFC 2409, B). */
static bool is_shared(const IkeIsakmpSa *sa)
{
    return sa != NULL && sa->authenticated && !sa->signing && sa->stage != IKE_STAGE_OVER;
}

/* The SA to say goodbye to the children under: the current one, else any. */
static IkeIsakmpSa *any_shared(const IkeSession *session)
{
    IkeIsakmpSa *found = is_shared(session->current) ? session->current : NULL;

    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX && found == NULL; i++)
        if (is_shared(session->sas[i]))
            found = session->sas[i];
    return found;
}

/* A gateway that isn't told keeps a user's only seat, or address, until it finds out by itself. */
static int say_goodbye(IkeSession *session)
{
    IkeIsakmpSa *sa = any_shared(session);
    int r = 0;

    for (size_t i = 0; i < IKE_CHILDREN_MAX && sa != NULL && r >= 0; i++)
        if (session->children[i].used && !session->children[i].gone)
            r = ike_info_delete_child(session, sa, session->children[i].info.spi_in);
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX && r >= 0; i++)
        if (is_shared(session->sas[i]))
            r = ike_info_delete_sa(session, session->sas[i]);
    return r;
}

int ike_session_fail(IkeSession *session, const IkeFailure *failure)
{
    bool was_connected = session->state == IKE_STATE_CONNECTED;
    IkeEvent event = {.type = was_connected ? IKE_EVENT_LOST : IKE_EVENT_FAILED,
                      .failure = *failure};

    if (session->state == IKE_STATE_ENDED)
        return 0;
    /* Who has asked for the end hears of no other. */
    if (session->dhcp.ending)
        return ike_session_end(session);
    /* It is over with or without it. */
    (void)say_goodbye(session);
    ike_session_set_state(session, IKE_STATE_ENDED);
    event.failure.user_open = session->unheard;
    return ike_session_emit(session, &event);
}

int ike_session_fail_simply(IkeSession *session, IkeReason reason, IkeDetail detail)
{
    return ike_session_fail(session, &(IkeFailure){.reason = reason, .detail = detail});
}

int ike_session_notice(IkeSession *session, IkeDetail detail, uint32_t notify)
{
    IkeEvent event = {.type = IKE_EVENT_NOTICE, .failure = {.detail = detail, .notify = notify}};

    return ike_session_emit(session, &event);
}

/* ---- life ---- */

static bool secret_fits(const IkeSecret *secret)
{
    return secret->n <= IKE_SECRET_MAX;
}

static bool identities_fit(const IkeConfig *config)
{
    return config->id.n > 0 && config->id.n <= IKE_ID_MAX && config->remote_id.n <= IKE_ID_MAX &&
           (config->id.type == IKE_ID_FQDN || config->id.type == IKE_ID_USER_FQDN ||
            config->id.type == IKE_ID_KEY_ID);
}

static bool proposals_fit(const IkeConfig *config)
{
    if (config->phase1_n == 0 || config->phase1_n > IKE_PHASE1_PROPOSALS_MAX ||
        config->phase2_n == 0 || config->phase2_n > IKE_PHASE2_PROPOSALS_MAX)
        return false;
    for (size_t i = 0; i < config->phase1_n; i++) {
        const IkePhase1Proposal *p = &config->phase1[i];
        if (p->cipher == NULL || p->hash == NULL || p->group == NULL || p->cipher->phase1 == 0)
            return false;
    }
    for (size_t i = 0; i < config->phase2_n; i++) {
        const IkePhase2Proposal *p = &config->phase2[i];
        if (p->cipher == NULL || ike_cipher_is_aead(p->cipher) != (p->integrity == NULL))
            return false;
    }
    return true;
}

static bool credentials_fit(const IkeConfig *config)
{
    const IkeCredentials *c = &config->credentials;

    if (config->auth == IKE_AUTH_PSK)
        return config->psk.known;
    /* Any gateway of any customer of the same CA would do. */
    if (config->remote_id.type == IKE_ID_ANY || c->anchors_n == 0 ||
        c->anchors_n > IKE_ANCHORS_MAX || c->crls_n > IKE_CRLS_MAX || c->chain_n > IKE_CHAIN_MAX)
        return false;
    if (config->auth == IKE_AUTH_HYBRID)
        return c->chain_n == 0 && config->xauth != IKE_XAUTH_NO;
    return c->chain_n > 0;
}

static bool hardware_fits(const IkeConfig *config)
{
    static const uint8_t none[IKE_HARDWARE_SIZE] = {0};

    return config->config != IKE_CONFIG_DHCP || memcmp(config->hardware, none, sizeof(none)) != 0;
}

static bool config_is_complete(const IkeConfig *config)
{
    return config->gateway.family != 0 && credentials_fit(config) && secret_fits(&config->psk) &&
           secret_fits(&config->user) && secret_fits(&config->password) && identities_fit(config) &&
           proposals_fit(config) && config->networks_n <= IKE_NETWORKS_MAX &&
           config->phase1_lifetime > 0 && config->phase2_lifetime > 0 && hardware_fits(config) &&
           (config->config != IKE_CONFIG_NONE || config->address.family != 0);
}

int ike_session_new(IkeSession **sessionp, const IkeConfig *config, IkeRandomFn random,
                    void *context)
{
    if (!config_is_complete(config))
        return -EINVAL;
    IkeSession *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return -ENOMEM;
    int r = config->auth != IKE_AUTH_PSK
                ? ike_trust_new(&session->trust, &config->credentials, &config->remote_id)
                : 0;
    if (r < 0) {
        free(session);
        return r;
    }
    session->config = *config;
    session->config.credentials = (IkeCredentials){0}; /* the caller's; ours is in `trust` */
    session->random = random;
    session->random_context = context;
    session->address_renew_at = IKE_NEVER;
    *sessionp = session;
    return 0;
}

IkeSession *ike_session_free(IkeSession *session)
{
    if (session == NULL)
        return NULL;
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        if (session->sas[i] != NULL)
            ike_isakmp_sa_remove(session, session->sas[i]);
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
        ike_child_forget(&session->children[i]);
    ike_queue_clear(&session->packets);
    ike_queue_clear(&session->events);
    ike_trust_free(session->trust);
    ike_dh_free(session->dh);
    ike_wipe(session, sizeof(*session));
    free(session);
    return NULL;
}

/* One attempt for each distinct group that is strong enough, in the profile's order. */
static void collect_groups(IkeSession *session)
{
    const IkeConfig *config = &session->config;

    for (size_t i = 0; i < config->phase1_n; i++) {
        const IkeGroup *group = config->phase1[i].group;
        bool wanted =
            config->weakest_group == NULL || group->strength >= config->weakest_group->strength;
        for (size_t j = 0; j < session->groups_n; j++)
            wanted = wanted && session->groups[j] != group;
        if (wanted)
            session->groups[session->groups_n++] = group;
    }
}

/* The end of every call: a fault of this machine ends the session, and is told. */
int ike_session_finish(IkeSession *session, int r)
{
    if (r >= 0 && session->state != IKE_STATE_ENDED)
        r = ike_session_advance(session);
    if (r >= 0)
        return 0;
    (void)ike_session_fail(
        session,
        &(IkeFailure){.reason = IKE_REASON_INTERNAL, .detail = IKE_DETAIL_LOCAL, .error = -r});
    return r;
}

void ike_session_give_dh(IkeSession *session, IkeDh *dh_take)
{
    ike_dh_free(session->dh);
    session->dh = dh_take;
}

/* Used once: whatever becomes of its exchange, the next one has another pair. */
int ike_session_dh(IkeSession *session, const IkeGroup *group, IkeDh **dhp)
{
    if (session->dh == NULL || ike_dh_group(session->dh) != group)
        return ike_dh_new(dhp, group);
    *dhp = session->dh;
    session->dh = NULL;
    return 0;
}

int ike_session_start(IkeSession *session, uint64_t now)
{
    session->now = now;
    if (session->state != IKE_STATE_IDLE)
        return -EALREADY;
    collect_groups(session);
    if (session->groups_n == 0)
        return ike_session_finish(session, -EINVAL);
    session->attempts_end = now + IKE_ADDRESS_BUDGET;
    ike_session_set_state(session, IKE_STATE_PHASE1);
    return ike_session_finish(session, ike_aggressive_begin(session, session->groups[0], false));
}

/* ---- time and wishes ---- */

int ike_session_tick(IkeSession *session, uint64_t now)
{
    int r = 0;

    session->now = now;
    if (session->state == IKE_STATE_IDLE || session->state == IKE_STATE_ENDED)
        return 0;
    for (size_t i = 0; i < IKE_EXCHANGES_MAX && r >= 0; i++)
        if (session->exchanges[i].script != NULL && session->state != IKE_STATE_ENDED)
            r = ike_exchange_tick(session, &session->exchanges[i]);
    for (size_t i = 0; i < IKE_CHILDREN_MAX && r >= 0; i++)
        if (session->children[i].used && session->state != IKE_STATE_ENDED)
            r = ike_child_tick(session, &session->children[i]);
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX && r >= 0; i++)
        if (session->sas[i] != NULL && session->state != IKE_STATE_ENDED)
            r = ike_isakmp_sa_tick(session, session->sas[i]);
    return ike_session_finish(session, r);
}

static bool answer_fits(const IkeAnswer *answer)
{
    for (size_t i = 0; answer != NULL && i < IKE_ASK_KINDS; i++)
        if (!secret_fits(&answer->given[i]))
            return false;
    return true;
}

int ike_session_answer(IkeSession *session, uint32_t id, const IkeAnswer *answer, uint64_t now)
{
    session->now = now;
    if (session->state == IKE_STATE_ENDED || session->asking == NULL || id != session->question)
        return 0;
    if (!answer_fits(answer))
        return -EINVAL;
    return ike_session_finish(session, ike_xauth_answer(session, session->asking, answer));
}

void ike_session_forget_password(IkeSession *session)
{
    ike_xauth_forget_password(session);
}

int ike_session_answer_signature(IkeSession *session, uint32_t id, const uint8_t *signature,
                                 size_t n, uint64_t now)
{
    session->now = now;
    if (session->state == IKE_STATE_ENDED || session->signing == NULL || id != session->signature)
        return 0;
    return ike_session_finish(
        session,
        ike_aggressive_sign(session, session->signing, (IkeSlice){n > 0 ? signature : NULL, n}));
}

void ike_session_traffic(IkeSession *session, uint32_t spi_in, uint64_t last_inbound)
{
    IkeChild *child = ike_child_by_spi_in(session, spi_in);

    if (last_inbound > session->last_inbound)
        session->last_inbound = last_inbound;
    ike_quick_proved(session, spi_in);
    /* The gateway uses its new SA, so it has ours too. */
    if (child != NULL && child->waiting_out != NULL)
        child->out_at = 0;
}

int ike_session_renew_sa(IkeSession *session, uint32_t spi, uint64_t now)
{
    IkeChild *child = ike_child_by_spi_in(session, spi);

    session->now = now;
    if (child == NULL)
        child = ike_child_by_spi_out(session, spi);
    if (session->state != IKE_STATE_CONNECTED || child == NULL)
        return 0;
    /* A limit of a few kilobytes is no reason for new keys a hundred times a second. */
    uint64_t least = child->made_at + IKE_RENEWAL_LEAST;
    uint64_t when = now > least ? now : least;
    child->renew_at = when < child->renew_at ? when : child->renew_at;
    return ike_session_finish(session, 0);
}

static bool may_probe(const IkeSession *session)
{
    return session->state == IKE_STATE_CONNECTED && session->current != NULL &&
           (session->current->vendors & IKE_VENDOR_DPD) != 0;
}

int ike_session_probe(IkeSession *session, uint64_t now)
{
    IkeIsakmpSa *sa = session->current;

    session->now = now;
    if (!may_probe(session) || sa->probe_since != 0)
        return 0;
    sa->probe_at = now;
    session->last_inbound = 0; /* what was heard before does not count */
    return ike_session_finish(session, ike_isakmp_sa_tick(session, sa));
}

int ike_session_probe_size(IkeSession *session, size_t size, uint64_t now)
{
    session->now = now;
    if (!may_probe(session))
        return 0;
    int r = ike_info_probe_size(session, session->current, size);
    return ike_session_finish(session, r == -EAGAIN ? 0 : r);
}

int ike_session_network_changed(IkeSession *session, uint64_t now)
{
    if (may_probe(session)) {
        session->current->probes = 0;
        session->current->probe_since = 0;
        /* What still comes of these came by the former way. */
        memset(session->current->probe_sizes, 0, sizeof(session->current->probe_sizes));
    }
    return ike_session_probe(session, now);
}

uint64_t ike_session_last_heard(const IkeSession *session)
{
    return session->heard_at;
}

int ike_session_renegotiate(IkeSession *session, uint64_t now)
{
    session->now = now;
    if (session->state != IKE_STATE_CONNECTED || session->current == NULL)
        return 0;
    session->current->renew_at = now;
    session->phase1_retry_at = now;
    session->renegotiating = true;
    return ike_session_finish(session, 0);
}

int ike_session_end(IkeSession *session)
{
    const IkeEvent event = {.type = IKE_EVENT_STOPPED};
    int r = say_goodbye(session);

    ike_session_set_state(session, IKE_STATE_ENDED);
    int s = ike_session_emit(session, &event);
    return r < 0 ? r : s;
}

int ike_session_stop(IkeSession *session, uint64_t now)
{
    session->now = now;
    if (session->state == IKE_STATE_ENDED)
        return 0;
    if (ike_dhcp_release(session))
        return ike_session_finish(session, 0);
    return ike_session_end(session);
}

/* ---- what comes out ---- */

uint64_t ike_session_deadline(const IkeSession *session)
{
    if (session->state == IKE_STATE_IDLE || session->state == IKE_STATE_ENDED)
        return IKE_NEVER;
    uint64_t deadline = ike_session_advance_deadline(session);
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        uint64_t its = ike_exchange_deadline(&session->exchanges[i]);
        deadline = its < deadline ? its : deadline;
    }
    return deadline;
}

bool ike_session_next_packet(IkeSession *session, IkePacket *packet)
{
    return ike_queue_take_packet(&session->packets, packet);
}

bool ike_session_next_event(IkeSession *session, IkeEvent *event)
{
    return ike_queue_take_event(&session->events, event);
}
