/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A distinguished name as a profile writes it, as DER. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "C=NL, O=Example, CN=gw" or "/C=NL/O=Example/CN=gw". False where a type is unknown, or the DER
 * is longer than @size. */
bool tunnel_dn_to_der(const char *text, guint8 *der, gsize size,
                      gsize *np) G_GNUC_WARN_UNUSED_RESULT;
