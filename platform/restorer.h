/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to put back what another program takes away: soon, but not in a fight without end. */
#pragma once

#include <glib.h>

typedef struct PlatformRestorer PlatformRestorer;

typedef struct PlatformRestorerSetup {
    const char *what; /* for the one warning when somebody does it again and again; copied */
    void (*restore)(void *user_data);
    void (*warn)(const char *warning, void *user_data); /* "name: sentence", of Helper1.Warned */
    void *user_data;
} PlatformRestorerSetup;

PlatformRestorer *platform_restorer_new(const PlatformRestorerSetup *setup);
void platform_restorer_free(PlatformRestorer *self);
/* Something is gone: it is restored after a pause, once for all that goes meanwhile. */
void platform_restorer_wake(PlatformRestorer *self);
