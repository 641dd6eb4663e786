/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the translations are. Numbers and dates of machine-readable output never follow the
 * locale: LC_NUMERIC stays "C", so that a decimal comma can't enter JSON.
 */
#include "client/common/i18n.h"

#include <locale.h>

void dialtone_i18n_init(void)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    bindtextdomain(DIALTONE_TEXTDOMAIN, DIALTONE_LOCALE_DIR);
    bind_textdomain_codeset(DIALTONE_TEXTDOMAIN, "UTF-8");
}
