/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that may hold a private key: read as a whole into secret memory, never larger than a
 * megabyte. Who may read the file is taken from the open file, not from its name, and judged later,
 * when it is known whether there is a key in it: a certificate may be anybody's to read.
 */
#include "client/credential/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/i18n.h"

enum { FILE_MAX = 1024 * 1024 };

void credential_file_clear(CredentialFile *file)
{
    if (file->bytes != NULL)
        file->memory->free(file->bytes);
    memset(file, 0, sizeof(*file));
}

static char *read_all(int fd, CredentialFile *file, gsize size)
{
    while (file->n < size) {
        ssize_t got = read(fd, file->bytes + file->n, size - file->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return g_strdup(g_strerror(errno));
        if (got == 0)
            return file->n > 0 ? NULL : g_strdup(_("the file is empty"));
        file->n += (gsize)got;
    }
    return NULL;
}

static char *read_open(int fd, CredentialFile *file)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return g_strdup(g_strerror(errno));
    if (S_ISDIR(info.st_mode))
        return g_strdup(_("it is a directory"));
    if (!S_ISREG(info.st_mode))
        return g_strdup(_("it is no regular file"));
    if (info.st_size > FILE_MAX)
        return g_strdup(_("it is larger than a megabyte"));
    file->owner = info.st_uid;
    file->group = info.st_gid;
    file->mode = info.st_mode & 07777;
    file->bytes = file->memory->alloc((gsize)info.st_size + 1);
    if (file->bytes == NULL)
        return g_strdup(_("there is no locked memory left for it"));
    return read_all(fd, file, (gsize)info.st_size);
}

static int open_any(const char *path, char **whyp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        *whyp = g_strdup(g_strerror(errno));
    return fd;
}

char *credential_file_read(CredentialFile *file, const char *path,
                           const DialtoneCredentialAccess *access)
{
    char *problem = NULL;
    *file = (CredentialFile){.memory = access->memory};
    int fd = access->system != NULL ? credential_place_open(access->system, path, &problem)
                                    : open_any(path, &problem);
    if (fd < 0)
        return problem;
    problem = read_open(fd, file);
    close(fd);
    if (problem == NULL && file->n == 0)
        problem = g_strdup(_("the file is empty"));
    if (problem != NULL)
        credential_file_clear(file);
    return problem;
}

bool credential_file_from_text(CredentialFile *file, const char *text,
                               const DialtoneSecretMemory *memory)
{
    gsize n = strlen(text);
    gint state = 0;
    guint save = 0;

    *file = (CredentialFile){.memory = memory, .mode = 0600, .bytes = memory->alloc(n + 4)};
    if (file->bytes == NULL)
        return false;
    if (strstr(text, "-----BEGIN ") != NULL) {
        memcpy(file->bytes, text, n);
        file->n = n;
    } else {
        file->n = g_base64_decode_step(text, n, file->bytes, &state, &save);
    }
    if (file->n > 0)
        return true;
    credential_file_clear(file);
    return false;
}

/* The rule of the secrets of the system: root:dialtone 0640, or stricter. */
static char *refuse_system_mode(const CredentialFile *file, const char *path, gid_t group)
{
    enum { FORBIDDEN = 0137, READ_BY_GROUP = 040 };

    if ((file->mode & FORBIDDEN) != 0)
        return g_strdup_printf(_("it holds a private key and has mode %04o; run: chmod 0640 %s"),
                               file->mode, path);
    if ((file->mode & READ_BY_GROUP) == 0 || file->group == 0 ||
        (group != (gid_t)-1 && file->group == group))
        return NULL;
    return g_strdup_printf(_("it holds a private key, and a group that is not dialtone can read "
                             "it; run: chgrp dialtone %s"),
                           path);
}

/* The rule of the secrets file, for a key is one. */
char *credential_file_refuse_mode(const CredentialFile *file, const char *path,
                                  const DialtoneCredentialAccess *access)
{
    if (access->system != NULL)
        return refuse_system_mode(file, path, access->group);
    if (file->owner != access->caller && file->owner != 0)
        return g_strdup(_("it holds a private key and belongs to another user"));
    if (file->mode == 0600 || file->mode == 0400)
        return NULL;
    return g_strdup_printf(_("it holds a private key and has mode %04o; run: chmod 600 %s"),
                           file->mode, path);
}
