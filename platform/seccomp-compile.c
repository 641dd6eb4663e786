// SPDX-License-Identifier: GPL-2.0-or-later
/* The system calls that each kind of process may make, as tables: the tunnel, the service (which
 * watches folders and keeps files beside that), a process of the user's that parses what the
 * network sends (no files), the helper of a tunnel, and one that starts programs.
 *
 * What is not listed fails with EPERM rather than kills: libraries try calls and fall back. What no
 * library of ours tries and an attacker would (exec, ptrace, another process's memory) kills the
 * process. clone3 fails with ENOSYS, so that the C library takes clone, whose flags can be seen.
 *
 * This program runs when the project is built, and writes the kernel's programs as a header for
 * sandbox-seccomp.c: to make one takes a millisecond, and every process of ours would make its own.
 * They are binary trees, for the kernel walks each of them for every call there is when it takes
 * it: that would be another half a millisecond.
 */
#include "platform/seccomp-kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A name that this architecture does not have resolves to a pseudo number, which libseccomp
   ignores on architectures that lack it. */
#define CALL(name) SCMP_SYS(name)

static const int plain[] = {
    /* bytes in and out of descriptors that are open */
    CALL(read),
    CALL(readv),
    CALL(pread64),
    CALL(preadv),
    CALL(write),
    CALL(writev),
    CALL(pwrite64),
    CALL(pwritev),
    CALL(close),
    CALL(close_range),
    CALL(lseek),
    CALL(fstat),
    CALL(fstat64),
    CALL(newfstatat),
    CALL(fstatat64),
    CALL(statx),
    CALL(stat),
    CALL(lstat),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getdents64),
    CALL(fcntl),
    CALL(fcntl64),
    CALL(dup),
    CALL(dup3),
    CALL(fsync),
    CALL(fdatasync),
    CALL(flock),
    /* sockets that are open */
    CALL(recvmsg),
    CALL(recvfrom),
    CALL(recv),
    CALL(recvmmsg),
    CALL(recvmmsg_time64),
    CALL(sendmsg),
    CALL(sendto),
    CALL(send),
    CALL(sendmmsg),
    CALL(getsockname),
    CALL(getpeername),
    CALL(getsockopt),
    CALL(shutdown),
    /* waiting */
    CALL(poll),
    CALL(ppoll),
    CALL(ppoll_time64),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(eventfd2),
    CALL(pipe2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(timerfd_settime64),
    CALL(timerfd_gettime),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(clock_nanosleep_time64),
    CALL(restart_syscall),
    /* time and random */
    CALL(clock_gettime),
    CALL(clock_gettime64),
    CALL(clock_getres),
    CALL(gettimeofday),
    CALL(time),
    CALL(getrandom),
    CALL(times),
    /* memory */
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(mlock),
    CALL(mlock2),
    CALL(munlock),
    CALL(membarrier),
    /* threads and signals */
    CALL(futex),
    CALL(futex_time64),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(rseq),
    CALL(set_tid_address),
    CALL(gettid),
    CALL(getpid),
    CALL(getppid),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(sched_setaffinity),
    CALL(sched_getparam),
    CALL(sched_getscheduler),
    CALL(sched_getattr),
    CALL(getcpu),
    CALL(arch_prctl),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigreturn),
    CALL(rt_sigtimedwait),
    CALL(sigaltstack),
    CALL(exit),
    CALL(exit_group),
    /* asking about ourselves */
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getgroups),
    CALL(getrusage),
    CALL(getrlimit),
    CALL(uname),
    CALL(sysinfo),
    CALL(getcwd),
    CALL(umask),
    CALL(capget),
};

/* The service watches the folders of profiles and secrets, and keeps what is wanted over a restart
 * in a folder of its own: what it may write is a matter of its user. GLib's pools of threads carry
 * their priority over to new threads. */
static const int serving[] = {
    CALL(inotify_init1),    CALL(inotify_add_watch),
    CALL(inotify_rm_watch), CALL(open),
    CALL(openat),           CALL(rename),
    CALL(unlink),           CALL(fchmod),
    CALL(sched_setattr),
};

/* The helper changes files (resolv.conf, slots, journals) and the network, makes the sockets that
 * it gives away, and ends its children. */
static const int helping[] = {
    CALL(open),       CALL(openat),     CALL(creat),
    CALL(unlink),     CALL(unlinkat),   CALL(rename),
    CALL(renameat),   CALL(renameat2),  CALL(link),
    CALL(linkat),     CALL(symlink),    CALL(symlinkat),
    CALL(mkdir),      CALL(mkdirat),    CALL(rmdir),
    CALL(chmod),      CALL(fchmod),     CALL(fchmodat),
    CALL(chown),      CALL(fchown),     CALL(fchownat),
    CALL(ftruncate),  CALL(utimensat),  CALL(statfs),
    CALL(fstatfs),    CALL(bind),       CALL(connect),
    CALL(setsockopt), CALL(kill),       CALL(wait4),
    CALL(waitid),     CALL(pidfd_open), CALL(pidfd_send_signal),
};

static const unsigned long helper_requests[] = {TUNSETIFF, SIOCGIFNAME, SIOCGIFINDEX};

/* What no program has to do that is started to change the network or its names. */
static const int never[] = {
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(bpf),
    CALL(userfaultfd),
    CALL(perf_event_open),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(chroot),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(fsmount),
    CALL(mount_setattr),
    CALL(setns),
    CALL(unshare),
    CALL(open_by_handle_at),
    CALL(mknod),
    CALL(mknodat),
    CALL(swapon),
    CALL(swapoff),
    CALL(reboot),
    CALL(acct),
    CALL(quotactl),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(adjtimex),
    CALL(clock_adjtime),
    CALL(iopl),
    CALL(ioperm),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(io_uring_setup),
};

static const int deadly[] = {
    CALL(execve),      CALL(execveat),
    CALL(ptrace),      CALL(process_vm_readv),
    CALL(kexec_load),  CALL(process_vm_writev),
    CALL(init_module), CALL(finit_module),
    CALL(bpf),         CALL(mount),
    CALL(pivot_root),  CALL(userfaultfd),
};

static const unsigned long tun_requests[] = {
    TUNSETOFFLOAD,  TUNSETVNETHDRSZ, TUNGETVNETHDRSZ, TUNGETIFF,
    TUNGETFEATURES, TUNSETVNETLE,    FIONREAD,        FIONBIO,
};

static const int prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS};

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof *(a))

static const char *const kind_names[KINDS] = {
    [KIND_TUNNEL] = "tunnel", [KIND_SERVICE] = "service", [KIND_NO_FILES] = "no_files",
    [KIND_HELPER] = "helper", [KIND_STARTER] = "starter",
};

/* One argument, masked, must have this value. */
static int allow_if(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask,
                    uint64_t value)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

static int add_calls(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = seccomp_rule_add(filter, action, calls[i], 0);
    return r;
}

static int add_plain(scmp_filter_ctx filter)
{
    int r = add_calls(filter, SCMP_ACT_ALLOW, plain, ARRAY_LENGTH(plain));

    if (r == 0)
        r = add_calls(filter, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LENGTH(deadly));
    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(tun_requests); i++)
        r = allow_if(filter, CALL(ioctl), 1, UINT32_MAX, tun_requests[i]);
    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(prctls); i++)
        r = allow_if(filter, CALL(prctl), 0, UINT32_MAX, (uint64_t)prctls[i]);
    return r;
}

static int add_memory(scmp_filter_ctx filter)
{
    int r = allow_if(filter, CALL(mmap), 2, PROT_EXEC, 0);

    if (r == 0)
        r = allow_if(filter, CALL(mmap2), 2, PROT_EXEC, 0);
    if (r == 0)
        r = allow_if(filter, CALL(mprotect), 2, PROT_EXEC, 0);
    return r;
}

static int add_reading_files(scmp_filter_ctx filter)
{
    const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
    int r = allow_if(filter, CALL(openat), 2, writing, O_RDONLY);

    if (r == 0)
        r = allow_if(filter, CALL(open), 1, writing, O_RDONLY);
    return r;
}

static int add_threads_and_pairs(scmp_filter_ctx filter)
{
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);

    if (r == 0)
        r = allow_if(filter, CALL(clone), 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
    if (r == 0)
        r = allow_if(filter, CALL(socketpair), 0, UINT32_MAX, AF_UNIX);
    /* A thread of ours may make way for the others. */
    if (r == 0)
        r = allow_if(filter, CALL(setpriority), 1, UINT32_MAX, 0);
    if (r == 0)
        r = allow_if(filter, CALL(sched_setscheduler), 1, UINT32_MAX, SCHED_BATCH);
    /* Limits may be asked, not set: sysconf() and thread stacks ask. */
    if (r == 0)
        r = allow_if(filter, CALL(prlimit64), 2, UINT64_MAX, 0);
    /* abort() and pthread_kill() go to a thread of ours; other processes may be the same user's. */
    if (r == 0)
        r = allow_if(filter, CALL(tgkill), 0, UINT32_MAX, PLATFORM_SECCOMP_PID);
    return r;
}

/* Whatever an option is, but the two by which a raw socket lets its owner write IP headers: ESP is
 * all that such a socket of ours is for. As two rules, for one may name each argument once. */
static int add_socket_options(scmp_filter_ctx filter)
{
    int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(setsockopt), 2,
                             SCMP_A1_32(SCMP_CMP_NE, IPPROTO_IP),
                             SCMP_A2_32(SCMP_CMP_NE, IPV6_HDRINCL));

    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(setsockopt), 2,
                             SCMP_A1_32(SCMP_CMP_LE, IPPROTO_UDP),
                             SCMP_A2_32(SCMP_CMP_NE, IP_HDRINCL));
    return r;
}

static int add_parser(scmp_filter_ctx filter, Kind kind)
{
    int r = add_plain(filter);

    if (r == 0)
        r = add_memory(filter);
    if (r == 0 && kind == KIND_TUNNEL)
        r = add_reading_files(filter);
    if (r == 0 && kind == KIND_SERVICE)
        r = add_calls(filter, SCMP_ACT_ALLOW, serving, ARRAY_LENGTH(serving));
    /* No signal, but the question whether a tunnel's process is there. */
    if (r == 0 && kind == KIND_SERVICE)
        r = allow_if(filter, CALL(kill), 1, UINT32_MAX, 0);
    if (r == 0)
        r = add_threads_and_pairs(filter);
    if (r == 0)
        r = add_socket_options(filter);
    return r;
}

/* Of netlink: routes and nftables. */
static int add_helper_sockets(scmp_filter_ctx filter)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    static const int protocols[] = {NETLINK_ROUTE, NETLINK_NETFILTER};
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(families); i++)
        r = allow_if(filter, CALL(socket), 0, UINT32_MAX, (uint64_t)families[i]);
    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(protocols); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 2,
                             SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                             SCMP_A2_32(SCMP_CMP_EQ, (uint32_t)protocols[i]));
    return r;
}

/* GIO loads what it finds among its modules, so code may be mapped, but none that can be written.
 */
static int add_helper(scmp_filter_ctx filter)
{
    int r = add_plain(filter);

    if (r == 0)
        r = add_memory(filter);
    if (r == 0)
        r = allow_if(filter, CALL(mmap), 2, PROT_WRITE, 0);
    if (r == 0)
        r = add_calls(filter, SCMP_ACT_ALLOW, helping, ARRAY_LENGTH(helping));
    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(helper_requests); i++)
        r = allow_if(filter, CALL(ioctl), 1, UINT32_MAX, helper_requests[i]);
    if (r == 0)
        r = add_threads_and_pairs(filter);
    if (r == 0)
        r = add_helper_sockets(filter);
    return r;
}

static int add_all(scmp_filter_ctx filter, Kind kind)
{
    if (kind == KIND_HELPER)
        return add_helper(filter);
    if (kind == KIND_STARTER)
        return add_calls(filter, SCMP_ACT_ERRNO(EPERM), never, ARRAY_LENGTH(never));
    return add_parser(filter, kind);
}

/* ---- the kernel's programs ---- */

static int optimize(scmp_filter_ctx filter)
{
    enum { BINARY_TREE = 2 };

    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
}

/* As bytes in a file without a name: libseccomp writes it in no other way. */
static int compile(Kind kind, int fd)
{
    scmp_filter_ctx filter =
        seccomp_init(kind == KIND_STARTER ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));

    if (!filter)
        return -ENOMEM;
    int r = optimize(filter);

    if (r == 0)
        r = add_all(filter, kind);
    if (r == 0)
        r = seccomp_export_bpf(filter, fd);
    seccomp_release(filter);
    return r;
}

static int write_program(Kind kind, FILE *compiled)
{
    struct sock_filter step;
    int r = compile(kind, fileno(compiled));

    if (r < 0)
        return r;
    rewind(compiled);
    printf("static const struct sock_filter %s_program[] = {\n", kind_names[kind]);
    while (fread(&step, sizeof step, 1, compiled) == 1)
        printf("    {0x%02x, %u, %u, 0x%08x},\n", step.code, step.jt, step.jf, step.k);
    printf("};\n");
    return ferror(compiled) ? -EIO : 0;
}

int main(void)
{
    printf("/* Written by platform/seccomp-compile.c. */\n#pragma once\n"
           "#include <linux/filter.h>\n");
    for (int kind = 0; kind < KINDS; kind++) {
        FILE *compiled = tmpfile();
        int r = compiled ? write_program((Kind)kind, compiled) : -errno;

        if (compiled)
            fclose(compiled);
        if (r < 0) {
            fprintf(stderr, "seccomp-compile: %s: %s\n", kind_names[kind], strerror(-r));
            return EXIT_FAILURE;
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
