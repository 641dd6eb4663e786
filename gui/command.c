/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that was installed, or built, with this one stands beside it; where it does not, the
 * user's PATH says which one they would run.
 */
#include "gui/command.h"

static char *find(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : NULL;
    g_autofree char *beside = folder != NULL ? g_build_filename(folder, "dialtone", NULL) : NULL;
    if (beside != NULL && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&beside);
    return g_find_program_in_path("dialtone");
}

GSubprocess *dialtone_command_run(const char *const *words, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    char *program = find();
    g_ptr_array_add(argv, program != NULL ? program : g_strdup("dialtone"));
    for (; *words != NULL; words++)
        g_ptr_array_add(argv, g_strdup(*words));
    g_ptr_array_add(argv, NULL);
    return g_subprocess_newv((const char *const *)argv->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                             error);
}
