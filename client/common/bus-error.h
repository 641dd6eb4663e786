/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures across D-Bus: a DIALTONE_FAILURE arrives at the other end as what it was, with its
 * advice. Names are org.dialtone.Dialtone1.Error.NotPermitted and so on. */
#pragma once

#include <gio/gio.h>

/* Not permitted; but an administrator's password would help, if somebody were there to give it. */
#define DIALTONE_BUS_ERROR_CHALLENGE "org.dialtone.Dialtone1.Error.AuthenticationNeeded"

/* Answers a call with the failure; an error of another domain is Internal. */
void dialtone_bus_error_return(GDBusMethodInvocation *invocation, const GError *error);
/* What the service said, as a DIALTONE_FAILURE; that it isn't there, or did not answer, as one as
 * well. The caller frees it. */
GError *dialtone_bus_error_read(const GError *remote) G_GNUC_WARN_UNUSED_RESULT;
