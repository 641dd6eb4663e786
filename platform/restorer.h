/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to put back what another program takes away: soon, but not in a fight without end. */
#pragma once

#include <glib.h>

typedef struct PlatformRestorer PlatformRestorer;

typedef void (*PlatformRestorerFunc)(void *user_data);

/* what: for the one message on stderr when somebody does it again and again; copied. */
PlatformRestorer *platform_restorer_new(const char *what, PlatformRestorerFunc func,
                                        void *user_data);
void platform_restorer_free(PlatformRestorer *self);
/* Something is gone: func is called after a pause, once for all that goes meanwhile. */
void platform_restorer_wake(PlatformRestorer *self);
