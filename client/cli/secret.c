/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone secret: keeps a secret of a profile in the keyring of the user's session, or takes it
 * out again. A secret never stands on a command line: it is typed, or comes by standard input when
 * that is no terminal.
 */
#include "client/cli/verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/keyring.h"
#include "client/cli/secret.h"
#include "client/cli/standalone.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/profile/store.h"
#include "platform/secret-memory.h"

enum { FILE_MAX = 48000 }; /* in base64 it fits into the keyring's 64 KiB */

typedef struct Kind {
    const char *name;   /* on the command line, and in the keyring */
    const char *prompt; /* what is typed */
    const char *title;  /* what the keyring's own program shows behind the profile's name */
    bool file;          /* a whole file, by standard input only */
} Kind;

static const Kind KINDS[] = {
    {"psk", N_("Preshared key: "), N_("preshared key"), false},
    {"password", N_("Password: "), N_("password"), false},
    {"certificate", NULL, N_("certificate and key"), true},
    {"passphrase", N_("Passphrase: "), N_("passphrase of the certificate's key"), false},
    {"pin", N_("PIN: "), N_("PIN"), false},
};

static const Kind *find_kind(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (g_ascii_strcasecmp(KINDS[i].name, name) == 0)
            return &KINDS[i];
    return NULL;
}

/* ---- what is kept ---- */

/* One line; its end is no part of it. */
static bool read_line(char *secret, gsize size)
{
    gsize n = 0;
    gssize got = 0;
    while (n + 1 < size && (got = read(STDIN_FILENO, secret + n, 1)) == 1 && secret[n] != '\n')
        n++;
    secret[n] = '\0';
    return n > 0 && got >= 0 && n + 1 < size;
}

/* In base64, for a keyring keeps text and PKCS #12 is none. */
static bool read_file(char *secret, gsize size)
{
    gsize n = 0;
    gint state = 0, save = 0;
    gssize got = 0;
    guint8 *bytes = platform_secret_alloc(FILE_MAX);
    while (bytes != NULL && n < FILE_MAX && (got = read(STDIN_FILENO, bytes + n, FILE_MAX - n)) > 0)
        n += (gsize)got;
    bool whole = bytes != NULL && got == 0 && n > 0 && (n / 3 + 1) * 4 + 4 < size;
    if (whole) {
        gsize end = g_base64_encode_step(bytes, n, FALSE, secret, &state, &save);
        end += g_base64_encode_close(FALSE, secret + end, &state, &save);
        secret[end] = '\0';
    }
    platform_secret_free(bytes);
    return whole;
}

static bool take_secret(const Kind *kind, char *secret, gsize size)
{
    if (kind->file)
        return !isatty(STDIN_FILENO) && read_file(secret, CLI_KEYRING_SECRET_MAX + 1);
    if (!isatty(STDIN_FILENO))
        return read_line(secret, size);
    return standalone_prompt(_(kind->prompt), false, NULL, secret, size) ==
           STANDALONE_PROMPT_ANSWERED;
}

static int explain(PlatformKeyringResult result)
{
    switch (result) {
    case PLATFORM_KEYRING_DONE:
        return DIALTONE_FAILURE_NONE;
    case PLATFORM_KEYRING_NOTHING:
        cli_complain(_("The keyring has no such secret of this profile."));
        return DIALTONE_FAILURE_SECRET_MISSING;
    case PLATFORM_KEYRING_LOCKED:
        cli_complain(_("The keyring is locked, and was not opened."));
        return DIALTONE_FAILURE_SECRET_MISSING;
    case PLATFORM_KEYRING_NONE:
        cli_complain(_("There is no keyring in this session. Give secrets by `dialtone connect "
                       "--secrets FILE` instead."));
        return DIALTONE_FAILURE_INTERNAL;
    case PLATFORM_KEYRING_FAILED:
        break;
    }
    cli_complain(_("The keyring did not do it."));
    return DIALTONE_FAILURE_INTERNAL;
}

static int set(const DialtoneProfile *profile, const Kind *kind)
{
    const PlatformKeyringName name = {cli_keyring_profile(profile), kind->name};
    g_autofree char *label = g_strdup_printf("%s: %s", profile->name, _(kind->title));
    char *secret = platform_secret_alloc(CLI_KEYRING_SECRET_MAX + 1);
    int code = DIALTONE_FAILURE_SECRET_MISSING;
    if (secret != NULL && take_secret(kind, secret, IKE_SECRET_MAX + 1))
        code = explain(cli_keyring_store(&name, label, secret));
    else
        cli_complain(kind->file
                         ? _("A file of up to 48,000 bytes is read from standard input: dialtone "
                             "secret set PROFILE certificate < FILE")
                         : _("Nothing was given, so nothing is kept."));
    platform_secret_free(secret);
    return code;
}

static int forget(const DialtoneProfile *profile, const Kind *kind)
{
    const PlatformKeyringName name = {cli_keyring_profile(profile), kind->name};
    return explain(cli_keyring_forget(&name));
}

/* ---- the verb ---- */

static const struct {
    const char *name;
    int (*run)(const DialtoneProfile *profile, const Kind *kind);
} ACTIONS[] = {{"set", set}, {"forget", forget}};

int cli_secret(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print a new key as a JSON object"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("generate | set|forget PROFILE psk|password|certificate|passphrase|pin"),
        .summary = _("Makes a preshared key that nobody guesses; keeps a secret of PROFILE in the "
                     "keyring, or takes it out again."),
        .description = _("generate prints a key of 24 letters and digits that every gateway takes, "
                         "and keeps nothing of it. A secret to keep is typed, or read from "
                         "standard input:\n"
                         "  dialtone secret set office psk\n"
                         "  dialtone secret set office certificate < alice.p12\n"
                         "  pass show office/psk | dialtone secret set office psk"),
    };
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) error = NULL;
    if (!cli_parse(argc, argv, options, &help, &words))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(words) == 1 && strcmp(words[0], "generate") == 0)
        return cli_secret_generate(as_json);
    const Kind *kind = g_strv_length(words) == 3 ? find_kind(words[2]) : NULL;
    if (kind == NULL)
        return cli_usage(argv[0], "%s",
                         _("say generate, or what to do, a profile, and psk, password, "
                           "certificate, passphrase or pin"));
    if (cli_caller() != getuid())
        return cli_usage(argv[0], "%s", _("run it without sudo: the keyring is yours, not root's"));
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(DialtoneFound) found = dialtone_store_load(store, words[1], true, &error);
    /* A program that ends before it was fed has said why, or its exit code does. */
    signal(SIGPIPE, SIG_IGN);
    if (found == NULL)
        return cli_fail(error);
    for (gsize i = 0; i < G_N_ELEMENTS(ACTIONS); i++)
        if (strcmp(ACTIONS[i].name, words[0]) == 0)
            return ACTIONS[i].run(found->profile, kind);
    return cli_usage(argv[0], _("%s is nothing it can do; write generate, set or forget"),
                     words[0]);
}
