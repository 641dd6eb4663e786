/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-gtk: the desktop's end of Dialtone. It passes secrets on, so other programs of the same
 * user may not look into it.
 */
#include "client/common/i18n.h"
#include "gui/application.h"
#include "platform/sandbox.h"

#define GL "GDK_GL"

/* GDK would load Mesa, and with it a compiler, to know of visuals that nothing here draws with: 20
 * MB on a machine without a GPU. What this program starts shall not inherit that; and neither is
 * written when there is a second thread. */
static void parse_without_gl(int *argc, char ***argv)
{
    gboolean is_set = g_getenv(GL) != NULL;
    if (!is_set)
        g_setenv(GL, "disable", TRUE);
    if (!gtk_parse_args(argc, argv))
        g_warning("GTK does not start");
    if (!is_set)
        g_unsetenv(GL);
}

int main(int argc, char **argv)
{
    dialtone_i18n_init();
    if (platform_sandbox_harden() < 0)
        g_warning("this process can be traced");
    parse_without_gl(&argc, &argv);
    g_set_application_name(_("Dialtone"));
    g_autoptr(DialtoneApplication) application = dialtone_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
