/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: one a session, whose parts know one another only through it. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_APPLICATION (dialtone_application_get_type())
G_DECLARE_FINAL_TYPE(DialtoneApplication, dialtone_application, DIALTONE, APPLICATION,
                     GtkApplication)

DialtoneApplication *dialtone_application_new(void);
