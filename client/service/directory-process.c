/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that asks the directory of users. Modules of the C library do that, which load
 * libraries, open sockets and wait as long as they please; the service's sandbox allows none of it.
 * So this process is made before the sandbox is closed, with no privilege either, and each question
 * has a process of its own, which an alarm ends when the directory does not answer.
 *
 * It believes nothing that it reads: who has taken over the service shall not get farther by it.
 */
#include "client/service/directory-process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/service/directory.h"
#include "platform/sandbox.h"

enum { ANSWER_SECONDS = 15, CHILDREN_MAX = 16, LISTS = 2 };

/* Names follow, each with its NUL; before them the groups, if the directory is not asked for them.
 */
typedef struct Header {
    guint32 uid, asks_groups, gids_n, names_n[LISTS];
} Header;

/* ---- the question ---- */

static void append_names(GByteArray *bytes, const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name) + 1);
    }
}

GBytes *directory_question(const DialtoneProfile *profile, const DialtoneSubject *subject)
{
    const gsize gids_n = MIN(subject->gids_n, (gsize)DIRECTORY_GIDS_MAX);
    const Header header = {.uid = subject->uid,
                           .asks_groups = subject->gids == NULL,
                           .gids_n = (guint32)gids_n,
                           .names_n = {profile->users->len, profile->groups->len}};
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)&header, sizeof(header));
    if (gids_n > 0)
        g_byte_array_append(bytes, (const guint8 *)subject->gids, (guint)(gids_n * sizeof(gid_t)));
    append_names(bytes, profile->users);
    append_names(bytes, profile->groups);
    return g_byte_array_free_to_bytes(bytes);
}

typedef struct Reader {
    const guint8 *at;
    gsize left;
} Reader;

static const void *take(Reader *reader, gsize n)
{
    const guint8 *at = reader->at;
    if (n > reader->left)
        return NULL;
    reader->at += n;
    reader->left -= n;
    return at;
}

static bool take_names(Reader *reader, guint32 n, GPtrArray *into)
{
    if (n > DIALTONE_ACCOUNTS_MAX)
        return false;
    for (guint32 i = 0; i < n; i++) {
        const char *name = (const char *)reader->at;
        const void *end = memchr(reader->at, '\0', reader->left);
        if (end == NULL)
            return false;
        (void)take(reader, (gsize)((const guint8 *)end - reader->at) + 1);
        g_ptr_array_add(into, (char *)(uintptr_t)name);
    }
    return true;
}

/* False for whatever is no question, too. */
static bool is_named(ServiceDirectoryAllow allow, Reader reader)
{
    Header header;
    g_autoptr(GPtrArray) users = g_ptr_array_new(), groups = g_ptr_array_new();
    g_autoptr(GArray) asked = NULL;
    const void *bytes = take(&reader, sizeof(header));
    if (bytes == NULL)
        return false;
    memcpy(&header, bytes, sizeof(header));
    const void *gids =
        header.gids_n <= DIRECTORY_GIDS_MAX ? take(&reader, header.gids_n * sizeof(gid_t)) : NULL;
    if (gids == NULL || !take_names(&reader, header.names_n[0], users) ||
        !take_names(&reader, header.names_n[1], groups) || reader.left > 0)
        return false;
    asked = header.asks_groups != 0 ? dialtone_access_groups(header.uid)
                                    : g_array_new(FALSE, FALSE, sizeof(gid_t));
    g_array_append_vals(asked, gids, header.gids_n);
    const DialtoneSubject subject = {
        .uid = header.uid, .gids = (const gid_t *)(const void *)asked->data, .gids_n = asked->len};
    return allow(users, groups, &subject);
}

/* ---- the processes ---- */

static void answer(int fd, ServiceDirectoryAllow allow, const guint8 *bytes, gsize n)
{
    Reader reader = {.at = bytes, .left = n};
    DirectoryAnswer answer = {0};
    const void *id = take(&reader, sizeof(answer.id));
    if (id == NULL)
        return;
    memcpy(&answer.id, id, sizeof(answer.id));
    (void)signal(SIGTERM, SIG_DFL);
    (void)alarm(ANSWER_SECONDS);
    answer.named = is_named(allow, reader) ? 1 : 0;
    (void)send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
}

/* Ends when the service has. Questions beyond so many wait where they are sent. */
static void serve(int fd, ServiceDirectoryAllow allow)
{
    guint8 *bytes = g_malloc(DIRECTORY_QUESTION_MAX);
    guint children = 0;
    for (;;) {
        while (children > 0 && waitpid(-1, NULL, children < CHILDREN_MAX ? WNOHANG : 0) > 0)
            children--;
        ssize_t n = recv(fd, bytes, DIRECTORY_QUESTION_MAX, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        pid_t pid = fork();
        if (pid == 0) {
            answer(fd, allow, bytes, (gsize)n);
            _exit(0);
        }
        children += pid > 0 ? 1 : 0;
    }
}

int service_directory_start(ServiceDirectoryAllow allow)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        (void)prctl(PR_SET_NAME, "dialtoned-names");
        (void)signal(SIGTERM, SIG_IGN); /* of the whole unit: it ends with the service */
        (void)signal(SIGINT, SIG_IGN);
        if (platform_sandbox_seccomp_starter() == 0)
            serve(ends[1], allow);
        _exit(0);
    }
    close(ends[1]);
    if (pid > 0)
        return ends[0];
    close(ends[0]);
    return -1;
}
