/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path's MTU of a tunnel: where PathMtu's questions and answers come from, and what is done
 * with what it finds.
 *
 * The link and the route are asked first. ICMP is heard by the kernel, which keeps what it says of
 * a destination with the route; it is looked at when the kernel refuses to send, and between two
 * questions. The questions are IKE's (RFC 3706, with padding), for it alone has an answer that
 * nobody else can give.
 *
 * As long as no answer has shown that datagrams of the size in use get through, they may be cut on
 * their way: slow, but better than lost. With an MTU of the user's own nothing is asked or learnt,
 * and so it stays.
 */
#include "client/tunnel/tunnel-private.h"

#include "client/tunnel/config.h"

enum { HEADERS4 = 20 + 8, HEADERS6 = 40 + 8 }; /* IP and UDP */

/* Longer than the last message of a Quick Mode is repeated (ike/policy.h). */
#define AFTER_PHASE2 (3 * IKE_SECOND / 2)

static unsigned headers(const Tunnel *self)
{
    return self->peer.family == 6 ? HEADERS6 : HEADERS4;
}

/* IPv6 inside needs links of 1,280 bytes (RFC 8200, 5): a path that is too narrow for those gets
 * datagrams that are cut. */
unsigned tunnel_mtu_of_path(const Tunnel *self)
{
    unsigned size = self->mtu.size != 0 ? self->mtu.size : PATH_MTU_MOST, inner = 0;
    for (; self->inner.address6.family != 0 && size < PATH_MTU_MOST; size++) {
        inner = tunnel_link_inner_mtu(self, size);
        if (inner == 0 || inner >= PATH_MTU_LEAST6)
            break;
    }
    return size;
}

/* ---- what follows ---- */

static DatapathSizes sizes_of(const Tunnel *self, const PathMtu *mtu)
{
    if (!mtu->proven || tunnel_mtu_of_path(self) > self->mtu.size)
        return DATAPATH_CUT;
    return mtu->deaf ? DATAPATH_WHOLE_DEAF : DATAPATH_WHOLE;
}

void tunnel_mtu_set_peer(Tunnel *self)
{
    const IkeAddress peer = tunnel_session_esp_peer(self);
    datapath_set_sizes(self->datapath, sizes_of(self, &self->mtu));
    datapath_set_peer(self->datapath, &peer, tunnel_mtu_of_path(self));
}

static void take_over(Tunnel *self, const PathMtu *former)
{
    const PathMtu *mtu = &self->mtu;
    if (mtu->size == former->size && sizes_of(self, mtu) == sizes_of(self, former))
        return;
    g_debug("datagrams to the gateway may have %u bytes%s", mtu->size,
            mtu->proven ? ", as it has answered" : "");
    if (!self->ike_connected || self->session_over)
        return;
    tunnel_mtu_set_peer(self);
    if (mtu->size != former->size)
        tunnel_link_apply(self);
}

/* ---- what happens ---- */

static bool can_ask(const Tunnel *self)
{
    return self->session != NULL && !self->session_over && self->ike_connected &&
           self->profile->mtu == 0 && self->end == TUNNEL_END_NOT;
}

static void ask(Tunnel *self, uint64_t when)
{
    if (!can_ask(self))
        return;
    path_mtu_search(&self->mtu, self->mtu.most, when);
    tunnel_rearm(self);
}

void tunnel_mtu_way_changed(Tunnel *self)
{
    const PathMtu former = self->mtu;
    const unsigned link = self->profile->mtu == 0 ? self->roam.way.mtu : 0;
    path_mtu_begin(&self->mtu, self->peer.family, link);
    ask(self, platform_clock_now());
    take_over(self, &former);
}

/* What goes inside is known now as well. The questions, each an exchange of its own, wait for what
 * is still to be repeated of those that made the SAs: gateways know so many at a time. */
void tunnel_mtu_connected(Tunnel *self)
{
    tunnel_mtu_set_peer(self);
    ask(self, platform_clock_now() + AFTER_PHASE2);
}

void tunnel_mtu_carried(Tunnel *self, size_t datagram)
{
    const PathMtu former = self->mtu;
    path_mtu_answered(&self->mtu, (unsigned)datagram + headers(self));
    take_over(self, &former);
}

/* What the kernel has learnt by ICMP. */
static void listen_to_icmp(Tunnel *self)
{
    PlatformWay way;
    if (tunnel_roam_find_way(self, &self->peer, &way) && way.learnt != 0)
        path_mtu_tell(&self->mtu, way.learnt, platform_clock_now());
}

void tunnel_mtu_refused(Tunnel *self)
{
    const PathMtu former = self->mtu;
    if (!can_ask(self))
        return;
    listen_to_icmp(self);
    path_mtu_doubt(&self->mtu, platform_clock_now()); /* where nobody tells why */
    take_over(self, &former);
    tunnel_rearm(self);
}

void tunnel_mtu_used(Tunnel *self, bool silence)
{
    if (!can_ask(self))
        return;
    (silence ? path_mtu_doubt : path_mtu_used)(&self->mtu, platform_clock_now());
    tunnel_rearm(self);
}

/* ---- time ---- */

guint64 tunnel_mtu_deadline(const Tunnel *self)
{
    return can_ask(self) && !tunnel_roam_is_still(self) ? path_mtu_deadline(&self->mtu) : IKE_NEVER;
}

void tunnel_mtu_tick(Tunnel *self, guint64 now)
{
    const PathMtu former = self->mtu;
    unsigned sizes[PATH_MTU_SIZES];
    if (tunnel_mtu_deadline(self) > now)
        return;
    if (self->mtu.round > 0)
        listen_to_icmp(self);
    size_t n = path_mtu_tick(&self->mtu, now, sizes);
    for (size_t i = 0; i < n; i++)
        if (ike_session_probe_size(self->session, sizes[i] - headers(self), now) < 0)
            g_debug("the gateway could not be asked");
    take_over(self, &former);
    tunnel_session_pump(self);
}
