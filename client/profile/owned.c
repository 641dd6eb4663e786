/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what only root may have written. Each folder on the way is opened below the one before
 * it and looked at as it was opened, so that nothing can be put in its place between two looks; a
 * link is refused even if root made it, for what it points at may change hands unseen.
 *
 * Write access by an ACL shows in the group's bits of the mode (the mask), so those bits are
 * enough.
 */
#include "client/profile/owned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/profile/file.h"

const DialtoneRoot dialtone_root_system = {.path = "", .owner = 0};

enum { WRITABLE_BY_OTHERS = 022 };

/* Always false, so that a check can return it. */
static bool refuse(char **whyp, char *why)
{
    *whyp = why;
    return false;
}

static bool check_owner(const struct stat *info, uid_t owner, char **whyp)
{
    if (info->st_uid == owner)
        return true;
    if (owner == 0)
        return refuse(whyp, g_strdup(_("it does not belong to root; run: chown root on it")));
    return refuse(whyp, g_strdup_printf(_("it does not belong to user %u"), (guint)owner));
}

static bool check_mode(const struct stat *info, mode_t forbidden, char **whyp)
{
    guint mode = info->st_mode & 07777;

    if ((mode & forbidden) == 0)
        return true;
    if ((mode & forbidden & WRITABLE_BY_OTHERS) != 0)
        return refuse(whyp, g_strdup_printf(_("others than its owner can write to it (mode %04o); "
                                              "run: chmod go-w on it"),
                                            mode));
    return refuse(whyp, g_strdup_printf(_("it has mode %04o; run: chmod %04o on it"), mode,
                                        mode & ~(guint)forbidden));
}

/* ---- folders ---- */

/* The folder @name of @above, which is closed. */
static int enter(int above, const char *name, bool lists, uid_t owner, char **whyp)
{
    struct stat info;
    /* Those on the way need no more than to be passed through. */
    int fd =
        openat(above, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | (lists ? O_RDONLY : O_PATH));
    int why = errno;

    close(above);
    if (fd < 0) {
        if (why == ENOTDIR || why == ELOOP)
            refuse(whyp, g_strdup_printf(_("%s is a link, or no folder"), name));
        else if (why != ENOENT)
            refuse(whyp, g_strdup(g_strerror(why)));
        return -1;
    }
    if (fstat(fd, &info) != 0)
        refuse(whyp, g_strdup(g_strerror(errno)));
    else if (check_owner(&info, owner, whyp) && check_mode(&info, WRITABLE_BY_OTHERS, whyp))
        return fd;
    close(fd);
    return -1;
}

static int open_folder(const DialtoneRoot *root, const char *path, bool lists, char **whyp)
{
    g_auto(GStrv) names = g_strsplit(path + 1, "/", -1);
    int fd = open(*root->path != '\0' ? root->path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    *whyp = NULL;
    if (fd < 0)
        refuse(whyp, g_strdup(g_strerror(errno)));
    for (gsize i = 0; fd >= 0 && names[i] != NULL; i++)
        fd = enter(fd, names[i], lists && names[i + 1] == NULL, root->owner, whyp);
    return fd;
}

int dialtone_owned_folder(const DialtoneRoot *root, const char *path, char **whyp)
{
    return open_folder(root, path, true, whyp);
}

int dialtone_owned_pass(const DialtoneRoot *root, const char *path, char **whyp)
{
    return open_folder(root, path, false, whyp);
}

/* ---- files ---- */

int dialtone_owned_open(int folder, const char *name, const DialtoneOwned *rule, char **whyp)
{
    struct stat info;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    *whyp = NULL;
    if (fd < 0) {
        if (errno == ELOOP)
            refuse(whyp, g_strdup(_("it is a link; put the file itself here")));
        else if (errno != ENOENT)
            refuse(whyp, g_strdup(g_strerror(errno)));
        return -1;
    }
    if (fstat(fd, &info) != 0)
        refuse(whyp, g_strdup(g_strerror(errno)));
    else if (dialtone_file_check(&info, rule->max, whyp) && check_owner(&info, rule->owner, whyp) &&
             check_mode(&info, rule->forbidden, whyp))
        return fd;
    close(fd);
    return -1;
}

char *dialtone_owned_read(int folder, const char *name, const DialtoneOwned *rule, gsize *np,
                          char **whyp)
{
    int fd = dialtone_owned_open(folder, name, rule, whyp);
    if (fd < 0)
        return NULL;
    char *bytes = dialtone_file_read_fd(fd, rule->max, np, whyp);
    close(fd);
    return bytes;
}
