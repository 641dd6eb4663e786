/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the program starts with the session: a file in the user's autostart folder. */
#pragma once

#include <gio/gio.h>

/* The setting and the file become the same, and stay so as long as @settings lives. */
void dialtone_autostart_follow(GSettings *settings);
