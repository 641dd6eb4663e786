/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * polkit, asked about the caller's name on the bus: a process number could pass to another process
 * between the question and the answer. Root needs no polkit; where there is none, nobody else may
 * do what needs it.
 */
#include "client/service/authority.h"

#include <polkit/polkit.h>

/* A person looks for a password; polkit itself, started on demand, for its rules. */
enum { ASK_SECONDS = 120, CHECK_SECONDS = 10 };

typedef struct Check {
    char *bus_name;
    const char *id; /* of the action */
    PolkitCheckAuthorizationFlags flags;
    GCancellable *cancellable;
    guint timer;
    ServiceAllowed answer;
    gpointer data;
    bool allowed;
} Check;

static const char *const IDS[] = {
    [SERVICE_ACTION_CONNECT_OWN] = "org.dialtone.connect-own",
    [SERVICE_ACTION_CONNECT_SYSTEM] = "org.dialtone.connect-system",
    [SERVICE_ACTION_CONNECT_PERSISTENT] = "org.dialtone.connect-persistent",
    [SERVICE_ACTION_TAKE_OVER] = "org.dialtone.take-over",
    [SERVICE_ACTION_RELEASE_KILL_SWITCH] = "org.dialtone.release-kill-switch",
    [SERVICE_ACTION_MANAGE_SYSTEM_PROFILES] = "org.dialtone.manage-system-profiles",
};

static void finish(Check *check, ServiceAnswer answer)
{
    g_clear_handle_id(&check->timer, g_source_remove);
    check->answer(answer, check->data);
    g_object_unref(check->cancellable);
    g_free(check->bus_name);
    g_free(check);
}

static void on_checked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PolkitAuthorizationResult) answer =
        polkit_authority_check_authorization_finish(POLKIT_AUTHORITY(source), result, &error);
    if (answer == NULL)
        g_warning("polkit gave no answer: %s", error->message);
    if (answer == NULL)
        finish(data, SERVICE_UNKNOWN);
    else if (polkit_authorization_result_get_is_authorized(answer))
        finish(data, SERVICE_YES);
    else if (polkit_authorization_result_get_is_challenge(answer))
        finish(data, SERVICE_CHALLENGE);
    else
        finish(data, SERVICE_NO);
}

static void on_authority(GObject *source, GAsyncResult *result, gpointer data)
{
    Check *check = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(PolkitAuthority) authority = polkit_authority_get_finish(result, &error);
    if (authority == NULL) {
        g_warning("polkit is not there: %s", error->message);
        finish(check, SERVICE_UNKNOWN);
        return;
    }
    g_autoptr(PolkitSubject) subject = polkit_system_bus_name_new(check->bus_name);
    polkit_authority_check_authorization(authority, subject, check->id, NULL, check->flags,
                                         check->cancellable, on_checked, check);
}

static gboolean on_late(gpointer data)
{
    Check *check = data;
    check->timer = 0;
    g_cancellable_cancel(check->cancellable);
    return G_SOURCE_REMOVE;
}

static gboolean on_decided(gpointer data)
{
    Check *check = data;
    finish(check, check->allowed ? SERVICE_YES : SERVICE_NO);
    return G_SOURCE_REMOVE;
}

void service_authority_check(const ServiceCaller *caller, ServiceAction action, bool interactive,
                             ServiceAllowed answer, gpointer data)
{
    Check *check = g_new0(Check, 1);
    *check = (Check){.bus_name = g_strdup(caller->bus_name),
                     .cancellable = g_cancellable_new(),
                     .answer = answer,
                     .data = data};
    check->flags = interactive ? POLKIT_CHECK_AUTHORIZATION_FLAGS_ALLOW_USER_INTERACTION
                               : POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE;
    switch (action) {
    case SERVICE_ACTION_CONNECT_OWN:
    case SERVICE_ACTION_CONNECT_SYSTEM:
    case SERVICE_ACTION_CONNECT_PERSISTENT:
    case SERVICE_ACTION_TAKE_OVER:
    case SERVICE_ACTION_RELEASE_KILL_SWITCH:
    case SERVICE_ACTION_MANAGE_SYSTEM_PROFILES:
        check->id = IDS[action];
        break;
    case SERVICE_ACTION_REFUSED:
        break;
    case SERVICE_ACTION_ANYBODY:
        check->allowed = true;
        break;
    }
    check->allowed |= caller->uid == 0;
    if (check->allowed || check->id == NULL) {
        g_idle_add(on_decided, check);
        return;
    }
    check->timer = g_timeout_add_seconds(interactive ? ASK_SECONDS : CHECK_SECONDS, on_late, check);
    polkit_authority_get_async(check->cancellable, on_authority, check);
}
