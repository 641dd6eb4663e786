/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of client/tunnel share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/profile/profile.h"
#include "ike/ike.h"
#include "platform/address.h"

/* A small valid profile in which the lines of @more stand last; fails the test if it is not valid.
 * @more may begin with a group. */
DialtoneProfile *kit_profile(const char *more);
/* A profile as it stands. */
DialtoneProfile *kit_profile_of(const char *text);

IkeAddress kit_address(const char *text);
IkeNetwork kit_network(const char *text);
