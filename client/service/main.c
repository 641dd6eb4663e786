/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtoned, the service: gives up what it does not need, takes its name on the system bus, and
 * runs until it is told to stop. Started by root it becomes the user `dialtone`; it never needs a
 * privilege, for sockets and the TUN come from the helper.
 */
#include <glib-unix.h>
#include <locale.h>
#include <openssl/provider.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/service/incoming.h"
#include "client/service/log.h"
#include "client/service/manager.h"
#include "client/tunnel/warm-up.h"
#include "platform/notify.h"
#include "platform/sandbox.h"

enum { EXIT_INTERNAL = 1, DIRECTORY_SECONDS = 10 };

typedef struct Service {
    GMainLoop *loop;
    ServiceManager *manager;
    PlatformNotify *notify;
    int code;
} Service;

/* Before the first thread. */
static bool give_up_privileges(void)
{
    PlatformIdentity user;
    if (geteuid() == 0 &&
        (platform_sandbox_service_identity(&user) < 0 || platform_sandbox_become(&user) < 0))
        return false;
    return platform_sandbox_keep_caps(NULL, 0) == 0 && platform_sandbox_harden() == 0;
}

/* Libraries can't be loaded in the sandbox, and any profile may name an algorithm that has gone to
 * libcrypto's legacy provider. With one of them loaded by hand, the default one is so, too. */
static void load_providers(void)
{
    if (OSSL_PROVIDER_load(NULL, "legacy") != NULL)
        (void)OSSL_PROVIDER_load(NULL, "default");
}

static void on_stopped(gpointer data)
{
    const Service *service = data;
    g_main_loop_quit(service->loop);
}

static gboolean on_stop_signal(gpointer data)
{
    Service *service = data;
    service_log(0, NULL, "told to stop");
    platform_notify_stopping(service->notify);
    service_manager_stop(service->manager, on_stopped, service);
    return G_SOURCE_CONTINUE;
}

static void on_name_acquired(GDBusConnection *bus, const char *name, gpointer data)
{
    const Service *service = data;
    platform_notify_ready(service->notify);
}

static void on_name_lost(GDBusConnection *bus, const char *name, gpointer data)
{
    Service *service = data;
    service_log(0, NULL, "the name %s is another program's, or the bus is gone", name);
    service->code = EXIT_INTERNAL;
    service_manager_stop(service->manager, on_stopped, service);
}

static int run(GDBusConnection *bus, PlatformNotify *notify, ServiceDirectory *directory)
{
    Service service = {.loop = g_main_loop_new(NULL, FALSE), .notify = notify};
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    service_incoming_guard(bus);
    service.manager = service_manager_new(bus, directory);
    guint name = g_bus_own_name_on_connection(bus, SERVICE_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                              on_name_acquired, on_name_lost, &service, NULL);
    guint term = g_unix_signal_add(SIGTERM, on_stop_signal, &service);
    guint interrupt = g_unix_signal_add(SIGINT, on_stop_signal, &service);
    g_main_loop_run(service.loop);
    g_source_remove(term);
    g_source_remove(interrupt);
    g_bus_unown_name(name);
    service_manager_free(service.manager);
    g_main_loop_unref(service.loop);
    return service.code;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    dialtone_i18n_init_untranslated();
    signal(SIGPIPE, SIG_IGN);
    if (!give_up_privileges()) {
        fprintf(stderr, "dialtoned: the privileges of root could not be given up\n");
        return EXIT_INTERNAL;
    }
    const int names = service_directory_start(dialtone_accounts_allow);
    g_autoptr(PlatformNotify) notify = platform_notify_new();
    load_providers();
    /* From here on another thread is at work, perhaps for libcrypto: a failure is no exit(). */
    tunnel_warm_up();
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
    if (bus == NULL) {
        fprintf(stderr, "dialtoned: the system bus can't be reached: %s\n", error->message);
        _exit(EXIT_INTERNAL);
    }
    /* All that it needs for it is open: the bus, and sockets and the TUN come over that. */
    if (platform_sandbox_seccomp_service() < 0) {
        fprintf(stderr, "dialtoned: the sandbox could not be closed\n");
        _exit(EXIT_INTERNAL);
    }
    return run(bus, notify, service_directory_new(names, DIRECTORY_SECONDS));
}
