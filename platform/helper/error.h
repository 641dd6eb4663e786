/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Helper1 and HelperManager1 call their objects and errors. For their callers too. */
#pragma once

#include <gio/gio.h>

#define HELPER_OBJECT_PATH         "/org/dialtone/Helper1"
#define HELPER_MANAGER_OBJECT_PATH "/org/dialtone/HelperManager1"
#define HELPER_BUS_NAME            "org.dialtone.Helper1"

typedef enum HelperError {
    HELPER_ERROR_INVALID_ARGUMENT,
    HELPER_ERROR_NOT_CLAIMED,
    HELPER_ERROR_ALREADY_CLAIMED,
    HELPER_ERROR_NO_SLOT,
    HELPER_ERROR_IN_USE,
    HELPER_ERROR_CONFLICT,
    HELPER_ERROR_STRICT_REVERSE_PATH,
    HELPER_ERROR_NOT_PERMITTED,
    HELPER_ERROR_SYSTEM,
} HelperError;

/* Registered with GDBus by the first call: an error of the helper that arrives before stays a
   remote one without a meaning. */
#define HELPER_ERROR (helper_error_quark())
GQuark helper_error_quark(void);
