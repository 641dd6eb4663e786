/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a preshared key resists somebody who recorded one connection in aggressive mode. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What the guessing is taken to be worth, in bits: the guesses needed are 2 to this. Reads the key
 * and keeps nothing of it. */
guint dialtone_strength_bits(const guint8 *key, gsize n) G_GNUC_WARN_UNUSED_RESULT;

/* Found within a century. */
bool dialtone_strength_is_weak(guint bits) G_GNUC_WARN_UNUSED_RESULT;

/* "about 3 hours": until half of the guesses are made. The caller frees it. */
char *dialtone_strength_time(guint bits) G_GNUC_WARN_UNUSED_RESULT;

/* What is said of a weak key, NULL of a good one; never holds the key. The caller frees it. It goes
 * on behind a colon; the warning is the sentence that stands alone. */
char *dialtone_strength_remark(const guint8 *key, gsize n) G_GNUC_WARN_UNUSED_RESULT;
char *dialtone_strength_warning(const guint8 *key, gsize n) G_GNUC_WARN_UNUSED_RESULT;
