/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diffie-Hellman (RFC 2409 section 6, RFC 3526, RFC 5903): one key pair for one exchange.
 */
#ifndef IKE_DH_H
#define IKE_DH_H

#include "ike/algs.h"
#include "ike/reader.h"

typedef struct IkeDh IkeDh;

enum { _IKE_DH_OK, IKE_DH_BAD_PEER /* not a public value of this group */ };

/* A fresh pair. 0, -ENOTSUP, -ENOMEM or -EIO. */
int ike_dh_new(IkeDh **dhp, const IkeGroup *group);
IkeDh *ike_dh_free(IkeDh *dh);
const IkeGroup *ike_dh_group(const IkeDh *dh);
/* The KE payload's body, group->ke_size bytes; lives as long as `dh`. */
IkeSlice ike_dh_public(const IkeDh *dh);
/* `secret` takes group->secret_size bytes, leading zeros kept (RFC 2409, 5).
 * 0, IKE_DH_BAD_PEER, or a negative errno. */
int ike_dh_derive(const IkeDh *dh, IkeSlice peer, uint8_t *secret);

#endif
