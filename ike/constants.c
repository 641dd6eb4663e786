/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of numbers, made from the same list as the numbers themselves.
 */
#include "ike/constants.h"

#include <stddef.h>

const char *ike_notify_name(uint32_t notify)
{
    static const struct {
        uint32_t number;
        const char *name;
    } names[] = {
#define IKE_NOTIFY_ROW(name, number, text) {number, text},
        IKE_NOTIFY_LIST(IKE_NOTIFY_ROW)
#undef IKE_NOTIFY_ROW
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == notify)
            return names[i].name;
    return "unknown";
}
