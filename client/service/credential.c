/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private key of a profile of the system is used by whom the profile names and read by nobody:
 * the service opens it and signs, also for a new Phase 1 long after the program that asked for the
 * connection has left.
 *
 * The authorities of such a profile are the administrator's word about who may be the gateway, so
 * an agent, which is the user's program, has no say in them. They are left to it where the user has
 * written another CA= over the profile, which the administrator can lock, and which can't be where
 * a secret of the system is at stake (override.c).
 */
#include "client/service/credential.h"

#include <string.h>

#include "client/credential/credential.h"
#include "client/profile/schema.h"
#include "client/service/log.h"
#include "platform/secret-memory.h"

struct ServiceCredential {
    DialtoneCredential *credential;
    bool own;         /* with the key, */
    bool authorities; /* with those */
    bool hybrid;      /* needs no key */
};

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

/* ---- reading ---- */

static bool is_as_written(const ServiceCredentialSetup *setup, const char *key)
{
    gsize row = (gsize)(dialtone_profile_key("Identity", key) - dialtone_profile_keys);
    return g_strcmp0(setup->base->values[row], setup->profile->values[row]) == 0;
}

static bool reads_own(const ServiceCredentialSetup *setup)
{
    return setup->base->auth == DIALTONE_AUTH_CERTIFICATE &&
           setup->base->certificate_source == DIALTONE_CERT_FILE;
}

static bool reads_authorities(const ServiceCredentialSetup *setup)
{
    return is_as_written(setup, "CA") && is_as_written(setup, "CRL");
}

static void tell(const ServiceCredentialSetup *setup, const char *line)
{
    service_log(setup->owner, setup->profile->name, "%s", line);
}

/* Addresses are fetched by programs of users; the service reaches the network by tunnels alone. */
static void tell_lists(const ServiceCredentialSetup *setup)
{
    for (guint i = 0; i < setup->base->crls->len; i++) {
        const char *crl = setup->base->crls->pdata[i];
        if (g_path_is_absolute(crl))
            continue;
        g_autofree char *line =
            g_strdup_printf("the revocation list %s is not fetched for a profile of the system; "
                            "put it into a file and write CRL=file:",
                            crl);
        tell(setup, line);
    }
}

static void tell_expiry(const ServiceCredentialSetup *setup, const DialtoneCredential *credential)
{
    const DialtoneCertificate *own = dialtone_credential_certificate(credential);
    g_autofree char *warning =
        own != NULL ? dialtone_certificate_warning(own, g_get_real_time() / G_USEC_PER_SEC) : NULL;
    if (warning != NULL)
        tell(setup, warning);
}

static DialtoneCredential *load(const ServiceCredentialSetup *setup, const ServiceCredential *parts,
                                GError **error)
{
    g_autoptr(DialtoneSecrets) secrets = NULL;
    if (parts->own &&
        !dialtone_system_secrets_passphrase(setup->secrets, setup->base, &secrets, error))
        return NULL;
    const DialtoneCredentialAccess access = {
        .file = setup->file,
        .memory = &MEMORY,
        .passphrase = secrets != NULL ? &secrets->passphrase : NULL,
        .system = &dialtone_root_system,
        .group = dialtone_system_group(),
        .without_own = !parts->own,
        .without_authorities = !parts->authorities,
    };
    return dialtone_credential_load(setup->base, &access, error);
}

ServiceCredential *service_credential_load(const ServiceCredentialSetup *setup, GError **error)
{
    const ServiceCredential parts = {
        .own = reads_own(setup),
        .authorities = reads_authorities(setup),
        .hybrid = setup->profile->auth == DIALTONE_AUTH_HYBRID,
    };
    if (setup->profile->auth == DIALTONE_AUTH_PSK || (!parts.own && !parts.authorities))
        return NULL;
    DialtoneCredential *credential = load(setup, &parts, error);
    if (credential == NULL)
        return NULL;
    tell_expiry(setup, credential);
    if (parts.authorities)
        tell_lists(setup);
    ServiceCredential *self = g_new0(ServiceCredential, 1);
    *self = parts;
    self->credential = credential;
    return self;
}

void service_credential_free(ServiceCredential *self)
{
    if (self == NULL)
        return;
    dialtone_credential_free(self->credential);
    g_free(self);
}

/* ---- using ---- */

bool service_credential_has_own(const ServiceCredential *self)
{
    return self != NULL && self->own;
}

bool service_credential_has_authorities(const ServiceCredential *self)
{
    return self != NULL && self->authorities;
}

bool service_credential_is_complete(const ServiceCredential *self)
{
    return self != NULL && self->authorities && (self->own || self->hybrid);
}

TunnelCredentials *service_credential_share(const ServiceCredential *self,
                                            TunnelCredentials *of_agent_take)
{
    TunnelCredentials *all = of_agent_take != NULL ? of_agent_take : tunnel_credentials_new();
    const DialtoneCertificate *own = dialtone_credential_certificate(self->credential);
    if (self->own) {
        g_ptr_array_set_size(all->chain, 0);
        tunnel_credentials_add(all->chain, dialtone_credential_chain(self->credential));
        g_free(all->subject);
        all->subject = g_strdup(own->subject);
        all->not_after = own->not_after;
    }
    if (self->authorities) {
        g_ptr_array_set_size(all->anchors, 0);
        g_ptr_array_set_size(all->crls, 0);
        tunnel_credentials_add(all->anchors, dialtone_credential_anchors(self->credential));
        tunnel_credentials_add(all->crls, dialtone_credential_crls(self->credential));
    }
    return all;
}

GBytes *service_credential_sign(ServiceCredential *self, const TunnelSigning *signing,
                                GError **error)
{
    DialtoneDigest digest = {.ecdsa = signing->ecdsa, .n = signing->n};
    memcpy(digest.bytes, signing->bytes, MIN(signing->n, sizeof(digest.bytes)));
    return dialtone_credential_sign(self->credential, &digest, error);
}
