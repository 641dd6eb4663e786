/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent of a connection: finds one, hands it a channel, and keeps what the tunnel asks until
 * somebody has answered. */
#pragma once

#include "client/common/failure.h"
#include "client/profile/profile.h"
#include "client/service/agents.h"
#include "client/service/credential.h"
#include "client/tunnel/tunnel.h"

typedef struct ServiceConnectionAgent ServiceConnectionAgent;

typedef struct ServiceConnectionAgentSetup {
    GDBusConnection *bus;
    ServiceAgents *agents;
    uid_t owner;
    const char *preferred; /* asked first: a name on the bus; NULL: none */
    const char *connection, *profile_path, *profile_text, *layer;
    bool needs_credentials;              /* it can't begin without those of an agent */
    bool given;                          /* what it needs from the start it has */
    const ServiceCredential *credential; /* what an agent need not bring; NULL: nothing */
    Tunnel *tunnel;
    TunnelSecrets *system_secrets_take; /* NULL: none */
    /* It can't even begin before an agent has come. */
    void (*waiting)(gpointer data);
    /* What it needs to begin can't be had, says its agent. May free it. */
    void (*refused)(const GError *why, gpointer data);
    gpointer data;
} ServiceConnectionAgentSetup;

/* All strings and objects are borrowed, and outlive it. Looks for nobody yet. */
ServiceConnectionAgent *service_connection_agent_new(const ServiceConnectionAgentSetup *setup);
void service_connection_agent_free(ServiceConnectionAgent *self);

/* One serves, or is asked whether it does. */
bool service_connection_agent_is_tried(const ServiceConnectionAgent *self)
    G_GNUC_WARN_UNUSED_RESULT;
/* There may be an agent now, and the tunnel has begun. */
void service_connection_agent_look(ServiceConnectionAgent *self);

void service_connection_agent_report(ServiceConnectionAgent *self, const char *json);
void service_connection_agent_notice(ServiceConnectionAgent *self, const char *text);
void service_connection_agent_question(ServiceConnectionAgent *self,
                                       const TunnelQuestion *question);
void service_connection_agent_sign(ServiceConnectionAgent *self, const TunnelSigning *signing);
void service_connection_agent_end(ServiceConnectionAgent *self, DialtoneFailure code);
