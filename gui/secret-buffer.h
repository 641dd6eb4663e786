/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is typed into an entry, in memory that is neither swapped nor dumped, and wiped. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_SECRET_BUFFER (dialtone_secret_buffer_get_type())
G_DECLARE_FINAL_TYPE(DialtoneSecretBuffer, dialtone_secret_buffer, DIALTONE, SECRET_BUFFER,
                     GtkEntryBuffer)

GtkEntryBuffer *dialtone_secret_buffer_new(void);
