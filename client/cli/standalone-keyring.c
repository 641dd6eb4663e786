/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user's keyring knows of a connection, before anybody is asked. A secret that the file of
 * --secrets gave is not looked for, nor one that the profile wants to be asked for; one that isn't
 * there is asked for on the terminal when it is needed.
 */
#include "client/cli/standalone.h"

#include <string.h>

#include "client/cli/keyring.h"
#include "client/common/i18n.h"
#include "platform/secret-memory.h"

static bool look_up(const DialtoneProfile *profile, const char *kind, int tunnel_fd,
                    IkeSecret *secret)
{
    const PlatformKeyringName name = {.profile = cli_keyring_profile(profile), .kind = kind};
    char *text = platform_secret_alloc(IKE_SECRET_MAX + 2);
    if (text == NULL)
        return false;
    PlatformKeyringResult result = cli_keyring_lookup(&name, tunnel_fd, text, IKE_SECRET_MAX + 2);
    if (result == PLATFORM_KEYRING_DONE && !tunnel_secret_set(secret, text, strlen(text)))
        result = PLATFORM_KEYRING_NOTHING;
    platform_secret_free(text);
    if (result == PLATFORM_KEYRING_LOCKED)
        standalone_print_notice(
            _("The keyring is locked, so its secrets are asked for; it opens when you sign in to "
              "the desktop, or with `secret-tool` or Seahorse."));
    return result == PLATFORM_KEYRING_DONE || result == PLATFORM_KEYRING_NOTHING;
}

void standalone_keyring_fill(const DialtoneProfile *profile, int tunnel_fd, TunnelSecrets *secrets)
{
    bool psk = profile->auth == DIALTONE_AUTH_PSK && !secrets->psk.known &&
               profile->psk_source == DIALTONE_SOURCE_KEYRING;
    bool password = profile->xauth != DIALTONE_XAUTH_NO && !secrets->password.known &&
                    profile->password_source == DIALTONE_SOURCE_KEYRING &&
                    (profile->user != NULL || secrets->user.known);
    /* A keyring that can't be reached once is not tried again. */
    bool open = !psk || look_up(profile, "psk", tunnel_fd, &secrets->psk);
    if (psk && secrets->psk.known && !standalone_interpret_psk(&secrets->psk))
        tunnel_secret_wipe(&secrets->psk);
    if (open && password)
        (void)look_up(profile, "password", tunnel_fd, &secrets->password);
}
