/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of crypto-bulk-multi.c where the multi-buffer library is not there: it does no
 * algorithm, so nothing but make() is ever called.
 */
#include "ike/crypto-bulk-provider.h"

#include <errno.h>

static int make(void **selfp, const IkeBulkKeys *keys)
{
    return -ENOTSUP;
}

static void free_nothing(void *self)
{
}

const IkeBulkProvider ike_bulk_multi = {.name = "", .make = make, .free = free_nothing};
