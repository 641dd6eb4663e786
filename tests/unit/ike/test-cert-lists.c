/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation lists: what they say, whose word counts, and when one is missed.
 */
#include "trust-kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void use_crl(World *w, size_t i, const KitCert *ca, const KitCert *revoked, int64_t to)
{
    kit_crl(ca, revoked, -50, to, &w->lists[i]);
    w->crls[i] = world_blob(&w->lists[i]);
    w->credentials.crls_n = i + 1;
}

static void c5_a_revoked_certificate_is_refused(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->root, "DNS:gw.example.com", "p256");

    use_crl(w, 0, w->root, leaf, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_REVOKED);
    /* What an old list says has not become untrue. */
    use_crl(w, 0, w->root, leaf, -5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_REVOKED);
    use_crl(w, 0, w->root, NULL, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    kit_cert_free(leaf);
}

static void c5_a_revoked_issuer_is_refused(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");

    use_crl(w, 0, w->root, w->middle, 5);
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_CERT_REVOKED);
    assert_string_equal(w->peer.text, "O=Example, CN=middle");
    kit_cert_free(leaf);
}

static void c5_a_list_that_another_has_signed_counts_for_nothing(void **state)
{
    World *w = *state;
    KitCert *forger = kit_ca_new(NULL, "root", "p384");
    KitCert *leaf = kit_leaf_new(w->root, "DNS:gw.example.com", "p256");

    w->credentials.require_crl = true;
    use_crl(w, 0, forger, NULL, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_NO_CRL);
    w->credentials.require_crl = false;
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    use_crl(w, 0, forger, leaf, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    /* Nor does it hide the right one, though it is newer. */
    kit_crl(forger, NULL, -1, 9, &w->lists[0]);
    w->crls[0] = world_blob(&w->lists[0]);
    use_crl(w, 1, w->root, leaf, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_REVOKED);
    kit_cert_free(leaf);
    kit_cert_free(forger);
}

/* Whose certificate only the gateway shows, so that nobody could look before. */
static void c5_a_forged_list_of_an_intermediate_neither_refuses_nor_hides(void **state)
{
    World *w = *state;
    KitCert *forger = kit_ca_new(w->other_root, "middle", "p384");
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");

    kit_crl(forger, leaf, -1, 9, &w->lists[0]);
    w->crls[0] = world_blob(&w->lists[0]);
    w->credentials.crls_n = 1;
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_NONE);
    kit_crl(forger, NULL, -1, 9, &w->lists[0]);
    w->crls[0] = world_blob(&w->lists[0]);
    use_crl(w, 1, w->middle, leaf, 5);
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_CERT_REVOKED);
    kit_cert_free(leaf);
    kit_cert_free(forger);
}

static void c5_of_an_anchor_no_list_is_missed(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");

    w->anchors[0] = world_blob(&w->middle->der);
    use_crl(w, 0, w->middle, NULL, 5);
    use_crl(w, 1, w->root, NULL, 5);
    for (int require = 0; require <= 1; require++) {
        w->credentials.require_crl = require == 1;
        assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    }
    use_crl(w, 0, w->middle, leaf, 5);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_REVOKED);
    w->credentials.crls_n = 0;
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_CERT_NO_CRL);
    w->anchors[0] = world_blob(&leaf->der);
    assert_int_equal(world_check(w, leaf, NULL), IKE_DETAIL_NONE);
    kit_cert_free(leaf);
}

static void a_list_is_missed_only_where_it_is_required(void **state)
{
    World *w = *state;
    KitCert *leaf = kit_leaf_new(w->middle, "DNS:gw.example.com", "p256");

    use_crl(w, 0, w->root, NULL, 5);
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_NONE);
    w->credentials.require_crl = true;
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_CERT_NO_CRL);
    assert_string_equal(w->peer.text, "O=Example, CN=middle");
    use_crl(w, 1, w->middle, NULL, -5);
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_CERT_NO_CRL);
    use_crl(w, 1, w->middle, NULL, 5);
    assert_int_equal(world_check(w, leaf, w->middle), IKE_DETAIL_NONE);
    kit_cert_free(leaf);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(c5_a_revoked_certificate_is_refused),
        CASE(c5_a_revoked_issuer_is_refused),
        CASE(c5_a_list_that_another_has_signed_counts_for_nothing),
        CASE(c5_a_forged_list_of_an_intermediate_neither_refuses_nor_hides),
        CASE(c5_of_an_anchor_no_list_is_missed),
        CASE(a_list_is_missed_only_where_it_is_required),
    };
#undef CASE

    return cmocka_run_group_tests(tests, NULL, NULL);
}
