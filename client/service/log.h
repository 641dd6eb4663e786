/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service has decided: one line a decision, to the journal or standard error, and to a
 * ring that `dialtone log` reads. No secret is ever a part of it. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct ServiceLogLine {
    gint64 time_us; /* since 1970 */
    uid_t owner;    /* whose connection it is about; 0: the service's */
    char *profile;  /* its name; empty: none */
    char *text;
} ServiceLogLine;

/* @profile NULL: about no connection. */
void service_log(uid_t owner, const char *profile, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The last lines, oldest first, of what @uid may read: root all, others their own. Entries are
 * (time in microseconds, profile, text): "a(tss)", floating. */
GVariant *service_log_read(uid_t uid, guint max) G_GNUC_WARN_UNUSED_RESULT;
