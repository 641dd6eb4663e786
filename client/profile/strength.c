/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strength of a preshared key, estimated here and nowhere else: the key is never sent away.
 *
 * In aggressive mode HASH_R crosses the network in the clear (RFC 2409, 5.4), so whoever recorded
 * one connection, or answered one in the gateway's place, tries keys at home and without end. A
 * guess costs two computations of the prf, SKEYID = prf(PSK, Ni | Nr) and HASH_R, some eight
 * compressions of the hash. A graphics card of 2023 does about 2 * 10^10 of SHA-256, so 2.5 * 10^9
 * guesses a second; four hundred rented ones make the 10^12 that are assumed for every hash (MD5
 * is faster by a factor of five: two bits).
 */
#include "client/profile/strength.h"

#include <string.h>

#include "client/common/i18n.h"

/*
 * How many guesses: an attacker tries what people choose before what chance makes. The key is cut
 * into runs of letters, digits and others, and each run costs the least of what fits it:
 *
 *   a word of the first few hundred that everyone uses    8 bits
 *   letters that can be pronounced                       13 bits for each six (a list of 8,192)
 *   other letters                                       4.7 bits each, 5.7 in mixed case
 *   a year                                                7 bits
 *   digits                                              3.3 bits each
 *   others                                              5.0 bits each, none for a space alone
 *   one character again and again, or one after another   as one, and 3 bits for how many
 *   where one run ends and another begins               1.5 bits
 *
 * A key that repeats itself counts once. Bytes that are no text count eight bits each. The whole is
 * never taken for more than the characters could hold. Such a sum is too high for a quotation out
 * of a song and too low for some lists of random words; it is meant to tell the key that falls in a
 * day from one that does not, and errs by a few bits either way.
 *
 * All in hundredths of a bit, so that there are no fractions.
 */
enum {
    BIT = 100,
    COMMON_WORD = 8 * BIT,
    WORD = 13 * BIT,
    WORD_LETTERS = 6,
    LETTER = 470,       /* log2 26 */
    LETTER_MIXED = 570, /* log2 52 */
    DIGIT = 332,        /* log2 10 */
    YEAR = 7 * BIT,
    OTHER = 504,     /* log2 33 */
    CHARACTER = 657, /* log2 95 */
    CHANGE = 150,
    COUNT = 3 * BIT,
    WEAK_BITS = 72, /* 2^71 guesses are 75 years */
    BITS_MAX = 256, /* no prf of IKEv1 is worth more */
};

static const double GUESSES_PER_SECOND = 1e12;

static const char *const COMMON[] = {
    "abc",     "access",   "admin",  "battery",  "changeme", "cisco",     "company", "correct",
    "default", "dialup",   "dragon", "firewall", "fortinet", "gateway",   "hello",   "horse",
    "ike",     "internet", "ipsec",  "juniper",  "key",      "letmein",   "login",   "master",
    "monkey",  "network",  "office", "pass",     "password", "preshared", "psk",     "qwerty",
    "remote",  "root",     "router", "secret",   "secure",   "security",  "shared",  "staple",
    "summer",  "super",    "test",   "tunnel",   "user",     "vpn",       "welcome", "winter",
};

typedef enum { LETTERS, DIGITS, OTHERS } Kind;

static Kind kind_of(guint8 c)
{
    if (g_ascii_isalpha(c))
        return LETTERS;
    return g_ascii_isdigit(c) ? DIGITS : OTHERS;
}

/* What people write for letters in the middle of a word: p4ssw0rd. */
static char unleet(char c)
{
    static const char from[] = "01345$@!", to[] = "oleassai";
    const char *at = c != '\0' ? strchr(from, c) : NULL;

    return at != NULL ? to[at - from] : (char)g_ascii_tolower(c);
}

/* How long the common word at the beginning of the key is; 0: there is none. */
static gsize common_length(const guint8 *key, gsize n)
{
    gsize longest = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(COMMON); i++) {
        gsize length = strlen(COMMON[i]), same = 0;
        while (same < length && same < n && unleet((char)key[same]) == COMMON[i][same])
            same++;
        if (same == length && length > longest)
            longest = length;
    }
    return longest;
}

static bool is_vowel(guint8 c)
{
    return strchr("aeiouy", g_ascii_tolower((char)c)) != NULL;
}

/* Words have vowels all along; what chance makes of 26 letters soon has four consonants in a row.
 */
static bool can_be_pronounced(const guint8 *run, gsize n)
{
    guint consonants = 0, vowels = 0, most = 0;

    for (gsize i = 0; i < n; i++) {
        consonants = is_vowel(run[i]) ? 0 : consonants + 1;
        vowels += is_vowel(run[i]);
        most = MAX(most, consonants);
    }
    return most < 5 && vowels * 5 >= n;
}

/* Capitals elsewhere than at the start, and not throughout. */
static bool is_mixed(const guint8 *run, gsize n)
{
    guint upper = 0;

    for (gsize i = 1; i < n; i++)
        upper += g_ascii_isupper(run[i]) != 0;
    return upper > 0 && upper + 1 < n;
}

static guint cost_of_letters(const guint8 *run, gsize n)
{
    guint by_letters = (guint)n * (is_mixed(run, n) ? LETTER_MIXED : LETTER);
    guint words = (guint)(n + WORD_LETTERS - 1) / WORD_LETTERS;

    if (is_mixed(run, n) || !can_be_pronounced(run, n))
        return by_letters;
    return MIN(by_letters, words * WORD);
}

static guint cost_of_digits(const guint8 *run, gsize n)
{
    bool year = n == 4 && (memcmp(run, "19", 2) == 0 || memcmp(run, "20", 2) == 0);

    return year ? YEAR : (guint)n * DIGIT;
}

/* How many characters from the start go by the same step of 0, 1 or -1: aaaa, 1234, fedcba. */
static gsize series_length(const guint8 *key, gsize n)
{
    gsize length = 1;

    if (n < 2)
        return n;
    int step = key[1] - key[0];
    if (step < -1 || step > 1)
        return 1;
    while (length < n && key[length] - key[length - 1] == step)
        length++;
    return length;
}

static gsize run_length(const guint8 *key, gsize n)
{
    gsize length = 1;

    /* A run ends where a series or a common word begins. */
    while (length < n && kind_of(key[length]) == kind_of(key[0]) &&
           series_length(key + length, n - length) < 4 &&
           common_length(key + length, n - length) < 4)
        length++;
    return length;
}

static guint cost_of_run(const guint8 *run, gsize n)
{
    switch (kind_of(run[0])) {
    case LETTERS:
        return cost_of_letters(run, n);
    case DIGITS:
        return cost_of_digits(run, n);
    case OTHERS:
        break;
    }
    return n == 1 && strchr(" -_.", run[0]) != NULL ? 0 : (guint)n * OTHER;
}

static guint cost_of_text(const guint8 *key, gsize n)
{
    guint cost = 0;

    for (gsize at = 0; at < n;) {
        gsize series = series_length(key + at, n - at), common = common_length(key + at, n - at);
        gsize length = MAX(series, common);
        if (series >= 3 && series >= common) {
            cost += cost_of_run(key + at, 1) + COUNT;
        } else if (common > 0) {
            cost += COMMON_WORD;
        } else {
            length = run_length(key + at, n - at);
            cost += cost_of_run(key + at, length);
        }
        cost += at > 0 ? CHANGE : 0;
        at += length;
    }
    return MIN(cost, (guint)n * CHARACTER);
}

/* The length after which the key begins again; its own where it does not. */
static gsize period_of(const guint8 *key, gsize n)
{
    for (gsize period = 1; period <= n / 2; period++)
        if (memcmp(key, key + period, n - period) == 0)
            return period;
    return n;
}

static bool is_text(const guint8 *key, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (key[i] < 0x20 || key[i] > 0x7e)
            return false;
    return true;
}

/* In another script than ASCII's a letter has two or more bytes, which are no random ones. */
static guint cost_of_bytes(const guint8 *key, gsize n)
{
    if (g_utf8_validate((const char *)key, (gssize)n, NULL))
        return (guint)g_utf8_strlen((const char *)key, (gssize)n) * OTHER;
    return (guint)n * 8 * BIT;
}

guint dialtone_strength_bits(const guint8 *key, gsize n)
{
    gsize period = period_of(key, n);
    guint cost = is_text(key, period) ? cost_of_text(key, period) : cost_of_bytes(key, period);

    if (period < n)
        cost += COUNT;
    return MIN(cost / BIT, BITS_MAX);
}

bool dialtone_strength_is_weak(guint bits)
{
    return bits < WEAK_BITS;
}

char *dialtone_strength_time(guint bits)
{
    double seconds = 0.5 / GUESSES_PER_SECOND;

    for (guint i = 0; i < bits; i++)
        seconds *= 2;
    if (seconds < 1)
        return g_strdup(_("less than a second"));
    if (seconds < 2)
        return g_strdup(_("about a second"));
    if (seconds < 100)
        return g_strdup_printf(_("about %.0f seconds"), seconds);
    if (seconds < 100 * 60)
        return g_strdup_printf(_("about %.0f minutes"), seconds / 60);
    if (seconds < 72 * 3600)
        return g_strdup_printf(_("about %.0f hours"), seconds / 3600);
    if (seconds < 700.0 * 86400)
        return g_strdup_printf(_("about %.0f days"), seconds / 86400);
    if (seconds < 1e4 * 365.25 * 86400)
        return g_strdup_printf(_("about %.0f years"), seconds / (365.25 * 86400));
    return g_strdup(_("longer than anybody lives"));
}

char *dialtone_strength_remark(const guint8 *key, gsize n)
{
    guint bits = dialtone_strength_bits(key, n);

    if (!dialtone_strength_is_weak(bits))
        return NULL;
    g_autofree char *time = dialtone_strength_time(bits);
    return g_strdup_printf(_("the preshared key is weak: whoever recorded a connection in "
                             "aggressive mode finds it in %s (%u bits, at 10^12 guesses a "
                             "second). `dialtone secret generate` makes a good one, for the "
                             "gateway's administrator to set"),
                           time, bits);
}

char *dialtone_strength_warning(const guint8 *key, gsize n)
{
    g_autofree char *remark = dialtone_strength_remark(key, n);

    return remark != NULL ? g_strdup_printf(_("Warning: %s."), remark) : NULL;
}
