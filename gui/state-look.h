/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a state looks like, wherever one is shown: in the list, on the page, in the tray. */
#pragma once

#include <glib.h>

#include "gui/item.h"

typedef enum {
    DIALTONE_LOOK_DISCONNECTED,
    DIALTONE_LOOK_CONNECTING,
    DIALTONE_LOOK_CONNECTED,
    DIALTONE_LOOK_ATTENTION,
} DialtoneLook;

DialtoneLook dialtone_look_of(DialtoneItem *item);
/* Of an icon of this program. */
const char *dialtone_look_icon(DialtoneLook look);
/* One translated line, which begins with a capital: "Connected". The caller frees it. */
char *dialtone_look_sentence(DialtoneItem *item);
