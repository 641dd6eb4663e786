// SPDX-License-Identifier: GPL-2.0-or-later
/* What is joined, by a NetworkManager that says anything. Relied on by rules that take a tunnel
 * down: what is odd, missing or gone is never a network with a name. The bus is real;
 * NetworkManager's answers are given by a filter, so that they need not fit any interface. */
#include "kit.h"

#include "platform/joined-networks.h"

#include <string.h>

#define NAME "org.freedesktop.NetworkManager"
#define ONE  "/org/freedesktop/NetworkManager/ActiveConnection/1"
#define TWO  "/org/freedesktop/NetworkManager/AccessPoint/2"

/* Answers to GetAll, as text of GVariant; NULL: an error. */
typedef struct Answers {
    const char *manager, *active, *point;
} Answers;

static struct {
    GTestDBus *daemon;
    GDBusConnection *manager, *bus;
    Answers answers;
    unsigned told;
} world;

static const char *answer_to(const char *path)
{
    if (!strcmp(path, ONE))
        return world.answers.active;
    return !strcmp(path, TWO) ? world.answers.point : world.answers.manager;
}

/* In GDBus's thread; nothing of `world` changes while it is asked. */
static GDBusMessage *on_message(GDBusConnection *bus, GDBusMessage *message, gboolean incoming,
                                gpointer user_data)
{
    if (!incoming || g_strcmp0(g_dbus_message_get_member(message), "GetAll") != 0)
        return message;
    const char *text = answer_to(g_dbus_message_get_path(message));
    GDBusMessage *reply = text ? g_dbus_message_new_method_reply(message)
                               : g_dbus_message_new_method_error_literal(message, "a.b", "gone");

    if (text)
        g_dbus_message_set_body(reply, g_variant_new_parsed(text));
    (void)g_dbus_connection_send_message(bus, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
    g_object_unref(reply);
    g_object_unref(message);
    return NULL;
}

static void name(const char *method, GVariant *arguments)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        world.manager, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

    assert_non_null(reply);
}

static int setup(void **state)
{
    world.daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(world.daemon);
    world.manager = kit_connect_bus(world.daemon);
    world.bus = kit_connect_bus(world.daemon);
    g_dbus_connection_add_filter(world.manager, on_message, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    g_dbus_connection_close_sync(world.manager, NULL, NULL);
    g_dbus_connection_close_sync(world.bus, NULL, NULL);
    g_object_unref(world.manager);
    g_object_unref(world.bus);
    g_test_dbus_stop(world.daemon);
    g_object_unref(world.daemon);
    return 0;
}

static void on_joined(gpointer user_data)
{
    world.told++;
}

static void wait_told(void)
{
    unsigned before = world.told;

    while (world.told == before)
        g_main_context_iteration(NULL, TRUE);
}

#define MANAGER                                                                                    \
    "({'ActiveConnections': <[objectpath '" ONE "']>, 'PrimaryConnection': "                       \
    "<objectpath '" ONE "'>},)"
#define ACTIVE(more) "({'Id': <'Office'>, 'Uuid': <'u'>, 'State': <uint32 2>, " more "},)"
#define WIFI         "'Type': <'802-11-wireless'>, 'SpecificObject': <objectpath '" TWO "'>"

typedef struct Case {
    Answers answers;
    int networks; /* -1: nobody knows */
    const char *id;
    int ssid; /* its bytes; -1: none */
    bool primary;
} Case;

static const Case CASES[] = {
    {{MANAGER, ACTIVE(WIFI), "({'Ssid': <@ay [79, 0, 255]>},)"}, 1, "Office", 3, true},
    {{MANAGER, ACTIVE("'Type': <'802-3-ethernet'>"), NULL}, 1, "Office", -1, true},
    {{"({'ActiveConnections': <[objectpath '" ONE "']>},)", ACTIVE("'Type': <'x'>"), NULL},
     1,
     "Office",
     -1,
     false},
    /* No answer, or none of the right shape. */
    {{NULL, NULL, NULL}, -1, NULL, 0, false},
    {{"(1,)", NULL, NULL}, -1, NULL, 0, false},
    {{"(@a{sv} {},)", NULL, NULL}, -1, NULL, 0, false},
    {{"({'ActiveConnections': <'all'>},)", NULL, NULL}, -1, NULL, 0, false},
    {{MANAGER, NULL, NULL}, 0, NULL, 0, false},
    {{MANAGER, "(@a{sv} {},)", NULL}, 0, NULL, 0, false},
    {{MANAGER, "({'Id': <uint32 7>, 'State': <'2'>},)", NULL}, 0, NULL, 0, false},
    /* Names of a wrong type are no names. */
    {{MANAGER, "({'Id': <uint32 7>, 'Uuid': <@ay []>, 'State': <uint32 2>},)", NULL},
     1,
     "",
     -1,
     true},
    /* Coming up, going down, or a tunnel of somebody else's. */
    {{MANAGER, "({'Id': <'Office'>, 'State': <uint32 1>},)", NULL}, 0, NULL, 0, false},
    {{MANAGER, "({'Id': <'Office'>, 'State': <uint32 3>},)", NULL}, 0, NULL, 0, false},
    {{MANAGER, ACTIVE("'Vpn': <true>"), NULL}, 0, NULL, 0, false},
    /* Without its SSID a Wi-Fi network would be taken for another. */
    {{MANAGER, ACTIVE(WIFI), NULL}, 0, NULL, 0, false},
    {{MANAGER, ACTIVE(WIFI), "({'Ssid': <'Office'>},)"}, 0, NULL, 0, false},
    {{MANAGER, ACTIVE(WIFI), "({'Ssid': <@ay []>},)"}, 1, "Office", -1, true},
    {{MANAGER, ACTIVE(WIFI),
      "({'Ssid': <@ay [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]>},)"},
     1,
     "Office",
     -1,
     true},
};

static void expect_networks(const Case *c, const GPtrArray *networks)
{
    assert_int_equal(networks ? (int)networks->len : -1, c->networks);
    if (c->networks != 1)
        return;
    const PlatformJoinedNetwork *network = networks->pdata[0];

    assert_string_equal(network->id, c->id);
    assert_int_equal(network->ssid ? (int)g_bytes_get_size(network->ssid) : -1, c->ssid);
    assert_int_equal(network->primary, c->primary);
}

static void test_whatever_is_said_is_a_network_or_none(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        world.answers = CASES[i].answers;
        name("RequestName", g_variant_new("(su)", NAME, 0));
        PlatformJoinedWatch *watch = platform_joined_watch_new(world.bus, on_joined, NULL);

        assert_null(platform_joined_networks(watch));
        wait_told();
        expect_networks(&CASES[i], platform_joined_networks(watch));
        name("ReleaseName", g_variant_new("(s)", NAME));
        wait_told();
        assert_null(platform_joined_networks(watch));
        platform_joined_watch_free(watch);
    }
}

static void test_without_networkmanager_that_is_told(void **state)
{
    PlatformJoinedWatch *watch = platform_joined_watch_new(world.bus, on_joined, NULL);

    wait_told();
    assert_null(platform_joined_networks(watch));
    platform_joined_watch_free(watch);
}

static void test_who_stops_watching_while_it_is_asked_hears_no_more(void **state)
{
    world.answers = CASES[0].answers;
    name("RequestName", g_variant_new("(su)", NAME, 0));
    for (unsigned i = 0; i < 20; i++) {
        PlatformJoinedWatch *watch = platform_joined_watch_new(world.bus, on_joined, NULL);

        for (unsigned k = 0; k < i; k++)
            g_main_context_iteration(NULL, FALSE);
        platform_joined_watch_free(watch);
    }
    unsigned told = world.told;

    while (g_main_context_iteration(NULL, FALSE))
        continue;
    assert_int_equal(world.told, told);
    name("ReleaseName", g_variant_new("(s)", NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_networkmanager_that_is_told),
        cmocka_unit_test(test_whatever_is_said_is_a_network_or_none),
        cmocka_unit_test(test_who_stops_watching_while_it_is_asked_hears_no_more),
    };

    return cmocka_run_group_tests_name("platform joined-networks", tests, setup, teardown);
}
