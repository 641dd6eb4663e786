/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts dialtone-download, and reads what it writes. */
#include "client/cli/download.h"

#include <poll.h>
#include <unistd.h>

#include "client/cli/child.h"
#include "client/common/i18n.h"

#define PROGRAM "dialtone-download"

static const char *sentence(int code)
{
    switch ((CliDownload)code) {
    case CLI_DOWNLOAD_DONE:
        return NULL;
    case CLI_DOWNLOAD_NO_NAME:
        return _("its name was not found");
    case CLI_DOWNLOAD_UNREACHABLE:
        return _("it can't be reached");
    case CLI_DOWNLOAD_REFUSED:
        return _("it has no file there");
    case CLI_DOWNLOAD_TOO_LARGE:
        return _("the file is too large");
    case CLI_DOWNLOAD_BROKEN:
        return _("its answer broke off, or is none of HTTP");
    case CLI_DOWNLOAD_INTERNAL:
        break;
    }
    return _("the program that fetches it failed");
}

/* True: all of it came, however the program ended. */
static bool drain(const CliChild *child, gsize max, gint64 deadline, int interrupt_fd,
                  GByteArray *bytes)
{
    guint8 part[4096];

    while (bytes->len <= max && cli_child_wait(child->out, POLLIN, deadline, interrupt_fd)) {
        gssize n = read(child->out, part, sizeof(part));
        if (n <= 0)
            return n == 0;
        g_byte_array_append(bytes, part, (guint)n);
    }
    return false;
}

/* NULL, or why not. */
static const char *finish(CliChild *child, bool whole, gint64 deadline)
{
    if (whole)
        whole = cli_child_wait(child->pidfd, POLLIN, deadline, -1);
    int code = cli_child_end(child);
    return whole ? sentence(code) : _("it did not answer in time");
}

char *cli_download(const char *url, gsize max, gint64 deadline, int interrupt_fd, GBytes **bytesp)
{
    /* No proxy, no netrc, no settings of libcurl's from the environment. */
    static char *const environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    g_autofree char *program = cli_child_find(PROGRAM);
    g_autofree char *size = g_strdup_printf("%" G_GSIZE_FORMAT, max);
    const char *argv[] = {program, url, size, NULL};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    CliChild child;

    if (g_get_monotonic_time() >= deadline)
        return g_strdup(_("there was no time left for it"));
    if (cli_child_start(&child, argv, environment) != 0) {
        cli_child_end(&child);
        return g_strdup(sentence(CLI_DOWNLOAD_INTERNAL));
    }
    bool whole = drain(&child, max, deadline, interrupt_fd, bytes);
    const char *problem = finish(&child, whole, deadline);
    if (problem == NULL)
        *bytesp = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    return g_strdup(problem);
}
