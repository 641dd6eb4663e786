/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in memory: one allocation of locked pages for all of a connection's, so that they are
 * neither swapped nor dumped and one free wipes them. Nothing here formats, logs or compares them.
 */
#include "client/tunnel/secrets.h"

#include <string.h>

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
