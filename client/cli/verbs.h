/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the command line, one file each. argv[0] is the verb; what is returned is the exit
 * code of the program, a DialtoneFailure. When a verb begins no thread exists and GIO was not
 * called, so that `connect --standalone` can fork. */
#pragma once

int cli_connect(int argc, char **argv);
int cli_disconnect(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_monitor(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_show(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_renegotiate(int argc, char **argv);
int cli_log(int argc, char **argv);
int cli_bug_report(int argc, char **argv);
int cli_diagnose(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_secret(int argc, char **argv);
