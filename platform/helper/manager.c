// SPDX-License-Identifier: GPL-2.0-or-later
/* The helper of the service: starts one process a tunnel, and does nothing else itself.
 *
 * A process for each tunnel is the standalone helper, unchanged: it holds one slot, and undoes
 * everything when its peer is gone. So a fault that ends one of them, or this one, takes no other
 * tunnel along. What one leaves that was killed is put back at once, by one more process.
 */
#include "platform/helper/manager.h"

#include "platform/bus-caller.h"
#include "platform/bus-name.h"
#include "platform/helper-release.h"
#include "platform/helper/error.h"
#include "platform/sandbox.h"
#include "platform/slot.h"
#include "platform/program.h"

#include "dialtone-helper-manager1.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FD_PEER = 3 };

typedef struct Manager {
    PlatformBusName *name;
    DialtoneHelperManager1 *skeleton;
    uid_t service;
    guint tunnels; /* with those that are asked for */
} Manager;

/* A call, and then the process that came of it. */
typedef struct Tunnel {
    Manager *manager;
    GDBusMethodInvocation *invocation; /* taken by the answer */
    guint owner, owner_gid;
    gboolean has_options;
    pid_t pid;
    guint caller_watch;
} Tunnel;

/* For `systemctl status`. */
static void count(Manager *manager, int change)
{
    char text[32];

    manager->tunnels += change;
    snprintf(text, sizeof text, "tunnels: %u", manager->tunnels);
    platform_bus_name_status(manager->name, text);
}

static void tunnel_free(Tunnel *tunnel)
{
    Manager *manager = tunnel->manager;

    g_clear_handle_id(&tunnel->caller_watch, g_bus_unwatch_name);
    g_free(tunnel);
    count(manager, -1);
    platform_bus_name_release(manager->name);
}

static void refuse(Tunnel *tunnel, HelperError code, const char *message)
{
    g_dbus_method_invocation_return_error_literal(tunnel->invocation, HELPER_ERROR, (gint)code,
                                                  message);
    tunnel_free(tunnel);
}

/* ---- processes ---- */

static int start(const char *const *argv, int peer, pid_t *pidp)
{
    const PlatformSpawn spawn = {
        .program = PLATFORM_SPAWN_SELF,
        .argv = argv,
        .environment = environ,
        .fds = {-1, -1, -1, peer},
        .n_fds = peer < 0 ? FD_PEER : FD_PEER + 1,
    };

    return platform_spawn(&spawn, pidp);
}

static void on_undone(GPid pid, gint status, gpointer user_data)
{
    Manager *manager = user_data;

    if (status != 0)
        fprintf(stderr, "dialtone-helper: not all was put back\n");
    platform_bus_name_release(manager->name);
}

static void undo(Manager *manager)
{
    static const char *const argv[] = {"dialtone-helper", "--undo", NULL};
    pid_t pid;
    int r = start(argv, -1, &pid);

    if (r < 0) {
        fprintf(stderr, "dialtone-helper: cannot put back what was left: %s\n", g_strerror(-r));
        return;
    }
    platform_bus_name_hold(manager->name);
    g_child_watch_add(pid, on_undone, manager);
}

static void on_tunnel_ended(GPid pid, gint status, gpointer user_data)
{
    Tunnel *tunnel = user_data;

    if (status != 0)
        undo(tunnel->manager);
    tunnel_free(tunnel);
}

/* Its end of the socket may live on in another process that it gave it to. */
static void on_caller_vanished(GDBusConnection *connection, const char *name, gpointer user_data)
{
    Tunnel *tunnel = user_data;

    kill(tunnel->pid, SIGTERM);
}

static int start_tunnel(Tunnel *tunnel, int peer)
{
    char owner[16], group[16];
    const char *const argv[] = {"dialtone-helper", "--tunnel", owner, group, NULL};

    snprintf(owner, sizeof owner, "%u", tunnel->owner);
    snprintf(group, sizeof group, "%u", tunnel->owner_gid);
    int r = start(argv, peer, &tunnel->pid);

    if (r == 0)
        g_child_watch_add(tunnel->pid, on_tunnel_ended, tunnel);
    return r;
}

/* ---- calls ---- */

static void open_tunnel(Tunnel *tunnel)
{
    GDBusMethodInvocation *invocation = tunnel->invocation;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        refuse(tunnel, HELPER_ERROR_SYSTEM, g_strerror(errno));
        return;
    }
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new_from_array(&fds[0], 1);
    int r = start_tunnel(tunnel, fds[1]);

    close(fds[1]);
    if (r < 0) {
        refuse(tunnel, HELPER_ERROR_SYSTEM, g_strerror(-r));
        return;
    }
    tunnel->caller_watch = g_bus_watch_name_on_connection(
        g_dbus_method_invocation_get_connection(invocation),
        g_dbus_method_invocation_get_sender(invocation), G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
        on_caller_vanished, tunnel, NULL);
    dialtone_helper_manager1_complete_open(tunnel->manager->skeleton, invocation, list,
                                           g_variant_new_handle(0));
}

static void on_caller(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Tunnel *tunnel = user_data;
    g_autoptr(GError) error = NULL;
    uid_t uid;

    if (!platform_bus_caller_uid_finish(source, result, &uid, &error) ||
        uid != tunnel->manager->service) {
        refuse(tunnel, HELPER_ERROR_NOT_PERMITTED, "only the service may call");
        return;
    }
    if (tunnel->has_options || tunnel->owner == G_MAXUINT32 || tunnel->owner_gid == G_MAXUINT32) {
        refuse(tunnel, HELPER_ERROR_INVALID_ARGUMENT, "owner or options");
        return;
    }
    open_tunnel(tunnel);
}

static gboolean on_open(DialtoneHelperManager1 *skeleton, GDBusMethodInvocation *invocation,
                        GUnixFDList *fds, guint owner, guint owner_gid, GVariant *options,
                        Manager *manager)
{
    Tunnel *tunnel = g_new0(Tunnel, 1);

    *tunnel = (Tunnel){
        .manager = manager,
        .invocation = invocation,
        .owner = owner,
        .owner_gid = owner_gid,
        .has_options = g_variant_n_children(options) > 0,
    };
    platform_bus_name_hold(manager->name);
    count(manager, 1);
    if (manager->tunnels <= PLATFORM_SLOT_COUNT)
        platform_bus_caller_uid(invocation, on_caller, tunnel);
    else
        refuse(tunnel, HELPER_ERROR_NO_SLOT, "as many tunnels as there are slots");
    return TRUE;
}

/* ---- life ---- */

static gboolean serve(GDBusConnection *connection, gpointer user_data, GError **error)
{
    Manager *manager = user_data;

    undo(manager);
    return g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(manager->skeleton),
                                            connection, HELPER_MANAGER_OBJECT_PATH, error);
}

int helper_manager_run(const HelperManagerOptions *options)
{
    /* What a helper starts with: for networks, for raw sockets, to give a file away, and to give up
       all else for good. */
    static const int caps[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_CHOWN, CAP_SETPCAP};
    Manager manager = {.service = options->service};
    PlatformRelease release = {.service = options->service};
    const PlatformBusNameOptions name = {
        .name = HELPER_BUS_NAME,
        .idle_s = options->idle_s,
        .serve = serve,
        .user_data = &manager,
    };
    g_autoptr(GError) error = NULL;

    signal(SIGPIPE, SIG_IGN);
    if (platform_sandbox_keep_held_caps(caps, G_N_ELEMENTS(caps)) < 0 ||
        platform_sandbox_harden() < 0 || platform_sandbox_seccomp_starter() < 0) {
        fprintf(stderr, "dialtone-helper: cannot give up privileges\n");
        return 1;
    }
    manager.name = platform_bus_name_new(&name);
    manager.skeleton = dialtone_helper_manager1_skeleton_new();
    g_signal_connect(manager.skeleton, "handle-open", G_CALLBACK(on_open), &manager);
    release.name = manager.name;
    platform_release_serve(manager.skeleton, &release);
    gboolean ok = platform_bus_name_run(manager.name, &error);

    if (!ok)
        fprintf(stderr, "dialtone-helper: %s\n", error->message);
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(manager.skeleton));
    g_object_unref(manager.skeleton);
    platform_bus_name_free(manager.name);
    return ok ? 0 : 1;
}
