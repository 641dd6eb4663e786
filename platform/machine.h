/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine this is. */
#pragma once

enum { PLATFORM_MACHINE_ID_TEXT = 65 };

/* The ID of machine-id(5), or where there is none the host's name: the same as long as the system
   is not installed anew. Not to be shown to anybody; hash it with a key or a label of its use. */
void platform_machine_id(char text[PLATFORM_MACHINE_ID_TEXT]);
