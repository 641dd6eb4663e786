/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An agent's part in certificates: it reads them and their key as the user who called, hands on
 * what is public, and signs what the tunnel asks for as long as the connection lasts.
 */
#include "client/cli/standalone.h"

#include <string.h>

#include "client/cli/download.h"
#include "client/cli/keyring.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/folder.h"

enum { DOWNLOADS_MS = 6000 /* for all lists together; who connects waits for them */ };

/* What the functions below are called with. */
typedef struct Source {
    const StandaloneCredentialSetup *setup;
    gint64 deadline; /* of downloads */
    bool is_locked;  /* the keyring is */
} Source;

static bool ask(const DialtoneKeyQuestion *question, char *line, gsize size, gpointer data)
{
    const Source *source = data;
    return source->setup->ask(question, line, size, source->setup->data);
}

static bool fetch(const char *kind, char *text, gsize size, gpointer data)
{
    Source *source = data;
    const StandaloneCredentialSetup *setup = source->setup;
    const PlatformKeyringName name = {cli_keyring_profile(setup->profile), kind};
    if (setup->asks_for_kept && strcmp(kind, "certificate") != 0)
        return false;
    PlatformKeyringResult result = cli_keyring_lookup(&name, setup->tunnel_fd, text, size);
    if (result == PLATFORM_KEYRING_LOCKED && setup->unlocks_keyring &&
        cli_keyring_unlock(&name, setup->tunnel_fd) == PLATFORM_KEYRING_DONE)
        result = cli_keyring_lookup(&name, setup->tunnel_fd, text, size);
    source->is_locked = result == PLATFORM_KEYRING_LOCKED;
    return result == PLATFORM_KEYRING_DONE;
}

static bool is_locked(gpointer data)
{
    const Source *source = data;
    return source->is_locked;
}

/* Given once more, it would cost another of the few tries that a token allows. */
static void forget(const char *kind, gpointer data)
{
    const Source *source = data;
    const DialtoneProfile *profile = source->setup->profile;
    const PlatformKeyringName name = {cli_keyring_profile(profile), kind};
    g_autofree char *line =
        cli_keyring_forget_given(&name) == PLATFORM_KEYRING_DONE
            ? g_strdup(_("The PIN in the keyring is wrong, and was removed from there."))
            : g_strdup_printf(_("The PIN in the keyring is wrong, and could not be removed from "
                                "there; run `dialtone secret forget %s pin`."),
                              profile->name);
    source->setup->tell(line, source->setup->data);
}

/* The time begins with the first list: before it a person may have been asked for a passphrase. */
static char *download(const char *url, GBytes **listp, gpointer data)
{
    Source *source = data;
    if (source->deadline == 0)
        source->deadline = g_get_monotonic_time() + DOWNLOADS_MS * (gint64)1000;
    return cli_download(url, DIALTONE_CREDENTIAL_LIST_MAX, source->deadline,
                        source->setup->tunnel_fd, listp);
}

static void tell(const char *line, gpointer data)
{
    const Source *source = data;
    source->setup->tell(line, source->setup->data);
}

static int hand_over(const DialtoneCredential *credential, int tunnel_fd)
{
    g_autoptr(TunnelCredentials) sent = tunnel_credentials_new();
    const DialtoneCertificate *own = dialtone_credential_certificate(credential);
    tunnel_credentials_add(sent->chain, dialtone_credential_chain(credential));
    tunnel_credentials_add(sent->anchors, dialtone_credential_anchors(credential));
    tunnel_credentials_add(sent->crls, dialtone_credential_crls(credential));
    if (own != NULL) {
        sent->subject = g_strdup(own->subject);
        sent->not_after = own->not_after;
    }
    return tunnel_frame_send_credentials(tunnel_fd, sent);
}

static void tell_expiry(const StandaloneCredentialSetup *setup, const DialtoneCertificate *own)
{
    g_autofree char *warning =
        own != NULL ? dialtone_certificate_warning(own, g_get_real_time() / G_USEC_PER_SEC) : NULL;
    if (warning == NULL)
        return;
    g_autofree char *line = g_strdup_printf(_("warning: %s"), warning);
    setup->tell(line, setup->data);
}

bool standalone_credential_load(const StandaloneCredentialSetup *setup,
                                DialtoneCredential **credentialp, GError **error)
{
    if (setup->profile->auth == DIALTONE_AUTH_PSK ||
        (setup->without_own && setup->without_authorities))
        return true;
    g_autofree char *cache = dialtone_folder(setup->caller, "XDG_CACHE_HOME", ".cache", "revoked");
    Source source = {.setup = setup};
    const DialtoneCredentialAccess access = {.file = setup->path,
                                             .caller = setup->caller,
                                             .memory = setup->memory,
                                             .passphrase = setup->passphrase,
                                             .ask = ask,
                                             .fetch = fetch,
                                             .is_locked = is_locked,
                                             .forget = forget,
                                             .download = download,
                                             .tell = tell,
                                             .cache = cache,
                                             .without_own = setup->without_own,
                                             .without_authorities = setup->without_authorities,
                                             .data = &source};
    DialtoneCredential *credential = dialtone_credential_load(setup->profile, &access, error);
    if (credential == NULL)
        return false;
    *credentialp = credential;
    tell_expiry(setup, dialtone_credential_certificate(credential));
    int result = hand_over(credential, setup->tunnel_fd);
    if (result == 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                         _("The certificates could not be handed over: %s"), g_strerror(-result));
    return false;
}

static GBytes *sign(DialtoneCredential *credential, const TunnelSigning *signing, GError **error)
{
    DialtoneDigest digest = {.ecdsa = signing->ecdsa, .n = signing->n};
    if (credential == NULL)
        return NULL;
    memcpy(digest.bytes, signing->bytes, MIN(signing->n, sizeof(digest.bytes)));
    return dialtone_credential_sign(credential, &digest, error);
}

void standalone_credential_sign(DialtoneCredential *credential, int tunnel_fd,
                                const TunnelFrame *frame, GError **error)
{
    TunnelSigning signing;
    gsize n = 0;
    if (!tunnel_frame_read_signing(frame, &signing))
        return;
    g_autoptr(GBytes) signature = sign(credential, &signing, error);
    const guint8 *bytes = signature != NULL ? g_bytes_get_data(signature, &n) : NULL;
    if (tunnel_frame_send_signature(tunnel_fd, signing.id, bytes, n) < 0)
        g_debug("a signature found nobody to take it");
}
