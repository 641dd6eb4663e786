/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no key can say alone: keys that need, exclude or contradict each other. */
#pragma once

#include <glib.h>

#include "client/profile/profile.h"

/* Which rows of the schema the file itself has, and where; filled by the parser. */
typedef struct {
    const guint *lines; /* a row's line; 0: the file does not set it */
    guint (*missing)(const void *context, const char *group); /* line for what is not there */
    const void *context;
    GPtrArray *issues;
    bool psk_at_hand; /* the caller has a preshared key from elsewhere */
} DialtoneProfileCheck;

/* Also settles what depends on other keys: Auth and RemoteID that were not written. */
void dialtone_profile_check(DialtoneProfile *profile, const DialtoneProfileCheck *check);
