/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes out of a text who and where somebody is, and leaves what is to be understood: the same
 * name or address has the same stand-in throughout. */
#pragma once

#include <glib.h>

typedef struct CliRedaction CliRedaction;

CliRedaction *cli_redaction_new(void) G_GNUC_WARN_UNUSED_RESULT;
void cli_redaction_free(CliRedaction *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CliRedaction, cli_redaction_free)

/* @word is never to be seen; it becomes <KIND-1>, <KIND-2> and so on. NULL and words of less than
 * three characters are left alone. */
void cli_redaction_add(CliRedaction *self, const char *kind, const char *word);

/* Beside those words, every address of IPv4, IPv6 and mail goes. The caller frees it. */
char *cli_redact(CliRedaction *self, const char *text) G_GNUC_WARN_UNUSED_RESULT;
