// SPDX-License-Identifier: GPL-2.0-or-later
/* A short pause gathers what is removed at one go.
 *
 * Two programs that disagree answer each other for as long as both run. So the first few times the
 * answer comes quickly, as to somebody who restarts a service; then ever more time passes, and the
 * user is told once who has a quarrel. After a minute of peace all is as at first.
 */
#include "platform/restorer.h"
#include "platform/words.h"

enum {
    PAUSE_MS = 250,
    QUICK = 8,            /* times in a row */
    PAUSE_SLOW_MS = 5000, /* from then on */
    PEACE_S = 60,
};

struct PlatformRestorer {
    PlatformRestorerSetup setup;
    guint timer;
    guint times; /* in a row */
    gint64 last; /* when it was restored; 0: never */
    gboolean told;
};

static gboolean on_pause_over(gpointer user_data)
{
    PlatformRestorer *self = user_data;

    self->timer = 0;
    self->times++;
    self->last = g_get_monotonic_time();
    self->setup.restore(self->setup.user_data);
    return G_SOURCE_REMOVE;
}

static void tell(PlatformRestorer *self)
{
    if (self->told)
        return;
    self->told = TRUE;
    g_autofree char *warning = g_strdup_printf(N_("network-contested: another program keeps "
                                                  "removing %s; they are put back every %d seconds "
                                                  "now, and in between traffic may go elsewhere"),
                                               self->setup.what, PAUSE_SLOW_MS / 1000);

    self->setup.warn(warning, self->setup.user_data);
}

void platform_restorer_wake(PlatformRestorer *self)
{
    if (self->timer)
        return;
    if (self->last && g_get_monotonic_time() - self->last > (gint64)PEACE_S * G_USEC_PER_SEC)
        self->times = self->told = 0;
    if (self->times >= QUICK)
        tell(self);
    self->timer =
        g_timeout_add(self->times < QUICK ? PAUSE_MS : PAUSE_SLOW_MS, on_pause_over, self);
}

PlatformRestorer *platform_restorer_new(const PlatformRestorerSetup *setup)
{
    PlatformRestorer *self = g_new0(PlatformRestorer, 1);

    self->setup = *setup;
    self->setup.what = g_strdup(setup->what);
    return self;
}

void platform_restorer_free(PlatformRestorer *self)
{
    if (!self)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    g_free((gpointer)(guintptr)self->setup.what);
    g_free(self);
}
