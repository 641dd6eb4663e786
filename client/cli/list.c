/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone list: the profiles that can be called by name, those that are hidden or broken too,
 * for they are what someone looks for who doesn't find them.
 */
#include "client/cli/verbs.h"

#include <json-glib/json-glib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/access.h"
#include "client/profile/policy-check.h"
#include "client/profile/store.h"

static bool is_up(const GArray *tunnels, const DialtoneStoreEntry *entry)
{
    for (guint i = 0; i < tunnels->len; i++)
        if (g_strcmp0(g_array_index(tunnels, PlatformSlotInfo, i).label, entry->name) == 0)
            return entry->hidden == NULL;
    return false;
}

/* The only part of an entry that was not cleaned when it was read. */
static char *path_of(const DialtoneStoreEntry *entry)
{
    return dialtone_text_clean(entry->path, strlen(entry->path), PATH_MAX, DIALTONE_TEXT_LINE);
}

/* How it is with a profile for whoever asks. */
typedef struct {
    bool up;
    bool allowed;   /* nobody is let in to what can't be read */
    bool forbidden; /* by the policy */
} Standing;

static Standing standing_of(const DialtoneStoreEntry *entry, const DialtonePolicy *policy,
                            const GArray *tunnels)
{
    Standing standing = {.up = is_up(tunnels, entry)};

    if (entry->profile == NULL)
        return standing;
    standing.allowed = dialtone_access_check(entry->profile, cli_caller(), NULL);
    standing.forbidden = !dialtone_policy_check(policy, entry->profile, entry->layer, NULL);
    return standing;
}

/* What is to be said about it; "" for nothing. */
static const char *note_of(const DialtoneStoreEntry *entry, const Standing *standing)
{
    if (standing->up)
        return _("up");
    if (entry->hidden != NULL)
        return entry->hidden;
    if (entry->profile == NULL)
        return _("has mistakes, see dialtone check");
    if (!standing->allowed)
        return _("not for you");
    return standing->forbidden ? _("forbidden, see dialtone policy") : "";
}

static void print_entry(const DialtoneStoreEntry *entry, const Standing *standing)
{
    const char *note = note_of(entry, standing);
    g_autofree char *path = path_of(entry);
    g_autofree char *clean = dialtone_text_clean(note, strlen(note), PATH_MAX, DIALTONE_TEXT_LINE);

    printf("%s\t%s\t%s%s%s\n", entry->name, dialtone_layer_name(entry->layer), path,
           *clean != '\0' ? "\t" : "", clean);
}

static void add_flag(JsonBuilder *json, const char *name, bool value)
{
    json_builder_set_member_name(json, name);
    json_builder_add_boolean_value(json, value);
}

static void add_entry(JsonBuilder *json, const DialtoneStoreEntry *entry, const Standing *standing)
{
    json_builder_begin_object(json);
    cli_json_text(json, "name", entry->name);
    cli_json_text(json, "uuid", entry->uuid);
    cli_json_text(json, "layer", dialtone_layer_name(entry->layer));
    g_autofree char *path = path_of(entry);
    cli_json_text(json, "path", path);
    add_flag(json, "valid", entry->profile != NULL);
    add_flag(json, "hidden", entry->hidden != NULL);
    cli_json_text(json, "why_hidden", entry->hidden);
    add_flag(json, "allowed", standing->allowed);
    add_flag(json, "forbidden", standing->forbidden);
    add_flag(json, "up", standing->up);
    json_builder_end_object(json);
}

static void print_json(const GPtrArray *entries, const DialtonePolicy *policy,
                       const GArray *tunnels)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    json_builder_set_member_name(json, "profiles");
    json_builder_begin_array(json);
    for (guint i = 0; i < entries->len; i++) {
        const Standing standing = standing_of(entries->pdata[i], policy, tunnels);
        add_entry(json, entries->pdata[i], &standing);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

int cli_list(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print one JSON object"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .summary = _("Lists the profiles of this computer and of yourself."),
        .description = _("Columns are separated by tabs: name, layer, file, remarks."),
    };

    if (!cli_parse(argc, argv, options, &help, NULL))
        return DIALTONE_FAILURE_USAGE;

    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GPtrArray) entries = dialtone_store_list(store);
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&store->root);
    g_autoptr(GArray) tunnels = cli_tunnels(NULL);
    if (as_json) {
        print_json(entries, policy, tunnels);
        return DIALTONE_FAILURE_NONE;
    }
    for (guint i = 0; i < entries->len; i++) {
        const Standing standing = standing_of(entries->pdata[i], policy, tunnels);
        print_entry(entries->pdata[i], &standing);
    }
    if (entries->len == 0)
        cli_complain(_("There are no profiles. Put one into ~/.config/dialtone/profiles, or give "
                       "its path: dialtone connect ./office.dialtone"));
    return DIALTONE_FAILURE_NONE;
}
