/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile with one authority, and what is said of the certificates that a gateway shows it.
 */
#include "trust-kit.h"

#include "ike/constants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

IkeBlob world_blob(const KitBytes *bytes)
{
    return (IkeBlob){bytes->bytes, bytes->n};
}

void world_expect_id(World *w, IkeIdType type, const void *bytes, size_t n)
{
    w->expected = (IkeIdentity){.type = type, .n = (uint16_t)n};
    memcpy(w->expected.bytes, bytes, n);
}

int world_setup(void **state)
{
    static World w;

    w = (World){.root = kit_ca_new(NULL, "root", "rsa2048")};
    w.middle = kit_ca_new(w.root, "middle", "p256");
    w.other_root = kit_ca_new(NULL, "somebody else", "p384");
    w.anchors[0] = world_blob(&w.root->der);
    w.credentials = (IkeCredentials){
        .anchors = w.anchors, .anchors_n = 1, .crls = w.crls, .wall_offset = KIT_WALL - 1000};
    world_expect_id(&w, IKE_ID_FQDN, "gw.example.com", 14);
    *state = &w;
    return 0;
}

int world_teardown(void **state)
{
    World *w = *state;

    kit_cert_free(w->root);
    kit_cert_free(w->middle);
    kit_cert_free(w->other_root);
    return 0;
}

int world_check_payloads(World *w, const IkeCertPayload *payloads, size_t n)
{
    IkeTrust *trust = NULL;
    int r = ike_trust_new(&trust, &w->credentials, &w->expected);

    assert_int_equal(r, 0);
    r = ike_trust_check(trust, payloads, n, 1000 * IKE_SECOND, &w->peer);
    if (r != 0)
        assert_null(w->peer.key);
    ike_peer_clear(&w->peer);
    ike_trust_free(trust);
    return r;
}

int world_check(World *w, const KitCert *leaf, const KitCert *middle)
{
    const IkeCertPayload payloads[] = {
        {IKE_CERT_X509_SIGNATURE, kit_slice(&leaf->der)},
        {IKE_CERT_X509_SIGNATURE, middle != NULL ? kit_slice(&middle->der) : (IkeSlice){NULL, 0}},
    };

    return world_check_payloads(w, payloads, middle != NULL ? 2 : 1);
}
