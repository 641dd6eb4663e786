/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a folder of profiles. One that does not parse is kept too, by what can be read of
 * it: whoever asks for it should get its mistakes and not "no such profile", and it never takes
 * the others along.
 */
#include "client/profile/entry.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/scan.h"
#include "client/profile/schema.h"

/* A folder with more is none of ours. */
enum { FILES_MAX = 1000, NAME_BYTES_MAX = 128 };

const char *dialtone_layer_name(DialtoneLayer layer)
{
    static const char *const names[DIALTONE_LAYER_N] = {"administrator", "vendor", "user"};

    return layer < DIALTONE_LAYER_N ? names[layer] : "";
}

void dialtone_entry_free(DialtoneStoreEntry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->path);
    g_free(entry->stem);
    g_free(entry->name);
    g_free(entry->uuid);
    g_free(entry->text);
    dialtone_profile_free(entry->profile);
    g_ptr_array_unref(entry->issues);
    g_free(entry->hidden);
    g_free(entry);
}

GPtrArray *dialtone_entries_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)dialtone_entry_free);
}

/* ---- one file ---- */

static char *stem_of(const char *path)
{
    char *stem = g_path_get_basename(path);

    if (g_str_has_suffix(stem, DIALTONE_PROFILE_SUFFIX))
        stem[strlen(stem) - strlen(DIALTONE_PROFILE_SUFFIX)] = '\0';
    return stem;
}

/* RFC 9562, 5.5: version 5, of a namespace of our own and the file's stem. */
static char *uuid_of_stem(const char *stem)
{
    static const guint8 namespace[16] = {0x0e, 0x4b, 0x8d, 0x5a, 0x71, 0x2c, 0x4f, 0x39,
                                         0x9a, 0x66, 0xd0, 0x1f, 0x3b, 0x58, 0xc7, 0xe2};
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 d[20];
    gsize n = sizeof(d);

    g_checksum_update(checksum, namespace, sizeof(namespace));
    g_checksum_update(checksum, (const guchar *)stem, (gssize)strlen(stem));
    g_checksum_get_digest(checksum, d, &n);
    d[6] = (guint8)((d[6] & 0x0f) | 0x50);
    d[8] = (guint8)((d[8] & 0x3f) | 0x80);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
                           d[12], d[13], d[14], d[15]);
}

/* What can be known of a file with mistakes. */
static void peek(DialtoneStoreEntry *entry)
{
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(DialtoneScan) scan = dialtone_scan(entry->text, entry->text_n, issues);

    for (guint i = 0; i < scan->entries->len; i++) {
        const DialtoneScanEntry *line = scan->entries->pdata[i];
        if (strcmp(line->group, "Profile") != 0 || *line->value == '\0')
            continue;
        if (strcmp(line->key, "Name") == 0 && entry->name == NULL)
            entry->name = g_strdup(line->value);
        if (strcmp(line->key, "UUID") == 0 && g_uuid_string_is_valid(line->value) &&
            entry->uuid == NULL)
            entry->uuid = g_ascii_strdown(line->value, -1);
    }
}

static void take_text(DialtoneStoreEntry *entry)
{
    g_ptr_array_unref(entry->issues);
    entry->profile =
        dialtone_profile_parse(entry->text, entry->text_n, entry->path, &entry->issues);
    if (entry->profile == NULL) {
        peek(entry);
        return;
    }
    entry->name = g_strdup(entry->profile->name);
    entry->uuid = g_strdup(entry->profile->uuid);
}

DialtoneStoreEntry *dialtone_entry_new(const char *path, DialtoneLayer layer, char *text_take,
                                       gsize n, const char *why)
{
    DialtoneStoreEntry *entry = g_new0(DialtoneStoreEntry, 1);
    const DialtoneIssue whole = {0};

    entry->path = g_strdup(path);
    entry->stem = stem_of(path);
    entry->layer = layer;
    entry->text = text_take;
    entry->text_n = n;
    entry->issues = dialtone_issues_new();
    if (entry->text != NULL)
        take_text(entry);
    else
        dialtone_issues_add(entry->issues, &whole, "%s", why);
    if (entry->name == NULL)
        entry->name = dialtone_text_clean(entry->stem, strlen(entry->stem), NAME_BYTES_MAX,
                                          DIALTONE_TEXT_LINE);
    if (entry->uuid == NULL && layer != DIALTONE_LAYER_USER)
        entry->uuid = uuid_of_stem(entry->stem);
    return entry;
}

void dialtone_entry_refuse(DialtoneStoreEntry *entry, const char *group, const char *key,
                           const char *message)
{
    const DialtoneProfileKey *row = dialtone_profile_key(group, key);
    DialtoneIssue where = {.group = (char *)group, .key = (char *)key};

    if (entry->profile != NULL && row != NULL)
        where.line = entry->profile->lines[row - dialtone_profile_keys];
    dialtone_issues_add(entry->issues, &where, "%s", message);
    dialtone_issues_sort(entry->issues);
    g_clear_pointer(&entry->profile, dialtone_profile_free);
    entry->refused = true;
}

/* ---- several ---- */

gint dialtone_entry_compare(gconstpointer a, gconstpointer b)
{
    const DialtoneStoreEntry *x = *(DialtoneStoreEntry *const *)a;
    const DialtoneStoreEntry *y = *(DialtoneStoreEntry *const *)b;

    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    gint names = strcmp(x->name, y->name);
    return names != 0 ? names : strcmp(x->path, y->path);
}

static bool same_text(const DialtoneStoreEntry *a, const DialtoneStoreEntry *b)
{
    if (a->text == NULL || b->text == NULL)
        return a->text == b->text;
    return a->text_n == b->text_n && memcmp(a->text, b->text, a->text_n) == 0;
}

/* The same text may have other mistakes by now: its UUID is another file's, too. */
bool dialtone_entry_equal(const DialtoneStoreEntry *a, const DialtoneStoreEntry *b)
{
    g_autofree char *mistakes = dialtone_issues_text(a->issues, a->path);
    g_autofree char *others = dialtone_issues_text(b->issues, b->path);

    return a->layer == b->layer && strcmp(a->path, b->path) == 0 && same_text(a, b) &&
           strcmp(mistakes, others) == 0;
}

static gint compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *dialtone_entry_files(int folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    /* One that is a duplicate would share the place that it was read to. */
    int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *file;

    if (files == NULL && own >= 0)
        close(own);
    while (files != NULL && names->len < FILES_MAX && (file = readdir(files)) != NULL)
        if (g_str_has_suffix(file->d_name, DIALTONE_PROFILE_SUFFIX) && *file->d_name != '.')
            g_ptr_array_add(names, g_strdup(file->d_name));
    if (files != NULL)
        closedir(files);
    g_ptr_array_sort(names, compare_strings);
    return names;
}
