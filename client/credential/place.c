/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a profile of the system may have its files. The service reads them with rights that the
 * user who connects lacks, so it reads nothing else: below two folders, through no link, and only
 * what root alone can have written, on the whole way.
 */
#include "client/credential/private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"

enum { WRITABLE_BY_OTHERS = 022, FILE_MAX = 1024 * 1024 };

static const char *const PLACES[] = {"/etc/dialtone/", "/etc/ssl/"};

static char *refuse_place(const char *path)
{
    g_autofree char *canonical = g_canonicalize_filename(path, "/");
    bool is_there = false;

    if (strcmp(canonical, path) != 0)
        return g_strdup_printf(_("write it as %s"), canonical);
    for (gsize i = 0; i < G_N_ELEMENTS(PLACES); i++)
        is_there = is_there || g_str_has_prefix(path, PLACES[i]);
    if (is_there)
        return NULL;
    return g_strdup(_("the files of a profile of the system stand below /etc/dialtone or "
                      "/etc/ssl; put it there"));
}

/* What the system says of it is of no help to an administrator, who can read all. */
static void explain(int fd, char **whyp)
{
    if (fd < 0 && *whyp == NULL)
        *whyp = g_strdup(_("it is not there"));
    if (fd >= 0 || strcmp(*whyp, g_strerror(EACCES)) != 0)
        return;
    g_free(*whyp);
    *whyp = g_strdup(_("the service can't read it; a file of its own belongs to root and the "
                       "group dialtone, with mode 0640"));
}

int credential_place_open_folder(const DialtoneRoot *root, const char *path, char **whyp)
{
    *whyp = refuse_place(path);
    if (*whyp != NULL)
        return -1;
    int fd = dialtone_owned_folder(root, path, whyp);
    explain(fd, whyp);
    return fd;
}

int credential_place_open(const DialtoneRoot *root, const char *path, char **whyp)
{
    const DialtoneOwned rule = {
        .owner = root->owner, .forbidden = WRITABLE_BY_OTHERS, .max = FILE_MAX};

    *whyp = refuse_place(path);
    if (*whyp != NULL)
        return -1;
    g_autofree char *above = g_path_get_dirname(path), *name = g_path_get_basename(path);
    int folder = dialtone_owned_pass(root, above, whyp);
    int fd = folder >= 0 ? dialtone_owned_open(folder, name, &rule, whyp) : -1;
    if (folder >= 0)
        close(folder);
    explain(fd, whyp);
    return fd;
}
