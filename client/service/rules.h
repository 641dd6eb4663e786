/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that a profile's [Rules] want or refuse, where the machine is. */
#pragma once

#include "client/service/manager-private.h"

/* The profile has come, or something that its rules are about. */
void service_rules_look(ServiceManager *self, ServiceProfile *profile);
/* False with POLICY: it is not to be connected where we are, by hand neither. */
bool service_rules_allow(ServiceManager *self, const DialtoneProfile *profile, GError **error);
/* The same for what connects by itself: where nobody knows where we are, it does not. */
bool service_rules_let_connect(ServiceManager *self, const ServiceProfile *profile);
/* Nothing is connected by itself any more, until the network changes or it is released. */
void service_rules_hold(ServiceManager *self, ServiceProfile *profile);
void service_rules_release(ServiceManager *self, ServiceProfile *profile);
/* What stands for another profile object is as that was. */
void service_rules_take_over(ServiceProfile *from, ServiceProfile *by);
/* Its connection has failed: false: that is none of its rules' business. */
bool service_rules_failed(ServiceManager *self, ServiceProfile *profile,
                          const ServiceConnection *connection);
/* Its connection is gone. */
void service_rules_gone(ServiceManager *self, ServiceProfile *profile);
void service_rules_agent_came(ServiceManager *self);
void service_rules_end(ServiceManager *self);
