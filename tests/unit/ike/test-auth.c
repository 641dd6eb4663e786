/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which certificates are asked for and shown: CERTREQ in both directions.
 */
#include "ike/auth.h"

#include "certificate-kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_request(World *w, uint8_t encoding, const X509 *ca)
{
    KitBytes body = {0};
    const uint8_t *der = NULL;
    size_t n = 0;

    kit_append_u8(&body, encoding);
    if (ca != NULL)
        assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(ca), &der, &n), 1);
    kit_append(&body, der, n);
    kit_list_add(&w->list, IKE_PAYLOAD_CERTREQ, body.bytes, body.n);
}

static void what_the_gateway_has_is_not_shown_to_it(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    add_request(w, IKE_CERT_X509_SIGNATURE, w->p384->cert);
    add_request(w, IKE_CERT_X509_SIGNATURE, w->middle->cert);
    kit_show(w->gw, &w->list);
    kit_answer_signature(w->gw, w->us->key);
    assert_int_equal(w->gw->events[IKE_EVENT_NOTICE], 0);
    world_am3(w, w->us, 1);
}

static void a_gateway_that_asks_for_another_ca_is_shown_all_and_it_is_told(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    add_request(w, IKE_CERT_CRL, w->middle->cert);
    add_request(w, IKE_CERT_X509_SIGNATURE, w->p384->cert);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_NOTICE], 1);
    assert_int_equal(w->gw->failure.detail, IKE_DETAIL_CERT_OTHER_CA);
    assert_string_equal(w->gw->failure.text, "O=Example, CN=gateway");
    kit_answer_signature(w->gw, w->us->key);
    world_am3(w, w->us, 2);
}

static void an_empty_request_and_rubbish_in_one_are_no_matter(void **state)
{
    World *w = *state;

    world_begin(w, w->server, w->middle);
    add_request(w, IKE_CERT_X509_SIGNATURE, NULL);
    kit_list_add(&w->list, IKE_PAYLOAD_CERTREQ, "", 0);
    kit_list_add(&w->list, IKE_PAYLOAD_CERTREQ, "\x04\x30\xff\xff", 4);
    kit_show(w->gw, &w->list);
    assert_int_equal(w->gw->events[IKE_EVENT_NOTICE], 0);
    kit_answer_signature(w->gw, w->us->key);
    world_am3(w, w->us, 2);
}

static IkeMessage read_am1(World *w, KitBytes *packet)
{
    IkeSession *session = NULL;
    KitDice dice = {.state = 7};
    IkePacket out;
    IkeHeader header;
    IkeMessage message;

    assert_int_equal(ike_session_new(&session, &w->config, kit_random, &dice), 0);
    assert_int_equal(ike_session_start(session, 1000 * IKE_SECOND), 0);
    assert_true(ike_session_next_packet(session, &out));
    packet->n = 0;
    kit_append(packet, out.bytes, out.n);
    ike_session_free(session);
    assert_int_equal(ike_header_read(kit_slice(packet), &header), 0);
    assert_int_equal(
        ike_payloads_read(&header, (IkeSlice){packet->bytes + 28, packet->n - 28}, &message), 0);
    return message;
}

static void am1_names_the_anchors_while_it_stays_small(void **state)
{
    World *w = *state;
    IkeBlob many[40];
    KitBytes packet;
    IkeMessage am1 = read_am1(w, &packet);
    const IkePayload *request = ike_message_find(&am1, IKE_PAYLOAD_CERTREQ);
    const uint8_t *der = NULL;
    size_t n = 0;

    assert_int_equal(ike_message_count(&am1, IKE_PAYLOAD_CERTREQ), 1);
    assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(w->root->cert), &der, &n), 1);
    assert_int_equal(request->body.n, 1 + n);
    assert_int_equal(request->body.bytes[0], IKE_CERT_X509_SIGNATURE);
    assert_memory_equal(request->body.bytes + 1, der, n);
    for (size_t i = 0; i < 40; i++)
        many[i] = world_blob(w->root);
    w->config.credentials.anchors = many;
    w->config.credentials.anchors_n = 40;
    am1 = read_am1(w, &packet);
    assert_int_equal(ike_message_count(&am1, IKE_PAYLOAD_CERTREQ), 1);
    assert_int_equal(ike_message_find(&am1, IKE_PAYLOAD_CERTREQ)->body.n, 1);
    assert_true(packet.n < 1200);
}

static IkeIdentity name_of(int kind, const char *common)
{
    X509_NAME *name = X509_NAME_new();
    IkeIdentity id = {.type = IKE_ID_DER_ASN1_DN};
    uint8_t *p = id.bytes;

    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", kind, (const uint8_t *)common, -1, -1, 0), 1);
    id.n = (uint16_t)i2d_X509_NAME(name, &p);
    X509_NAME_free(name);
    return id;
}

/* With a key that is shared IDir is all that says who the gateway is. */
static void a_dn_is_the_same_in_strings_of_another_kind(void **state)
{
    World *w = *state;
    IkeIdentity id = name_of(V_ASN1_PRINTABLESTRING, "gateway 1");

    w->config.auth = IKE_AUTH_PSK;
    w->config.remote_id = name_of(MBSTRING_UTF8, "Gateway 1");
    assert_true(ike_auth_expects(&w->config, &id));
    id = name_of(V_ASN1_PRINTABLESTRING, "gateway 11");
    assert_false(ike_auth_expects(&w->config, &id));
    for (id.n = 0; id.n < w->config.remote_id.n; id.n++)
        assert_false(ike_auth_expects(&w->config, &id));
    id = w->config.remote_id;
    id.type = IKE_ID_KEY_ID;
    assert_false(ike_auth_expects(&w->config, &id));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_the_gateway_has_is_not_shown_to_it),
        CASE(a_gateway_that_asks_for_another_ca_is_shown_all_and_it_is_told),
        CASE(an_empty_request_and_rubbish_in_one_are_no_matter),
        CASE(am1_names_the_anchors_while_it_stays_small),
        CASE(a_dn_is_the_same_in_strings_of_another_kind),
    };
#undef CASE

    return cmocka_run_group_tests(tests, world_make, world_drop);
}
