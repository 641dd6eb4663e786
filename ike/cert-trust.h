/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files about certificates share; only they include it.
 */
#ifndef IKE_CERT_TRUST_H
#define IKE_CERT_TRUST_H

#include "ike/cert.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

struct IkeTrust {
    X509_STORE *store; /* the anchors */
    STACK_OF(X509) * anchors, *own;
    STACK_OF(X509_CRL) * lists;    /* not in the store: nobody has looked at who signed them */
    uint8_t *chain[IKE_CHAIN_MAX]; /* `own` as DER */
    size_t chain_n[IKE_CHAIN_MAX];
    IkeKeyKind kind;
    IkeIdentity expected; /* of the gateway */
    bool require_crl;
    int64_t wall_offset;
};

/* Exactly one certificate; NULL where the bytes are anything else. */
X509 *ike_cert_read(IkeSlice der);

#endif
