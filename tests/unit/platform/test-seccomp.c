// SPDX-License-Identifier: GPL-2.0-or-later
/* What the service, the helper and a starter of programs can no longer call, and what they still
 * can. Each case runs in a child, whose exit status or signal tells.
 */
#include "kit.h"

#include "platform/netlink.h"
#include "platform/peer.h"
#include "platform/program.h"
#include "platform/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNCONFINED = 99 };

typedef int (*Confine)(void);
typedef int (*Act)(void);

static char *dir;

static int set_up(void **state)
{
    dir = kit_make_dir();
    return 0;
}

static int tear_down(void **state)
{
    kit_remove_dir(dir);
    return 0;
}

/* Exit status, or minus the signal. */
static int outcome(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int in(Confine confine, Act act)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(platform_sandbox_harden() < 0 || confine() < 0 ? UNCONFINED : act());
    return outcome(pid);
}

/* 0 if the call, whose result this is, was not permitted. */
static int denied(long result)
{
    return result < 0 && errno == EPERM ? 0 : 1;
}

/* ---- what nobody may ---- */

static int exec_something(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int trace_something(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 1;
}

static int mount_something(void)
{
    mount("none", "/proc", "tmpfs", 0, NULL);
    return 1;
}

static int be_nice(void)
{
    return setpriority(PRIO_PROCESS, 0, 1) != 0
               ? 1
               : denied(setpriority(PRIO_PROCESS, (id_t)getpid(), 2));
}

static void test_a_thread_makes_way_and_no_other(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_service, be_nice), 0);
    assert_int_equal(in(platform_sandbox_seccomp_helper, be_nice), 0);
}

static void test_exec_ptrace_and_mount_kill_service_and_helper(void **state)
{
    static const Confine kinds[] = {
        platform_sandbox_seccomp_service,
        platform_sandbox_seccomp_helper,
    };
    static const Act acts[] = {exec_something, trace_something, mount_something};

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (size_t a = 0; a < G_N_ELEMENTS(acts); a++)
            assert_int_equal(in(kinds[k], acts[a]), -SIGSYS);
    }
}

static int try_what_both_lack(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int pair[2], status = 0;

    status |= denied(fork()) << 0;
    status |= denied(mprotect(page, 4096, PROT_READ | PROT_EXEC)) << 1;
    status |= (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0) != MAP_FAILED)
              << 2;
    status |= denied(unshare(CLONE_NEWUSER)) << 3;
    status |= denied(setuid(0)) << 4;
    status |= denied(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) << 5;
    status |= denied(socketpair(AF_INET, SOCK_STREAM, 0, pair)) << 6;
    status |= denied(socket(AF_PACKET, SOCK_RAW, 0)) << 7;
    return status;
}

static void test_neither_makes_processes_code_or_namespaces(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_service, try_what_both_lack), 0);
    assert_int_equal(in(platform_sandbox_seccomp_helper, try_what_both_lack), 0);
}

/* ---- the service ---- */

static int try_as_service(void)
{
    g_autofree char *path = kit_path(dir, "file");
    struct sockaddr_in address = {.sin_family = AF_INET};
    int status = 0;

    status |= denied(socket(AF_UNIX, SOCK_STREAM, 0)) << 0;
    status |= denied(socket(AF_INET, SOCK_DGRAM, 0)) << 1;
    status |= denied(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)) << 2;
    status |= denied(connect(0, (struct sockaddr *)&address, sizeof address)) << 3;
    status |= denied(symlink("/etc/passwd", path)) << 4;
    status |= denied(link("/etc/passwd", path)) << 5;
    status |= denied(kill(getppid(), SIGCONT)) << 6;
    status |= denied(mkdir(path, 0700)) << 7;
    /* Whether a process is there may be asked. */
    status |= (kill(getppid(), 0) < 0) << 8;
    return status;
}

static void test_the_service_makes_no_socket_link_or_folder(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_service, try_as_service), 0);
}

/* A UDP socket that came over another socket, as the helper's do. */
static int receive_fd(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void send_fd(int to, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    assert_int_equal(sendmsg(to, &message, 0), 1);
}

static int handed_over;

static int use_a_socket(void)
{
    struct sockaddr_in self;
    socklen_t n = sizeof self;
    int fd = receive_fd(handed_over);
    char byte = 0;

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&self, &n) < 0)
        return 1;
    if (sendto(fd, "x", 1, 0, (struct sockaddr *)&self, n) != 1 || recv(fd, &byte, 1, 0) != 1)
        return 2;
    return byte == 'x' ? 0 : 3;
}

static void test_the_service_uses_the_sockets_that_it_is_given(void **state)
{
    const struct sockaddr_in loopback = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int pair[2], udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(bind(udp, (const struct sockaddr *)&loopback, sizeof loopback), 0);
    send_fd(pair[0], udp);
    close(udp);
    handed_over = pair[1];
    assert_int_equal(in(platform_sandbox_seccomp_service, use_a_socket), 0);
    close(pair[0]);
    close(pair[1]);
}

static int watch_a_folder(void)
{
    g_autofree char *text = NULL, *path = kit_path(dir, "kept");
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int wd = fd < 0 ? -1 : inotify_add_watch(fd, dir, IN_CREATE);

    if (wd < 0 || inotify_rm_watch(fd, wd) < 0)
        return 1;
    if (!g_file_set_contents_full(path, "x", 1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL) ||
        unlink(path) < 0)
        return 2;
    return g_file_get_contents("/etc/passwd", &text, NULL, NULL) ? 0 : 3;
}

static void test_the_service_keeps_files_and_watches_folders(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_service, watch_a_folder), 0);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer user_data)
{
    GDBusConnection **connectionp = user_data;

    *connectionp = platform_peer_open_finish(result, NULL);
    if (*connectionp)
        g_dbus_connection_start_message_processing(*connectionp);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

    *(int *)user_data = answer ? 0 : 2;
}

/* Both ends in one process: all of GDBus, its thread too. */
static int speak_dbus(void)
{
    GDBusConnection *ends[2] = {NULL, NULL};
    int pair[2], result = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return 1;
    platform_peer_open(pair[0], TRUE, on_opened, &ends[0]);
    platform_peer_open(pair[1], FALSE, on_opened, &ends[1]);
    while (!ends[0] || !ends[1])
        g_main_context_iteration(NULL, TRUE);
    g_dbus_connection_call(ends[1], NULL, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, 5000, NULL, on_answer, &result);
    while (result < 0)
        g_main_context_iteration(NULL, TRUE);
    return result;
}

static void test_service_and_helper_speak_dbus(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_service, speak_dbus), 0);
    assert_int_equal(in(platform_sandbox_seccomp_helper, speak_dbus), 0);
}

/* ---- the helper ---- */

static int try_as_helper(void)
{
    int status = 0;

    status |= denied(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT)) << 0;
    status |= denied(socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM)) << 1;
    status |= denied(socket(AF_VSOCK, SOCK_STREAM, 0)) << 2;
    status |= denied(chroot("/")) << 3;
    status |= denied(mknod("/nothing", 0, 0)) << 4;
    status |= denied(sethostname("x", 1)) << 5;
    return status;
}

static void test_the_helper_makes_no_socket_but_its_own_kinds(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_helper, try_as_helper), 0);
}

static int change_files(void)
{
    g_autofree char *path = kit_path(dir, "new"), *other = kit_path(dir, "other");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, 0644) < 0 || fsync(fd) < 0 || close(fd) < 0)
        return 1;
    if (rename(path, other) < 0 || symlink("other", path) < 0)
        return 2;
    return unlink(path) < 0 || unlink(other) < 0 ? 3 : 0;
}

static int ask_the_kernel(void)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};
    PlatformNetlink *netlink;
    char name[IF_NAMESIZE];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) < 0)
        return 1;
    if (platform_netlink_new(&netlink) < 0)
        return 2;
    int index = platform_netlink_ifindex(netlink, "lo");

    platform_netlink_free(netlink);
    if (index <= 0 || !if_indextoname((unsigned)index, name) || strcmp(name, "lo") != 0)
        return 3;
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    return fd < 0 && errno == EPERM ? 4 : 0;
}

static void test_the_helper_changes_files_and_asks_the_kernel(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_helper, change_files), 0);
    assert_int_equal(in(platform_sandbox_seccomp_helper, ask_the_kernel), 0);
}

static void on_child(GPid pid, gint status, gpointer user_data)
{
    g_main_loop_quit(user_data);
}

/* Standalone, tunnel and agent are its children, from before. */
static void test_the_helper_ends_its_children(void **state)
{
    pid_t helper = fork();

    if (helper == 0) {
        GMainLoop *loop = g_main_loop_new(NULL, FALSE);
        pid_t child = fork();

        if (child == 0) {
            pause();
            _exit(0);
        }
        if (platform_sandbox_harden() < 0 || platform_sandbox_seccomp_helper() < 0)
            _exit(UNCONFINED);
        g_child_watch_add(child, on_child, loop);
        if (kill(child, SIGKILL) < 0)
            _exit(1);
        g_main_loop_run(loop);
        _exit(0);
    }
    assert_int_equal(outcome(helper), 0);
}

/* ---- a starter of programs ---- */

static int start_shell(const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    char *const environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};
    const PlatformSpawn spawn = {
        .program = "/bin/sh",
        .argv = argv,
        .environment = environment,
        .fds = {-1, -1, -1},
        .n_fds = 3,
    };
    int status;
    pid_t pid;

    if (platform_spawn(&spawn, &pid) < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static int start_programs(void)
{
    int code = start_shell("exit 42");

    return code == 42 ? 0 : code + 1;
}

/* They inherit it. */
static int start_evil_programs(void)
{
    int changed = start_shell("unshare --user true 2>/dev/null") == 0;

    changed |= (start_shell("mount -t tmpfs none /proc 2>/dev/null") == 0) << 1;
    changed |= denied(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) << 2;
    changed |= denied(unshare(CLONE_NEWNS)) << 3;
    return changed;
}

static void test_a_starter_starts_programs_and_none_that_changes_the_machine(void **state)
{
    assert_int_equal(in(platform_sandbox_seccomp_starter, start_programs), 0);
    assert_int_equal(in(platform_sandbox_seccomp_starter, start_evil_programs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_makes_way_and_no_other),
        cmocka_unit_test(test_exec_ptrace_and_mount_kill_service_and_helper),
        cmocka_unit_test(test_neither_makes_processes_code_or_namespaces),
        cmocka_unit_test(test_the_service_makes_no_socket_link_or_folder),
        cmocka_unit_test(test_the_service_uses_the_sockets_that_it_is_given),
        cmocka_unit_test(test_the_service_keeps_files_and_watches_folders),
        cmocka_unit_test(test_service_and_helper_speak_dbus),
        cmocka_unit_test(test_the_helper_makes_no_socket_but_its_own_kinds),
        cmocka_unit_test(test_the_helper_changes_files_and_asks_the_kernel),
        cmocka_unit_test(test_the_helper_ends_its_children),
        cmocka_unit_test(test_a_starter_starts_programs_and_none_that_changes_the_machine),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
