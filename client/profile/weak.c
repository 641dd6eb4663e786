/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which algorithms of a report are weak. ike's tables say it; a name they don't know is not weak,
 * for it was never negotiated.
 */
#include "client/profile/weak.h"

#include "ike/algs.h"

static bool is_weak(const char *name)
{
    const IkeCipher *cipher = ike_cipher_by_name(name);
    const IkeHash *hash = ike_hash_by_name(name);
    const IkeGroup *group = ike_group_by_name(name);

    return (cipher != NULL && cipher->weak) || (hash != NULL && hash->weak) ||
           (group != NULL && group->weak);
}

static void add_if_weak(GPtrArray *weak, const char *name)
{
    if (name != NULL && is_weak(name) &&
        !g_ptr_array_find_with_equal_func(weak, name, g_str_equal, NULL))
        g_ptr_array_add(weak, g_strdup(name));
}

void dialtone_report_mark_weak(DialtoneReport *report)
{
    g_autoptr(GPtrArray) weak = g_ptr_array_new_with_free_func(g_free);

    add_if_weak(weak, report->phase1.encryption);
    add_if_weak(weak, report->phase1.hash);
    add_if_weak(weak, report->phase1.group);
    for (guint i = 0; i < report->phase2->len; i++) {
        const DialtonePhase2Report *pair = report->phase2->pdata[i];
        add_if_weak(weak, pair->encryption);
        add_if_weak(weak, pair->integrity);
        add_if_weak(weak, pair->pfs);
    }
    g_ptr_array_add(weak, NULL);
    g_strfreev(report->weak);
    report->weak = (char **)g_ptr_array_free(g_steal_pointer(&weak), FALSE);
}
