/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-certificate: reads certificates, keys and tokens for the window, which links neither
 * what they are parsed with nor the modules of smart cards. It runs as the user, is not dumpable,
 * and is ended by who started it. What it finds is printed as JSON, and nobody is asked; to sign,
 * it asks who started it.
 *
 *   dialtone-certificate show SOURCE ID KEY PROFILE   a passphrase by standard input, or nothing
 *   dialtone-certificate tokens
 *   dialtone-certificate sign [own] [authorities]     a socket as standard input: see signer.c
 *
 * SOURCE, ID and KEY are written as in [Identity]; PROFILE is what the keyring calls it. Each may
 * be empty. What the service has is not read for `sign`.
 */
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/cli/keyring.h"
#include "client/cli/signer.h"
#include "client/common/i18n.h"
#include "client/common/report.h"
#include "client/common/text.h"
#include "client/credential/credential.h"
#include "client/profile/draft.h"
#include "client/profile/schema.h"
#include "platform/sandbox.h"
#include "platform/secret-memory.h"

enum { EXIT_USAGE = 64 };

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static int print(JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    return puts(text) < 0;
}

static void add_text(JsonBuilder *json, const char *name, const char *text)
{
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, text);
}

/* ---- show ---- */

static void set(DialtoneDraft *draft, const char *key, const char *value)
{
    dialtone_draft_set(draft, dialtone_profile_key("Identity", key), value);
}

/* As much of a profile as says whose certificate is meant. */
static DialtoneDraft *draft_of(char **words, bool *has_idp)
{
    static const char text[] = "[Gateway]\nAddress=gateway\n"
                               "[Identity]\nID=keyid:nobody\nAuth=certificate\n";
    DialtoneDraft *draft = dialtone_draft_new(text, "profile", NULL);
    set(draft, "Certificate", words[0]);
    set(draft, "Key", words[2]);
    set(draft, "ID", words[1]);
    *has_idp = dialtone_draft_profile(draft) != NULL;
    if (!*has_idp)
        set(draft, "ID", "keyid:nobody");
    return draft;
}

typedef struct Keyring {
    const char *profile; /* empty: it has nothing of it */
    bool is_locked;
} Keyring;

static bool fetch(const char *kind, char *text, gsize size, gpointer data)
{
    Keyring *keyring = data;
    const PlatformKeyringName name = {.profile = keyring->profile, .kind = kind};
    PlatformKeyringResult result = *name.profile != '\0' ? cli_keyring_lookup(&name, -1, text, size)
                                                         : PLATFORM_KEYRING_NOTHING;
    keyring->is_locked = result == PLATFORM_KEYRING_LOCKED;
    return result == PLATFORM_KEYRING_DONE;
}

static bool is_locked(gpointer data)
{
    const Keyring *keyring = data;
    return keyring->is_locked;
}

/* False: it is too long to be one. */
static bool read_passphrase(DialtoneSecret *into)
{
    gssize got = 0;
    into->bytes = platform_secret_alloc(DIALTONE_PASSPHRASE_MAX);
    while (into->bytes != NULL && into->n < DIALTONE_PASSPHRASE_MAX - 1 &&
           (got = read(STDIN_FILENO, into->bytes + into->n,
                       DIALTONE_PASSPHRASE_MAX - 1 - into->n)) > 0)
        into->n += (gsize)got;
    bool whole = got == 0;
    if (into->n == 0 || !whole)
        into->bytes = platform_secret_free(into->bytes);
    return whole;
}

/* What is no reason not to use it, as sentences. */
static void add_warnings(JsonBuilder *json, const DialtoneCertificate *certificate, const char *id)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *begin = dialtone_certificate_date(certificate->not_before);
    g_autofree char *expiry = dialtone_certificate_warning(certificate, now);
    json_builder_set_member_name(json, "warnings");
    json_builder_begin_array(json);
    if (expiry != NULL) {
        g_autofree char *text = dialtone_text_sentence(expiry);
        json_builder_add_string_value(json, text);
    }
    if (now < certificate->not_before) {
        g_autofree char *text = g_strdup_printf(_("Your certificate (%s) does not hold before %s."),
                                                certificate->subject, begin);
        json_builder_add_string_value(json, text);
    }
    if (!certificate->names_id) {
        g_autofree char *text =
            g_strdup_printf(_("does not stand in your certificate (%s), where most gateways look "
                              "for it; write what stands in its subjectAltName"),
                            certificate->subject);
        g_autofree char *line = g_strdup_printf("%s: %s.", id, text);
        json_builder_add_string_value(json, line);
    }
    json_builder_end_array(json);
}

/* One word about when it holds; NULL: it does, and for long. */
static const char *mark_of(const DialtoneCertificate *certificate)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    if (now < certificate->not_before)
        return _("not valid yet");
    if (now > certificate->not_after)
        return _("ended");
    return certificate->not_after - now <= DIALTONE_EXPIRES_SOON ? _("ends soon") : NULL;
}

static void add_certificate(JsonBuilder *json, const DialtoneCertificate *certificate)
{
    g_autofree char *begin = dialtone_certificate_date(certificate->not_before);
    g_autofree char *end = dialtone_certificate_date(certificate->not_after);
    add_text(json, "subject", certificate->subject);
    add_text(json, "issuer", certificate->issuer);
    add_text(json, "key", certificate->key);
    add_text(json, "not_before", begin);
    add_text(json, "not_after", end);
    if (mark_of(certificate) != NULL)
        add_text(json, "mark", mark_of(certificate));
}

static int show(char **words)
{
    bool has_id = false;
    DialtoneSecret passphrase = {0};
    Keyring keyring = {.profile = words[3]};
    bool whole = read_passphrase(&passphrase);
    g_autoptr(DialtoneDraft) draft = draft_of(words, &has_id);
    const DialtoneProfile *profile = dialtone_draft_profile(draft);
    const DialtoneCredentialAccess access = {.file = "profile",
                                             .caller = getuid(),
                                             .memory = &MEMORY,
                                             .passphrase = &passphrase,
                                             .fetch = fetch,
                                             .is_locked = is_locked,
                                             .data = &keyring};
    g_auto(DialtoneInspection) found = {0};
    g_autoptr(JsonBuilder) json = json_builder_new();
    if (profile != NULL && whole)
        dialtone_credential_inspect(profile, &access, &found);
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "locked");
    json_builder_add_boolean_value(json, found.locked);
    if (found.certificate != NULL)
        add_certificate(json, found.certificate);
    if (found.certificate != NULL)
        add_warnings(json, found.certificate, words[1]);
    g_autofree char *problem = found.problem != NULL ? dialtone_text_sentence(found.problem) : NULL;
    if (problem != NULL)
        add_text(json, "problem", problem);
    json_builder_end_object(json);
    platform_secret_free(passphrase.bytes);
    return print(json);
}

/* ---- tokens ---- */

static int list_tokens(void)
{
    g_autoptr(GPtrArray) found = dialtone_token_certificates();
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_array(json);
    for (guint i = 0; i < found->len; i++) {
        const DialtoneTokenCertificate *certificate = found->pdata[i];
        json_builder_begin_object(json);
        add_text(json, "uri", certificate->uri);
        add_text(json, "token", certificate->token);
        add_text(json, "subject", certificate->subject);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    return print(json);
}

/* ---- sign ---- */

static bool has_word(char **words, const char *word)
{
    return g_strv_contains((const char *const *)words, word);
}

int main(int argc, char **argv)
{
    dialtone_i18n_init();
    if (platform_sandbox_harden() < 0)
        return EXIT_USAGE;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (argc == 6 && strcmp(argv[1], "show") == 0)
        return show(argv + 2);
    if (argc == 2 && strcmp(argv[1], "tokens") == 0)
        return list_tokens();
    if (argc >= 2 && strcmp(argv[1], "sign") == 0)
        return signer_run(STDIN_FILENO, has_word(argv + 2, "own"),
                          has_word(argv + 2, "authorities"));
    return EXIT_USAGE;
}
