/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where profiles live and how a name, a UUID or a path becomes a file. The administrator's layer
 * wins over the vendor's; a user's profile can't take the place of either. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef enum {
    DIALTONE_LAYER_ADMINISTRATOR, /* /etc/dialtone/profiles */
    DIALTONE_LAYER_VENDOR,        /* /usr/lib/dialtone/profiles */
    DIALTONE_LAYER_USER,          /* $XDG_CONFIG_HOME/dialtone/profiles */
    DIALTONE_LAYER_N,
} DialtoneLayer;

const char *dialtone_layer_name(DialtoneLayer layer) G_GNUC_WARN_UNUSED_RESULT;

/* A NULL directory is no layer. */
typedef struct {
    char *directory[DIALTONE_LAYER_N];
} DialtoneStore;

/* The system's directories and those of @caller: under sudo the home of the user who called it. */
DialtoneStore *dialtone_store_new(uid_t caller) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_store_free(DialtoneStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneStore, dialtone_store_free)

typedef struct {
    char *path;
    char *name; /* Name, or the file's stem */
    char *uuid; /* NULL when it has none */
    DialtoneLayer layer;
    bool valid;  /* parses without errors */
    bool hidden; /* a profile of a layer above has its name or UUID */
} DialtoneStoreEntry;

/* Every *.dialtone of every layer, sorted by layer and name; an array of DialtoneStoreEntry. */
GPtrArray *dialtone_store_list(const DialtoneStore *store) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the profile in the file: its Name, if only that can be read, or the file's stem. The
 * caller frees it. */
char *dialtone_store_name(const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The path of what the user called @what: a path (has a `/` or ends in `.dialtone`), else a UUID,
 * a Name or a file's stem. NULL and PROFILE_INVALID, whose advice lists near names, otherwise. */
char *dialtone_store_find(const DialtoneStore *store, const char *what,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
