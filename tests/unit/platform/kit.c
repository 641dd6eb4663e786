// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders and files for tests. Whatever fails here fails the test that asked for it. */
#include "kit.h"

#include <glib/gstdio.h>

char *kit_make_dir(void)
{
    char *dir = g_dir_make_tmp("dialtone-test-XXXXXX", NULL);

    assert_non_null(dir);
    return dir;
}

void kit_remove_dir(char *dir_take)
{
    GDir *dir = g_dir_open(dir_take, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = kit_path(dir_take, name);

        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            kit_remove_dir(path);
        else {
            g_unlink(path);
            g_free(path);
        }
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(dir_take);
    g_free(dir_take);
}

char *kit_path(const char *dir, const char *name)
{
    return g_build_filename(dir, name, NULL);
}

void kit_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *kit_read(const char *path)
{
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

GDBusConnection *kit_connect_bus(GTestDBus *daemon)
{
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(daemon),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, NULL);

    assert_non_null(bus);
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    return bus;
}
