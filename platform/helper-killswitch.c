// SPDX-License-Identifier: GPL-2.0-or-later
/* Helper1.SetKillSwitch and Helper1.ReleaseKillSwitch. */
#include "platform/helper-killswitch.h"

#include "platform/helper/error.h"

static gboolean refuse(GDBusMethodInvocation *invocation, HelperError code, const char *message)
{
    g_dbus_method_invocation_return_error_literal(invocation, HELPER_ERROR, (gint)code, message);
    return TRUE;
}

static gboolean on_set(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                       GVariant *gateways, GVariant *networks, GVariant *exclude, GVariant *options,
                       PlatformFirewall *firewall)
{
    const PlatformKillSwitchArguments arguments = {gateways, networks, exclude, options};
    g_autoptr(GError) error = NULL;
    const char *why = NULL;

    if (!platform_firewall_has_begun(firewall))
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    PlatformKillSwitch *kill_switch = platform_kill_switch_from_arguments(&arguments, &why);

    if (!kill_switch)
        return refuse(invocation, HELPER_ERROR_INVALID_ARGUMENT, why);
    if (!platform_firewall_arm(firewall, kill_switch, &error))
        return refuse(invocation, HELPER_ERROR_SYSTEM, error->message);
    dialtone_helper1_complete_set_kill_switch(skeleton, invocation);
    return TRUE;
}

static gboolean on_release(DialtoneHelper1 *skeleton, GDBusMethodInvocation *invocation,
                           gboolean asked, PlatformFirewall *firewall)
{
    g_autoptr(GError) error = NULL;

    if (!platform_firewall_has_begun(firewall))
        return refuse(invocation, HELPER_ERROR_NOT_CLAIMED, "no slot was claimed");
    if (!platform_firewall_release(firewall, asked, &error))
        return refuse(invocation, HELPER_ERROR_SYSTEM, error->message);
    dialtone_helper1_complete_release_kill_switch(skeleton, invocation);
    return TRUE;
}

void platform_kill_switch_serve(DialtoneHelper1 *skeleton, PlatformFirewall *firewall)
{
    g_signal_connect(skeleton, "handle-set-kill-switch", G_CALLBACK(on_set), firewall);
    g_signal_connect(skeleton, "handle-release-kill-switch", G_CALLBACK(on_release), firewall);
}
