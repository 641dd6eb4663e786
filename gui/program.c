/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task holds the run, and each of its two pipes holds the task: whichever ends last, the
 * memory is there until then. Whoever gives up kills the program; the pipes end by that where
 * nobody else has them, which a smart card's module may have started, and are let go anyway.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/program.h"

#include <string.h>
#include <unistd.h>

#include "platform/secret-memory.h"

enum { BYTES_MAX = 64 * 1024, WORDS_MAX = 8 };

typedef struct Run {
    GSubprocess *program;
    GCancellable *pipes; /* cancelled by the deadline, or with the caller's */
    GCancellable *caller;
    gulong handler;
    char *given; /* in locked memory; NULL: it reads nothing */
    char *out;   /* BYTES_MAX + 1 bytes of locked memory */
    guint timer;
} Run;

static void run_free(gpointer data)
{
    Run *run = data;
    g_clear_handle_id(&run->timer, g_source_remove);
    if (run->program != NULL)
        g_subprocess_force_exit(run->program);
    g_clear_object(&run->program);
    g_cancellable_disconnect(run->caller, run->handler);
    g_clear_object(&run->caller);
    g_clear_object(&run->pipes);
    platform_secret_free(run->given);
    platform_secret_free(run->out);
    g_free(run);
}

char *dialtone_program_find(const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
    g_autofree char *build = g_path_get_dirname(folder);
    char *beside = g_build_filename(build, "client", "cli", name, NULL);
    if (access(beside, X_OK) == 0)
        return beside;
    g_free(beside);
    return g_build_filename(DIALTONE_LIBEXECDIR, name, NULL);
}

static void on_cancelled(GCancellable *caller, gpointer pipes)
{
    g_cancellable_cancel(pipes);
}

static gboolean on_time(gpointer data)
{
    Run *run = data;
    run->timer = 0;
    g_subprocess_force_exit(run->program);
    g_cancellable_cancel(run->pipes);
    return G_SOURCE_REMOVE;
}

static gboolean start(Run *run, const DialtoneProgram *setup)
{
    const char *const *words = setup->words, *given = setup->given;
    g_autoptr(GError) error = NULL;
    g_autofree char *program = dialtone_program_find(words[0]);
    const char *argv[WORDS_MAX] = {program};
    for (gsize i = 1; words[i] != NULL && i + 1 < WORDS_MAX; i++)
        argv[i] = words[i];
    const GSubprocessFlags flags =
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | (given != NULL ? G_SUBPROCESS_FLAGS_STDIN_PIPE : 0);
    run->out = platform_secret_alloc(BYTES_MAX + 1);
    if (given != NULL) {
        run->given = platform_secret_alloc(strlen(given) + 1);
        if (run->given != NULL)
            memcpy(run->given, given, strlen(given));
    }
    if (run->out != NULL && (given == NULL || run->given != NULL))
        run->program = g_subprocess_newv(argv, flags, &error);
    if (run->program == NULL)
        g_warning("%s can't be run: %s", words[0], error != NULL ? error->message : "no memory");
    return run->program != NULL;
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    GSubprocess *program = G_SUBPROCESS(source);
    if (!g_subprocess_wait_finish(program, result, &error))
        g_debug("a program was not waited for: %s", error->message);
    g_task_return_int(
        task, g_subprocess_get_if_exited(program) ? g_subprocess_get_exit_status(program) : -1);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Run *run = g_task_get_task_data(task);
    g_autoptr(GError) error = NULL;
    if (!g_input_stream_read_all_finish(G_INPUT_STREAM(source), result, NULL, &error))
        g_subprocess_force_exit(run->program);
    g_subprocess_wait_async(run->program, NULL, on_ended, task);
}

static void on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    g_autoptr(GError) error = NULL;
    if (!g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, NULL, &error) ||
        !g_output_stream_close(G_OUTPUT_STREAM(source), NULL, &error))
        g_debug("a program does not listen: %s", error->message);
    g_object_unref(task);
}

void dialtone_program_run(const DialtoneProgram *program, GAsyncReadyCallback done, gpointer data)
{
    GCancellable *cancellable = program->cancellable;
    GTask *task = g_task_new(NULL, cancellable, done, data);
    Run *run = g_new0(Run, 1);
    g_task_set_task_data(task, run, run_free);
    if (!start(run, program)) {
        g_task_return_int(task, -1);
        g_object_unref(task);
        return;
    }
    run->timer = g_timeout_add(program->milliseconds, on_time, run);
    run->pipes = g_cancellable_new();
    if (cancellable != NULL) {
        run->caller = g_object_ref(cancellable);
        run->handler = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled),
                                             g_object_ref(run->pipes), g_object_unref);
    }
    if (run->given != NULL)
        g_output_stream_write_all_async(g_subprocess_get_stdin_pipe(run->program), run->given,
                                        strlen(run->given), G_PRIORITY_DEFAULT, run->pipes,
                                        on_written, g_object_ref(task));
    g_input_stream_read_all_async(g_subprocess_get_stdout_pipe(run->program), run->out, BYTES_MAX,
                                  G_PRIORITY_DEFAULT, run->pipes, on_read, task);
}

int dialtone_program_run_finish(GAsyncResult *result, char **outp)
{
    g_autoptr(GError) error = NULL;
    Run *run = g_task_get_task_data(G_TASK(result));
    gssize code = g_task_propagate_int(G_TASK(result), &error);
    if (error != NULL || code < 0)
        return -1;
    *outp = g_steal_pointer(&run->out);
    return (int)code;
}
