/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small key file each, in the folder that systemd makes for the service and keeps over a restart
 * (RuntimeDirectoryPreserve=restart). A computer that boots begins with none. Where there is no
 * such folder, nothing is kept.
 */
#include "client/service/wanted.h"

#include <glib/gstdio.h>
#include <string.h>

#include "client/profile/file.h"
#include "client/profile/profile.h"
#include "client/service/log.h"

#define GROUP  "Wanted"
#define SUFFIX ".wanted"

/* Twice what may be in it, for it is written with escapes. */
enum { WANTED_MAX = 1024, WANTED_BYTES_MAX = 512 * 1024 };

static char *path_of(const char *key)
{
    const char *folder = g_getenv("RUNTIME_DIRECTORY");
    g_autofree char *file = g_strconcat(key, SUFFIX, NULL);
    return folder != NULL ? g_build_filename(folder, file, NULL) : NULL;
}

void service_wanted_free(ServiceWanted *wanted)
{
    if (wanted == NULL)
        return;
    g_free(wanted->uuid);
    g_free(wanted->text);
    g_free(wanted->override);
    g_free(wanted);
}

void service_wanted_keep(const char *key, const ServiceWanted *wanted)
{
    g_autofree char *path = path_of(key);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    if (path == NULL)
        return;
    g_key_file_set_uint64(file, GROUP, "Owner", wanted->owner);
    g_key_file_set_boolean(file, GROUP, "ByRule", wanted->by_rule);
    if (wanted->uuid != NULL)
        g_key_file_set_string(file, GROUP, "UUID", wanted->uuid);
    if (wanted->text != NULL)
        g_key_file_set_string(file, GROUP, "Text", wanted->text);
    if (wanted->override != NULL)
        g_key_file_set_string(file, GROUP, "Override", wanted->override);
    g_autofree char *text = g_key_file_to_data(file, &n, NULL);
    if (!g_file_set_contents_full(path, text, (gssize)n, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error))
        service_log(0, NULL, "what is wanted could not be written down: %s", error->message);
}

void service_wanted_forget(const char *key)
{
    g_autofree char *path = path_of(key);
    if (path != NULL)
        g_unlink(path);
}

/* NULL when it is none. */
static ServiceWanted *read_one(const char *path)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    g_autofree char *bytes = dialtone_file_read(path, WANTED_BYTES_MAX, &n, &error);
    if (bytes == NULL || !g_key_file_load_from_data(file, bytes, n, G_KEY_FILE_NONE, &error))
        return NULL;
    guint64 owner = g_key_file_get_uint64(file, GROUP, "Owner", &error);
    if (error != NULL || owner >= G_MAXUINT32)
        return NULL;
    ServiceWanted *wanted = g_new0(ServiceWanted, 1);
    wanted->owner = (uid_t)owner;
    wanted->by_rule = g_key_file_get_boolean(file, GROUP, "ByRule", NULL);
    wanted->uuid = g_key_file_get_string(file, GROUP, "UUID", NULL);
    wanted->text = g_key_file_get_string(file, GROUP, "Text", NULL);
    wanted->override = g_key_file_get_string(file, GROUP, "Override", NULL);
    return wanted;
}

GPtrArray *service_wanted_take(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)service_wanted_free);
    const char *folder = g_getenv("RUNTIME_DIRECTORY"), *name;
    g_autoptr(GDir) dir = folder != NULL ? g_dir_open(folder, 0, NULL) : NULL;
    while (dir != NULL && all->len < WANTED_MAX && (name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_suffix(name, SUFFIX))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        ServiceWanted *wanted = read_one(path);
        if (wanted != NULL)
            g_ptr_array_add(all, wanted);
        g_unlink(path);
    }
    return all;
}
