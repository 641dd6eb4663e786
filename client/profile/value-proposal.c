/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proposals: words joined by `-`, one for each kind of algorithm, spelled as strongSwan spells
 * them. Which words there are is ike's table; here is what may stand together, and what a word of
 * another product was meant to be.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/parse.h"

enum { WORDS_MAX = 64, PARTS_MAX = 8 };

bool dialtone_proposal_is_weak(const DialtoneProposal *proposal)
{
    return proposal->cipher->weak || (proposal->hash != NULL && proposal->hash->weak) ||
           (proposal->group != NULL && proposal->group->weak);
}

char *dialtone_proposal_to_text(const DialtoneProposal *proposal)
{
    const char *hash = proposal->hash != NULL ? proposal->hash->name : NULL;
    const char *group = proposal->group != NULL ? proposal->group->name : NULL;

    return g_strconcat(proposal->cipher->name, hash != NULL ? "-" : "", hash != NULL ? hash : "",
                       group != NULL ? "-" : "", group, NULL);
}

/* "dh14", "group14" */
static const char *group_of_number(const char *word)
{
    static const char *const prefixes[] = {"dh", "group", "dhgroup"};

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        guint64 number = 0;
        if (!g_str_has_prefix(word, prefixes[i]) ||
            !g_ascii_string_to_unsigned(word + strlen(prefixes[i]), 10, 1, 255, &number, NULL))
            continue;
        const IkeGroup *group = ike_group_by_number((guint16)number);
        return group != NULL ? group->name : NULL;
    }
    return NULL;
}

static const char *nearest_word(const char *word)
{
    static const IkeAlgKind kinds[] = {IKE_ALG_CIPHER, IKE_ALG_HASH, IKE_ALG_GROUP};
    const char *words[WORDS_MAX + 1];
    guint n = 0;

    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (gsize i = 0; ike_alg_name(kinds[k], i) != NULL && n < WORDS_MAX; i++)
            words[n++] = ike_alg_name(kinds[k], i);
    words[n] = NULL;
    return dialtone_text_nearest(word, words);
}

/* What other products call the same thing. */
const char *dialtone_algorithm_meant(const char *word)
{
    static const struct {
        const char *theirs, *ours;
    } others[] = {
        {"aes", "aes128"},
        {"aes-cbc", "aes128"},
        {"aes256gcm", "aes256gcm16"},
        {"aes192gcm", "aes192gcm16"},
        {"aes128gcm", "aes128gcm16"},
        {"aes256gcm128", "aes256gcm16"},
        {"aes192gcm128", "aes192gcm16"},
        {"aes128gcm128", "aes128gcm16"},
        {"tripledes", "3des"},
        {"sha", "sha1"},
        {"sha2", "sha256"},
        {"sha2_256", "sha256"},
        {"sha2_384", "sha384"},
        {"sha2_512", "sha512"},
        {"x25519", "curve25519"},
        {"ecp256r1", "ecp256"},
        {"p256", "ecp256"},
        {"p384", "ecp384"},
        {"p521", "ecp521"},
    };
    g_autofree char *lower = g_ascii_strdown(word, -1);

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(lower, others[i].theirs) == 0)
            return others[i].ours;
    const char *group = group_of_number(lower);
    return group != NULL ? group : nearest_word(lower);
}

/* "aes-256-cbc" and "sha-256" were cut at their own hyphens. */
static bool is_followed_by_number(char *const *words)
{
    return words[1] != NULL && *words[1] != '\0' &&
           strspn(words[1], "0123456789") == strlen(words[1]);
}

static bool refuse_hyphen(DialtoneValue *value, const char *item, char *const *words)
{
    g_autofree char *theirs = g_strconcat(words[0], "-", words[1], NULL);
    g_autofree char *joined = g_strconcat(words[0], words[1], NULL);
    bool gcm = words[2] != NULL && g_ascii_strncasecmp(words[2], "gcm", 3) == 0;
    g_autofree char *whole = g_strconcat(joined, gcm ? "gcm" : "", NULL);
    const char *ours = dialtone_algorithm_meant(whole);

    return dialtone_value_error(value, _("'%s' in '%s' is unknown; write %s"), theirs, item,
                                ours != NULL ? ours : _(value->row->syntax));
}

static bool refuse_word(DialtoneValue *value, const char *item, const char *word)
{
    g_autofree char *quoted = dialtone_value_quote(word);
    g_autofree char *whole = dialtone_value_quote(item);
    const char *ours = dialtone_algorithm_meant(word);

    if (*word == '\0')
        return dialtone_value_error(value, _("%s has a `-` too many; write %s"), whole,
                                    _(value->row->syntax));
    if (g_str_has_prefix(word, "prf"))
        return dialtone_value_error(value,
                                    _("%s in %s: the prf of IKEv1 is that of the hash; leave it "
                                      "out"),
                                    quoted, whole);
    if (ours != NULL)
        return dialtone_value_error(value, _("%s in %s is unknown; write %s"), quoted, whole, ours);
    return dialtone_value_error(value, _("%s in %s is unknown; write %s"), quoted, whole,
                                _(value->row->syntax));
}

static bool refuse_second(DialtoneValue *value, const char *item, const char *word)
{
    return dialtone_value_error(value,
                                _("%s in %s is the second of its kind; write two proposals with "
                                  "a `;` between them"),
                                word, item);
}

static bool read_words(DialtoneValue *value, const char *item, DialtoneProposal *proposal)
{
    g_auto(GStrv) words = g_strsplit(item, "-", PARTS_MAX);

    for (gsize i = 0; words[i] != NULL; i++) {
        const IkeCipher *cipher = ike_cipher_by_name(words[i]);
        const IkeHash *hash = ike_hash_by_name(words[i]);
        const IkeGroup *group = ike_group_by_name(words[i]);
        if (cipher == NULL && hash == NULL && group == NULL)
            return is_followed_by_number(&words[i]) ? refuse_hyphen(value, item, &words[i])
                                                    : refuse_word(value, item, words[i]);
        if ((cipher != NULL && proposal->cipher != NULL) ||
            (hash != NULL && proposal->hash != NULL) || (group != NULL && proposal->group != NULL))
            return refuse_second(value, item, words[i]);
        proposal->cipher = cipher != NULL ? cipher : proposal->cipher;
        proposal->hash = hash != NULL ? hash : proposal->hash;
        proposal->group = group != NULL ? group : proposal->group;
    }
    if (proposal->cipher == NULL)
        return dialtone_value_error(value, _("%s has no encryption; write %s"), item,
                                    _(value->row->syntax));
    return true;
}

/* RFC 5282 gave AEADs to IKEv2 alone; the registry of IKEv1 Phase 1 ciphers has none. */
static bool check_phase1(DialtoneValue *value, const char *item, const DialtoneProposal *proposal)
{
    if (ike_cipher_is_aead(proposal->cipher)) {
        g_autofree char *cbc = g_strndup(proposal->cipher->name, strlen("aes256"));
        return dialtone_value_error(value,
                                    _("%s: AES-GCM exists in Phase 2 only, IKEv1 has none in "
                                      "Phase 1; write %s-sha256-modp2048"),
                                    item, cbc);
    }
    if (proposal->hash == NULL)
        return dialtone_value_error(value, _("%s has no hash; write %s-sha256-%s"), item,
                                    proposal->cipher->name,
                                    proposal->group != NULL ? proposal->group->name : "modp2048");
    if (proposal->group == NULL)
        return dialtone_value_error(value,
                                    _("%s has no Diffie-Hellman group, and Phase 1 needs one; "
                                      "write %s-%s-modp2048"),
                                    item, proposal->cipher->name, proposal->hash->name);
    return true;
}

static bool check_phase2(DialtoneValue *value, const char *item, const DialtoneProposal *proposal)
{
    const char *dash = proposal->group != NULL ? "-" : "";
    const char *group = proposal->group != NULL ? proposal->group->name : "";

    if (ike_cipher_is_aead(proposal->cipher) && proposal->hash != NULL)
        return dialtone_value_error(value, _("%s: AES-GCM brings its own integrity; write %s%s%s"),
                                    item, proposal->cipher->name, dash, group);
    if (!ike_cipher_is_aead(proposal->cipher) && proposal->hash == NULL)
        return dialtone_value_error(value, _("%s has no integrity; write %s-sha256%s%s"), item,
                                    proposal->cipher->name, dash, group);
    return true;
}

static void warn_word(DialtoneValue *value, const char *word, const char *item)
{
    dialtone_value_warn(value,
                        _("%s in %s is weak: use it only where the gateway knows nothing "
                          "better"),
                        word, item);
}

static void warn_weak(DialtoneValue *value, const char *item, const DialtoneProposal *proposal)
{
    if (proposal->cipher->weak)
        warn_word(value, proposal->cipher->name, item);
    if (proposal->hash != NULL && proposal->hash->weak)
        warn_word(value, proposal->hash->name, item);
    if (proposal->group != NULL && proposal->group->weak)
        warn_word(value, proposal->group->name, item);
    if (proposal->group != NULL && strcmp(proposal->group->name, "curve25519") == 0)
        dialtone_value_warn(value,
                            _("curve25519 in %s has no number of its own in IKEv1, and few "
                              "gateways know it by 31; ecp256 is understood by more"),
                            item);
}

typedef bool (*ProposalCheck)(DialtoneValue *, const char *, const DialtoneProposal *);

static bool contains(const GArray *proposals, const DialtoneProposal *proposal)
{
    for (guint i = 0; i < proposals->len; i++) {
        const DialtoneProposal *known = &g_array_index(proposals, DialtoneProposal, i);
        if (known->cipher == proposal->cipher && known->hash == proposal->hash &&
            known->group == proposal->group)
            return true;
    }
    return false;
}

static bool read_proposals(DialtoneValue *value, char *const *items, GArray *proposals,
                           ProposalCheck check)
{
    bool good = true;

    for (guint i = 0; items[i] != NULL; i++) {
        DialtoneProposal proposal = {0};
        if (!read_words(value, items[i], &proposal) || !check(value, items[i], &proposal)) {
            good = false;
            continue;
        }
        if (contains(proposals, &proposal)) {
            good = dialtone_value_error(value, _("%s stands twice; remove one"), items[i]);
            continue;
        }
        g_autofree char *normal = dialtone_proposal_to_text(&proposal);
        warn_weak(value, normal, &proposal);
        g_string_append_printf(value->normal, "%s%s", i > 0 ? ";" : "", normal);
        g_array_append_val(proposals, proposal);
    }
    return good;
}

static guint count_items(const char *text)
{
    guint n = 1;

    for (const char *p = text; *p != '\0'; p++)
        n += *p == ';' && p[1] != '\0';
    return n;
}

bool dialtone_value_phase1_proposals(DialtoneValue *value, const char *text)
{
    if (count_items(text) > DIALTONE_PHASE1_PROPOSALS_MAX)
        return dialtone_value_error(value,
                                    _("%u proposals; gateways read no more than four, so "
                                      "write the four that matter"),
                                    count_items(text));
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_PHASE1_PROPOSALS_MAX);

    return items != NULL &&
           read_proposals(value, items, value->profile->phase1_proposals, check_phase1);
}

bool dialtone_value_phase2_proposals(DialtoneValue *value, const char *text)
{
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_PHASE2_PROPOSALS_MAX);

    return items != NULL &&
           read_proposals(value, items, value->profile->phase2_proposals, check_phase2);
}
