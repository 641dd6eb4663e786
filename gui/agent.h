/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.dialtone.Agent1: who is asked on behalf of the user, as long as this program runs. */
#pragma once

#include "gui/catalog.h"

#define DIALTONE_TYPE_AGENT (dialtone_agent_get_type())
G_DECLARE_FINAL_TYPE(DialtoneAgent, dialtone_agent, DIALTONE, AGENT, GObject)

/* Registers whenever the service is there. */
DialtoneAgent *dialtone_agent_new(DialtoneServiceClient *service, DialtoneCatalog *catalog);
