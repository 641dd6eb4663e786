/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that says what stands in the tables of a slot. */
#pragma once

#include "platform/slot.h"

#define FIREWALL_NOBODY ((uid_t)-1)

/* Each is more than the one before it. */
typedef enum FirewallStanding {
    FIREWALL_NOTHING,
    FIREWALL_ADDRESSES,
    FIREWALL_KILL_SWITCH,
    FIREWALL_BOOT,       /* a kill switch that stands since the boot, for a connection to come */
    FIREWALL_PERSISTENT, /* a kill switch that outlives the connection's end */
} FirewallStanding;

typedef struct FirewallRecord {
    FirewallStanding standing;
    char label[PLATFORM_SLOT_LABEL + 1]; /* of the connection that it was set for */
    uid_t owner;                         /* on whose behalf; FIREWALL_NOBODY: it does not say */
} FirewallRecord;

/* Of the network namespace that we are in. None is one of NOTHING. */
FirewallRecord firewall_record_load(int dirfd, unsigned slot);
/* Whole or not at all. Negative errno. */
int firewall_record_save(int dirfd, unsigned slot, const FirewallRecord *record);
