/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to a program of the user's (--ask-command): one question on its standard input, an
 * object of JSON; the answer is the first line of what it says on standard output.
 *
 * It is started with the rights, the home and the session folder of the user who called. What it
 * says goes straight into locked memory. It may take its time, for it may ask a person; but not for
 * ever, and not longer than the tunnel waits.
 */
#include "client/cli/standalone.h"

#include <json-glib/json-glib.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/child.h"
#include "client/common/i18n.h"

enum { COMMAND_SECONDS = 120 };

typedef struct Command {
    const char *program;
    CliChild child;
    gint64 until;
} Command;

/* ---- the question ---- */

static const char *const KINDS[TUNNEL_ASK_KINDS] = {
    [IKE_ASK_USER] = "user",         [IKE_ASK_PASSWORD] = "password",
    [IKE_ASK_PASSCODE] = "passcode", [IKE_ASK_NEXT_PIN] = "next-pin",
    [IKE_ASK_ANSWER] = "answer",     [IKE_ASK_DOMAIN] = "domain",
    [TUNNEL_ASK_PSK] = "psk",
};

static void put_text(JsonBuilder *json, const char *name, const char *text)
{
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, text);
}

static void put_flag(JsonBuilder *json, const char *name, bool flag)
{
    json_builder_set_member_name(json, name);
    json_builder_add_boolean_value(json, flag);
}

/* One line, with its end. */
static char *question_to_json(const char *profile, const TunnelQuestion *question,
                              const TunnelAsked *asked)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    put_text(json, "profile", profile);
    put_text(json, "kind", KINDS[asked->kind]);
    put_text(json, "user", question->user_name);
    put_text(json, "message", question->message);
    put_text(json, "challenge", question->challenge);
    put_flag(json, "secret", asked->secret);
    put_flag(json, "once", asked->once);
    put_flag(json, "again", question->again);
    json_builder_end_object(json);
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    return g_strconcat(text, "\n", NULL);
}

/* sudo may have left root's home and nothing of the session. */
static char **environment(void)
{
    char **env = g_get_environ();
    const struct passwd *user = getpwuid(getuid());
    g_autofree char *runtime = g_strdup_printf("/run/user/%u", (unsigned)getuid());
    if (user != NULL) {
        env = g_environ_setenv(env, "HOME", user->pw_dir, TRUE);
        env = g_environ_setenv(env, "USER", user->pw_name, TRUE);
        env = g_environ_setenv(env, "LOGNAME", user->pw_name, TRUE);
    }
    if (access(runtime, X_OK) == 0)
        env = g_environ_setenv(env, "XDG_RUNTIME_DIR", runtime, TRUE);
    return env;
}

/* ---- the answer ---- */

/* A pipe holds far more than a question, so this never waits. */
static void put_question(Command *command, const char *text)
{
    gsize n = strlen(text);
    if (write(command->child.in, text, n) != (ssize_t)n)
        g_debug("the command does not read its question");
    cli_child_close_input(&command->child);
}

/* Reads on to the end, but keeps the first line only. */
static StandalonePrompt read_answer(Command *command, StandaloneWait *wait, char *line, gsize size)
{
    gsize n = 0;
    bool whole = false;
    for (;;) {
        char c = 0;
        StandalonePrompt ready = standalone_wait(wait, command->child.out, command->until);
        if (ready != STANDALONE_PROMPT_ANSWERED)
            return ready;
        ssize_t got = read(command->child.out, &c, 1);
        if (got <= 0)
            break;
        if (c == '\n')
            whole = true;
        if (whole)
            continue;
        if (n + 1 == size)
            return STANDALONE_PROMPT_NOBODY;
        line[n++] = c;
    }
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    /* Its exit code counts, so it gets the time to end. */
    return standalone_wait(wait, command->child.pidfd, command->until);
}

static void explain(const char *program, const char *why)
{
    g_autofree char *text = g_strdup_printf(_("%s gave no answer: %s."), program, why);
    standalone_print_notice(text);
}

static StandalonePrompt converse(Command *command, StandaloneWait *wait, char *line, gsize size)
{
    StandalonePrompt result = read_answer(command, wait, line, size);
    bool late = g_get_monotonic_time() >= command->until;
    int code = cli_child_end(&command->child);
    if (result == STANDALONE_PROMPT_ANSWERED && code != 0) {
        g_autofree char *why = g_strdup_printf(_("it ended with %d"), code);
        explain(command->program, why);
        return STANDALONE_PROMPT_NOBODY;
    }
    if (result == STANDALONE_PROMPT_NOBODY)
        explain(command->program, late ? _("it took longer than two minutes")
                                       : _("its first line is longer than 512 bytes"));
    return result;
}

StandalonePrompt standalone_command(const StandaloneAsker *asker, const TunnelQuestion *question,
                                    const TunnelAsked *asked, char *line, gsize size)
{
    Command command = {.program = asker->command[0]};
    g_autofree char *text = question_to_json(asker->profile, question, asked);
    g_auto(GStrv) env = environment();
    command.until = g_get_monotonic_time() + COMMAND_SECONDS * G_USEC_PER_SEC;
    int error = cli_child_start(&command.child, asker->command, env);
    if (error != 0) {
        cli_child_end(&command.child);
        explain(asker->command[0], g_strerror(error));
        return STANDALONE_PROMPT_NOBODY;
    }
    put_question(&command, text);
    return converse(&command, asker->wait, line, size);
}
