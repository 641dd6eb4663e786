/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto reads its configuration, looks its providers through and prepares a group's constants
 * at their first use: some 3 ms, of the 15 that connecting takes on a local link. Threads do it
 * while the main one waits, first for the profile and then for the helper's sockets. The key pair
 * is kept for the first Phase 1, the rest is thrown away; a failure is left for the session to
 * report.
 */
#include "client/tunnel/warm-up.h"

#include <pthread.h>
#include <sys/resource.h>

#include "ike/algs.h"
#include "ike/crypto.h"

enum { WARM_UP_NICE = 10 };

struct TunnelWarmUp {
    DialtoneProposal proposal;
    pthread_t thread;
    IkeDh *dh;
};

static void use_symmetric(const DialtoneProposal *proposal)
{
    uint8_t key[IKE_KEY_MAX] = {0}, iv[IKE_BLOCK_MAX] = {0}, block[IKE_BLOCK_MAX] = {0};
    uint8_t hash[IKE_HASH_MAX];
    const IkeSlice part = {block, sizeof(block)};
    int result = ike_prf(proposal->hash, part, &part, 1, hash);
    if (result == 0)
        result = ike_cbc_encrypt(proposal->cipher, key, iv, block, proposal->cipher->block_size);
    if (result != 0)
        g_debug("libcrypto could not be warmed up: %d", result);
}

/* They fill the time in which the others wait for one another, and should take none of it. Nice
 * enough not to be chosen before those; not so nice that a key pair waits on a busy machine. */
static void step_back(void)
{
    if (setpriority(PRIO_PROCESS, 0, WARM_UP_NICE) < 0)
        g_debug("warming up at full priority");
}

/* One by one: two at once would take both of two processors from the main thread, whose way to the
 * first packet is the longer one. */
static struct {
    GMutex mutex;
    GCond over;
    bool begun;
} common;

static void common_is(bool begun)
{
    g_mutex_lock(&common.mutex);
    common.begun = begun;
    g_cond_broadcast(&common.over);
    g_mutex_unlock(&common.mutex);
}

static void wait_for_common(void)
{
    g_mutex_lock(&common.mutex);
    while (common.begun)
        g_cond_wait(&common.over, &common.mutex);
    g_mutex_unlock(&common.mutex);
}

static void *use_common(void *data)
{
    step_back();
    const DialtoneProposal usual = {.cipher = ike_cipher_by_name("aes256"),
                                    .hash = ike_hash_by_name("sha256")};
    use_symmetric(&usual);
    common_is(false);
    return NULL;
}

static void *use_proposal(void *data)
{
    TunnelWarmUp *self = data;
    step_back();
    wait_for_common();
    if (ike_dh_new(&self->dh, self->proposal.group) < 0)
        self->dh = NULL;
    use_symmetric(&self->proposal);
    return NULL;
}

void tunnel_warm_up(void)
{
    pthread_t thread;
    common_is(true);
    if (pthread_create(&thread, NULL, use_common, NULL) == 0)
        pthread_detach(thread);
    else
        common_is(false);
}

TunnelWarmUp *tunnel_warm_up_proposal(const DialtoneProfile *profile)
{
    TunnelWarmUp *self = g_new0(TunnelWarmUp, 1);
    self->proposal = g_array_index(profile->phase1_proposals, DialtoneProposal, 0);
    if (pthread_create(&self->thread, NULL, use_proposal, self) == 0)
        return self;
    g_free(self);
    return NULL;
}

IkeDh *tunnel_warm_up_finish(TunnelWarmUp *self_take)
{
    if (self_take == NULL)
        return NULL;
    pthread_join(self_take->thread, NULL);
    IkeDh *dh = self_take->dh;
    g_free(self_take);
    return dh;
}

void tunnel_warm_up_free(TunnelWarmUp *self)
{
    ike_dh_free(tunnel_warm_up_finish(self));
}
