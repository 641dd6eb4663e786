/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile with one authority, and what is said of the certificates that a gateway shows it. */
#ifndef TESTS_UNIT_IKE_TRUST_KIT_H
#define TESTS_UNIT_IKE_TRUST_KIT_H

#include "cert-kit.h"

typedef struct World {
    KitCert *root, *middle, *other_root;
    IkeBlob anchors[4], crls[4];
    KitBytes lists[4];
    IkeCredentials credentials;
    IkeIdentity expected;
    IkePeer peer;
} World;

IkeBlob world_blob(const KitBytes *bytes);
void world_expect_id(World *w, IkeIdType type, const void *bytes, size_t n);
int world_setup(void **state);
int world_teardown(void **state);
int world_check_payloads(World *w, const IkeCertPayload *payloads, size_t n);
/* What is said of a leaf and an intermediate (or NULL) that a gateway sends. */
int world_check(World *w, const KitCert *leaf, const KitCert *middle);

#endif
