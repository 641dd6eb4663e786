/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens a TUN interface by its name. Needs CAP_NET_ADMIN. */
#pragma once

#include <stdbool.h>

/* Non-blocking and close-on-exec. With vnet_hdr every packet begins with a 10-byte
   struct virtio_net_hdr; offloads are switched on by the holder of the descriptor. The name must
   not be in use: -EBUSY. Returns 0 or a negative errno. */
__attribute__((warn_unused_result)) int platform_tun_open(const char *name, bool vnet_hdr,
                                                          int *fdp);
