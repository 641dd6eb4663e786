/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the translations are. Numbers never follow the locale, so that a decimal comma can't enter
 * JSON. Of the rest only what is used, for each category is files to open at every start; GTK wants
 * all, and asks for them by itself.
 */
#include "client/common/i18n.h"

#include <locale.h>

void dialtone_i18n_init(void)
{
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    textdomain(DIALTONE_TEXTDOMAIN);
    bindtextdomain(DIALTONE_TEXTDOMAIN, DIALTONE_LOCALE_DIR);
    bind_textdomain_codeset(DIALTONE_TEXTDOMAIN, "UTF-8");
}

void dialtone_i18n_init_untranslated(void)
{
    setlocale(LC_CTYPE, "");
}

void dialtone_i18n_stop(void)
{
    setlocale(LC_MESSAGES, "C");
}
