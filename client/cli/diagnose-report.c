/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found, told as it is found or as one JSON object at the end, and the changes that would
 * help.
 */
#include "client/cli/diagnose.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "client/cli/cli.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"

typedef struct Check {
    char *name, *message, *advice;
    DiagnoseResult result;
} Check;

static const char *const RESULTS[] = {
    [DIAGNOSE_OK] = "ok",
    [DIAGNOSE_WARNING] = "warning",
    [DIAGNOSE_FAILED] = "failed",
    [DIAGNOSE_SKIPPED] = "skipped",
};

static void check_free(gpointer data)
{
    Check *check = data;

    g_free(check->name);
    g_free(check->message);
    g_free(check->advice);
    g_free(check);
}

static void change_free(gpointer data)
{
    DiagnoseChange *change = data;

    g_free(change->group);
    g_free(change->key);
    g_free(change->from);
    g_free(change->to);
    g_free(change);
}

void diagnosis_init(Diagnosis *self, const DialtoneProfile *profile, bool json)
{
    *self = (Diagnosis){
        .profile = profile,
        .json = json,
        .checks = g_ptr_array_new_with_free_func(check_free),
        .changes = g_ptr_array_new_with_free_func(change_free),
    };
}

void diagnosis_clear(Diagnosis *self)
{
    g_ptr_array_unref(self->checks);
    g_ptr_array_unref(self->changes);
}

static void print_check(const Check *check)
{
    g_autofree char *line = g_strdup_printf("%-8s %s", RESULTS[check->result], check->message);

    cli_print(line);
    if (check->advice != NULL) {
        g_auto(GStrv) lines = g_strsplit(check->advice, "\n", -1);
        g_autofree char *advice = g_strjoinv("\n         ", lines);
        g_autofree char *indented = g_strconcat("         ", advice, NULL);
        cli_print(indented);
    }
    fflush(stdout);
}

static void add_take(Diagnosis *self, DiagnoseResult result, const char *advice, char *message)
{
    Check *check = g_new0(Check, 1);

    check->name = g_strdup(self->topic);
    check->result = result;
    check->message = message;
    check->advice = g_strdup(advice);
    g_ptr_array_add(self->checks, check);
    if (!self->json)
        print_check(check);
}

void diagnosis_add(Diagnosis *self, DiagnoseResult result, const char *advice, const char *format,
                   ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_take(self, result, advice, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void diagnosis_fail(Diagnosis *self, DialtoneFailure why, const char *advice, const char *format,
                    ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_take(self, DIAGNOSE_FAILED, advice, g_strdup_vprintf(format, arguments));
    va_end(arguments);
    if (self->why == DIALTONE_FAILURE_NONE)
        self->why = why;
}

void diagnosis_propose(Diagnosis *self, const char *group, const char *key, const char *to)
{
    DiagnoseChange *change = g_new0(DiagnoseChange, 1);

    change->group = g_strdup(group);
    change->key = g_strdup(key);
    change->from = g_strdup(dialtone_profile_value(self->profile, group, key));
    change->to = g_strdup(to);
    g_ptr_array_add(self->changes, change);
}

void diagnosis_print_changes(const Diagnosis *self, const char *path)
{
    g_autofree char *head =
        g_strdup_printf(self->written ? _("Changed in %s:") : _("What to change in %s:"), path);

    cli_print(head);
    for (guint i = 0; i < self->changes->len; i++) {
        const DiagnoseChange *change = self->changes->pdata[i];
        g_autofree char *line =
            change->from != NULL
                ? g_strdup_printf(_("  [%s] %s=%s   (it was %s)"), change->group, change->key,
                                  change->to, change->from)
                : g_strdup_printf("  [%s] %s=%s", change->group, change->key, change->to);
        cli_print(line);
    }
}

static void add_check(JsonBuilder *json, const Check *check)
{
    json_builder_begin_object(json);
    cli_json_text(json, "name", check->name);
    cli_json_text(json, "result", RESULTS[check->result]);
    cli_json_text(json, "message", check->message);
    cli_json_text(json, "advice", check->advice);
    json_builder_end_object(json);
}

static void add_change(JsonBuilder *json, const DiagnoseChange *change)
{
    json_builder_begin_object(json);
    cli_json_text(json, "group", change->group);
    cli_json_text(json, "key", change->key);
    cli_json_text(json, "from", change->from);
    cli_json_text(json, "to", change->to);
    json_builder_end_object(json);
}

void diagnosis_print_json(const Diagnosis *self)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    cli_json_text(json, "profile", self->profile->name);
    json_builder_set_member_name(json, "checks");
    json_builder_begin_array(json);
    for (guint i = 0; i < self->checks->len; i++)
        add_check(json, self->checks->pdata[i]);
    json_builder_end_array(json);
    json_builder_set_member_name(json, "changes");
    json_builder_begin_array(json);
    for (guint i = 0; i < self->changes->len; i++)
        add_change(json, self->changes->pdata[i]);
    json_builder_end_array(json);
    json_builder_set_member_name(json, "written");
    json_builder_add_boolean_value(json, self->written);
    json_builder_set_member_name(json, "probes");
    json_builder_add_int_value(json, self->probes);
    cli_json_text(json, "reason",
                  self->why != DIALTONE_FAILURE_NONE ? dialtone_failure_name(self->why) : NULL);
    json_builder_end_object(json);
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}
