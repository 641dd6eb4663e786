/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How gateways spell what a profile offers. The tables only translate names: which algorithm is
 * which stands in ike/algs.c alone. Junos' words are those of `set security ike proposal` and
 * `set security ipsec proposal`.
 */
#include "client/tunnel/spelling.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/parse.h"

typedef struct Word {
    const char *ours, *phase1, *phase2;
} Word;

static const Word CIPHERS[] = {
    {"des", "des-cbc", "des-cbc"},
    {"3des", "3des-cbc", "3des-cbc"},
    {"aes128", "aes-128-cbc", "aes-128-cbc"},
    {"aes192", "aes-192-cbc", "aes-192-cbc"},
    {"aes256", "aes-256-cbc", "aes-256-cbc"},
    {"aes128gcm16", NULL, "aes-128-gcm"},
    {"aes192gcm16", NULL, "aes-192-gcm"},
    {"aes256gcm16", NULL, "aes-256-gcm"},
    {NULL, NULL, NULL},
};

static const Word HASHES[] = {
    {"md5", "md5", "hmac-md5-96"},
    {"sha1", "sha1", "hmac-sha1-96"},
    {"sha256", "sha-256", "hmac-sha-256-128"},
    {"sha384", "sha-384", "hmac-sha-384"},
    {"sha512", "sha-512", "hmac-sha-512"},
    {NULL, NULL, NULL},
};

static const char *translate(const Word *words, const char *ours, TunnelPhase phase)
{
    for (; words->ours != NULL; words++)
        if (strcmp(words->ours, ours) == 0)
            return phase == TUNNEL_PHASE1 ? words->phase1 : words->phase2;
    return NULL;
}

/* Junos numbers groups as the protocol does. */
static bool junos_has_group(const IkeGroup *group)
{
    return strcmp(group->name, "curve25519") != 0;
}

/* NULL: Junos has no hybrid authentication. The curve of an ECDSA key is not the profile's to
 * know, so certificates are spelled as RSA's. */
static const char *junos_method(DialtoneAuth auth)
{
    switch (auth) {
    case DIALTONE_AUTH_PSK:
        return "pre-shared-keys";
    case DIALTONE_AUTH_CERTIFICATE:
        return "rsa-signatures";
    case DIALTONE_AUTH_HYBRID:
        break;
    }
    return NULL;
}

/* One proposal, for which `number` makes a name of its own. */
static char *junos_phase1(const DialtoneProfile *profile, const DialtoneProposal *proposal,
                          guint number)
{
    const char *cipher = translate(CIPHERS, proposal->cipher->name, TUNNEL_PHASE1);
    const char *hash = translate(HASHES, proposal->hash->name, TUNNEL_PHASE1);
    const char *method = junos_method(profile->auth);
    if (cipher == NULL || hash == NULL || method == NULL || !junos_has_group(proposal->group))
        return NULL;
    return g_strdup_printf("set security ike proposal dialtone-%u authentication-method %s "
                           "dh-group group%u authentication-algorithm %s "
                           "encryption-algorithm %s lifetime-seconds %" G_GUINT64_FORMAT,
                           number, method, proposal->group->number, hash, cipher,
                           profile->phase1_lifetime);
}

static char *junos_phase2(const DialtoneProfile *profile, const DialtoneProposal *proposal,
                          guint number)
{
    const char *cipher = translate(CIPHERS, proposal->cipher->name, TUNNEL_PHASE2);
    const char *hash =
        proposal->hash != NULL ? translate(HASHES, proposal->hash->name, TUNNEL_PHASE2) : NULL;
    if (cipher == NULL || (proposal->hash != NULL && hash == NULL) ||
        (proposal->group != NULL && !junos_has_group(proposal->group)))
        return NULL;
    return g_strdup_printf("set security ipsec proposal dialtone-%u protocol esp%s%s "
                           "encryption-algorithm %s lifetime-seconds %" G_GUINT64_FORMAT,
                           number, hash != NULL ? " authentication-algorithm " : "",
                           hash != NULL ? hash : "", cipher, profile->phase2_lifetime);
}

/* The policy names the proposals, and its mode is what dialup needs; PFS is a policy's too, so of
 * several groups the first is written. */
static void append_policy(GString *text, const char *names, TunnelPhase phase, const IkeGroup *pfs)
{
    if (phase == TUNNEL_PHASE1) {
        g_string_append_printf(text,
                               "\nset security ike policy POLICY mode aggressive"
                               "\nset security ike policy POLICY proposals [%s ]",
                               names);
        return;
    }
    g_string_append_printf(text, "\nset security ipsec policy POLICY proposals [%s ]", names);
    if (pfs != NULL)
        g_string_append_printf(text,
                               "\nset security ipsec policy POLICY perfect-forward-secrecy keys "
                               "group%u",
                               pfs->number);
}

char *tunnel_spelling_junos(const DialtoneProfile *profile, TunnelPhase phase)
{
    const GArray *proposals =
        phase == TUNNEL_PHASE1 ? profile->phase1_proposals : profile->phase2_proposals;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) names = g_string_new(NULL);
    const IkeGroup *pfs = NULL;
    for (guint i = 0; i < proposals->len; i++) {
        const DialtoneProposal *proposal = &g_array_index(proposals, DialtoneProposal, i);
        g_autofree char *line = phase == TUNNEL_PHASE1 ? junos_phase1(profile, proposal, i + 1)
                                                       : junos_phase2(profile, proposal, i + 1);
        if (line == NULL)
            continue;
        g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", line);
        g_string_append_printf(names, " dialtone-%u", i + 1);
        pfs = pfs != NULL ? pfs : proposal->group;
    }
    if (text->len == 0)
        return NULL;
    append_policy(text, names->str, phase, pfs);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *tunnel_spelling_strongswan(const GArray *proposals, TunnelPhase phase)
{
    GString *text = g_string_new(phase == TUNNEL_PHASE1 ? "proposals = " : "esp_proposals = ");
    for (guint i = 0; i < proposals->len; i++) {
        g_autofree char *one =
            dialtone_proposal_to_text(&g_array_index(proposals, DialtoneProposal, i));
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", one);
    }
    return g_string_free(text, FALSE);
}

static bool group_came_before(const GArray *proposals, guint at)
{
    const IkeGroup *group = g_array_index(proposals, DialtoneProposal, at).group;
    for (guint i = 0; i < at; i++)
        if (g_array_index(proposals, DialtoneProposal, i).group == group)
            return true;
    return false;
}

static void append_of_group(GString *text, const GArray *proposals, const IkeGroup *group)
{
    bool first = true;
    for (guint i = 0; i < proposals->len; i++) {
        const DialtoneProposal *proposal = &g_array_index(proposals, DialtoneProposal, i);
        if (proposal->group != group)
            continue;
        g_autofree char *one = dialtone_proposal_to_text(proposal);
        g_string_append_printf(text, "%s%s", first ? " " : ", ", one);
        first = false;
    }
}

char *tunnel_spelling_attempts(const GArray *proposals, TunnelPhase phase)
{
    GString *text = g_string_new(NULL);
    unsigned attempt = 0;
    for (guint i = 0; i < proposals->len; i++) {
        if (group_came_before(proposals, i))
            continue;
        if (text->len > 0)
            g_string_append_c(text, '\n');
        attempt++;
        g_string_append_printf(text,
                               phase == TUNNEL_PHASE1 ? _("Offered in attempt %u:")
                                                      : _("Offered in Quick Mode %u:"),
                               attempt);
        append_of_group(text, proposals, g_array_index(proposals, DialtoneProposal, i).group);
    }
    return g_string_free(text, FALSE);
}
