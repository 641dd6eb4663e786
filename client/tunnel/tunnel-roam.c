/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another link, another address, no network for a while, or hours of sleep.
 *
 * Nothing inside of the tunnel is touched by any of it: interface, addresses and routes stay, so
 * that what runs over them goes on when packets do. The UDP sockets are bound to no address: what
 * is sent goes the new way at once. Whether the gateway follows is found out by asking it (RFC
 * 3706): through a NAT, or what poses as one, an authentic message from another address moves the
 * client there (RFC 3947, 7).
 *
 * Until it has answered the tunnel is in doubt. A doubt ends after little more than a second, in
 * which a question gets lost twice: then the state is `reconnecting`, and a new Phase 1 asks for
 * the same inner address. Where that would ask a person for another one-time code, the old SAs are
 * given as long as DPD takes. An address of another family, or an SA without UDP encapsulation, is
 * nothing that a gateway can follow to: a new Phase 1 at once.
 *
 * Without any network the session is kept as it is, and its clock is not looked at: what it would
 * send goes nowhere. It is asked after when there is a network again.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/tunnel/config.h"

/* ---- the way ---- */

bool tunnel_roam_find_way(const Tunnel *self, const IkeAddress *to, PlatformWay *wayp)
{
    const PlatformAddress address = tunnel_address_from_ike(to);
    return self->roam.watch != NULL &&
           platform_network_watch_way(self->roam.watch, &address, self->roam.mark, wayp);
}

bool tunnel_roam_has_way(const Tunnel *self, const IkeAddress *to)
{
    PlatformWay way;
    return self->roam.watch == NULL || tunnel_roam_find_way(self, to, &way);
}

static bool has_way_to(const Tunnel *self, const char *text)
{
    PlatformAddress address;
    PlatformWay way;
    return platform_address_parse(text, &address) &&
           platform_network_watch_way(self->roam.watch, &address, self->roam.mark, &way);
}

/* To the gateway, or, for its name may have other addresses, to anywhere: the two are addresses of
 * root name servers, which are not asked anything. */
static bool has_network(const Tunnel *self)
{
    if (tunnel_roam_has_way(self, &self->good))
        return true;
    for (guint i = 0; i < self->profile->gateways->len; i++)
        if (has_way_to(self, g_array_index(self->profile->gateways, DialtoneEndpoint, i).host))
            return true;
    return has_way_to(self, "198.41.0.4") || has_way_to(self, "2001:503:ba3e::2:30");
}

IkeAddress tunnel_roam_local(const Tunnel *self, const IkeAddress *to)
{
    const guint16 port = self->roam.ports[to->family == 6 ? 1 : 0];
    PlatformWay way;
    if (self->roam.watch == NULL || port == 0 || !tunnel_roam_find_way(self, to, &way) ||
        way.source.family == 0)
        return (IkeAddress){0};
    return tunnel_address_to_ike(&way.source, port);
}

static bool same_source(const PlatformWay *a, const PlatformWay *b)
{
    return a->source.family == b->source.family && platform_address_equal(&a->source, &b->source);
}

static bool same_way(const PlatformWay *a, const PlatformWay *b)
{
    return a->ifindex == b->ifindex && same_source(a, b);
}

void tunnel_roam_called(Tunnel *self, const IkeAddress *gateway)
{
    TunnelRoam *roam = &self->roam;
    roam->held = false;
    roam->doubt_since = 0;
    if (!tunnel_roam_find_way(self, gateway, &roam->way))
        roam->way = (PlatformWay){0};
    tunnel_mtu_way_changed(self);
}

/* ---- doubt ---- */

static bool stands(const Tunnel *self)
{
    return self->session != NULL && !self->session_over && self->ike_connected;
}

static GError *explain(const Tunnel *self)
{
    GError *error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, NULL, "%s",
                         self->roam.moved == TUNNEL_MOVED_SLEEP ? _("The computer was asleep.")
                                                                : _("The network has changed."));
    return error;
}

/* The helper has looked at the links around when the plan was applied. */
static void look_anew(Tunnel *self)
{
    if (self->plan != NULL && (self->roam.relinked || self->plan->local->len > 0))
        g_clear_pointer(&self->plan, helper_plan_free);
    self->roam.relinked = false;
}

/* False where no address of the gateway's that is known can be reached. */
static bool find_reachable(const Tunnel *self, IkeAddress *addressp)
{
    const GArray *found = self->good_found;
    *addressp = self->peer;
    for (guint i = 0; i < found->len && !tunnel_roam_has_way(self, addressp); i++)
        *addressp = g_array_index(found, IkeAddress, i);
    return tunnel_roam_has_way(self, addressp);
}

/* Before a new Phase 1: a gateway that keeps the old SAs keeps the inner address with them, and may
 * send to where nobody is. Who knows the SA by its cookies hears that from anywhere. */
static void say_goodbye(Tunnel *self)
{
    IkePacket packet;
    IkeAddress to;
    guint64 now = platform_clock_now();
    if (!stands(self) || !find_reachable(self, &to) || ike_session_stop(self->session, now) < 0 ||
        ike_session_stop(self->session, now) < 0) /* a second time: a lease is not waited for */
        return;
    while (ike_session_next_packet(self->session, &packet)) {
        to.port = packet.to.port;
        if (datapath_send(self->datapath, &to, packet.bytes, packet.n) < 0)
            g_debug("a good-bye could not be sent");
    }
}

static void again(Tunnel *self)
{
    say_goodbye(self);
    self->roam.doubt_since = 0;
    self->roam.held = false;
    look_anew(self);
    tunnel_attempt_again(self, explain(self));
    tunnel_rearm(self);
}

/* Asked again at once, whatever was asked before. Where the state says `reconnecting` already, a
 * doubt of before takes no time from this one. */
static void doubt(Tunnel *self)
{
    TunnelRoam *roam = &self->roam;
    guint64 now = platform_clock_now();
    if (roam->doubt_since == 0 || roam->held)
        roam->doubt_first = now;
    roam->doubt_since = now;
    roam->doubt_until = MIN(now + TUNNEL_DOUBT_MS * IKE_MILLISECOND,
                            roam->doubt_first + TUNNEL_DOUBT_MOST_MS * IKE_MILLISECOND);
    if (ike_session_network_changed(self->session, now) < 0)
        g_debug("the gateway could not be asked");
    tunnel_session_pump(self);
    tunnel_rearm(self);
}

static void settle(Tunnel *self)
{
    self->roam.doubt_since = 0;
    self->roam.held = false;
    self->roam.moved = TUNNEL_MOVED_NOT;
    g_debug("the gateway answers on the new way");
    look_anew(self);
    tunnel_link_apply(self);
}

void tunnel_roam_heard(Tunnel *self)
{
    const guint64 since = self->roam.doubt_since;
    if (since == 0 || self->end != TUNNEL_END_NOT || !stands(self))
        return;
    if (ike_session_last_heard(self->session) > since)
        settle(self);
}

static guint64 give_up_at(const Tunnel *self)
{
    const TunnelRoam *roam = &self->roam;
    return tunnel_question_would_ask(self) ? roam->doubt_first + TUNNEL_HOLD_SECONDS * IKE_SECOND
                                           : roam->doubt_until;
}

guint64 tunnel_roam_deadline(const Tunnel *self)
{
    const TunnelRoam *roam = &self->roam;
    if (roam->unseen && self->end == TUNNEL_END_NOT)
        return 0;
    if (roam->doubt_since == 0 || tunnel_roam_is_still(self) || self->end != TUNNEL_END_NOT ||
        !stands(self))
        return IKE_NEVER;
    return roam->held ? MAX(roam->doubt_until, give_up_at(self)) : roam->doubt_until;
}

/* ---- what changes ---- */

/* Of hours of sleep and another network the former is told. */
static void note_move(Tunnel *self)
{
    self->roam.moved = MAX(self->roam.moved, TUNNEL_MOVED_NETWORK);
}

/* Who types an answer goes on typing: it is sent the new way. */
static bool is_asking(const Tunnel *self)
{
    return self->question != 0;
}

static void go_offline(Tunnel *self)
{
    GError *error = NULL;
    if (self->roam.offline)
        return;
    self->roam.offline = true;
    note_move(self);
    g_debug("there is no network");
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE,
                         _("Connect to a network; the tunnel comes back by itself."),
                         _("There is no network."));
    self->roam.held = stands(self);
    tunnel_attempt_cancel(self);
    if (!stands(self) && !is_asking(self))
        tunnel_session_drop(self);
    tunnel_attempt_away(self, error);
    tunnel_rearm(self);
}

/* A tunnel that stands, and a network beneath it that is there. */
static void look_after(Tunnel *self, const PlatformWay *former, bool interrupted)
{
    const PlatformWay *way = &self->roam.way;
    bool same = same_way(way, former);
    if (same && !interrupted)
        return;
    note_move(self);
    g_debug("the way to the gateway is by %s now", way->link);
    bool may_follow = way->ifindex != 0 && (self->phase1.natt || same_source(way, former));
    if (may_follow)
        doubt(self);
    else
        again(self);
}

/* An attempt that has not come to its end, or a pause between two. What was lost of an attempt on
 * the same way is sent again anyway. */
static void look_after_attempt(Tunnel *self, const PlatformWay *former, bool interrupted)
{
    const PlatformWay *way = &self->roam.way;
    bool same = same_way(way, former);
    if (is_asking(self) || (same && (!interrupted || self->session != NULL)))
        return;
    note_move(self);
    again(self);
}

static void look(Tunnel *self, bool interrupted)
{
    TunnelRoam *roam = &self->roam;
    if (self->end != TUNNEL_END_NOT || !self->was_connected || roam->asleep)
        return;
    if (!has_network(self)) {
        go_offline(self);
        return;
    }
    const PlatformWay former = roam->way;
    const IkeAddress *to = self->session != NULL ? &self->peer : &self->good;
    if (!tunnel_roam_find_way(self, to, &roam->way))
        roam->way = (PlatformWay){0};
    interrupted |= roam->offline;
    roam->offline = false;
    roam->relinked |= roam->way.ifindex != former.ifindex;
    if (roam->way.mtu != former.mtu || !same_way(&roam->way, &former))
        tunnel_mtu_way_changed(self);
    if (stands(self))
        look_after(self, &former, interrupted);
    else
        look_after_attempt(self, &former, interrupted);
}

void tunnel_roam_tick(Tunnel *self, guint64 now)
{
    TunnelRoam *roam = &self->roam;
    if (now < tunnel_roam_deadline(self))
        return;
    if (roam->unseen) {
        roam->unseen = false;
        look(self, false);
        return;
    }
    /* A gateway without DPD answers nothing; what came through the tunnel is as good. */
    if (datapath_last_inbound(self->datapath, NULL) > roam->doubt_since) {
        settle(self);
        return;
    }
    if (now >= give_up_at(self)) {
        again(self);
        return;
    }
    roam->held = true;
    tunnel_attempt_away(self, explain(self));
}

static void on_change(const PlatformNetworkChange *change, void *data)
{
    Tunnel *self = data;
    look(self, platform_network_change_touches(change, self->roam.way.ifindex));
}

void tunnel_roam_connected(Tunnel *self)
{
    TunnelRoam *roam = &self->roam;
    roam->moved = TUNNEL_MOVED_NOT;
    roam->held = false;
    /* Routing of a kind that the kernel can't be asked about: the tunnel stands all the same. */
    if (roam->watch != NULL && !roam->known && !tunnel_roam_has_way(self, &self->peer)) {
        g_debug("the kernel knows no way to the gateway");
        g_clear_pointer(&roam->watch, platform_network_watch_free);
    }
    roam->known = true;
    /* What changed while the way was new; but not while the session is in hand. */
    roam->unseen = roam->watch != NULL;
}

/* ---- sleep ---- */

bool tunnel_roam_is_still(const Tunnel *self)
{
    return self->roam.offline || self->roam.asleep;
}

static void wake_up(Tunnel *self)
{
    TunnelRoam *roam = &self->roam;
    roam->asleep = false;
    roam->woke_up++;
    if (self->end != TUNNEL_END_NOT)
        return;
    g_debug("the machine was asleep");
    roam->doubt_since = 0;
    if (self->was_connected) {
        roam->moved = TUNNEL_MOVED_SLEEP;
        if (roam->watch != NULL)
            look(self, true);
        else if (stands(self))
            doubt(self);
    }
    tunnel_rearm(self);
}

static void on_slept(uint64_t slept, void *data)
{
    Tunnel *self = data;
    tunnel_backoff_slept(&self->backoff, slept);
    wake_up(self);
}

void tunnel_roam_look_at_clock(Tunnel *self)
{
    if (self->roam.clock != NULL)
        platform_sleep_clock_look(self->roam.clock);
}

/* Before the first connection there is nothing to keep: its attempt goes on. */
void tunnel_goes_to_sleep(Tunnel *self)
{
    if (self->end != TUNNEL_END_NOT || !self->was_connected)
        return;
    self->roam.asleep = true;
    tunnel_rearm(self);
}

void tunnel_woke_up(Tunnel *self)
{
    const guint32 before = self->roam.woke_up;
    tunnel_roam_look_at_clock(self);
    if (self->roam.woke_up == before)
        wake_up(self);
}

/* ---- words ---- */

char *tunnel_roam_words(const Tunnel *self, const char *message)
{
    const char *why = NULL;
    if (self->was_connected && self->roam.moved == TUNNEL_MOVED_NETWORK)
        why = _("The network has changed, so the gateway asks again.");
    if (self->was_connected && self->roam.moved == TUNNEL_MOVED_SLEEP)
        why = _("The computer was asleep, so the gateway asks again.");
    if (why == NULL || message[0] == '\0')
        return g_strdup(why != NULL ? why : message);
    return g_strdup_printf("%s\n%s", why, message);
}

/* ---- life ---- */

void tunnel_roam_begin(Tunnel *self)
{
    self->roam.clock = platform_sleep_clock_new(on_slept, self);
}

void tunnel_roam_take_watch(Tunnel *self, int fd_take)
{
    if (fd_take >= 0)
        self->roam.watch = platform_network_watch_new(fd_take, on_change, self);
}

static guint16 port_of(int fd)
{
    struct sockaddr_storage storage;
    socklen_t n = sizeof(storage);
    PlatformAddress address;
    guint16 port = 0;
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&storage, &n) < 0 ||
        !platform_address_from_sockaddr(&storage, &address, &port))
        return 0;
    return port;
}

void tunnel_roam_take_ports(Tunnel *self, int udp4, int udp6)
{
    self->roam.ports[0] = port_of(udp4);
    self->roam.ports[1] = port_of(udp6);
}

void tunnel_roam_free(Tunnel *self)
{
    platform_network_watch_free(self->roam.watch);
    self->roam.watch = NULL;
    platform_sleep_clock_free(self->roam.clock);
    self->roam.clock = NULL;
}
