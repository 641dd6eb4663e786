/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a profile does not connect by itself for now, written down where it outlives the service: a
 * restart is no word of the user's, and no new password. */
#pragma once

#include "client/service/manager-private.h"

/* As the profile is held now, or not at all any more. */
void service_hold_keep(const ServiceManager *self, const ServiceProfile *profile);
/* The profile has come: it is held as it was, as far as what it was held for still is. */
void service_hold_restore(ServiceManager *self, ServiceProfile *profile);
