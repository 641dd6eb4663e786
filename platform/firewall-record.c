// SPDX-License-Identifier: GPL-2.0-or-later
/* One word for what stands, the label of the connection and its user's number, a line each. The
 * file's name has the network namespace: the directory may be shared between namespaces, tables are
 * not. */
#include "platform/firewall-record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_LENGTH = 64, RECORD_MAX = 256 };

static const char *const words[] = {
    [FIREWALL_NOTHING] = "",
    [FIREWALL_ADDRESSES] = "addresses",
    [FIREWALL_KILL_SWITCH] = "kill-switch",
    [FIREWALL_BOOT] = "kill-switch-boot",
    [FIREWALL_PERSISTENT] = "kill-switch-persistent",
};

static const char *name_of(char name[NAME_MAX_LENGTH], unsigned slot, const char *suffix)
{
    snprintf(name, NAME_MAX_LENGTH, "%u.%llu.firewall%s", slot,
             (unsigned long long)platform_slot_namespace(), suffix);
    return name;
}

/* A word that nobody knows is taken for the strongest: better a kill switch too many. */
static FirewallStanding standing_of(const char *word)
{
    for (int i = FIREWALL_ADDRESSES; i < FIREWALL_PERSISTENT; i++) {
        if (!strcmp(word, words[i]))
            return (FirewallStanding)i;
    }
    return FIREWALL_PERSISTENT;
}

static uid_t owner_of(const char *text)
{
    guint64 owner;

    return text && g_ascii_string_to_unsigned(text, 10, 0, FIREWALL_NOBODY - 1, &owner, NULL)
               ? (uid_t)owner
               : FIREWALL_NOBODY;
}

FirewallRecord firewall_record_load(int dirfd, unsigned slot)
{
    FirewallRecord record = {.owner = FIREWALL_NOBODY};
    char name[NAME_MAX_LENGTH], text[RECORD_MAX + 1];
    int fd = openat(dirfd, name_of(name, slot, ""), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return record;
    ssize_t n = read(fd, text, RECORD_MAX);

    close(fd);
    text[n > 0 ? n : 0] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n_lines = g_strv_length(lines);

    /* The last one ends with a newline, or was not written whole. */
    if (n_lines > 2)
        g_strlcpy(record.label, lines[1], sizeof record.label);
    record.owner = owner_of(n_lines > 3 ? lines[2] : NULL);
    record.standing = standing_of(n_lines > 0 ? lines[0] : "");
    return record;
}

static int write_new(int dirfd, const char *name, const FirewallRecord *record)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    g_autofree char *text = g_strdup_printf("%s\n%s\n%u\n", words[record->standing], record->label,
                                            (unsigned)record->owner);
    size_t n = strlen(text);
    bool ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;

    /* A umask may have taken away what `dialtone status` needs, which anybody may call. */
    (void)fchmod(fd, 0644);
    close(fd);
    return ok ? 0 : -EIO;
}

int firewall_record_save(int dirfd, unsigned slot, const FirewallRecord *record)
{
    char name[NAME_MAX_LENGTH], fresh[NAME_MAX_LENGTH];

    name_of(name, slot, "");
    name_of(fresh, slot, ".new");
    if (record->standing == FIREWALL_NOTHING)
        return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
    int r = write_new(dirfd, fresh, record);

    if (r == 0 && renameat(dirfd, fresh, dirfd, name) < 0)
        r = -errno;
    return r;
}
