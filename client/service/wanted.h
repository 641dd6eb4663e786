/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wanted, written down where it outlives the service: a restart or a crash costs one
 * reconnect, and nobody has to ask again. Secrets are not a part of it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct ServiceWanted {
    uid_t owner;
    bool by_rule;   /* nobody has asked for it but [Rules] of the profile */
    char *uuid;     /* of a system profile; NULL: it is a user's */
    char *text;     /* of a user's profile, in normal form; else NULL */
    char *override; /* what its user has changed in a system profile, as they wrote it; or NULL */
} ServiceWanted;

void service_wanted_free(ServiceWanted *wanted);

/* @key names it from then on; replaces what has that name. Fails silently but for the log where the
 * service has no folder to write to. */
void service_wanted_keep(const char *key, const ServiceWanted *wanted);
void service_wanted_forget(const char *key);
/* All that was kept, and forgets it: an array of ServiceWanted that owns them. */
GPtrArray *service_wanted_take(void) G_GNUC_WARN_UNUSED_RESULT;
