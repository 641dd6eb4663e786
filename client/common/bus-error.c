/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A D-Bus error has a name and one string. The name is the reason; the first line of the string is
 * the message, what stands behind it the advice.
 */
#include "client/common/bus-error.h"

#include <stdbool.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/localize.h"

#define PREFIX "org.dialtone.Dialtone1.Error."

static const char *const NAMES[DIALTONE_FAILURE_N] = {
    [DIALTONE_FAILURE_NONE] = "Internal",
    [DIALTONE_FAILURE_INTERNAL] = "Internal",
    [DIALTONE_FAILURE_USAGE] = "Usage",
    [DIALTONE_FAILURE_PROFILE_INVALID] = "ProfileInvalid",
    [DIALTONE_FAILURE_SECRET_MISSING] = "SecretMissing",
    [DIALTONE_FAILURE_UNREACHABLE] = "Unreachable",
    [DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN] = "NoProposalChosen",
    [DIALTONE_FAILURE_GATEWAY_AUTHENTICATION] = "GatewayAuthentication",
    [DIALTONE_FAILURE_USER_AUTHENTICATION] = "UserAuthentication",
    [DIALTONE_FAILURE_PHASE2_REFUSED] = "Phase2Refused",
    [DIALTONE_FAILURE_NOT_PERMITTED] = "NotPermitted",
    [DIALTONE_FAILURE_TUNNEL_LOST] = "TunnelLost",
    [DIALTONE_FAILURE_POLICY] = "Policy",
};

void dialtone_bus_error_return(GDBusMethodInvocation *invocation, const GError *error)
{
    const char *advice = dialtone_failure_advice(error);
    g_autofree char *name = g_strconcat(PREFIX, NAMES[dialtone_failure_of(error)], NULL);
    g_autofree char *text =
        advice != NULL ? g_strconcat(error->message, "\n", advice, NULL) : g_strdup(error->message);
    g_dbus_method_invocation_return_dbus_error(invocation, name, text);
}

static DialtoneFailure reason_of(const char *name)
{
    if (name == NULL || !g_str_has_prefix(name, PREFIX))
        return DIALTONE_FAILURE_NONE;
    if (strcmp(name, DIALTONE_BUS_ERROR_CHALLENGE) == 0)
        return DIALTONE_FAILURE_NOT_PERMITTED;
    for (guint i = DIALTONE_FAILURE_INTERNAL; i < DIALTONE_FAILURE_N; i++)
        if (strcmp(name + strlen(PREFIX), NAMES[i]) == 0)
            return (DialtoneFailure)i;
    return DIALTONE_FAILURE_NONE;
}

/* No bus, or nothing on it that could be started. */
static bool is_not_installed(const GError *error)
{
    return error->domain == G_IO_ERROR ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

GError *dialtone_bus_error_read(const GError *remote)
{
    GError *error = NULL;
    g_autofree char *name = g_dbus_error_get_remote_error(remote);
    g_autoptr(GError) plain = g_error_copy(remote);
    g_dbus_error_strip_remote_error(plain);
    DialtoneFailure reason = reason_of(name);
    if (reason != DIALTONE_FAILURE_NONE) {
        g_autofree char *said = dialtone_localize(plain->message);
        g_auto(GStrv) parts = g_strsplit(said, "\n", 2);
        dialtone_failure_set(&error, reason, parts[0] != NULL ? parts[1] : NULL, "%s",
                             parts[0] != NULL ? parts[0] : "");
        return error;
    }
    if (g_error_matches(remote, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("The system does not let you talk to the service: %s"),
                             plain->message);
    else if (is_not_installed(remote))
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                             _("Run it without the service: sudo dialtone connect --standalone "
                               "PROFILE"),
                             _("The service is not there."));
    else
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                             _("`systemctl status dialtone` says more. Without the service: sudo "
                               "dialtone connect --standalone PROFILE"),
                             _("The service does not answer: %s"), plain->message);
    return error;
}
