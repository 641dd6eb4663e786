// SPDX-License-Identifier: GPL-2.0-or-later
/* Releases kill switches that were left behind, for the service.
 *
 * Who may is the service's to say, as polkit told it; it says whether that is root's word or only
 * that of the user whose tunnel it was, and by then the kill switch may be another one: so whose it
 * is is looked at again under the slot's lock. A process of its own does it, as with all that
 * changes the network, for the manager is to answer others meanwhile.
 */
#include "platform/helper-release.h"

#include "platform/bus-caller.h"
#include "platform/firewall.h"
#include "platform/helper/error.h"
#include "platform/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OF_ROOT "root"

typedef struct Call {
    PlatformRelease *release;
    DialtoneHelperManager1 *skeleton;
    GDBusMethodInvocation *invocation; /* taken by the answer */
    char *label, *owner;
} Call;

/* message NULL: it is done. */
static void end(Call *call, HelperError code, const char *message)
{
    if (message)
        g_dbus_method_invocation_return_error_literal(call->invocation, HELPER_ERROR, (gint)code,
                                                      message);
    else
        dialtone_helper_manager1_complete_release_kill_switch(call->skeleton, call->invocation);
    platform_bus_name_release(call->release->name);
    g_free(call->label);
    g_free(call->owner);
    g_free(call);
}

static void on_released(GPid pid, gint status, gpointer user_data)
{
    end(user_data, HELPER_ERROR_SYSTEM, status != 0 ? "not all was released" : NULL);
}

static void start(Call *call)
{
    const char *const argv[] = {"dialtone-helper", "--release", call->label, call->owner, NULL};
    const PlatformSpawn spawn = {
        .program = PLATFORM_SPAWN_SELF,
        .argv = argv,
        .environment = environ,
        .fds = {-1, -1, -1},
        .n_fds = 3,
    };
    pid_t pid;
    int r = platform_spawn(&spawn, &pid);

    if (r < 0)
        end(call, HELPER_ERROR_SYSTEM, g_strerror(-r));
    else
        g_child_watch_add(pid, on_released, call);
}

static void on_caller(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Call *call = user_data;
    g_autoptr(GError) error = NULL;
    uid_t uid;

    if (!platform_bus_caller_uid_finish(source, result, &uid, &error) ||
        uid != call->release->service)
        end(call, HELPER_ERROR_NOT_PERMITTED, "only the service may call");
    else if (!call->owner || *call->label == '\0' || strlen(call->label) > PLATFORM_SLOT_LABEL)
        end(call, HELPER_ERROR_INVALID_ARGUMENT, "label or options");
    else
        start(call);
}

/* NULL: there is an option that nobody knows. */
static char *owner_of(GVariant *options)
{
    guint32 owner;

    if (g_variant_n_children(options) == 0)
        return g_strdup(OF_ROOT);
    if (g_variant_n_children(options) > 1 || !g_variant_lookup(options, "owner", "u", &owner) ||
        owner == G_MAXUINT32)
        return NULL;
    return g_strdup_printf("%u", owner);
}

static gboolean on_call(DialtoneHelperManager1 *skeleton, GDBusMethodInvocation *invocation,
                        const char *label, GVariant *options, PlatformRelease *release)
{
    Call *call = g_new0(Call, 1);

    *call = (Call){
        .release = release,
        .skeleton = skeleton,
        .invocation = invocation,
        .label = g_strdup(label),
        .owner = owner_of(options),
    };
    platform_bus_name_hold(release->name);
    platform_bus_caller_uid(invocation, on_caller, call);
    return TRUE;
}

void platform_release_serve(DialtoneHelperManager1 *skeleton, PlatformRelease *release)
{
    g_signal_connect(skeleton, "handle-release-kill-switch", G_CALLBACK(on_call), release);
}

int platform_release_run(const char *label, const char *owner)
{
    PlatformFirewallWord word = {.label = label, .of_root = !strcmp(owner, OF_ROOT)};
    guint64 uid = 0;

    if (!word.of_root && !g_ascii_string_to_unsigned(owner, 10, 0, G_MAXUINT32 - 1, &uid, NULL)) {
        fprintf(stderr, "dialtone-helper: %s is no user's number\n", owner);
        return 2;
    }
    word.owner = (uid_t)uid;
    return platform_firewall_release_left(NULL, &word) < 0 ? 1 : 0;
}
