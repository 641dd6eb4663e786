/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys of certificates: which are strong enough, and the signatures of Phase 1.
 */
#ifndef IKE_CERT_KEY_H
#define IKE_CERT_KEY_H

#include "ike/cert.h"

/* Which method can use it; IKE_KEY_NONE: none can, or it is too weak. */
IkeKeyKind ike_key_kind(EVP_PKEY *key);
/* Whether a CA's key is strong enough to be believed. */
bool ike_key_is_strong(EVP_PKEY *key);

/* A signature of Phase 1 over HASH_I or HASH_R, which is signed as it is: RSA without DigestInfo
 * (RFC 2409, 5.1), ECDSA as r | s (RFC 4754, 7). Anything but a clear yes is a no. */
bool ike_key_verifies(EVP_PKEY *key, IkeSlice hash, IkeSlice signature);

#endif
