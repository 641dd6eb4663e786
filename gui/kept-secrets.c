/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One secret after the other, so that a locked keyring asks once. The first that it does not take
 * is the last that is tried: it stays here, with what comes behind it, for another try.
 */
#include "gui/kept-secrets.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/keyring.h"
#include "gui/profile-secrets.h"
#include "platform/secret-memory.h"

struct DialtoneKeptSecrets {
    char *texts[DIALTONE_SECRET_KINDS]; /* in locked memory; NULL: none */
};

/* While the keyring works. */
typedef struct Storing {
    DialtoneKeptSecrets *kept;
    char *profile, *name;
    gsize at;
    DialtoneKeptSecretsDone done;
    gpointer data;
} Storing;

static void clear(gpointer data)
{
    DialtoneKeptSecrets *kept = data;
    for (gsize i = 0; i < DIALTONE_SECRET_KINDS; i++)
        kept->texts[i] = platform_secret_free(kept->texts[i]);
}

DialtoneKeptSecrets *dialtone_kept_secrets_new(void)
{
    return g_rc_box_new0(DialtoneKeptSecrets);
}

void dialtone_kept_secrets_free(DialtoneKeptSecrets *kept)
{
    if (kept != NULL)
        g_rc_box_release_full(kept, clear);
}

static gsize find(const char *kind)
{
    gsize i = 0;
    while (i + 1 < DIALTONE_SECRET_KINDS && strcmp(dialtone_secret_kinds[i].kind, kind) != 0)
        i++;
    return i;
}

void dialtone_kept_secrets_set(DialtoneKeptSecrets *kept, const char *kind, const char *text)
{
    char **slot = &kept->texts[find(kind)];
    platform_secret_free(*slot);
    *slot = text != NULL ? platform_secret_alloc(strlen(text) + 1) : NULL;
    if (*slot != NULL)
        memcpy(*slot, text, strlen(text));
}

void dialtone_kept_secrets_copy(DialtoneKeptSecrets *kept, const DialtoneKeptSecrets *from)
{
    for (gsize i = 0; i < DIALTONE_SECRET_KINDS; i++)
        if (from->texts[i] != NULL)
            dialtone_kept_secrets_set(kept, dialtone_secret_kinds[i].kind, from->texts[i]);
}

void dialtone_kept_secrets_limit(DialtoneKeptSecrets *kept, const DialtoneProfile *profile)
{
    if (profile->auth != DIALTONE_AUTH_PSK || profile->psk_source != DIALTONE_SOURCE_KEYRING)
        dialtone_kept_secrets_set(kept, "psk", NULL);
    if (profile->auth != DIALTONE_AUTH_CERTIFICATE)
        dialtone_kept_secrets_set(kept, "passphrase", NULL);
}

gboolean dialtone_kept_secrets_is_empty(const DialtoneKeptSecrets *kept)
{
    for (gsize i = 0; i < DIALTONE_SECRET_KINDS; i++)
        if (kept->texts[i] != NULL)
            return FALSE;
    return TRUE;
}

const char *dialtone_kept_secrets_get(const DialtoneKeptSecrets *kept, const char *kind)
{
    return kept->texts[find(kind)];
}

/* ---- into the keyring ---- */

static void store_next(Storing *storing);

static void end(Storing *storing, PlatformKeyringResult result)
{
    storing->done(result, storing->data);
    dialtone_kept_secrets_free(storing->kept);
    g_free(storing->profile);
    g_free(storing->name);
    g_free(storing);
}

static void on_stored(PlatformKeyringResult result, gpointer data)
{
    Storing *storing = data;
    char **slot = &storing->kept->texts[storing->at];
    if (result != PLATFORM_KEYRING_DONE) {
        end(storing, result);
        return;
    }
    *slot = platform_secret_free(*slot);
    store_next(storing);
}

static void store_next(Storing *storing)
{
    while (storing->at < DIALTONE_SECRET_KINDS && storing->kept->texts[storing->at] == NULL)
        storing->at++;
    if (storing->at == DIALTONE_SECRET_KINDS) {
        end(storing, PLATFORM_KEYRING_DONE);
        return;
    }
    const DialtoneSecretKind *kind = &dialtone_secret_kinds[storing->at];
    const PlatformKeyringName name = {.profile = storing->profile, .kind = kind->kind};
    g_autofree char *label = dialtone_secret_label(storing->name, kind->kind);
    dialtone_keyring_store_then(&name, label, storing->kept->texts[storing->at], on_stored,
                                storing);
}

void dialtone_kept_secrets_store(DialtoneKeptSecrets *kept, const char *profile, const char *name,
                                 DialtoneKeptSecretsDone done, gpointer data)
{
    Storing *storing = g_new0(Storing, 1);
    *storing = (Storing){.kept = g_rc_box_acquire(kept),
                         .profile = g_strdup(profile),
                         .name = g_strdup(name),
                         .done = done,
                         .data = data};
    store_next(storing);
}

const char *dialtone_kept_secrets_problem(PlatformKeyringResult result)
{
    switch (result) {
    case PLATFORM_KEYRING_LOCKED:
        return _("The keyring is locked, and was not opened.");
    case PLATFORM_KEYRING_NONE:
        return _("There is no keyring in this session.");
    case PLATFORM_KEYRING_DONE:
    case PLATFORM_KEYRING_NOTHING:
    case PLATFORM_KEYRING_FAILED:
        break;
    }
    return _("The keyring did not do it.");
}
