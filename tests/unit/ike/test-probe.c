/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes: the question is a first message as a session sends it, and the answer, which anybody can
 * forge, says no more than it holds. Whoever advises a user by it relies on "accepted" being one
 * of the proposals of the question.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "ike/natt.h"
#include "ike/payload-id.h"
#include "ike/payload-notify.h"
#include "ike/probe.h"
#include "ike/vendor.h"

#include "core-kit.h"

static const IkeAddress LOCAL = {4, {192, 0, 2, 7}, 41000};
static const IkeAddress BEHIND = {4, {198, 51, 100, 1}, 1024};
static const IkeAddress GATEWAY = {4, {203, 0, 113, 2}, 500};

static IkePhase1Proposal offered[3];

static IkeProbeQuestion question(void)
{
    offered[0] = kit_p1("aes256", "sha256", "ecp256");
    offered[1] = kit_p1("aes128", "sha1", "ecp256");
    offered[2] = kit_p1("3des", "sha1", "ecp256");
    return (IkeProbeQuestion){.proposals = offered,
                              .n = 3,
                              .id = kit_config().id,
                              .method = IKE_METHOD_PSK,
                              .lifetime = 28800};
}

static IkeProbe *ask(const IkeProbeQuestion *asked)
{
    KitDice dice = {.state = 7};
    IkeProbe *probe = NULL;
    assert_int_equal(ike_probe_new(&probe, asked, kit_random, &dice), 0);
    return probe;
}

static IkeMessage parsed(IkeSlice datagram)
{
    IkeHeader header;
    IkeMessage message;
    assert_int_equal(ike_header_read(datagram, &header), 0);
    const IkeSlice rest = {datagram.bytes + IKE_HEADER_SIZE, datagram.n - IKE_HEADER_SIZE};
    assert_int_equal(ike_payloads_read(&header, rest, &message), 0);
    return message;
}

static void test_the_question_is_a_first_message(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    const IkeMessage message = parsed(ike_probe_message(probe));
    assert_int_equal(message.header.exchange, IKE_EXCHANGE_AGGRESSIVE);
    assert_int_equal(message.header.flags, 0);
    assert_int_equal(message.payloads[0].type, IKE_PAYLOAD_SA);
    assert_int_equal(ike_message_find(&message, IKE_PAYLOAD_KE)->body.n, 64);
    assert_non_null(ike_message_find(&message, IKE_PAYLOAD_NONCE));
    assert_non_null(ike_message_find(&message, IKE_PAYLOAD_ID));
    assert_null(ike_message_find(&message, IKE_PAYLOAD_HASH));
    ike_probe_free(probe);
}

static void test_the_question_is_filled_up_to_the_byte(void **state)
{
    for (size_t size = 1200; size < 1210; size++) {
        IkeProbeQuestion asked = question();
        asked.size = size;
        IkeProbe *probe = ask(&asked);
        assert_int_equal(ike_probe_message(probe).n, size);
        parsed(ike_probe_message(probe));
        ike_probe_free(probe);
    }
}

static void test_a_question_that_can_t_be_asked_is_an_error(void **state)
{
    KitDice dice = {.state = 7};
    IkeProbeQuestion asked = question();
    IkeProbe *probe = NULL;
    asked.n = 0;
    assert_int_equal(ike_probe_new(&probe, &asked, kit_random, &dice), -EINVAL);
    asked.n = IKE_PROBE_PROPOSALS_MAX + 1;
    assert_int_equal(ike_probe_new(&probe, &asked, kit_random, &dice), -EINVAL);
    asked = question();
    for (unsigned i = 1; i <= 2; i++) {
        dice = (KitDice){.state = 7, .fail_at = i};
        assert_true(ike_probe_new(&probe, &asked, kit_random, &dice) < 0);
    }
    assert_null(probe);
}

/* What a gateway says to it, which the test may spoil. */
typedef struct Said {
    IkePhase1Proposal chosen;
    const IkeAddress *sees;
    uint16_t method;
    bool natt, silent_about_id;
} Said;

static void add_natd(IkeBuilder *builder, const IkeHeader *header, const Said *said,
                     const IkeAddress *address)
{
    uint8_t hash[IKE_HASH_MAX];
    assert_int_equal(ike_natt_hash(said->chosen.hash, (IkeSlice){header->cookie_i, 8},
                                   (IkeSlice){header->cookie_r, 8}, address, hash),
                     0);
    ike_builder_add(builder, IKE_PAYLOAD_NATD, (IkeSlice){hash, said->chosen.hash->size});
}

static void answer(const IkeProbe *probe, const Said *said, KitBytes *out)
{
    uint8_t body[512];
    const uint8_t zero[64] = {0};
    IkeHeader header = {.version = IKE_VERSION, .exchange = IKE_EXCHANGE_AGGRESSIVE};
    IkeBuilder builder;
    IkeWriter sa = ike_writer(body, sizeof(body));
    const IkePhase1Offer offer = {&said->chosen, 1, said->chosen.group, &said->method, 1, 3600};
    memcpy(header.cookie_i, ike_probe_message(probe).bytes, 8);
    memset(header.cookie_r, 9, 8);
    ike_builder_begin(&builder, out->bytes, sizeof(out->bytes), &header);
    ike_phase1_offer_write(&sa, &offer);
    ike_builder_add(&builder, IKE_PAYLOAD_SA, ike_writer_slice(&sa, 0));
    ike_builder_add(&builder, IKE_PAYLOAD_KE, (IkeSlice){zero, 64});
    ike_builder_add(&builder, IKE_PAYLOAD_NONCE, (IkeSlice){zero, 16});
    if (!said->silent_about_id) {
        IkeWriter id = ike_writer(body, sizeof(body));
        ike_id_write(&id, &(IkeIdentity){IKE_ID_FQDN, 2, "gw"}, 0, 0);
        ike_builder_add(&builder, IKE_PAYLOAD_ID, ike_writer_slice(&id, 0));
    }
    ike_builder_add(&builder, IKE_PAYLOAD_HASH, (IkeSlice){zero, said->chosen.hash->size});
    if (said->natt) {
        ike_vendor_add(&builder, IKE_VENDOR_NATT_RFC3947);
        add_natd(&builder, &header, said, said->sees);
        add_natd(&builder, &header, said, &GATEWAY);
    }
    ike_builder_end(&builder);
    assert_true(ike_writer_ok(&builder.writer));
    out->n = builder.writer.n;
}

static IkeProbeAnswer read_back(const IkeProbe *probe, const Said *said)
{
    KitBytes bytes;
    IkeProbeAnswer got;
    answer(probe, said, &bytes);
    assert_int_equal(ike_probe_read(probe, kit_slice(&bytes), &LOCAL, &got), 0);
    return got;
}

static void test_an_acceptance_names_the_proposal_the_gateway_and_the_nat(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    Said said = {.chosen = offered[1], .sees = &LOCAL, .method = IKE_METHOD_PSK, .natt = true};
    IkeProbeAnswer got = read_back(probe, &said);
    assert_int_equal(got.kind, IKE_PROBE_ACCEPTED);
    assert_ptr_equal(got.chosen.cipher, offered[1].cipher);
    assert_ptr_equal(got.chosen.group, offered[1].group);
    assert_int_equal(got.gateway.type, IKE_ID_FQDN);
    assert_memory_equal(got.gateway.bytes, "gw", 2);
    assert_true(got.natt);
    assert_int_equal(got.nat, IKE_PROBE_NAT_NONE);
    said.sees = &BEHIND;
    assert_int_equal(read_back(probe, &said).nat, IKE_PROBE_NAT_FOUND);
    said.natt = false;
    got = read_back(probe, &said);
    assert_int_equal(got.nat, IKE_PROBE_NAT_UNKNOWN);
    assert_false(got.natt);
    said.silent_about_id = true;
    assert_int_equal(read_back(probe, &said).gateway.type, IKE_ID_ANY);
    ike_probe_free(probe);
}

static void test_a_proposal_or_method_that_was_not_offered_is_no_acceptance(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    const Said wrong[] = {
        {.chosen = kit_p1("aes192", "sha1", "ecp256"), .method = IKE_METHOD_PSK},
        {.chosen = kit_p1("aes256", "sha256", "modp1024"), .method = IKE_METHOD_PSK},
        {.chosen = offered[0], .method = IKE_METHOD_XAUTH_INIT_PSK},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(read_back(probe, &wrong[i]).kind, IKE_PROBE_UNUSABLE);
    ike_probe_free(probe);
}

static void refusal(const IkeProbe *probe, uint16_t type, KitBytes *out)
{
    IkeHeader header = {.version = IKE_VERSION, .exchange = IKE_EXCHANGE_INFORMATIONAL};
    IkeBuilder builder;
    memcpy(header.cookie_i, ike_probe_message(probe).bytes, 8);
    ike_builder_begin(&builder, out->bytes, sizeof(out->bytes), &header);
    ike_notify_add(&builder, &(IkeNotify){.protocol = 1, .type = type});
    ike_builder_end(&builder);
    out->n = builder.writer.n;
}

static void test_a_refusal_gives_its_number(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    IkeProbeAnswer got;
    KitBytes bytes;
    refusal(probe, 18, &bytes);
    assert_int_equal(ike_probe_read(probe, kit_slice(&bytes), &LOCAL, &got), 0);
    assert_int_equal(got.kind, IKE_PROBE_REFUSED);
    assert_int_equal(got.notify, 18);
    ike_probe_free(probe);
}

/* Encrypted words in place of the second message come from who derived keys, and then refused us.
 */
static void test_a_refusal_that_is_sealed_is_about_who_we_are(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    IkeProbeAnswer got;
    KitBytes bytes;
    refusal(probe, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, &bytes);
    bytes.bytes[19] |= IKE_FLAG_ENCRYPTION;
    assert_int_equal(ike_probe_read(probe, kit_slice(&bytes), &LOCAL, &got), 0);
    assert_int_equal(got.kind, IKE_PROBE_REFUSED);
    assert_int_equal(got.notify, IKE_NOTIFY_AUTHENTICATION_FAILED);
    bytes.bytes[0] ^= 1;
    assert_int_equal(ike_probe_read(probe, kit_slice(&bytes), &LOCAL, &got), 0);
    assert_int_equal(got.kind, IKE_PROBE_UNUSABLE);
    ike_probe_free(probe);
}

static void test_a_gateway_with_a_certificate_accepts_by_its_method_alone(void **state)
{
    static const uint16_t methods[] = {IKE_METHOD_RSA_SIG, IKE_METHOD_XAUTH_INIT_RSA,
                                       IKE_METHOD_HYBRID_INIT_RSA, IKE_METHOD_ECDSA_384};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        IkeProbeQuestion asked = question();
        asked.method = methods[i];
        IkeProbe *probe = ask(&asked);
        Said said = {.chosen = offered[2], .sees = &LOCAL, .method = methods[i]};
        const IkeProbeAnswer got = read_back(probe, &said);
        assert_int_equal(got.kind, IKE_PROBE_ACCEPTED);
        assert_ptr_equal(got.chosen.cipher, offered[2].cipher);
        said.method = IKE_METHOD_PSK;
        assert_int_equal(read_back(probe, &said).kind, IKE_PROBE_UNUSABLE);
        ike_probe_free(probe);
    }
}

/* Another probe's answer, an encrypted one, and one cut short anywhere say nothing. */
static void test_what_does_not_belong_to_the_question_says_nothing(void **state)
{
    const IkeProbeQuestion asked = question();
    IkeProbe *probe = ask(&asked);
    const Said said = {
        .chosen = offered[0], .sees = &LOCAL, .method = IKE_METHOD_PSK, .natt = true};
    IkeProbeAnswer got;
    KitBytes whole, spoilt;
    answer(probe, &said, &whole);
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *cut = kit_exact(whole.bytes, n);
        assert_int_equal(ike_probe_read(probe, (IkeSlice){cut, n}, &LOCAL, &got), 0);
        assert_int_equal(got.kind, IKE_PROBE_UNUSABLE);
        free(cut);
    }
    for (size_t at = 0; at < 20; at++) {
        spoilt = whole;
        spoilt.bytes[at] ^= at < 8 || at == 19 ? 1 : 0;
        assert_int_equal(ike_probe_read(probe, kit_slice(&spoilt), &LOCAL, &got), 0);
        assert_int_equal(got.kind, at < 8 || at == 19 ? IKE_PROBE_UNUSABLE : IKE_PROBE_ACCEPTED);
    }
    ike_probe_free(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_question_is_a_first_message),
        cmocka_unit_test(test_the_question_is_filled_up_to_the_byte),
        cmocka_unit_test(test_a_question_that_can_t_be_asked_is_an_error),
        cmocka_unit_test(test_an_acceptance_names_the_proposal_the_gateway_and_the_nat),
        cmocka_unit_test(test_a_proposal_or_method_that_was_not_offered_is_no_acceptance),
        cmocka_unit_test(test_a_refusal_gives_its_number),
        cmocka_unit_test(test_a_refusal_that_is_sealed_is_about_who_we_are),
        cmocka_unit_test(test_a_gateway_with_a_certificate_accepts_by_its_method_alone),
        cmocka_unit_test(test_what_does_not_belong_to_the_question_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
