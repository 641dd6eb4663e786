// SPDX-License-Identifier: GPL-2.0-or-later
/* The errors of the helper, by their names on D-Bus. */
#include "platform/helper/error.h"

static const GDBusErrorEntry entries[] = {
    {HELPER_ERROR_INVALID_ARGUMENT, "org.dialtone.Helper1.Error.InvalidArgument"},
    {HELPER_ERROR_NOT_CLAIMED, "org.dialtone.Helper1.Error.NotClaimed"},
    {HELPER_ERROR_ALREADY_CLAIMED, "org.dialtone.Helper1.Error.AlreadyClaimed"},
    {HELPER_ERROR_NO_SLOT, "org.dialtone.Helper1.Error.NoSlot"},
    {HELPER_ERROR_IN_USE, "org.dialtone.Helper1.Error.InUse"},
    {HELPER_ERROR_CONFLICT, "org.dialtone.Helper1.Error.Conflict"},
    {HELPER_ERROR_STRICT_REVERSE_PATH, "org.dialtone.Helper1.Error.StrictReversePath"},
    {HELPER_ERROR_NOT_PERMITTED, "org.dialtone.Helper1.Error.NotPermitted"},
    {HELPER_ERROR_SYSTEM, "org.dialtone.Helper1.Error.System"},
};

GQuark helper_error_quark(void)
{
    static gsize quark;

    g_dbus_error_register_error_domain("dialtone-helper-error-quark", &quark, entries,
                                       G_N_ELEMENTS(entries));
    return (GQuark)quark;
}
