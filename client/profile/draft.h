/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile, or what a user changes in one of the system, while somebody works at it: its text,
 * which stays as they wrote it but for what is set here, and what is wrong with that. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/parse.h"
#include "client/profile/profile.h"
#include "client/profile/value.h"

typedef struct DialtoneDraft DialtoneDraft;

/* @file names the profile in messages. @base: @text changes that profile of the system, which
 * stands in @file and outlives the draft; NULL: it is a profile itself. */
DialtoneDraft *dialtone_draft_new(const char *text, const char *file,
                                  const DialtoneProfile *base) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_draft_free(DialtoneDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneDraft, dialtone_draft_free)

/* As it is now, until it is set. */
const char *dialtone_draft_text(const DialtoneDraft *draft) G_GNUC_WARN_UNUSED_RESULT;
/* NULL: it has mistakes. With a base, what both make together. */
const DialtoneProfile *dialtone_draft_profile(const DialtoneDraft *draft) G_GNUC_WARN_UNUSED_RESULT;
/* Of DialtoneIssue, warnings too. */
const GPtrArray *dialtone_draft_issues(const DialtoneDraft *draft) G_GNUC_WARN_UNUSED_RESULT;

/* The text itself says it. */
bool dialtone_draft_has(const DialtoneDraft *draft,
                        const DialtoneProfileKey *row) G_GNUC_WARN_UNUSED_RESULT;
/* What it says, without escapes; else what the base says, else the default, else "". The caller
 * frees it. */
char *dialtone_draft_get(const DialtoneDraft *draft,
                         const DialtoneProfileKey *row) G_GNUC_WARN_UNUSED_RESULT;
/* "" takes the setting out of the text; so does, unless its line was there from the beginning, what
 * would hold without it. */
void dialtone_draft_set(DialtoneDraft *draft, const DialtoneProfileKey *row, const char *plain);

/* The first mistake of a setting, or warning if it has none; NULL. Owned by @draft. */
const DialtoneIssue *dialtone_draft_issue(const DialtoneDraft *draft,
                                          const DialtoneProfileKey *row) G_GNUC_WARN_UNUSED_RESULT;
/* Why it can't be changed here; NULL: it can. The caller frees it. */
char *dialtone_draft_locked(const DialtoneDraft *draft,
                            const DialtoneProfileKey *row) G_GNUC_WARN_UNUSED_RESULT;
