/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pair of ESP SAs, from its keys to its end.
 *
 * Renewal without a lost packet: the new inbound SA stands before the gateway can use it; the new
 * outbound one is used when the gateway has proved that it has it, by a packet, or after a second;
 * the old inbound one takes packets for some seconds more.
 */
#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <string.h>

static int make_esp(IkeSession *session, const IkeChildParameters *p, uint32_t spi, bool inbound,
                    EspSa **sap)
{
    const IkePhase2Proposal *chosen = &p->info.chosen;
    uint8_t keymat[ESP_KEYMAT_MAX];
    size_t n = esp_keymat_size(chosen->cipher, chosen->integrity);
    const IkeChildMaterial material = {
        .protocol = IKE_PROTOCOL_ESP,
        .spi = spi,
        .secret = p->secret,
        .nonce_i = p->nonce_i,
        .nonce_r = p->nonce_r,
    };
    EspParameters parameters = {
        .spi = spi,
        .cipher = chosen->cipher,
        .integrity = chosen->integrity,
        .sha256_truncation = session->config.sha256_truncation,
        .keymat = keymat,
        .plain_crypto = session->config.plain_crypto,
    };
    int r = ike_keys_child(&p->sa->keys, &material, keymat, n);

    if (r == 0)
        r = ike_session_random(session, (uint8_t *)parameters.iv_seed, sizeof(parameters.iv_seed));
    if (r == 0)
        r = inbound ? esp_open_new(sap, &parameters) : esp_seal_new(sap, &parameters);
    ike_wipe(keymat, sizeof(keymat));
    return r;
}

static IkeChild *free_place(IkeSession *session)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
        if (!session->children[i].used)
            return &session->children[i];
    return NULL;
}

size_t ike_child_places(const IkeSession *session)
{
    size_t n = 0;

    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
        n += !session->children[i].used;
    return n;
}

static int emit_sa(IkeSession *session, IkeEventType type, const IkeSaInfo *info, EspSa *esp)
{
    IkeEvent event = {.type = type};

    event.sa = *info;
    event.esp = esp;
    return ike_session_emit(session, &event);
}

static void set_times(IkeSession *session, IkeChild *child)
{
    uint32_t seconds = child->info.lifetime;
    uint64_t renewal = ike_policy_renewal(seconds);

    child->made_at = session->now;
    child->renew_at =
        session->now + ike_session_jitter(session, renewal, ike_policy_renewal_jitter(seconds));
    child->expires_at = session->now + seconds * IKE_SECOND;
    child->remove_at = child->out_at = IKE_NEVER;
}

/* Renewed before the kilobytes are used up; half of the sequence numbers in any case (RFC 4303,
 * 3.3.3: they never wrap). */
static void set_soft_limits(EspSa *esp, uint32_t kilobytes)
{
    uint64_t bytes = kilobytes != 0 ? (uint64_t)kilobytes * 1024 / 10 * 8 : UINT64_MAX;

    esp_sa_set_soft_limit(esp, bytes, UINT64_C(1) << 31);
}

/* It is nobody's successor and has none: whoever needs another one asks for it. */
static void keep_for_dhcp(IkeChild *child, EspSa *in_take)
{
    child->own_in = in_take;
    child->own_out = child->waiting_out;
    child->waiting_out = NULL;
    child->replaced = true;
    child->renew_at = IKE_NEVER;
    child->remove_at = child->expires_at;
}

int ike_child_new(IkeSession *session, const IkeChildParameters *p, IkeChild **childp)
{
    EspSa *in = NULL, *out = NULL;
    IkeChild *child = free_place(session);
    int r = child != NULL ? make_esp(session, p, p->info.spi_in, true, &in) : -EAGAIN;

    if (r == 0)
        r = make_esp(session, p, p->info.spi_out, false, &out);
    if (r < 0) {
        esp_sa_free(in);
        return r;
    }
    set_soft_limits(in, p->kilobytes);
    set_soft_limits(out, p->kilobytes);
    *child = (IkeChild){.used = true, .info = p->info, .network = p->network, .waiting_out = out};
    set_times(session, child);
    bool dhcp = p->network == IKE_NETWORK_DHCP;
    if (dhcp)
        keep_for_dhcp(child, in);
    r = emit_sa(session, IKE_EVENT_SA_IN, &child->info, dhcp ? NULL : in);
    if (r < 0) {
        if (!dhcp)
            esp_sa_free(in);
        ike_child_forget(child);
        return r;
    }
    *childp = child;
    return 0;
}

static void retire_others(IkeSession *session, const IkeChild *child)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        IkeChild *other = &session->children[i];
        if (!other->used || other == child || other->network != child->network || other->replaced)
            continue;
        other->replaced = true;
        other->remove_at = session->now + IKE_CHILD_OVERLAP;
    }
}

int ike_child_send(IkeSession *session, IkeChild *child)
{
    EspSa *out = child->waiting_out;

    if (out == NULL)
        return 0;
    child->waiting_out = NULL;
    child->out_at = IKE_NEVER;
    retire_others(session, child);
    int r = emit_sa(session, IKE_EVENT_SA_OUT, &child->info, out);
    if (r < 0)
        esp_sa_free(out);
    return r;
}

/* Begun by the gateway, which has not said yet that it has it. */
static bool is_unconfirmed(const IkeChild *child)
{
    return child->waiting_out != NULL && child->out_at == IKE_NEVER;
}

IkeChild *ike_child_current(const IkeSession *session, size_t network)
{
    const IkeChild *newest = NULL;

    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        const IkeChild *child = &session->children[i];
        if (!child->used || child->replaced || child->network != network || is_unconfirmed(child))
            continue;
        if (newest == NULL || child->expires_at > newest->expires_at)
            newest = child;
    }
    return (IkeChild *)newest; /* the session is the caller's */
}

void ike_child_renew_all(IkeSession *session)
{
    for (size_t i = 0; i < session->wanted_n; i++) {
        IkeChild *child = ike_child_current(session, i);
        if (child != NULL)
            child->renew_at = session->now;
    }
}

IkeChild *ike_child_for_dhcp(IkeSession *session)
{
    IkeChild *newest = NULL;

    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        IkeChild *child = &session->children[i];
        if (child->used && !child->gone && child->network == IKE_NETWORK_DHCP &&
            session->now < child->remove_at && (newest == NULL || child->made_at > newest->made_at))
            newest = child;
    }
    return newest;
}

IkeChild *ike_child_by_spi_in(IkeSession *session, uint32_t spi)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
        if (session->children[i].used && session->children[i].info.spi_in == spi)
            return &session->children[i];
    return NULL;
}

IkeChild *ike_child_by_spi_out(IkeSession *session, uint32_t spi)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
        if (session->children[i].used && session->children[i].info.spi_out == spi)
            return &session->children[i];
    return NULL;
}

void ike_child_forget(IkeChild *child)
{
    esp_sa_free(child->waiting_out);
    esp_sa_free(child->own_in);
    esp_sa_free(child->own_out);
    memset(child, 0, sizeof(*child));
}

static int remove_child(IkeSession *session, IkeChild *child)
{
    IkeSaInfo info = child->info;

    ike_child_forget(child);
    return emit_sa(session, IKE_EVENT_SA_GONE, &info, NULL);
}

/* The one that would have taken over later. */
static IkeChild *waiting_successor(IkeSession *session, const IkeChild *child)
{
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        IkeChild *other = &session->children[i];
        if (other->used && other != child && !other->replaced && other->waiting_out != NULL &&
            other->network == child->network)
            return other;
    }
    return NULL;
}

int ike_child_deleted(IkeSession *session, IkeChild *child)
{
    IkeChild *successor = child->replaced ? NULL : waiting_successor(session, child);

    /* The gateway does without it, so it has the new one, even if its QM3 never came. */
    if (successor != NULL) {
        int r = ike_child_send(session, successor);
        if (r < 0)
            return r;
    }
    if (child->replaced || session->state == IKE_STATE_ENDED) {
        uint64_t limit = session->now + IKE_DELETED_WAIT;
        child->remove_at = child->remove_at < limit ? child->remove_at : limit;
        child->gone = true;
        return 0;
    }
    /* It was in use: another one is asked for, unless the gateway is already about it, or the
     * whole tunnel is ending and the next DELETE says so. */
    session->retry_at[child->network] = session->now + IKE_DELETED_WAIT;
    return remove_child(session, child);
}

int ike_child_tick(IkeSession *session, IkeChild *child)
{
    int r = 0;

    if (session->now >= child->out_at)
        r = ike_child_send(session, child);
    if (r == 0 && session->now >= child->remove_at) {
        if (!child->gone && session->current != NULL)
            r = ike_info_delete_child(session, session->current, child->info.spi_in);
        if (r == 0)
            r = remove_child(session, child);
    }
    return r;
}

uint64_t ike_child_deadline(const IkeChild *child)
{
    return child->out_at < child->remove_at ? child->out_at : child->remove_at;
}
