/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/profile/system-store.h"

int store_kit_setup(void **state)
{
    StoreKit *kit = g_new0(StoreKit, 1);

    umask(022);
    kit->path = g_dir_make_tmp("test-store-XXXXXX", NULL);
    kit->root = (DialtoneRoot){.path = kit->path, .owner = getuid()};
    kit->store = g_new0(DialtoneStore, 1);
    kit->store->root = kit->root;
    for (guint i = 0; i < DIALTONE_LAYER_N; i++) {
        const char *folder = dialtone_system_folder((DialtoneLayer)i);
        kit->folder[i] = g_strconcat(kit->path, folder != NULL ? folder : "/user", NULL);
        g_mkdir_with_parents(kit->folder[i], 0755);
    }
    kit->store->user = g_strdup(kit->folder[DIALTONE_LAYER_USER]);
    kit->store->overrides = g_strconcat(kit->path, "/overrides", NULL);
    g_mkdir(kit->store->overrides, 0755);
    *state = kit;
    return 0;
}

static void remove_all(const char *path)
{
    g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
    const char *name;

    while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (!g_file_test(file, G_FILE_TEST_IS_SYMLINK) && g_file_test(file, G_FILE_TEST_IS_DIR))
            remove_all(file);
        else
            g_remove(file);
    }
    g_rmdir(path);
}

int store_kit_teardown(void **state)
{
    StoreKit *kit = *state;

    remove_all(kit->path);
    for (guint i = 0; i < DIALTONE_LAYER_N; i++)
        g_free(kit->folder[i]);
    dialtone_store_free(kit->store);
    g_free(kit->path);
    g_free(kit);
    return 0;
}

char *store_kit_path(const StoreKit *kit, DialtoneLayer layer, const char *file)
{
    return g_build_filename(kit->folder[layer], file, NULL);
}

void store_kit_put(const StoreKit *kit, DialtoneLayer layer, const char *file, const char *text)
{
    g_autofree char *path = store_kit_path(kit, layer, file);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

void store_kit_put_at(const StoreKit *kit, const char *path, const char *text, guint mode)
{
    g_autofree char *whole = g_build_filename(kit->path, path, NULL);
    g_autofree char *folder = g_path_get_dirname(whole);

    g_mkdir_with_parents(folder, 0755);
    assert_true(g_file_set_contents(whole, text, -1, NULL));
    assert_int_equal(g_chmod(whole, (int)mode), 0);
}
