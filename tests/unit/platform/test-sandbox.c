// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process can no longer do. Each case runs in a child, whose exit status or signal tells. */
#include "kit.h"

#include "platform/clock.h"
#include "platform/groups.h"
#include "platform/sandbox.h"
#include "platform/secret-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*Act)(void);

/* Exit status, or minus the signal. */
static int in_child(Act act)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(act());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* 0 if the call, whose result this is, was not permitted. */
static int denied(long result)
{
    return result < 0 && errno == EPERM ? 0 : 1;
}

static int confined(Act act)
{
    if (platform_sandbox_harden() < 0 || platform_sandbox_seccomp_tunnel() < 0)
        return 99;
    return act();
}

/* ---- identity ---- */

static int become_nobody(void)
{
    const PlatformIdentity id = {.uid = 64000, .gid = 64001};
    gid_t groups[64];

    if (platform_sandbox_become(&id) < 0)
        return 1;
    if (getuid() != 64000 || geteuid() != 64000 || getgid() != 64001 || getegid() != 64001)
        return 2;
    if (getgroups(64, groups) != 0)
        return 3;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
        return 4;
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
        if (platform_sandbox_has_cap(cap) || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0)
            return 5;
    }
    return 0;
}

static void test_there_is_no_way_back_from_another_identity(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(become_nobody), 0);
}

/* Root's groups, which nobody else is to have. */
static const gid_t ROOT_S[] = {0, 42, 64002};

/* How many of them somebody has who is a person; -1: it could not become one. */
static int groups_of_root_s(uid_t uid)
{
    const PlatformIdentity id = {.uid = uid, .gid = uid, .is_person = true};
    gid_t groups[PLATFORM_GROUPS_MAX];
    int found = 0;

    if (setgroups(G_N_ELEMENTS(ROOT_S), ROOT_S) < 0 || platform_sandbox_become(&id) < 0)
        return -1;
    int n = getgroups(PLATFORM_GROUPS_MAX, groups);

    for (int i = 0; i < n; i++)
        for (gsize k = 0; k < G_N_ELEMENTS(ROOT_S); k++)
            found += groups[i] == ROOT_S[k];
    return found;
}

static int become_person_unknown(void)
{
    return groups_of_root_s(64000);
}

/* Of /etc/passwd, on every Debian: "daemon". */
static int become_person_of_the_files(void)
{
    return groups_of_root_s(1);
}

static int stay_root(void)
{
    return groups_of_root_s(0) == (int)G_N_ELEMENTS(ROOT_S) ? 0 : 1;
}

static void test_a_person_has_none_of_root_s_groups_but_root(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(become_person_unknown), 0);
    assert_int_equal(in_child(become_person_of_the_files), 0);
    assert_int_equal(in_child(stay_root), 0);
}

static int keep_one(void)
{
    static const int kept[] = {CAP_NET_ADMIN};

    if (platform_sandbox_keep_caps(kept, 1) < 0)
        return 1;
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
        if (platform_sandbox_has_cap(cap) != (cap == CAP_NET_ADMIN))
            return 2;
        if ((prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) != (cap == CAP_NET_ADMIN))
            return 3;
    }
    return setuid(1000) == 0 ? 4 : 0;
}

static void test_only_the_capabilities_that_are_kept_remain(void **state)
{
    if (!platform_sandbox_has_cap(CAP_NET_ADMIN))
        skip();
    assert_int_equal(in_child(keep_one), 0);
}

static int keep_what_it_lacks(void)
{
    static const int wanted[] = {CAP_SYS_ADMIN};
    const PlatformIdentity id = {.uid = 64000, .gid = 64001};

    if (platform_sandbox_become(&id) < 0)
        return 1;
    return platform_sandbox_keep_caps(wanted, 1) < 0 ? 0 : 2;
}

static void test_a_capability_that_is_missing_cannot_be_kept(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(keep_what_it_lacks), 0);
}

static int harden(void)
{
    struct rlimit limit;

    if (platform_sandbox_harden() < 0)
        return 1;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 2;
    return getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur || limit.rlim_max ? 3 : 0;
}

static void test_e14_a_hardened_process_dumps_no_core(void **state)
{
    assert_int_equal(in_child(harden), 0);
}

static void test_the_service_has_a_user_of_its_own(void **state)
{
    PlatformIdentity id;

    assert_int_equal(platform_sandbox_service_identity(&id), 0);
    assert_true(id.uid != 0 && id.gid != 0);
    if (!getpwnam("dialtone")) {
        assert_true(id.uid >= PLATFORM_SANDBOX_UID_FIRST && id.uid <= PLATFORM_SANDBOX_UID_LAST);
        assert_null(getpwuid(id.uid));
    }
}

static void test_the_caller_is_who_called_sudo(void **state)
{
    static const char *const bad[] = {"", "-1", "x", "1000x", " 1000", "4294967295", "99999999999"};
    PlatformIdentity id;

    setenv("SUDO_UID", "4711", 1);
    setenv("SUDO_GID", "4712", 1);
    assert_int_equal(platform_sandbox_caller_identity(&id), 0);
    assert_int_equal(id.uid, getuid() == 0 ? 4711 : getuid());
    assert_int_equal(id.gid, getuid() == 0 ? 4712 : getgid());
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        setenv("SUDO_UID", bad[i], 1);
        assert_int_equal(platform_sandbox_caller_identity(&id), 0);
        assert_int_equal(id.uid, getuid());
    }
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
}

/* ---- system calls ---- */

static int exec_something(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int confined_exec(void)
{
    return confined(exec_something);
}

static int trace_something(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 1;
}

static int confined_trace(void)
{
    return confined(trace_something);
}

static void test_exec_and_ptrace_kill_the_process(void **state)
{
    assert_int_equal(in_child(confined_exec), -SIGSYS);
    assert_int_equal(in_child(confined_trace), -SIGSYS);
}

static int try_forbidden(void)
{
    int pair[2], status = 0;

    status |= denied(socket(AF_INET, SOCK_DGRAM, 0)) << 0;
    status |= denied(socket(AF_UNIX, SOCK_STREAM, 0)) << 1;
    status |= denied(open("/tmp/dialtone-test-sandbox", O_WRONLY | O_CREAT, 0600)) << 2;
    status |= denied(open("/dev/null", O_RDWR)) << 3;
    status |= denied(socketpair(AF_INET, SOCK_STREAM, 0, pair)) << 4;
    status |= denied(fork()) << 5;
    status |= denied(kill(getppid(), 0)) << 6;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    status |= (page != MAP_FAILED) << 7;
    return status;
}

/* A descriptor that is closed makes room for another one. */
static int open_a_file(void)
{
    close(STDIN_FILENO);
    return denied(open("/etc/passwd", O_RDONLY)) | denied(openat(AT_FDCWD, ".", O_RDONLY)) << 1 |
           denied(creat("/tmp/dialtone-test-sandbox", 0600)) << 2;
}

static int confined_without_files(void)
{
    return platform_sandbox_harden() < 0 || platform_sandbox_seccomp_no_files() < 0 ? 99
                                                                                    : open_a_file();
}

static void test_a_process_of_the_user_s_reads_no_file(void **state)
{
    assert_int_equal(in_child(confined_without_files), 0);
}

/* The one that started it is the same user's. */
static int signal_others(void)
{
    int others = denied(tgkill(getppid(), getppid(), 0));

    return others | (tgkill(getpid(), gettid(), 0) != 0) << 1;
}

static int confined_signals(void)
{
    return confined(signal_others);
}

static void test_signals_go_to_threads_of_our_own(void **state)
{
    assert_int_equal(in_child(confined_signals), 0);
}

static int confined_forbidden(void)
{
    return confined(try_forbidden);
}

/* Opens for writing once it is told to, in a thread that is older than the sandbox. */
static void *write_when_told(void *data)
{
    int *told = data;
    char byte;
    bool right = read(told[0], &byte, 1) == 1 && denied(open("/dev/null", O_WRONLY)) == 0;

    return right ? told : NULL;
}

static int confined_with_a_thread(void)
{
    pthread_t thread;
    void *right = NULL;
    int told[2];

    if (pipe(told) < 0 || pthread_create(&thread, NULL, write_when_told, told) != 0)
        return 1;
    int before = open("/dev/null", O_WRONLY); /* nothing is forbidden yet */

    if (before < 0 || platform_sandbox_seccomp_tunnel() < 0)
        return 2;
    if (write(told[1], "", 1) != 1 || pthread_join(thread, &right) != 0)
        return 3;
    return right == told && denied(open("/dev/null", O_WRONLY)) == 0 ? 0 : 4;
}

static void test_a_filter_holds_for_all_threads_once_it_is_closed(void **state)
{
    assert_int_equal(in_child(confined_with_a_thread), 0);
}

static int try_more_forbidden(void)
{
    const struct rlimit limit = {1, 1};
    const struct sched_param first = {1};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status = 0;

    status |= denied(unlink("/tmp/dialtone-test-nothing")) << 0;
    status |= denied(chmod("/tmp/dialtone-test-nothing", 0)) << 1;
    status |= denied(setrlimit(RLIMIT_NOFILE, &limit)) << 2;
    status |= denied(mprotect(page, 4096, PROT_READ | PROT_EXEC)) << 3;
    status |= denied(unshare(CLONE_NEWUSER)) << 4;
    status |= denied(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) << 5;
    status |= denied(setuid(0)) << 6;
    status |= denied(sched_setscheduler(0, SCHED_FIFO, &first)) << 7;
    return status;
}

/* A raw socket is for ESP: its owner must not write IP headers. Other options, of the same numbers
 * too, are free. */
static int try_socket_options(void)
{
    enum { SOL_RAW_IP = 255 };
    const int on = 1, fd = -1;
    int status = 0;

    status |= denied(setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof on)) << 0;
    status |= denied(setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on)) << 1;
    status |= denied(setsockopt(fd, SOL_RAW_IP, IPV6_HDRINCL, &on, sizeof on)) << 2;
    status |= !denied(setsockopt(fd, IPPROTO_IP, IP_TOS, &on, sizeof on)) << 3;
    status |= !denied(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof on)) << 4;
    status |= !denied(setsockopt(fd, IPPROTO_UDP, IP_HDRINCL, &on, sizeof on)) << 5;
    status |= !denied(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &on, sizeof on)) << 6;
    return status;
}

static int confined_socket_options(void)
{
    return confined(try_socket_options);
}

static void test_a_raw_socket_stays_one_for_esp(void **state)
{
    assert_int_equal(in_child(confined_socket_options), 0);
}

static int confined_more_forbidden(void)
{
    return confined(try_more_forbidden);
}

static void test_what_the_tunnel_never_needs_fails(void **state)
{
    assert_int_equal(in_child(confined_forbidden), 0);
    assert_int_equal(in_child(confined_more_forbidden), 0);
}

static void *add_one(void *user_data)
{
    ++*(int *)user_data;
    return NULL;
}

static void quit(void *user_data)
{
    g_main_loop_quit(user_data);
}

static int use_what_is_needed(void)
{
    pthread_t thread;
    int n = 0, pair[2], status = 0;
    char byte;
    FILE *file = fopen("/etc/passwd", "r");
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    PlatformClockTimer *timer = platform_clock_timer_new(NULL, quit, loop);
    void *secret = platform_secret_alloc(100);

    status |= !file || fclose(file) != 0;
    status |= (pthread_create(&thread, NULL, add_one, &n) || pthread_join(thread, NULL) || n != 1)
              << 1;
    status |= (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || write(pair[0], "x", 1) != 1 ||
               read(pair[1], &byte, 1) != 1)
              << 2;
    status |= (eventfd(0, EFD_CLOEXEC) < 0) << 3;
    if (timer) {
        platform_clock_timer_set(timer, platform_clock_now() + 1000000);
        g_main_loop_run(loop);
    }
    status |= !timer << 4;
    status |= !secret << 5;
    platform_secret_free(secret);
    g_thread_join(g_thread_new("glib", add_one, &n));
    status |= (n != 2) << 6;
    return status;
}

static int confined_needed(void)
{
    return confined(use_what_is_needed);
}

static void test_what_the_tunnel_needs_works(void **state)
{
    assert_int_equal(in_child(confined_needed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_is_no_way_back_from_another_identity),
        cmocka_unit_test(test_a_person_has_none_of_root_s_groups_but_root),
        cmocka_unit_test(test_only_the_capabilities_that_are_kept_remain),
        cmocka_unit_test(test_a_capability_that_is_missing_cannot_be_kept),
        cmocka_unit_test(test_e14_a_hardened_process_dumps_no_core),
        cmocka_unit_test(test_the_service_has_a_user_of_its_own),
        cmocka_unit_test(test_the_caller_is_who_called_sudo),
        cmocka_unit_test(test_exec_and_ptrace_kill_the_process),
        cmocka_unit_test(test_what_the_tunnel_never_needs_fails),
        cmocka_unit_test(test_a_process_of_the_user_s_reads_no_file),
        cmocka_unit_test(test_signals_go_to_threads_of_our_own),
        cmocka_unit_test(test_a_filter_holds_for_all_threads_once_it_is_closed),
        cmocka_unit_test(test_a_raw_socket_stays_one_for_esp),
        cmocka_unit_test(test_what_the_tunnel_needs_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
