/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's own settings over those of a provisioned profile.
 *
 * Some are never the user's. Who may use the profile, and what is locked in it, would be no rule if
 * the ruled could change it. And where a secret is the system's, which users may use and not read,
 * the settings that decide who gets it are the administrator's: the gateway and what it must prove
 * to be, for the password goes to whoever proves that, or Phase 1 with an authority of the user's
 * own choice; the algorithms that protect it on its way, for a hash under a weak group can be
 * recorded and searched; and the identity that it stands for. In aggressive mode a gateway that
 * does not know the preshared key gets no hash of it from us (RFC 2409, 5.4: the initiator proves
 * itself last, after HASH_R was found right), but that is a reason for the protocol to be safe and
 * none to let the rest be changed.
 *
 * What may not be changed is left as the administrator wrote it, with a warning: who locks a
 * setting does not want to lock out those who once changed it.
 */
#include "client/profile/override.h"

#include <stdbool.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"

typedef enum { ALWAYS, WITH_SYSTEM_SECRET, WITH_SYSTEM_PASSWORD } When;

static const struct {
    const char *group, *key; /* key NULL: the whole group */
    When when;
} NEVER[] = {
    {"Profile", NULL, ALWAYS},
    {"Access", NULL, ALWAYS},
    {"Gateway", NULL, WITH_SYSTEM_SECRET},
    {"Identity", NULL, WITH_SYSTEM_SECRET},
    {"Phase1", NULL, WITH_SYSTEM_SECRET},
    {"UserAuth", NULL, WITH_SYSTEM_PASSWORD},
    /* It disconnects others who share the ID. */
    {"Quirks", "InitialContact", WITH_SYSTEM_SECRET},
};

static bool holds(const DialtoneProfile *profile, When when)
{
    bool psk = profile->psk_source == DIALTONE_SOURCE_SYSTEM;
    bool password = profile->password_source == DIALTONE_SOURCE_SYSTEM;
    /* Which the service reads and signs with; users may not even be able to read it. */
    bool key = profile->auth == DIALTONE_AUTH_CERTIFICATE &&
               profile->certificate_source == DIALTONE_CERT_FILE;

    switch (when) {
    case ALWAYS:
        return true;
    case WITH_SYSTEM_SECRET:
        return psk || password || key;
    case WITH_SYSTEM_PASSWORD:
        return password;
    }
    return true;
}

static char *refused_ever(const DialtoneProfile *profile, const DialtoneProfileKey *row)
{
    for (gsize i = 0; i < G_N_ELEMENTS(NEVER); i++) {
        if (strcmp(NEVER[i].group, row->group) != 0 || !holds(profile, NEVER[i].when) ||
            (NEVER[i].key != NULL && strcmp(NEVER[i].key, row->key) != 0))
            continue;
        if (NEVER[i].when == ALWAYS)
            return g_strdup(_("it is the administrator's alone"));
        return g_strdup(_("while a secret of the profile is the system's, it decides who gets "
                          "that, and is the administrator's alone"));
    }
    return NULL;
}

static bool is_locked(const DialtoneProfile *profile, const DialtoneProfileKey *row)
{
    gsize n = strlen(row->group);

    for (guint i = 0; i < profile->lock->len; i++) {
        const char *item = profile->lock->pdata[i];
        if (strcmp(item, "all") == 0 || strcmp(item, row->group) == 0)
            return true;
        if (strncmp(item, row->group, n) == 0 && item[n] == '.' &&
            strcmp(item + n + 1, row->key) == 0)
            return true;
    }
    return false;
}

char *dialtone_override_refused(const DialtoneProfile *profile, const char *profile_path,
                                const DialtoneProfileKey *row)
{
    static const char system[] = "system";
    const char *value = profile->values[row - dialtone_profile_keys];
    gsize lock = (gsize)(dialtone_profile_key("Access", "Lock") - dialtone_profile_keys);
    char *ever = refused_ever(profile, row);

    if (ever != NULL)
        return ever;
    if (row->parse == dialtone_value_secret_source && g_strcmp0(value, system) == 0)
        return g_strdup(_("the secret is the system's, and where it comes from is the "
                          "administrator's alone"));
    if (is_locked(profile, row))
        return g_strdup_printf(_("it is locked by the administrator in %s, line %u"), profile_path,
                               profile->lines[lock]);
    return NULL;
}

/* ---- merging ---- */

typedef struct {
    const DialtoneProfile *base;
    const DialtoneOverride *override;
    DialtoneProfile *part; /* what the override says */
    GPtrArray *issues;
} Merge;

static DialtoneIssue place_of(const Merge *merge, gsize row, bool warning)
{
    return (DialtoneIssue){
        .line = merge->part->lines[row],
        .warning = warning,
        .group = (char *)dialtone_profile_keys[row].group,
        .key = (char *)dialtone_profile_keys[row].key,
    };
}

/* What was found in a value that is not taken is nobody's concern. */
static void forget_issues(Merge *merge, guint line)
{
    for (guint i = merge->issues->len; i > 0; i--)
        if (((const DialtoneIssue *)merge->issues->pdata[i - 1])->line == line)
            g_ptr_array_remove_index(merge->issues, i - 1);
}

/* Leaves in the part what may be changed. */
static void drop_refused(Merge *merge, gsize row)
{
    const DialtoneProfileKey *key = &dialtone_profile_keys[row];
    const DialtoneIssue where = place_of(merge, row, true);
    g_autofree char *why =
        dialtone_override_refused(merge->base, merge->override->profile_path, key);

    if (merge->part->values[row] == NULL)
        return;
    if (why == NULL && key->parse == dialtone_value_secret_source &&
        strcmp(merge->part->values[row], "system") == 0)
        why = g_strdup(_("only a profile of the system can take a secret from the system"));
    if (why == NULL)
        return;
    forget_issues(merge, where.line);
    dialtone_issues_add(merge->issues, &where, _("not changed: %s; remove the line"), why);
    g_clear_pointer(&merge->part->values[row], g_free);
}

static char *merged_text(const Merge *merge)
{
    GString *text = g_string_new(NULL);
    const char *group = "";

    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        const char *value = merge->part->values[i];
        if (value == NULL && !merge->base->is_default[i])
            value = merge->base->values[i];
        if (value == NULL)
            continue;
        if (strcmp(group, row->group) != 0)
            g_string_append_printf(text, "[%s]\n", row->group);
        group = row->group;
        g_string_append_printf(text, "%s=%s\n", row->key, value);
    }
    return g_string_free(text, FALSE);
}

static bool is_told(const Merge *merge, const DialtoneIssue *issue)
{
    for (guint i = 0; i < merge->issues->len; i++) {
        const DialtoneIssue *told = merge->issues->pdata[i];
        if (told->line == issue->line && g_strcmp0(told->key, issue->key) == 0 &&
            strcmp(told->message, issue->message) == 0)
            return true;
    }
    return false;
}

/* What is wrong with the two together is told where the user can change it, if it is there at all;
 * of the warnings only those about the override's own settings are new. */
static void take_issues(Merge *merge, const GPtrArray *issues)
{
    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        const DialtoneProfileKey *key = issue->group != NULL && issue->key != NULL
                                            ? dialtone_profile_key(issue->group, issue->key)
                                            : NULL;
        gsize row = key != NULL ? (gsize)(key - dialtone_profile_keys) : 0;
        bool own = key != NULL && merge->part->values[row] != NULL;
        if (issue->warning && !own)
            continue;
        DialtoneIssue where = *issue;
        where.line = own ? merge->part->lines[row] : 0;
        if (!is_told(merge, &where))
            dialtone_issues_add(merge->issues, &where, "%s", issue->message);
    }
}

static void take_places(const Merge *merge, DialtoneProfile *profile)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        profile->overridden[i] = merge->part->values[i] != NULL;
        profile->lines[i] = profile->overridden[i] ? merge->part->lines[i] : merge->base->lines[i];
    }
}

DialtoneProfile *dialtone_override_apply(const DialtoneProfile *base,
                                         const DialtoneOverride *override, GPtrArray **issuesp)
{
    g_autoptr(DialtoneProfile) part =
        dialtone_profile_parse_part(override->bytes, override->n, issuesp);
    g_autoptr(GPtrArray) of_both = NULL;
    Merge merge = {.base = base, .override = override, .part = part, .issues = *issuesp};

    if (part == NULL)
        return NULL;
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        drop_refused(&merge, i);
    g_autofree char *text = merged_text(&merge);
    DialtoneProfile *profile =
        dialtone_profile_parse(text, strlen(text), override->profile_path, &of_both);
    take_issues(&merge, of_both);
    dialtone_issues_sort(*issuesp);
    if (profile != NULL)
        take_places(&merge, profile);
    return profile;
}
