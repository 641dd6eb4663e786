/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file at an http:// address, by way of the program dialtone-download: it alone links libcurl,
 * and what the network sends is parsed in its sandbox. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Of the program, as its exit code. */
typedef enum CliDownload {
    CLI_DOWNLOAD_DONE,
    CLI_DOWNLOAD_NO_NAME = 10,
    CLI_DOWNLOAD_UNREACHABLE,
    CLI_DOWNLOAD_REFUSED, /* an answer other than 200 */
    CLI_DOWNLOAD_TOO_LARGE,
    CLI_DOWNLOAD_BROKEN,
    CLI_DOWNLOAD_INTERNAL,
} CliDownload;

/* At most @max bytes, until @deadline (monotonic, in microseconds) or until somebody speaks at
 * @interrupt_fd. NULL, or why not, which the caller frees. */
char *cli_download(const char *url, gsize max, gint64 deadline, int interrupt_fd,
                   GBytes **bytesp) G_GNUC_WARN_UNUSED_RESULT;
