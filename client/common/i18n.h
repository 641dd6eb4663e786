/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation of what users read. Debug and log lines stay untranslated. */
#pragma once

#include <libintl.h>

#define DIALTONE_TEXTDOMAIN "dialtone"
#define _(text)             dgettext(DIALTONE_TEXTDOMAIN, text)
/* Marks a string of a const table, which is translated where it is shown. */
#define N_(text) text

/* To be called once, by main(), before the first _(). Starts no thread and uses no GIO. */
void dialtone_i18n_init(void);

/* The same for a program whose words another one translates, see localize.h: it speaks English. */
void dialtone_i18n_init_untranslated(void);

/* From here on this process speaks English: what it prints is for a program, or is translated by
 * whoever reads it. */
void dialtone_i18n_stop(void);
