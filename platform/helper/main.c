// SPDX-License-Identifier: GPL-2.0-or-later
/* dialtone-helper: what the system bus starts for the service, and what that starts in turn.
 *
 * Without arguments it serves HelperManager1; with --tunnel it is the helper of one tunnel, whose
 * socket is descriptor 3; with --undo it puts back what helpers that were killed have left; with
 * --release it releases kill switches that were left behind.
 * --service-uid and --idle are for tests. It takes its options from whoever is root already, so
 * none of them is a way to become it.
 */
#include "platform/helper-release.h"
#include "platform/helper/helper.h"
#include "platform/helper/manager.h"
#include "platform/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FD_PEER = 3, EXIT_USAGE = 2, IDLE_S = 30 };

static gboolean parse_id(const char *text, guint *idp)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &value, NULL))
        return FALSE;
    *idp = (guint)value;
    return TRUE;
}

static int usage(void)
{
    fprintf(stderr, "usage: dialtone-helper [--service-uid UID] [--idle SECONDS] | --undo\n");
    return EXIT_USAGE;
}

static int undo(void)
{
    int r = helper_undo_stale(NULL);

    if (r < 0)
        fprintf(stderr, "dialtone-helper: %s\n", g_strerror(-r));
    return r < 0 ? 1 : 0;
}

static int tunnel(const char *owner, const char *group)
{
    HelperOptions options = {.peer_fd = FD_PEER};

    if (!parse_id(owner, &options.owner) || !parse_id(group, &options.owner_gid))
        return usage();
    return helper_run(&options);
}

static int manage(int argc, char **argv)
{
    PlatformIdentity service = {0};
    HelperManagerOptions options = {.idle_s = IDLE_S};
    guint uid = 0;

    for (int i = 1; i < argc; i += 2) {
        guint *valuep = !strcmp(argv[i], "--service-uid") ? &uid
                        : !strcmp(argv[i], "--idle")      ? &options.idle_s
                                                          : NULL;

        if (!valuep || i + 1 == argc || !parse_id(argv[i + 1], valuep) || *valuep == 0)
            return usage();
    }
    if (uid == 0 && platform_sandbox_service_user(&service) < 0) {
        fprintf(stderr, "dialtone-helper: there is no user \"dialtone\"\n");
        return 1;
    }
    options.service = uid ? uid : service.uid;
    return helper_manager_run(&options);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--undo"))
        return undo();
    if (argc == 4 && !strcmp(argv[1], "--tunnel"))
        return tunnel(argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "--release"))
        return platform_release_run(argv[2], argv[3]);
    return manage(argc, argv);
}
