/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-boot: blocks what is to leave by tunnels alone, before there is a network to leave by.
 *
 * It reads the administrator's files, gives up everything but CAP_NET_ADMIN, sets the tables, and
 * ends. They stand, as those of a tunnel that is no more, until a connection of the same name takes
 * them over or somebody who may releases them. Started again, it sets what is wanted by then.
 */
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>

#include "client/boot/wanted.h"
#include "client/common/i18n.h"
#include "client/profile/system-store.h"
#include "platform/sandbox.h"

static const char PROGRAM[] = "dialtone-boot";

static void complain(const char *line)
{
    fprintf(stderr, "%s: %s\n", PROGRAM, line);
}

static int confine(void)
{
    static const int kept[] = {CAP_NET_ADMIN};
    int r = platform_sandbox_keep_caps(kept, G_N_ELEMENTS(kept));
    if (r == 0)
        r = platform_sandbox_harden();
    return r == 0 ? platform_sandbox_seccomp_helper() : r;
}

static BootWanted *read_files(void)
{
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&dialtone_root_system);
    g_autoptr(GPtrArray) profiles = dialtone_system_profiles(&dialtone_root_system);
    const BootFiles files = {.policy = policy, .profiles = profiles};
    return boot_wanted_new(&files);
}

int main(int argc, char **argv)
{
    dialtone_i18n_init_untranslated();
    if (argc != 1) {
        fprintf(stderr, "usage: %s\n", PROGRAM);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    g_autoptr(BootWanted) wanted = read_files();
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < wanted->said->len; i++)
        complain(wanted->said->pdata[i]);
    if (!platform_sandbox_has_cap(CAP_NET_ADMIN) || confine() < 0) {
        complain("it needs root, or the capability CAP_NET_ADMIN, and to give up all else");
        return 1;
    }
    if (platform_firewall_set_blocks(NULL, wanted->blocks, &error))
        return 0;
    complain(error->message);
    return 1;
}
