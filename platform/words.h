/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks what users may come to read in an error. It is translated by the program that shows it:
 * nothing here knows a language. */
#pragma once

#define N_(text) text
