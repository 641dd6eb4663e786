/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak algorithms are used where a profile names them, and marked wherever a user looks. */
#pragma once

#include "client/common/report.h"

/* Sets the report's `weak` from the algorithms of both phases: each weak one once, in order. */
void dialtone_report_mark_weak(DialtoneReport *report);
