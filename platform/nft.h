/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's packet filter, nf_tables. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Whether this machine has libnftables. Does not load it, which takes milliseconds. */
bool platform_nft_is_there(void);
/* Commands of nft(8), made by us of typed values: no text of anybody else's may stand in them. All
   of them take effect at one moment, or none does. G_IO_ERROR_NOT_SUPPORTED: this machine has no
   libnftables. */
gboolean platform_nft_run(const char *commands, GError **error);

/* A socket that becomes readable when anything in nf_tables changes; for any main loop. Returns a
   negative errno. */
__attribute__((warn_unused_result)) int platform_nft_watch_open(int *fdp);
/* Reads all that is there. True when a table of this name was removed, or something in it, or when
   so much happened that something was missed. */
bool platform_nft_watch_read(int fd, const char *table);
/* The same right after this process has made the table anew: true for what was removed since then,
   which came before anybody could read that it was made. */
bool platform_nft_watch_read_own(int fd, const char *table);
