/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the offloads. They are the kernel's words in short, and never translated. */
#include "client/common/offload.h"

#include <string.h>

const char *const dialtone_offload_names[] = {"vnet-hdr", "uso",          "gso",
                                              "gro",      "multi-buffer", NULL};

G_STATIC_ASSERT((1 << (G_N_ELEMENTS(dialtone_offload_names) - 1)) - 1 == DIALTONE_OFFLOADS_ALL);

const char *dialtone_offload_name(DialtoneOffload offload)
{
    return dialtone_offload_names[g_bit_nth_lsf(offload, -1)];
}

guint dialtone_offload_from_name(const char *name)
{
    for (guint i = 0; dialtone_offload_names[i] != NULL; i++)
        if (strcmp(dialtone_offload_names[i], name) == 0)
            return 1u << i;
    return 0;
}

char **dialtone_offload_list(guint set)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; dialtone_offload_names[i] != NULL; i++)
        if (set & 1u << i)
            g_ptr_array_add(names, g_strdup(dialtone_offload_names[i]));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
