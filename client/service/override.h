/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users change for themselves in profiles of the system. */
#pragma once

#include "client/service/manager.h"
#include "client/service/profile-object.h"

/* What a user has changed for themselves in a profile of the system. */
typedef struct ServiceChange {
    const ServiceProfile *profile;
    const char *override; /* a part of a profile, as they wrote it; NULL: nothing */
    bool tells;           /* what is not taken of it is logged, */
    uid_t owner;          /* for them */
} ServiceChange;

/* The text of the profile with the change, in normal form; NULL: nothing is changed. What users may
 * not change stays as it is. False: it has mistakes, or the policy forbids the result. */
bool service_override_apply(ServiceManager *self, const ServiceChange *change, char **textp,
                            GError **error);
