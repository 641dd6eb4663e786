/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's enumerations as the words that conversations compare.
 */
#ifndef TESTS_SIM_PIPE_NAMES_H
#define TESTS_SIM_PIPE_NAMES_H

#include "ike/ike.h"

const char *pipe_reason_name(IkeReason reason);
const char *pipe_state_name(IkeState state);
const char *pipe_detail_name(IkeDetail detail);
const char *pipe_auth_name(IkeAuth auth);

#endif
