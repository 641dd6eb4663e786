/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes that speak IKE say, in the language of whoever reads it. They speak English
 * only: one service has readers of several languages, its log and its JSON are for machines, and in
 * their sandbox there is no catalog to open. So it is the reader's program that translates. */
#pragma once

#include <glib.h>

/* @text as the catalog has it: as a whole, or as one of its formats filled in, else line by line
 * and sentence by sentence. What the catalog does not know stays as it is. NULL for NULL. */
char *dialtone_localize(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The same with the bytes of a catalog (.mo), which may be anything. */
char *dialtone_localize_by(const char *catalog, gsize n,
                           const char *text) G_GNUC_WARN_UNUSED_RESULT;
