/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reasons of failure and the error that carries one.
 *
 * A GError of this domain is an extended one: it owns the advice beside its message, so that
 * both survive copying and propagation and every layer can hand an error on without a struct of
 * its own. The advice comes from the place that knows the setting at fault.
 */
#include "client/common/failure.h"

#include <string.h>

typedef struct {
    char *advice;
    DialtoneRemedy remedy;
} DialtoneFailurePrivate;

/* What GLib's macro generates may give NULL for errors of other domains, which never come here;
 * the compiler can't know that. */
static void dialtone_failure_private_init(DialtoneFailurePrivate *private)
{
    if (private != NULL)
        *private = (DialtoneFailurePrivate){NULL, DIALTONE_REMEDY_NONE};
}

static void dialtone_failure_private_copy(const DialtoneFailurePrivate *from,
                                          DialtoneFailurePrivate *to)
{
    if (from == NULL || to == NULL)
        return;
    to->advice = g_strdup(from->advice);
    to->remedy = from->remedy;
}

static void dialtone_failure_private_clear(DialtoneFailurePrivate *private)
{
    if (private != NULL)
        g_clear_pointer(&private->advice, g_free);
}

/* The macro's cast is aligned, for GLib puts the private part where malloc() would. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
G_DEFINE_EXTENDED_ERROR(DialtoneFailure, dialtone_failure)
#pragma GCC diagnostic pop

static const char *const NAMES[DIALTONE_FAILURE_N] = {
    [DIALTONE_FAILURE_NONE] = "",
    [DIALTONE_FAILURE_INTERNAL] = "internal",
    [DIALTONE_FAILURE_USAGE] = "usage",
    [DIALTONE_FAILURE_PROFILE_INVALID] = "profile-invalid",
    [DIALTONE_FAILURE_SECRET_MISSING] = "secret-missing",
    [DIALTONE_FAILURE_UNREACHABLE] = "unreachable",
    [DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN] = "no-proposal-chosen",
    [DIALTONE_FAILURE_GATEWAY_AUTHENTICATION] = "gateway-authentication",
    [DIALTONE_FAILURE_USER_AUTHENTICATION] = "user-authentication",
    [DIALTONE_FAILURE_PHASE2_REFUSED] = "phase2-refused",
    [DIALTONE_FAILURE_NOT_PERMITTED] = "not-permitted",
    [DIALTONE_FAILURE_TUNNEL_LOST] = "tunnel-lost",
    [DIALTONE_FAILURE_POLICY] = "policy",
};

const char *dialtone_failure_name(DialtoneFailure reason)
{
    if (reason >= DIALTONE_FAILURE_N)
        return NAMES[DIALTONE_FAILURE_INTERNAL];
    return NAMES[reason];
}

bool dialtone_failure_from_name(const char *name, DialtoneFailure *reasonp)
{
    for (guint i = DIALTONE_FAILURE_INTERNAL; i < DIALTONE_FAILURE_N; i++) {
        if (g_strcmp0(name, NAMES[i]) == 0) {
            *reasonp = (DialtoneFailure)i;
            return true;
        }
    }
    return false;
}

void dialtone_failure_set(GError **error, DialtoneFailure reason, const char *advice,
                          const char *format, ...)
{
    if (error == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    GError *made = g_error_new_valist(DIALTONE_FAILURE, (int)reason, format, arguments);
    va_end(arguments);
    DialtoneFailurePrivate *private = dialtone_failure_get_private(made);
    if (private != NULL)
    private->advice = g_strdup(advice);
    g_propagate_error(error, made);
}

const char *dialtone_failure_advice(const GError *error)
{
    if (error == NULL || error->domain != DIALTONE_FAILURE)
        return NULL;
    const DialtoneFailurePrivate *private = dialtone_failure_get_private(error);
    return private != NULL ? private->advice : NULL;
}

/* ---- the two parts of an advice ---- */

static const char *find_end(const char *advice)
{
    return advice != NULL ? strstr(advice, "\n\n") : NULL;
}

const char *dialtone_advice_configuration(const char *advice)
{
    const char *end = find_end(advice);
    return end != NULL && end[2] != '\0' ? end + 2 : NULL;
}

char *dialtone_advice_for_user(const char *advice)
{
    const char *end = find_end(advice);
    if (end == NULL)
        return g_strdup(advice != NULL ? advice : "");
    return g_strndup(advice, (gsize)(end - advice));
}

char *dialtone_advice_add(const char *advice, const char *line)
{
    g_autofree char *before = dialtone_advice_for_user(advice);
    const char *end = find_end(advice);
    return g_strconcat(before, *before != '\0' ? "\n" : "", line, end, NULL);
}

/* ---- what can be done ---- */

void dialtone_failure_set_remedy(GError *error, DialtoneRemedy remedy)
{
    if (error == NULL || error->domain != DIALTONE_FAILURE)
        return;
    DialtoneFailurePrivate *own = dialtone_failure_get_private(error);
    if (own != NULL)
        own->remedy = remedy;
}

DialtoneRemedy dialtone_failure_remedy(const GError *error)
{
    if (error == NULL || error->domain != DIALTONE_FAILURE)
        return DIALTONE_REMEDY_NONE;
    const DialtoneFailurePrivate *own = dialtone_failure_get_private(error);
    return own != NULL ? own->remedy : DIALTONE_REMEDY_NONE;
}

DialtoneFailure dialtone_failure_of(const GError *error)
{
    if (error == NULL || error->domain != DIALTONE_FAILURE || error->code < 1 ||
        error->code >= DIALTONE_FAILURE_N)
        return DIALTONE_FAILURE_INTERNAL;
    return (DialtoneFailure)error->code;
}
