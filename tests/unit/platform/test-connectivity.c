// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a captive portal is in the way. Relied on by who is told to open a browser: somebody who
 * hangs on the bus must not hold up what he waits for. The bus is real, NetworkManager is played by
 * a thread, for the question is asked without a main loop. */
#include "kit.h"

#include "platform/connectivity.h"

#include <gio/gio.h>

#define NAME "org.freedesktop.NetworkManager"
#define PATH "/org/freedesktop/NetworkManager"

static const char XML[] =
    "<node><interface name='" NAME "'><property name='Connectivity' type='%s' "
    "access='read'/></interface></node>";

static struct {
    GTestDBus *daemon;
    GDBusConnection *manager;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    const char *type;
    GVariant *value; /* NULL: it never answers */
} world;

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path,
                        const char *interface, const char *property, GError **error,
                        gpointer user_data)
{
    if (!world.value)
        g_usleep(2 * G_USEC_PER_SEC);
    return g_variant_ref(world.value ? world.value : g_variant_new_uint32(2));
}

static gpointer serve(gpointer data)
{
    static const GDBusInterfaceVTable vtable = {.get_property = on_get};
    g_autofree char *xml = g_strdup_printf(XML, world.type);
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);

    g_main_context_push_thread_default(world.context);
    guint object = g_dbus_connection_register_object(world.manager, PATH, node->interfaces[0],
                                                     &vtable, NULL, NULL, NULL);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        world.manager, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
        NULL);

    g_main_loop_run(world.loop);
    g_dbus_connection_unregister_object(world.manager, object);
    g_main_context_pop_thread_default(world.context);
    return reply ? NULL : data;
}

static int setup(void **state)
{
    world.daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(world.daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(world.daemon), TRUE);
    return 0;
}

static int teardown(void **state)
{
    if (world.thread) {
        g_main_loop_quit(world.loop);
        g_thread_join(world.thread);
        g_dbus_connection_close_sync(world.manager, NULL, NULL);
        g_object_unref(world.manager);
        g_main_loop_unref(world.loop);
        g_main_context_unref(world.context);
        g_clear_pointer(&world.value, g_variant_unref);
    }
    world.thread = NULL;
    g_test_dbus_stop(world.daemon);
    g_object_unref(world.daemon);
    return 0;
}

static bool name_is_taken(void)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        world.manager, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new("(s)", NAME), G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NONE,
        -1, NULL, NULL);
    gboolean owned = FALSE;

    g_variant_get(reply, "(b)", &owned);
    return owned;
}

static void start(const char *type, GVariant *value)
{
    world.manager =
        g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(world.daemon),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, NULL);
    assert_non_null(world.manager);
    g_dbus_connection_set_exit_on_close(world.manager, FALSE);
    world.type = type;
    world.value = value ? g_variant_ref_sink(value) : NULL;
    world.context = g_main_context_new();
    world.loop = g_main_loop_new(world.context, FALSE);
    world.thread = g_thread_new("manager", serve, NULL);
    while (!name_is_taken())
        g_usleep(1000);
}

static void a_portal_is_told(void **state)
{
    start("u", g_variant_new_uint32(2));
    assert_true(platform_connectivity_is_portal());
}

static void an_open_way_is_none(void **state)
{
    start("u", g_variant_new_uint32(4));
    assert_false(platform_connectivity_is_portal());
}

static void an_answer_of_another_kind_is_none(void **state)
{
    start("s", g_variant_new_string("2"));
    assert_false(platform_connectivity_is_portal());
}

static void without_a_manager_there_is_none(void **state)
{
    assert_false(platform_connectivity_is_portal());
}

static void without_a_bus_there_is_none(void **state)
{
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    assert_false(platform_connectivity_is_portal());
}

static void who_never_answers_is_not_waited_for(void **state)
{
    start("u", NULL);
    gint64 before = g_get_monotonic_time();

    assert_false(platform_connectivity_is_portal());
    assert_true(g_get_monotonic_time() - before < 3 * G_USEC_PER_SEC / 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_portal_is_told),
        CASE(an_open_way_is_none),
        CASE(an_answer_of_another_kind_is_none),
        CASE(without_a_manager_there_is_none),
        CASE(without_a_bus_there_is_none),
        CASE(who_never_answers_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
