/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto reads its configuration, looks its providers through and prepares a group's constants
 * at their first use: some 3 ms, of the 20 that connecting takes on a local link. Threads do it
 * while the main one waits, first for the profile and then for the helper's sockets. What they
 * compute is thrown away; a failure is left for the session to report.
 */
#include "client/tunnel/warm-up.h"

#include <pthread.h>

#include "ike/algs.h"
#include "ike/crypto.h"
#include "ike/dh.h"

static void use_once(const DialtoneProposal *proposal)
{
    uint8_t key[IKE_KEY_MAX] = {0}, iv[IKE_BLOCK_MAX] = {0}, block[IKE_BLOCK_MAX] = {0};
    uint8_t hash[IKE_HASH_MAX];
    const IkeSlice part = {block, sizeof(block)};
    IkeDh *dh = NULL;
    int result = proposal->group ? ike_dh_new(&dh, proposal->group) : 0;
    if (result == 0)
        result = ike_prf(proposal->hash, part, &part, 1, hash);
    if (result == 0)
        result = ike_cbc_encrypt(proposal->cipher, key, iv, block, proposal->cipher->block_size);
    if (result != 0)
        g_debug("libcrypto could not be warmed up: %d", result);
    ike_dh_free(dh);
}

static void *use_proposal(void *data)
{
    use_once(data);
    g_free(data);
    return NULL;
}

static void start(const DialtoneProposal *proposal)
{
    pthread_t thread;
    DialtoneProposal *own = g_memdup2(proposal, sizeof(*proposal));
    if (pthread_create(&thread, NULL, use_proposal, own) == 0)
        pthread_detach(thread);
    else
        g_free(own);
}

void tunnel_warm_up(void)
{
    const DialtoneProposal common = {.cipher = ike_cipher_by_name("aes256"),
                                     .hash = ike_hash_by_name("sha256")};
    start(&common);
}

void tunnel_warm_up_proposal(const DialtoneProfile *profile)
{
    start(&g_array_index(profile->phase1_proposals, DialtoneProposal, 0));
}
