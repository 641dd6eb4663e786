/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What NetworkManager, where it is there, has found out about the way to the Internet. */
#pragma once

#include <stdbool.h>

/* True where a web page has to be met before anything else gets through. Waits for NetworkManager
   for a second at most, and starts nobody. */
bool platform_connectivity_is_portal(void);
