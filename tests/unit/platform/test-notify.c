// SPDX-License-Identifier: GPL-2.0-or-later
/* What the service manager hears, on a socket of the test's own. */
#include "kit.h"

#include "platform/notify.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Manager {
    char *dir;
    char *path;
    int fd;
} Manager;

static int set_up(void **state)
{
    Manager *manager = g_new0(Manager, 1);

    manager->dir = kit_make_dir();
    manager->path = kit_path(manager->dir, "notify");
    manager->fd = -1;
    *state = manager;
    return 0;
}

static int tear_down(void **state)
{
    Manager *manager = *state;

    if (manager->fd >= 0)
        close(manager->fd);
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
    g_free(manager->path);
    kit_remove_dir(manager->dir);
    g_free(manager);
    return 0;
}

/* At a path, or at "@name", which is abstract. */
static void listen_at(Manager *manager, const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(where);

    memcpy(address.sun_path, where, n);
    if (where[0] == '@')
        address.sun_path[0] = '\0';
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
                     0);
    g_setenv("NOTIFY_SOCKET", where, TRUE);
}

/* The next message, or NULL when there is none within so long. */
static const char *hear(const Manager *manager, int ms)
{
    static char text[4096];
    struct pollfd fd = {.fd = manager->fd, .events = POLLIN};

    if (poll(&fd, 1, ms) <= 0)
        return NULL;
    ssize_t n = recv(manager->fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void run_for(unsigned ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
}

/* ---- what is wrong ---- */

static void test_without_a_manager_nothing_is_sent(void **state)
{
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    platform_notify_ready(notify);
    platform_notify_status(notify, "working");
    platform_notify_stopping(notify);
}

static void test_addresses_that_are_none_are_ignored(void **state)
{
    char wide[300];

    memset(wide, 'x', sizeof wide);
    wide[0] = '/';
    wide[sizeof wide - 1] = '\0';
    const char *const wrong[] = {"", "/", "@", "relative/path", "vsock:2:1234", wide};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_setenv("NOTIFY_SOCKET", wrong[i], TRUE);
        g_autoptr(PlatformNotify) notify = platform_notify_new();

        platform_notify_ready(notify);
        assert_null(g_getenv("NOTIFY_SOCKET"));
    }
}

static void test_a_manager_that_went_away_is_no_failure(void **state)
{
    Manager *manager = *state;

    listen_at(manager, manager->path);
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    close(manager->fd);
    manager->fd = -1;
    platform_notify_ready(notify);
    unlink(manager->path);
    platform_notify_status(notify, "still here");
}

static void test_a_status_is_one_line_of_text(void **state)
{
    Manager *manager = *state;
    g_autofree char *wide = g_strnfill(5000, 'x');

    listen_at(manager, manager->path);
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    platform_notify_status(notify, "one\nMAINPID=1\r\x7f\xc2\x85!");
    assert_string_equal(hear(manager, 1000), "STATUS=one MAINPID=1   !");
    platform_notify_status(notify, "\xff\xfe");
    assert_true(g_utf8_validate(hear(manager, 1000), -1, NULL));
    platform_notify_status(notify, wide);
    assert_int_equal(strlen(hear(manager, 1000)), 256);
    platform_notify_status(notify, "");
    assert_string_equal(hear(manager, 1000), "STATUS=");
}

static void test_a_watchdog_that_is_not_ours_is_left_alone(void **state)
{
    static const char *const periods[] = {"", "0", "-1", "x", "20000x", " 20000"};
    Manager *manager = *state;

    listen_at(manager, manager->path);
    for (size_t i = 0; i <= G_N_ELEMENTS(periods); i++) {
        bool other = i == G_N_ELEMENTS(periods);

        g_setenv("NOTIFY_SOCKET", manager->path, TRUE);
        g_setenv("WATCHDOG_USEC", other ? "20000" : periods[i], TRUE);
        if (other)
            g_setenv("WATCHDOG_PID", "1", TRUE);
        g_autoptr(PlatformNotify) notify = platform_notify_new();

        platform_notify_ready(notify);
        assert_string_equal(hear(manager, 1000), "READY=1");
        run_for(60);
        assert_null(hear(manager, 0));
    }
}

/* ---- what is right ---- */

static void speaks(Manager *manager)
{
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    assert_null(hear(manager, 0));
    platform_notify_ready(notify);
    assert_string_equal(hear(manager, 1000), "READY=1");
    platform_notify_status(notify, "tunnels: 1 \xe2\x80\x93 up");
    assert_string_equal(hear(manager, 1000), "STATUS=tunnels: 1 \xe2\x80\x93 up");
    platform_notify_stopping(notify);
    assert_string_equal(hear(manager, 1000), "STOPPING=1");
}

static void test_a_socket_of_a_path_is_spoken_to(void **state)
{
    Manager *manager = *state;

    listen_at(manager, manager->path);
    speaks(manager);
}

static void test_an_abstract_socket_is_spoken_to(void **state)
{
    Manager *manager = *state;
    g_autofree char *name = g_strdup_printf("@dialtone-test-%d", (int)getpid());

    listen_at(manager, name);
    speaks(manager);
}

static void test_no_child_can_speak_for_us(void **state)
{
    Manager *manager = *state;

    listen_at(manager, manager->path);
    g_setenv("WATCHDOG_USEC", "1000000", TRUE);
    g_setenv("WATCHDOG_PID", "1", TRUE);
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    assert_non_null(notify);
    assert_null(g_getenv("NOTIFY_SOCKET"));
    assert_null(g_getenv("WATCHDOG_USEC"));
    assert_null(g_getenv("WATCHDOG_PID"));
}

static void test_a_watchdog_hears_of_us_twice_a_period_while_the_loop_runs(void **state)
{
    Manager *manager = *state;
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    unsigned n = 0;

    listen_at(manager, manager->path);
    g_setenv("WATCHDOG_USEC", "100000", TRUE);
    g_setenv("WATCHDOG_PID", pid, TRUE);
    g_autoptr(PlatformNotify) notify = platform_notify_new();

    run_for(120);
    assert_null(hear(manager, 0));
    platform_notify_ready(notify);
    assert_string_equal(hear(manager, 1000), "READY=1");
    run_for(520);
    for (const char *text; (text = hear(manager, 0)); n++)
        assert_string_equal(text, "WATCHDOG=1");
    assert_in_range(n, 6, 11);
    /* A loop that hangs is silent. */
    g_usleep(200000);
    assert_null(hear(manager, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_a_manager_nothing_is_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_addresses_that_are_none_are_ignored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_manager_that_went_away_is_no_failure, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_status_is_one_line_of_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_watchdog_that_is_not_ours_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_socket_of_a_path_is_spoken_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_abstract_socket_is_spoken_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_child_can_speak_for_us, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_watchdog_hears_of_us_twice_a_period_while_the_loop_runs, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
