/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-download: one file by HTTP to standard output, for the agent, which waits for it no
 * longer than it likes. It runs as the user, but what the network sends is parsed only once the
 * connection is made and all else given up: no program, no other socket, no file, and no signal to
 * another process. Names are looked up before, by the C library.
 *
 *   dialtone-download URL MAX-BYTES
 */
#include <curl/curl.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <unistd.h>

#include "client/cli/download.h"
#include "platform/sandbox.h"

enum { CONNECT_MS = 3000 };

typedef struct Download {
    guint64 left; /* bytes that may still come */
    bool too_large;
} Download;

/* ---- the sandbox ---- */

/* The connection is made, and no byte has been read from it. */
static int on_connected(void *data, char *their_address, char *our_address, int their_port,
                        int our_port)
{
    return platform_sandbox_seccomp_no_files() == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- HTTP ---- */

static size_t write_part(char *bytes, size_t one, size_t n, void *data)
{
    Download *download = data;
    size_t written = 0;

    if (n > download->left) {
        download->too_large = true;
        return 0;
    }
    download->left -= n;
    while (written < n) {
        ssize_t sent = write(STDOUT_FILENO, bytes + written, n - written);
        if (sent <= 0 && errno != EINTR)
            return 0;
        written += sent > 0 ? (size_t)sent : 0;
    }
    return n;
}

static bool set_up(CURL *curl, const char *url, Download *download)
{
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)download->left) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_part) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, download) == CURLE_OK;
}

static CliDownload judge(CURL *curl, CURLcode result, const Download *download)
{
    long status = 0;

    if (download->too_large || result == CURLE_FILESIZE_EXCEEDED)
        return CLI_DOWNLOAD_TOO_LARGE;
    if (result == CURLE_COULDNT_RESOLVE_HOST)
        return CLI_DOWNLOAD_NO_NAME;
    if (result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT)
        return CLI_DOWNLOAD_UNREACHABLE;
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return CLI_DOWNLOAD_INTERNAL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_HTTP_RETURNED_ERROR || (result == CURLE_OK && status != 200))
        return CLI_DOWNLOAD_REFUSED;
    return result == CURLE_OK ? CLI_DOWNLOAD_DONE : CLI_DOWNLOAD_BROKEN;
}

int main(int argc, char **argv)
{
    CliDownload answer = CLI_DOWNLOAD_INTERNAL;
    Download download = {0};

    if (argc != 3 || platform_sandbox_harden() < 0 ||
        !g_ascii_string_to_unsigned(argv[2], 10, 1, G_MAXINT32, &download.left, NULL) ||
        curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return CLI_DOWNLOAD_INTERNAL;
    CURL *curl = curl_easy_init();
    if (curl != NULL && set_up(curl, argv[1], &download))
        answer = judge(curl, curl_easy_perform(curl), &download);
    curl_easy_cleanup(curl);
    return (int)answer;
}
