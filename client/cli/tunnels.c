/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tunnels that are up, as their slots tell, and signals to them. A slot names its process by
 * number and start time; between reading that and sending a signal the number may pass to another
 * process, so the signal goes through a descriptor of the process, and the slot is read again
 * after that was opened.
 */
#include "client/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

GArray *cli_tunnels(const char *name)
{
    GArray *tunnels = platform_slot_list(NULL);

    for (guint i = tunnels->len; name != NULL && i-- > 0;)
        if (strcmp(g_array_index(tunnels, PlatformSlotInfo, i).label, name) != 0)
            g_array_remove_index(tunnels, i);
    return tunnels;
}

static bool is_still_up(const PlatformSlotInfo *tunnel)
{
    g_autoptr(GArray) tunnels = cli_tunnels(NULL);

    for (guint i = 0; i < tunnels->len; i++) {
        const PlatformSlotInfo *now = &g_array_index(tunnels, PlatformSlotInfo, i);
        if (now->number == tunnel->number)
            return now->pid == tunnel->pid && now->pid_start == tunnel->pid_start;
    }
    return false;
}

CliSignal cli_signal(const PlatformSlotInfo *tunnel, int number, int *pidfdp)
{
    CliSignal result = CLI_SENT;
    int fd = pidfd_open(tunnel->pid, 0);

    if (fd < 0 || !is_still_up(tunnel))
        result = CLI_GONE;
    else if (pidfd_send_signal(fd, number, NULL, 0) != 0)
        result = errno == EPERM ? CLI_NOT_PERMITTED : CLI_GONE;
    if (result == CLI_SENT && pidfdp != NULL)
        *pidfdp = fd;
    else if (fd >= 0)
        close(fd);
    return result;
}

int cli_not_permitted(const char *verb, const PlatformSlotInfo *tunnel)
{
    g_autofree char *line = g_strdup_printf(
        _("you may not do that to the tunnel of '%s', which runs with root's rights"),
        tunnel->label);
    g_autofree char *advice = g_strdup_printf(_("Try: sudo dialtone %s"), verb);

    cli_complain(line);
    cli_complain(advice);
    return DIALTONE_FAILURE_NOT_PERMITTED;
}
