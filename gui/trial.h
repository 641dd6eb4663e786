/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection that is made to see whether it can be, and ended again. */
#pragma once

#include <gio/gio.h>

#include "gui/catalog.h"

#define DIALTONE_TYPE_TRIAL (dialtone_trial_get_type())
G_DECLARE_FINAL_TYPE(DialtoneTrial, dialtone_trial, DIALTONE, TRIAL, GObject)

typedef enum {
    DIALTONE_TRIAL_UNDER_WAY,
    DIALTONE_TRIAL_GOOD,
    DIALTONE_TRIAL_BAD
} DialtoneTrialState;

/* Begins. Signal "changed": there is more to say. Given up when it is freed. */
DialtoneTrial *dialtone_trial_new(DialtoneCatalog *catalog, DialtoneItem *item);
DialtoneTrialState dialtone_trial_get_state(DialtoneTrial *self);
/* A sentence or two; the caller frees it. */
char *dialtone_trial_dup_text(DialtoneTrial *self);
