/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items are found by the profile's UUID, or by its name where it has none. A secret that moves is
 * stored in its new place first: what goes wrong between leaves it twice, and never nowhere.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/profile-secrets.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/keyring.h"
#include "platform/secret-memory.h"

const DialtoneSecretKind dialtone_secret_kinds[DIALTONE_SECRET_KINDS] = {
    {"psk", N_("preshared key")},
    {"password", N_("password")},
    {"passphrase", N_("passphrase of the certificate's key")},
    {"pin", N_("PIN")},
    {"certificate", N_("certificate and key")},
};

char *dialtone_secret_label(const char *name, const char *kind)
{
    gsize i = 0;
    while (i + 1 < DIALTONE_SECRET_KINDS && strcmp(dialtone_secret_kinds[i].kind, kind) != 0)
        i++;
    return g_strdup_printf("%s: %s", name, _(dialtone_secret_kinds[i].title));
}

void dialtone_profile_secrets_forget(const char *profile)
{
    for (gsize i = 0; i < DIALTONE_SECRET_KINDS; i++) {
        const PlatformKeyringName name = {.profile = profile,
                                          .kind = dialtone_secret_kinds[i].kind};
        dialtone_keyring_forget(&name);
    }
}

typedef struct Move {
    char *from, *to, *label;
    const char *kind;
} Move;

static void move_free(Move *move)
{
    g_free(move->from);
    g_free(move->to);
    g_free(move->label);
    g_free(move);
}

static void on_stored(PlatformKeyringResult result, gpointer data)
{
    Move *move = data;
    const PlatformKeyringName from = {.profile = move->from, .kind = move->kind};
    if (result == PLATFORM_KEYRING_DONE)
        dialtone_keyring_forget(&from);
    move_free(move);
}

static void on_found(GObject *source, GAsyncResult *result, gpointer data)
{
    Move *move = data;
    char *secret = NULL;
    const PlatformKeyringName to = {.profile = move->to, .kind = move->kind};
    PlatformKeyringResult found = dialtone_keyring_lookup_finish(result, &secret);
    if (found == PLATFORM_KEYRING_DONE) {
        dialtone_keyring_store_then(&to, move->label, secret, on_stored, move);
        platform_secret_free(secret);
        return;
    }
    if (found != PLATFORM_KEYRING_NOTHING)
        g_warning("the %s of %s was not moved in the keyring", move->kind, move->from);
    move_free(move);
}

void dialtone_profile_secrets_move(const char *from, const char *to, const char *name)
{
    for (gsize i = 0; i < DIALTONE_SECRET_KINDS; i++) {
        Move *move = g_new0(Move, 1);
        const PlatformKeyringName old = {.profile = from, .kind = dialtone_secret_kinds[i].kind};
        *move = (Move){.from = g_strdup(from),
                       .to = g_strdup(to),
                       .label = dialtone_secret_label(name, dialtone_secret_kinds[i].kind),
                       .kind = dialtone_secret_kinds[i].kind};
        dialtone_keyring_lookup(&old, NULL, on_found, move);
    }
}
