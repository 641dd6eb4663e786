/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of profiles share. */
#pragma once

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/profile/parse.h"

/* Valid, and 8 lines long; PROFILE_AND(...) adds lines from 9 on. */
#define GOOD_PROFILE                                                                               \
    "[Gateway]\n"                                                                                  \
    "Address=192.0.2.1\n"                                                                          \
    "[Identity]\n"                                                                                 \
    "ID=alice@example.com\n"                                                                       \
    "Auth=psk\n"                                                                                   \
    "[Phase1]\n"                                                                                   \
    "Proposals=aes256-sha256-modp2048\n"                                                           \
    "\n"
#define PROFILE_AND(more) GOOD_PROFILE more

/* A valid profile with one key set to @value; everything else is right. */
char *profile_with(const char *group, const char *key, const char *value);

/* Asserts that the text is valid; the caller frees the profile. */
DialtoneProfile *expect_valid(const char *text);

/* All findings, one a line as check prints them, the file called F; the caller frees it. */
char *findings_of(const char *text, gsize n);

/* Asserts that the text is refused, and that one of its findings begins with @where ("F:4:
 * [Identity] ID: ") and has @said in it. */
void expect_refused(const char *text, const char *where, const char *said);

/* A file of the source tree, NUL-terminated; the caller frees it. */
char *read_source_file(const char *path, gsize *np);
