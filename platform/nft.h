/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's packet filter, nf_tables. */
#pragma once

#include <gio/gio.h>

/* Loads what is needed, so that the first use need not wait for it; a failure shows there. */
void platform_nft_prepare(void);
/* Commands of nft(8), made by us of typed values: no text of anybody else's may stand in them. All
   of them take effect at one moment, or none does. G_IO_ERROR_NOT_SUPPORTED: this machine has no
   libnftables. */
gboolean platform_nft_run(const char *commands, GError **error);
