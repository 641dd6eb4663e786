/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what a gateway shows: CERT payloads of each encoding, a right certificate with some of its
 * bytes changed, and names of CERTREQ. Promises: whoever is refused leaves no key behind, whoever
 * is believed has one and was right before he was changed, and text is without control characters.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIT_VECTORS ""
#include "tests/unit/ike/core-kit.c"
#include "tests/unit/ike/cert-kit.c"

#include "ike/constants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    expect(end != NULL);
    for (const char *c = text; c < end; c++)
        expect((uint8_t)*c >= 0x20 && *c != 0x7f);
}

static void check(const IkeTrust *trust, uint8_t encoding, IkeSlice data, bool may_be_right)
{
    const IkeCertPayload payload = {encoding, data};
    IkePeer peer;
    int r = ike_trust_check(trust, &payload, 1, 1000 * IKE_SECOND, &peer);

    expect(r >= 0 && (r == IKE_DETAIL_NONE) == (peer.key != NULL));
    expect(r != IKE_DETAIL_NONE || (may_be_right && peer.kind != IKE_KEY_NONE));
    check_text(peer.text, sizeof(peer.text));
    check_text(peer.info.subject, sizeof(peer.info.subject));
    check_text(peer.info.issuer, sizeof(peer.info.issuer));
    ike_peer_clear(&peer);
}

static void check_name(IkeSlice name)
{
    static const size_t sizes[] = {1, 2, 7, 256};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *text = malloc(sizes[i]);
        ike_cert_format_der(name, text, sizes[i]);
        check_text(text, sizes[i]);
        free(text);
    }
}

/* The input is a list of changes: where (2 bytes) and by what (1 byte). */
static void change(KitBytes *der, IkeReader in)
{
    while (in.left >= 3) {
        uint16_t at = ike_read_u16(&in);
        der->bytes[at % der->n] ^= ike_read_u8(&in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static KitCert *root, *leaf;
    static IkeTrust *trust;
    IkeReader in = ike_reader(data, n);

    if (trust == NULL) {
        const IkeIdentity expected = {.type = IKE_ID_FQDN, .n = 14, .bytes = "gw.example.com"};
        root = kit_ca_new(NULL, "root", "p256");
        leaf = kit_leaf_new(root, "DNS:gw.example.com", "p256");
        const IkeBlob anchor = {root->der.bytes, root->der.n};
        const IkeCredentials credentials = {
            .anchors = &anchor, .anchors_n = 1, .wall_offset = KIT_WALL - 1000};
        expect(ike_trust_new(&trust, &credentials, &expected) == 0);
    }
    uint8_t kind = ike_read_u8(&in);
    IkeSlice rest = ike_reader_rest(&in);
    if (kind % 3 == 0) {
        check(trust, kind % 2 == 0 ? IKE_CERT_X509_SIGNATURE : IKE_CERT_PKCS7, rest, false);
    } else if (kind % 3 == 1) {
        check_name(rest);
    } else {
        KitBytes der = leaf->der;
        change(&der, ike_reader_of(rest));
        check(trust, IKE_CERT_X509_SIGNATURE, kit_slice(&der), true);
    }
    return 0;
}
