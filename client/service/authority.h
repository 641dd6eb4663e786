/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether polkit lets a caller do something. */
#pragma once

#include "client/service/caller.h"

/* An action of data/polkit, or a decision that needs none. */
typedef enum ServiceAction {
    SERVICE_ACTION_REFUSED, /* to everybody but root */
    SERVICE_ACTION_ANYBODY,
    SERVICE_ACTION_CONNECT_OWN,
    SERVICE_ACTION_CONNECT_SYSTEM,
    SERVICE_ACTION_CONNECT_PERSISTENT,
    SERVICE_ACTION_TAKE_OVER,
    SERVICE_ACTION_RELEASE_KILL_SWITCH,
    SERVICE_ACTION_MANAGE_SYSTEM_PROFILES,
} ServiceAction;

typedef enum ServiceAnswer {
    SERVICE_NO,
    SERVICE_YES,
    SERVICE_CHALLENGE, /* no; but somebody with a password could have said yes */
    SERVICE_UNKNOWN,   /* no, for polkit said nothing */
} ServiceAnswer;

/* Answers in the main context, and in bounded time: within two minutes with @interactive, which is
 * whether a person may be asked for a password, else within seconds. Whatever goes wrong is no yes.
 */
typedef void (*ServiceAllowed)(ServiceAnswer answer, gpointer data);
void service_authority_check(const ServiceCaller *caller, ServiceAction action, bool interactive,
                             ServiceAllowed answer, gpointer data);
