/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that only the administrator can have written: no link is followed on the way to them, and
 * neither they nor a folder on the way belong to, or can be written by, anybody else. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Where the system's files stand. Tests have one of their own. */
typedef struct {
    const char *path; /* before /etc and /usr; "" in earnest */
    uid_t owner;      /* whose they must be; root in earnest */
} DialtoneRoot;

extern const DialtoneRoot dialtone_root_system;

/* What a file may be. */
typedef struct {
    uid_t owner;
    mode_t forbidden; /* bits of its mode that must not be set */
    gsize max;        /* bytes */
} DialtoneOwned;

/* Opens the folder @path ("/etc/dialtone/profiles"), to be closed by the caller. -1: it is not
 * there (@whyp stays NULL), or it can't be trusted or opened, and @whyp, which the caller frees,
 * says why. */
int dialtone_owned_folder(const DialtoneRoot *root, const char *path,
                          char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a folder that need not be listed, only passed through. */
int dialtone_owned_pass(const DialtoneRoot *root, const char *path,
                        char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the file @name of @folder; -1 likewise. Never blocks on a FIFO or a device. */
int dialtone_owned_open(int folder, const char *name, const DialtoneOwned *rule,
                        char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes of the file, and a NUL behind them; NULL likewise. The caller frees them. */
char *dialtone_owned_read(int folder, const char *name, const DialtoneOwned *rule, gsize *np,
                          char **whyp) G_GNUC_WARN_UNUSED_RESULT;
