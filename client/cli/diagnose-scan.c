/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which proposals a gateway accepts. A message of aggressive mode has one Diffie-Hellman group and
 * any number of ciphers and hashes with it, so a question a group asks for sixteen proposals at
 * once, the usual ones first, and the answer names the one that the gateway chose.
 */
#include "client/cli/diagnose.h"

#include <string.h>

/* Not the strongest first but the commonest: a gateway that looks at the first few transforms only
 * should find its own among them. All strong ones come before md5 and des. */
static const char *const SUITES[] = {
    "aes256-sha256", "aes128-sha1",   "aes256-sha1",   "aes128-sha256",
    "3des-sha1",     "aes256-sha384", "aes256-sha512", "aes128-sha384",
    "aes128-sha512", "aes192-sha256", "aes192-sha1",   "aes192-sha384",
    "aes192-sha512", "3des-sha256",   "3des-md5",      "aes128-md5",
};
static const char *const WEAK_SUITES[] = {
    "aes256-md5", "aes192-md5", "des-md5", "des-sha1", "3des-sha384", "3des-sha512", "des-sha256",
};

typedef struct Sweep {
    const char *group;
    const char *const *suites;
    size_t n;
} Sweep;

#define ALL(list) list, G_N_ELEMENTS(list)

static const Sweep SWEEPS[] = {
    {"modp2048", ALL(SUITES)},      {"modp1024", ALL(SUITES)},     {"ecp256", ALL(SUITES)},
    {"modp1536", ALL(SUITES)},      {"modp3072", ALL(SUITES)},     {"modp4096", ALL(SUITES)},
    {"ecp384", ALL(SUITES)},        {"ecp521", ALL(SUITES)},       {"curve25519", ALL(SUITES)},
    {"modp1024", ALL(WEAK_SUITES)}, {"modp768", ALL(WEAK_SUITES)}, {"modp1536", ALL(WEAK_SUITES)},
};

G_STATIC_ASSERT(G_N_ELEMENTS(SUITES) <= IKE_PROBE_PROPOSALS_MAX);

static IkePhase1Proposal proposal_of(const char *suite, const IkeGroup *group)
{
    g_auto(GStrv) words = g_strsplit(suite, "-", 2);

    return (IkePhase1Proposal){ike_cipher_by_name(words[0]), ike_hash_by_name(words[1]), group};
}

static void set_sweep(DiagnoseProber *prober, DiagnoseAsk *ask, const Sweep *sweep)
{
    const IkeGroup *group = ike_group_by_name(sweep->group);

    for (size_t i = 0; i < sweep->n; i++)
        prober->proposals[i] = proposal_of(sweep->suites[i], group);
    ask->question.n = sweep->n;
    ask->question.size = 0;
}

bool diagnose_is_about_proposals(const DiagnoseReply *reply)
{
    switch (reply->answer.notify) {
    case IKE_NOTIFY_NO_PROPOSAL_CHOSEN:
    case IKE_NOTIFY_ATTRIBUTES_NOT_SUPPORTED:
    case IKE_NOTIFY_BAD_PROPOSAL_SYNTAX:
    case IKE_NOTIFY_INVALID_KEY_INFORMATION:
        return reply->answered && reply->answer.kind == IKE_PROBE_REFUSED;
    default:
        return false;
    }
}

bool diagnose_scan(DiagnoseProber *prober, DiagnoseAsk *ask, unsigned max, DiagnoseReply *reply)
{
    for (size_t i = 0; i < G_N_ELEMENTS(SWEEPS) && i < max; i++) {
        set_sweep(prober, ask, &SWEEPS[i]);
        if (!diagnose_ask(prober, ask, reply))
            return false;
        if (reply->answered && !diagnose_is_about_proposals(reply))
            return true;
    }
    return false;
}
