/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of token.c where no module for smart cards is ever to be loaded: in the service. Cards
 * are in the user's hands, and so are their PINs; the user's agent speaks to them.
 */
#include "client/credential/private.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"

DialtoneToken *credential_token_open(const char *uri, const DialtoneCredentialAccess *access,
                                     bool login, GPtrArray *certificates, GError **error)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_SECRET_MISSING, NULL, "%s",
                         _("A smart card is read by the program of the user who has it."));
    return NULL;
}

char *credential_token_keypad(DialtoneToken *token)
{
    return NULL;
}

GBytes *credential_token_sign(DialtoneToken *token, const DialtoneDigest *digest, GError **error)
{
    return NULL;
}

void credential_token_free(DialtoneToken *token)
{
}
