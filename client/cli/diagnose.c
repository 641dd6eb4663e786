/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone diagnose: why a profile does not connect, found out by asking, and what to change.
 *
 * It needs no rights, and takes none: its sockets are those of any program, its questions are first
 * messages of aggressive mode, and it never sends the message that would prove who we are. So no
 * account is touched, and the gateway is left with nothing but attempts that it forgets.
 */
#include "client/cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/diagnose.h"
#include "client/common/i18n.h"
#include "client/profile/edit.h"
#include "client/profile/file.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"
#include "client/profile/store.h"
#include "client/tunnel/config.h"
#include "client/tunnel/provider.h"

/* ---- asking ---- */

static void tell_error(Diagnosis *self, const char *name, const GError *error)
{
    self->topic = name;
    diagnosis_fail(self, dialtone_failure_of(error), dialtone_failure_advice(error), "%s",
                   error->message);
}

/* Through a tunnel that is up the questions would take another way than a new connection. */
static void tell_tunnels(Diagnosis *self)
{
    g_autoptr(GArray) tunnels = cli_tunnels(NULL);

    self->topic = "tunnel";
    if (tunnels->len > 0)
        diagnosis_add(self, DIAGNOSE_WARNING, _("Disconnect it and try again."),
                      _("A tunnel is up (%s); questions may go through it."),
                      g_array_index(tunnels, PlatformSlotInfo, 0).label);
}

static void ask_gateway(Diagnosis *self, const IkeConfig *config, IkeKeyKind key)
{
    DiagnoseProber prober = {.diagnosis = self};
    DiagnoseReply reply = {0};

    if (!diagnose_names(self, &prober.gateway))
        return;
    diagnose_methods(&prober, config, key);
    DiagnoseAsk ask = diagnose_first_ask(&prober, config, 0);
    if (diagnose_network(&prober, &ask, &reply))
        diagnose_phase1(&prober, config, &ask, &reply);
}

static void run(Diagnosis *self, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TunnelSecrets) secrets = tunnel_secrets_new();
    g_autofree IkeConfig *config = g_new0(IkeConfig, 1);

    tell_tunnels(self);
    if (!tunnel_provider_check(self->profile, TUNNEL_FIPS_FLAG, &error))
        tell_error(self, "algorithms", error);
    else if (secrets == NULL || !tunnel_config_fill(config, self->profile, secrets, &error))
        tell_error(self, "profile", error);
    else
        ask_gateway(self, config, diagnose_certificate(self, path));
}

/* ---- changing ---- */

static bool user_agrees(const char *path)
{
    char line[16] = "";

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    g_autofree char *question = g_strdup_printf(_("Change %s now? [y/N] "), path);
    fputs(question, stdout);
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) != NULL && g_ascii_tolower(line[0]) == 'y';
}

/* All changes or none, and only into a text that still parses. */
static bool write_changes(Diagnosis *self, const char *path, GError **error)
{
    gsize n = 0;
    g_autofree char *text = dialtone_file_read(path, DIALTONE_PROFILE_BYTES_MAX, &n, error);

    if (text == NULL)
        return false;
    for (guint i = 0; i < self->changes->len; i++) {
        const DiagnoseChange *change = self->changes->pdata[i];
        char *next = dialtone_edit_set(text, change->group, change->key, change->to);
        g_free(text);
        text = next;
    }
    g_autoptr(DialtoneProfile) changed =
        self->part ? dialtone_profile_parse_part(text, strlen(text), NULL)
                   : dialtone_profile_parse_with_psk(text, strlen(text), path, NULL);
    if (changed == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("%s would not be a profile any more; nothing was changed."), path);
        return false;
    }
    self->written = dialtone_edit_write(path, text, error);
    return self->written;
}

static int finish(Diagnosis *self, const char *path, bool write)
{
    g_autoptr(GError) error = NULL;
    bool any = self->changes->len > 0;

    if (any && !self->json)
        diagnosis_print_changes(self, path);
    if (any && (write || (!self->json && user_agrees(path))) && !write_changes(self, path, &error))
        return cli_fail(error);
    if (self->json)
        diagnosis_print_json(self);
    else if (self->written)
        cli_print(_("Written. Connect again."));
    return self->written ? DIALTONE_FAILURE_NONE : (int)self->why;
}

/* The file to change: what the user has in an override counts before the profile's. */
static const char *file_to_change(Diagnosis *self, const DialtoneFound *found)
{
    for (guint i = 0; i < self->changes->len; i++) {
        const DiagnoseChange *change = self->changes->pdata[i];
        const DialtoneProfileKey *row = dialtone_profile_key(change->group, change->key);
        self->part = self->part || found->profile->overridden[row - dialtone_profile_keys];
    }
    return self->part ? found->override : found->entry->path;
}

static int diagnose(const char *what, bool json, bool write)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GError) error = NULL;
    /* The key may stand in a secrets file, which is not needed here. */
    g_autoptr(DialtoneFound) found = dialtone_store_load(store, what, true, &error);
    Diagnosis diagnosis;

    if (found == NULL)
        return cli_fail(error);
    diagnosis_init(&diagnosis, found->profile, json);
    run(&diagnosis, found->entry->path);
    int code = finish(&diagnosis, file_to_change(&diagnosis, found), write);
    diagnosis_clear(&diagnosis);
    return code;
}

int cli_diagnose(int argc, char **argv)
{
    gboolean json = FALSE, write = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, N_("Print one JSON object"), NULL},
        {"write", 0, 0, G_OPTION_ARG_NONE, &write,
         N_("Change the profile as was found out, without a question"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("PROFILE"),
        .summary = _("Finds out why a profile does not connect, and what to change."),
        .description = _("At most 20 questions, a second apart, to the profile's gateway alone; no "
                         "proof of who you are is sent. Exit code 0: nothing is wrong, or it was "
                         "changed; else the code that connect would end with."),
    };
    g_auto(GStrv) rest = NULL;

    if (!cli_parse(argc, argv, options, &help, &rest))
        return DIALTONE_FAILURE_USAGE;
    if (rest[0] == NULL)
        return cli_usage(argv[0], "%s", _("which profile? Give a name, a UUID or a path"));
    if (rest[1] != NULL)
        return cli_usage(argv[0], _("'%s' is one argument too many"), rest[1]);
    return diagnose(rest[0], json, write);
}
