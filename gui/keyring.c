/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of dialtone-keyring a call; its exit code is a PlatformKeyringResult. */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/keyring.h"

#include "gui/program.h"
#include "platform/secret-memory.h"

#define PROGRAM "dialtone-keyring"

enum { LOOKUP_MS = 3000, PROMPT_MS = 120000 };

static PlatformKeyringResult result_of(int code)
{
    return code >= 0 && code <= PLATFORM_KEYRING_FAILED ? (PlatformKeyringResult)code
                                                        : PLATFORM_KEYRING_FAILED;
}

/* ---- looking up ---- */

void dialtone_keyring_lookup(const PlatformKeyringName *name, GCancellable *cancellable,
                             GAsyncReadyCallback done, gpointer data)
{
    const char *words[] = {PROGRAM, "lookup", name->profile, name->kind, NULL};
    const DialtoneProgram program = {
        .words = words, .milliseconds = LOOKUP_MS, .cancellable = cancellable};
    dialtone_program_run(&program, done, data);
}

PlatformKeyringResult dialtone_keyring_lookup_finish(GAsyncResult *result, char **secretp)
{
    char *out = NULL;
    PlatformKeyringResult how = result_of(dialtone_program_run_finish(result, &out));
    if (how == PLATFORM_KEYRING_DONE)
        *secretp = out;
    else
        platform_secret_free(out);
    return how;
}

/* ---- storing ---- */

/* Whom to tell. */
typedef struct Call {
    DialtoneKeyringDone done; /* NULL: nobody */
    gpointer data;
} Call;

static void on_stored(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree Call *call = data;
    char *out = NULL;
    PlatformKeyringResult how = result_of(dialtone_program_run_finish(result, &out));
    platform_secret_free(out);
    if (how != PLATFORM_KEYRING_DONE && how != PLATFORM_KEYRING_NOTHING)
        g_warning("a secret was not changed in the keyring");
    if (call->done != NULL)
        call->done(how, call->data);
}

void dialtone_keyring_store(const PlatformKeyringName *name, const char *label, const char *secret)
{
    dialtone_keyring_store_then(name, label, secret, NULL, NULL);
}

void dialtone_keyring_store_then(const PlatformKeyringName *name, const char *label,
                                 const char *secret, DialtoneKeyringDone done, gpointer data)
{
    const char *words[] = {PROGRAM, "store", name->profile, name->kind, label, NULL};
    Call *call = g_new(Call, 1);
    *call = (Call){.done = done, .data = data};
    const DialtoneProgram program = {.words = words, .given = secret, .milliseconds = PROMPT_MS};
    dialtone_program_run(&program, on_stored, call);
}

static void forget(const PlatformKeyringName *name, guint milliseconds, Call *call_take)
{
    const char *words[] = {PROGRAM, "forget", name->profile, name->kind, NULL};
    const DialtoneProgram program = {.words = words, .milliseconds = milliseconds};
    dialtone_program_run(&program, on_stored, call_take);
}

void dialtone_keyring_forget(const PlatformKeyringName *name)
{
    forget(name, PROMPT_MS, g_new0(Call, 1));
}

void dialtone_keyring_forget_then(const PlatformKeyringName *name, DialtoneKeyringDone done,
                                  gpointer data)
{
    Call *call = g_new(Call, 1);
    *call = (Call){.done = done, .data = data};
    forget(name, LOOKUP_MS, call);
}
