/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone, the command line: a table of verbs, one file each. Nothing here starts a thread or
 * calls GIO before the verb runs, for `connect --standalone` forks and drops its privileges.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/verbs.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"

typedef struct {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} Verb;

static const Verb VERBS[] = {
    {"connect", N_("connect with a profile"), cli_connect},
    {"disconnect", N_("take a tunnel down"), cli_disconnect},
    {"status", N_("show the tunnels that are up"), cli_status},
    {"monitor", N_("show what becomes of connections"), cli_monitor},
    {"list", N_("list the profiles"), cli_list},
    {"show", N_("show a profile as the program understood it"), cli_show},
    {"check", N_("say what is wrong with a profile, without connecting"), cli_check},
    {"renegotiate", N_("agree on new keys now"), cli_renegotiate},
    {"log", N_("show what the service has decided"), cli_log},
    {"bug-report", N_("collect what somebody who helps needs to know"), cli_bug_report},
    {"diagnose", N_("find out why a gateway can't be connected to"), cli_diagnose},
    {"policy", N_("show what the administrator forbids"), cli_policy},
    {"secret", N_("make a preshared key, keep a secret in the keyring, or forget it"), cli_secret},
};

static void print_help(FILE *to)
{
    fprintf(to, "%s\n\n", _("Usage: dialtone COMMAND [OPTION...] [PROFILE]"));
    fprintf(to, "%s\n\n", _("A VPN client for gateways that speak IKEv1 in aggressive mode."));
    fprintf(to, "%s\n", _("Commands:"));
    for (gsize i = 0; i < G_N_ELEMENTS(VERBS); i++)
        fprintf(to, "  %-12s  %s\n", VERBS[i].name, _(VERBS[i].summary));
    fprintf(to, "\n%s\n", _("PROFILE is a name, a UUID or the path of a file NAME.dialtone."));
    fprintf(to, "%s\n",
            _("`dialtone COMMAND --help` says more; so do the manual pages "
              "dialtone(1) and dialtone-profile(5)."));
}

static const Verb *find_verb(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(VERBS); i++)
        if (strcmp(VERBS[i].name, name) == 0)
            return &VERBS[i];
    return NULL;
}

static int refuse_verb(const char *name)
{
    const char *names[G_N_ELEMENTS(VERBS) + 1] = {NULL};

    for (gsize i = 0; i < G_N_ELEMENTS(VERBS); i++)
        names[i] = VERBS[i].name;
    const char *near = dialtone_text_nearest(name, names);
    g_autofree char *line =
        near != NULL
            ? g_strdup_printf(_("dialtone: there is no command '%s'; did you mean %s?"), name, near)
            : g_strdup_printf(_("dialtone: there is no command '%s'"), name);
    cli_complain(line);
    cli_complain(_("Try: dialtone --help"));
    return DIALTONE_FAILURE_USAGE;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* `help VERB` is `VERB --help`. */
static int run_help(int argc, char **argv)
{
    char option[] = "--help";

    if (argc < 3) {
        print_help(stdout);
        return DIALTONE_FAILURE_NONE;
    }
    const Verb *verb = find_verb(argv[2]);
    char *words[] = {argv[2], option, NULL};
    return verb != NULL ? verb->run(2, words) : refuse_verb(argv[2]);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return DIALTONE_FAILURE_USAGE;
    }
    if (is_one_of(argv[1], "--version", "-V", "version")) {
        puts("dialtone " DIALTONE_VERSION);
        return DIALTONE_FAILURE_NONE;
    }
    if (is_one_of(argv[1], "--help", "-h", "help"))
        return run_help(argc, argv);

    const Verb *verb = find_verb(argv[1]);
    return verb != NULL ? verb->run(argc - 1, argv + 1) : refuse_verb(argv[1]);
}

int main(int argc, char **argv)
{
    dialtone_i18n_init();
    int code = run(argc, argv);

    /* Output that did not arrive is not done. */
    if (fflush(stdout) != 0 && code == DIALTONE_FAILURE_NONE)
        code = DIALTONE_FAILURE_INTERNAL;
    return code;
}
