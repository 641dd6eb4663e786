/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every key that a profile may have, one row each, in the order in which profiles are written. */
#pragma once

#include <glib.h>

#include "client/profile/value.h"

enum { DIALTONE_PROFILE_KEYS_MAX = 64 };

extern const DialtoneProfileKey dialtone_profile_keys[];
extern const gsize dialtone_profile_keys_n;

/* NULL when there is none. */
const DialtoneProfileKey *dialtone_profile_key(const char *group, const char *key);

/* The group that has a key of this name, or NULL: for keys in the wrong place. */
const char *dialtone_profile_group_of(const char *key);

/* NULL-terminated; the caller frees the array, not the strings. An unknown group has no keys. */
const char **dialtone_profile_group_names(void);
const char **dialtone_profile_key_names(const char *group);
