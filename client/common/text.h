/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings that others made (gateways, files, the other process) made fit to be shown. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    DIALTONE_TEXT_LINE,  /* line ends become spaces */
    DIALTONE_TEXT_LINES, /* line feeds stay */
} DialtoneTextShape;

/* At most @max bytes of valid UTF-8 out of @n bytes: control characters (C0, DEL, C1), Unicode
 * line separators and bidirectional overrides are replaced or dropped, and so are bytes that are
 * no UTF-8. The caller frees it. */
char *dialtone_text_clean(const char *bytes, gsize n, gsize max,
                          DialtoneTextShape shape) G_GNUC_WARN_UNUSED_RESULT;

/* True when the string holds nothing that dialtone_text_clean() would replace. */
bool dialtone_text_is_clean(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* "it is a directory" as "It is a directory.": what is said of a file, or of a profile's line, on
 * its own. The caller frees it. */
char *dialtone_text_sentence(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The one of @words that @typed was most likely meant to be, or NULL when none is near. */
const char *dialtone_text_nearest(const char *typed,
                                  const char *const *words) G_GNUC_WARN_UNUSED_RESULT;
