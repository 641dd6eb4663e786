/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the helper is told about the kill switch, and when.
 *
 * It stands from the claim on, before there is a socket, and lets no gateway be called at first. To
 * each address that is called the helper's answer is waited for, or the first packet would be
 * dropped. Until it is known what the tunnel carries, everything counts as the tunnel's. It is
 * released when the user ends the connection, or when there never was one and none before it has
 * left one standing; a tunnel that was lost,
 * and whatever dies, leaves it as it is.
 */
#include "client/tunnel/tunnel-killswitch.h"

#include "client/common/i18n.h"
#include "client/tunnel/config.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/protected.h"

bool tunnel_kill_switch_is_wanted(const Tunnel *self)
{
    return self->profile->kill_switch != DIALTONE_KILL_SWITCH_NO;
}

PlatformKillSwitch *tunnel_kill_switch_new(const Tunnel *self, const IkeAddress *gateway)
{
    PlatformKillSwitch *kill_switch = platform_kill_switch_new();
    kill_switch->persistent = self->profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT ||
                              tunnel_change_kill_switch(self) == DIALTONE_KILL_SWITCH_PERSISTENT;
    if (self->plan != NULL) {
        const GArray *networks = self->plan->routes, *exclude = self->plan->exclude;
        g_array_append_vals(kill_switch->networks, networks->data, networks->len);
        g_array_append_vals(kill_switch->exclude, exclude->data, exclude->len);
    } else {
        tunnel_protect(self->profile, kill_switch);
    }
    if (gateway != NULL) {
        const PlatformEndpoint endpoint = {tunnel_address_from_ike(gateway), gateway->port};
        g_array_append_val(kill_switch->gateways, endpoint);
    }
    return kill_switch;
}

/* ---- the gateway ---- */

void tunnel_kill_switch_let_pass(Tunnel *self, const IkeAddress *gateway)
{
    g_autoptr(PlatformKillSwitch) kill_switch = tunnel_kill_switch_new(self, gateway);
    self->let_pass = *gateway;
    self->passing = true;
    tunnel_network_set_kill_switch(self->network, kill_switch);
}

static GError *explain(const GError *why)
{
    GError *error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                         _("Install libnftables (the package libnftables1), or set [Network] "
                           "KillSwitch=no."),
                         _("The kill switch could not be set up: %s"), why->message);
    return error;
}

void tunnel_kill_switch_is_set(Tunnel *self, const GError *error)
{
    if (error != NULL) {
        tunnel_end(self, explain(error));
        return;
    }
    if (!self->passing || self->end != TUNNEL_END_NOT)
        return;
    self->passing = false;
    tunnel_attempt_may_call(self, &self->let_pass);
}

/* ---- the end ---- */

static bool is_to_stay(const Tunnel *self)
{
    return self->profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT ||
           (self->error != NULL && tunnel_is_wanted_back(self));
}

void tunnel_kill_switch_tell(Tunnel *self)
{
    tunnel_notice(self, _("The kill switch still stands. Connect again, or release it with `sudo "
                          "dialtone disconnect --release-kill-switch`."));
}

void tunnel_kill_switch_end(Tunnel *self)
{
    if (!tunnel_kill_switch_is_wanted(self) &&
        tunnel_change_kill_switch(self) == DIALTONE_KILL_SWITCH_NO)
        return;
    if (!is_to_stay(self)) {
        tunnel_network_release_kill_switch(self->network, self->error == NULL);
        return;
    }
    tunnel_kill_switch_tell(self);
}
