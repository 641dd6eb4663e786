/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone renegotiate: makes a tunnel agree on new keys at once, and with them takes what was
 * changed in its profile since it came up.
 */
#include "client/cli/verbs.h"

#include <signal.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"

static int renegotiate(const PlatformSlotInfo *tunnel)
{
    switch (cli_signal(tunnel, SIGHUP, NULL)) {
    case CLI_SENT:
        return DIALTONE_FAILURE_NONE;
    case CLI_NOT_PERMITTED:
        return cli_not_permitted("renegotiate", tunnel);
    case CLI_GONE:
        break;
    }
    cli_complain(_("The tunnel went down meanwhile."));
    return DIALTONE_FAILURE_TUNNEL_LOST;
}

/* Its owner alone has the files that the profile is made of. */
static int renegotiate_service(DialtoneBusConnection *connection, const char *what)
{
    if (dialtone_bus_connection_get_owner(connection) != getuid())
        return cli_service_renegotiate(connection);
    return service_renegotiate(g_dbus_proxy_get_object_path(G_DBUS_PROXY(connection)),
                               what != NULL ? what : dialtone_bus_connection_get_name(connection));
}

/* @what the user calls the profile; NULL: nothing was named. */
static int renegotiate_all(const CliTargets *targets, const char *what)
{
    int code = DIALTONE_FAILURE_NONE;

    for (guint i = 0; i < targets->connections->len; i++) {
        int one = renegotiate_service(targets->connections->pdata[i], what);
        code = one != DIALTONE_FAILURE_NONE ? one : code;
    }
    for (guint i = 0; i < targets->tunnels->len; i++) {
        int one = renegotiate(&g_array_index(targets->tunnels, PlatformSlotInfo, i));
        code = one != DIALTONE_FAILURE_NONE ? one : code;
    }
    return code;
}

int cli_renegotiate(int argc, char **argv)
{
    const CliHelp help = {
        .arguments = _("[PROFILE]"),
        .summary = _("Makes the tunnel of PROFILE, or the only one that is up, agree on new keys "
                     "now."),
        .description =
            _("A profile that was changed is taken at once, by you who have connected it: the "
              "tunnel is set up with it again, while the network stays as it is, and goes on with "
              "the former when that fails. Its name, and IPv4 or IPv6 of its gateway, can't be "
              "changed that way."),
    };
    g_auto(GStrv) profiles = NULL;

    if (!cli_parse(argc, argv, NULL, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(profiles) > 1)
        return cli_usage(argv[0], _("'%s' is one argument too many"), profiles[1]);

    g_autofree char *name = profiles[0] != NULL ? cli_profile_name(profiles[0]) : NULL;
    g_auto(CliTargets) targets = {0};
    cli_targets_find(&targets, name);
    guint n = cli_targets_count(&targets);
    if (n == 0) {
        int code = cli_none_is_up(profiles[0]);
        return code != DIALTONE_FAILURE_NONE ? code : DIALTONE_FAILURE_TUNNEL_LOST;
    }
    if (n > 1 && name == NULL)
        return cli_usage(argv[0], "%s", _("several tunnels are up; name a profile"));
    return renegotiate_all(&targets, profiles[0]);
}
