/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases and PINs: from the secrets file, else from a person. What the file says is tried once
 * and not asked for again, for whoever wrote it is not there; what the keyring says is one more
 * try. A person may mistype a passphrase; a token's PIN is another matter (token.c), because tokens
 * count.
 */
#include "client/credential/opener.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

bool credential_passphrase_is_known(const DialtoneCredentialAccess *access)
{
    return access->passphrase != NULL && access->passphrase->bytes != NULL;
}

static char *copy_known(const DialtoneCredentialAccess *access)
{
    const DialtoneSecret *known = access->passphrase;
    char *text = access->memory->alloc(known->n + 1);

    if (text != NULL)
        memcpy(text, known->bytes, known->n);
    return text;
}

char *credential_passphrase(const DialtoneCredentialAccess *access,
                            const DialtoneKeyQuestion *question, GError **error)
{
    char *text = credential_passphrase_is_known(access)
                     ? copy_known(access)
                     : access->memory->alloc(DIALTONE_PASSPHRASE_MAX);

    if (text == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("There is no locked memory left for the passphrase."));
        return NULL;
    }
    if (credential_passphrase_is_known(access) ||
        (access->ask != NULL && access->ask(question, text, DIALTONE_PASSPHRASE_MAX, access->data)))
        return text;
    access->memory->free(text);
    const char *advice = access->system != NULL
                             ? _("Ask your administrator to put Passphrase= into the profile's "
                                 "file of /etc/dialtone/secrets.")
                             : _("Put Passphrase= under [Secrets] into a file of mode 0600 and "
                                 "name it with --secrets FILE (or - for standard input), or "
                                 "connect from a terminal.");
    dialtone_failure_set(error, DIALTONE_FAILURE_SECRET_MISSING, advice, "%s",
                         _("The private key is locked, and nobody gave what opens it."));
    return NULL;
}

static void refuse(const DialtoneCredentialAccess *access, GError **error)
{
    const char *advice = credential_passphrase_is_known(access)
                             ? _("Correct Passphrase= in the secrets file; all behind the `=` "
                                 "counts, blanks too.")
                             : _("Try again with the passphrase that came with the file.");

    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, advice, "%s",
                         _("The passphrase does not open the private key."));
}

char *credential_kept(const DialtoneCredentialAccess *access, const char *kind)
{
    bool asked = access->fetch != NULL && !credential_passphrase_is_known(access);
    char *text = asked ? access->memory->alloc(DIALTONE_PASSPHRASE_MAX) : NULL;

    if (text != NULL && access->fetch(kind, text, DIALTONE_PASSPHRASE_MAX, access->data))
        return text;
    access->memory->free(text);
    return NULL;
}

bool credential_keyring_is_locked(const DialtoneCredentialAccess *access)
{
    return access->fetch != NULL && access->is_locked != NULL && access->is_locked(access->data);
}

const char *credential_missing(const DialtoneCredentialAccess *access)
{
    return credential_keyring_is_locked(access)
               ? _("The keyring is locked, so the certificate in it can't be read.")
               : _("The keyring has no certificate of this profile.");
}

static CredentialOpening open_with_keyring(const DialtoneCredentialAccess *access,
                                           CredentialOpenFn open, gpointer what)
{
    char *text = credential_kept(access, "passphrase");
    CredentialOpening result = text != NULL ? open(what, text) : CREDENTIAL_LOCKED;

    access->memory->free(text);
    return result;
}

CredentialOpening credential_open(const DialtoneCredentialAccess *access, const char *name,
                                  CredentialOpenFn open, gpointer what, GError **error)
{
    g_autofree char *prompt = g_strdup_printf(_("Passphrase of %s: "), name);
    g_autofree char *hint = g_strdup_printf(_("The private key of %s is locked."), name);
    DialtoneKeyQuestion question = {.prompt = prompt, .hint = hint};
    CredentialOpening result = open(what, NULL);
    int attempts = credential_passphrase_is_known(access) ? 1 : CREDENTIAL_ATTEMPTS;

    if (result == CREDENTIAL_LOCKED)
        result = open_with_keyring(access, open, what);
    for (int i = 0; result == CREDENTIAL_LOCKED && i < attempts; i++) {
        char *passphrase = credential_passphrase(access, &question, error);
        if (passphrase == NULL)
            return CREDENTIAL_LOCKED;
        result = open(what, passphrase);
        access->memory->free(passphrase);
        question.again = true;
        question.hint = _("The passphrase does not open the private key.");
    }
    if (result == CREDENTIAL_LOCKED)
        refuse(access, error);
    return result;
}
