/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may use a profile of the system, by the computer's directory of users. That may be a server
 * far away, so a process of its own asks it; nobody here waits. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/profile/access.h"

typedef struct ServiceDirectory ServiceDirectory;

/* Asks and waits, in that process; see dialtone_accounts_allow(). */
typedef bool (*ServiceDirectoryAllow)(const GPtrArray *users, const GPtrArray *groups,
                                      const DialtoneSubject *subject);

typedef enum ServiceNamed {
    SERVICE_NAMED_NOT,
    SERVICE_NAMED,
    SERVICE_NAMED_UNKNOWN, /* the directory gave no answer in time */
} ServiceNamed;

/* In the main context, and in bounded time; for what was answered lately, before _ask() returns. */
typedef void (*ServiceDirectoryAnswer)(ServiceNamed named, gpointer data);

/* Makes that process: before the first thread, and before the sandbox, which lets no directory be
 * reached. Its end of a socket; -1: it can't be made. */
int service_directory_start(ServiceDirectoryAllow allow);

/* Takes the socket; -1: nobody is ever known. @seconds for an answer. */
ServiceDirectory *service_directory_new(int fd_take, guint seconds);
/* What waits is not answered any more; its data is forgotten. */
void service_directory_free(ServiceDirectory *self);

/* Whether the profile is for the subject. Without a list of groups (@subject->gids NULL) they are
 * those that the directory has. */
void service_directory_ask(ServiceDirectory *self, const DialtoneProfile *profile,
                           const DialtoneSubject *subject, ServiceDirectoryAnswer answer,
                           gpointer data);
