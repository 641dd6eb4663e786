/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world that the tests of certificates play in, made once a program: keys take long.
 */
#undef NDEBUG
#include "certificate-kit.h"

#include "ike/vendor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

IkeBlob world_blob(const KitCert *cert)
{
    return (IkeBlob){cert->der.bytes, cert->der.n};
}

int world_make(void **state)
{
    static World w;

    w.root = kit_ca_new(NULL, "root", "rsa2048");
    w.middle = kit_ca_new(w.root, "middle", "rsa2048");
    w.server = kit_leaf_new(w.middle, "DNS:gw.example.com", "rsa2048");
    w.impostor = kit_leaf_new(w.middle, "DNS:evil.example.com", "rsa2048");
    w.p256 = kit_leaf_new(w.root, "DNS:gw.example.com", "p256");
    w.p384 = kit_leaf_new(w.root, "DNS:gw.example.com", "p384");
    w.p521 = kit_leaf_new(w.root, "DNS:gw.example.com", "p521");
    w.us = kit_leaf_new(w.middle, "email:alice@example.com", "rsa2048");
    w.us_p256 = kit_leaf_new(w.root, "email:alice@example.com", "p256");
    w.us_p384 = kit_leaf_new(w.root, "email:alice@example.com", "p384");
    w.us_p521 = kit_leaf_new(w.root, "email:alice@example.com", "p521");
    *state = &w;
    return 0;
}

int world_drop(void **state)
{
    World *w = *state;
    KitCert *all[] = {w->root, w->middle, w->server,  w->impostor, w->p256,   w->p384,
                      w->p521, w->us,     w->us_p256, w->us_p384,  w->us_p521};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        kit_cert_free(all[i]);
    return 0;
}

int world_setup(void **state)
{
    World *w = *state;

    w->anchors[0] = world_blob(w->root);
    w->chain[0] = world_blob(w->us);
    w->chain[1] = world_blob(w->middle);
    w->config = kit_config();
    w->config.psk = (IkeSecret){0};
    w->config.auth = IKE_AUTH_CERTIFICATE;
    w->config.remote_id = (IkeIdentity){.type = IKE_ID_FQDN, .n = 14, .bytes = "gw.example.com"};
    w->config.credentials = (IkeCredentials){.chain = w->chain,
                                             .chain_n = 2,
                                             .anchors = w->anchors,
                                             .anchors_n = 1,
                                             .wall_offset = KIT_WALL - 1000};
    w->gw = NULL;
    return 0;
}

int world_teardown(void **state)
{
    World *w = *state;

    if (w->gw != NULL)
        kit_gateway_free(w->gw);
    return 0;
}

/* AM1 is out; the gateway has this certificate and its issuer, and AM2 is ready to be spoilt. */
KitGateway *world_begin(World *w, const KitCert *server, const KitCert *issuer)
{
    w->gw = kit_gateway_new(&w->config);
    w->gw->chain[0] = server;
    w->gw->chain[1] = issuer;
    w->gw->chain_n = issuer != NULL ? 2 : 1;
    kit_am2(w->gw, &w->list, IKE_VENDOR_DPD | IKE_VENDOR_NATT_RFC3947);
    return w->gw;
}

/* Nothing has come of AM2 but the wish for a better one; half a second later it is over. */
void world_refused(World *w, IkeDetail detail)
{
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 0);
    assert_int_equal(w->gw->packets_n, 0);
    kit_pass_time(w->gw, w->gw->now + IKE_SECOND, 10);
    assert_int_equal(w->gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(w->gw->failure.reason, IKE_REASON_GATEWAY_AUTHENTICATION);
    assert_int_equal(w->gw->failure.detail, detail);
}

/* What AM3 has to show: CERT payloads of our chain, and SIG_I over HASH_I by our key. */
void world_am3(World *w, const KitCert *us, size_t certs)
{
    uint8_t hash[IKE_HASH_MAX];
    size_t n = kit_hash_i(w->gw, &w->list, hash);
    KitBytes bytes;
    IkeMessage am3;

    assert_int_equal(w->gw->signing.n, n);
    assert_memory_equal(w->gw->signing.bytes, hash, n);
    assert_true(kit_am3(w->gw, &bytes, &am3));
    assert_int_equal(ike_message_count(&am3, IKE_PAYLOAD_CERT), certs);
    assert_int_equal(ike_message_count(&am3, IKE_PAYLOAD_HASH), 0);
    const IkePayload *cert = ike_message_find(&am3, IKE_PAYLOAD_CERT);
    assert_int_equal(cert->body.bytes[0], IKE_CERT_X509_SIGNATURE);
    assert_int_equal(cert->body.n, 1 + us->der.n);
    assert_memory_equal(cert->body.bytes + 1, us->der.bytes, us->der.n);
    const IkePayload *signature = ike_message_find(&am3, IKE_PAYLOAD_SIG);
    KitBytes own;
    if (w->gw->signing.ecdsa) {
        assert_int_equal(signature->body.n, 2 * (((size_t)EVP_PKEY_get_bits(us->key) + 7) / 8));
    } else {
        kit_sign(us->key, hash, n, &own); /* RSA signs the same alike */
        assert_int_equal(signature->body.n, own.n);
        assert_memory_equal(signature->body.bytes, own.bytes, own.n);
    }
}
