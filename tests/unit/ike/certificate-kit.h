/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A world of certificates: a CA, a right gateway of each kind of key, an impostor of the same CA,
 * and ourselves; and aggressive mode in it. */
#ifndef TESTS_UNIT_IKE_CERTIFICATE_KIT_H
#define TESTS_UNIT_IKE_CERTIFICATE_KIT_H

#include "gateway-kit.h"

typedef struct World {
    KitCert *root, *middle, *server, *p256, *p384, *p521; /* gateways' */
    KitCert *impostor;                                    /* another customer of the same CA */
    KitCert *us, *us_p256, *us_p384, *us_p521;
    IkeBlob anchors[1], chain[2];
    IkeConfig config;
    KitList list;
    KitGateway *gw;
} World;

/* For cmocka: the world of a program, and a profile in it for each case. */
int world_make(void **state);
int world_drop(void **state);
int world_setup(void **state);
int world_teardown(void **state);

IkeBlob world_blob(const KitCert *cert);
/* AM1 is out; the gateway has this certificate and its issuer, and AM2 is ready to be spoilt. */
KitGateway *world_begin(World *w, const KitCert *server, const KitCert *issuer);
/* Nothing has come of AM2 but the wish for a better one; half a second later it is over. */
void world_refused(World *w, IkeDetail detail);
/* AM3 shows our certificate, so many in all, and SIG_I over HASH_I by our key. */
void world_am3(World *w, const KitCert *us, size_t certs);

#endif
