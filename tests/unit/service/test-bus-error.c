/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A failure that crosses D-Bus is the same failure at the other end: reason, sentence and advice.
 */
#include "service-kit.h"

#include <string.h>
#include <sys/socket.h>

#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "platform/peer.h"

static const char XML[] = "<node><interface name='test.Fails'><method name='Fail'>"
                          "<arg type='u' direction='in'/></method></interface></node>";

typedef struct Ends {
    GDBusConnection *server, *client;
} Ends;

static void on_call(GDBusConnection *connection, const char *sender, const char *path,
                    const char *interface, const char *method, GVariant *parameters,
                    GDBusMethodInvocation *invocation, gpointer data)
{
    g_autoptr(GError) error = NULL;
    guint32 reason = 0;
    g_variant_get(parameters, "(u)", &reason);
    if (reason == DIALTONE_FAILURE_N)
        g_set_error(&error, G_IO_ERROR, G_IO_ERROR_FAILED, "of another domain");
    else
        dialtone_failure_set(&error, (DialtoneFailure)reason,
                             reason % 2 ? "do this\nand that" : NULL, "sentence %u", reason);
    dialtone_bus_error_return(invocation, error);
}

static void on_open(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusConnection **connection = data;
    *connection = platform_peer_open_finish(result, NULL);
    assert_non_null(*connection);
}

static int set_up(void **state)
{
    static const GDBusInterfaceVTable vtable = {.method_call = on_call};
    static Ends ends;
    int fds[2];
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(XML, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    platform_peer_open(fds[0], TRUE, on_open, &ends.server);
    platform_peer_open(fds[1], FALSE, on_open, &ends.client);
    while (ends.server == NULL || ends.client == NULL)
        g_main_context_iteration(NULL, TRUE);
    g_dbus_connection_register_object(ends.server, "/", node->interfaces[0], &vtable, NULL, NULL,
                                      NULL);
    g_dbus_connection_start_message_processing(ends.server);
    g_dbus_connection_start_message_processing(ends.client);
    *state = &ends;
    return 0;
}

static int tear_down(void **state)
{
    Ends *ends = *state;
    g_object_unref(ends->client);
    g_object_unref(ends->server);
    return 0;
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    GError **error = data;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, error);
    assert_null(answer);
}

static GError *call(Ends *ends, guint reason)
{
    g_autoptr(GError) remote = NULL;
    g_dbus_connection_call(ends->client, NULL, "/", "test.Fails", "Fail",
                           g_variant_new("(u)", reason), NULL, G_DBUS_CALL_FLAGS_NONE, 5000, NULL,
                           on_answer, &remote);
    while (remote == NULL)
        g_main_context_iteration(NULL, TRUE);
    return dialtone_bus_error_read(remote);
}

static void every_reason_arrives_with_its_words(void **state)
{
    for (guint reason = DIALTONE_FAILURE_INTERNAL; reason < DIALTONE_FAILURE_N; reason++) {
        g_autoptr(GError) error = call(*state, reason);
        g_autofree char *message = g_strdup_printf("sentence %u", reason);
        assert_int_equal(dialtone_failure_of(error), reason);
        assert_string_equal(error->message, message);
        if (reason % 2)
            assert_string_equal(dialtone_failure_advice(error), "do this\nand that");
        else
            assert_null(dialtone_failure_advice(error));
    }
}

static void an_error_of_another_domain_is_internal(void **state)
{
    g_autoptr(GError) error = call(*state, DIALTONE_FAILURE_N);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_INTERNAL);
    assert_string_equal(error->message, "of another domain");
}

static void a_service_that_is_not_there_names_the_way_without_it(void **state)
{
    g_autoptr(GError) remote =
        g_error_new(G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, "nobody has its name");
    g_autoptr(GError) error = dialtone_bus_error_read(remote);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_INTERNAL);
    assert_non_null(strstr(dialtone_failure_advice(error), "--standalone"));
}

static void a_service_that_does_not_start_says_why(void **state)
{
    g_autoptr(GError) remote =
        g_error_new(G_DBUS_ERROR, G_DBUS_ERROR_SPAWN_EXEC_FAILED, "no such program");
    g_autoptr(GError) error = dialtone_bus_error_read(remote);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_INTERNAL);
    assert_non_null(strstr(error->message, "no such program"));
    assert_non_null(strstr(dialtone_failure_advice(error), "--standalone"));
}

static void a_bus_that_refuses_is_not_permitted(void **state)
{
    g_autoptr(GError) remote =
        g_error_new(G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, "a rule of the bus");
    g_autoptr(GError) error = dialtone_bus_error_read(remote);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_NOT_PERMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_arrives_with_its_words),
        cmocka_unit_test(an_error_of_another_domain_is_internal),
        cmocka_unit_test(a_service_that_is_not_there_names_the_way_without_it),
        cmocka_unit_test(a_service_that_does_not_start_says_why),
        cmocka_unit_test(a_bus_that_refuses_is_not_permitted),
    };
    return cmocka_run_group_tests_name("service bus-error", tests, set_up, tear_down);
}
