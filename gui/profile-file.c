/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files are read when the editor opens and written when it saves; in between they may be anybody's,
 * so it is looked whether what is to be replaced is still what was read.
 */
#include "gui/profile-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/edit.h"
#include "client/profile/file.h"
#include "client/profile/parse.h"

static char *read_file(const char *path, GError **error)
{
    gsize n = 0;
    char *text = dialtone_file_read(path, DIALTONE_PROFILE_BYTES_MAX, &n, error);
    if (text != NULL && strlen(text) != n) {
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                             _("%s is no text, so it can’t be edited here."), path);
        g_clear_pointer(&text, g_free);
    }
    return text;
}

static gboolean open_own(DialtoneProfileFile *file, const char *path, GError **error)
{
    file->path = g_strdup(path);
    file->text = read_file(path, error);
    if (file->text == NULL)
        return FALSE;
    g_autoptr(DialtoneProfile) profile =
        dialtone_profile_parse(file->text, strlen(file->text), path, NULL);
    if (profile != NULL)
        file->secrets = g_strdup(profile->uuid != NULL ? profile->uuid : profile->name);
    return TRUE;
}

static gboolean open_system(DialtoneProfileFile *file, const char *uuid, GError **error)
{
    if (file->store->overrides == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("There is no folder for what you change: you have no home."));
        return FALSE;
    }
    file->found = dialtone_store_open(file->store, uuid, TRUE, error);
    if (file->found == NULL)
        return FALSE;
    if (file->found->entry->profile == NULL) {
        dialtone_found_fail(file->found, error);
        return FALSE;
    }
    g_autofree char *name = g_strconcat(file->found->entry->uuid, DIALTONE_PROFILE_SUFFIX, NULL);
    file->path = g_build_filename(file->store->overrides, name, NULL);
    file->secrets = g_strdup(file->found->entry->uuid);
    file->text = file->found->override != NULL ? read_file(file->path, error) : g_strdup("");
    return file->text != NULL;
}

DialtoneProfileFile *dialtone_profile_file_open(DialtoneItem *item, GError **error)
{
    g_autoptr(DialtoneProfileFile) file = g_new0(DialtoneProfileFile, 1);
    const char *path = dialtone_item_get_path(item), *uuid = dialtone_item_get_uuid(item);
    file->store = dialtone_store_new(getuid());
    if (path == NULL && uuid == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("This profile was handed over by another program, and has no file "
                               "here."));
        return NULL;
    }
    if (path != NULL ? !open_own(file, path, error) : !open_system(file, uuid, error))
        return NULL;
    return g_steal_pointer(&file);
}

DialtoneProfileFile *dialtone_profile_file_new(const char *text)
{
    DialtoneProfileFile *file = g_new0(DialtoneProfileFile, 1);
    file->store = dialtone_store_new(getuid());
    file->text = g_strdup(text);
    return file;
}

void dialtone_profile_file_free(DialtoneProfileFile *file)
{
    if (file == NULL)
        return;
    g_clear_pointer(&file->store, dialtone_store_free);
    g_clear_pointer(&file->found, dialtone_found_free);
    g_free(file->path);
    g_free(file->text);
    g_free(file->secrets);
    g_free(file);
}

const DialtoneProfile *dialtone_profile_file_base(const DialtoneProfileFile *file)
{
    return file->found != NULL ? file->found->entry->profile : NULL;
}

const char *dialtone_profile_file_name(const DialtoneProfileFile *file)
{
    if (file->found != NULL)
        return file->found->entry->path;
    return file->path != NULL ? file->path : "profile" DIALTONE_PROFILE_SUFFIX;
}

gboolean dialtone_profile_file_has_changed(const DialtoneProfileFile *file)
{
    if (file->path == NULL)
        return FALSE;
    g_autofree char *now = read_file(file->path, NULL);
    return strcmp(now != NULL ? now : "", file->text) != 0;
}

/* ---- writing ---- */

static gboolean fail(const char *path, GError **error)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                         _("%s could not be changed: %s"), path, g_strerror(errno));
    return FALSE;
}

static gboolean save_override(DialtoneProfileFile *file, const char *text, gboolean sets,
                              GError **error)
{
    if (!sets)
        return g_unlink(file->path) == 0 || errno == ENOENT || fail(file->path, error);
    if (g_file_test(file->path, G_FILE_TEST_EXISTS))
        return dialtone_edit_write(file->path, text, error);
    g_autofree char *made =
        dialtone_edit_create(file->store->overrides, file->found->entry->uuid, text, error);
    if (made == NULL || strcmp(made, file->path) == 0)
        return made != NULL;
    /* Something that is no file has the name already: nobody would read what has another. */
    g_unlink(made);
    errno = EEXIST;
    return fail(file->path, error);
}

gboolean dialtone_profile_file_save(DialtoneProfileFile *file, const char *name, const char *text,
                                    gboolean sets, GError **error)
{
    gboolean good;
    if (file->found != NULL) {
        good = save_override(file, text, sets, error);
    } else if (file->path != NULL && g_file_test(file->path, G_FILE_TEST_EXISTS)) {
        good = dialtone_edit_write(file->path, text, error);
    } else if (file->store->user != NULL) {
        g_free(file->path);
        file->path = dialtone_edit_create(file->store->user, name, text, error);
        good = file->path != NULL;
    } else {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("There is no folder for your profiles: you have no home."));
        return FALSE;
    }
    if (good) {
        g_free(file->text);
        file->text = g_strdup(sets || file->found == NULL ? text : "");
    }
    return good;
}

char *dialtone_profile_file_template(void)
{
    g_autofree char *uuid = g_uuid_string_random();
    return g_strdup_printf("[Profile]\nUUID=%s\n\n[Gateway]\n\n[Identity]\nAuth=psk\n\n"
                           "[Secrets]\nPSK=keyring\nPassword=keyring\n",
                           uuid);
}
