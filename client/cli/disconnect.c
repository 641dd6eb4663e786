/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone disconnect: asks the service, or the process of a standalone tunnel, to end it, and
 * waits until the network is as it was. That nothing is up is what was wanted, and no failure.
 */
#include "client/cli/verbs.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "platform/firewall.h"

/* A gateway gets a DELETE and a moment to answer; the rest is local. */
enum { WAIT_SECONDS = 30 };

static bool wait_for_end(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    gint64 until = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

    for (;;) {
        gint64 left = until - g_get_monotonic_time();
        if (left <= 0)
            return false;
        int n = poll(&ended, 1, (int)(left / 1000) + 1);
        if (n > 0)
            return true;
    }
}

static int disconnect(const PlatformSlotInfo *tunnel)
{
    int pidfd = -1;

    switch (cli_signal(tunnel, SIGTERM, &pidfd)) {
    case CLI_NOT_PERMITTED:
        return cli_not_permitted("disconnect", tunnel);
    case CLI_GONE:
        return DIALTONE_FAILURE_NONE;
    case CLI_SENT:
        break;
    }
    bool ended = wait_for_end(pidfd);
    close(pidfd);
    if (ended)
        return DIALTONE_FAILURE_NONE;
    g_autofree char *line =
        g_strdup_printf(_("the tunnel of '%s' (process %d) did not end within %d seconds"),
                        tunnel->label, (int)tunnel->pid, WAIT_SECONDS);
    cli_complain(line);
    return DIALTONE_FAILURE_INTERNAL;
}

static int disconnect_all(const CliTargets *targets)
{
    int code = DIALTONE_FAILURE_NONE;

    for (guint i = 0; i < targets->connections->len; i++) {
        int one = cli_service_disconnect(targets->connections->pdata[i]);
        code = one != DIALTONE_FAILURE_NONE ? one : code;
    }
    for (guint i = 0; i < targets->tunnels->len; i++) {
        int one = disconnect(&g_array_index(targets->tunnels, PlatformSlotInfo, i));
        code = one != DIALTONE_FAILURE_NONE ? one : code;
    }
    return code;
}

/* Each name once, for the service releases all of a name. */
static GPtrArray *names_left(const char *name)
{
    g_autoptr(GArray) left = platform_firewall_left(NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < left->len; i++) {
        const char *label = g_array_index(left, PlatformFirewallLeft, i).label;
        if ((name == NULL || strcmp(label, name) == 0) &&
            !g_ptr_array_find_with_equal_func(names, label, g_str_equal, NULL))
            g_ptr_array_add(names, g_strdup(label));
    }
    return names;
}

/* The service knows whom polkit lets. */
static int release_by_service(const char *name)
{
    g_autoptr(GPtrArray) names = names_left(name);
    g_autoptr(CliService) service = names->len > 0 ? cli_service_new(NULL) : NULL;
    int code = DIALTONE_FAILURE_NONE;

    if (names->len > 0 && service == NULL) {
        cli_complain(_("without the service a kill switch is released with root's rights only"));
        cli_complain(_("Try: sudo dialtone disconnect --release-kill-switch"));
        return DIALTONE_FAILURE_NOT_PERMITTED;
    }
    for (guint i = 0; i < names->len; i++) {
        int one = cli_service_release(service, names->pdata[i]);
        code = one != DIALTONE_FAILURE_NONE ? one : code;
    }
    return code;
}

/* Of tunnels that are no more: those that are up hold theirs. */
static int release_kill_switches(const char *name)
{
    const PlatformFirewallWord word = {.of_root = TRUE, .label = name};

    if (geteuid() != 0)
        return release_by_service(name);
    return platform_firewall_release_left(NULL, &word) < 0 ? DIALTONE_FAILURE_INTERNAL
                                                           : DIALTONE_FAILURE_NONE;
}

/* That nothing is up may not be the whole of it. */
static void tell_what_is_left(void)
{
    g_autoptr(GArray) left = platform_firewall_left(NULL);

    for (guint i = 0; i < left->len; i++) {
        g_autofree char *line =
            g_strdup_printf(_("the kill switch of '%s' stands; release it with: sudo dialtone "
                              "disconnect --release-kill-switch"),
                            g_array_index(left, PlatformFirewallLeft, i).label);
        cli_complain(line);
    }
}

static int disconnect_and_release(const CliTargets *targets, const char *name)
{
    int code = disconnect_all(targets);
    int released = release_kill_switches(name);

    return code != DIALTONE_FAILURE_NONE ? code : released;
}

int cli_disconnect(int argc, char **argv)
{
    gboolean all = FALSE, release = FALSE;
    const GOptionEntry options[] = {
        {"all", 0, 0, G_OPTION_ARG_NONE, &all, N_("Take down every tunnel"), NULL},
        {"release-kill-switch", 0, 0, G_OPTION_ARG_NONE, &release,
         N_("Release what kill switches still block, too"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("[PROFILE]"),
        .summary = _("Takes the tunnel of PROFILE down, or the only one that is up."),
        .description = _("Returns when the network is as it was before. Exit code 10: the tunnel "
                         "is not yours to take down; 3: there is no such profile, and no tunnel of "
                         "that name."),
    };
    g_auto(GStrv) profiles = NULL;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(profiles) > 1 || (all && profiles[0] != NULL))
        return cli_usage(argv[0], "%s", _("give one profile, or --all"));

    g_autofree char *name = profiles[0] != NULL ? cli_profile_name(profiles[0]) : NULL;
    g_auto(CliTargets) targets = {0};
    cli_targets_find(&targets, name);
    guint n = cli_targets_count(&targets);
    if (n > 1 && name == NULL && !all)
        return cli_usage(argv[0], "%s", _("several tunnels are up; name a profile, or give --all"));
    if (release)
        return disconnect_and_release(&targets, name);
    int code = n > 0 ? disconnect_all(&targets) : cli_none_is_up(profiles[0]);

    tell_what_is_left();
    return code;
}
