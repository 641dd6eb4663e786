/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates (RFC 5280; for IKE RFC 4945): what a session trusts and what it shows, and whether a
 * gateway's certificate may be believed.
 */
#ifndef IKE_CERT_H
#define IKE_CERT_H

#include "ike/ike.h"
#include "ike/reader.h"

typedef struct evp_pkey_st EVP_PKEY;

/* The keys that a method of Phase 1 can sign with. */
typedef enum IkeKeyKind {
    IKE_KEY_NONE,
    IKE_KEY_RSA,
    IKE_KEY_P256,
    IKE_KEY_P384,
    IKE_KEY_P521,
} IkeKeyKind;

/* A certificate, or several, as a CERT payload has them. */
typedef struct IkeCertPayload {
    uint8_t encoding; /* IKE_CERT_* */
    IkeSlice data;
} IkeCertPayload;

/* ---- what the profile brings along, parsed once ---- */

typedef struct IkeTrust IkeTrust;

/* `expected` is the ID that the gateway's certificate must have. 0, -ENOMEM, -EBADMSG: DER that is
 * none, -EKEYREJECTED: a key of ours that no method can use. */
int ike_trust_new(IkeTrust **trustp, const IkeCredentials *credentials,
                  const IkeIdentity *expected);
IkeTrust *ike_trust_free(IkeTrust *trust);

/* The key that belongs to our certificate; IKE_KEY_NONE where we have none. */
IkeKeyKind ike_trust_key(const IkeTrust *trust);
EVP_PKEY *ike_trust_public_key(const IkeTrust *trust);
/* How many certificates are to be shown to somebody who trusts the CAs of these names, our own
 * first: the issuer that he names he has himself. 0: nobody in our chain is one of them. */
size_t ike_trust_chain_for(const IkeTrust *trust, const IkeSlice *names, size_t n);
IkeSlice ike_trust_chain(const IkeTrust *trust, size_t i); /* DER */
size_t ike_trust_anchors(const IkeTrust *trust);
IkeSlice ike_trust_anchor_name(const IkeTrust *trust, size_t i); /* its subject, DER */

/* A name as text, for people; empty where the DER is none. Hostile text, but printable. */
void ike_cert_format_der(IkeSlice name, char *text, size_t size);
/* Two IDs of DER_ASN1_DN that are the same name (RFC 5280, 7.1). */
bool ike_cert_same_name(const IkeIdentity *a, const IkeIdentity *b);

/* ---- the gateway's certificate ---- */

typedef struct IkePeer {
    IkeCertificateInfo info;
    IkeKeyKind kind;
    EVP_PKEY *key;         /* ike_peer_clear() gives it back */
    char text[IKE_ID_MAX]; /* of the certificate that something is wrong with, else of his own */
} IkePeer;

/* Whether a chain to an anchor holds at `now` (of the session), and its first certificate is a
 * gateway's that has the expected ID. IKE_DETAIL_NONE, or what is wrong; negative: our fault. */
int ike_trust_check(const IkeTrust *trust, const IkeCertPayload *payloads, size_t n, uint64_t now,
                    IkePeer *peer);
void ike_peer_clear(IkePeer *peer);

#endif
