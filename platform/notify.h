/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program tells the service manager that started it (sd_notify(3)): ready, a line of status,
   alive. Without one nothing is sent. */
#pragma once

#include <glib.h>

typedef struct PlatformNotify PlatformNotify;

/* Takes NOTIFY_SOCKET and WATCHDOG_* out of the environment, so that no child speaks for us; opens
   the socket, so before a sandbox that forbids to. In the main thread, before there is another. */
PlatformNotify *platform_notify_new(void);
void platform_notify_free(PlatformNotify *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformNotify, platform_notify_free)

/* It can be called now. Once. From here on the main context says that it is alive, as often as the
   manager wants to hear it: a main loop that hangs is ended. */
void platform_notify_ready(PlatformNotify *self);
/* For `systemctl status`; what is no printable text is replaced. */
void platform_notify_status(PlatformNotify *self, const char *status);
/* A call from now on is for the next start. */
void platform_notify_stopping(PlatformNotify *self);
