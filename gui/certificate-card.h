/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate that a profile names, as it is seen while somebody chooses it: whose it is, who
 * issued it, until when it holds, and what is wrong with it; and where its key is locked, what
 * opens it. */
#pragma once

#include <gtk/gtk.h>

#include "gui/kept-secrets.h"

#define DIALTONE_TYPE_CERTIFICATE_CARD (dialtone_certificate_card_get_type())
G_DECLARE_FINAL_TYPE(DialtoneCertificateCard, dialtone_certificate_card, DIALTONE, CERTIFICATE_CARD,
                     GtkBox)

/* As the profile has them; "" where it has none. */
typedef struct DialtoneCertificateQuery {
    const char *source;
    const char *id;
    const char *key;
    const char *profile; /* what the keyring calls it */
} DialtoneCertificateQuery;

/* @kept, which outlives it, gets the passphrase where a person wants that remembered. */
GtkWidget *dialtone_certificate_card_new(DialtoneKeptSecrets *kept);
/* Looks again when something of it is another; is seen when there is something to see. */
void dialtone_certificate_card_show(DialtoneCertificateCard *self,
                                    const DialtoneCertificateQuery *query);
