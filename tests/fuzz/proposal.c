/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes choices of proposals, in the gateway's answer and in its offer. Promises: what is accepted
 * was offered, has keys, and reads the same when it is written again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void fuzz_phase1(IkeSlice body)
{
    static const uint16_t methods[] = {IKE_METHOD_XAUTH_INIT_PSK, IKE_METHOD_PSK};
    const IkePhase1Proposal proposals[] = {
        {ike_cipher_by_name("aes256"), ike_hash_by_name("sha256"), ike_group_by_name("modp2048")},
        {ike_cipher_by_name("3des"), ike_hash_by_name("sha1"), ike_group_by_name("modp2048")},
        {ike_cipher_by_name("aes128"), ike_hash_by_name("sha1"), ike_group_by_name("ecp256")},
    };
    const IkePhase1Offer offer = {proposals, 3, proposals[0].group, methods, 2, 28800};
    IkePhase1Choice choice = {0};
    bool known = false;

    if (ike_phase1_choice_read(body, &offer, &choice) != 0)
        return;
    for (size_t i = 0; i < 2; i++)
        known |= memcmp(&choice.proposal, &proposals[i], sizeof(choice.proposal)) == 0;
    expect(known && (choice.method == methods[0] || choice.method == methods[1]));
    uint8_t bytes[256];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    const IkePhase1Offer again = {&choice.proposal, 1, offer.group, &choice.method, 1, 28800};
    ike_phase1_offer_write(&w, &again);
    expect(ike_writer_ok(&w));
    expect(ike_phase1_choice_read(ike_writer_slice(&w, 0), &offer, &choice) == 0);
}

static bool has_keys(const IkePhase2Proposal *proposal)
{
    return proposal->cipher != NULL && proposal->cipher->key_size > 0 &&
           ike_cipher_is_aead(proposal->cipher) == (proposal->integrity == NULL);
}

static void fuzz_phase2(IkeSlice body, bool responder)
{
    const IkeGroup *pfs = ike_group_by_name("ecp256");
    const IkePhase2Proposal proposals[] = {
        {ike_cipher_by_name("aes256gcm16"), NULL, pfs},
        {ike_cipher_by_name("aes128"), ike_hash_by_name("sha256"), pfs},
        {ike_cipher_by_name("3des"), ike_hash_by_name("sha1"), NULL},
    };
    IkePhase2Offer offer = {proposals, 3, pfs, responder, IKE_ENCAPSULATION_UDP_TUNNEL, 3600, 0};
    IkePhase2Choice choice = {0};
    int r = responder ? ike_phase2_choose(body, &offer, &choice)
                      : ike_phase2_choice_read(body, &offer, &choice);

    if (r != 0)
        return;
    expect(has_keys(&choice.proposal) && choice.spi > 255);
    expect(responder || choice.proposal.pfs == pfs);
    uint8_t bytes[70000];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkePhase2Choice again = {0};
    ike_phase2_answer_write(&w, &choice, 0x01020304);
    expect(ike_writer_ok(&w));
    if (responder)
        r = ike_phase2_choose(ike_writer_slice(&w, 0), &offer, &again);
    else
        r = ike_phase2_choice_read(ike_writer_slice(&w, 0), &offer, &again);
    expect(r == 0 && again.spi == 0x01020304 && again.lifetime == choice.lifetime);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const IkeSlice body = {data, n};

    fuzz_phase1(body);
    fuzz_phase2(body, false);
    fuzz_phase2(body, true);
    return 0;
}
