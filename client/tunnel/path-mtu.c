/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for the MTU of a path (RFC 8899, with what is authentic in IKE for an echo).
 *
 * It begins with the link's own MTU, and one question of that size: as a rule that is all. What
 * gets no answer is asked once more, together with the sizes that networks are known to have (as
 * RFC 1191, 7.1 does); the largest that is answered counts. Of a gateway that answers none, not
 * even the smallest, nothing is learnt, and nothing is changed: it answers no padded question.
 *
 * ICMP is quick and may be a lie: it is followed at once, never below what every network carries,
 * never up, and the size it denies is asked for in the same moment. Once it was found to be a lie,
 * ICMP is not listened to any more on this path.
 */
#include "client/tunnel/path-mtu.h"

#include "ike/ike.h"

enum { ROUNDS = 3 };

#define WAIT          IKE_SECOND
#define CONFIRM_AFTER (60 * IKE_SECOND)
#define DOUBT_AFTER   (30 * IKE_SECOND)
#define RAISE_AFTER   (600 * IKE_SECOND) /* RFC 8899, 5.1.1: PMTU_RAISE_TIMER */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of links and of other tunnels beneath this one: minimum of IPv4, two plateaus of RFC 1191,
 * minimum of IPv6, tunnels in tunnels, mobile networks, WireGuard, fibre in Japan, clouds, 6in4,
 * PPPoE, Ethernet. Ascending. */
static const unsigned COMMON[] = {576,  1006, 1200, 1280, 1320, 1340, 1360, 1380, 1400,
                                  1412, 1420, 1428, 1440, 1454, 1460, 1480, 1492, 1500};

static unsigned lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

void path_mtu_begin(PathMtu *self, unsigned family, unsigned most)
{
    const unsigned least = family == 6 ? PATH_MTU_LEAST6 : PATH_MTU_LEAST4;

    *self = (PathMtu){.least = least, .most = PATH_MTU_MOST, .at = IKE_NEVER};
    if (most != 0 && most < self->most)
        self->most = most > least ? most : least;
    self->size = self->most;
}

/* A question is up to a block shorter than the size that it is about. What was answered is all that
 * is known; but right below the link's own MTU, or the one that a router has named, it would have
 * to be one that networks do not have. */
static unsigned stands_for(const PathMtu *self, unsigned answered)
{
    unsigned found = self->most;

    if (self->told >= answered && self->told < answered + PATH_MTU_GRAIN)
        return self->told;
    if (answered + PATH_MTU_GRAIN <= self->most)
        return answered;
    for (size_t i = 0; i < COUNT(COMMON); i++)
        if (COMMON[i] >= answered)
            found = lesser(found, COMMON[i]);
    return found;
}

void path_mtu_search(PathMtu *self, unsigned size, uint64_t now)
{
    self->first = lesser(size, self->most);
    self->best = self->round = 0;
    self->denied = false;
    self->at = self->asked_at = now;
    if (self->first + PATH_MTU_GRAIN > self->most)
        self->searched_at = now;
}

void path_mtu_used(PathMtu *self, uint64_t now)
{
    bool may_be_more = !self->proven || self->size + PATH_MTU_GRAIN <= self->most;

    if (self->first != 0)
        return;
    if (may_be_more && now - self->searched_at >= RAISE_AFTER) {
        /* Where nobody answers, who denied it may deny it again. */
        if (!self->proven)
            self->size = self->most;
        path_mtu_search(self, self->most, now);
    } else if (self->proven && now - self->asked_at >= CONFIRM_AFTER) {
        path_mtu_search(self, self->size, now);
    }
}

void path_mtu_doubt(PathMtu *self, uint64_t now)
{
    if (self->first == 0 && self->proven && now - self->asked_at >= DOUBT_AFTER)
        path_mtu_search(self, self->size, now);
}

bool path_mtu_tell(PathMtu *self, unsigned size, uint64_t now)
{
    const unsigned denied = self->size;

    if (size < self->least)
        size = self->least;
    if (self->deaf || size >= self->size)
        return false;
    self->told = self->size = size;
    /* What was answered earlier in this search is no answer to that. */
    if (self->first == 0 || size < self->best) {
        path_mtu_search(self, self->first != 0 ? self->first : denied, now);
        self->denied = true;
    }
    return true;
}

static void settle(PathMtu *self)
{
    if (self->best == 0)
        return;
    self->size = stands_for(self, self->best);
    self->proven = true;
    if (self->denied && self->told < self->best)
        self->deaf = true; /* until the path is another one */
    if (self->told < self->best)
        self->told = 0; /* a lie, or it is another path now */
}

static void conclude(PathMtu *self)
{
    settle(self);
    self->first = 0;
    self->at = IKE_NEVER;
}

void path_mtu_answered(PathMtu *self, unsigned size)
{
    if (self->first == 0 || size <= self->best || size > self->first)
        return;
    self->best = size;
    if (size + PATH_MTU_GRAIN > self->first)
        conclude(self);
}

uint64_t path_mtu_deadline(const PathMtu *self)
{
    return self->first != 0 ? self->at : IKE_NEVER;
}

static size_t add_size(unsigned sizes[PATH_MTU_SIZES], size_t n, unsigned size)
{
    size_t at = n;

    for (size_t i = 0; i < n; i++)
        if (sizes[i] == size)
            return n;
    for (; at > 0 && sizes[at - 1] > size; at--)
        sizes[at] = sizes[at - 1];
    sizes[at] = size;
    return n + 1;
}

static size_t all_sizes(const PathMtu *self, unsigned sizes[PATH_MTU_SIZES])
{
    size_t n = add_size(sizes, 0, self->first);

    for (size_t i = 0; i < COUNT(COMMON); i++)
        if (COMMON[i] >= self->least && COMMON[i] > self->best && COMMON[i] < self->first)
            n = add_size(sizes, n, COMMON[i]);
    if (self->told > self->best && self->told < self->first)
        n = add_size(sizes, n, self->told);
    return n;
}

size_t path_mtu_tick(PathMtu *self, uint64_t now, unsigned sizes[PATH_MTU_SIZES])
{
    if (now < path_mtu_deadline(self))
        return 0;
    if (self->round == ROUNDS) {
        conclude(self);
        return 0;
    }
    self->at = now + WAIT;
    if (self->round++ == 0) {
        sizes[0] = self->first;
        return 1;
    }
    /* Larger ones have been asked for twice: what was answered is good enough to go on with. */
    if (self->best != 0 && self->best < self->size)
        settle(self);
    return all_sizes(self, sizes);
}
