/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of esp-bare-multi.c where the multi-buffer library is not there. */
#include "esp-bare.h"

double bare_multi(const BareWork *work)
{
    return 0;
}
