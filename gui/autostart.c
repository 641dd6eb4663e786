/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs of the desktop may take the file away or switch it off, too, so the file is what
 * counts; but what an administrator has locked is made so.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/autostart.h"

#include <errno.h>
#include <glib/gstdio.h>

#define KEY     "autostart"
#define ENABLED "X-GNOME-Autostart-enabled"

static const char ENTRY[] = "[Desktop Entry]\n"
                            "Type=Application\n"
                            "Name=Dialtone\n"
                            "Exec=dialtone-gtk --hidden\n"
                            "Icon=org.dialtone.Dialtone\n"
                            "Terminal=false\n"
                            "X-GNOME-UsesNotifications=true\n";

static char *path_of(void)
{
    return g_build_filename(g_get_user_config_dir(), "autostart", "org.dialtone.Dialtone.desktop",
                            NULL);
}

/* "Hidden" is how an entry is switched off without taking it away; GNOME's programs, and those that
 * learned from them, say it with a key of their own. */
static gboolean is_there(void)
{
    g_autofree char *path = path_of();
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
        return FALSE;
    gboolean disabled = g_key_file_has_key(file, G_KEY_FILE_DESKTOP_GROUP, ENABLED, NULL) &&
                        !g_key_file_get_boolean(file, G_KEY_FILE_DESKTOP_GROUP, ENABLED, NULL);
    return !disabled && !g_key_file_get_boolean(file, G_KEY_FILE_DESKTOP_GROUP,
                                                G_KEY_FILE_DESKTOP_KEY_HIDDEN, NULL);
}

static void put(gboolean wanted)
{
    g_autofree char *path = path_of(), *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;
    if (wanted == is_there())
        return;
    if (!wanted && g_unlink(path) < 0 && errno != ENOENT)
        g_warning("%s can't be taken away: %s", path, g_strerror(errno));
    if (!wanted)
        return;
    if (g_mkdir_with_parents(folder, 0700) < 0 || !g_file_set_contents(path, ENTRY, -1, &error))
        g_warning("%s can't be written: %s", path, error != NULL ? error->message : folder);
}

/* The switch goes back where the file could not be changed. */
static void on_changed(GSettings *settings, const char *key, gpointer data)
{
    gboolean wanted = g_settings_get_boolean(settings, KEY);
    put(wanted);
    if (is_there() != wanted && g_settings_is_writable(settings, KEY))
        g_settings_set_boolean(settings, KEY, !wanted);
}

void dialtone_autostart_follow(GSettings *settings)
{
    if (!g_settings_is_writable(settings, KEY))
        put(g_settings_get_boolean(settings, KEY));
    else if (g_settings_get_boolean(settings, KEY) != is_there())
        g_settings_set_boolean(settings, KEY, is_there());
    g_signal_connect(settings, "changed::" KEY, G_CALLBACK(on_changed), NULL);
}
