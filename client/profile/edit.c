/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Editing without rewriting. The parser's normal form would lose what a user wrote around the
 * values, so the file is gone through line by line and one line changes.
 */
#include "client/profile/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/entry.h"
#include "client/profile/scan.h"

typedef struct {
    const char *group, *key;
    const char *value; /* NULL: the line goes */
    GString *out;
    gsize behind_group; /* where a line may be put in; 0: the group has not come yet */
    bool in_group, done, crlf;
} Edit;

static void put_line(Edit *edit, GString *into, gssize at)
{
    g_autofree char *line =
        g_strdup_printf("%s=%s%s\n", edit->key, edit->value, edit->crlf ? "\r" : "");

    g_string_insert(into, at, line);
    edit->done = true;
}

static bool is_group(const char *line, const char *group)
{
    gsize n = strlen(group);

    return line[0] == '[' && strncmp(line + 1, group, n) == 0 && line[n + 1] == ']';
}

static bool is_key(const char *line, const char *key)
{
    const char *equals = strchr(line, '=');
    g_autofree char *name =
        equals != NULL ? g_strchomp(g_strndup(line, (gsize)(equals - line))) : NULL;

    return g_strcmp0(name, key) == 0;
}

static void take_line(Edit *edit, const char *start, gsize n)
{
    g_autofree char *line = g_strstrip(g_strndup(start, n));

    edit->crlf = n > 0 && start[n - 1] == '\r';
    if (edit->in_group && !edit->done && is_key(line, edit->key)) {
        edit->done = true;
        if (edit->value == NULL)
            return;
        put_line(edit, edit->out, -1);
        return;
    }
    g_string_append_len(edit->out, start, (gssize)n);
    g_string_append_c(edit->out, '\n');
    if (*line != '[')
        return;
    edit->in_group = is_group(line, edit->group);
    if (edit->in_group && edit->behind_group == 0)
        edit->behind_group = edit->out->len;
}

static void take_lines(Edit *edit, const char *text)
{
    static const char mark[] = "\xef\xbb\xbf";
    DialtoneLines lines;
    const char *start;
    gsize n;

    /* The cursor over lines skips a byte order mark; the file keeps it. */
    if (g_str_has_prefix(text, mark))
        g_string_append(edit->out, mark);
    dialtone_lines_init(&lines, text, strlen(text));
    while (dialtone_lines_next(&lines, &start, &n))
        take_line(edit, start, n);
}

char *dialtone_edit_unset(const char *text, const char *group, const char *key)
{
    Edit edit = {.group = group, .key = key, .out = g_string_new(NULL)};

    take_lines(&edit, text);
    return g_string_free(edit.out, FALSE);
}

char *dialtone_edit_set(const char *text, const char *group, const char *key, const char *value)
{
    Edit edit = {.group = group, .key = key, .value = value, .out = g_string_new(NULL)};

    take_lines(&edit, text);
    if (!edit.done && edit.behind_group > 0) {
        put_line(&edit, edit.out, (gssize)edit.behind_group);
    } else if (!edit.done) {
        g_string_append_printf(edit.out, "%s\n[%s]%s\n", edit.crlf ? "\r" : "", group,
                               edit.crlf ? "\r" : "");
        put_line(&edit, edit.out, -1);
    }
    return g_string_free(edit.out, FALSE);
}

static bool fail(const char *path, const char *why, GError **error)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                         _("Write the change into the file yourself, or run this as its owner."),
                         _("%s could not be changed: %s"), path, why);
    return false;
}

bool dialtone_edit_write(const char *path, const char *text, GError **error)
{
    struct stat info;
    g_autoptr(GError) why = NULL;
    /* A link stays one: what it points at is replaced. */
    char *real = realpath(path, NULL);

    if (real == NULL || stat(real, &info) != 0) {
        free(real);
        return fail(path, g_strerror(errno), error);
    }
    bool good = g_file_set_contents_full(
        real, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
        (int)(info.st_mode & 07777), &why);
    free(real);
    return good || fail(path, why->message, error);
}

/* ---- a file of its own ---- */

enum { STEM_BYTES_MAX = 100, NUMBERS_MAX = 1000 };

/* Visible, one name, and not too long with its number and what a writer puts behind it. */
static char *stem_of(const char *name)
{
    g_autofree char *clean =
        dialtone_text_clean(name, strlen(name), STEM_BYTES_MAX, DIALTONE_TEXT_LINE);
    const char *start = clean + strspn(clean, ". ");

    g_strdelimit(clean, "/", '-');
    return g_strchomp(g_strdup(*start != '\0' ? start : "profile"));
}

static bool write_all(int fd, const char *text)
{
    gsize n = strlen(text);

    while (n > 0) {
        gssize written = write(fd, text, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        n -= (gsize)written;
    }
    return fsync(fd) == 0;
}

/* Gives what stands in `draft` this name, unless something has it. 0, or -1 and errno. */
static int place(const char *draft, const char *path)
{
    if (link(draft, path) == 0) {
        (void)unlink(draft);
        return 0;
    }
    /* FAT and some of FUSE's have no links, NFS no other way. */
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    return renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE);
}

/* The path; NULL and errno. */
static char *place_anew(const char *draft, const char *folder, const char *stem)
{
    for (guint i = 1; i < NUMBERS_MAX; i++) {
        g_autofree char *number = i > 1 ? g_strdup_printf(" %u", i) : g_strdup("");
        g_autofree char *file = g_strconcat(stem, number, DIALTONE_PROFILE_SUFFIX, NULL);
        g_autofree char *path = g_build_filename(folder, file, NULL);

        if (place(draft, path) == 0)
            return g_steal_pointer(&path);
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

/* Whoever watches the folder, and whoever looks after a crash, finds all of the text or no file. */
char *dialtone_edit_create(const char *folder, const char *name, const char *text, GError **error)
{
    g_autofree char *stem = stem_of(name);
    g_autofree char *draft = g_build_filename(folder, ".new-XXXXXX", NULL);
    char *path = NULL;
    int fd = g_mkdir_with_parents(folder, 0700) == 0
                 ? g_mkstemp_full(draft, O_WRONLY | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0 && write_all(fd, text))
        path = place_anew(draft, folder, stem);
    if (path == NULL)
        fail(folder, g_strerror(errno), error);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && path == NULL)
        g_unlink(draft);
    return path;
}
