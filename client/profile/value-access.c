/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of [Access]: who may use a profile of the system, and what of it they may not change. The
 * accounts are names, looked up each time they are compared, for a profile is copied to a thousand
 * computers and a number means somebody else on each of them.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/schema.h"

enum { ACCOUNT_BYTES_MAX = 256 };

static const char ALL[] = "all";

static GPtrArray *field(const DialtoneValue *value)
{
    return *(GPtrArray **)G_STRUCT_MEMBER_P(value->profile, value->row->offset);
}

static void append(DialtoneValue *value, const char *written, char *plain)
{
    if (value->normal->len > 0)
        g_string_append_c(value->normal, ';');
    g_string_append(value->normal, written);
    g_ptr_array_add(field(value), plain);
}

static bool is_number(const char *name)
{
    return name[strspn(name, G_CSET_DIGITS)] == '\0';
}

/* Whatever a directory of users may call somebody: DOMAIN\\sam, sam@example.com. */
static bool append_account(DialtoneValue *value, const char *item)
{
    g_autofree char *name = dialtone_value_unescape(value, item);
    if (name == NULL)
        return false;
    g_autofree char *quoted = dialtone_value_quote(name);
    if (is_number(name))
        return dialtone_value_error(value, _("%s is a number; write the name"), quoted);
    if (strlen(name) > ACCOUNT_BYTES_MAX || strpbrk(name, ":/") != NULL || *name == '-')
        return dialtone_value_error(value, _("%s is no name of a user or a group"), quoted);
    append(value, item, g_steal_pointer(&name));
    return true;
}

bool dialtone_value_accounts(DialtoneValue *value, const char *text)
{
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_ACCOUNTS_MAX);

    for (gsize i = 0; items != NULL && items[i] != NULL; i++)
        if (!append_account(value, items[i]))
            return false;
    return items != NULL;
}

/* ---- Lock ---- */

/* Everything that can be locked, settings last; their strings are @kept's. */
static const char **lockable(GPtrArray *kept)
{
    g_autofree const char **groups = dialtone_profile_group_names();
    GPtrArray *names = g_ptr_array_new();

    g_ptr_array_add(names, (char *)ALL);
    for (gsize i = 0; groups[i] != NULL; i++)
        g_ptr_array_add(names, (char *)groups[i]);
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        char *name = g_strdup_printf("%s.%s", row->group, row->key);
        g_ptr_array_add(kept, name);
        g_ptr_array_add(names, name);
    }
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

static bool refuse_lock(DialtoneValue *value, const char *item, const char *const *names)
{
    g_autofree char *quoted = dialtone_value_quote(item);
    const char *home = dialtone_profile_group_of(item);
    gsize first = 0;

    while (strchr(item, '.') != NULL && names[first + 1] != NULL &&
           strchr(names[first], '.') == NULL)
        first++;
    const char *near = dialtone_text_nearest(item, names + first);

    if (home != NULL)
        return dialtone_value_error(value, _("%s needs its group; write %s.%s"), quoted, home,
                                    item);
    if (near != NULL)
        return dialtone_value_error(value, _("%s is no setting; did you mean %s?"), quoted, near);
    return dialtone_value_error(value,
                                _("%s is no setting; write all, a group as in Gateway, or a "
                                  "setting as in Gateway.Address"),
                                quoted);
}

bool dialtone_value_lock(DialtoneValue *value, const char *text)
{
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_PROFILE_KEYS_MAX);
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    g_autofree const char **names = lockable(kept);

    for (gsize i = 0; items != NULL && items[i] != NULL; i++) {
        if (!g_strv_contains(names, items[i]))
            return refuse_lock(value, items[i], names);
        append(value, items[i], g_strdup(items[i]));
    }
    return items != NULL;
}
