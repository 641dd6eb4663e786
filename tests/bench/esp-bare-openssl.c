/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcrypto alone: the cipher's and the hash's update and nothing else: no IV, no key, no tag. */
#include "esp-bare.h"

#include <openssl/evp.h>
#include <time.h>

double bare_now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

void bare_keep_best(double *best, double since)
{
    double took = (bare_now() - since) / BARE_BATCH;

    if (*best == 0 || took < *best)
        *best = took;
}

static double cipher(const BareWork *work)
{
    EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, work->cipher->openssl, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t iv[16] = {0};
    double best = 0;
    int out;

    EVP_CipherInit_ex2(context, evp, work->key, iv, work->encrypt, NULL);
    EVP_CIPHER_CTX_set_padding(context, 0);
    for (int i = 0; i < work->rounds; i++) {
        uint8_t *const *packets = work->packets[i % BARE_SETS];
        double since = bare_now();

        for (int j = 0; j < BARE_BATCH; j++)
            EVP_CipherUpdate(context, packets[j], &out, packets[j], (int)work->n);
        bare_keep_best(&best, since);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(evp);
    return best;
}

static double hash(const BareWork *work)
{
    EVP_MD *md = EVP_MD_fetch(NULL, work->hash->openssl, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    double best = 0;

    for (int i = 0; i < work->rounds; i++) {
        uint8_t *const *packets = work->packets[i % BARE_SETS];
        double since;

        EVP_DigestInit_ex2(context, md, NULL);
        since = bare_now();
        for (int j = 0; j < BARE_BATCH; j++)
            EVP_DigestUpdate(context, packets[j], 8 + work->cipher->iv_size + work->n);
        bare_keep_best(&best, since);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
    return best;
}

double bare_openssl(const BareWork *work)
{
    return cipher(work) + (work->hash != NULL ? hash(work) : 0);
}
