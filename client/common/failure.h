/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why something failed. The values are the exit codes of the command line and never change; the
 * names are the `reason` of a `failed` report. A GError of this domain carries a sentence for the
 * user (its message), and beside it the advice: which setting to change, or whom to ask. Behind an
 * empty line of the advice stands what the gateway's administrator would write, to be copied. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    DIALTONE_FAILURE_NONE = 0,
    DIALTONE_FAILURE_INTERNAL = 1,
    DIALTONE_FAILURE_USAGE = 2,
    DIALTONE_FAILURE_PROFILE_INVALID = 3,
    DIALTONE_FAILURE_SECRET_MISSING = 4,
    DIALTONE_FAILURE_UNREACHABLE = 5,
    DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN = 6,
    DIALTONE_FAILURE_GATEWAY_AUTHENTICATION = 7,
    DIALTONE_FAILURE_USER_AUTHENTICATION = 8,
    DIALTONE_FAILURE_PHASE2_REFUSED = 9,
    DIALTONE_FAILURE_NOT_PERMITTED = 10,
    DIALTONE_FAILURE_TUNNEL_LOST = 11,
    DIALTONE_FAILURE_POLICY = 12,
    DIALTONE_FAILURE_N,
} DialtoneFailure;

/* What this program itself can do about it. Each user interface has words of its own for how, so
 * the advice has none. */
typedef enum {
    DIALTONE_REMEDY_NONE,
    DIALTONE_REMEDY_DIAGNOSE, /* find out what the gateway accepts, or what is in the way */
} DialtoneRemedy;

#define DIALTONE_FAILURE (dialtone_failure_quark())
GQuark dialtone_failure_quark(void);

/* "" for NONE; "internal" for a value outside the enumeration. Never NULL. */
const char *dialtone_failure_name(DialtoneFailure reason) G_GNUC_WARN_UNUSED_RESULT;

/* Writes @reasonp only when @name is one of the contract's reasons. */
bool dialtone_failure_from_name(const char *name,
                                DialtoneFailure *reasonp) G_GNUC_WARN_UNUSED_RESULT;

/* The message is formatted; @advice is taken as it is and may be NULL. @error may be NULL. */
void dialtone_failure_set(GError **error, DialtoneFailure reason, const char *advice,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

/* NULL where the error has none or is of another domain. Owned by @error. */
const char *dialtone_failure_advice(const GError *error) G_GNUC_WARN_UNUSED_RESULT;

/* The part of @advice, which may be NULL, that is for the gateway's administrator; NULL where it
 * has none. */
const char *dialtone_advice_configuration(const char *advice) G_GNUC_WARN_UNUSED_RESULT;
/* The part for the user, "" where there is none. The caller frees it. */
char *dialtone_advice_for_user(const char *advice) G_GNUC_WARN_UNUSED_RESULT;
/* @advice with one more @line for the user. The caller frees it. */
char *dialtone_advice_add(const char *advice, const char *line) G_GNUC_WARN_UNUSED_RESULT;

/* Of an error of this domain; others take none and have none. */
void dialtone_failure_set_remedy(GError *error, DialtoneRemedy remedy);
DialtoneRemedy dialtone_failure_remedy(const GError *error) G_GNUC_WARN_UNUSED_RESULT;

/* The exit code of @error: its reason, or INTERNAL for errors of another domain. */
DialtoneFailure dialtone_failure_of(const GError *error) G_GNUC_WARN_UNUSED_RESULT;
