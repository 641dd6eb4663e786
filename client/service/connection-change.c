/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profile of a connection, as it is by now. The tunnel takes it and keeps the network as it is
 * meanwhile (client/tunnel/tunnel-change.c); here it is text, secrets of the machine and
 * certificates that change with it, and who serves: an agent is told the text that it is to find
 * secrets for. What was in use is kept until the tunnel says that it is connected, or that it went
 * back.
 */
#include "client/service/connection-private.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/parse.h"

static void former_free(ServiceFormer *former)
{
    if (former == NULL)
        return;
    g_free(former->profile_text);
    g_free(former->override);
    dialtone_profile_free(former->profile);
    service_credential_free(former->credential);
    g_free(former);
}

void service_connection_forget_former(ServiceConnection *self)
{
    g_clear_pointer(&self->former, former_free);
}

static ServiceFormer *former_of(ServiceConnection *self)
{
    ServiceFormer *former = g_new0(ServiceFormer, 1);
    *former = (ServiceFormer){
        (char *)(uintptr_t)self->setup.profile_text, (char *)(uintptr_t)self->setup.override,
        g_steal_pointer(&self->profile), g_steal_pointer(&self->setup.credential_take)};
    self->setup.profile_text = self->setup.override = NULL;
    return former;
}

/* Whoever serves has the text that was. */
static void end_agent(ServiceConnection *self, DialtoneFailure code)
{
    if (self->agent != NULL)
        service_connection_agent_end(self->agent, code);
    g_clear_pointer(&self->agent, service_connection_agent_free);
}

bool service_connection_go_back(ServiceConnection *self, DialtoneFailure why)
{
    ServiceFormer *former = g_steal_pointer(&self->former);
    if (former == NULL)
        return false;
    end_agent(self, why);
    former_free(former_of(self));
    self->profile = g_steal_pointer(&former->profile);
    self->setup.profile_text = g_steal_pointer(&former->profile_text);
    self->setup.override = g_steal_pointer(&former->override);
    self->setup.credential_take = g_steal_pointer(&former->credential);
    former_free(former);
    return true;
}

void service_connection_on_changed(DialtoneFailure why, gpointer data)
{
    ServiceConnection *self = data;
    if (why == DIALTONE_FAILURE_NONE) {
        service_connection_forget_former(self);
        self->setup.changed(self, self->setup.data);
    } else if (service_connection_go_back(self, why)) {
        service_connection_begin_agent(self, true);
    }
}

static bool let_tunnel_change(ServiceConnection *self, const char *text, GError **error)
{
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "profile", NULL);
    if (profile != NULL && self->tunnel != NULL && !self->stopping && self->refused == NULL &&
        self->idle == 0)
        return tunnel_change(self->tunnel, profile, error);
    dialtone_profile_free(profile);
    dialtone_failure_set(error, DIALTONE_FAILURE_TUNNEL_LOST, _("Connect again."),
                         _("The tunnel is not up, so it can't take a changed profile."));
    return false;
}

bool service_connection_change(ServiceConnection *self, const ServiceConnectionChange *change,
                               GError **error)
{
    const char *text = change->profile_text;
    if (!let_tunnel_change(self, text, error)) {
        tunnel_secrets_free(change->system_secrets_take);
        service_credential_free(change->credential_take);
        return false;
    }
    end_agent(self, DIALTONE_FAILURE_NONE);
    ServiceFormer *former = former_of(self);
    /* Of several that waited one upon the other, none but the first was connected before. */
    if (self->former == NULL)
        self->former = former;
    else
        former_free(former);
    self->profile = dialtone_profile_parse(text, strlen(text), "profile", NULL);
    self->setup.profile_text = g_strdup(text);
    self->setup.override = g_strdup(change->override);
    g_free((char *)(uintptr_t)self->setup.agent);
    self->setup.agent = g_strdup(change->agent);
    tunnel_secrets_free(self->setup.system_secrets_take);
    self->setup.system_secrets_take = change->system_secrets_take;
    self->setup.credential_take = change->credential_take;
    if (service_credential_is_complete(self->setup.credential_take))
        tunnel_give_credentials(self->tunnel,
                                service_credential_share(self->setup.credential_take, NULL));
    service_connection_begin_agent(self, false);
    service_connection_agent_look(self->agent);
    return true;
}
