/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of a compiled catalog (.mo), one after the other: gettext looks one up and has no
 * way to list them. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *bytes;
    gsize n;
    guint32 count, texts, translations;
} CatalogFile;

/* All strings end with NUL and are the catalog's. */
typedef struct {
    const char *text;
    const char *plural; /* only with has_plural */
    bool has_plural;
    const char *translation; /* its forms, each with its NUL */
    gsize translation_n;
} CatalogMessage;

/* False for what is no catalog of this machine's byte order. @bytes outlive @filep. */
bool catalog_file_open(CatalogFile *filep, const char *bytes, gsize n) G_GNUC_WARN_UNUSED_RESULT;

/* The message number @i; false behind the last one, and from the first that is broken on. */
bool catalog_file_get(const CatalogFile *file, guint i,
                      CatalogMessage *messagep) G_GNUC_WARN_UNUSED_RESULT;
