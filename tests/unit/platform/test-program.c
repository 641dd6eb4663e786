// SPDX-License-Identifier: GPL-2.0-or-later
/* What a program that we start has, and what it has not. */
#include "kit.h"

#include "platform/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What /bin/sh -c says on a descriptor, and its exit code. */
static char *run(const char *script, int extra, int *codep)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    char *const environment[] = {(char[]){"ONLY=this"}, (char[]){"PATH=/usr/bin:/bin"}, NULL};
    GString *said = g_string_new(NULL);
    char text[512];
    int out[2], status;
    pid_t pid = 0;

    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    const PlatformSpawn spawn = {
        .program = "/bin/sh",
        .argv = argv,
        .environment = environment,
        .fds = {-1, out[1], -1, extra},
        .n_fds = extra < 0 ? 3 : 4,
        .session = true,
    };

    assert_int_equal(platform_spawn(&spawn, &pid), 0);
    close(out[1]);
    for (ssize_t n; (n = read(out[0], text, sizeof text)) > 0;)
        g_string_append_len(said, text, n);
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *codep = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return g_string_free(said, FALSE);
}

static void test_what_is_not_there_is_an_error_and_no_process(void **state)
{
    const char *const argv[] = {"x", NULL};
    char *const environment[] = {NULL};
    const PlatformSpawn spawn = {
        .program = "/nonexistent/program",
        .argv = argv,
        .environment = environment,
        .fds = {-1, -1, -1},
        .n_fds = 3,
    };
    pid_t pid = 0;

    assert_int_equal(platform_spawn(&spawn, &pid), -ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_no_descriptor_but_those_named_is_passed_on(void **state)
{
    /* Not marked to be closed, as a library might leave one. */
    int leaked = open("/dev/null", O_RDONLY);
    int high = fcntl(leaked, F_DUPFD, 200);
    int code;
    g_autofree char *said = run("for fd in 3 4 5 6 7 8 9 20 200; do "
                                "[ -e /proc/self/fd/$fd ] && echo $fd; done; exit 7",
                                -1, &code);

    /* One is the shell's own, for the folder that it looks at. */
    assert_int_equal(code, 7);
    assert_null(strstr(said, "200"));
    assert_true(strlen(said) <= 2);
    close(leaked);
    close(high);
}

static void test_a_fourth_descriptor_arrives_in_its_place(void **state)
{
    int pipe_fds[2], code;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    g_autofree char *said = run("echo here >&3", pipe_fds[1], &code);
    char text[16] = "";

    assert_int_equal(code, 0);
    assert_string_equal(said, "");
    assert_int_equal(read(pipe_fds[0], text, sizeof text - 1), 5);
    assert_string_equal(text, "here\n");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* Its number is the one that it is to have: it must not be closed by exec. */
static void test_a_descriptor_in_its_place_already_stays_open(void **state)
{
    int code, kept = fcntl(3, F_DUPFD_CLOEXEC, 50), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null != 3)
        assert_int_equal(dup3(null, 3, O_CLOEXEC), 3);
    g_autofree char *said = run("echo nothing >&3 && echo open", 3, &code);

    assert_string_equal(said, "open\n");
    close(null);
    close(3);
    if (kept >= 0) {
        assert_int_equal(dup3(kept, 3, O_CLOEXEC), 3);
        close(kept);
    }
}

static void test_only_the_given_environment_is_there(void **state)
{
    int code;

    g_setenv("SECRET_OF_OURS", "x", TRUE);
    g_autofree char *said = run("echo \"$ONLY $SECRET_OF_OURS\"", -1, &code);

    assert_string_equal(said, "this \n");
    g_unsetenv("SECRET_OF_OURS");
}

static void test_no_signal_is_ignored_or_blocked(void **state)
{
    sigset_t set, before;
    int code;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    signal(SIGHUP, SIG_IGN);
    g_autofree char *said = run("sed -n 's/^Sig[BI][lg][kn]:.//p' /proc/self/status", -1, &code);
    char *end;

    signal(SIGHUP, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    /* Of 1 to 31: the C library keeps two behind those to itself. */
    assert_int_equal(strtoull(said, &end, 16) & 0x7fffffff, 0);
    assert_int_equal(strtoull(end, &end, 16) & 0x7fffffff, 0);
    assert_string_equal(end, "\n");
}

static void test_a_session_of_its_own_has_no_terminal(void **state)
{
    int code;
    g_autofree char *said = run("echo $$ $(ps -o sid= -p $$)", -1, &code);
    char *end;
    long pid = strtol(said, &end, 10);

    assert_int_equal(pid, strtol(end, NULL, 10));
    assert_int_not_equal(pid, getsid(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_there_is_an_error_and_no_process),
        cmocka_unit_test(test_no_descriptor_but_those_named_is_passed_on),
        cmocka_unit_test(test_a_fourth_descriptor_arrives_in_its_place),
        cmocka_unit_test(test_a_descriptor_in_its_place_already_stays_open),
        cmocka_unit_test(test_only_the_given_environment_is_there),
        cmocka_unit_test(test_no_signal_is_ignored_or_blocked),
        cmocka_unit_test(test_a_session_of_its_own_has_no_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
