/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the libraries do without ESP around: the same bytes in the same batches. */
#ifndef TESTS_BENCH_ESP_BARE_H
#define TESTS_BENCH_ESP_BARE_H

#include "ike/algs.h"

enum {
    BARE_BATCH = 32,
    BARE_SETS = 4, /* of packets, in turns: more than the first cache holds, as from a network */
    BARE_ROOM = 2048,
};

typedef struct BareWork {
    const IkeCipher *cipher;
    const IkeHash *hash;                     /* NULL with an AEAD */
    const uint8_t *key;                      /* of any kind, long enough */
    uint8_t *packets[BARE_SETS][BARE_BATCH]; /* where ESP packets begin */
    size_t n; /* bytes of data, behind an ESP header and an IV field */
    int rounds;
    bool encrypt;
} BareWork;

/* ns of CLOCK_MONOTONIC */
double bare_now(void);
/* The better of both; a batch that began at `since` has just ended. */
void bare_keep_best(double *best, double since);

/* The best batch's ns a packet; 0 where the library is not there, or not in this processor. */
double bare_openssl(const BareWork *work);
double bare_multi(const BareWork *work);

#endif
