/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-gtk: the desktop's end of Dialtone. It passes secrets on, so other programs of the same
 * user may not look into it.
 */
#include <libintl.h>

#include "client/common/i18n.h"
#include "gui/application.h"
#include "platform/sandbox.h"

int main(int argc, char **argv)
{
    dialtone_i18n_init();
    textdomain(DIALTONE_TEXTDOMAIN);
    gtk_disable_setlocale();
    if (platform_sandbox_harden() < 0)
        g_warning("this process can be traced");
    g_set_application_name(_("Dialtone"));
    g_autoptr(DialtoneApplication) application = dialtone_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
