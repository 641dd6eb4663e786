/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process gives up, in this order: identity, capabilities, hardening, system calls. All but
   the last before the process has a second thread. Functions return 0 or a negative errno; after a
   failure the process must end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    /* systemd's range for DynamicUser=, which nothing else hands out */
    PLATFORM_SANDBOX_UID_FIRST = 61184,
    PLATFORM_SANDBOX_UID_LAST = 65519,
};

typedef struct PlatformIdentity {
    uid_t uid;
    gid_t gid;
    bool is_person; /* has the supplementary groups that the user database gives this uid */
} PlatformIdentity;

/* The user "dialtone" of /etc/passwd, or else a uid of the range above that neither /etc/passwd,
   /etc/group nor a process has. */
__attribute__((warn_unused_result)) int platform_sandbox_service_identity(PlatformIdentity *idp);
/* That user alone; -ENOENT where there is none. */
__attribute__((warn_unused_result)) int platform_sandbox_service_user(PlatformIdentity *idp);
/* Who called us: SUDO_UID and SUDO_GID if we are root, else the real ids. */
__attribute__((warn_unused_result)) int platform_sandbox_caller_identity(PlatformIdentity *idp);
/* All ids for good, and the supplementary groups. Checks that there is no way back. */
__attribute__((warn_unused_result)) int platform_sandbox_become(const PlatformIdentity *id);
/* Leaves these capabilities permitted and effective, none inheritable or ambient, and takes all
   others out of the bounding set if it may. n 0: none at all. */
__attribute__((warn_unused_result)) int platform_sandbox_keep_caps(const int *caps, size_t n);
/* Likewise, as far as they are there; at most 8. */
__attribute__((warn_unused_result)) int platform_sandbox_keep_held_caps(const int *caps, size_t n);
bool platform_sandbox_has_cap(int cap);
/* NoNewPrivs, not dumpable (nobody of the same uid can trace or read it), no core dump. */
__attribute__((warn_unused_result)) int platform_sandbox_harden(void);
/* The system calls of the tunnel process, in all of its threads: GLib main loop, GDBus over a
   socket that is open, threads, libcrypto, batches of datagrams, TUN, reading files. No exec, no
   socket() (socketpair of AF_UNIX only), no write to a path, no memory that is executable (so load
   the legacy provider and open nothing by dlopen() afterwards), no signal to another process.
   Others fail with EPERM; exec, ptrace and the like kill. The process also ends with the one that
   made it, which may lack the capability to end it. After the last fork(): for the process that
   calls. */
__attribute__((warn_unused_result)) int platform_sandbox_seccomp_tunnel(void);
/* Without a file that can be opened: for a process that has the rights of the user. */
__attribute__((warn_unused_result)) int platform_sandbox_seccomp_no_files(void);
/* For the service: what the tunnel may, and to watch folders and write files. It has its
   connection to the bus already, for it can make no socket. It does not end with the process that
   made it. */
__attribute__((warn_unused_result)) int platform_sandbox_seccomp_service(void);
/* For the helper of a tunnel: besides, files can be written, and sockets made of the kinds
   that it gives away or asks the kernel by. No program can be started. */
__attribute__((warn_unused_result)) int platform_sandbox_seccomp_helper(void);
/* For a process whose work is to start programs, and for them: everything but what looks
   into other processes, changes mounts, modules, clocks or namespaces, and the like. */
__attribute__((warn_unused_result)) int platform_sandbox_seccomp_starter(void);
