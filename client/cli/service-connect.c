/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone connect through the service. This program is the agent meanwhile: it registers before it
 * asks for the connection, the service hands it a channel, and it serves that until the tunnel is
 * connected or has failed. A connection that needs nobody, for it is up already or the machine
 * knows all its secrets, is only watched.
 *
 * SIGINT and SIGTERM end the connection: the handler ends what comes from the channel and makes a
 * descriptor readable, which are in reach of a signal handler, and whoever waits will notice one of
 * the two, also where the signal came just before it began to wait. The channel is hung up when the
 * service has been told: it would ask the next agent before. With --stay a service manager that has
 * started this program is told when the tunnel is up.
 */
#include "client/cli/service.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/cli/agent.h"
#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/profile/secrets.h"
#include "platform/notify.h"
#include "platform/sandbox.h"

#define AGENT_PATH "/org/dialtone/Agent"

enum { SERVE_SECONDS = 10, WAIT_SECONDS = 60 };

typedef struct Connect {
    const ServiceConnectOptions *options;
    CliService *service;
    CliProfile profile;
    int secrets_fd;
    int channel_fd;                    /* of who was interrupted; -1: none */
    DialtoneBusConnection *connection; /* NULL: not wanted yet */
    guint serial;                      /* of the last report that was shown here */
    gint64 shown_us;                   /* the time of the last that the agent showed; 0: none */
    bool stays;                        /* it was connected, and is watched until it ends */
    bool renews;                       /* it is connected, and takes the profile as it is now */
    bool idle;                         /* that it has ended was shown */
    bool done;
    int code;
} Connect;

static volatile sig_atomic_t interrupted;
static volatile int channel = -1;
static int interrupt = -1; /* readable, and stays so: interrupted */

static void on_signal(int number)
{
    const int before = errno;
    interrupted = 1;
    if (channel >= 0)
        shutdown(channel, SHUT_RD);
    if (eventfd_write(interrupt, 1) < 0)
        interrupted = 1; /* it is readable already */
    errno = before;
}

/* Whoever waits looks at `interrupted` by itself. */
static gboolean on_interrupt(int fd, GIOCondition condition, gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static bool hear_signals(GError **error)
{
    const struct sigaction action = {.sa_handler = on_signal};
    interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupt < 0) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "eventfd: %s",
                             g_strerror(errno));
        return false;
    }
    g_unix_fd_add(interrupt, G_IO_IN, on_interrupt, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return true;
}

static int fail(const Connect *connect, const GError *error)
{
    standalone_print_failure(connect->options->run.profile, error, connect->options->run.json);
    return (int)dialtone_failure_of(error);
}

/* ---- serving ---- */

static void give_in(Connect *connect)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE,
                         _("`dialtone status` shows how it goes on; `dialtone disconnect` ends "
                           "it."),
                         _("Not connected within %d seconds; the service goes on trying."),
                         connect->options->wait_seconds);
    connect->code = fail(connect, error);
}

static bool is_set(GVariant *options, const char *name)
{
    gboolean value = FALSE;
    return g_variant_lookup(options, name, "b", &value) && value;
}

static void serve(Connect *connect, int fd, const DialtoneProfile *profile, GVariant *options)
{
    const StandaloneOptions *run = &connect->options->run;
    if (platform_sandbox_harden() < 0)
        g_debug("this process can be traced");
    const AgentSetup setup = {
        .fd = fd,
        .name = run->profile,
        .caller = getuid(),
        .secrets_fd = connect->secrets_fd,
        .secrets = run->secrets,
        .ask_command = run->ask_command,
        .json = run->json,
        .of_service = true,
        .without_own = is_set(options, "has-certificate"),
        .without_authorities = is_set(options, "has-authorities"),
        .interrupted = &interrupted,
        .stay = connect->options->wait_seconds > 0 ? AGENT_LEAVES_CONNECTED : AGENT_LEAVES_AT_ONCE,
        /* Who stays has been connected, and waits for as long as it takes. */
        .patience_us = connect->stays ? 0 : connect->options->wait_seconds * G_USEC_PER_SEC};
    g_autoptr(Agent) agent = agent_new(&setup);
    connect->secrets_fd = -1;
    channel = fd;
    if (!interrupted)
        connect->code = agent_run(agent, profile, connect->profile.path);
    channel = -1;
    connect->shown_us = MAX(connect->shown_us, agent_shown_until(agent));
    connect->idle = agent_shown_idle(agent);
    /* Who stays is there for the next question, too. */
    connect->done = !connect->stays || connect->code != 0;
    if (agent_ran_out_of_patience(agent))
        give_in(connect);
}

/* Whatever else of this user's waits for an agent is offered here as well. It is not given what was
 * typed, or named with --secrets, for this connection. */
static bool is_wanted_here(const Connect *connect, const char *object)
{
    return connect->connection != NULL &&
           strcmp(object, g_dbus_proxy_get_object_path(G_DBUS_PROXY(connect->connection))) == 0;
}

static bool is_of_service(const Connect *connect, GDBusMethodInvocation *invocation)
{
    g_autofree char *owner = g_dbus_object_manager_client_get_name_owner(
        G_DBUS_OBJECT_MANAGER_CLIENT(connect->service->objects));
    return g_strcmp0(owner, g_dbus_method_invocation_get_sender(invocation)) == 0;
}

/* Anybody can send to our name; the service alone is listened to. That is asked here and not in
 * g-authorize-method, which GLib emits in a thread of its own. The answer goes out before the
 * channel is served, for that takes as long as a person does. */
static gboolean on_serve(DialtoneBusAgent1 *skeleton, GDBusMethodInvocation *invocation,
                         GUnixFDList *fds, const char *object, const char *text, GVariant *options,
                         GVariant *handle, gpointer data)
{
    Connect *connect = data;
    if (!is_of_service(connect, invocation)) {
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.DBus.Error.AccessDenied", "this agent hears the service");
        return TRUE;
    }
    g_autoptr(DialtoneProfile) profile =
        dialtone_profile_parse_with_psk(text, strlen(text), "profile", NULL);
    int fd = fds != NULL ? g_unix_fd_list_get(fds, g_variant_get_handle(handle), NULL) : -1;
    if (profile == NULL || fd < 0 || connect->done || !is_wanted_here(connect, object)) {
        g_dbus_method_invocation_return_dbus_error(invocation, "org.dialtone.Dialtone1.Error.Usage",
                                                   "nobody is there to serve it");
        if (fd >= 0)
            close(fd);
        return TRUE;
    }
    dialtone_bus_agent1_complete_serve(skeleton, invocation, NULL);
    g_dbus_connection_flush_sync(connect->service->bus, NULL, NULL);
    serve(connect, fd, profile, options);
    if (interrupted)
        connect->channel_fd = fd;
    else
        close(fd);
    return TRUE;
}

static DialtoneBusAgent1 *export_agent(Connect *connect, GError **error)
{
    g_autoptr(DialtoneBusAgent1) agent = dialtone_bus_agent1_skeleton_new();
    g_signal_connect(agent, "handle-serve", G_CALLBACK(on_serve), connect);
    if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(agent), connect->service->bus,
                                          AGENT_PATH, error))
        return NULL;
    return g_steal_pointer(&agent);
}

static DialtoneBusAgent1 *become_agent(Connect *connect, GError **error)
{
    g_autoptr(DialtoneBusAgent1) agent = export_agent(connect, error);
    if (agent != NULL &&
        dialtone_bus_manager_call_register_agent_sync(connect->service->manager, AGENT_PATH,
                                                      g_variant_new("a{sv}", NULL), NULL, error))
        return g_steal_pointer(&agent);
    return NULL;
}

/* ---- watching ---- */

/* The agent shows what happens while it serves. What is told again, with other advice, has the time
 * that it had before. */
static bool was_shown(Connect *connect, const DialtoneReport *report)
{
    if (report->time_us > connect->shown_us)
        return false;
    if (report->time_us == connect->shown_us)
        connect->shown_us = 0;
    return true;
}

/* What somebody else's agent, or nobody, has to be asked for is told here. */
static void show_report(Connect *connect, DialtoneReport *report)
{
    if (was_shown(connect, report))
        return;
    standalone_print(report, connect->options->run.json);
    connect->idle = report->state == DIALTONE_STATE_IDLE;
    bool asks = report->state == DIALTONE_STATE_NEEDS_SECRETS;
    connect->done = (report->state == DIALTONE_STATE_CONNECTED && !connect->stays) ||
                    report->state == DIALTONE_STATE_FAILED ||
                    (asks && connect->options->wait_seconds == 0);
    bool refused = connect->renews && report->state == DIALTONE_STATE_CONNECTED;
    if (report->state == DIALTONE_STATE_FAILED || refused)
        connect->code = (int)report->reason;
}

static void look(Connect *connect)
{
    guint last = connect->serial, shown = 0;
    if (dialtone_bus_connection_get_serial(connect->connection) <= last)
        return;
    g_autoptr(GPtrArray) reports = cli_service_reports(connect->connection, &last);
    while (shown < reports->len && !connect->done)
        show_report(connect, reports->pdata[shown++]);
    connect->serial = last - (reports->len - shown); /* the others are for who stays */
}

/* All that it had goes with it. */
static bool has_service_ended(const Connect *connect)
{
    g_autofree char *owner = g_dbus_object_manager_client_get_name_owner(
        G_DBUS_OBJECT_MANAGER_CLIENT(connect->service->objects));
    return owner == NULL;
}

static void tell_service_ended(Connect *connect)
{
    g_autoptr(GError) error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                         _("Connect again; if it happens again, send a report."),
                         _("The service has ended unexpectedly."));
    connect->code = fail(connect, error);
}

static void on_object_removed(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    Connect *connect = data;
    if (connect->connection == NULL ||
        strcmp(g_dbus_object_get_object_path(object),
               g_dbus_proxy_get_object_path(G_DBUS_PROXY(connect->connection))) != 0)
        return;
    if (!connect->done && has_service_ended(connect))
        tell_service_ended(connect);
    connect->done = true;
}

static gboolean on_time(gpointer data)
{
    bool *over = data;
    *over = true;
    return G_SOURCE_REMOVE;
}

/* Who does not wait for the tunnel still hands over what the user has. */
static void wait_for_it(Connect *connect)
{
    bool over = false, waits = connect->options->wait_seconds > 0;
    guint timer = g_timeout_add_seconds(
        waits ? (guint)connect->options->wait_seconds : SERVE_SECONDS, on_time, &over);
    gulong removed = g_signal_connect(connect->service->objects, "object-removed",
                                      G_CALLBACK(on_object_removed), connect);
    look(connect);
    while (!connect->done && !over && !interrupted) {
        g_main_context_iteration(NULL, TRUE);
        if (!connect->done)
            look(connect);
    }
    g_signal_handler_disconnect(connect->service->objects, removed);
    if (!over)
        g_source_remove(timer);
    else if (waits)
        give_in(connect);
}

/* ---- staying ---- */

static bool is_there(const Connect *connect)
{
    g_autoptr(GDBusObject) object = g_dbus_object_manager_get_object(
        connect->service->objects, g_dbus_proxy_get_object_path(G_DBUS_PROXY(connect->connection)));
    return object != NULL;
}

/* It can have gone before its last report was read. */
static void tell_idle(const Connect *connect)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(
        DIALTONE_STATE_IDLE, dialtone_bus_connection_get_name(connect->connection));
    standalone_print(report, connect->options->run.json);
}

/* That somebody disconnects it is no failure; that it is lost, or the service, is one. */
static void stay(Connect *connect, PlatformNotify *notify)
{
    connect->stays = true;
    connect->done = false;
    platform_notify_ready(notify);
    while (is_there(connect) && !connect->done && !interrupted) {
        g_main_context_iteration(NULL, TRUE);
        look(connect);
    }
    if (!interrupted && has_service_ended(connect))
        tell_service_ended(connect);
    else if (!interrupted && !connect->done && !connect->idle)
        tell_idle(connect);
}

/* ---- the call ---- */

static GVariant *call_options(const Connect *connect)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (connect->options->take_over)
        g_variant_builder_add(&options, "{sv}", "take-over", g_variant_new_boolean(TRUE));
    if (connect->profile.override != NULL)
        g_variant_builder_add(&options, "{sv}", "override",
                              g_variant_new_string(connect->profile.override));
    return g_variant_new("(@a{sv})", g_variant_builder_end(&options));
}

static DialtoneBusConnection *proxy_of(const Connect *connect, const char *path, GError **error)
{
    return dialtone_bus_connection_proxy_new_sync(connect->service->bus,
                                                  G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                                  "org.dialtone.Dialtone1", path, NULL, error);
}

static bool is_among(GList *objects, const char *path)
{
    for (; objects != NULL; objects = objects->next)
        if (strcmp(g_dbus_object_get_object_path(objects->data), path) == 0)
            return true;
    return false;
}

static bool want(Connect *connect, GError **error)
{
    g_autofree char *path = NULL;
    g_autolist(GDBusObject) before = g_dbus_object_manager_get_objects(connect->service->objects);
    GDBusProxy *proxy = G_DBUS_PROXY(connect->profile.proxy);
    const CliCall call = {
        .method = "Connect", .parameters = call_options(connect), .interrupt = interrupt};
    g_autoptr(GVariant) answer = cli_service_call(proxy, &call, error);
    if (answer == NULL || !g_variant_is_of_type(answer, G_VARIANT_TYPE("(o)")))
        return false;
    g_variant_get(answer, "(o)", &path);
    connect->connection = proxy_of(connect, path, error);
    /* Of what became of it before, the last is enough. */
    if (connect->connection != NULL && is_among(before, path))
        connect->serial = dialtone_bus_connection_get_serial(connect->connection) - 1;
    return connect->connection != NULL;
}

static bool open_secrets(Connect *connect, GError **error)
{
    const char *file = connect->options->run.secrets;
    if (file == NULL)
        return true;
    connect->secrets_fd = dialtone_secrets_open(file, getuid(), error);
    return connect->secrets_fd >= 0;
}

static int run(Connect *connect, PlatformNotify *notify)
{
    g_autoptr(GError) error = NULL, remote = NULL;
    const StandaloneOptions *options = &connect->options->run;
    connect->service = cli_service_new(&error);
    if (connect->service == NULL || !open_secrets(connect, &error))
        return fail(connect, error);
    /* First of all: a profile stays as long as its user has an agent. */
    g_autoptr(DialtoneBusAgent1) agent = become_agent(connect, &remote);
    bool known = agent != NULL;
    if (known && !cli_service_profile(connect->service, options->profile, options->secrets != NULL,
                                      &connect->profile, &error))
        return fail(connect, error);
    /* What polkit still asks somebody about is wanted no more when this process has gone. */
    if (known && !want(connect, &remote) && interrupted)
        return DIALTONE_FAILURE_NONE;
    if (connect->connection == NULL) {
        error = dialtone_bus_error_read(remote);
        return fail(connect, error);
    }
    wait_for_it(connect);
    bool is_up = connect->code == DIALTONE_FAILURE_NONE && !connect->idle;
    if (connect->options->stay && is_up && !interrupted)
        stay(connect, notify);
    if (interrupted) {
        (void)dialtone_bus_connection_call_disconnect_sync(connect->connection, NULL, NULL);
        connect->code = DIALTONE_FAILURE_NONE;
    }
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(agent));
    return connect->code;
}

static void connect_clear(Connect *connect)
{
    if (connect->secrets_fd >= 0)
        close(connect->secrets_fd);
    if (connect->channel_fd >= 0)
        close(connect->channel_fd);
    g_clear_object(&connect->connection);
    cli_profile_clear(&connect->profile);
    cli_service_free(connect->service);
}

int service_connect(const ServiceConnectOptions *options)
{
    g_autoptr(GError) error = NULL;
    Connect connect = {.options = options, .secrets_fd = -1, .channel_fd = -1};
    /* Who does not stay is not what a service manager waits for. */
    g_autoptr(PlatformNotify) notify = options->stay ? platform_notify_new() : NULL;
    if (!hear_signals(&error))
        return fail(&connect, error);
    int code = run(&connect, notify);
    connect_clear(&connect);
    return code;
}

/* ---- a profile that was changed ---- */

/* True: it is set up again; false without an error: new keys were all it took. */
static bool take_profile(Connect *connect, GError **error)
{
    const CliCall call = {
        .method = "TakeProfile", .parameters = call_options(connect), .interrupt = interrupt};
    gboolean changed = FALSE;
    connect->serial = dialtone_bus_connection_get_serial(connect->connection);
    g_autoptr(GVariant) answer = cli_service_call(G_DBUS_PROXY(connect->connection), &call, error);
    if (answer != NULL && g_variant_is_of_type(answer, G_VARIANT_TYPE("(b)")))
        g_variant_get(answer, "(b)", &changed);
    return changed;
}

/* A profile that is called so no more has not changed, as far as anybody can tell. A key that came
 * with --secrets is known still. */
static int renew(Connect *connect, const char *object)
{
    g_autoptr(GError) error = NULL, remote = NULL;
    const char *what = connect->options->run.profile;
    connect->service = cli_service_new(&error);
    connect->connection = error == NULL ? proxy_of(connect, object, &remote) : NULL;
    if (error == NULL && connect->connection != NULL &&
        !cli_service_has_profile(connect->service, what))
        return cli_service_renegotiate(connect->connection);
    g_autoptr(DialtoneBusAgent1) agent =
        connect->connection != NULL ? become_agent(connect, &remote) : NULL;
    if (agent != NULL &&
        !cli_service_profile(connect->service, what, true, &connect->profile, &error))
        return fail(connect, error);
    if (agent != NULL && take_profile(connect, &remote))
        wait_for_it(connect);
    if (agent != NULL)
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(agent));
    if (remote != NULL && !interrupted)
        error = dialtone_bus_error_read(remote);
    return error != NULL ? fail(connect, error) : connect->code;
}

/* Who interrupts it has seen enough: the connection goes on. */
int service_renegotiate(const char *object, const char *what)
{
    g_autoptr(GError) error = NULL;
    const ServiceConnectOptions options = {.run = {.profile = what}, .wait_seconds = WAIT_SECONDS};
    Connect connect = {.options = &options, .secrets_fd = -1, .channel_fd = -1, .renews = true};
    if (interrupt < 0 && !hear_signals(&error))
        return fail(&connect, error);
    int code = renew(&connect, object);
    connect_clear(&connect);
    return code;
}
