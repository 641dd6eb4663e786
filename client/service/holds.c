/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small key file for each profile that is held, beside those of what is wanted (wanted.c), and
 * like them for as long as the computer runs.
 *
 * Somebody has disconnected what [Rules] want: that holds for the network that it was said on,
 * whose name is kept, and taken as the one where the service was last. A password was refused: that
 * holds until the profile or a secret is another. While the service was not there nobody could hear
 * of such a change, so the text's checksum and the time are kept, and what is younger than that in
 * the administrator's folders counts as one. Neither a secret nor anything made of one is kept.
 */
#include "client/service/holds.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/profile/file.h"
#include "client/service/log.h"

#define GROUP  "Hold"
#define SUFFIX ".hold"

/* How many there can be before users' find no room: they name their profiles as they like. */
enum { HOLDS_MAX = 256, HOLD_BYTES_MAX = 8 * 1024 };

static char *path_of(const ServiceProfile *profile)
{
    const char *folder = g_getenv("RUNTIME_DIRECTORY"), *uuid = profile->profile->uuid;
    g_autofree char *whose =
        g_strdup_printf("%u %d %s", (unsigned)profile->owner, service_profile_is_system(profile),
                        uuid != NULL ? uuid : profile->profile->name);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whose, -1);
    g_autofree char *file = g_strconcat(sum, SUFFIX, NULL);
    return folder != NULL ? g_build_filename(folder, file, NULL) : NULL;
}

static char *sum_of(const ServiceProfile *profile)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, profile->text, -1);
}

/* ---- keeping ---- */

static bool has_room(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint n = 0;
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        n += g_str_has_suffix(name, SUFFIX) ? 1 : 0;
    return n < HOLDS_MAX;
}

static void write_down(const char *path, GKeyFile *file)
{
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    g_autofree char *text = g_key_file_to_data(file, &n, NULL);
    if (!g_file_set_contents_full(path, text, (gssize)n, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error))
        service_log(0, NULL, "what is held could not be written down: %s", error->message);
}

void service_hold_keep(const ServiceManager *self, const ServiceProfile *profile)
{
    g_autofree char *path = path_of(profile), *sum = NULL;
    g_autoptr(GKeyFile) file = g_key_file_new();
    const char *network = self->where.network;
    const bool held = profile->rule.held && profile->profile->rule != DIALTONE_RULE_MANUAL;
    if (path == NULL)
        return;
    if ((!held || network == NULL) && !profile->refused) {
        g_unlink(path);
        return;
    }
    if (!service_profile_is_system(profile) && !has_room(path))
        return;
    if (held && network != NULL)
        g_key_file_set_string(file, GROUP, "Network", network);
    if (profile->refused) {
        sum = sum_of(profile);
        g_key_file_set_string(file, GROUP, "RefusedText", sum);
        g_key_file_set_int64(file, GROUP, "Refused", g_get_real_time());
    }
    write_down(path, file);
}

/* ---- coming back ---- */

static bool is_younger(const char *path, gint64 than)
{
    struct stat info;
    return stat(path, &info) == 0 &&
           info.st_ctim.tv_sec * G_USEC_PER_SEC + info.st_ctim.tv_nsec / 1000 > than;
}

/* A file that was put in place of another changes its folder; one that was written changes itself.
 */
static bool has_changed_since(const ServiceProfile *profile, gint64 when)
{
    const char *uuid = profile->profile->uuid, *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *secret = g_build_filename("/etc/dialtone/secrets", uuid, NULL);
    return is_younger(secret, when) || is_younger("/etc/dialtone/secrets", when) ||
           is_younger("/etc/dialtone/policy.conf", when) || is_younger("/etc/dialtone", when) ||
           (credentials != NULL && is_younger(credentials, when));
}

static void restore_network(ServiceManager *self, ServiceProfile *profile, GKeyFile *file)
{
    g_autofree char *network = g_key_file_get_string(file, GROUP, "Network", NULL);
    if (network == NULL || profile->profile->rule == DIALTONE_RULE_MANUAL)
        return;
    if (self->where.network == NULL)
        self->where.network = g_strdup(network);
    profile->rule.held = strcmp(self->where.network, network) == 0;
}

static void restore_refusal(ServiceProfile *profile, GKeyFile *file)
{
    g_autofree char *sum = sum_of(profile);
    g_autofree char *kept = g_key_file_get_string(file, GROUP, "RefusedText", NULL);
    profile->refused =
        service_profile_is_system(profile) && g_strcmp0(sum, kept) == 0 &&
        !has_changed_since(profile, g_key_file_get_int64(file, GROUP, "Refused", NULL));
}

void service_hold_restore(ServiceManager *self, ServiceProfile *profile)
{
    g_autofree char *path = path_of(profile), *bytes = NULL;
    g_autoptr(GKeyFile) file = g_key_file_new();
    gsize n = 0;
    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    bytes = dialtone_file_read(path, HOLD_BYTES_MAX, &n, NULL);
    if (bytes != NULL && g_key_file_load_from_data(file, bytes, n, G_KEY_FILE_NONE, NULL)) {
        restore_network(self, profile, file);
        restore_refusal(profile, file);
    }
    if (!profile->rule.held && !profile->refused)
        g_unlink(path);
    else
        service_log(profile->owner, profile->profile->name,
                    "does not connect by itself, as before the service began again");
}
