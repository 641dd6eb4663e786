/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A secret of the keyring that was refused is asked for the next time, or the same wrong password
 * would be sent until the account is locked. What a person has typed is stored only when it has
 * served.
 */
#include "gui/session-secrets.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/keyring.h"
#include "gui/profile-secrets.h"
#include "platform/secret-memory.h"

static const struct {
    const char *kind;
    guint asked;
    DialtoneFailure refusal; /* how a connection fails that it is the wrong one for */
} KINDS[DIALTONE_SESSION_SECRETS_N] = {
    [DIALTONE_SESSION_PSK] = {"psk", TUNNEL_ASK_PSK, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION},
    [DIALTONE_SESSION_PASSWORD] = {"password", IKE_ASK_PASSWORD,
                                   DIALTONE_FAILURE_USER_AUTHENTICATION},
    [DIALTONE_SESSION_PASSPHRASE] = {"passphrase", TUNNEL_ASK_PASSPHRASE, DIALTONE_FAILURE_NONE},
    [DIALTONE_SESSION_PIN] = {"pin", TUNNEL_ASK_PIN, DIALTONE_FAILURE_NONE},
};

struct DialtoneSessionSecrets {
    const DialtoneProfile *profile;
    GHashTable *refused;
    gboolean used[DIALTONE_SESSION_SECRETS_N]; /* the keyring's is */
    char *typed[DIALTONE_SESSION_SECRETS_N];   /* to be kept, in locked memory; NULL: nothing */
};

PlatformKeyringName dialtone_session_secrets_name(const DialtoneSessionSecrets *self,
                                                  DialtoneSessionSecret secret)
{
    const DialtoneProfile *profile = self->profile;
    return (PlatformKeyringName){.profile = profile->uuid != NULL ? profile->uuid : profile->name,
                                 .kind = KINDS[secret].kind};
}

/* For the set of what was refused. The caller frees it. */
static char *refused_key(const DialtoneSessionSecrets *self, int secret)
{
    const PlatformKeyringName name =
        dialtone_session_secrets_name(self, (DialtoneSessionSecret)secret);
    return g_strdup_printf("%s %s", name.profile, name.kind);
}

static void refuse(DialtoneSessionSecrets *self, int secret)
{
    g_hash_table_add(self->refused, refused_key(self, secret));
    self->used[secret] = FALSE;
}

static gboolean is_of_profile(const DialtoneProfile *profile, DialtoneSessionSecret secret)
{
    if (secret >= DIALTONE_SESSION_OF_KEY)
        return profile->auth == DIALTONE_AUTH_CERTIFICATE;
    if (secret == DIALTONE_SESSION_PSK)
        return profile->auth == DIALTONE_AUTH_PSK && profile->psk_source == DIALTONE_SOURCE_KEYRING;
    return profile->xauth != DIALTONE_XAUTH_NO && profile->user != NULL &&
           profile->password_source == DIALTONE_SOURCE_KEYRING;
}

gboolean dialtone_session_secrets_is_looked_up(const DialtoneSessionSecrets *self,
                                               DialtoneSessionSecret secret)
{
    g_autofree char *key = refused_key(self, secret);
    return is_of_profile(self->profile, secret) && !g_hash_table_contains(self->refused, key);
}

void dialtone_session_secrets_used(DialtoneSessionSecrets *self, DialtoneSessionSecret secret)
{
    self->used[secret] = TRUE;
}

static void forget(DialtoneSessionSecrets *self)
{
    for (int i = 0; i < DIALTONE_SESSION_SECRETS_N; i++)
        self->typed[i] = platform_secret_free(self->typed[i]);
}

void dialtone_session_secrets_remember(DialtoneSessionSecrets *self, DialtonePrompt *prompt)
{
    for (int i = 0; i < DIALTONE_SESSION_SECRETS_N; i++) {
        const char *text = dialtone_prompt_get_kept(prompt, KINDS[i].asked);
        if (text == NULL)
            continue;
        platform_secret_free(self->typed[i]);
        self->typed[i] = platform_secret_alloc(strlen(text) + 1);
        if (self->typed[i] != NULL)
            memcpy(self->typed[i], text, strlen(text));
    }
}

void dialtone_session_secrets_store(DialtoneSessionSecrets *self, DialtoneSessionSecret from,
                                    DialtoneSessionSecret to)
{
    for (int i = from; i < (int)to; i++) {
        const PlatformKeyringName name =
            dialtone_session_secrets_name(self, (DialtoneSessionSecret)i);
        g_autofree char *label = dialtone_secret_label(self->profile->name, KINDS[i].kind);
        g_autofree char *key = refused_key(self, i);
        if (self->typed[i] == NULL)
            continue;
        dialtone_keyring_store(&name, label, self->typed[i]);
        g_hash_table_remove(self->refused, key);
        self->typed[i] = platform_secret_free(self->typed[i]);
    }
}

void dialtone_session_secrets_failed(DialtoneSessionSecrets *self, DialtoneFailure reason)
{
    for (int i = 0; i < DIALTONE_SESSION_SECRETS_N; i++)
        if (self->used[i] && KINDS[i].refusal == reason)
            refuse(self, i);
    forget(self);
}

/* A code of a later round says nothing of the password before it. */
static gboolean asks_for(const TunnelQuestion *question, guint kind)
{
    for (gsize i = 0; i < question->asked_n; i++)
        if (!question->asked[i].once && question->asked[i].kind == kind)
            return TRUE;
    return FALSE;
}

gboolean dialtone_session_secrets_asked(DialtoneSessionSecrets *self,
                                        const TunnelQuestion *question)
{
    gboolean was_used = FALSE;
    for (int i = 0; question->again && i < DIALTONE_SESSION_SECRETS_N; i++) {
        if (!asks_for(question, KINDS[i].asked))
            continue;
        self->typed[i] = platform_secret_free(self->typed[i]);
        was_used |= self->used[i];
        if (self->used[i])
            refuse(self, i);
    }
    return was_used;
}

DialtoneSessionSecrets *dialtone_session_secrets_new(const DialtoneProfile *profile,
                                                     GHashTable *refused)
{
    DialtoneSessionSecrets *self = g_new0(DialtoneSessionSecrets, 1);
    *self = (DialtoneSessionSecrets){.profile = profile, .refused = refused};
    return self;
}

void dialtone_session_secrets_free(DialtoneSessionSecrets *self)
{
    if (self == NULL)
        return;
    forget(self);
    g_free(self);
}
