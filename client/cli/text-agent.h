/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever sits at this terminal, as somebody whom polkit can ask for a password. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

typedef struct CliTextAgent {
    pid_t pid; /* 0: none */
} CliTextAgent;

/* False: there is no terminal to ask on, or polkit's program is not installed. */
bool cli_text_agent_start(CliTextAgent *agent) __attribute__((warn_unused_result));
void cli_text_agent_end(CliTextAgent *agent);
