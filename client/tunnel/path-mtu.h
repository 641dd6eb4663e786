/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large the datagrams to the gateway may be: what is known, and what to ask next. Time and
 * answers come in, sizes to ask for go out; nothing here sends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PATH_MTU_MOST = 1500,   /* Ethernet; what is assumed where the link does not say */
    PATH_MTU_LEAST4 = 576,  /* RFC 791: every host takes that much */
    PATH_MTU_LEAST6 = 1280, /* RFC 8200, 5 */
    PATH_MTU_GRAIN = 16,    /* questions are whole cipher blocks */
    PATH_MTU_SIZES = 24,    /* asked for at once, at most */
};

/* Sizes are those of IP packets. */
typedef struct PathMtu {
    unsigned least, most; /* of the family, of the link */
    unsigned size;        /* in use */
    bool proven;          /* the gateway has answered one of that size */
    bool deaf;            /* what ICMP says of this path was found to be untrue */
    unsigned told;        /* by ICMP; 0: nothing, or it is no longer so */

    /* the search that is on */
    unsigned first; /* asked for first; 0: none is on */
    bool denied;    /* ICMP says that this one does not get through */
    unsigned best;  /* of the sizes that were answered */
    unsigned round;
    uint64_t at; /* when it goes on */
    uint64_t asked_at, searched_at;
} PathMtu;

/* Another way: all that was known was of the former. `most` 0: the link's is not known. */
void path_mtu_begin(PathMtu *self, unsigned family, unsigned most);

/* Asks for `size`, and if it gets no answer for what networks are known to have. */
void path_mtu_search(PathMtu *self, unsigned size, uint64_t now);
/* Since packets go out: what is known is asked for again every minute, and more every ten. */
void path_mtu_used(PathMtu *self, uint64_t now);
/* Packets go out and nothing comes back. */
void path_mtu_doubt(PathMtu *self, uint64_t now);
/* An ICMP message, which anybody may have sent: true where it is followed, until the answer to a
 * question says otherwise. */
bool path_mtu_tell(PathMtu *self, unsigned size, uint64_t now);
/* The gateway, authentically. */
void path_mtu_answered(PathMtu *self, unsigned size);

uint64_t path_mtu_deadline(const PathMtu *self);
/* Fills in what is to be asked for now, ascending, and says how many that are. */
size_t path_mtu_tick(PathMtu *self, uint64_t now, unsigned sizes[PATH_MTU_SIZES]);
