/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast ESP is alone, on one core: a batch of packets sealed and opened in place, each suite
 * beside the bare work of libcrypto on the same bytes in the same process (the cipher's and the
 * hash's update and nothing else: no IV, no key, no tag). Each figure is the best batch of many,
 * for the machine may be busy; only the ratios mean something elsewhere.
 *
 * usage: esp [ROUNDS [SUITE]]
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ike/esp.h"

enum { BATCH = 32, ROOM = 2048, SPI = 0x12345678 };

typedef struct Suite {
    const IkeCipher *cipher;
    const IkeHash *hash;
} Suite;

typedef struct Result {
    double seal, open, bare_seal, bare_open; /* ns a packet */
} Result;

static uint8_t room[BATCH][ROOM], keymat[ESP_KEYMAT_MAX];

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void keep_best(double *best, double since)
{
    double took = (now() - since) / BATCH;

    if (*best == 0 || took < *best)
        *best = took;
}

static void fill(EspPacket *packets, size_t n)
{
    for (size_t i = 0; i < BATCH; i++) {
        packets[i] = (EspPacket){.data = room[i] + ESP_HEAD_ROOM, .n = n};
        packets[i].data[0] = 0x45;
        packets[i].data[2] = (uint8_t)(n >> 8);
        packets[i].data[3] = (uint8_t)n;
    }
}

/* ---- ESP ---- */

static int measure_esp(const Suite *suite, size_t n, int rounds, Result *result)
{
    EspParameters parameters = {
        .spi = SPI, .cipher = suite->cipher, .integrity = suite->hash, .keymat = keymat};
    EspSa *seal = NULL, *open = NULL;
    int error = esp_seal_new(&seal, &parameters);
    EspPacket packets[BATCH];

    if (error == 0)
        error = esp_open_new(&open, &parameters);
    for (int i = 0; error == 0 && i < rounds; i++) {
        double since;

        fill(packets, n);
        since = now();
        if (esp_seal(seal, packets, BATCH) != BATCH)
            error = -EIO;
        keep_best(&result->seal, since);
        since = now();
        if (esp_open(open, packets, BATCH) != BATCH)
            error = -EIO;
        keep_best(&result->open, since);
    }
    esp_sa_free(seal);
    esp_sa_free(open);
    return error;
}

/* ---- libcrypto alone ---- */

static double bare_cipher(const Suite *suite, size_t n, int rounds, int encrypt)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher->openssl, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t iv[16] = {0};
    double best = 0;
    int out;

    EVP_CipherInit_ex2(context, cipher, keymat, iv, encrypt, NULL);
    EVP_CIPHER_CTX_set_padding(context, 0);
    for (int i = 0; i < rounds; i++) {
        double since = now();

        for (int j = 0; j < BATCH; j++)
            EVP_CipherUpdate(context, room[j], &out, room[j], (int)n);
        keep_best(&best, since);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return best;
}

static double bare_hash(const Suite *suite, size_t n, int rounds)
{
    EVP_MD *md = suite->hash != NULL ? EVP_MD_fetch(NULL, suite->hash->openssl, NULL) : NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    double best = 0;

    for (int i = 0; md != NULL && i < rounds; i++) {
        double since;

        EVP_DigestInit_ex2(context, md, NULL);
        since = now();
        for (int j = 0; j < BATCH; j++)
            EVP_DigestUpdate(context, room[j], n);
        keep_best(&best, since);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
    return best;
}

static void measure_bare(const Suite *suite, size_t n, int rounds, Result *result)
{
    size_t block = suite->cipher->block_size, padded = (n + 2 + block - 1) / block * block;
    double hash = bare_hash(suite, 8 + suite->cipher->iv_size + padded, rounds);

    result->bare_seal = bare_cipher(suite, padded, rounds, 1) + hash;
    result->bare_open = bare_cipher(suite, padded, rounds, 0) + hash;
}

/* ---- the table ---- */

static void print_row(const char *name, size_t n, const Result *result)
{
    printf("%-16s %5zu  %7.0f %6.2f %5.2f   %7.0f %6.2f %5.2f   %7.2f\n", name, n, result->seal,
           (double)n * 8 / result->seal, result->bare_seal / result->seal, result->open,
           (double)n * 8 / result->open, result->bare_open / result->open, 1e3 / result->seal);
}

static void run(const Suite *suite, int rounds, const char *wanted)
{
    static const size_t SIZES[] = {64, 576, 1408};
    char name[64];

    snprintf(name, sizeof(name), "%s%s%s", suite->cipher->name, suite->hash ? "-" : "",
             suite->hash ? suite->hash->name : "");
    if (wanted != NULL && strcmp(wanted, name) != 0)
        return;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        Result result = {0};
        int error = measure_esp(suite, SIZES[i], rounds, &result);

        if (error != 0) {
            printf("%-16s %5zu  %s\n", name, SIZES[i], strerror(-error));
            return;
        }
        measure_bare(suite, SIZES[i], rounds, &result);
        print_row(name, SIZES[i], &result);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 400;
    const char *wanted = argc > 2 ? argv[2] : NULL;

    OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER_load(NULL, "legacy");
    for (size_t i = 0; i < sizeof(keymat); i++)
        keymat[i] = (uint8_t)(i * 7 + 1);
    printf("%s, batches of %d, best of %d; ratio: the bare work of libcrypto to ESP\n",
           OpenSSL_version(OPENSSL_VERSION), BATCH, rounds);
    printf("%-16s %5s  %7s %6s %5s   %7s %6s %5s   %7s\n", "suite", "bytes", "seal ns", "Gb/s",
           "ratio", "open ns", "Gb/s", "ratio", "Mpps");
    for (size_t i = 0; ike_alg_name(IKE_ALG_CIPHER, i) != NULL; i++) {
        Suite suite = {ike_cipher_by_name(ike_alg_name(IKE_ALG_CIPHER, i)), NULL};

        if (ike_cipher_is_aead(suite.cipher)) {
            run(&suite, rounds, wanted);
            continue;
        }
        for (size_t j = 0; ike_alg_name(IKE_ALG_HASH, j) != NULL; j++) {
            suite.hash = ike_hash_by_name(ike_alg_name(IKE_ALG_HASH, j));
            run(&suite, rounds, wanted);
        }
    }
    return 0;
}
