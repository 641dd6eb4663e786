/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kill switches that were left behind, as a property on the bus: who has no Internet is told why,
 * and a method that releases them.
 *
 * Their records are files among the slots, which everybody may read. A holder that is killed
 * changes none of them before somebody cleans up, so while there is any they are read again now and
 * then.
 */
#include <string.h>

#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/service/helper-client.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"
#include "platform/firewall.h"

enum { LOOK_AGAIN_S = 10 };

static GVariant *variant_of(const GArray *left)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sb)"));
    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);
        g_autofree char *label = g_utf8_make_valid(one->label, -1);
        g_variant_builder_add(&builder, "(sb)", label, one->persistent);
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static gboolean on_time(gpointer data);

/* What is as it was is no news on the bus: the skeleton compares. */
static void look(gpointer data)
{
    ServiceManager *self = data;
    g_autoptr(GArray) left = platform_firewall_left(NULL);
    g_autoptr(GVariant) value = variant_of(left);
    dialtone_bus_manager_set_kill_switches(self->skeleton, value);
    if (self->slots_timer == 0 && platform_slot_numbers(NULL) != 0)
        self->slots_timer = g_timeout_add_seconds(LOOK_AGAIN_S, on_time, self);
}

static gboolean on_time(gpointer data)
{
    ServiceManager *self = data;
    self->slots_timer = 0;
    look(self);
    return G_SOURCE_REMOVE;
}

/* ---- Manager.ReleaseKillSwitch ---- */

/* False with an error: an option, and none is known. */
static bool read_call(const ServiceRequest *request, const char **namep, GError **error)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(request->invocation);
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters, 1);
    g_variant_get_child(parameters, 0, "&s", namep);
    if (g_variant_n_children(options) == 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, NULL, _("There are no options yet."));
    return false;
}

/* What is neither to persist nor stands since the boot is its user's own to release: any connection
 * of theirs would. The rest is shut for everybody, and for somebody's sake. */
ServiceAction service_kill_switches_decide(ServiceRequest *request, GError **error)
{
    const char *name = NULL;
    if (!read_call(request, &name, error))
        return SERVICE_ACTION_REFUSED;
    g_autoptr(GArray) left = platform_firewall_left(NULL);
    const PlatformFirewallWord all = {.label = name, .of_root = TRUE},
                               own = {.label = name, .owner = request->caller->uid};
    guint n = 0, theirs = 0;
    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);
        n += platform_firewall_may_go(one, &all) ? 1 : 0;
        theirs += platform_firewall_may_go(one, &own) ? 1 : 0;
    }
    if (n == 0) {
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("`dialtone status` lists those that stand."),
                             _("No kill switch of that name was left behind."));
        return SERVICE_ACTION_REFUSED;
    }
    return n == theirs ? SERVICE_ACTION_ANYBODY : SERVICE_ACTION_RELEASE_KILL_SWITCH;
}

static void on_released(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusMethodInvocation *invocation = data;
    g_autoptr(GError) error = NULL;
    if (service_helper_release_finish(result, &error))
        g_dbus_method_invocation_return_value(invocation, NULL);
    else
        dialtone_bus_error_return(invocation, error);
}

/* What was allowed without a question may be another's by now; the helper looks again. */
void service_kill_switches_release(ServiceRequest *request, GError **error)
{
    const uid_t uid = request->caller->uid;
    ServiceHelperRelease release = {
        .owner = request->action == SERVICE_ACTION_RELEASE_KILL_SWITCH ? NULL : &uid};
    if (!read_call(request, &release.label, error))
        return;
    service_log(uid, release.label, "its kill switch is released for uid %u", (unsigned)uid);
    service_helper_release(request->manager->bus, &release, on_released,
                           g_steal_pointer(&request->invocation));
}

/* ---- life ---- */

void service_kill_switches_begin(ServiceManager *self)
{
    static const char *const FOLDERS[] = {PLATFORM_SLOT_DIR, NULL};
    self->slots_watch = dialtone_folder_watch_new(FOLDERS, look, self);
    look(self);
}

void service_kill_switches_end(ServiceManager *self)
{
    g_clear_handle_id(&self->slots_timer, g_source_remove);
    dialtone_folder_watch_free(self->slots_watch);
}
