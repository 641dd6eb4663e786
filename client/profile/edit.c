/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Editing without rewriting. The parser's normal form would lose what a user wrote around the
 * values, so the file is gone through line by line and one line changes.
 */
#include "client/profile/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/scan.h"

typedef struct {
    const char *group, *key, *value;
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

char *dialtone_edit_set(const char *text, const char *group, const char *key, const char *value)
{
    static const char mark[] = "\xef\xbb\xbf";
    Edit edit = {.group = group, .key = key, .value = value, .out = g_string_new(NULL)};
    DialtoneLines lines;
    const char *start;
    gsize n;

    /* The cursor over lines skips a byte order mark; the file keeps it. */
    if (g_str_has_prefix(text, mark))
        g_string_append(edit.out, mark);
    dialtone_lines_init(&lines, text, strlen(text));
    while (dialtone_lines_next(&lines, &start, &n))
        take_line(&edit, start, n);
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
