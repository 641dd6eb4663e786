/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which state of a connection may follow which. */
#pragma once

#include <stdbool.h>

#include "client/common/state.h"

bool tunnel_state_may_follow(DialtoneState from, DialtoneState to) G_GNUC_WARN_UNUSED_RESULT;
