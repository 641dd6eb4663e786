/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone show: a profile in its normal form, as the program understood it. A profile holds no
 * secrets, and this prints none.
 */
#include "client/cli/verbs.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"
#include "client/profile/store.h"

/* As a comment, for what follows is a profile. Takes the line. */
static void print_comment(char *line_take)
{
    g_autofree char *line = line_take;
    g_autofree char *comment = g_strdup_printf("# %s", line);

    cli_print(comment);
}

static void print_layer(const DialtoneFound *found)
{
    if (found->entry->layer == DIALTONE_LAYER_ADMINISTRATOR)
        print_comment(g_strdup(_("a profile of the administrator")));
    else if (found->entry->layer == DIALTONE_LAYER_VENDOR)
        print_comment(g_strdup(_("a profile that came with a package")));
    if (found->override != NULL)
        print_comment(g_strdup_printf(_("with what you changed in %s"), found->override));
}

static void add_values(JsonBuilder *json, const DialtoneProfile *profile, bool all)
{
    g_autofree const char **groups = dialtone_profile_group_names();

    for (gsize g = 0; groups[g] != NULL; g++) {
        g_autofree const char **keys = dialtone_profile_key_names(groups[g]);
        json_builder_set_member_name(json, groups[g]);
        json_builder_begin_object(json);
        for (gsize k = 0; keys[k] != NULL; k++) {
            gsize row = (gsize)(dialtone_profile_key(groups[g], keys[k]) - dialtone_profile_keys);
            if (profile->values[row] == NULL || (profile->is_default[row] && !all))
                continue;
            json_builder_set_member_name(json, keys[k]);
            json_builder_add_string_value(json, profile->values[row]);
        }
        json_builder_end_object(json);
    }
}

static void print_json(const DialtoneFound *found, const DialtoneCertificate *certificate, bool all)
{
    const DialtoneProfile *profile = found->profile;
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    json_builder_set_member_name(json, "profile");
    json_builder_add_string_value(json, profile->name);
    cli_json_text(json, "path", found->entry->path);
    cli_json_text(json, "layer", dialtone_layer_name(found->entry->layer));
    cli_json_text(json, "override", found->override);
    cli_certificate_json(json, certificate);
    json_builder_set_member_name(json, "values");
    json_builder_begin_object(json);
    add_values(json, profile, all);
    json_builder_end_object(json);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

int cli_show(int argc, char **argv)
{
    gboolean as_json = FALSE, all = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print one JSON object"), NULL},
        {"all", 0, 0, G_OPTION_ARG_NONE, &all, N_("Show what was left at its default too"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("PROFILE"),
        .summary = _("Shows a profile as the program understood it, without secrets."),
        .description = _("PROFILE is a name, a UUID or a path. The output is a profile again."),
    };
    g_auto(GStrv) profiles = NULL;
    g_autoptr(GError) error = NULL;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(profiles) != 1)
        return cli_usage(argv[0], "%s", _("give one profile: a name, a UUID or a path"));

    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(DialtoneFound) found = dialtone_store_load(store, profiles[0], false, &error);
    if (found == NULL)
        return cli_fail(error);
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(DialtoneCertificate) certificate =
        cli_certificate(found->profile, found->entry->path, NULL, issues, &error);
    cli_complain_of(found, issues, true);
    if (error != NULL)
        cli_complain(error->message);
    if (as_json) {
        print_json(found, certificate, all);
        return DIALTONE_FAILURE_NONE;
    }
    print_layer(found);
    if (certificate != NULL)
        print_comment(cli_certificate_line(certificate));
    g_autofree char *text = dialtone_profile_to_text(found->profile, all);
    fputs(text, stdout);
    return DIALTONE_FAILURE_NONE;
}
