/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a gateway's certificate is believed: chains, times, uses, strengths and names.
 */
#include "ike/cert.h"
#include "ike/constants.h"

#include "trust-kit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Of a leaf by the root. */
static int check_spec(World *w, KitCertSpec spec)
{
    if (spec.issuer == NULL)
        spec.issuer = w->root;
    if (spec.usage == NULL)
        spec.usage = "digitalSignature";
    if (spec.names == NULL && !spec.nul_in_name)
        spec.names = "DNS:gw.example.com";
    spec.from = spec.from != 0 ? spec.from : -1;
    KitCert *leaf = kit_cert_new(&spec);
    int r = world_check(w, leaf, NULL);
    kit_cert_free(leaf);
    return r;
}

static void a_right_chain_is_believed_and_told(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "rsa2048");

    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_NONE);
    assert_string_equal(w->peer.info.subject, "O=Example, CN=gateway");
    assert_string_equal(w->peer.info.issuer, "O=Example, CN=middle");
    assert_int_equal(w->peer.info.not_after, KIT_WALL + 365 * KIT_DAY);
    assert_int_equal(w->peer.kind, IKE_KEY_RSA);
    uint8_t digest[IKE_FINGERPRINT_SIZE];
    assert_int_equal(X509_digest(leaf->cert, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(w->peer.info.fingerprint, digest, sizeof(digest));
    kit_cert_free(leaf);
}

static void c5_a_chain_to_nobody_we_know_is_refused(void **state)
{
    World *w = *state;
    KitCert *stranger = kit_leaf_new(w->other_root, "DNS:gw.example.com", "p256");
    KitCert *hidden = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");
    KitCert *self = kit_leaf_new(NULL, "DNS:gw.example.com", "p256");

    assert_int_equal(world_check(w, stranger, NULL), IKE_DETAIL_CERT_ISSUER);
    assert_string_equal(w->peer.text, "O=Example, CN=somebody else");
    /* His root comes along; that makes it no anchor. */
    assert_int_equal(world_check(w, stranger, w->other_root), IKE_DETAIL_CERT_ISSUER);
    assert_int_equal(world_check(w, hidden, NULL), IKE_DETAIL_CERT_ISSUER);
    assert_int_equal(world_check(w, self, NULL), IKE_DETAIL_CERT_ISSUER);
    kit_cert_free(stranger);
    kit_cert_free(hidden);
    kit_cert_free(self);
}

static void c5_the_gateway_s_own_or_an_intermediate_may_be_the_anchor(void **state)
{
    World *w = *state;
    KitCert *self = kit_leaf_new(NULL, "DNS:gw.example.com", "p256");

    w->anchors[0] = world_blob(&self->der);
    assert_int_equal(world_check(w, self, NULL), IKE_DETAIL_NONE);
    kit_cert_free(self);
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");
    w->anchors[0] = world_blob(&w->middle->der);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    kit_cert_free(leaf);
}

static void c5_an_issuer_of_the_same_name_with_another_key_is_refused(void **state)
{
    World *w = *state;
    KitCert *forger = kit_ca_new(NULL, "root", "p384");
    KitCert *leaf = kit_leaf_new(forger, "DNS:gw.example.com", "p256");

    assert_int_not_equal(world_check(w, leaf, forger), IKE_DETAIL_NONE);
    assert_int_not_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    kit_cert_free(leaf);
    kit_cert_free(forger);
}

static void c5_time_is_kept_at_both_ends(void **state)
{
    World *w = *state;

    assert_int_equal(check_spec(w, (KitCertSpec){.from = -9, .to = -1}), IKE_DETAIL_CERT_EXPIRED);
    assert_int_equal(check_spec(w, (KitCertSpec){.from = 1}), IKE_DETAIL_CERT_NOT_YET);
    assert_int_equal(check_spec(w, (KitCertSpec){.from = -1, .to = 1}), IKE_DETAIL_NONE);
}

static void c5_an_expired_issuer_is_named(void **state)
{
    World *w = *state;
    KitCert *old = kit_cert_new(&(KitCertSpec){.issuer = w->root,
                                               .name = "old",
                                               .basic = "CA:TRUE",
                                               .usage = "keyCertSign",
                                               .from = -9,
                                               .to = -1});
    KitCert *leaf = kit_leaf_new(old, "DNS:gw.example.com", "p256");

    assert_int_equal(world_check(w, leaf, old), IKE_DETAIL_CERT_EXPIRED);
    assert_string_equal(w->peer.text, "O=Example, CN=old");
    kit_cert_free(leaf);
    kit_cert_free(old);
}

typedef struct UseRow {
    const char *usage, *extended;
    IkeDetail detail;
} UseRow;

static void c5_only_certificates_for_gateways_are_taken(void **state)
{
    static const UseRow rows[] = {
        {"digitalSignature", "clientAuth", IKE_DETAIL_CERT_USE},
        {"digitalSignature", "emailProtection,codeSigning", IKE_DETAIL_CERT_USE},
        {"keyEncipherment", NULL, IKE_DETAIL_CERT_USE},
        {"keyEncipherment", "serverAuth", IKE_DETAIL_CERT_USE},
        {"digitalSignature", "serverAuth", IKE_DETAIL_NONE},
        {"nonRepudiation", "ipsecIKE", IKE_DETAIL_NONE},
        {"digitalSignature", "1.3.6.1.5.5.8.2.2", IKE_DETAIL_NONE},
        {"digitalSignature", "ipsecEndSystem", IKE_DETAIL_NONE},
        {"digitalSignature", "ipsecTunnel", IKE_DETAIL_NONE},
        {"digitalSignature", "clientAuth,anyExtendedKeyUsage", IKE_DETAIL_NONE},
    };
    World *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(
            check_spec(w, (KitCertSpec){.usage = rows[i].usage, .extended = rows[i].extended}),
            rows[i].detail);
}

static void c5_an_issuer_that_is_no_ca_is_refused(void **state)
{
    World *w = *state;
    const KitCertSpec specs[] = {
        {.usage = "digitalSignature"},
        {.usage = "keyCertSign"},
        {.basic = "CA:FALSE", .usage = "keyCertSign"},
        {.basic = "CA:TRUE", .usage = "digitalSignature"},
        {.version = 1},
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        KitCertSpec spec = specs[i];
        spec.issuer = w->root;
        spec.from = -1;
        KitCert *employee = kit_cert_new(&spec);
        KitCert *leaf = kit_leaf_new(employee, "DNS:gw.example.com", "p256");
        assert_int_equal(world_check(w, leaf, employee), IKE_DETAIL_CERT_INVALID);
        kit_cert_free(leaf);
        kit_cert_free(employee);
    }
}

static void c5_constraints_of_an_issuer_are_kept(void **state)
{
    World *w = *state;
    KitCert *narrow = kit_cert_new(&(KitCertSpec){.issuer = w->root,
                                                  .name = "narrow",
                                                  .basic = "CA:TRUE,pathlen:0",
                                                  .usage = "keyCertSign",
                                                  .constraints = "permitted;DNS:other.example",
                                                  .from = -1});
    KitCert *below = kit_ca_new(narrow, "below", "p256");
    KitCert *outside = kit_leaf_new(narrow, "DNS:gw.example.com", "p256");
    KitCert *deep = kit_leaf_new(below, "DNS:gw.other.example", "p256");
    const IkeCertPayload too_long[] = {
        {IKE_CERT_X509_SIGNATURE, kit_slice(&deep->der)},
        {IKE_CERT_X509_SIGNATURE, kit_slice(&below->der)},
        {IKE_CERT_X509_SIGNATURE, kit_slice(&narrow->der)},
    };

    assert_int_equal(world_check(w, outside, narrow), IKE_DETAIL_CERT_INVALID);
    world_expect_id(w, IKE_ID_FQDN, "gw.other.example", 16);
    assert_int_equal(world_check_payloads(w, too_long, 3), IKE_DETAIL_CERT_INVALID);
    kit_cert_free(deep);
    kit_cert_free(outside);
    kit_cert_free(below);
    kit_cert_free(narrow);
}

static void c1_weak_keys_are_refused(void **state)
{
    static const char *const kinds[] = {"rsa1024", "rsa-e3", "p224"};
    World *w = *state;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(check_spec(w, (KitCertSpec){.key = kinds[i]}), IKE_DETAIL_CERT_WEAK);
        KitCert *middle = kit_ca_new(w->root, "weak", kinds[i]);
        assert_int_equal(check_spec(w, (KitCertSpec){.issuer = middle}), IKE_DETAIL_CERT_ISSUER);
        KitCert *leaf = kit_leaf_new(middle, "DNS:gw.example.com", "p256");
        assert_int_equal(world_check(w, leaf, middle), IKE_DETAIL_CERT_WEAK);
        kit_cert_free(leaf);
        kit_cert_free(middle);
    }
}

static void c12_signatures_by_md5_and_sha1_are_refused(void **state)
{
    World *w = *state;

    assert_int_equal(check_spec(w, (KitCertSpec){.digest = "MD5"}), IKE_DETAIL_CERT_WEAK);
    assert_int_equal(check_spec(w, (KitCertSpec){.digest = "SHA1"}), IKE_DETAIL_CERT_WEAK);
    assert_int_equal(check_spec(w, (KitCertSpec){.digest = "SHA384"}), IKE_DETAIL_NONE);
}

/* Its signature proves nothing: it is believed because the profile names it. */
static void c12_an_anchor_may_have_signed_itself_with_sha1(void **state)
{
    World *w = *state;
    KitCert *old = kit_cert_new(&(KitCertSpec){.name = "old root",
                                               .digest = "SHA1",
                                               .basic = "CA:TRUE",
                                               .usage = "keyCertSign",
                                               .from = -1});

    w->anchors[0] = world_blob(&old->der);
    assert_int_equal(check_spec(w, (KitCertSpec){.issuer = old}), IKE_DETAIL_NONE);
    kit_cert_free(old);
}

typedef struct IdRow {
    const char *names;
    IkeIdType type;
    const char *id;
    size_t n;
    IkeDetail detail;
} IdRow;

static void c4_an_id_fits_in_full_or_not_at_all(void **state)
{
    static const IdRow rows[] = {
        {"DNS:gw.example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_NONE},
        {"DNS:GW.Example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_NONE},
        {"DNS:other.example,DNS:gw.example.com", IKE_ID_FQDN, "gw.example.com", 14,
         IKE_DETAIL_NONE},
        {"DNS:*.example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
        {"DNS:gw.example.com.evil.org", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
        {"DNS:example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
        {"DNS:.example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
        {"email:gw.example.com", IKE_ID_FQDN, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
        {"email:gw@example.com", IKE_ID_USER_FQDN, "gw@example.com", 14, IKE_DETAIL_NONE},
        {"email:gw@example.com", IKE_ID_FQDN, "gw@example.com", 14, IKE_DETAIL_CERT_ID},
        {"IP:192.0.2.1", IKE_ID_IPV4, "\xc0\0\x02\x01", 4, IKE_DETAIL_NONE},
        {"IP:192.0.2.1", IKE_ID_IPV4, "\xc0\0\x02\x02", 4, IKE_DETAIL_CERT_ID},
        {"DNS:192.0.2.1", IKE_ID_IPV4, "\xc0\0\x02\x01", 4, IKE_DETAIL_CERT_ID},
        {"IP:2001:db8::1", IKE_ID_IPV6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16,
         IKE_DETAIL_NONE},
        {"DNS:gw.example.com", IKE_ID_KEY_ID, "gw.example.com", 14, IKE_DETAIL_CERT_ID},
    };
    World *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_expect_id(w, rows[i].type, rows[i].id, rows[i].n);
        assert_int_equal(check_spec(w, (KitCertSpec){.names = rows[i].names}), rows[i].detail);
    }
}

static void c4_a_cn_is_no_name(void **state)
{
    World *w = *state;
    KitCert *leaf =
        kit_cert_new(&(KitCertSpec){.issuer = w->root, .name = "gw.example.com", .from = -1});

    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    kit_cert_free(leaf);
}

static void c4_a_nul_within_a_name_is_refused(void **state)
{
    World *w = *state;

    assert_int_equal(check_spec(w, (KitCertSpec){.nul_in_name = true}), IKE_DETAIL_CERT_MALFORMED);
    world_expect_id(w, IKE_ID_FQDN, "gw.example.com\0.evil.example", 28);
    assert_int_equal(check_spec(w, (KitCertSpec){.nul_in_name = true}), IKE_DETAIL_CERT_MALFORMED);
}

/* A subject in strings of another kind than those of these certificates (UTF8String). */
static void expect_name(World *w, int kind, const char *organization, const char *common)
{
    X509_NAME *name = X509_NAME_new();
    const uint8_t *der = NULL;
    size_t n = 0;

    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "O", kind, (const uint8_t *)organization, -1, -1, 0), 1);
    if (common != NULL)
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, "CN", kind, (const uint8_t *)common, -1, -1, 0), 1);
    assert_int_equal(X509_NAME_get0_der(name, &der, &n), 1);
    world_expect_id(w, IKE_ID_DER_ASN1_DN, der, n);
    X509_NAME_free(name);
}

static void a_dn_is_compared_as_rfc_5280_says(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->root, NULL, "p256");
    const uint8_t *der = NULL;
    size_t n = 0;

    assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(leaf->cert), &der, &n), 1);
    world_expect_id(w, IKE_ID_DER_ASN1_DN, der, n);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    for (size_t i = 0; i < n; i++) {
        w->expected.bytes[i] ^= 0x01;
        assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
        w->expected.bytes[i] ^= 0x01;
    }
    w->expected.n--;
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    w->expected.n += 2; /* a byte behind it */
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    expect_name(w, MBSTRING_ASC, "Example", "gateway");
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    expect_name(w, V_ASN1_PRINTABLESTRING, "EXAMPLE", " Gateway");
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    expect_name(w, V_ASN1_PRINTABLESTRING, "Example", "gate way");
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    expect_name(w, V_ASN1_PRINTABLESTRING, "Example", NULL);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    kit_cert_free(leaf);
}

/* ---- what came ---- */

static void c7_bytes_that_are_no_certificate_are_refused(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->root, "DNS:gw.example.com", "p256");
    KitBytes spoilt;

    for (size_t n = 0; n < leaf->der.n; n++) {
        const IkeCertPayload cut = {IKE_CERT_X509_SIGNATURE, {leaf->der.bytes, n}};
        assert_int_equal(world_check_payloads(w, &cut, 1), IKE_DETAIL_CERT_MALFORMED);
    }
    spoilt = leaf->der;
    kit_append_u8(&spoilt, 0);
    const IkeCertPayload longer = {IKE_CERT_X509_SIGNATURE, kit_slice(&spoilt)};
    assert_int_equal(world_check_payloads(w, &longer, 1), IKE_DETAIL_CERT_MALFORMED);
    for (size_t i = 0; i < leaf->der.n; i++) {
        spoilt = leaf->der;
        spoilt.bytes[i] ^= 0x41;
        const IkeCertPayload other = {IKE_CERT_X509_SIGNATURE, kit_slice(&spoilt)};
        assert_int_not_equal(world_check_payloads(w, &other, 1), IKE_DETAIL_NONE);
    }
    kit_cert_free(leaf);
}

static void c6_a_key_that_can_t_be_read_is_refused(void **state)
{
    static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->root, "DNS:gw.example.com", "rsa2048");
    KitBytes spoilt = leaf->der;
    uint8_t *oid = memmem(spoilt.bytes, spoilt.n, rsa, sizeof(rsa));

    assert_non_null(oid);
    oid[8] = 0x63; /* an algorithm that nobody knows */
    const IkeCertPayload payload = {IKE_CERT_X509_SIGNATURE, kit_slice(&spoilt)};
    /* As the anchor, of which no signature is looked at. */
    w->anchors[0] = world_blob(&leaf->der);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    w->anchors[0] = world_blob(&spoilt);
    assert_int_equal(world_check_payloads(w, &payload, 1), IKE_DETAIL_CERT_INVALID);
    kit_cert_free(leaf);
}

static void nothing_and_kinds_that_are_not_spoken_are_no_certificate(void **state)
{
    World *w = *state;
    const IkeCertPayload list = {IKE_CERT_CRL, kit_slice(&w->root->der)};

    assert_int_equal(world_check_payloads(w, NULL, 0), IKE_DETAIL_CERT_NONE);
    assert_int_equal(world_check_payloads(w, &list, 1), IKE_DETAIL_CERT_NONE);
}

static void pkcs7_brings_a_chain_in_any_order(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");
    const KitCert *both[2][2] = {{leaf, w->middle}, {w->middle, leaf}};
    KitBytes wrapped;

    for (size_t i = 0; i < 2; i++) {
        kit_pkcs7(both[i], 2, &wrapped);
        const IkeCertPayload payload = {IKE_CERT_PKCS7, kit_slice(&wrapped)};
        assert_int_equal(world_check_payloads(w, &payload, 1), IKE_DETAIL_NONE);
    }
    for (size_t n = 0; n < wrapped.n; n += 3) {
        const IkeCertPayload cut = {IKE_CERT_PKCS7, {wrapped.bytes, n}};
        assert_int_not_equal(world_check_payloads(w, &cut, 1), IKE_DETAIL_NONE);
    }
    kit_cert_free(leaf);
}

static void more_certificates_than_a_chain_has_are_refused(void **state)
{
    World *w = *state;
    const KitCert *many[IKE_CHAIN_MAX + 1];
    KitBytes wrapped;

    for (size_t i = 0; i < IKE_CHAIN_MAX + 1; i++)
        many[i] = kit_leaf_new(w->root, "DNS:gw.example.com", "p256");
    kit_pkcs7(many, IKE_CHAIN_MAX + 1, &wrapped);
    const IkeCertPayload payload = {IKE_CERT_PKCS7, kit_slice(&wrapped)};
    assert_int_equal(world_check_payloads(w, &payload, 1), IKE_DETAIL_CERT_MALFORMED);
    for (size_t i = 0; i < IKE_CHAIN_MAX + 1; i++)
        kit_cert_free((KitCert *)many[i]);
}

/* ---- the profile's own ---- */

static void credentials_that_can_t_be_read_are_told(void **state)
{
    static const uint8_t rubbish[] = "no DER";
    World *w = *state;
    KitCert *weak = kit_leaf_new(w->root, NULL, "rsa1024");
    const IkeBlob ours = world_blob(&weak->der);
    IkeTrust *trust = NULL;

    w->credentials.chain = &ours;
    w->credentials.chain_n = 1;
    assert_int_equal(ike_trust_new(&trust, &w->credentials, &w->expected), -EKEYREJECTED);
    w->credentials.chain_n = 0;
    w->crls[0] = (IkeBlob){rubbish, sizeof(rubbish)};
    w->credentials.crls_n = 1;
    assert_int_equal(ike_trust_new(&trust, &w->credentials, &w->expected), -EBADMSG);
    w->credentials.crls_n = 0;
    w->anchors[0] = (IkeBlob){rubbish, sizeof(rubbish)};
    assert_int_equal(ike_trust_new(&trust, &w->credentials, &w->expected), -EBADMSG);
    assert_null(trust);
    kit_cert_free(weak);
}

static void a_hostile_subject_is_printed_without_its_controls(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_cert_new(
        &(KitCertSpec){.issuer = w->root, .name = "\x1b[31mred\n%s%n, CN=root", .from = -1});

    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_ID);
    assert_string_equal(w->peer.text, "O=Example, CN=\\1B[31mred\\0A%s%n\\, CN=root");
    kit_cert_free(leaf);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(c5_a_chain_to_nobody_we_know_is_refused),
        CASE(c5_an_issuer_of_the_same_name_with_another_key_is_refused),
        CASE(c5_time_is_kept_at_both_ends),
        CASE(c5_an_expired_issuer_is_named),
        CASE(c5_only_certificates_for_gateways_are_taken),
        CASE(c5_an_issuer_that_is_no_ca_is_refused),
        CASE(c5_constraints_of_an_issuer_are_kept),
        CASE(c1_weak_keys_are_refused),
        CASE(c12_signatures_by_md5_and_sha1_are_refused),
        CASE(c12_an_anchor_may_have_signed_itself_with_sha1),
        CASE(c4_an_id_fits_in_full_or_not_at_all),
        CASE(c4_a_cn_is_no_name),
        CASE(c4_a_nul_within_a_name_is_refused),
        CASE(a_dn_is_compared_as_rfc_5280_says),
        CASE(c7_bytes_that_are_no_certificate_are_refused),
        CASE(c6_a_key_that_can_t_be_read_is_refused),
        CASE(nothing_and_kinds_that_are_not_spoken_are_no_certificate),
        CASE(more_certificates_than_a_chain_has_are_refused),
        CASE(credentials_that_can_t_be_read_are_told),
        CASE(a_hostile_subject_is_printed_without_its_controls),
        CASE(c5_the_gateway_s_own_or_an_intermediate_may_be_the_anchor),
        CASE(pkcs7_brings_a_chain_in_any_order),
        CASE(a_right_chain_is_believed_and_told),
    };
#undef CASE

    return cmocka_run_group_tests(tests, NULL, NULL);
}
