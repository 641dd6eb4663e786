// SPDX-License-Identifier: GPL-2.0-or-later
/* The greeting of a caller who may be hostile, hang or go, and a bus that is not there. Relied on
 * by each helper: while it waits for a caller it hears nobody else. */
#include "kit.h"

#include "platform/bus-connect.h"
#include "platform/peer.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static int make_pair(void **state)
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

static void a_caller_that_says_nothing_is_not_waited_for(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(platform_peer_accept(pair[0], 1, &error));
    assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
    close(pair[1]);
}

static void a_caller_that_has_gone_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;

    close(pair[1]);
    assert_null(platform_peer_accept(pair[0], 60, &error));
    assert_non_null(error);
}

static void who_speaks_something_else_is_refused(void **state)
{
    static const char words[] = "GET / HTTP/1.1\r\n\r\n";
    g_autoptr(GError) error = NULL;

    assert_int_equal(write(pair[1], words, strlen(words)), strlen(words));
    assert_null(platform_peer_accept(pair[0], 60, &error));
    assert_non_null(error);
    close(pair[1]);
}

static gpointer connect_there(gpointer data)
{
    return platform_peer_connect(pair[1], NULL);
}

static void who_greets_is_heard_with_no_haste_afterwards(void **state)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("caller", connect_there, NULL);
    g_autoptr(GDBusConnection) here = platform_peer_accept(pair[0], 60, &error);
    g_autoptr(GDBusConnection) there = g_thread_join(thread);

    assert_null(error);
    assert_non_null(there);
    GSocketConnection *stream = G_SOCKET_CONNECTION(g_dbus_connection_get_stream(here));

    assert_int_equal(g_socket_get_timeout(g_socket_connection_get_socket(stream)), 0);
    assert_true(g_dbus_connection_close_sync(there, NULL, NULL));
    (void)g_dbus_connection_close_sync(here, NULL, NULL);
}

static void a_bus_that_is_not_there_is_said_to_be_missing(void **state)
{
    g_autoptr(GError) error = NULL;

    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/a%20bus", TRUE);
    assert_null(platform_bus_connect(1000, &error));
    assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
    assert_non_null(strstr(error->message, "/nowhere/a bus"));
    g_unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_caller_that_says_nothing_is_not_waited_for, make_pair),
        cmocka_unit_test_setup(a_caller_that_has_gone_is_an_error, make_pair),
        cmocka_unit_test_setup(who_speaks_something_else_is_refused, make_pair),
        cmocka_unit_test_setup(who_greets_is_heard_with_no_haste_afterwards, make_pair),
        cmocka_unit_test(a_bus_that_is_not_there_is_said_to_be_missing),
    };

    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
