/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of `dialtone secret` that needs no profile. */
#pragma once

#include <stdbool.h>

/* Prints a new preshared key. Returns the exit code. */
int cli_secret_generate(bool as_json);
