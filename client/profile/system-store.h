/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The profiles of the system: the administrator's layer and the vendor's below it. For whoever
 * needs no user's home: the service, and what looks below a user's own profiles. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/entry.h"
#include "client/profile/owned.h"

/* NULL for the user's layer. */
const char *dialtone_system_folder(DialtoneLayer layer) G_GNUC_WARN_UNUSED_RESULT;

/* Every *.dialtone of both layers, sorted by layer and name; an array of DialtoneStoreEntry. Those
 * that are not hidden have a UUID each that no other has. A folder that can't be trusted is one
 * entry without a UUID, which says so. */
GPtrArray *dialtone_system_profiles(const DialtoneRoot *root) G_GNUC_WARN_UNUSED_RESULT;

/* Why a user's profile of this name and UUID, which may be NULL, would take the place of one of the
 * system; NULL: it would not. A broken one keeps its place too. The caller frees it. */
char *dialtone_system_shadowed(const GPtrArray *profiles, const char *name,
                               const char *uuid) G_GNUC_WARN_UNUSED_RESULT;
