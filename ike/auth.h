/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who proves what in Phase 1: the methods, what is offered of them, and whether what a gateway
 * shows is proof.
 */
#ifndef IKE_AUTH_H
#define IKE_AUTH_H

#include "ike/cert.h"
#include "ike/keymat.h"
#include "ike/message.h"

typedef struct IkeMethod {
    uint16_t number; /* IKE_METHOD_* */
    bool
        gateway_signs; /* SIG_R, and SKEYID comes of the nonces and g^xy; else HASH_R and the PSK */
    bool we_sign;      /* SIG_I, else HASH_I */
    bool xauth;        /* a user is authenticated, too */
    IkeKeyKind key;    /* what signs */
    const char *hash;  /* of HASH_I and HASH_R; NULL: the negotiated one */
} IkeMethod;

enum { IKE_METHODS_MAX = 2 };

/* NULL for a number that is none of ours. */
const IkeMethod *ike_auth_method(uint16_t number);
/* What the profile offers, in order; `key` is of our own certificate. Returns how many. */
size_t ike_auth_offer(const IkeConfig *config, IkeKeyKind key, uint16_t methods[IKE_METHODS_MAX]);

/* CERTREQ payloads for the anchors, or a single one for any CA where their names are too long. */
void ike_auth_add_requests(IkeBuilder *builder, const IkeTrust *trust);
/* How many certificates to show to a gateway whose message asks so. *other_ca: it asks for none
 * that issued ours; then it is the body of such a CERTREQ. */
size_t ike_auth_chain_for(const IkeTrust *trust, const IkeMessage *message, IkeSlice *other_ca);
void ike_auth_add_chain(IkeBuilder *builder, const IkeTrust *trust, size_t n);
/* What a client without a certificate answers to a CERTREQ. */
void ike_auth_add_no_cert(IkeBuilder *builder);

/* What a gateway shows. */
typedef struct IkeProof {
    IkeSlice hash, signature;
    IkeCertPayload certs[IKE_CHAIN_MAX];
    size_t certs_n;
} IkeProof;

/* False where it is not of the method's form. */
bool ike_proof_read(const IkeMessage *message, const IkeMethod *method, const IkeHash *negotiated,
                    IkeProof *proof);
/* Whether IDir may be this. */
bool ike_auth_expects(const IkeConfig *config, const IkeIdentity *id);
/* The SKEYID that the method gives, and HASH_I and HASH_R under it. */
void ike_auth_bind(const IkeMethod *method, IkePhase1Material *material);
/* Whether the proof holds. IKE_DETAIL_NONE, or what is wrong with `peer->text`; negative: our
 * fault. `peer` is that of a certificate that was checked. */
int ike_proof_check(const IkeProof *proof, const IkeKeys *keys, const IkePhase1Material *material,
                    const IkePeer *peer);

#endif
