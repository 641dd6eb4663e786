/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificates on the computer's smart cards and tokens, one of which is chosen. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_TOKEN_CHOOSER (dialtone_token_chooser_get_type())
G_DECLARE_FINAL_TYPE(DialtoneTokenChooser, dialtone_token_chooser, DIALTONE, TOKEN_CHOOSER,
                     GtkDialog)

/* Answers GTK_RESPONSE_OK when one was chosen. */
GtkWidget *dialtone_token_chooser_new(GtkWindow *parent);
/* Its address, pkcs11:...; NULL. Owned by @self. */
const char *dialtone_token_chooser_get_uri(DialtoneTokenChooser *self);
