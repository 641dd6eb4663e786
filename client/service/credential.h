/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the certificate settings of a profile of the system stand for, as far as the service reads
 * it itself: files below /etc/dialtone and /etc/ssl, which the user who connects may be unable to
 * read. */
#pragma once

#include "client/profile/profile.h"
#include "client/profile/system-secrets.h"
#include "client/tunnel/credentials.h"
#include "client/tunnel/tunnel.h"

typedef struct ServiceCredential ServiceCredential;

typedef struct ServiceCredentialSetup {
    const DialtoneProfile *base;    /* as the administrator wrote it */
    const DialtoneProfile *profile; /* as it is connected */
    const char *file;               /* of the profile */
    const DialtoneSystemSecrets *secrets;
    uid_t owner; /* who is told in the log */
} ServiceCredentialSetup;

/* NULL without an error: all of it is the agent's, or none is needed. */
ServiceCredential *service_credential_load(const ServiceCredentialSetup *setup,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void service_credential_free(ServiceCredential *self);

/* It has the certificate and signs. Of NULL: not. */
bool service_credential_has_own(const ServiceCredential *self) G_GNUC_WARN_UNUSED_RESULT;
bool service_credential_has_authorities(const ServiceCredential *self) G_GNUC_WARN_UNUSED_RESULT;
/* Nothing is left for an agent to bring. */
bool service_credential_is_complete(const ServiceCredential *self) G_GNUC_WARN_UNUSED_RESULT;

/* What goes to the tunnel. @of_agent, which is taken: what an agent has brought; NULL: nothing.
 * What is here counts, whatever an agent says of it. */
TunnelCredentials *
service_credential_share(const ServiceCredential *self,
                         TunnelCredentials *of_agent_take) G_GNUC_WARN_UNUSED_RESULT;
/* NULL and an error: it can't be signed. */
GBytes *service_credential_sign(ServiceCredential *self, const TunnelSigning *signing,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
