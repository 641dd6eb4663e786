/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in memory: one allocation of locked pages for all of a connection's, so that they are
 * neither swapped nor dumped and one free wipes them. Nothing here formats, logs or compares them.
 */
#include "client/tunnel/secrets.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "platform/secret-memory.h"

TunnelSecrets *tunnel_secrets_new(void)
{
    return platform_secret_alloc(sizeof(TunnelSecrets));
}

void tunnel_secrets_free(TunnelSecrets *secrets)
{
    platform_secret_free(secrets);
}

TunnelAnswer *tunnel_answer_new(void)
{
    return platform_secret_alloc(sizeof(TunnelAnswer));
}

void tunnel_answer_free(TunnelAnswer *answer)
{
    platform_secret_free(answer);
}

bool tunnel_secret_set(IkeSecret *secret, const void *bytes, gsize n)
{
    if (n > sizeof(secret->bytes))
        return false;
    platform_secret_wipe(secret->bytes, sizeof(secret->bytes));
    if (n > 0)
        memcpy(secret->bytes, bytes, n);
    secret->n = (uint16_t)n;
    secret->known = true;
    return true;
}

void tunnel_secret_wipe(IkeSecret *secret)
{
    platform_secret_wipe(secret, sizeof(*secret));
}

IkeConfig *tunnel_ike_config_new(void)
{
    return platform_secret_alloc(sizeof(IkeConfig));
}

void tunnel_ike_config_free(IkeConfig *config)
{
    platform_secret_free(config);
}

/* ---- from a file ---- */

static bool copy_secret(IkeSecret *into, const DialtoneSecret *from, const char *key,
                        GError **error)
{
    if (from->bytes == NULL || tunnel_secret_set(into, from->bytes, from->n))
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, _("Use a shorter one."),
                         _("[Secrets] %s is longer than %d bytes."), key, IKE_SECRET_MAX);
    return false;
}

static bool copy_codes(TunnelSecrets *into, const DialtoneSecrets *from, GError **error)
{
    G_STATIC_ASSERT((int)DIALTONE_PASSCODES_MAX <= (int)TUNNEL_CODES_MAX);
    for (gsize i = 0; i < from->n_passcodes; i++)
        if (!copy_secret(&into->codes[into->codes_n++], &from->passcodes[i], "Passcode", error))
            return false;
    return true;
}

bool tunnel_secrets_take_file(TunnelSecrets *into, const DialtoneSecrets *from, GError **error)
{
    return copy_secret(&into->psk, &from->psk, "PSK", error) &&
           copy_secret(&into->user, &from->user, "User", error) &&
           copy_secret(&into->password, &from->password, "Password", error) &&
           copy_codes(into, from, error);
}
