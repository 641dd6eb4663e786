/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast ESP is alone, on one core: a batch of packets sealed and opened in place, each suite
 * beside the bare work of libcrypto and of the multi-buffer library on the same bytes in the same
 * process (esp-bare.h). Each figure is the best batch of many, for the machine may be busy; only
 * the ratios, of ESP to the better library, mean something elsewhere. With DIALTONE_FULL=yes they
 * are held to their bar, at full packets.
 *
 * usage: bench-esp [ROUNDS [SUITE]]
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp-bare.h"
#include "ike/esp.h"

enum { SPI = 0x12345678, FULL_SIZE = 1408, TURNS = 8, ATTEMPTS = 40 };

#define BAR 0.9

typedef struct Suite {
    const IkeCipher *cipher;
    const IkeHash *hash;
    char name[64];
} Suite;

/* Of one direction, ns a packet; 0: not there. */
typedef struct Result {
    double esp, openssl, multi;
} Result;

static uint8_t room[BARE_SETS][BARE_BATCH][BARE_ROOM], keymat[ESP_KEYMAT_MAX];
static bool full;
static int cases;

static double ratio(const Result *result)
{
    double best = result->openssl;

    if (result->multi != 0 && result->multi < best)
        best = result->multi;
    return best / result->esp;
}

static void fill(EspPacket *packets, size_t n, int set)
{
    for (size_t i = 0; i < BARE_BATCH; i++) {
        packets[i] = (EspPacket){.data = room[set][i] + ESP_HEAD_ROOM, .n = n};
        packets[i].data[0] = 0x45;
        packets[i].data[2] = (uint8_t)(n >> 8);
        packets[i].data[3] = (uint8_t)n;
    }
}

static int run_batches(EspSa *seal, EspSa *open, size_t n, int rounds, Result result[2])
{
    EspPacket packets[BARE_BATCH];

    for (int i = 0; i < rounds; i++) {
        double since;

        fill(packets, n, i % BARE_SETS);
        since = bare_now();
        if (esp_seal(seal, packets, BARE_BATCH) != BARE_BATCH)
            return -EIO;
        bare_keep_best(&result[0].esp, since);
        since = bare_now();
        if (esp_open(open, packets, BARE_BATCH) != BARE_BATCH)
            return -EIO;
        bare_keep_best(&result[1].esp, since);
    }
    return 0;
}

static int measure_esp(const Suite *suite, size_t n, int rounds, Result result[2])
{
    EspParameters parameters = {
        .spi = SPI, .cipher = suite->cipher, .integrity = suite->hash, .keymat = keymat};
    EspSa *seal = NULL, *open = NULL;
    int error = esp_seal_new(&seal, &parameters);

    if (error == 0)
        error = esp_open_new(&open, &parameters);
    if (error == 0)
        error = run_batches(seal, open, n, rounds, result);
    esp_sa_free(seal);
    esp_sa_free(open);
    return error;
}

static void keep(double *best, double now)
{
    if (now != 0 && (*best == 0 || now < *best))
        *best = now;
}

static void measure_bare(const Suite *suite, size_t n, int rounds, Result result[2])
{
    size_t block = suite->cipher->block_size, head = ESP_HEADER_SIZE + suite->cipher->iv_size;
    BareWork work = {.cipher = suite->cipher,
                     .hash = suite->hash,
                     .key = keymat,
                     .n = (n + 2 + block - 1) / block * block,
                     .rounds = rounds};

    for (int i = 0; i < BARE_SETS * BARE_BATCH; i++)
        work.packets[i / BARE_BATCH][i % BARE_BATCH] =
            room[i / BARE_BATCH][i % BARE_BATCH] + ESP_HEAD_ROOM - head;
    for (int i = 0; i < 2; i++) {
        work.encrypt = i == 0;
        keep(&result[i].openssl, bare_openssl(&work));
        keep(&result[i].multi, bare_multi(&work));
    }
}

/* ---- the table ---- */

static void print_speed(size_t n, double ns)
{
    if (ns != 0)
        printf(" %6.2f", (double)n * 8 / ns);
    else
        printf("      -");
}

static void print_row(const Suite *suite, size_t n, const Result result[2])
{
    printf("# %-15s %5zu", suite->name, n);
    for (int i = 0; i < 2; i++) {
        printf("  %6.0f", result[i].esp);
        print_speed(n, result[i].esp);
        print_speed(n, result[i].openssl);
        print_speed(n, result[i].multi);
        printf(" %5.2f", ratio(&result[i]));
    }
    printf(" %7.2f\n", 1e3 / result[0].esp);
}

/* They take turns, for the clock of a processor changes while they run. */
static int measure_in_turns(const Suite *suite, size_t n, int rounds, Result result[2])
{
    int error = 0;

    for (int i = 0; error == 0 && i < TURNS; i++) {
        error = measure_esp(suite, n, rounds / TURNS + 1, result);
        measure_bare(suite, n, rounds / TURNS + 1, result);
    }
    return error;
}

/* A neighbour may take the machine for longer than one measurement: bests add up. */
static int measure(const Suite *suite, size_t n, int rounds, Result result[2])
{
    int error = 0;

    for (int i = 0; error == 0 && i < ATTEMPTS; i++) {
        error = measure_in_turns(suite, n, rounds, result);
        if (!full || n != FULL_SIZE || (ratio(&result[0]) >= BAR && ratio(&result[1]) >= BAR))
            break;
    }
    return error;
}

/* One TAP line a suite. */
static void run(const Suite *suite, int rounds)
{
    static const size_t sizes[] = {64, 576, FULL_SIZE};
    bool good = true;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        Result result[2] = {{0}};
        int error = measure(suite, sizes[i], rounds, result);

        if (error != 0) {
            printf("not ok - bench/esp: %s: %s\n", suite->name, strerror(-error));
            return;
        }
        print_row(suite, sizes[i], result);
        if (full && sizes[i] == FULL_SIZE)
            good = ratio(&result[0]) >= BAR && ratio(&result[1]) >= BAR;
    }
    cases++;
    printf("%s - bench/esp: %s is %s\n", good ? "ok" : "not ok", suite->name,
           full ? "at least 0.9 of the better library" : "measured");
    fflush(stdout);
}

static void run_suite(const IkeCipher *cipher, const IkeHash *hash, int rounds, const char *wanted)
{
    Suite suite = {.cipher = cipher, .hash = hash};

    snprintf(suite.name, sizeof(suite.name), "%s%s%s", cipher->name, hash != NULL ? "-" : "",
             hash != NULL ? hash->name : "");
    if (wanted == NULL || strcmp(wanted, suite.name) == 0)
        run(&suite, rounds);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 400;
    const char *wanted = argc > 2 ? argv[2] : NULL, *given = getenv("DIALTONE_FULL");

    full = given != NULL && strcmp(given, "yes") == 0;
    OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER_load(NULL, "legacy");
    for (size_t i = 0; i < sizeof(keymat); i++)
        keymat[i] = (uint8_t)(i * 7 + 1);
    printf("# %s, batches of %d, best of %d; Gb/s; ratio: of ESP to the better library\n"
           "# %-15s %5s  %6s %6s %6s %6s %5s  %6s %6s %6s %6s %5s %7s\n",
           OpenSSL_version(OPENSSL_VERSION), BARE_BATCH, rounds, "suite", "bytes", "seal ns", "ESP",
           "OpenSSL", "multi", "ratio", "open ns", "ESP", "OpenSSL", "multi", "ratio", "Mpps");
    for (size_t i = 0; ike_alg_name(IKE_ALG_CIPHER, i) != NULL; i++) {
        const IkeCipher *cipher = ike_cipher_by_name(ike_alg_name(IKE_ALG_CIPHER, i));

        if (ike_cipher_is_aead(cipher)) {
            run_suite(cipher, NULL, rounds, wanted);
            continue;
        }
        for (size_t j = 0; ike_alg_name(IKE_ALG_HASH, j) != NULL; j++)
            run_suite(cipher, ike_hash_by_name(ike_alg_name(IKE_ALG_HASH, j)), rounds, wanted);
    }
    return cases > 0 ? 0 : 1;
}
