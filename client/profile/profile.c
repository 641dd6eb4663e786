/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a DialtoneProfile, and its values as text. The normal form is written from the
 * values that the parsers gave, so that it parses to the same profile: the process that may read
 * the user's file hands this text to the one that speaks to the network.
 */
#include "client/profile/profile.h"

#include <string.h>

#include "client/profile/parse.h"
#include "client/profile/schema.h"

static void endpoint_clear(gpointer data)
{
    DialtoneEndpoint *endpoint = data;

    g_free(endpoint->host);
}

static void place_clear(gpointer data)
{
    DialtonePlace *place = data;

    g_clear_pointer(&place->ssid, g_bytes_unref);
    g_free(place->network);
    g_free(place->written);
}

static GArray *places_new(void)
{
    GArray *places = g_array_new(FALSE, TRUE, sizeof(DialtonePlace));

    g_array_set_clear_func(places, place_clear);
    return places;
}

DialtoneProfile *dialtone_profile_new(void)
{
    DialtoneProfile *profile = g_new0(DialtoneProfile, 1);

    profile->users = g_ptr_array_new_with_free_func(g_free);
    profile->groups = g_ptr_array_new_with_free_func(g_free);
    profile->lock = g_ptr_array_new_with_free_func(g_free);
    profile->gateways = g_array_new(FALSE, TRUE, sizeof(DialtoneEndpoint));
    g_array_set_clear_func(profile->gateways, endpoint_clear);
    profile->phase1_proposals = g_array_new(FALSE, TRUE, sizeof(DialtoneProposal));
    profile->phase2_proposals = g_array_new(FALSE, TRUE, sizeof(DialtoneProposal));
    profile->networks = g_array_new(FALSE, TRUE, sizeof(DialtoneNetwork));
    profile->addresses = g_array_new(FALSE, TRUE, sizeof(DialtoneNetwork));
    profile->exclude = g_array_new(FALSE, TRUE, sizeof(DialtoneNetwork));
    profile->trusted = places_new();
    profile->never = places_new();
    profile->crls = g_ptr_array_new_with_free_func(g_free);
    profile->dns = g_ptr_array_new_with_free_func(g_free);
    profile->values = g_new0(char *, dialtone_profile_keys_n);
    profile->is_default = g_new0(bool, dialtone_profile_keys_n);
    profile->lines = g_new0(guint, dialtone_profile_keys_n);
    profile->overridden = g_new0(bool, dialtone_profile_keys_n);
    return profile;
}

void dialtone_profile_free(DialtoneProfile *profile)
{
    if (profile == NULL)
        return;
    g_free(profile->name);
    g_free(profile->description);
    g_free(profile->uuid);
    g_ptr_array_unref(profile->users);
    g_ptr_array_unref(profile->groups);
    g_ptr_array_unref(profile->lock);
    g_array_unref(profile->gateways);
    g_free(profile->remote_id.value);
    g_free(profile->id.value);
    g_free(profile->certificate);
    g_free(profile->key);
    g_free(profile->ca);
    g_ptr_array_unref(profile->crls);
    g_array_unref(profile->phase1_proposals);
    g_free(profile->user);
    g_array_unref(profile->phase2_proposals);
    g_array_unref(profile->networks);
    g_array_unref(profile->addresses);
    g_ptr_array_unref(profile->dns);
    g_array_unref(profile->exclude);
    g_array_unref(profile->trusted);
    g_array_unref(profile->never);
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        g_free(profile->values[i]);
    g_free(profile->values);
    g_free(profile->is_default);
    g_free(profile->lines);
    g_free(profile->overridden);
    g_free(profile);
}

const char *dialtone_profile_value(const DialtoneProfile *profile, const char *group,
                                   const char *key)
{
    const DialtoneProfileKey *row = dialtone_profile_key(group, key);

    return row != NULL ? profile->values[row - dialtone_profile_keys] : NULL;
}

char *dialtone_profile_to_text(const DialtoneProfile *profile, bool defaults)
{
    GString *text = g_string_new(NULL);
    const char *group = NULL;

    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        if (profile->values[i] == NULL || (profile->is_default[i] && !defaults))
            continue;
        if (group == NULL || strcmp(group, row->group) != 0)
            g_string_append_printf(text, "%s[%s]\n", group != NULL ? "\n" : "", row->group);
        group = row->group;
        g_string_append_printf(text, "%s=%s\n", row->key, profile->values[i]);
    }
    return g_string_free(text, FALSE);
}
