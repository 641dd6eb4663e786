/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question of the tunnel's, put to a person. */
#pragma once

#include <gtk/gtk.h>

#include "client/tunnel/frames.h"

#define DIALTONE_TYPE_PROMPT (dialtone_prompt_get_type())
G_DECLARE_FINAL_TYPE(DialtonePrompt, dialtone_prompt, DIALTONE, PROMPT, GtkDialog)

typedef struct DialtonePromptSetup {
    const DialtoneProfile *profile;
    const TunnelQuestion *question;
    const char *warning; /* of the gateway that asks; NULL */
    gboolean locked;     /* the keyring is */
} DialtonePromptSetup;

/* A dialog that answers GTK_RESPONSE_OK, or otherwise with no answer. */
GtkWidget *dialtone_prompt_new(const DialtonePromptSetup *setup);
/* False: something of it can't be an answer, and the dialog says what. */
gboolean dialtone_prompt_read(DialtonePrompt *self, TunnelAnswer *answer) G_GNUC_WARN_UNUSED_RESULT;
/* The text for the keyring, where the person wants that kept; NULL. Owned by @self. */
const char *dialtone_prompt_get_kept(DialtonePrompt *self, guint kind);
