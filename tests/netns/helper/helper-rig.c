// SPDX-License-Identifier: GPL-2.0-or-later
/* The real helper with a peer that does what its standard input says, one command a line:
 *
 *   claim LABEL | socket 4|6 [esp] | tun MTU [vnet] | release | exit STATUS | send FD-INDEX ADDRESS
 * PORT apply mtu=1400 address=10.1.2.3/32 route=10.0.0.0/8 exclude=... dns=... domain=a domain=~b
 *         gateway=192.0.2.1
 *
 *   packets FD-INDEX | call METHOD ARGUMENTS-AS-GVARIANT-TEXT | garbage COUNT | deaf
 *   hoard COUNT (asks for so many sockets and never reads an answer again)
 *
 * Each is answered by one line on standard output: "ok ..." or "error NAME MESSAGE"; signals of the
 * helper appear as "signal stop-requested". `helper-rig --undo DIR` puts back what was left;
 * `helper-rig DIR agent SECONDS STATUS` has a third process that ends after so long.
 */
#include "platform/helper-call.h"
#include "platform/helper/helper.h"
#include "platform/peer.h"
#include "platform/helper-plan.h"
#include "platform/address.h"
#include "platform/random.h"
#include "platform/sandbox.h"
#include "platform/slot.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS = 64 };

typedef struct Peer {
    DialtoneHelper1 *helper;
    GMainLoop *loop;
    int fds[DESCRIPTORS];
    unsigned n_fds;
    int raw; /* the socket to the helper, beside GDBus */
    int status;
} Peer;

static void answer_error(GError *error)
{
    g_autofree char *name = g_dbus_error_get_remote_error(error);

    g_dbus_error_strip_remote_error(error);
    printf("error %s %s\n", name ? name : "local", error->message);
}

static int take_fd(Peer *peer, GUnixFDList *list, GVariant *handle)
{
    int fd = g_unix_fd_list_get(list, g_variant_get_handle(handle), NULL);

    peer->fds[peer->n_fds % DESCRIPTORS] = fd;
    return (int)(peer->n_fds++ % DESCRIPTORS);
}

static GVariant *no_options(void)
{
    return g_variant_new("a{sv}", NULL);
}

static void claim(Peer *peer, char **words)
{
    g_autoptr(GUnixFDList) list = NULL;
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *interface = NULL;
    guint slot, table, mark;

    if (!dialtone_helper1_call_claim_sync(peer->helper, words[1], no_options(), NULL, &slot,
                                          &interface, &table, &mark, &handle, &list, NULL,
                                          &error)) {
        answer_error(error);
        return;
    }
    int index = take_fd(peer, list, handle);
    int r = platform_slot_write_state(peer->fds[index], "{\"state\":\"phase1\"}");

    printf("ok slot=%u interface=%s table=%u mark=%#x state=%d\n", slot, interface, table, mark, r);
}

static void open_socket(Peer *peer, char **words)
{
    g_autoptr(GUnixFDList) list = NULL;
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GError) error = NULL;
    GVariantBuilder options;
    guint port;

    g_variant_builder_init(&options, G_VARIANT_TYPE("a{sv}"));
    if (words[2])
        g_variant_builder_add(&options, "{sv}", words[2], g_variant_new_boolean(TRUE));
    if (!dialtone_helper1_call_open_socket_sync(peer->helper, (guint)atoi(words[1]),
                                                g_variant_builder_end(&options), NULL, &handle,
                                                &port, &list, NULL, &error)) {
        answer_error(error);
        return;
    }
    int index = take_fd(peer, list, handle);
    int mark = 0, buffer = 0, protocol = 0;
    socklen_t n = sizeof mark;

    getsockopt(peer->fds[index], SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
    getsockopt(peer->fds[index], SOL_SOCKET, SO_MARK, &mark, &n);
    getsockopt(peer->fds[index], SOL_SOCKET, SO_RCVBUF, &buffer, &n);
    printf("ok fd=%d port=%u mark=%#x rcvbuf=%d protocol=%d\n", index, port, (unsigned)mark, buffer,
           protocol);
}

static void open_tun(Peer *peer, char **words)
{
    g_autoptr(GUnixFDList) list = NULL;
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GError) error = NULL;
    GVariantBuilder options;

    g_variant_builder_init(&options, G_VARIANT_TYPE("a{sv}"));
    if (words[2])
        g_variant_builder_add(&options, "{sv}", words[2], g_variant_new_boolean(TRUE));
    if (!dialtone_helper1_call_open_tun_sync(peer->helper, (guint)atoi(words[1]),
                                             g_variant_builder_end(&options), NULL, &handle, &list,
                                             NULL, &error)) {
        answer_error(error);
        return;
    }
    printf("ok fd=%d\n", take_fd(peer, list, handle));
}

/* Takes what the helper is to judge, even if it is odd. */
static void add_word(HelperPlan *plan, const char *word)
{
    const char *value = strchr(word, '=') + 1;
    PlatformPrefix prefix = {0};

    (void)platform_prefix_parse(value, &prefix);
    if (g_str_has_prefix(word, "mtu="))
        plan->mtu = (unsigned)atoi(value);
    else if (g_str_has_prefix(word, "address="))
        g_array_append_val(plan->addresses, prefix);
    else if (g_str_has_prefix(word, "route="))
        g_array_append_val(plan->routes, prefix);
    else if (g_str_has_prefix(word, "exclude="))
        g_array_append_val(plan->exclude, prefix);
    else if (g_str_has_prefix(word, "local="))
        g_array_append_val(plan->local, prefix);
    else if (g_str_has_prefix(word, "gateway="))
        g_array_append_val(plan->gateways, prefix.address);
    else if (g_str_has_prefix(word, "dns="))
        plan->dns.servers[plan->dns.n_servers++] = prefix.address;
    else if (g_str_has_prefix(word, "domain=")) {
        PlatformDnsDomain *domain = &plan->dns.domains[plan->dns.n_domains++];

        domain->routing_only = value[0] == '~';
        g_strlcpy(domain->name, value + domain->routing_only, sizeof domain->name);
    }
}

static void on_applied(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) warnings = NULL;

    if (!dialtone_helper1_call_apply_finish(DIALTONE_HELPER1(source), &warnings, result, &error)) {
        answer_error(error);
        return;
    }
    g_autofree char *text = g_strjoinv(" | ", warnings);

    printf("ok %s\n", text);
}

static void apply(Peer *peer, char **words)
{
    g_autoptr(HelperPlan) plan = helper_plan_new();

    for (int i = 1; words[i]; i++) {
        if (strchr(words[i], '='))
            add_word(plan, words[i]);
    }
    helper_plan_call_apply(plan, peer->helper, NULL, on_applied, NULL);
}

static void release(Peer *peer)
{
    g_autoptr(GError) error = NULL;

    if (dialtone_helper1_call_release_sync(peer->helper, NULL, &error))
        printf("ok\n");
    else
        answer_error(error);
}

static void send_datagram(Peer *peer, char **words)
{
    struct sockaddr_storage to;
    PlatformAddress address;

    if (!platform_address_parse(words[2], &address))
        return;
    socklen_t n = platform_address_to_sockaddr(&address, (uint16_t)atoi(words[3]), &to);
    ssize_t sent = sendto(peer->fds[atoi(words[1])], "ping", 4, 0, (struct sockaddr *)&to, n);
    char text[64] = "";

    g_usleep(300000);
    ssize_t got = recv(peer->fds[atoi(words[1])], text, sizeof text - 1, MSG_DONTWAIT);

    printf("ok sent=%zd got=%s\n", sent, got > 0 ? text : "nothing");
}

/* What has entered the tunnel, as hex. */
static void read_packets(Peer *peer, char **words)
{
    uint8_t packet[2048];
    g_autoptr(GString) text = g_string_new("ok");
    ssize_t n;

    while ((n = read(peer->fds[atoi(words[1])], packet, sizeof packet)) > 0) {
        g_string_append_c(text, ' ');
        for (ssize_t i = 0; i < n; i++)
            g_string_append_printf(text, "%02x", packet[i]);
    }
    printf("%s\n", text->str);
}

/* Any method with any arguments, as no generated code would call it. */
static void call(Peer *peer, char **words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strjoinv(" ", words + 2);
    GVariant *arguments = g_variant_parse(NULL, text, NULL, NULL, &error);

    g_assert_no_error(error);
    g_autoptr(GVariant) reply = g_dbus_proxy_call_sync(G_DBUS_PROXY(peer->helper), words[1],
                                                       arguments, 0, 5000, NULL, &error);

    if (reply)
        printf("ok\n");
    else
        answer_error(error);
}

/* Bytes that are no message of D-Bus. */
static void send_garbage(Peer *peer, char **words)
{
    for (int i = 0; i < atoi(words[1]); i++) {
        uint32_t value = platform_random_u32();

        if (write(peer->raw, &value, sizeof value) < 0)
            break;
    }
}

/* In the thread that reads: from the first answer on there is no other. */
static GDBusMessage *read_no_more(GDBusConnection *connection, GDBusMessage *message,
                                  gboolean incoming, gpointer user_data)
{
    while (pause() < 0)
        continue;
    return NULL;
}

/* FALSE: it isn't taken within five seconds. */
static gboolean send_all(int fd, const guchar *bytes, gsize n)
{
    for (int waited = 0; n > 0 && waited < 5000; waited++) {
        ssize_t sent = write(fd, bytes, n);

        if (sent < 0 && errno != EAGAIN)
            return FALSE;
        if (sent < 0)
            g_usleep(1000);
        bytes += MAX(sent, 0);
        n -= (gsize)MAX(sent, 0);
    }
    return n == 0;
}

static void hoard(Peer *peer, char **words)
{
    GDBusConnection *connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(peer->helper));
    gboolean taken = TRUE;

    g_dbus_connection_add_filter(connection, read_no_more, NULL, NULL);
    for (int i = 0; i < atoi(words[1]) && taken; i++) {
        g_autoptr(GDBusMessage) message = g_dbus_message_new_method_call(
            NULL, HELPER_OBJECT_PATH, "org.dialtone.Helper1", "OpenSocket");
        g_autofree guchar *bytes = NULL;
        gsize n = 0;

        g_dbus_message_set_body(message, g_variant_new("(ua{sv})", 4, NULL));
        g_dbus_message_set_serial(message, 1000 + (guint32)i);
        bytes = g_dbus_message_to_blob(message, &n, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
        taken = send_all(peer->raw, bytes, n);
    }
    printf(taken ? "ok\n" : "error local the helper does not read\n");
}

static void obey(Peer *peer, char **words)
{
    if (!strcmp(words[0], "claim"))
        claim(peer, words);
    else if (!strcmp(words[0], "socket"))
        open_socket(peer, words);
    else if (!strcmp(words[0], "tun"))
        open_tun(peer, words);
    else if (!strcmp(words[0], "apply"))
        apply(peer, words);
    else if (!strcmp(words[0], "release"))
        release(peer);
    else if (!strcmp(words[0], "send"))
        send_datagram(peer, words);
    else if (!strcmp(words[0], "packets"))
        read_packets(peer, words);
    else if (!strcmp(words[0], "call"))
        call(peer, words);
    else if (!strcmp(words[0], "garbage"))
        send_garbage(peer, words);
    else if (!strcmp(words[0], "hoard"))
        hoard(peer, words);
    else if (!strcmp(words[0], "deaf"))
        pause();
    else if (!strcmp(words[0], "exit")) {
        peer->status = atoi(words[1]);
        g_main_loop_quit(peer->loop);
    }
}

static gboolean on_line(GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
    Peer *peer = user_data;
    g_autofree char *line = NULL;

    if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
        g_main_loop_quit(peer->loop);
        return G_SOURCE_REMOVE;
    }
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);

    if (words[0])
        obey(peer, words);
    return G_SOURCE_CONTINUE;
}

static void on_signal(DialtoneHelper1 *helper, const char *name)
{
    printf("signal %s\n", name);
}

static void on_warned(DialtoneHelper1 *helper, const char *warning)
{
    printf("warned %s\n", warning);
}

static void on_closed(GDBusConnection *connection, gboolean remote, GError *error, Peer *peer)
{
    printf("closed\n");
    peer->status = 70;
    g_main_loop_quit(peer->loop);
}

static int confine(void)
{
    PlatformIdentity id;

    if (platform_sandbox_service_identity(&id) < 0 || platform_sandbox_become(&id) < 0 ||
        platform_sandbox_keep_caps(NULL, 0) < 0 || platform_sandbox_harden() < 0)
        return -1;
    return platform_sandbox_seccomp_tunnel();
}

/* As a tunnel does that waits for its profile. */
static void wait_to_be_told(void)
{
    char byte;

    printf("silent %d\n", (int)getpid());
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        continue;
}

static int run_peer(int fd)
{
    g_autoptr(GError) error = NULL;
    Peer peer = {.raw = dup(fd)};

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (confine() < 0)
        return 71;
    (void)helper_error_quark();
    if (g_getenv("HELPER_RIG_SILENT"))
        wait_to_be_told();
    g_autoptr(GDBusConnection) connection = platform_peer_connect(fd, &error);

    if (!connection) {
        printf("error connect %s\n", error->message);
        return 72;
    }
    peer.helper =
        dialtone_helper1_proxy_new_sync(connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, NULL,
                                        HELPER_OBJECT_PATH, NULL, &error);
    peer.loop = g_main_loop_new(NULL, FALSE);
    g_signal_connect(peer.helper, "stop-requested", G_CALLBACK(on_signal),
                     (gpointer) "stop-requested");
    g_signal_connect(peer.helper, "renegotiate-requested", G_CALLBACK(on_signal),
                     (gpointer) "renegotiate-requested");
    g_signal_connect(peer.helper, "warned", G_CALLBACK(on_warned), NULL);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), &peer);
    g_dbus_connection_start_message_processing(connection);
    GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);

    g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_line, &peer);
    printf("ready %d\n", (int)getpid());
    g_main_loop_run(peer.loop);
    return peer.status;
}

int main(int argc, char **argv)
{
    int fds[2];

    if (argc == 3 && !strcmp(argv[1], "--undo")) {
        int r = helper_undo_stale(argv[2]);

        printf("undone %d\n", r);
        return r < 0;
    }
    if ((argc != 2 && argc != 5) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return 64;
    pid_t peer = fork();

    if (peer == 0) {
        close(fds[0]);
        _exit(run_peer(fds[1]));
    }
    close(fds[1]);
    pid_t agent = argc == 5 ? fork() : 0;

    if (argc == 5 && agent == 0) {
        close(fds[0]);
        signal(SIGTERM, SIG_IGN);
        g_usleep((gulong)atoi(argv[3]) * G_USEC_PER_SEC);
        _exit(atoi(argv[4]));
    }
    const HelperOptions options = {.peer_fd = fds[0],
                                   .tunnel = peer,
                                   .agent = agent,
                                   .dir = argv[1],
                                   .owner = 1000,
                                   .owner_gid = 1000};

    int status = helper_run(&options);

    /* A search for leaks would have to trace, which the helper's sandbox does not let it do. */
    fflush(NULL);
    _exit(status);
}
