/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verbs share: options, failures, and the tunnels that are up. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/common/report.h"
#include "client/credential/credential.h"
#include "client/profile/parse.h"
#include "client/profile/store.h"
#include "platform/slot.h"

typedef struct {
    const char *arguments;   /* "PROFILE", shown behind the options; NULL for none */
    const char *summary;     /* one sentence */
    const char *description; /* examples and exit codes; NULL for none */
} CliHelp;

/* Reads the options of a verb; `--help` prints and exits. @rest, which may be NULL, gets the other
 * arguments. False: it complained, and the exit code is 2. */
bool cli_parse(int argc, char **argv, const GOptionEntry *options, const CliHelp *help,
               char ***restp) G_GNUC_WARN_UNUSED_RESULT;

/* Prints `dialtone VERB: message` and how to get help. Returns the exit code, 2. */
int cli_usage(const char *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Prints message and advice on standard error. Returns the exit code. */
int cli_fail(const GError *error);

/* For a person at a terminal: in their language, and with the command that helps. */
void cli_report_localize(DialtoneReport *report);

/* Prints text made fit for a terminal. */
void cli_print(const char *text);
void cli_complain(const char *text);

/* What was found in a profile and in what the user changed of it, warnings alone or errors too, on
 * standard error. @more, which may be NULL, are findings about the two together. */
void cli_complain_of(const DialtoneFound *found, const GPtrArray *more, bool errors);

/* The file that sets the key of a finding about the two together. */
const char *cli_issue_file(const DialtoneFound *found,
                           const DialtoneIssue *issue) G_GNUC_WARN_UNUSED_RESULT;

/* On whose behalf the program runs: under sudo the user who called it. */
uid_t cli_caller(void) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the profile that the user called @what; @what itself when no profile is found, for
 * a tunnel may run on one that is gone. The caller frees it. */
char *cli_profile_name(const char *what) G_GNUC_WARN_UNUSED_RESULT;

/* Says that the tunnel of @what, as the user called it, or none at all (NULL) is up. Returns the
 * exit code: 0, or 3 where there is no such profile either. */
int cli_none_is_up(const char *what);

/* The tunnels that are up; an array of PlatformSlotInfo. With @name only those of that profile. */
GArray *cli_tunnels(const char *name) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    CLI_SENT,
    CLI_GONE, /* it ended before the signal reached it */
    CLI_NOT_PERMITTED,
} CliSignal;

/* Sends @number to the tunnel's process and to no other that got its number. @pidfdp, which may be
 * NULL, gets a descriptor that is readable when it has ended; the caller closes it. */
CliSignal cli_signal(const PlatformSlotInfo *tunnel, int number, int *pidfdp);

/* Prints that root must do it. Returns the exit code, 10. */
int cli_not_permitted(const char *verb, const PlatformSlotInfo *tunnel);

/* ---- certificate.c ---- */

/* The certificate of a profile with Auth=certificate, without its key; what is to be said about it
 * goes to @issues. NULL without an error: it is locked, or there is none. */
DialtoneCertificate *cli_certificate(const DialtoneProfile *profile, const char *path,
                                     const DialtoneSecret *passphrase, GPtrArray *issues,
                                     GError **error);
/* "your certificate is CN=alice, until 2027-03-01". The caller frees it. */
char *cli_certificate_line(const DialtoneCertificate *certificate) G_GNUC_WARN_UNUSED_RESULT;
/* Text made fit for JSON or one line; the caller frees it. */
char *cli_clean(const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* A member of text made fit for JSON, for the names of files are bytes; NULL is null. */
void cli_json_text(JsonBuilder *json, const char *name, const char *text);
/* The member `certificate`. */
void cli_certificate_json(JsonBuilder *json, const DialtoneCertificate *certificate);
