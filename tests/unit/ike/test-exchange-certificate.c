/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aggressive mode with certificates: what an impostor can send, what waits for a signature, and
 * what a right gateway gets.
 */
#include "ike/session-private.h"

#include "certificate-kit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void b5_nothing_is_signed_for_an_impostor_of_the_same_ca(void **state)
{
    World *w = *state;

    world_begin(w, w->impostor, w->middle);
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_CERT_ID);
    assert_string_equal(w->gw->failure.text, "O=Example, CN=gateway");
}

static void c1_a_certificate_of_somebody_else_proves_nothing(void **state)
{
    World *w = *state;

    world_begin(w, w->impostor, w->middle); /* who has only his own key */
    KitPayload *cert = kit_list_find(&w->list, IKE_PAYLOAD_CERT);
    memcpy(cert->bytes + 1, w->server->der.bytes, w->server->der.n);
    cert->n = 1 + w->server->der.n;
    KitPayload *signature = kit_list_find(&w->list, IKE_PAYLOAD_SIG);
    signature->bytes[100] ^= 1;
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_CERT_SIGNATURE);
}

static void c1_each_part_of_the_answer_is_signed(void **state)
{
    static const uint8_t parts[] = {IKE_PAYLOAD_KE, IKE_PAYLOAD_NONCE, IKE_PAYLOAD_ID};
    World *w = *state;

    for (size_t i = 0; i < sizeof(parts); i++) {
        world_begin(w, w->server, w->middle);
        KitPayload *part = kit_list_find(&w->list, parts[i]);
        part->bytes[part->n - 1] ^= 1;
        kit_show(w->gw, &w->list);
        world_refused(w, IKE_DETAIL_CERT_SIGNATURE);
        assert_string_equal(w->gw->failure.text, "O=Example, CN=gateway");
        w->gw = kit_gateway_free(w->gw);
    }
}

static void c3_an_empty_signature_is_no_proof(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_list_find(&w->list, IKE_PAYLOAD_SIG)->n = 0;
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_MALFORMED);
}

/* Who can't sign might hope to be taken for one who has a key in common with us. */
static void a_hash_in_the_place_of_a_signature_is_no_proof(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    KitPayload *signature = kit_list_find(&w->list, IKE_PAYLOAD_SIG);
    signature->type = IKE_PAYLOAD_HASH;
    signature->n = 32;
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_MALFORMED);
}

static void a_hash_beside_the_signature_is_refused(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_list_add(&w->list, IKE_PAYLOAD_HASH, "0123456789abcdef0123456789abcdef", 32);
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_MALFORMED);
}

static void a_method_that_was_not_offered_is_refused(void **state)
{
    World *w = *state;

    w->gw = kit_gateway_new(&w->config);
    w->gw->method = ike_auth_method(IKE_METHOD_PSK);
    kit_am2(w->gw, &w->list, IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->packets_n, 0);
    kit_pass_time(w->gw, w->gw->now + IKE_SECOND, 10);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_NOT_OFFERED);
}

static void a_key_of_another_kind_than_the_method_s_is_refused(void **state)
{
    World *w = *state;

    world_begin(w, w->p256, NULL);
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_CERT_SIGNATURE);
}

static void no_certificate_is_told(void **state)
{
    World *w = *state;

    world_begin(w, w->server, NULL);
    kit_list_find(&w->list, IKE_PAYLOAD_CERT)->type = IKE_PAYLOAD_VENDOR;
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_CERT_NONE);
}

static void more_certificates_than_a_chain_has_are_refused(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    for (size_t i = 0; i < IKE_CHAIN_MAX; i++)
        kit_list_add(&w->list, IKE_PAYLOAD_CERT, "\x04", 1);
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_MALFORMED);
}

/* Anybody may send it: the right answer is still awaited behind it. */
static void a_wrong_answer_before_the_right_one_does_no_harm(void **state)
{
    World *w = *state;

    world_begin(w, w->impostor, w->middle);
    kit_show(w->gw, &w->list);
    w->gw->chain[0] = w->server;
    kit_am2(w->gw, &w->list, IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 1);
    assert_int_equal(w->gw->events[IKE_EVENT_FAILED], 0);
}

static void b5_nothing_is_said_before_the_signature_is_there(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 1);
    assert_int_equal(w->gw->events[IKE_EVENT_PHASE1], 0);
    assert_int_equal(w->gw->packets_n, 0);
    /* The same answer again, another one, and time: the question is not repeated. */
    kit_deliver(w->gw, &w->gw->am2);
    kit_am2(w->gw, &w->list, IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    kit_pass_time(w->gw, w->gw->now + 30 * IKE_SECOND, 100);
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 1);
    assert_int_equal(w->gw->packets_n, 0);
    assert_int_equal(w->gw->events[IKE_EVENT_FAILED], 0);
}

static void a_signature_that_nobody_gives_ends_it(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    assert_int_equal(
        ike_session_answer_signature(w->gw->session, w->gw->signing.id, NULL, 0, w->gw->now), 0);
    kit_collect(w->gw);
    assert_int_equal(w->gw->failure.reason, IKE_REASON_SECRET_MISSING);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_NO_SIGNATURE);
    assert_int_equal(kit_count_packets(w->gw, IKE_EXCHANGE_AGGRESSIVE), 0);
}

static void a_signature_is_awaited_a_minute(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    uint64_t asked = w->gw->now;
    kit_pass_time(w->gw, asked + 59 * IKE_SECOND, 100);
    assert_int_equal(w->gw->events[IKE_EVENT_FAILED], 0);
    kit_pass_time(w->gw, asked + 61 * IKE_SECOND, 100);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_NO_SIGNATURE);
    /* Too late, it is no answer to anything. */
    assert_int_equal(kit_answer_signature(w->gw, w->us->key), 0);
    assert_int_equal(kit_count_packets(w->gw, IKE_EXCHANGE_AGGRESSIVE), 0);
}

/* Gateways forget who takes longer: Phase 1 is begun anew, and its signature comes at once. */
static void a_signature_that_took_long_is_asked_for_once_more(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    uint32_t former = w->gw->signing.id;
    kit_pass_time(w->gw, w->gw->now + 40 * IKE_SECOND, 100);
    assert_int_equal(kit_answer_signature(w->gw, w->us->key), 0);
    kit_renew(w->gw); /* what came is an AM1, and no AM3 */
    w->gw->marked = false;
    kit_am2(w->gw, &w->list, IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    assert_int_not_equal(w->gw->signing.id, former);
    assert_int_equal(kit_answer_signature(w->gw, w->us->key), 0);
    assert_int_equal(w->gw->events[IKE_EVENT_PHASE1], 1);
    world_am3(w, w->us, 2);
    while (w->gw->state != IKE_STATE_CONNECTED)
        assert_true(kit_quick(w->gw));
}

static void a_signature_by_another_key_is_not_sent(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    kit_answer_signature(w->gw, w->root->key);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_KEY_MISMATCH);
    assert_int_equal(kit_count_packets(w->gw, IKE_EXCHANGE_AGGRESSIVE), 0);
}

static void signatures_that_were_not_asked_for_are_passed_over(void **state)
{
    static const uint8_t long_one[IKE_SIGNATURE_MAX + 1] = {0};
    World *w = *state;

    world_begin(w, w->server, w->middle);
    assert_int_equal(ike_session_answer_signature(w->gw->session, 0, long_one, 256, w->gw->now), 0);
    kit_show(w->gw, &w->list);
    uint32_t id = w->gw->signing.id;
    assert_int_equal(
        ike_session_answer_signature(w->gw->session, id + 1, long_one, 256, w->gw->now), 0);
    kit_collect(w->gw);
    assert_int_equal(w->gw->events[IKE_EVENT_FAILED], 0);
    assert_int_equal(
        ike_session_answer_signature(w->gw->session, id, long_one, sizeof(long_one), w->gw->now),
        0);
    kit_collect(w->gw);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_KEY_MISMATCH);
}

static void rsa_signatures_authenticate_both(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    assert_int_equal(w->gw->method->number, IKE_METHOD_RSA_SIG);
    kit_show(w->gw, &w->list);
    assert_false(w->gw->signing.ecdsa);
    assert_int_equal(kit_answer_signature(w->gw, w->us->key), 0);
    assert_int_equal(w->gw->events[IKE_EVENT_PHASE1], 1);
    assert_int_equal(w->gw->phase1.auth, IKE_AUTH_CERTIFICATE);
    assert_string_equal(w->gw->phase1.certificate.subject, "O=Example, CN=gateway");
    assert_int_equal(w->gw->phase1.certificate.not_after, KIT_WALL + 365 * KIT_DAY);
    world_am3(w, w->us, 2);
    while (w->gw->state != IKE_STATE_CONNECTED)
        assert_true(kit_quick(w->gw));
}

/* HASH_I of ECDSA is made with the hash that is tied to the curve, whatever was negotiated. */
static void ecdsa_signatures_authenticate_both(void **state)
{
    World *w = *state;
    const struct {
        const KitCert *server, *us;
        uint16_t method;
        size_t hash;
    } rows[] = {
        {w->p256, w->us_p256, IKE_METHOD_ECDSA_256, 32},
        {w->p384, w->us_p384, IKE_METHOD_ECDSA_384, 48},
        {w->p521, w->us_p521, IKE_METHOD_ECDSA_521, 64},
    };

    for (size_t i = 0; i < 3; i++) {
        w->chain[0] = world_blob(rows[i].us);
        w->config.credentials.chain_n = 1;
        world_begin(w, rows[i].server, NULL);
        assert_int_equal(w->gw->method->number, rows[i].method);
        kit_show(w->gw, &w->list);
        assert_true(w->gw->signing.ecdsa);
        assert_int_equal(w->gw->signing.n, rows[i].hash);
        assert_int_equal(kit_answer_signature(w->gw, rows[i].us->key), 0);
        world_am3(w, rows[i].us, 1);
        while (w->gw->state != IKE_STATE_CONNECTED)
            assert_true(kit_quick(w->gw));
        w->gw = kit_gateway_free(w->gw);
    }
}

static void with_a_user_xauth_is_offered_behind_rsa(void **state)
{
    World *w = *state;

    w->config.xauth = IKE_XAUTH_REQUIRED;
    world_begin(w, w->server, w->middle);
    assert_int_equal(w->gw->method->number, IKE_METHOD_XAUTH_INIT_RSA);
    kit_show(w->gw, &w->list);
    kit_answer_signature(w->gw, w->us->key);
    assert_true(w->gw->phase1.xauth);
    assert_int_equal(w->gw->state, IKE_STATE_USER_AUTH);
}

/* ECDSA has no number with XAUTH; Phase 2 waits for the user all the same. */
static void with_a_user_ecdsa_waits_for_xauth(void **state)
{
    World *w = *state;

    w->config.xauth = IKE_XAUTH_REQUIRED;
    w->chain[0] = world_blob(w->us_p256);
    w->config.credentials.chain_n = 1;
    world_begin(w, w->p256, NULL);
    kit_show(w->gw, &w->list);
    kit_answer_signature(w->gw, w->us_p256->key);
    assert_int_equal(w->gw->state, IKE_STATE_USER_AUTH);
}

static void hybrid_proves_the_gateway_by_signature_and_us_by_hash(void **state)
{
    World *w = *state;
    uint8_t hash[IKE_HASH_MAX];
    KitBytes bytes;
    IkeMessage am3;

    w->config.auth = IKE_AUTH_HYBRID;
    w->config.xauth = IKE_XAUTH_AUTO;
    w->config.credentials.chain_n = 0;
    world_begin(w, w->server, w->middle);
    assert_int_equal(w->gw->method->number, IKE_METHOD_HYBRID_INIT_RSA);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 0);
    size_t n = kit_hash_i(w->gw, &w->list, hash);
    assert_true(kit_am3(w->gw, &bytes, &am3));
    assert_int_equal(ike_message_count(&am3, IKE_PAYLOAD_CERT), 0);
    assert_int_equal(ike_message_count(&am3, IKE_PAYLOAD_SIG), 0);
    const IkePayload *proof = ike_message_find(&am3, IKE_PAYLOAD_HASH);
    assert_int_equal(proof->body.n, n);
    assert_memory_equal(proof->body.bytes, hash, n);
    assert_int_equal(w->gw->phase1.auth, IKE_AUTH_HYBRID);
    assert_int_equal(w->gw->state, IKE_STATE_USER_AUTH);
}

static void b5_hybrid_says_nothing_to_an_impostor(void **state)
{
    World *w = *state;

    w->config.auth = IKE_AUTH_HYBRID;
    w->config.xauth = IKE_XAUTH_REQUIRED;
    w->config.credentials.chain_n = 0;
    world_begin(w, w->impostor, w->middle);
    kit_show(w->gw, &w->list);
    world_refused(w, IKE_DETAIL_CERT_ID);
}

/* ---- later ---- */

static void a_renewal_waits_for_a_signature_of_its_own(void **state)
{
    World *w = *state;
    KitBytes bytes;
    IkeMessage am3;

    world_begin(w, w->server, w->middle);
    kit_show(w->gw, &w->list);
    kit_answer_signature(w->gw, w->us->key);
    assert_true(kit_am3(w->gw, &bytes, &am3));
    while (w->gw->state != IKE_STATE_CONNECTED)
        assert_true(kit_quick(w->gw));
    kit_forget(w->gw);
    assert_int_equal(ike_session_renegotiate(w->gw->session, w->gw->now), 0);
    kit_collect(w->gw);
    uint32_t former = w->gw->signing.id;
    kit_renew(w->gw);
    kit_am2(w->gw, &w->list, IKE_VENDOR_DPD | IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_SIGN], 1);
    assert_int_not_equal(w->gw->signing.id, former);
    /* Nobody signs: the tunnel stays, and it is tried again. */
    assert_int_equal(
        ike_session_answer_signature(w->gw->session, w->gw->signing.id, NULL, 0, w->gw->now), 0);
    kit_collect(w->gw);
    assert_int_equal(w->gw->events[IKE_EVENT_LOST], 0);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_NO_SIGNATURE);
    assert_int_equal(w->gw->events[IKE_EVENT_PHASE1], 0);
    kit_forget(w->gw);
    kit_pass_time(w->gw, w->gw->now + 6 * IKE_SECOND, 20);
    kit_renew(w->gw);
    kit_am2(w->gw, &w->list, IKE_VENDOR_DPD | IKE_VENDOR_NATT_RFC3947);
    kit_show(w->gw, &w->list);
    assert_int_equal(kit_answer_signature(w->gw, w->us->key), 0);
    assert_int_equal(w->gw->events[IKE_EVENT_PHASE1], 1);
    assert_int_equal(w->gw->events[IKE_EVENT_LOST], 0);
}

static void half_credentials_are_refused_at_once(void **state)
{
    World *w = *state;
    IkeSession *session = NULL;
    KitDice dice = {0};
    IkeConfig config = w->config;

    config.remote_id.type = IKE_ID_ANY;
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), -EINVAL);
    config = w->config;
    config.credentials.anchors_n = 0;
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), -EINVAL);
    config = w->config;
    config.credentials.chain_n = 0;
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), -EINVAL);
    config.auth = IKE_AUTH_HYBRID; /* that forbids the user that it is about */
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), -EINVAL);
    assert_null(session);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(b5_nothing_is_signed_for_an_impostor_of_the_same_ca),
        CASE(b5_hybrid_says_nothing_to_an_impostor),
        CASE(b5_nothing_is_said_before_the_signature_is_there),
        CASE(c1_a_certificate_of_somebody_else_proves_nothing),
        CASE(c1_each_part_of_the_answer_is_signed),
        CASE(c3_an_empty_signature_is_no_proof),
        CASE(a_hash_in_the_place_of_a_signature_is_no_proof),
        CASE(a_hash_beside_the_signature_is_refused),
        CASE(a_method_that_was_not_offered_is_refused),
        CASE(a_key_of_another_kind_than_the_method_s_is_refused),
        CASE(no_certificate_is_told),
        CASE(more_certificates_than_a_chain_has_are_refused),
        CASE(a_wrong_answer_before_the_right_one_does_no_harm),
        CASE(a_signature_that_nobody_gives_ends_it),
        CASE(a_signature_is_awaited_a_minute),
        CASE(a_signature_that_took_long_is_asked_for_once_more),
        CASE(a_signature_by_another_key_is_not_sent),
        CASE(signatures_that_were_not_asked_for_are_passed_over),
        CASE(half_credentials_are_refused_at_once),
        CASE(rsa_signatures_authenticate_both),
        CASE(ecdsa_signatures_authenticate_both),
        CASE(with_a_user_xauth_is_offered_behind_rsa),
        CASE(with_a_user_ecdsa_waits_for_xauth),
        CASE(hybrid_proves_the_gateway_by_signature_and_us_by_hash),
        CASE(a_renewal_waits_for_a_signature_of_its_own),
    };
#undef CASE

    return cmocka_run_group_tests(tests, world_make, world_drop);
}
