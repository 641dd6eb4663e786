/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests of platform/ share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gio/gio.h>

/* A folder of its own for a test, removed by kit_remove_dir(). */
char *kit_make_dir(void);
void kit_remove_dir(char *dir_take);
char *kit_path(const char *dir, const char *name);
void kit_write(const char *path, const char *text);
/* NULL when it is not there. */
char *kit_read(const char *path);
/* One more connection to a bus of the test's own, which may end before it. */
GDBusConnection *kit_connect_bus(GTestDBus *daemon);
