/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may come in from the bus at all. */
#pragma once

#include <gio/gio.h>

/* Looks at every message before it waits for its turn. */
void service_incoming_guard(GDBusConnection *bus);
