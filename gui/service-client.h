/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service on the system bus, as the desktop sees it: there, not there, or there again. */
#pragma once

#include <gio/gio.h>

#include "dialtone-dialtone1.h"

typedef enum {
    DIALTONE_SERVICE_STARTING,
    DIALTONE_SERVICE_THERE,
    DIALTONE_SERVICE_MISSING, /* dialtone_service_client_get_error() says why */
} DialtoneServicePresence;

#define DIALTONE_TYPE_SERVICE_CLIENT (dialtone_service_client_get_type())
G_DECLARE_FINAL_TYPE(DialtoneServiceClient, dialtone_service_client, DIALTONE, SERVICE_CLIENT,
                     GObject)

/* Signals: "presence" when that has changed; "objects" when something that the service exports has.
 * Nothing begins before dialtone_service_client_start(). */
DialtoneServiceClient *dialtone_service_client_new(void);
/* Also: tries again, after it was missing. */
void dialtone_service_client_start(DialtoneServiceClient *self);

DialtoneServicePresence dialtone_service_client_get_presence(DialtoneServiceClient *self);
/* Owned by @self; NULL unless it is missing. */
const GError *dialtone_service_client_get_error(DialtoneServiceClient *self);
/* These are NULL unless it is there. Owned by @self. */
GDBusConnection *dialtone_service_client_get_bus(DialtoneServiceClient *self);
DialtoneBusManager *dialtone_service_client_get_manager(DialtoneServiceClient *self);
/* ":1.7": who may call what this program exports. NULL; the caller frees it. */
char *dialtone_service_client_dup_owner(DialtoneServiceClient *self);

/* Lists of what there is now; the caller frees them with their objects. */
GList *dialtone_service_client_get_objects(DialtoneServiceClient *self);

/* A method of @object, for which polkit may ask a person. The answer is had with
 * dialtone_service_client_call_finish(), whose error is a DIALTONE_FAILURE. */
void dialtone_service_client_call(GDBusProxy *object, const char *method, GVariant *parameters,
                                  GAsyncReadyCallback done, gpointer data);
GVariant *dialtone_service_client_call_finish(GObject *source, GAsyncResult *result,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
