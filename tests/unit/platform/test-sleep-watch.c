// SPDX-License-Identifier: GPL-2.0-or-later
/* What is made of logind's word. Relied on by every tunnel: a logind that hangs, lies or dies must
 * neither hold it up nor leave it asleep. The bus is real; logind is played on it, well and badly.
 */
#include "kit.h"

#include "platform/sleep-watch.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define NAME    "org.freedesktop.login1"
#define PATH    "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"

enum Habit { ANSWERS, NEVER_ANSWERS, REFUSES, FORGETS_THE_DESCRIPTOR };

static const char XML[] =
    "<node><interface name='" MANAGER "'><method name='Inhibit'><arg type='s' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='h' direction='out'/></method><signal name='PrepareForSleep'><arg type='b'/>"
    "</signal></interface></node>";

static struct {
    GTestDBus *daemon;
    GDBusConnection *logind;
    guint object;
    enum Habit habit;
    unsigned asked;
    int lock; /* our end of the lock given out last; -1: none was */
    PlatformSleepWatch *watch;
    GString *told; /* B, O */
    bool held;     /* while BEGINS was told */
} world;

GSource *__wrap_g_timeout_source_new_seconds(guint seconds);

/* A hundred times as fast. */
GSource *__wrap_g_timeout_source_new_seconds(guint seconds)
{
    return g_timeout_source_new(seconds * 10);
}

/* ---- logind ---- */

static bool is_held(void)
{
    struct pollfd end = {.fd = world.lock, .events = POLLIN};

    return world.lock >= 0 && poll(&end, 1, 0) == 0;
}

static void on_inhibit(GDBusConnection *bus, const char *sender, const char *path,
                       const char *interface, const char *method, GVariant *arguments,
                       GDBusMethodInvocation *call, gpointer user_data)
{
    const char *what, *who, *why, *mode;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int ends[2];

    world.asked++;
    g_variant_get(arguments, "(&s&s&s&s)", &what, &who, &why, &mode);
    assert_string_equal(what, "sleep");
    assert_string_equal(mode, "delay");
    switch (world.habit) {
    case NEVER_ANSWERS:
        g_object_unref(call);
        return;
    case REFUSES:
        g_dbus_method_invocation_return_dbus_error(call, "org.example.No", "no");
        return;
    case FORGETS_THE_DESCRIPTOR:
        g_dbus_method_invocation_return_value(call, g_variant_new("(h)", 7));
        return;
    case ANSWERS:
        break;
    }
    assert_int_equal(pipe(ends), 0);
    if (world.lock >= 0)
        close(world.lock);
    world.lock = ends[0];
    g_unix_fd_list_append(fds, ends[1], NULL);
    close(ends[1]);
    g_dbus_method_invocation_return_value_with_unix_fd_list(call, g_variant_new("(h)", 0), fds);
}

static void start_logind(enum Habit habit)
{
    static const GDBusInterfaceVTable vtable = {.method_call = on_inhibit};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(XML, NULL);

    world.habit = habit;
    world.logind = kit_connect_bus(world.daemon);
    world.object = g_dbus_connection_register_object(world.logind, PATH, node->interfaces[0],
                                                     &vtable, NULL, NULL, NULL);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        world.logind, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
        NULL);

    assert_non_null(reply);
}

static void stop_logind(void)
{
    if (!world.logind)
        return;
    g_dbus_connection_unregister_object(world.logind, world.object);
    g_dbus_connection_close_sync(world.logind, NULL, NULL);
    g_clear_object(&world.logind);
}

static void say(GDBusConnection *bus, const char *to, GVariant *arguments)
{
    g_dbus_connection_emit_signal(bus, to, PATH, MANAGER, "PrepareForSleep", arguments, NULL);
    g_dbus_connection_flush_sync(bus, NULL, NULL);
}

static void sleep_begins(void)
{
    say(world.logind, NULL, g_variant_new("(b)", TRUE));
}

static void sleep_is_over(void)
{
    say(world.logind, NULL, g_variant_new("(b)", FALSE));
}

/* ---- the watch ---- */

static void on_sleep(PlatformSleep what, void *user_data)
{
    g_string_append_c(world.told, what == PLATFORM_SLEEP_BEGINS ? 'B' : 'O');
    if (what == PLATFORM_SLEEP_BEGINS)
        world.held = is_held();
}

static gboolean on_time(gpointer done)
{
    *(bool *)done = true;
    return G_SOURCE_REMOVE;
}

static void run(unsigned ms)
{
    bool done = false;

    g_timeout_add(ms, on_time, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

static void expect_told(const char *told)
{
    for (int i = 0; i < 100 && strcmp(world.told->str, told) != 0; i++)
        run(20);
    assert_string_equal(world.told->str, told);
}

static void wait_locked(void)
{
    for (int i = 0; i < 100 && !is_held(); i++)
        run(20);
    assert_true(is_held());
}

static int setup(void **state)
{
    memset(&world, 0, sizeof world);
    world.lock = -1;
    world.told = g_string_new(NULL);
    world.daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(world.daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(world.daemon), TRUE);
    return 0;
}

static int teardown(void **state)
{
    platform_sleep_watch_free(world.watch);
    stop_logind();
    if (world.daemon) {
        g_test_dbus_stop(world.daemon);
        g_object_unref(world.daemon);
    }
    if (world.lock >= 0)
        close(world.lock);
    g_string_free(world.told, TRUE);
    run(1);
    return 0;
}

static void watch_with(enum Habit habit)
{
    start_logind(habit);
    world.watch = platform_sleep_watch_new(on_sleep, NULL);
    for (int i = 0; i < 100 && world.asked == 0; i++)
        run(20);
    assert_int_equal(world.asked, 1);
}

/* ---- a logind as it should be ---- */

static void the_lock_is_held_until_sleep_was_told(void **state)
{
    watch_with(ANSWERS);
    wait_locked();
    sleep_begins();
    expect_told("B");
    assert_true(world.held);
    assert_false(is_held());
    sleep_is_over();
    expect_told("BO");
    wait_locked();
}

static void a_logind_that_comes_later_is_heard(void **state)
{
    world.watch = platform_sleep_watch_new(on_sleep, NULL);
    run(100);
    start_logind(ANSWERS);
    wait_locked();
    sleep_begins();
    expect_told("B");
}

/* ---- and as it should not ---- */

static void without_a_bus_nothing_is_told(void **state)
{
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    world.watch = platform_sleep_watch_new(on_sleep, NULL);
    run(400);
    assert_string_equal(world.told->str, "");
}

static void a_logind_that_never_answers_is_heard_all_the_same(void **state)
{
    watch_with(NEVER_ANSWERS);
    sleep_begins();
    expect_told("B");
    sleep_is_over();
    expect_told("BO");
}

static void one_that_refuses_likewise(void **state)
{
    watch_with(REFUSES);
    sleep_begins();
    sleep_is_over();
    expect_told("BO");
}

static void a_lock_without_a_descriptor_is_none(void **state)
{
    watch_with(FORGETS_THE_DESCRIPTOR);
    sleep_begins();
    sleep_is_over();
    expect_told("BO");
}

static void who_goes_without_a_word_ends_the_sleep(void **state)
{
    watch_with(ANSWERS);
    wait_locked();
    sleep_begins();
    expect_told("B");
    stop_logind();
    expect_told("BO");
    assert_false(is_held());
}

static void a_sleep_that_nobody_ends_ends(void **state)
{
    watch_with(ANSWERS);
    sleep_begins();
    expect_told("BO");
    sleep_is_over();
    run(100);
    assert_string_equal(world.told->str, "BO");
}

static void what_is_said_twice_is_told_once(void **state)
{
    watch_with(ANSWERS);
    sleep_is_over();
    sleep_begins();
    sleep_begins();
    sleep_is_over();
    sleep_is_over();
    expect_told("BO");
}

static void words_of_another_kind_are_none(void **state)
{
    watch_with(ANSWERS);
    say(world.logind, NULL, g_variant_new("(s)", "soon"));
    say(world.logind, NULL, g_variant_new("(bb)", TRUE, TRUE));
    say(world.logind, NULL, NULL);
    run(100);
    assert_string_equal(world.told->str, "");
}

static void nobody_else_is_believed(void **state)
{
    g_autofree const char **names = NULL;

    watch_with(ANSWERS);
    GDBusConnection *stranger = kit_connect_bus(world.daemon);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        stranger, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "ListNames", NULL, G_VARIANT_TYPE("(as)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);

    names = g_variant_get_strv(list, NULL);
    say(stranger, NULL, g_variant_new("(b)", TRUE));
    for (const char **name = names; *name; name++) {
        if (**name == ':')
            say(stranger, *name, g_variant_new("(b)", TRUE));
    }
    run(150);
    assert_string_equal(world.told->str, "");
    g_dbus_connection_close_sync(stranger, NULL, NULL);
    g_object_unref(stranger);
}

static void a_bus_that_dies_ends_the_sleep_and_is_sought_again(void **state)
{
    watch_with(ANSWERS);
    sleep_begins();
    expect_told("B");
    g_test_dbus_stop(world.daemon);
    g_clear_object(&world.daemon);
    expect_told("BO");
    g_clear_object(&world.logind);
    world.daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(world.daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(world.daemon), TRUE);
    start_logind(ANSWERS);
    wait_locked();
    sleep_begins();
    expect_told("BOB");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_lock_is_held_until_sleep_was_told),
        CASE(a_logind_that_comes_later_is_heard),
        CASE(without_a_bus_nothing_is_told),
        CASE(a_logind_that_never_answers_is_heard_all_the_same),
        CASE(one_that_refuses_likewise),
        CASE(a_lock_without_a_descriptor_is_none),
        CASE(who_goes_without_a_word_ends_the_sleep),
        CASE(a_sleep_that_nobody_ends_ends),
        CASE(what_is_said_twice_is_told_once),
        CASE(words_of_another_kind_are_none),
        CASE(nobody_else_is_believed),
        CASE(a_bus_that_dies_ends_the_sleep_and_is_sought_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
