/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of Phase 1 in one table, and the payloads that go with them: CERT, CERTREQ, SIG and
 * HASH (RFC 2408, 3.9 to 3.12; RFC 4945, 3.2 and 3.3).
 */
#include "ike/auth.h"

#include "ike/cert-key.h"
#include "ike/payload-id.h"

#include <string.h>

enum {
    /* AM1 goes out in one datagram, before anybody is known to take fragments. */
    REQUESTS_SIZE_MAX = 512,
    REQUESTS_MAX = 16,
};

/* A signature whose algorithm is tied to a hash has HASH_I and HASH_R made with its HMAC; all other
 * keys come of the negotiated prf (RFC 2409, 5.1; RFC 4754, 4). */
static const IkeMethod METHODS[] = {
    {.number = IKE_METHOD_PSK},
    {.number = IKE_METHOD_XAUTH_INIT_PSK, .xauth = true},
    {.number = IKE_METHOD_RSA_SIG, .gateway_signs = true, .we_sign = true, .key = IKE_KEY_RSA},
    {.number = IKE_METHOD_XAUTH_INIT_RSA,
     .gateway_signs = true,
     .we_sign = true,
     .xauth = true,
     .key = IKE_KEY_RSA},
    {.number = IKE_METHOD_HYBRID_INIT_RSA,
     .gateway_signs = true,
     .xauth = true,
     .key = IKE_KEY_RSA},
    {.number = IKE_METHOD_ECDSA_256,
     .gateway_signs = true,
     .we_sign = true,
     .key = IKE_KEY_P256,
     .hash = "sha256"},
    {.number = IKE_METHOD_ECDSA_384,
     .gateway_signs = true,
     .we_sign = true,
     .key = IKE_KEY_P384,
     .hash = "sha384"},
    {.number = IKE_METHOD_ECDSA_521,
     .gateway_signs = true,
     .we_sign = true,
     .key = IKE_KEY_P521,
     .hash = "sha512"},
};

const IkeMethod *ike_auth_method(uint16_t number)
{
    for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++)
        if (METHODS[i].number == number)
            return &METHODS[i];
    return NULL;
}

static size_t offer_psk(const IkeConfig *config, bool user, uint16_t *methods)
{
    size_t n = 0;

    if (user)
        methods[n++] = IKE_METHOD_XAUTH_INIT_PSK;
    if (!user || config->offer_plain_psk)
        methods[n++] = IKE_METHOD_PSK;
    return n;
}

/* ECDSA has no number for XAUTH: a gateway that wants a user asks behind the plain method. */
static uint16_t method_of_key(IkeKeyKind key, bool user)
{
    switch (key) {
    case IKE_KEY_P256:
        return IKE_METHOD_ECDSA_256;
    case IKE_KEY_P384:
        return IKE_METHOD_ECDSA_384;
    case IKE_KEY_P521:
        return IKE_METHOD_ECDSA_521;
    case IKE_KEY_RSA:
    case IKE_KEY_NONE:
        break;
    }
    return user ? IKE_METHOD_XAUTH_INIT_RSA : IKE_METHOD_RSA_SIG;
}

size_t ike_auth_offer(const IkeConfig *config, IkeKeyKind key, uint16_t methods[IKE_METHODS_MAX])
{
    bool user = config->xauth == IKE_XAUTH_REQUIRED ||
                (config->xauth == IKE_XAUTH_AUTO && config->user.known);

    switch (config->auth) {
    case IKE_AUTH_PSK:
        return offer_psk(config, user, methods);
    case IKE_AUTH_CERTIFICATE:
        methods[0] = method_of_key(key, user);
        return 1;
    case IKE_AUTH_HYBRID:
        methods[0] = IKE_METHOD_HYBRID_INIT_RSA;
        return 1;
    }
    return 0;
}

/* ---- CERTREQ ---- */

static void add_request(IkeBuilder *builder, IkeSlice name)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_CERTREQ);

    ike_write_u8(&builder->writer, IKE_CERT_X509_SIGNATURE);
    ike_write_slice(&builder->writer, name);
    ike_builder_close(builder, start);
}

static bool names_fit(const IkeTrust *trust)
{
    size_t size = 0;

    if (ike_trust_anchors(trust) > REQUESTS_MAX)
        return false;
    for (size_t i = 0; i < ike_trust_anchors(trust); i++)
        size += ike_trust_anchor_name(trust, i).n + IKE_PAYLOAD_HEADER_SIZE + 1;
    return size <= REQUESTS_SIZE_MAX;
}

void ike_auth_add_requests(IkeBuilder *builder, const IkeTrust *trust)
{
    /* RFC 4945, 3.2.7.1: an empty name asks for a certificate of whatever CA. */
    if (!names_fit(trust)) {
        add_request(builder, (IkeSlice){NULL, 0});
        return;
    }
    for (size_t i = 0; i < ike_trust_anchors(trust); i++)
        add_request(builder, ike_trust_anchor_name(trust, i));
}

static size_t whole_chain(const IkeTrust *trust)
{
    size_t n = 0;

    while (n < IKE_CHAIN_MAX && ike_trust_chain(trust, n).n > 0)
        n++;
    return n;
}

/* A gateway that asks for nothing is shown all: many know the issuers and ask for none. So is one
 * that asks for others: it may take ours nevertheless. */
size_t ike_auth_chain_for(const IkeTrust *trust, const IkeMessage *message, IkeSlice *other_ca)
{
    IkeSlice names[IKE_PAYLOADS_MAX] = {{NULL, 0}};
    size_t n = 0;
    bool any = false;

    *other_ca = (IkeSlice){NULL, 0};
    for (size_t i = 0; i < message->n; i++) {
        IkeReader r = ike_reader_of(message->payloads[i].body);
        if (message->payloads[i].type != IKE_PAYLOAD_CERTREQ ||
            ike_read_u8(&r) != IKE_CERT_X509_SIGNATURE)
            continue;
        IkeSlice name = ike_reader_rest(&r);
        any = any || name.n == 0;
        if (name.n > 0)
            names[n++] = name;
    }
    size_t wanted = ike_trust_chain_for(trust, names, n);
    if (wanted == 0 && n > 0 && !any)
        *other_ca = names[0];
    return wanted > 0 ? wanted : whole_chain(trust);
}

void ike_auth_add_chain(IkeBuilder *builder, const IkeTrust *trust, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t start = ike_builder_open(builder, IKE_PAYLOAD_CERT);
        ike_write_u8(&builder->writer, IKE_CERT_X509_SIGNATURE);
        ike_write_slice(&builder->writer, ike_trust_chain(trust, i));
        ike_builder_close(builder, start);
    }
}

/* Hybrid draft, 4.2: "an empty certificate payload", its encoding alone. */
void ike_auth_add_no_cert(IkeBuilder *builder)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_CERT);

    ike_write_u8(&builder->writer, IKE_CERT_X509_SIGNATURE);
    ike_builder_close(builder, start);
}

/* ---- what a gateway shows ---- */

static IkeSlice body_of(const IkeMessage *message, IkePayloadType type)
{
    const IkePayload *payload = ike_message_find(message, type);

    return payload != NULL ? payload->body : (IkeSlice){NULL, 0};
}

static bool read_certs(const IkeMessage *message, IkeProof *proof)
{
    for (size_t i = 0; i < message->n; i++) {
        IkeReader r = ike_reader_of(message->payloads[i].body);
        if (message->payloads[i].type != IKE_PAYLOAD_CERT)
            continue;
        if (proof->certs_n == IKE_CHAIN_MAX)
            return false;
        IkeCertPayload *cert = &proof->certs[proof->certs_n++];
        cert->encoding = ike_read_u8(&r);
        cert->data = ike_reader_rest(&r);
        if (!ike_reader_ok(&r))
            return false;
    }
    return true;
}

bool ike_proof_read(const IkeMessage *message, const IkeMethod *method, const IkeHash *negotiated,
                    IkeProof *proof)
{
    *proof = (IkeProof){.hash = body_of(message, IKE_PAYLOAD_HASH),
                        .signature = body_of(message, IKE_PAYLOAD_SIG)};
    if (!read_certs(message, proof))
        return false;
    /* More than the one proof would be a contradiction: which of them counts? */
    if (!method->gateway_signs)
        return proof->hash.n == negotiated->size && proof->signature.bytes == NULL &&
               proof->certs_n == 0;
    return proof->signature.n > 0 && proof->hash.bytes == NULL;
}

/* With a certificate it is the certificate that says who the gateway is, and was checked for that:
 * gateways put their address, their DN or whatever into IDir. */
bool ike_auth_expects(const IkeConfig *config, const IkeIdentity *id)
{
    if (config->auth != IKE_AUTH_PSK || config->remote_id.type == IKE_ID_ANY)
        return true;
    if (id->type == IKE_ID_DER_ASN1_DN && config->remote_id.type == IKE_ID_DER_ASN1_DN)
        return ike_cert_same_name(&config->remote_id, id);
    return ike_id_equal(&config->remote_id, id);
}

void ike_auth_bind(const IkeMethod *method, IkePhase1Material *material)
{
    material->by_signature = method->gateway_signs;
    material->auth_hash = method->hash != NULL ? ike_hash_by_name(method->hash) : NULL;
}

int ike_proof_check(const IkeProof *proof, const IkeKeys *keys, const IkePhase1Material *material,
                    const IkePeer *peer)
{
    uint8_t hash_r[IKE_HASH_MAX];
    int r = ike_auth_hash_r(keys, material, hash_r);

    if (r < 0)
        return r;
    const IkeHash *hash = material->auth_hash != NULL ? material->auth_hash : keys->hash;
    if (!material->by_signature)
        return ike_equal(hash_r, proof->hash.bytes, hash->size) ? IKE_DETAIL_NONE
                                                                : IKE_DETAIL_WRONG_PSK;
    return ike_key_verifies(peer->key, (IkeSlice){hash_r, hash->size}, proof->signature)
               ? IKE_DETAIL_NONE
               : IKE_DETAIL_CERT_SIGNATURE;
}
