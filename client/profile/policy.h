/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's policy, /etc/dialtone/policy.conf: what no profile may do on this computer.
 * Documented in dialtone-policy(5). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/entry.h"
#include "client/profile/folder-watch.h"
#include "client/profile/owned.h"

typedef enum {
    DIALTONE_POLICY_WEAK_ALGORITHMS,
    DIALTONE_POLICY_FORBID,
    DIALTONE_POLICY_USER_PROFILES,
    DIALTONE_POLICY_ALWAYS_ON,
    DIALTONE_POLICY_KEYS_N,
} DialtonePolicyKey;

const char *dialtone_policy_key_name(DialtonePolicyKey key) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *path;
    bool present;                        /* there is such a file, or something in its place */
    bool broken;                         /* it has mistakes, and the strictest is in force */
    GPtrArray *issues;                   /* of DialtoneIssue */
    guint lines[DIALTONE_POLICY_KEYS_N]; /* where it sets a key; 0: nowhere */
    bool weak_algorithms;                /* may be used */
    bool user_profiles;                  /* likewise */
    char **forbid;                       /* names of algorithms; may be empty */
    char *always_on;                     /* a profile of the system, by UUID or name; or NULL */
} DialtonePolicy;

/* Never NULL: without a file all is allowed, and of one that can't be read or has mistakes the
 * strictest is in force. */
DialtonePolicy *dialtone_policy_load(const DialtoneRoot *root) G_GNUC_WARN_UNUSED_RESULT;
/* Takes nothing of @bytes; the file is called @path. */
DialtonePolicy *dialtone_policy_parse(const char *bytes, gsize n,
                                      const char *path) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_policy_free(DialtonePolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtonePolicy, dialtone_policy_free)

/* Calls @changed when the file may be another one. */
DialtoneFolderWatch *dialtone_policy_watch(const DialtoneRoot *root, DialtoneFolderChanged changed,
                                           gpointer data) G_GNUC_WARN_UNUSED_RESULT;

/* The one that AlwaysOn names among those of dialtone_system_profiles(), if it can be used. */
const DialtoneStoreEntry *
dialtone_policy_always_on(const DialtonePolicy *policy,
                          const GPtrArray *profiles) G_GNUC_WARN_UNUSED_RESULT;
