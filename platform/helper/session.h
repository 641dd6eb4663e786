/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One caller of Helper1: its slot, and the methods on one connection. */
#pragma once

#include "platform/helper/network.h"

#include <gio/gio.h>

typedef struct HelperSession HelperSession;

/* Takes a slot that is free and clean, and makes its state file, owned by uid and gid; so before
   capabilities are dropped. */
HelperSession *helper_session_new(const char *dir, uid_t uid, gid_t gid, GError **error);
/* Exports the object and starts to process messages. */
gboolean helper_session_serve(HelperSession *session, GDBusConnection *connection, GError **error);
/* By the user's wish, and his kill switch ends with it; or by nobody's, for somebody was killed. */
void helper_session_note_end(HelperSession *session, gboolean by_user);
/* No-ops while nobody is connected. */
void helper_session_request_stop(HelperSession *session);
void helper_session_request_renegotiation(HelperSession *session);
void helper_session_tell_sleep(HelperSession *session, gboolean asleep);
/* Undoes everything. Can be called again. */
gboolean helper_session_undo(HelperSession *session, GError **error);
/* Gives the slot back. */
void helper_session_free(HelperSession *session);
