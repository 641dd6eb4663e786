/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to a program of the user's (--ask-command): one question on its standard input, an
 * object of JSON; the answer is the first line of what it says on standard output.
 *
 * It is started without a shell, with the rights, the home and the session folder of the user who
 * called, in a session of its own: it has no terminal, and all that it has started can be ended
 * with it. What it says goes straight into locked memory. It may take its time, for it may ask a
 * person; but not for ever, and not longer than the tunnel waits.
 */
#include "client/cli/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/common/i18n.h"

enum { COMMAND_SECONDS = 120 };

typedef struct Command {
    const char *program;
    pid_t pid;
    int pidfd;
    int in, out; /* its standard input and output, our ends */
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

/* ---- the process ---- */

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

static int spawn(Command *command, const char *const *argv, const int child[2])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    g_auto(GStrv) env = environment();
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, child[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int result = posix_spawnp(&command->pid, argv[0], &actions, &attributes,
                              (char *const *)(uintptr_t)argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* 0 or errno. */
static int start(Command *command, const char *const *argv)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) < 0) {
        int error = errno;
        close(in[0]);
        close(in[1]);
        return error;
    }
    *command = (Command){.program = argv[0], .pidfd = -1, .in = in[1], .out = out[0]};
    command->until = g_get_monotonic_time() + COMMAND_SECONDS * G_USEC_PER_SEC;
    int result = spawn(command, argv, (const int[]){in[0], out[1]});
    close(in[0]);
    close(out[1]);
    if (result == 0)
        command->pidfd = pidfd_open(command->pid, 0);
    else
        command->pid = 0;
    return result;
}

/* With all that it has started. Its exit code; -1: it was killed. */
static int finish(Command *command)
{
    int status = 0;
    if (command->in >= 0)
        close(command->in);
    close(command->out);
    if (command->pidfd >= 0)
        close(command->pidfd);
    if (command->pid == 0)
        return -1;
    kill(-command->pid, SIGKILL);
    while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the answer ---- */

/* A pipe holds far more than a question, so this never waits. */
static void put_question(Command *command, const char *text)
{
    gsize n = strlen(text);
    if (write(command->in, text, n) != (ssize_t)n)
        g_debug("the command does not read its question");
    close(command->in);
    command->in = -1;
}

/* Reads on to the end, but keeps the first line only. */
static StandalonePrompt read_answer(Command *command, StandaloneWait *wait, char *line, gsize size)
{
    gsize n = 0;
    bool whole = false;
    for (;;) {
        char c = 0;
        StandalonePrompt ready = standalone_wait(wait, command->out, command->until);
        if (ready != STANDALONE_PROMPT_ANSWERED)
            return ready;
        ssize_t got = read(command->out, &c, 1);
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
    return standalone_wait(wait, command->pidfd, command->until);
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
    int code = finish(command);
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
    Command command;
    g_autofree char *text = question_to_json(asker->profile, question, asked);
    int error = start(&command, asker->command);
    if (error != 0) {
        finish(&command);
        explain(asker->command[0], g_strerror(error));
        return STANDALONE_PROMPT_NOBODY;
    }
    put_question(&command, text);
    return converse(&command, asker->wait, line, size);
}
