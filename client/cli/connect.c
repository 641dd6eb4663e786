/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone connect: reads what is wanted from the command line. Secrets never stand there. The
 * service does it, or with --standalone this program.
 */
#include "client/cli/verbs.h"

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/cli/standalone.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "platform/clock.h"

/* Program and arguments, which stay theirs; NULL without a program. */
static const char **argv_of(const char *program, char **arguments)
{
    if (program == NULL)
        return NULL;
    gsize n = arguments != NULL ? g_strv_length(arguments) : 0;
    const char **argv = g_new0(const char *, n + 2);
    argv[0] = program;
    for (gsize i = 0; i < n; i++)
        argv[i + 1] = arguments[i];
    return argv;
}

int cli_connect(int argc, char **argv)
{
    guint64 began = platform_clock_now();
    gboolean standalone = FALSE, json = FALSE, no_wait = FALSE, take_over = FALSE, stay = FALSE;
    gint wait = 60;
    g_autofree char *secrets = NULL, *command = NULL;
    g_auto(GStrv) command_arguments = NULL;
    const GOptionEntry options[] = {
        {"standalone", 0, 0, G_OPTION_ARG_NONE, &standalone,
         N_("Set up the tunnel in this process, without the service; stay until it ends"), NULL},
        {"secrets", 0, 0, G_OPTION_ARG_FILENAME, &secrets,
         N_("Read key and password from this file (mode 0600), - for standard input"), N_("FILE")},
        {"ask-command", 0, 0, G_OPTION_ARG_FILENAME, &command,
         N_("Ask this program for what is not known, see dialtone(1)"), N_("PROGRAM")},
        {"ask-argument", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command_arguments,
         N_("Give it this argument; may be repeated"), N_("ARGUMENT")},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json,
         N_("Print one JSON object a change of state on standard output"), NULL},
        {"wait", 0, 0, G_OPTION_ARG_INT, &wait, N_("Wait so long for the service to connect (60)"),
         N_("SECONDS")},
        {"take-over", 0, 0, G_OPTION_ARG_NONE, &take_over,
         N_("Disconnect another user who has the profile in use"), NULL},
        {"stay", 0, 0, G_OPTION_ARG_NONE, &stay,
         N_("Stay until the connection ends; interrupted, end it"), NULL},
        {"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait, N_("Do not wait for the service"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("PROFILE"),
        .summary = _("Connects with a profile."),
        .description =
            _("PROFILE is a name, a UUID or a path. Standalone, SIGINT or SIGTERM disconnects, "
              "SIGHUP negotiates new keys.\n\nExit codes: 0 done, 1 internal, 2 usage, 3 profile, "
              "4 secret missing, 5 unreachable, 6 no proposal chosen, 7 gateway authentication, "
              "8 user authentication, 9 phase 2 refused, 10 not permitted, 11 tunnel lost, "
              "12 policy."),
    };
    g_auto(GStrv) rest = NULL;

    if (!cli_parse(argc, argv, options, &help, &rest))
        return DIALTONE_FAILURE_USAGE;
    if (rest[0] == NULL)
        return cli_usage(argv[0], "%s", _("which profile? Give a name, a UUID or a path"));
    if (rest[1] != NULL)
        return cli_usage(argv[0], _("'%s' is one argument too many"), rest[1]);
    if (wait < 1 || wait > 3600)
        return cli_usage(argv[0], "%s", _("--wait takes 1 to 3600 seconds"));
    if (stay && (standalone || no_wait))
        return cli_usage(argv[0], "%s", _("--stay goes with neither --standalone nor --no-wait"));
    if (command == NULL && command_arguments != NULL)
        return cli_usage(argv[0], "%s", _("--ask-argument goes with --ask-command"));
    g_autofree const char **ask_command = argv_of(command, command_arguments);
    const StandaloneOptions run = {.profile = rest[0],
                                   .secrets = secrets,
                                   .ask_command = ask_command,
                                   .json = json,
                                   .began = began};
    if (standalone)
        return standalone_run(&run);
    const ServiceConnectOptions service = {
        .run = run, .wait_seconds = no_wait ? 0 : wait, .take_over = take_over, .stay = stay};
    return service_connect(&service);
}
