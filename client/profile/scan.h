/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a key file: groups, keys, values, with their line numbers. Knows no key by name. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { DIALTONE_LINE_BYTES_MAX = 8192 };

/* A cursor over lines of bytes. A byte order mark at the very start is skipped. */
typedef struct {
    const char *bytes;
    gsize n;
    gsize at;
    guint line; /* number of the line that was given last, from 1 */
} DialtoneLines;

void dialtone_lines_init(DialtoneLines *lines, const char *bytes, gsize n);

/* The next line without its LF; a CR before it is still there. False at the end. */
bool dialtone_lines_next(DialtoneLines *lines, const char **startp, gsize *np);

typedef struct {
    guint line;
    const char *group; /* of the scan's groups */
    char *key;
    char *value; /* trimmed; clean UTF-8; escapes are still in it */
} DialtoneScanEntry;

typedef struct {
    guint line;
    char *name;
} DialtoneScanGroup;

typedef struct {
    GPtrArray *groups;  /* of DialtoneScanGroup; each name once */
    GPtrArray *entries; /* of DialtoneScanEntry, in order, duplicates included */
    guint lines;        /* how many the file has, at least 1 */
} DialtoneScan;

/* What can't be read as a line of a key file goes to @issues, the rest to the scan. */
DialtoneScan *dialtone_scan(const char *bytes, gsize n, GPtrArray *issues);
void dialtone_scan_free(DialtoneScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneScan, dialtone_scan_free)

/* The line at which a group begins; 0 where it has none. */
guint dialtone_scan_group_line(const DialtoneScan *scan, const char *group);
