// SPDX-License-Identifier: GPL-2.0-or-later
/* The ID of the machine. */
#include "platform/machine.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

enum { ID_SIZE = 32 }; /* hexadecimal digits */

static char *read_id(void)
{
    g_autofree char *text = NULL;
    gsize n = 0;

    if (!g_file_get_contents("/etc/machine-id", &text, &n, NULL) ||
        strspn(text, "0123456789abcdef") != ID_SIZE)
        return NULL;
    return g_strndup(text, ID_SIZE);
}

void platform_machine_id(char text[PLATFORM_MACHINE_ID_TEXT])
{
    g_autofree char *id = read_id();

    g_strlcpy(text, id != NULL ? id : g_get_host_name(), PLATFORM_MACHINE_ID_TEXT);
}
