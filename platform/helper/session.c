// SPDX-License-Identifier: GPL-2.0-or-later
/* The methods of Helper1 for one caller: checks of what may be asked when, and the descriptors.
 *
 * Every method ends in one place with a reply or an error, and an error changes nothing. A
 * descriptor that went into a reply is closed here: the helper keeps none.
 */
#include "platform/helper/session.h"

#include "platform/helper-killswitch.h"
#include "platform/helper/error.h"
#include "platform/words.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

enum {
    TAKEN_WAIT_MS = 1000, /* for a tunnel of the same label that is about to be gone */
    TAKEN_LOOK_MS = 20,
};

struct HelperSession {
    char *dir;
    PlatformSlot *slot;
    HelperNetwork *network;
    int state_fd; /* until it is claimed */
    gboolean claimed;
    gboolean asked; /* by the user, to end */
    DialtoneHelper1 *skeleton;
    gulong handlers[5];
};

/* ---- arguments ---- */

static gboolean refuse(GDBusMethodInvocation *invocation, HelperError code, const char *message)
{
    g_dbus_method_invocation_return_error_literal(invocation, HELPER_ERROR, (gint)code, message);
    return TRUE;
}

static gboolean fail(GDBusMethodInvocation *invocation, GError *error)
{
    g_dbus_method_invocation_return_gerror(invocation, error);
    return TRUE;
}

/* Shown on terminals: no control characters, of C1 neither. */
static gboolean is_label(const char *label)
{
    size_t n = strlen(label);

    if (n == 0 || n > PLATFORM_SLOT_LABEL || !g_utf8_validate(label, -1, NULL))
        return FALSE;
    for (const char *p = label; *p; p = g_utf8_next_char(p)) {
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    }
    return TRUE;
}

typedef struct Option {
    const char *name;
    gboolean value;
} Option;

static Option *find(Option *known, gsize n, const char *name)
{
    for (gsize i = 0; i < n; i++) {
        if (!strcmp(known[i].name, name))
            return &known[i];
    }
    return NULL;
}

/* Those that are known, of type b; FALSE for any other. */
static gboolean read_options(GVariant *options, Option *known, gsize n)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;
    gboolean ok = TRUE;

    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        Option *option = find(known, n, key);

        if (option && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
            option->value = g_variant_get_boolean(value);
        else
            ok = FALSE;
        g_variant_unref(value);
    }
    return ok;
}

/* A list with this one descriptor, which is closed. */
static GUnixFDList *take_fd(int fd_take)
{
    return g_unix_fd_list_new_from_array(&fd_take, 1);
}

/* ---- methods ---- */

/* A tunnel that ends says so before its helper has gone, and the helper of a caller that was killed
 * is still undoing when the next one asks. Nobody but that caller waits for this process yet. */
static bool is_taken(HelperSession *session, const char *label)
{
    for (unsigned waited = 0; waited < TAKEN_WAIT_MS; waited += TAKEN_LOOK_MS) {
        if (!platform_slot_is_taken(session->slot, session->dir, label))
            return false;
        g_usleep(TAKEN_LOOK_MS * 1000);
    }
    return true;
}

static gboolean on_claim(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                         GUnixFDList *fds, const char *label, GVariant *options,
                         HelperSession *session)
{
    PlatformSlotInfo *info = platform_slot_info(session->slot);
    PlatformFirewall *firewall = helper_network_firewall(session->network);
    g_autoptr(GError) error = NULL;
    Option known[] = {{.name = "kill-switch"}, {.name = "system"}};

    if (session->claimed)
        return refuse(invocation, HELPER_ERROR_ALREADY_CLAIMED, "a slot was claimed before");
    if (!is_label(label) || !read_options(options, known, G_N_ELEMENTS(known)))
        return refuse(invocation, HELPER_ERROR_INVALID_ARGUMENT, "label or options");
    if (is_taken(session, label))
        return refuse(invocation, HELPER_ERROR_IN_USE, N_("a tunnel of that label is up"));
    g_strlcpy(info->label, label, sizeof info->label);
    const PlatformFirewallClaim claim = {.kill_switch = known[0].value, .shared = known[1].value};

    if (!platform_firewall_begin(firewall, &claim, &error))
        return refuse(invocation, HELPER_ERROR_SYSTEM, error->message);
    int r = platform_slot_publish(session->slot);

    if (r < 0)
        return refuse(invocation, HELPER_ERROR_SYSTEM, g_strerror(-r));
    session->claimed = TRUE;
    g_autoptr(GUnixFDList) list = take_fd(session->state_fd);

    session->state_fd = -1;
    dialtone_helper1_complete_claim(skeleton, invocation, list, info->number, info->interface,
                                    info->table, info->mark, g_variant_new_handle(0));
    return TRUE;
}

static gboolean on_open_socket(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                               GUnixFDList *fds, guint family, GVariant *options,
                               HelperSession *session)
{
    g_autoptr(GError) error = NULL;
    Option esp = {.name = "esp"};
    uint16_t port = 0;
    int fd;

    if (!session->claimed)
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    if ((family != 4 && family != 6 && family != AF_NETLINK) ||
        !read_options(options, &esp, family == AF_NETLINK ? 0 : 1))
        return refuse(invocation, HELPER_ERROR_INVALID_ARGUMENT, "family or options");
    const int af = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_NETLINK;
    gboolean ok = esp.value ? helper_network_take_esp(session->network, af, &fd, &error)
                            : helper_network_open_socket(session->network, af, &fd, &port, &error);

    if (!ok)
        return fail(invocation, error);
    g_autoptr(GUnixFDList) list = take_fd(fd);

    dialtone_helper1_complete_open_socket(skeleton, invocation, list, g_variant_new_handle(0),
                                          port);
    return TRUE;
}

static gboolean on_open_tun(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                            GUnixFDList *fds, guint mtu, GVariant *options, HelperSession *session)
{
    g_autoptr(GError) error = NULL;
    Option vnet_hdr = {.name = "vnet-hdr"};
    int fd;

    if (!session->claimed)
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    if (mtu < HELPER_PLAN_MTU_MIN || mtu > HELPER_PLAN_MTU_MAX ||
        !read_options(options, &vnet_hdr, 1))
        return refuse(invocation, HELPER_ERROR_INVALID_ARGUMENT, "mtu or options");
    if (!helper_network_open_tun(session->network, mtu, vnet_hdr.value, &fd, &error))
        return fail(invocation, error);
    g_autoptr(GUnixFDList) list = take_fd(fd);

    dialtone_helper1_complete_open_tun(skeleton, invocation, list, g_variant_new_handle(0));
    return TRUE;
}

static gboolean on_apply(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation, guint mtu,
                         GVariant *addresses, GVariant *routes, GVariant *exclude, GVariant *dns,
                         GVariant *domains, GVariant *gateways, GVariant *options,
                         HelperSession *session)
{
    const HelperPlanArguments arguments = {
        mtu, addresses, routes, exclude, dns, domains, gateways, options,
    };
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    if (!session->claimed)
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    HelperPlan *plan = helper_plan_from_arguments(&arguments, &error);

    if (!plan || !helper_network_apply(session->network, plan, warnings, &error))
        return fail(invocation, error);
    g_ptr_array_add(warnings, NULL);
    dialtone_helper1_complete_apply(skeleton, invocation, (const char *const *)warnings->pdata);
    return TRUE;
}

static gboolean on_release(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                           HelperSession *session)
{
    g_autoptr(GError) error = NULL;

    if (!session->claimed)
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    if (!helper_network_undo(session->network, FALSE, &error))
        return fail(invocation, error);
    dialtone_helper1_complete_release(skeleton, invocation);
    return TRUE;
}

/* ---- the session ---- */

/* The first slot that is free, whose numbers nobody else uses, and where no kill switch of another
   user's stands. */
static gboolean take_slot(HelperSession *session, uid_t uid, GError **error)
{
    for (unsigned number = 0; number < PLATFORM_SLOT_COUNT; number++) {
        int r = platform_slot_claim(session->dir, number, &session->slot);

        if (r < 0) {
            g_clear_error(error);
            g_set_error(error, HELPER_ERROR,
                        r == -ENOSPC ? HELPER_ERROR_NO_SLOT : HELPER_ERROR_SYSTEM,
                        "cannot take a slot in %s: %s", session->dir, g_strerror(-r));
            return FALSE;
        }
        number = platform_slot_info(session->slot)->number;
        g_clear_error(error);
        session->network =
            helper_network_new(session->slot, session->dir, &platform_dns_paths, error);
        platform_slot_info(session->slot)->uid = uid;
        if (session->network &&
            platform_firewall_is_for(helper_network_firewall(session->network), uid))
            return TRUE;
        g_clear_pointer(&session->network, helper_network_free);
        platform_slot_unlock(session->slot);
        session->slot = NULL;
        if (*error && !g_error_matches(*error, HELPER_ERROR, HELPER_ERROR_NO_SLOT))
            return FALSE;
    }
    if (!*error)
        g_set_error(error, HELPER_ERROR, HELPER_ERROR_NO_SLOT, "others' kill switches stand");
    return FALSE;
}

HelperSession *helper_session_new(const char *dir, uid_t uid, gid_t gid, GError **error)
{
    HelperSession *session = g_new0(HelperSession, 1);
    g_autoptr(GError) failure = NULL;

    session->dir = g_strdup(dir ? dir : PLATFORM_SLOT_DIR);
    session->state_fd = -1;
    gboolean ok = take_slot(session, uid, &failure);

    if (ok) {
        int r = platform_slot_open_state(session->slot, uid, gid, &session->state_fd);

        ok = r == 0;
        if (!ok)
            g_set_error(&failure, HELPER_ERROR, HELPER_ERROR_SYSTEM,
                        "cannot make the state file: %s", g_strerror(-r));
    }
    if (ok)
        return session;
    helper_session_free(session);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

static void on_warning(const char *warning, void *user_data)
{
    const HelperSession *session = user_data;

    dialtone_helper1_emit_warned(session->skeleton, warning);
}

gboolean helper_session_serve(HelperSession *session, GDBusConnection *connection, GError **error)
{
    DialtoneHelper1 *skeleton = dialtone_helper1_skeleton_new();

    session->skeleton = skeleton;
    session->handlers[0] =
        g_signal_connect(skeleton, "handle-claim", G_CALLBACK(on_claim), session);
    session->handlers[1] =
        g_signal_connect(skeleton, "handle-open-socket", G_CALLBACK(on_open_socket), session);
    session->handlers[2] =
        g_signal_connect(skeleton, "handle-open-tun", G_CALLBACK(on_open_tun), session);
    session->handlers[3] =
        g_signal_connect(skeleton, "handle-apply", G_CALLBACK(on_apply), session);
    session->handlers[4] =
        g_signal_connect(skeleton, "handle-release", G_CALLBACK(on_release), session);
    platform_kill_switch_serve(skeleton, helper_network_firewall(session->network));
    helper_network_on_warning(session->network, on_warning, session);
    if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(skeleton), connection,
                                          HELPER_OBJECT_PATH, error))
        return FALSE;
    g_dbus_connection_start_message_processing(connection);
    return TRUE;
}

void helper_session_note_end(HelperSession *session, gboolean by_user)
{
    session->asked = session->asked || by_user;
    if (!by_user)
        platform_firewall_keep(helper_network_firewall(session->network));
}

void helper_session_request_stop(HelperSession *session)
{
    if (session->skeleton)
        dialtone_helper1_emit_stop_requested(session->skeleton);
}

void helper_session_request_renegotiation(HelperSession *session)
{
    if (session->skeleton)
        dialtone_helper1_emit_renegotiate_requested(session->skeleton);
}

void helper_session_tell_sleep(HelperSession *session, gboolean asleep)
{
    if (session->skeleton)
        dialtone_helper1_emit_sleep_changed(session->skeleton, asleep);
}

gboolean helper_session_undo(HelperSession *session, GError **error)
{
    if (session->asked &&
        !platform_firewall_release(helper_network_firewall(session->network), TRUE, error))
        return FALSE;
    return helper_network_undo(session->network, TRUE, error);
}

void helper_session_free(HelperSession *session)
{
    if (!session)
        return;
    if (session->skeleton) {
        for (guint i = 0; i < G_N_ELEMENTS(session->handlers); i++)
            g_signal_handler_disconnect(session->skeleton, session->handlers[i]);
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(session->skeleton));
        g_object_unref(session->skeleton);
    }
    if (session->state_fd >= 0)
        close(session->state_fd);
    helper_network_free(session->network);
    platform_slot_release(session->slot);
    g_free(session->dir);
    g_free(session);
}
