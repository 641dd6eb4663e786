/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back from an English sentence to the message that it was made of.
 *
 * "The gateway 192.0.2.1 does not answer." is found in the catalog as "The gateway %s does not
 * answer.": the text between the directives of a format is looked for from left to right, and what
 * lies between is what they were filled with. That goes into the translation in the order which
 * this has. Of several formats that fit the one with the most text of its own wins.
 *
 * What fills a directive is often a name, so it is translated only if it looks like a sentence.
 */
#include "client/common/localize.h"

#include <libintl.h>
#include <string.h>

#include "client/common/catalog-file.h"
#include "client/common/i18n.h"

/* Bytes of a line that is taken apart into sentences: a gateway's words may be long. */
enum { ARGUMENTS_MAX = 9, OWN_TEXT_MIN = 8, DEPTH_MAX = 4, SENTENCES_MAX = 4096 };

/* A directive of a format: where it stands, how long it is, and which argument fills it. */
typedef struct {
    gsize at, n;
    guint argument; /* from 0 */
    bool is_number;
} Directive;

typedef struct {
    const char *at;
    gsize n;
} Filling;

typedef struct {
    const CatalogFile *catalog;
    guint depth;
} Reader;

static char *localize(const Reader *reader, const char *text);

/* ---- formats ---- */

/* The next directive from *atp on; "%%" is text, in a translation: a message that has it is not
 * found. */
static bool next_directive(const char *format, gsize *atp, guint *countp, Directive *found)
{
    const char *percent = format + *atp;
    while ((percent = strchr(percent, '%')) != NULL && percent[1] == '%')
        percent += 2;
    if (percent == NULL)
        return false;
    gsize digits = strspn(percent + 1, "0123456789");
    bool named = digits == 1 && percent[2] == '$';
    gsize n = 1 + strspn(percent + 1, "0123456789$-+ #'.hlqjzt");
    if (percent[n] == '\0')
        return false;
    *found = (Directive){
        .at = (gsize)(percent - format),
        .n = n + 1,
        .argument = named ? (guint)(percent[1] - '1') : *countp,
        .is_number = percent[n] != 's',
    };
    *countp += 1;
    *atp = found->at + found->n;
    return found->argument < ARGUMENTS_MAX;
}

static bool is_number(const char *at, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (strchr("0123456789abcdefABCDEF.-", at[i]) == NULL)
            return false;
    return n > 0;
}

/* Where the @n bytes of @own are next; at the very end, when they end the format. */
static const char *find_own(const char *rest, const char *own, gsize n, bool is_last)
{
    gsize left = strlen(rest);
    if (left <= n)
        return NULL;
    if (is_last)
        return memcmp(rest + left - n, own, n) == 0 ? rest + left - n : NULL;
    if (n == 0)
        return NULL;
    g_autofree char *wanted = g_strndup(own, n);
    return strstr(rest + 1, wanted);
}

/* How many bytes of @text are the format's own; 0: it is not made of it. */
static gsize match(const char *format, const char *text, Filling *fillings)
{
    Directive this, next;
    gsize at = 0, own = 0;
    guint count = 0;
    if (!next_directive(format, &at, &count, &this) || strncmp(format, text, this.at) != 0)
        return 0;
    const char *rest = text + this.at;
    own = this.at;
    for (bool more = true; more; this = next) {
        gsize from = this.at + this.n;
        more = next_directive(format, &at, &count, &next);
        gsize n = (more ? next.at : strlen(format)) - from;
        const char *end = find_own(rest, format + from, n, !more);
        if (end == NULL || (this.is_number && !is_number(rest, (gsize)(end - rest))))
            return 0;
        fillings[this.argument] = (Filling){rest, (gsize)(end - rest)};
        rest = end + n;
        own += n;
    }
    return own;
}

static char *translate_filling(const Reader *reader, const Filling *filling)
{
    const Reader inner = {.catalog = reader->catalog, .depth = reader->depth + 1};
    g_autofree char *text = g_strndup(filling->at, filling->n);
    bool is_sentence = strchr(text, ' ') != NULL && inner.depth < DEPTH_MAX;
    return is_sentence ? localize(&inner, text) : g_steal_pointer(&text);
}

static void append_own(GString *out, const char *own, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_string_append_c(out, own[i]);
        if (own[i] == '%')
            i++;
    }
}

static char *fill(const Reader *reader, const char *format, const Filling *fillings)
{
    GString *out = g_string_new(NULL);
    Directive directive;
    gsize at = 0, from = 0;
    guint count = 0;
    while (next_directive(format, &at, &count, &directive)) {
        append_own(out, format + from, directive.at - from);
        from = at;
        const Filling *filling = &fillings[directive.argument];
        g_autofree char *text = filling->at != NULL ? translate_filling(reader, filling) : NULL;
        g_string_append(out, text != NULL ? text : "");
    }
    append_own(out, format + from, strlen(format + from));
    return g_string_free(out, FALSE);
}

/* ---- messages ---- */

/* The form for 1 is the first, that for many the last: our languages have one or two. */
static const char *form_of(const CatalogMessage *message, bool is_many)
{
    gsize n = is_many && message->has_plural ? strlen(message->translation) + 1 : 0;
    return n < message->translation_n ? message->translation + n : message->translation;
}

static char *find_whole(const Reader *reader, const char *text)
{
    CatalogMessage message, best = {0};
    Filling fillings[ARGUMENTS_MAX], kept[ARGUMENTS_MAX] = {0};
    gsize most = OWN_TEXT_MIN - 1;
    bool is_many = false;
    for (guint i = 0; catalog_file_get(reader->catalog, i, &message); i++) {
        if (strcmp(message.text, text) == 0)
            return g_strdup(form_of(&message, false));
        for (guint form = 0; form < (message.has_plural ? 2 : 1); form++) {
            memset(fillings, 0, sizeof(fillings));
            const char *format = form == 0 ? message.text : message.plural;
            gsize own = match(format, text, fillings);
            if (own <= most)
                continue;
            most = own;
            best = message;
            is_many = form == 1;
            memcpy(kept, fillings, sizeof(kept));
        }
    }
    return best.text != NULL ? fill(reader, form_of(&best, is_many), kept) : NULL;
}

/* Japanese and Chinese have no space between sentences. */
static char *join(const char *first, const char *second)
{
    bool wide = g_str_has_suffix(first, "。") || g_str_has_suffix(first, "：");
    return g_strconcat(first, wide ? "" : " ", second, NULL);
}

/* The longest beginning that is a message, and what follows it. */
static char *find_sentences(const Reader *reader, const char *text)
{
    for (gsize n = strlen(text); n-- > 1;) {
        if (text[n] != ' ' || strchr(".:", text[n - 1]) == NULL)
            continue;
        g_autofree char *beginning = g_strndup(text, n);
        g_autofree char *first = find_whole(reader, beginning);
        if (first == NULL)
            continue;
        g_autofree char *second = localize(reader, text + n + 1);
        return join(first, second);
    }
    return NULL;
}

/* "vpn.example.com: there is no such name", "office.dialtone:3: [Gateway] Address: ...": what it is
 * about, and a message; or "cannot set a route: Permission denied": a message, and an error's name.
 */
static char *find_beside_colon(const Reader *reader, const char *text)
{
    for (const char *at = strstr(text, ": "); at != NULL; at = strstr(at + 2, ": ")) {
        g_autofree char *before = g_strndup(text, (gsize)(at - text));
        g_autofree char *found = find_whole(reader, at + 2);
        if (found != NULL)
            return g_strconcat(before, ": ", found, NULL);
        found = find_whole(reader, before);
        if (found != NULL)
            return g_strconcat(found, at, NULL);
    }
    return NULL;
}

static char *localize_line(const Reader *reader, const char *line)
{
    if (*line == '\0')
        return g_strdup(line);
    char *found = find_whole(reader, line);
    bool is_short = strlen(line) <= SENTENCES_MAX;
    if (found == NULL && is_short)
        found = find_sentences(reader, line);
    if (found == NULL && is_short)
        found = find_beside_colon(reader, line);
    return found != NULL ? found : g_strdup(line);
}

static char *localize(const Reader *reader, const char *text)
{
    g_autofree char *whole = strchr(text, '\n') != NULL ? find_whole(reader, text) : NULL;
    if (whole != NULL)
        return g_steal_pointer(&whole);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = lines[i];
        lines[i] = localize_line(reader, line);
        g_free(line);
    }
    return g_strjoinv("\n", lines);
}

char *dialtone_localize_by(const char *catalog, gsize n, const char *text)
{
    CatalogFile file;
    const Reader reader = {.catalog = &file};
    if (text == NULL || *text == '\0' || !catalog_file_open(&file, catalog, n))
        return g_strdup(text);
    return localize(&reader, text);
}

/* The catalog says itself which language it is of, so its file is found without guessing which of
 * the user's languages has one. */
static char *catalog_path(void)
{
    const char *header = dgettext(DIALTONE_TEXTDOMAIN, "");
    const char *at = strstr(header, "\nLanguage: ");
    if (at == NULL)
        return NULL;
    at += strlen("\nLanguage: ");
    g_autofree char *language = g_strndup(at, strcspn(at, "\n"));
    return g_build_filename(bindtextdomain(DIALTONE_TEXTDOMAIN, NULL), language, "LC_MESSAGES",
                            DIALTONE_TEXTDOMAIN ".mo", NULL);
}

char *dialtone_localize(const char *text)
{
    g_autofree char *path = text != NULL ? catalog_path() : NULL;
    g_autoptr(GMappedFile) file = path != NULL ? g_mapped_file_new(path, FALSE, NULL) : NULL;
    if (file == NULL)
        return g_strdup(text);
    return dialtone_localize_by(g_mapped_file_get_contents(file), g_mapped_file_get_length(file),
                                text);
}
