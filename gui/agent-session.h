/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection that is served: the channel that the service has handed over, what the keyring has
 * for it, what a person is asked, and who signs. */
#pragma once

#include <gtk/gtk.h>

#include "client/profile/profile.h"
#include "gui/catalog.h"

typedef struct DialtoneAgentSession DialtoneAgentSession;

typedef struct DialtoneAgentSessionSetup {
    int fd; /* of the channel, taken */
    DialtoneProfile *profile_take;
    const char *text;                  /* of the profile; borrowed for the call, as the next is */
    gboolean has_own, has_authorities; /* of certificates: the service has them */
    const char *connection;            /* its object */
    DialtoneCatalog *catalog;          /* borrowed, and so is the next */
    GHashTable *refused;               /* what the keyring has that a gateway refused: see below */
    void (*ended)(DialtoneAgentSession *self, gpointer data); /* to be freed */
    gpointer data;
} DialtoneAgentSessionSetup;

/* Begins to serve. `refused` is a set of strings, "PROFILE KIND", that the session reads and
 * changes: such a secret is asked for the next time. NULL, having hung up: there is no memory. */
DialtoneAgentSession *dialtone_agent_session_new(const DialtoneAgentSessionSetup *setup);
/* Hangs up, and takes away what is on the screen. */
void dialtone_agent_session_free(DialtoneAgentSession *self);
