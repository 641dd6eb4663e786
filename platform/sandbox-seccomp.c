// SPDX-License-Identifier: GPL-2.0-or-later
/* Hands one of the programs that seccomp-compile.c has made to the kernel, for all threads of this
 * process and for good. */
#include "platform/sandbox.h"
#include "platform/seccomp-kinds.h"
#include "platform/seccomp-programs.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof *(a))

typedef struct Program {
    const struct sock_filter *steps;
    size_t n;
} Program;

#define PROGRAM(steps)                                                                             \
    {                                                                                              \
        steps, ARRAY_LENGTH(steps)                                                                 \
    }

static const Program programs[KINDS] = {
    [KIND_TUNNEL] = PROGRAM(tunnel_program),     [KIND_SERVICE] = PROGRAM(service_program),
    [KIND_NO_FILES] = PROGRAM(no_files_program), [KIND_HELPER] = PROGRAM(helper_program),
    [KIND_STARTER] = PROGRAM(starter_program),
};

/* Signals may go to this very process, whose number nobody knew when the program was made. */
static void copy_for_us(const Program *program, struct sock_filter *steps)
{
    const uint32_t pid = (uint32_t)getpid();

    memcpy(steps, program->steps, program->n * sizeof *steps);
    for (size_t i = 0; i < program->n; i++)
        if (steps[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && steps[i].k == PLATFORM_SECCOMP_PID)
            steps[i].k = pid;
}

/* Not this thread only, but all that there are: the kernel names one that it could not reach. */
static int install(Kind kind)
{
    struct sock_filter steps[BPF_MAXINSNS];
    const struct sock_fprog ours = {.len = (unsigned short)programs[kind].n, .filter = steps};

    copy_for_us(&programs[kind], steps);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &ours);

    if (r > 0)
        return -ESRCH;
    return r < 0 ? -errno : 0;
}

static int install_with_parent(Kind kind)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : install(kind);
}

int platform_sandbox_seccomp_tunnel(void)
{
    return install_with_parent(KIND_TUNNEL);
}

int platform_sandbox_seccomp_no_files(void)
{
    return install_with_parent(KIND_NO_FILES);
}

int platform_sandbox_seccomp_service(void)
{
    return install(KIND_SERVICE);
}

int platform_sandbox_seccomp_helper(void)
{
    return install(KIND_HELPER);
}

int platform_sandbox_seccomp_starter(void)
{
    return install(KIND_STARTER);
}
