/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a profile's gateway was the first time. With a group's preshared key everybody in the group
 * can pose as the gateway; a gateway that is somebody else today is worth a warning. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    const char *id;          /* "fqdn:gw.example.com" */
    const char *vendor;      /* NULL: it did not say */
    const char *certificate; /* SHA-256 in hex; NULL: it showed none */
    const char *issuer;      /* of the certificate; NULL: not known */
} DialtonePin;

/* $XDG_STATE_HOME/dialtone/gateways of @caller; NULL: they have no home. The caller frees it. */
char *dialtone_pin_folder(uid_t caller) G_GNUC_WARN_UNUSED_RESULT;

/* Remembers the gateway of a profile, or the @member that was called for it (of a cluster, or a
 * backup server; NULL: none), which gives a note, the first time, and again when @proven: the
 * profile says who it must be, and it was. Otherwise a change gives a warning, each time, until the
 * user settles it. A new certificate of the same issuer is a renewal: it gives a note, once. One of
 * another issuer is warned of even when @proven, for the profile may trust many of them. NULL: as
 * before. The caller frees it. */
char *dialtone_pin_check(const char *folder, const char *profile, const char *member,
                         const DialtonePin *seen, bool proven) G_GNUC_WARN_UNUSED_RESULT;
