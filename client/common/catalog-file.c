/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNU gettext's compiled catalog (its manual, "The Format of GNU MO Files"): a header, and two
 * tables of lengths and offsets, one of the messages and one of their translations. A plural stands
 * behind its singular, after a NUL; so do the forms of the translation.
 */
#include "client/common/catalog-file.h"

#include <string.h>

#define MAGIC 0x950412deU

enum { HEADER_BYTES = 20, ROW_BYTES = 8 };

static bool read_u32(const CatalogFile *file, gsize at, guint32 *valuep)
{
    if (file->n < sizeof(*valuep) || at > file->n - sizeof(*valuep))
        return false;
    memcpy(valuep, file->bytes + at, sizeof(*valuep));
    return true;
}

bool catalog_file_open(CatalogFile *filep, const char *bytes, gsize n)
{
    CatalogFile file = {.bytes = bytes, .n = n};
    guint32 magic = 0, revision = 0;
    if (n < HEADER_BYTES || !read_u32(&file, 0, &magic) || magic != MAGIC ||
        !read_u32(&file, 4, &revision) || revision >> 16 != 0 || !read_u32(&file, 8, &file.count) ||
        !read_u32(&file, 12, &file.texts) || !read_u32(&file, 16, &file.translations))
        return false;
    *filep = file;
    return true;
}

/* A string of the table at @table, which has a NUL behind it. */
static const char *get_string(const CatalogFile *file, guint32 table, guint i, gsize *np)
{
    const gsize row = (gsize)table + (gsize)i * ROW_BYTES;
    guint32 length = 0, offset = 0;
    if (!read_u32(file, row, &length) || !read_u32(file, row + 4, &offset) || offset >= file->n ||
        length >= file->n - offset || file->bytes[(gsize)offset + length] != '\0')
        return NULL;
    *np = length;
    return file->bytes + offset;
}

bool catalog_file_get(const CatalogFile *file, guint i, CatalogMessage *messagep)
{
    gsize n = 0, translation_n = 0;
    if (i >= file->count)
        return false;
    const char *text = get_string(file, file->texts, i, &n);
    const char *translation = get_string(file, file->translations, i, &translation_n);
    if (text == NULL || translation == NULL)
        return false;
    /* A context stands before its message, with an EOT between. */
    const char *context = strchr(text, '\004');
    gsize skip = context != NULL ? (gsize)(context + 1 - text) : 0;
    const gsize singular = strlen(text);
    *messagep = (CatalogMessage){
        .text = text + skip,
        .plural = text + MIN(singular + 1, n),
        .has_plural = singular < n,
        .translation = translation,
        .translation_n = translation_n,
    };
    return true;
}
