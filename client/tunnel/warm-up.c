/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto reads its configuration, looks its providers through and prepares a group's constants
 * at their first use: some 3 ms, of the 20 that connecting takes on a local link. A thread does it
 * while the main one waits for the helper's sockets. What it computes is thrown away; a failure is
 * left for the session to report.
 */
#include "client/tunnel/warm-up.h"

#include <pthread.h>

#include "ike/crypto.h"
#include "ike/dh.h"

static void *use_once(void *data)
{
    const DialtoneProposal *proposal = data;
    uint8_t key[IKE_KEY_MAX] = {0}, iv[IKE_BLOCK_MAX] = {0}, block[IKE_BLOCK_MAX] = {0};
    uint8_t hash[IKE_HASH_MAX];
    const IkeSlice part = {block, sizeof(block)};
    IkeDh *dh = NULL;
    int result = ike_dh_new(&dh, proposal->group);
    if (result == 0)
        result = ike_prf(proposal->hash, part, &part, 1, hash);
    if (result == 0)
        result = ike_cbc_encrypt(proposal->cipher, key, iv, block, proposal->cipher->block_size);
    if (result != 0)
        g_debug("libcrypto could not be warmed up: %d", result);
    ike_dh_free(dh);
    g_free(data);
    return NULL;
}

void tunnel_warm_up(const DialtoneProfile *profile)
{
    pthread_t thread;
    DialtoneProposal *first =
        g_memdup2(&g_array_index(profile->phase1_proposals, DialtoneProposal, 0), sizeof(*first));
    if (pthread_create(&thread, NULL, use_once, first) == 0)
        pthread_detach(thread);
    else
        g_free(first);
}
