/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profiles of one user. The order in which they are looked through is who wins: the
 * administrator's, the vendor's, the user's. A user's profile never takes the place of one that
 * was provisioned, so that "connect office" means what the administrator made it mean.
 *
 * Files that don't parse are listed and found too, by what can be read of them: whoever asks for
 * one should get its mistakes and not "no such profile".
 */
#include "client/profile/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/file.h"
#include "client/profile/issue.h"
#include "client/profile/override.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"
#include "client/profile/system-store.h"

enum { NAMES_SHOWN_MAX = 10 };

/* Under sudo HOME may be root's; the profiles meant are those of whoever called. */
static char *user_directory(uid_t caller, const char *name)
{
    const char *config = g_getenv("XDG_CONFIG_HOME");
    const char *sudo = g_getenv("SUDO_UID");
    guint64 sudo_uid = 0;
    bool by_sudo = sudo != NULL &&
                   g_ascii_string_to_unsigned(sudo, 10, 0, G_MAXUINT32, &sudo_uid, NULL) &&
                   sudo_uid == caller;

    if (config != NULL && g_path_is_absolute(config))
        return g_build_filename(config, "dialtone", name, NULL);
    if (by_sudo || caller != getuid()) {
        const struct passwd *user = getpwuid(caller);
        if (user == NULL || user->pw_dir == NULL)
            return NULL;
        return g_build_filename(user->pw_dir, ".config", "dialtone", name, NULL);
    }
    return g_build_filename(g_get_user_config_dir(), "dialtone", name, NULL);
}

DialtoneStore *dialtone_store_new(uid_t caller)
{
    DialtoneStore *store = g_new0(DialtoneStore, 1);

    store->root = dialtone_root_system;
    store->user = user_directory(caller, "profiles");
    store->overrides = user_directory(caller, "overrides");
    return store;
}

void dialtone_store_free(DialtoneStore *store)
{
    if (store == NULL)
        return;
    g_free(store->user);
    g_free(store->overrides);
    g_free(store);
}

/* ---- listing ---- */

static DialtoneStoreEntry *read_user_file(const char *path)
{
    g_autofree char *why = NULL;
    gsize n = 0;
    char *bytes = dialtone_file_read_why(path, DIALTONE_PROFILE_BYTES_MAX, &n, &why);

    return dialtone_entry_new(path, DIALTONE_LAYER_USER, bytes, n, why);
}

char *dialtone_store_name(const char *path)
{
    g_autoptr(DialtoneStoreEntry) entry = read_user_file(path);

    return g_steal_pointer(&entry->name);
}

/* What of the system a user may use without seeing it, a user's file could send anywhere. */
static void check_secrets(DialtoneStoreEntry *entry)
{
    const DialtoneProfile *profile = entry->profile;
    bool psk = profile != NULL && profile->psk_source == DIALTONE_SOURCE_SYSTEM;
    bool password = profile != NULL && profile->password_source == DIALTONE_SOURCE_SYSTEM;

    if (psk || password)
        dialtone_entry_refuse(entry, "Secrets", psk ? "PSK" : "Password",
                              _("only a profile of the system can take a secret from the system; "
                                "write keyring or ask"));
}

static void warn_of_access(DialtoneStoreEntry *entry)
{
    for (gsize i = 0; entry->profile != NULL && i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        const DialtoneIssue where = {.line = entry->profile->lines[i],
                                     .warning = true,
                                     .group = (char *)row->group,
                                     .key = (char *)row->key};
        if (where.line != 0 && strcmp(row->group, "Access") == 0)
            dialtone_issues_add(entry->issues, &where, "%s",
                                _("has a meaning in a profile of the system only"));
    }
    dialtone_issues_sort(entry->issues);
}

static void list_user(GPtrArray *entries, const DialtoneStore *store)
{
    int folder = store->user != NULL ? open(store->user, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (folder < 0)
        return;
    g_autoptr(GPtrArray) names = dialtone_entry_files(folder);
    close(folder);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(store->user, names->pdata[i], NULL);
        DialtoneStoreEntry *entry = read_user_file(path);
        check_secrets(entry);
        warn_of_access(entry);
        entry->hidden = dialtone_system_shadowed(entries, entry->name, entry->uuid);
        g_ptr_array_add(entries, entry);
    }
}

GPtrArray *dialtone_store_list(const DialtoneStore *store)
{
    GPtrArray *entries = dialtone_system_profiles(&store->root);

    list_user(entries, store);
    g_ptr_array_sort(entries, dialtone_entry_compare);
    return entries;
}

/* ---- finding ---- */

static bool is_path(const char *what)
{
    return strchr(what, '/') != NULL || g_str_has_suffix(what, DIALTONE_PROFILE_SUFFIX);
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
    return strcmp(entry->stem, what) == 0;
}

/* How many match; @foundp is the first one's place. */
static guint count_matches(const GPtrArray *entries, Match match, const char *what, guint *foundp)
{
    guint n = 0;

    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (entry->hidden != NULL || !match(entry, what))
            continue;
        if (n++ == 0)
            *foundp = i;
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
        if (entry->hidden == NULL)
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

/* A path into a folder of the system is that profile, and no file of the user's. */
static DialtoneStoreEntry *find_system_path(GPtrArray *entries, const char *path)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);

    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (entry->layer != DIALTONE_LAYER_USER && strcmp(entry->path, whole) == 0)
            return g_ptr_array_steal_index(entries, i);
    }
    return NULL;
}

static DialtoneStoreEntry *find_path(GPtrArray *entries, const char *path, GError **error)
{
    DialtoneStoreEntry *entry = find_system_path(entries, path);

    if (entry == NULL && access(path, F_OK) == 0)
        entry = read_user_file(path);
    if (entry == NULL)
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("`dialtone list` shows the profiles that can be called by name."),
                             _("%s: there is no such profile (%s)"), path, g_strerror(errno));
    return entry;
}

/* No more than a hidden one is called so: why it is hidden is what its owner wants to know. */
static bool tell_hidden(const GPtrArray *entries, const char *what, GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (entry->hidden == NULL ||
            (!match_uuid(entry, what) && !match_name(entry, what) && !match_stem(entry, what)))
            continue;
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("`dialtone list` shows all profiles."), _("%s is not used: %s"),
                             entry->path, entry->hidden);
        return true;
    }
    return false;
}

static void tell_missing(const GPtrArray *entries, const char *what, GError **error)
{
    g_autofree char *advice = NULL;

    if (tell_hidden(entries, what, error))
        return;
    advice = advise(entries, what);
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, advice,
                         _("there is no profile '%s'"), what);
}

static DialtoneStoreEntry *find_named(GPtrArray *entries, const char *what, GError **error)
{
    static const Match matches[] = {match_uuid, match_name, match_stem};

    for (gsize i = 0; i < G_N_ELEMENTS(matches); i++) {
        guint found = 0;
        guint n = count_matches(entries, matches[i], what, &found);
        if (n == 1)
            return g_ptr_array_steal_index(entries, found);
        if (n > 1) {
            dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                                 _("`dialtone list` shows their paths; give one of them."),
                                 _("%u profiles are called '%s'"), n, what);
            return NULL;
        }
    }
    tell_missing(entries, what, error);
    return NULL;
}

static DialtoneStoreEntry *find_entry(const DialtoneStore *store, const char *what, GError **error)
{
    g_autoptr(GPtrArray) entries = dialtone_store_list(store);

    return is_path(what) ? find_path(entries, what, error) : find_named(entries, what, error);
}

DialtoneStoreEntry *dialtone_store_find_system(const DialtoneRoot *root, const char *what)
{
    g_autoptr(GPtrArray) entries = dialtone_system_profiles(root);

    return is_path(what) ? find_system_path(entries, what) : find_named(entries, what, NULL);
}

char *dialtone_store_find(const DialtoneStore *store, const char *what, GError **error)
{
    g_autoptr(DialtoneStoreEntry) entry = find_entry(store, what, error);

    if (entry == NULL)
        return NULL;
    return g_strdup(is_path(what) ? what : entry->path);
}

/* ---- opening ---- */

void dialtone_found_free(DialtoneFound *found)
{
    if (found == NULL)
        return;
    dialtone_entry_free(found->entry);
    dialtone_profile_free(found->changed);
    g_free(found->override);
    g_ptr_array_unref(found->issues);
    g_free(found);
}

/* A profile that names neither key nor certificate was refused; with a key at hand it is one. */
static void read_with_psk(DialtoneStoreEntry *entry)
{
    g_autoptr(GPtrArray) issues = NULL;

    if (entry->text == NULL || entry->refused)
        return;
    DialtoneProfile *profile =
        dialtone_profile_parse_with_psk(entry->text, entry->text_n, entry->path, &issues);
    if (profile == NULL)
        return;
    dialtone_profile_free(entry->profile);
    entry->profile = profile;
    g_ptr_array_unref(entry->issues);
    entry->issues = g_steal_pointer(&issues);
}

static void apply_override(DialtoneFound *found, const char *path)
{
    const DialtoneIssue whole = {0};
    g_autofree char *why = NULL;
    gsize n = 0;
    g_autofree char *bytes = dialtone_file_read_why(path, DIALTONE_PROFILE_BYTES_MAX, &n, &why);

    found->override = g_strdup(path);
    if (bytes == NULL) {
        dialtone_issues_add(found->issues, &whole, "%s", why);
    } else {
        const DialtoneOverride override = {
            .bytes = bytes, .n = n, .profile_path = found->entry->path};
        g_ptr_array_unref(found->issues);
        found->changed = dialtone_override_apply(found->entry->profile, &override, &found->issues);
    }
    found->profile = found->changed;
}

static char *override_of(const DialtoneStore *store, const DialtoneStoreEntry *entry)
{
    if (store->overrides == NULL || entry->layer == DIALTONE_LAYER_USER || entry->uuid == NULL)
        return NULL;
    g_autofree char *file = g_strconcat(entry->uuid, DIALTONE_PROFILE_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(store->overrides, file, NULL);
    return access(path, F_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

DialtoneFound *dialtone_store_open(const DialtoneStore *store, const char *what, bool psk_at_hand,
                                   GError **error)
{
    DialtoneStoreEntry *entry = find_entry(store, what, error);
    if (entry == NULL)
        return NULL;
    if (psk_at_hand)
        read_with_psk(entry);
    DialtoneFound *found = g_new0(DialtoneFound, 1);
    found->entry = entry;
    found->issues = dialtone_issues_new();
    found->profile = entry->profile;
    g_autofree char *override = override_of(store, entry);
    if (override != NULL && entry->profile != NULL)
        apply_override(found, override);
    return found;
}

void dialtone_found_fail(const DialtoneFound *found, GError **error)
{
    if (found->entry->profile == NULL)
        dialtone_issues_fail(found->entry->issues, found->entry->path, error);
    else
        dialtone_issues_fail(found->issues, found->override, error);
}

DialtoneFound *dialtone_store_load(const DialtoneStore *store, const char *what, bool psk_at_hand,
                                   GError **error)
{
    g_autoptr(DialtoneFound) found = dialtone_store_open(store, what, psk_at_hand, error);

    if (found == NULL || found->profile != NULL)
        return g_steal_pointer(&found);
    dialtone_found_fail(found, error);
    return NULL;
}
