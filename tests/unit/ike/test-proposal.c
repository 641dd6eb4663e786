/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proposals as meaning: what the gateway chooses was offered, exactly, or it is refused; whatever
 * it does to one attribute of a good answer is noticed.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proposal.h"

#include "core-kit.h"

static const uint16_t METHODS[] = {IKE_METHOD_XAUTH_INIT_PSK};

static IkePhase1Proposal proposals1[3];
static IkePhase2Proposal proposals2[3];

static IkePhase1Offer offer1(void)
{
    proposals1[0] = kit_p1("aes256", "sha256", "modp2048");
    proposals1[1] = kit_p1("3des", "sha1", "modp1024");
    proposals1[2] = kit_p1("aes128", "sha1", "modp2048");
    return (IkePhase1Offer){proposals1, 3, proposals1[0].group, METHODS, 1, 28800};
}

static IkePhase2Offer offer2(bool responder)
{
    proposals2[0] = kit_p2("aes128", "sha256", "ecp256");
    proposals2[1] = kit_p2("aes256gcm16", NULL, "ecp256");
    proposals2[2] = kit_p2("3des", "sha1", NULL);
    return (IkePhase2Offer){
        proposals2, 3, proposals2[0].pfs, responder, IKE_ENCAPSULATION_UDP_TUNNEL, 3600, 0};
}

/* An answer with one transform of these attributes: (type, number) pairs, ended by a type of 0. */
static void answer(KitBytes *b, uint8_t protocol, uint8_t id, const uint16_t pairs[][2])
{
    IkeWriter w = ike_writer(b->bytes, sizeof(b->bytes));
    IkeSaWriter sa;
    const IkeSlice spi = {(const uint8_t *)"\x10\x20\x30\x40", protocol == 1 ? 0 : 4};

    ike_sa_write_begin(&sa, &w, protocol, spi);
    ike_sa_write_transform(&sa, id);
    for (size_t i = 0; pairs[i][0] != 0; i++)
        ike_attribute_write(&w, pairs[i][0], pairs[i][1]);
    ike_sa_write_end(&sa);
    b->n = w.n;
}

static const uint16_t GOOD1[][2] = {{1, 7},  {14, 256}, {2, 4},     {3, 65001},
                                    {4, 14}, {11, 1},   {12, 3600}, {0, 0}};
static const uint16_t GOOD2[][2] = {{1, 1}, {2, 600}, {3, 19}, {4, 3}, {5, 5}, {6, 128}, {0, 0}};

static int read1(const KitBytes *b, IkePhase1Choice *choice)
{
    const IkePhase1Offer offer = offer1();
    uint8_t *copy = kit_exact(b->bytes, b->n);
    int r = ike_phase1_choice_read((IkeSlice){copy, b->n}, &offer, choice);

    free(copy);
    return r;
}

static int read2(const KitBytes *b, bool responder, IkePhase2Choice *choice)
{
    const IkePhase2Offer offer = offer2(responder);
    uint8_t *copy = kit_exact(b->bytes, b->n);
    const IkeSlice body = {copy, b->n};
    int r = responder ? ike_phase2_choose(body, &offer, choice)
                      : ike_phase2_choice_read(body, &offer, choice);

    free(copy);
    choice->attributes = (IkeSlice){NULL, 0};
    return r;
}

static void test_what_was_offered_is_accepted_in_any_order(void **state)
{
    static const uint16_t reversed[][2] = {{11, 1}, {12, 3600}, {4, 14}, {3, 65001},
                                           {2, 4},  {14, 256},  {1, 7},  {0, 0}};
    IkePhase1Choice choice = {0};
    KitBytes b;

    for (int i = 0; i < 2; i++) {
        answer(&b, 1, 1, i == 0 ? GOOD1 : reversed);
        assert_int_equal(read1(&b, &choice), 0);
        assert_string_equal(choice.proposal.cipher->name, "aes256");
        assert_int_equal(choice.method, IKE_METHOD_XAUTH_INIT_PSK);
        assert_int_equal(choice.lifetime, 3600);
    }
    IkePhase2Choice second = {0};
    answer(&b, 3, 12, GOOD2);
    for (int responder = 0; responder < 2; responder++) {
        assert_int_equal(read2(&b, responder != 0, &second), 0);
        assert_string_equal(second.proposal.cipher->name, "aes128");
        assert_int_equal(second.spi, 0x10203040);
        assert_int_equal(second.lifetime, 600);
    }
}

/* Every number of every attribute but the lifetime's is one that was offered, or it is refused. */
static void test_a1_an_attribute_that_is_another_missing_or_doubled_is_refused(void **state)
{
    for (size_t at = 0; at < 5; at++) {
        for (unsigned value = 0; value < 66000; value += value < 600 ? 1 : 101) {
            uint16_t pairs[9][2];
            IkePhase1Choice choice;
            KitBytes b;
            memcpy(pairs, GOOD1, sizeof(GOOD1));
            pairs[at][1] = (uint16_t)value;
            if (pairs[at][1] == GOOD1[at][1])
                continue;
            answer(&b, 1, 1, pairs);
            assert_int_not_equal(read1(&b, &choice), 0);
        }
        uint16_t doubled[9][2];
        IkePhase1Choice choice;
        KitBytes b;
        memcpy(doubled, GOOD1, sizeof(GOOD1));
        memcpy(doubled[7], GOOD1[at], sizeof(GOOD1[at]));
        memset(doubled[8], 0, sizeof(doubled[8]));
        answer(&b, 1, 1, doubled);
        assert_int_not_equal(read1(&b, &choice), 0);
        memcpy(doubled, GOOD1, sizeof(GOOD1));
        doubled[at][0] = 77; /* and one that nobody knows in its place */
        answer(&b, 1, 1, doubled);
        assert_int_not_equal(read1(&b, &choice), 0);
    }
}

static void test_a14_the_same_holds_in_phase_2(void **state)
{
    for (size_t at = 2; at < 6; at++) {
        for (unsigned value = 0; value < 66000; value += value < 600 ? 1 : 101) {
            uint16_t pairs[7][2];
            IkePhase2Choice choice;
            KitBytes b;
            memcpy(pairs, GOOD2, sizeof(GOOD2));
            pairs[at][1] = (uint16_t)value;
            if (pairs[at][1] == GOOD2[at][1])
                continue;
            answer(&b, 3, 12, pairs);
            assert_int_not_equal(read2(&b, false, &choice), 0);
        }
    }
}

/* RSA encryption (4 and 5) would be an oracle, and what was not offered can't be chosen. */
static void test_c10_no_method_but_those_offered_is_taken(void **state)
{
    size_t taken = 0;

    for (unsigned method = 0; method <= UINT16_MAX; method++) {
        uint16_t pairs[9][2];
        IkePhase1Choice choice;
        KitBytes b;
        memcpy(pairs, GOOD1, sizeof(GOOD1));
        pairs[3][1] = (uint16_t)method;
        answer(&b, 1, 1, pairs);
        taken += read1(&b, &choice) == 0;
    }
    assert_int_equal(taken, 1);
}

/* RFC 4304: numbers of 64 bits are an attribute of their own, which nobody here offers. */
static void test_d5_extended_sequence_numbers_are_refused(void **state)
{
    enum { EXTENDED_SEQUENCE_NUMBERS = 11 };

    for (uint16_t value = 0; value < 3; value++) {
        uint16_t pairs[8][2] = {{0}};
        IkePhase2Choice choice;
        KitBytes b;
        memcpy(pairs, GOOD2, sizeof(GOOD2));
        size_t n = 0;
        while (pairs[n][0] != 0)
            n++;
        assert_true(n + 1 < 8);
        pairs[n][0] = EXTENDED_SEQUENCE_NUMBERS;
        pairs[n][1] = value;
        answer(&b, 3, 12, pairs);
        for (int responder = 0; responder < 2; responder++)
            assert_int_not_equal(read2(&b, responder != 0, &choice), 0);
    }
}

static void test_a_group_of_another_proposal_is_not_mixed_in(void **state)
{
    static const uint16_t mixed[][2] = {{1, 5}, {2, 2}, {3, 65001}, {4, 2}, {0, 0}};
    IkePhase1Choice choice;
    KitBytes b;

    answer(&b, 1, 1, mixed); /* 3des-sha1-modp1024 is in the profile, but not in this attempt */
    assert_int_equal(read1(&b, &choice), IKE_PROPOSAL_NOT_OFFERED);
}

static void test_protocol_and_transform_are_those_of_their_phase(void **state)
{
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        for (unsigned id = 0; id < 256; id += protocol == 1 || protocol == 3 ? 1 : 37) {
            IkePhase1Choice one;
            IkePhase2Choice two;
            KitBytes b;
            answer(&b, (uint8_t)protocol, (uint8_t)id, GOOD1);
            assert_int_equal(read1(&b, &one) == 0, protocol == 1 && id == 1);
            answer(&b, (uint8_t)protocol, (uint8_t)id, GOOD2);
            assert_int_equal(read2(&b, false, &two) == 0, protocol == 3 && id == 12);
        }
    }
}

static void test_reserved_spis_are_refused(void **state)
{
    for (unsigned spi = 0; spi < 300; spi++) {
        IkePhase2Choice choice;
        KitBytes b;
        answer(&b, 3, 12, GOOD2);
        memset(b.bytes + 16, 0, 4);
        b.bytes[18] = (uint8_t)(spi >> 8);
        b.bytes[19] = (uint8_t)spi;
        assert_int_equal(read2(&b, false, &choice) == 0, spi > 255);
        assert_int_equal(read2(&b, true, &choice) == 0, spi > 255);
    }
}

static void test_an_answer_has_one_proposal_with_one_transform(void **state)
{
    const IkePhase1Offer offer = offer1();
    uint8_t bytes[512];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkePhase1Choice choice;

    ike_phase1_offer_write(&w, &offer); /* two transforms of this group: an offer, no answer */
    assert_int_equal(ike_phase1_choice_read(ike_writer_slice(&w, 0), &offer, &choice),
                     IKE_PROPOSAL_MALFORMED);
    KitBytes b;
    answer(&b, 1, 1, GOOD1);
    for (unsigned count = 0; count < 256; count++) {
        b.bytes[15] = (uint8_t)count;
        assert_int_equal(read1(&b, &choice) == 0, count == 1);
    }
}

static void test_as_responder_the_first_that_fits_is_chosen(void **state)
{
    IkePhase2Offer theirs = offer2(false);
    const IkePhase2Offer ours = offer2(true);
    uint8_t bytes[512], back[256];
    IkeWriter w = ike_writer(bytes, sizeof(bytes)), again = ike_writer(back, sizeof(back));
    IkePhase2Choice choice = {0}, reread = {0};

    ike_phase2_offer_write(&w, &theirs, 0x01020304);
    assert_int_equal(ike_phase2_choose(ike_writer_slice(&w, 0), &ours, &choice), 0);
    assert_int_equal(choice.transform_number, 1);
    assert_int_equal(choice.spi, 0x01020304);
    ike_phase2_answer_write(&again, &choice, 0x05060708);
    assert_int_equal(ike_phase2_choice_read(ike_writer_slice(&again, 0), &theirs, &reread), 0);
    assert_int_equal(reread.spi, 0x05060708);
    theirs.encapsulation = IKE_ENCAPSULATION_TUNNEL;
    assert_int_equal(ike_phase2_choose(ike_writer_slice(&w, 0), &theirs, &choice),
                     IKE_PROPOSAL_NOT_OFFERED);
}

static void test_c12_a_renewal_by_the_gateway_does_not_weaken_the_group(void **state)
{
    static const struct {
        const char *ours, *theirs;
        bool taken;
    } rows[] = {
        {"ecp256", "ecp256", true},     {"ecp256", "ecp521", true},
        {"ecp256", "modp2048", true},   {"ecp256", "modp1536", false},
        {"ecp256", "modp1024", false},  {"ecp256", "modp768", false},
        {"ecp256", NULL, false},        {"modp1024", "modp768", false},
        {"modp1024", "modp1024", true}, {NULL, "modp768", true},
        {NULL, "modp2048", true},       {NULL, NULL, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const IkePhase2Proposal ours = kit_p2("aes128", "sha256", rows[i].ours);
        const IkePhase2Proposal theirs = kit_p2("aes128", "sha256", rows[i].theirs);
        IkePhase2Offer offer = {.proposals = &theirs,
                                .n = 1,
                                .pfs = theirs.pfs,
                                .any_pfs = true,
                                .encapsulation = IKE_ENCAPSULATION_UDP_TUNNEL,
                                .lifetime = 3600};
        uint8_t bytes[256];
        IkeWriter w = ike_writer(bytes, sizeof(bytes));
        IkePhase2Choice choice;
        ike_phase2_offer_write(&w, &offer, 0x01020304);
        offer.proposals = &ours;
        assert_int_equal(ike_phase2_choose(ike_writer_slice(&w, 0), &offer, &choice) == 0,
                         rows[i].taken);
    }
}

static void test_the_group_of_a_ke_is_one_that_the_offer_names(void **state)
{
    static const uint16_t without[][2] = {{4, 3}, {5, 2}, {6, 128}, {0, 0}};
    static const uint16_t unknown[][2] = {{3, 99}, {4, 3}, {5, 2}, {6, 128}, {0, 0}};
    KitBytes b;

    answer(&b, IKE_PROTOCOL_ESP, 12, GOOD2);
    assert_ptr_equal(ike_phase2_group((IkeSlice){b.bytes, b.n}, 64), ike_group_by_name("ecp256"));
    assert_null(ike_phase2_group((IkeSlice){b.bytes, b.n}, 65));
    assert_null(ike_phase2_group((IkeSlice){b.bytes, b.n - 1}, 64));
    answer(&b, IKE_PROTOCOL_ESP, 12, without);
    assert_null(ike_phase2_group((IkeSlice){b.bytes, b.n}, 64));
    answer(&b, IKE_PROTOCOL_ESP, 12, unknown);
    assert_null(ike_phase2_group((IkeSlice){b.bytes, b.n}, 64));
}

static void test_lifetimes_are_read_as_pairs_and_a_stray_duration_is_ignored(void **state)
{
    static const struct {
        const char *hex;
        size_t n;
        uint32_t seconds, kilobytes;
    } rows[] = {
        {"800b0001000c000400015180", 12, 86400, 0},
        {"800b0001800c0e10", 8, 3600, 0},
        {"800b0002800c0e10", 8, 0, 3600},
        {"800b0001800c0e10800b0002800c0064", 16, 3600, 100},
        {"800c0e10", 4, 0, 0},                  /* nobody said of what */
        {"800b0001800e0e10800c0001", 12, 1, 0}, /* FortiGate's stranger in between */
        {"800b0001000c0009010101010101010101", 17, 0, 0},
        {"800b0001000c0008ffffffffffffffff", 16, UINT32_MAX, 0},
        {"800b0001000c00", 7, 0, 0},
        {"", 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        KitBytes b;
        uint32_t seconds = 7, kilobytes = 7;
        kit_unhex(rows[i].hex, &b);
        uint8_t *copy = kit_exact(b.bytes, rows[i].n);
        ike_lifetime_read((IkeSlice){copy, rows[i].n}, IKE_P1_LIFE_TYPE, &seconds, &kilobytes);
        assert_int_equal(seconds, rows[i].seconds);
        assert_int_equal(kilobytes, rows[i].kilobytes);
        free(copy);
    }
}

/* libreswan refuses a KEY_LENGTH that stands before its ENCRYPTION. */
static void test_attributes_are_written_in_the_order_that_all_gateways_take(void **state)
{
    const IkePhase1Offer offer = offer1();
    static const uint16_t order[] = {1, 14, 2, 3, 4, 11, 12};
    uint8_t bytes[512];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkeReader proposals;
    IkeProposal proposal;
    IkeTransform transform;
    IkeAttribute attribute;

    ike_phase1_offer_write(&w, &offer);
    assert_true(ike_sa_open(ike_writer_slice(&w, 0), &proposals));
    assert_true(ike_proposal_read(&proposals, &proposal));
    assert_int_equal(proposal.transforms_n, 2);
    assert_int_equal(proposal.spi.n, 0);
    assert_true(ike_transform_read(&proposal.transforms, &transform));
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        assert_true(ike_attribute_read(&transform.attributes, &attribute));
        assert_int_equal(attribute.type, order[i]);
    }
    assert_true(ike_reader_done(&transform.attributes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_offered_is_accepted_in_any_order),
        cmocka_unit_test(test_a1_an_attribute_that_is_another_missing_or_doubled_is_refused),
        cmocka_unit_test(test_a14_the_same_holds_in_phase_2),
        cmocka_unit_test(test_c10_no_method_but_those_offered_is_taken),
        cmocka_unit_test(test_d5_extended_sequence_numbers_are_refused),
        cmocka_unit_test(test_a_group_of_another_proposal_is_not_mixed_in),
        cmocka_unit_test(test_protocol_and_transform_are_those_of_their_phase),
        cmocka_unit_test(test_reserved_spis_are_refused),
        cmocka_unit_test(test_an_answer_has_one_proposal_with_one_transform),
        cmocka_unit_test(test_as_responder_the_first_that_fits_is_chosen),
        cmocka_unit_test(test_c12_a_renewal_by_the_gateway_does_not_weaken_the_group),
        cmocka_unit_test(test_the_group_of_a_ke_is_one_that_the_offer_names),
        cmocka_unit_test(test_lifetimes_are_read_as_pairs_and_a_stray_duration_is_ignored),
        cmocka_unit_test(test_attributes_are_written_in_the_order_that_all_gateways_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
