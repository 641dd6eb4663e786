/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this system's libcrypto may do: FIPS mode, and algorithms that it has not. */
#pragma once

#include "client/profile/profile.h"

/* The kernel's flag: "1" in it is FIPS mode. */
#define TUNNEL_FIPS_FLAG "/proc/sys/crypto/fips_enabled"

/* False and POLICY in FIPS mode, the kernel's (@flag) or OpenSSL's, and where an algorithm of the
 * profile was switched off. Reads OpenSSL's configuration. */
bool tunnel_provider_check(const DialtoneProfile *profile, const char *flag,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
