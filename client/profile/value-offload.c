/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The offloads that the data path may use: all that work (auto), none, or those that are named. */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/offload.h"
#include "client/common/text.h"

static bool refuse(DialtoneValue *value, const char *item)
{
    g_autofree char *quoted = dialtone_value_quote(item);
    const char *near = dialtone_text_nearest(item, dialtone_offload_names);
    g_autofree char *names = g_strjoinv(", ", (char **)dialtone_offload_names);
    g_autofree char *list = g_strdup_printf("auto, none, %s", names);

    if (strcmp(item, "auto") == 0 || strcmp(item, "none") == 0)
        return dialtone_value_error(value, _("%s stands alone; remove the rest"), quoted);
    if (near != NULL)
        return dialtone_value_error(value, _("%s is unknown; did you mean %s? It is one of %s"),
                                    quoted, near, list);
    return dialtone_value_error(value, _("%s is unknown; write %s"), quoted, list);
}

static bool read_items(DialtoneValue *value, char *const *items, guint *setp)
{
    for (gsize i = 0; items[i] != NULL; i++) {
        guint one = dialtone_offload_from_name(items[i]);

        if (one == 0)
            return refuse(value, items[i]);
        if (value->normal->len > 0)
            g_string_append_c(value->normal, ';');
        g_string_append(value->normal, items[i]);
        *setp |= one;
    }
    if ((*setp & DIALTONE_OFFLOAD_USO) && !(*setp & DIALTONE_OFFLOAD_VNET_HDR))
        return dialtone_value_error(value, "%s", _("uso needs vnet-hdr; write both, or neither"));
    return true;
}

bool dialtone_value_offloads(DialtoneValue *value, const char *text)
{
    guint *set = G_STRUCT_MEMBER_P(value->profile, value->row->offset);
    bool all = strcmp(text, "auto") == 0;

    *set = all ? DIALTONE_OFFLOADS_ALL : 0;
    if (all || strcmp(text, "none") == 0) {
        g_string_append(value->normal, text);
        return true;
    }
    g_auto(GStrv) items =
        dialtone_value_items(value, text, g_strv_length((char **)dialtone_offload_names));

    return items != NULL && read_items(value, items, set);
}
