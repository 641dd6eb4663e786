/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of profiles. The order in which they are looked through is who wins: the
 * administrator's, the vendor's, the user's. A user's profile never takes the place of one that
 * was provisioned, so that "connect office" means what the administrator made it mean.
 *
 * Files that don't parse are listed and found too, by what can be read of them: whoever asks for
 * one should get its mistakes and not "no such profile".
 */
#include "client/profile/store.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/file.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/scan.h"

#define SUFFIX ".dialtone"

/* Of a layer; a directory with more is none of ours. */
enum { FILES_MAX = 1000, NAMES_SHOWN_MAX = 10 };

const char *dialtone_layer_name(DialtoneLayer layer)
{
    static const char *const names[DIALTONE_LAYER_N] = {"administrator", "vendor", "user"};

    return layer < DIALTONE_LAYER_N ? names[layer] : "";
}

/* Under sudo HOME may be root's; the profiles meant are those of whoever called. */
static char *user_directory(uid_t caller)
{
    const char *config = g_getenv("XDG_CONFIG_HOME");
    const char *sudo = g_getenv("SUDO_UID");
    guint64 sudo_uid = 0;
    bool by_sudo = sudo != NULL &&
                   g_ascii_string_to_unsigned(sudo, 10, 0, G_MAXUINT32, &sudo_uid, NULL) &&
                   sudo_uid == caller;

    if (config != NULL && g_path_is_absolute(config))
        return g_build_filename(config, "dialtone", "profiles", NULL);
    if (by_sudo || caller != getuid()) {
        const struct passwd *user = getpwuid(caller);
        if (user == NULL || user->pw_dir == NULL)
            return NULL;
        return g_build_filename(user->pw_dir, ".config", "dialtone", "profiles", NULL);
    }
    return g_build_filename(g_get_user_config_dir(), "dialtone", "profiles", NULL);
}

DialtoneStore *dialtone_store_new(uid_t caller)
{
    DialtoneStore *store = g_new0(DialtoneStore, 1);

    store->directory[DIALTONE_LAYER_ADMINISTRATOR] = g_strdup("/etc/dialtone/profiles");
    store->directory[DIALTONE_LAYER_VENDOR] = g_strdup("/usr/lib/dialtone/profiles");
    store->directory[DIALTONE_LAYER_USER] = user_directory(caller);
    return store;
}

void dialtone_store_free(DialtoneStore *store)
{
    if (store == NULL)
        return;
    for (guint i = 0; i < DIALTONE_LAYER_N; i++)
        g_free(store->directory[i]);
    g_free(store);
}

/* ---- listing ---- */

static void entry_free(gpointer data)
{
    DialtoneStoreEntry *entry = data;

    g_free(entry->path);
    g_free(entry->name);
    g_free(entry->uuid);
    g_free(entry);
}

static char *stem_of(const char *path)
{
    char *stem = g_path_get_basename(path);

    if (g_str_has_suffix(stem, SUFFIX))
        stem[strlen(stem) - strlen(SUFFIX)] = '\0';
    return stem;
}

/* What can be known of a file with mistakes. */
static void peek(DialtoneStoreEntry *entry, const char *bytes, gsize n)
{
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(DialtoneScan) scan = dialtone_scan(bytes, n, issues);

    for (guint i = 0; i < scan->entries->len; i++) {
        const DialtoneScanEntry *line = scan->entries->pdata[i];
        if (strcmp(line->group, "Profile") != 0 || *line->value == '\0')
            continue;
        if (strcmp(line->key, "Name") == 0 && entry->name == NULL)
            entry->name = g_strdup(line->value);
        if (strcmp(line->key, "UUID") == 0 && entry->uuid == NULL)
            entry->uuid = g_ascii_strdown(line->value, -1);
    }
}

static DialtoneStoreEntry *read_entry(const char *path, DialtoneLayer layer)
{
    DialtoneStoreEntry *entry = g_new0(DialtoneStoreEntry, 1);
    gsize n = 0;
    g_autofree char *bytes = dialtone_file_read(path, DIALTONE_PROFILE_BYTES_MAX, &n, NULL);

    entry->path = g_strdup(path);
    entry->layer = layer;
    if (bytes != NULL) {
        g_autoptr(DialtoneProfile) profile = dialtone_profile_parse(bytes, n, path, NULL);
        entry->valid = profile != NULL;
        if (profile != NULL) {
            entry->name = g_strdup(profile->name);
            entry->uuid = g_strdup(profile->uuid);
        } else {
            peek(entry, bytes, n);
        }
    }
    if (entry->name == NULL) {
        g_autofree char *stem = stem_of(path);
        entry->name = dialtone_text_clean(stem, strlen(stem), 128, DIALTONE_TEXT_LINE);
    }
    return entry;
}

char *dialtone_store_name(const char *path)
{
    DialtoneStoreEntry *entry = read_entry(path, DIALTONE_LAYER_USER);
    char *name = g_steal_pointer(&entry->name);

    entry_free(entry);
    return name;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const DialtoneStoreEntry *x = *(DialtoneStoreEntry *const *)a;
    const DialtoneStoreEntry *y = *(DialtoneStoreEntry *const *)b;

    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    gint names = strcmp(x->name, y->name);
    return names != 0 ? names : strcmp(x->path, y->path);
}

static void list_layer(GPtrArray *entries, const char *directory, DialtoneLayer layer)
{
    g_autoptr(GDir) files = directory != NULL ? g_dir_open(directory, 0, NULL) : NULL;
    const char *file;
    guint n = 0;

    while (files != NULL && n < FILES_MAX && (file = g_dir_read_name(files)) != NULL) {
        if (!g_str_has_suffix(file, SUFFIX) || *file == '.')
            continue;
        g_autofree char *path = g_build_filename(directory, file, NULL);
        g_ptr_array_add(entries, read_entry(path, layer));
        n++;
    }
}

static bool shadows(const DialtoneStoreEntry *above, const DialtoneStoreEntry *entry)
{
    return above->layer < entry->layer &&
           (strcmp(above->name, entry->name) == 0 ||
            (entry->uuid != NULL && g_strcmp0(above->uuid, entry->uuid) == 0));
}

GPtrArray *dialtone_store_list(const DialtoneStore *store)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

    for (guint i = 0; i < DIALTONE_LAYER_N; i++)
        list_layer(entries, store->directory[i], (DialtoneLayer)i);
    g_ptr_array_sort(entries, compare_entries);
    for (guint i = 0; i < entries->len; i++) {
        DialtoneStoreEntry *entry = entries->pdata[i];
        for (guint j = 0; j < i && !entry->hidden; j++)
            entry->hidden = shadows(entries->pdata[j], entry);
    }
    return entries;
}

/* ---- finding ---- */

static bool is_path(const char *what)
{
    return strchr(what, '/') != NULL || g_str_has_suffix(what, SUFFIX);
}

typedef bool (*Match)(const DialtoneStoreEntry *entry, const char *what);

static bool match_uuid(const DialtoneStoreEntry *entry, const char *what)
{
    return entry->uuid != NULL && g_ascii_strcasecmp(entry->uuid, what) == 0;
}

static bool match_name(const DialtoneStoreEntry *entry, const char *what)
{
    return strcmp(entry->name, what) == 0;
}

static bool match_stem(const DialtoneStoreEntry *entry, const char *what)
{
    g_autofree char *stem = stem_of(entry->path);

    return strcmp(stem, what) == 0;
}

/* How many match; @foundp is the first. */
static guint count_matches(const GPtrArray *entries, Match match, const char *what,
                           const DialtoneStoreEntry **foundp)
{
    guint n = 0;

    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (entry->hidden || !match(entry, what))
            continue;
        if (n++ == 0)
            *foundp = entry;
    }
    return n;
}

static char *advise(const GPtrArray *entries, const char *what)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (access(what, F_OK) == 0)
        return g_strdup_printf(_("There is a file of this name here; a file is named by its path: "
                                 "./%s"),
                               what);

    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (!entry->hidden)
            g_ptr_array_add(names, entry->name);
    }
    guint n = names->len;
    g_ptr_array_add(names, NULL);
    const char *near = dialtone_text_nearest(what, (const char *const *)names->pdata);
    if (near != NULL)
        return g_strdup_printf(_("Did you mean '%s'? `dialtone list` shows all profiles."), near);
    if (n == 0)
        return g_strdup(_("There are no profiles yet. Give the path of one: "
                          "dialtone connect ./office.dialtone"));
    if (n > NAMES_SHOWN_MAX)
        return g_strdup(_("`dialtone list` shows all profiles."));
    g_autofree char *list = g_strjoinv("', '", (char **)names->pdata);
    return g_strdup_printf(_("There are '%s'. A file is named by its path: ./office.dialtone"),
                           list);
}

static char *find_path(const char *path, GError **error)
{
    if (access(path, F_OK) == 0)
        return g_strdup(path);
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("`dialtone list` shows the profiles that can be called by name."),
                         _("%s: there is no such profile (%s)"), path, g_strerror(errno));
    return NULL;
}

char *dialtone_store_find(const DialtoneStore *store, const char *what, GError **error)
{
    static const Match matches[] = {match_uuid, match_name, match_stem};

    if (is_path(what))
        return find_path(what, error);

    g_autoptr(GPtrArray) entries = dialtone_store_list(store);
    for (gsize i = 0; i < G_N_ELEMENTS(matches); i++) {
        const DialtoneStoreEntry *found = NULL;
        guint n = count_matches(entries, matches[i], what, &found);
        if (n == 1)
            return g_strdup(found->path);
        if (n > 1) {
            dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                                 _("`dialtone list` shows their paths; give one of them."),
                                 _("%u profiles are called '%s'"), n, what);
            return NULL;
        }
    }
    g_autofree char *advice = advise(entries, what);
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, advice,
                         _("there is no profile '%s'"), what);
    return NULL;
}
