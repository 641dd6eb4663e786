/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of a folder of profiles: what is in it, or what is wrong with it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/profile.h"

#define DIALTONE_PROFILE_SUFFIX ".dialtone"

typedef enum {
    DIALTONE_LAYER_ADMINISTRATOR, /* /etc/dialtone/profiles */
    DIALTONE_LAYER_VENDOR,        /* /usr/lib/dialtone/profiles */
    DIALTONE_LAYER_USER,          /* $XDG_CONFIG_HOME/dialtone/profiles */
    DIALTONE_LAYER_N,
} DialtoneLayer;

const char *dialtone_layer_name(DialtoneLayer layer) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *path;
    char *stem; /* of the file: "office" of office.dialtone */
    char *name; /* Name, or the file's stem */
    char *uuid; /* as written, in lower case; in a layer of the system else made from the stem, so
                 * that it is the same each time; NULL: a user's file has none */
    char *text; /* as it stands in the file; NULL where that can't be read */
    gsize text_n;
    DialtoneLayer layer;
    DialtoneProfile *profile; /* NULL: the file has mistakes, and can't be used */
    GPtrArray *issues;        /* of DialtoneIssue; warnings too */
    bool refused;             /* for what is around the file, and not in it alone */
    char *hidden;             /* why another one is used in its place; NULL: it can be used */
} DialtoneStoreEntry;

void dialtone_entry_free(DialtoneStoreEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneStoreEntry, dialtone_entry_free)

/* Takes @text, of @n bytes and a NUL. NULL: it can't be read, and @why says why. */
DialtoneStoreEntry *dialtone_entry_new(const char *path, DialtoneLayer layer, char *text_take,
                                       gsize n, const char *why) G_GNUC_WARN_UNUSED_RESULT;

/* Makes it one that can't be used, for this reason, at the line of the key. */
void dialtone_entry_refuse(DialtoneStoreEntry *entry, const char *group, const char *key,
                           const char *message);

/* By layer, name and path, for g_ptr_array_sort(). */
gint dialtone_entry_compare(gconstpointer a, gconstpointer b) G_GNUC_WARN_UNUSED_RESULT;

/* Whether both are to be the same thing to whoever lists them. */
bool dialtone_entry_equal(const DialtoneStoreEntry *a,
                          const DialtoneStoreEntry *b) G_GNUC_WARN_UNUSED_RESULT;

/* An array of DialtoneStoreEntry that owns them. */
GPtrArray *dialtone_entries_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* The names of the *.dialtone in an open folder, which stays open; sorted, of char *. */
GPtrArray *dialtone_entry_files(int folder) G_GNUC_WARN_UNUSED_RESULT;
