/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as the arguments of Helper1.Apply: the side without privileges. */
#pragma once

#include "platform/helper-plan.h"

/* Starts the call; end it with dialtone_helper1_call_apply_finish(). */
void helper_plan_call_apply(const HelperPlan *plan, DialtoneHelper1 *helper,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);
