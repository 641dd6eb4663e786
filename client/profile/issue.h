/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of findings about a file, while it is made. What a finding is stands in parse.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/parse.h"

/* No file needs more lines of complaint; what comes after is counted as one. */
enum { DIALTONE_ISSUES_MAX = 100 };

GPtrArray *dialtone_issues_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* @group and @key may be NULL. Callers never pass what may be a secret. */
void dialtone_issues_add(GPtrArray *issues, const DialtoneIssue *where, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* By line; findings of one line stay in the order they were made in. */
void dialtone_issues_sort(GPtrArray *issues);

bool dialtone_issues_any_error(const GPtrArray *issues) G_GNUC_WARN_UNUSED_RESULT;

/* Errors only, a line each, without a newline at the end. */
char *dialtone_issues_text(const GPtrArray *issues, const char *file) G_GNUC_WARN_UNUSED_RESULT;

/* Makes PROFILE_INVALID of the errors, and what to do about a profile that has them. */
void dialtone_issues_fail(const GPtrArray *issues, const char *file, GError **error);
