/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of dialtone-keyring a call: a pipe in for what is stored, a pipe out for what is looked
 * up, straight into locked memory, and a deadline behind which it is killed. Its exit code is a
 * PlatformKeyringResult.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/keyring.h"

#include <string.h>
#include <unistd.h>

#include "platform/secret-memory.h"

#define PROGRAM "dialtone-keyring"

enum { LOOKUP_MS = 3000, PROMPT_MS = 120000, SECRET_MAX = 64 * 1024 };

typedef struct Call {
    GSubprocess *program;
    char *secret; /* SECRET_MAX + 1 bytes of locked memory */
    guint timer;
} Call;

static void call_free(gpointer data)
{
    Call *call = data;
    g_clear_handle_id(&call->timer, g_source_remove);
    if (call->program != NULL)
        g_subprocess_force_exit(call->program);
    g_clear_object(&call->program);
    platform_secret_free(call->secret);
    g_free(call);
}

/* Beside this program where it was built, else where it is installed. */
static char *find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
    g_autofree char *build = g_path_get_dirname(folder);
    char *beside = g_build_filename(build, "client", "cli", PROGRAM, NULL);
    if (access(beside, X_OK) == 0)
        return beside;
    g_free(beside);
    return g_build_filename(DIALTONE_LIBEXECDIR, PROGRAM, NULL);
}

static gboolean on_time(gpointer data)
{
    Call *call = data;
    call->timer = 0;
    g_subprocess_force_exit(call->program);
    return G_SOURCE_REMOVE;
}

static Call *start(const char *const *words, GSubprocessFlags flags, guint milliseconds)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = find_program();
    Call *call = g_new0(Call, 1);
    const char *argv[6] = {program};
    for (gsize i = 0; words[i] != NULL && i + 2 < G_N_ELEMENTS(argv); i++)
        argv[i + 1] = words[i];
    call->secret = platform_secret_alloc(SECRET_MAX + 1);
    call->program = call->secret != NULL ? g_subprocess_newv(argv, flags, &error) : NULL;
    if (call->program == NULL)
        g_warning("the keyring can't be asked: %s", error != NULL ? error->message : "no memory");
    else
        call->timer = g_timeout_add(milliseconds, on_time, call);
    return call;
}

static PlatformKeyringResult result_of(GSubprocess *program)
{
    int code = g_subprocess_get_if_exited(program) ? g_subprocess_get_exit_status(program) : -1;
    return code >= 0 && code <= PLATFORM_KEYRING_FAILED ? (PlatformKeyringResult)code
                                                        : PLATFORM_KEYRING_FAILED;
}

/* ---- looking up ---- */

static void on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    if (!g_subprocess_wait_finish(G_SUBPROCESS(source), result, &error))
        g_debug("the keyring was not waited for: %s", error->message);
    g_task_return_int(task, result_of(G_SUBPROCESS(source)));
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Call *call = g_task_get_task_data(task);
    g_autoptr(GError) error = NULL;
    if (!g_input_stream_read_all_finish(G_INPUT_STREAM(source), result, NULL, &error))
        g_subprocess_force_exit(call->program);
    g_subprocess_wait_async(call->program, NULL, on_looked, task);
}

void dialtone_keyring_lookup(const PlatformKeyringName *name, GCancellable *cancellable,
                             GAsyncReadyCallback done, gpointer data)
{
    const char *words[] = {"lookup", name->profile, name->kind, NULL};
    GTask *task = g_task_new(NULL, cancellable, done, data);
    Call *call = start(words, G_SUBPROCESS_FLAGS_STDOUT_PIPE, LOOKUP_MS);
    g_task_set_task_data(task, call, call_free);
    if (call->program == NULL) {
        g_task_return_int(task, PLATFORM_KEYRING_FAILED);
        g_object_unref(task);
        return;
    }
    g_input_stream_read_all_async(g_subprocess_get_stdout_pipe(call->program), call->secret,
                                  SECRET_MAX, G_PRIORITY_DEFAULT, cancellable, on_read, task);
}

PlatformKeyringResult dialtone_keyring_lookup_finish(GAsyncResult *result, char **secretp)
{
    g_autoptr(GError) error = NULL;
    Call *call = g_task_get_task_data(G_TASK(result));
    gssize answer = g_task_propagate_int(G_TASK(result), &error);
    if (error != NULL)
        return PLATFORM_KEYRING_FAILED;
    if (answer == PLATFORM_KEYRING_DONE)
        *secretp = g_steal_pointer(&call->secret);
    return (PlatformKeyringResult)answer;
}

/* ---- storing ---- */

static void on_stored(GObject *source, GAsyncResult *result, gpointer data)
{
    if (!g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL) ||
        result_of(G_SUBPROCESS(source)) != PLATFORM_KEYRING_DONE)
        g_warning("a secret was not stored in the keyring");
    call_free(data);
}

static void on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    if (!g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, NULL, &error) ||
        !g_output_stream_close(G_OUTPUT_STREAM(source), NULL, &error))
        g_debug("the keyring does not listen: %s", error->message);
    g_subprocess_wait_async(call->program, NULL, on_stored, call);
}

void dialtone_keyring_store(const PlatformKeyringName *name, const char *label, const char *secret)
{
    const char *words[] = {"store", name->profile, name->kind, label, NULL};
    Call *call = start(words, G_SUBPROCESS_FLAGS_STDIN_PIPE, PROMPT_MS);
    gsize n = strlen(secret);
    if (call->program == NULL || n > SECRET_MAX) {
        call_free(call);
        return;
    }
    memcpy(call->secret, secret, n);
    g_output_stream_write_all_async(g_subprocess_get_stdin_pipe(call->program), call->secret, n,
                                    G_PRIORITY_DEFAULT, NULL, on_written, call);
}
