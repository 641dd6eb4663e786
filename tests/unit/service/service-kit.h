/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the service share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
