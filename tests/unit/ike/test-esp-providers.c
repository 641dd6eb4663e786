/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP by libcrypto alone and by whatever else this machine has, in batches of every size: the same
 * bytes on the wire, the same verdicts, whoever works on a batch. Where there is only libcrypto,
 * its batches are compared with themselves, and the cases about the other library are skipped.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/provider.h>

#include "esp-kit.h"

enum { BATCH_MAX = 100, SPI = 0x1badcafe, LARGE = 8 };

static KitSuite suites[KIT_SUITES_MAX];
static size_t suites_n;
static uint8_t keymat[ESP_KEYMAT_MAX];

#define EACH_SUITE(suite)                                                                          \
    for (const KitSuite *suite = suites; suite < suites + suites_n && (named = suite->name);       \
         suite++)

/* The suite a failure belongs to; cmocka prints no more than the line. */
static const char *named;

static int print_suite(void **state)
{
    if (named != NULL)
        print_message("last suite: %s\n", named);
    named = NULL;
    return 0;
}

static EspSa *make(const KitSuite *suite, bool sealing, bool plain)
{
    const EspParameters parameters = {.spi = SPI,
                                      .cipher = suite->cipher,
                                      .integrity = suite->hash,
                                      .sha256_truncation = suite->truncated,
                                      .keymat = keymat,
                                      .iv_seed = {UINT64_MAX - 500, 7},
                                      .plain_crypto = plain};
    EspSa *sa = NULL;

    assert_int_equal((sealing ? esp_seal_new : esp_open_new)(&sa, &parameters), 0);
    return sa;
}

/* ---- batches, each packet in a heap buffer of exactly its size and rooms ---- */

typedef struct Batch {
    EspPacket packets[BATCH_MAX];
    uint8_t *rooms[BATCH_MAX];
    size_t n;
} Batch;

/* Sizes from 20 to 1,500, each batch its own mixture. */
static void fill(Batch *batch, size_t n, unsigned salt)
{
    batch->n = n;
    for (size_t i = 0; i < n; i++) {
        size_t size = 20 + (i * 677 + salt * 331) % 1481;

        batch->rooms[i] = malloc(ESP_HEAD_ROOM + size + ESP_TAIL_ROOM);
        assert_non_null(batch->rooms[i]);
        batch->packets[i] = (EspPacket){.data = batch->rooms[i] + ESP_HEAD_ROOM, .n = size};
        if (size >= 40 && (i + salt) % 3 == 0)
            kit_ipv6(batch->packets[i].data, size);
        else
            kit_ipv4(batch->packets[i].data, size);
    }
}

static void clear(Batch *batch)
{
    for (size_t i = 0; i < batch->n; i++)
        free(batch->rooms[i]);
    batch->n = 0;
}

/* A copy of an ESP packet in the place of packet i. */
static void put_copy(Batch *batch, size_t i, const EspPacket *packet)
{
    free(batch->rooms[i]);
    batch->rooms[i] = malloc(packet->n);
    assert_non_null(batch->rooms[i]);
    memcpy(batch->rooms[i], packet->data, packet->n);
    batch->packets[i] = *packet;
    batch->packets[i].data = batch->rooms[i];
}

/* Of ESP packets, for another SA to open; in buffers of their own size. */
static void copy(Batch *to, const Batch *from)
{
    *to = (Batch){.n = from->n};
    for (size_t i = 0; i < from->n; i++)
        put_copy(to, i, &from->packets[i]);
}

static void assert_same(const Batch *a, const Batch *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->packets[i].verdict, b->packets[i].verdict);
        assert_int_equal(a->packets[i].n, b->packets[i].n);
        assert_int_equal(a->packets[i].next_header, b->packets[i].next_header);
        assert_memory_equal(a->packets[i].data, b->packets[i].data, a->packets[i].n);
    }
}

/* ---- the cases ---- */

/* Two pairs of SAs; each pair has one by libcrypto alone. */
typedef struct Four {
    EspSa *plain_seal, *seal, *plain_open, *open;
} Four;

static Four four_of(const KitSuite *suite)
{
    return (Four){make(suite, true, true), make(suite, true, false), make(suite, false, true),
                  make(suite, false, false)};
}

static void free_four(const Four *four)
{
    esp_sa_free(four->plain_seal);
    esp_sa_free(four->seal);
    esp_sa_free(four->plain_open);
    esp_sa_free(four->open);
}

static void compare(const Four *four, size_t n, unsigned salt)
{
    Batch a, b, inner, copied;

    fill(&a, n, salt);
    fill(&b, n, salt);
    fill(&inner, n, salt);
    assert_int_equal(esp_seal(four->plain_seal, a.packets, n), n);
    assert_int_equal(esp_seal(four->seal, b.packets, n), n);
    assert_same(&a, &b);
    copy(&copied, &a);
    /* Each opens what the other has sealed. */
    assert_int_equal(esp_open(four->open, copied.packets, n), n);
    assert_int_equal(esp_open(four->plain_open, b.packets, n), n);
    assert_same(&copied, &b);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(copied.packets[i].n, inner.packets[i].n);
        assert_memory_equal(copied.packets[i].data, inner.packets[i].data, inner.packets[i].n);
    }
    clear(&a);
    clear(&b);
    clear(&inner);
    clear(&copied);
}

/* The sizes go up and down over the number from which on the other library is asked. The nonces of
 * CBC carry over into their upper half on the way. */
static void test_c13_both_write_the_same_bytes(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 9, 0, 32, 1, 64, 3, 2, 65, 8, 72, 7, 100, 16, 1};

    EACH_SUITE(suite)
    {
        const Four four = four_of(suite);

        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            compare(&four, sizes[i], i);
        for (unsigned n = 1; n <= 64; n += n < 20 ? 1 : 11)
            compare(&four, n, 100 + n);
        free_four(&four);
    }
}

static void test_every_size_of_packet_in_batches(void **state)
{
    EACH_SUITE(suite)
    {
        const Four four = four_of(suite);

        for (unsigned salt = 0; salt < 8; salt++)
            compare(&four, 64, salt * 64);
        free_four(&four);
    }
}

/* Opens a batch of `n` of which packet i was damaged at byte `at` from its end, in both. */
static void open_damaged(const KitSuite *suite, const Batch *sealed, size_t i, size_t at)
{
    for (int plain = 0; plain <= 1; plain++) {
        EspSa *sa = make(suite, false, plain);
        Batch batch;

        copy(&batch, sealed);
        batch.packets[i].data[batch.packets[i].n - 1 - at] ^= 0x10;
        assert_int_equal(esp_open(sa, batch.packets, batch.n), batch.n - 1);
        for (size_t j = 0; j < batch.n; j++)
            assert_int_equal(batch.packets[j].verdict, j == i ? ESP_FORGED : ESP_OK);
        assert_int_equal(esp_sa_counters(sa).forged, 1);
        clear(&batch);
        /* It has not used up its number. */
        copy(&batch, sealed);
        assert_int_equal(esp_open(sa, batch.packets, batch.n), 1);
        assert_int_equal(batch.packets[i].verdict, ESP_OK);
        clear(&batch);
        esp_sa_free(sa);
    }
}

static void test_b10_a_forged_packet_spoils_no_other(void **state)
{
    EACH_SUITE(suite)
    {
        EspSa *seal = make(suite, true, false);
        Batch sealed;

        fill(&sealed, 19, 5);
        assert_int_equal(esp_seal(seal, sealed.packets, 19), 19);
        for (size_t i = 0; i < 19; i++) {
            size_t n = sealed.packets[i].n;

            open_damaged(suite, &sealed, i, 0);                       /* the tag's last byte */
            open_damaged(suite, &sealed, i, kit_icv_size(suite) - 1); /* its first */
            open_damaged(suite, &sealed, i, kit_icv_size(suite));     /* the data's last */
            open_damaged(suite, &sealed, i, n - 1 - 8);               /* the IV's first */
        }
        clear(&sealed);
        esp_sa_free(seal);
    }
}

static void test_b10_a_batch_of_forged_packets_opens_none(void **state)
{
    EACH_SUITE(suite)
    {
        EspSa *seal = make(suite, true, false), *open = make(suite, false, false);
        Batch batch;

        fill(&batch, 40, 9);
        assert_int_equal(esp_seal(seal, batch.packets, 40), 40);
        for (size_t i = 0; i < 40; i++)
            batch.packets[i].data[9 + i] ^= 1;
        assert_int_equal(esp_open(open, batch.packets, 40), 0);
        for (size_t i = 0; i < 40; i++)
            assert_int_equal(batch.packets[i].verdict, ESP_FORGED);
        clear(&batch);
        esp_sa_free(seal);
        esp_sa_free(open);
    }
}

/* D1: once is enough, also where both copies are decrypted side by side; and a batch that comes
 * again is dropped before it is. */
static void test_d1_a_replay_within_a_large_batch(void **state)
{
    EACH_SUITE(suite)
    {
        EspSa *seal = make(suite, true, false), *open = make(suite, false, false);
        Batch one, two, again;

        fill(&one, 12, 3);
        assert_int_equal(esp_seal(seal, one.packets, 12), 12);
        copy(&two, &one);
        copy(&again, &one);
        for (size_t i = 2; i < 12; i += 3)
            put_copy(&two, i, &two.packets[i - 1]);
        assert_int_equal(esp_open(open, two.packets, 12), 8);
        for (size_t i = 0; i < 12; i++)
            assert_int_equal(two.packets[i].verdict, i % 3 == 2 ? ESP_REPLAYED : ESP_OK);
        assert_int_equal(esp_open(open, again.packets, 12), 4);
        for (size_t i = 0; i < 12; i++)
            assert_int_equal(again.packets[i].verdict, i % 3 == 2 ? ESP_OK : ESP_REPLAYED);
        assert_int_equal(esp_sa_counters(open).replayed, 4 + 8);
        clear(&one);
        clear(&two);
        clear(&again);
        esp_sa_free(seal);
        esp_sa_free(open);
    }
}

/* What is no packet takes no place in the batch of the ciphers. */
static void test_what_is_malformed_spoils_no_other(void **state)
{
    EACH_SUITE(suite)
    {
        const Four four = four_of(suite);
        Batch a, b;

        fill(&a, 30, 1);
        fill(&b, 30, 1);
        for (size_t i = 0; i < 30; i += 4)
            a.packets[i].data[0] = b.packets[i].data[0] = 0;
        assert_int_equal(esp_seal(four.seal, a.packets, 30), 22);
        assert_int_equal(esp_seal(four.plain_seal, b.packets, 30), 22);
        assert_same(&a, &b);
        for (size_t i = 0; i < 30; i += 4) /* and now it is no ESP packet */
            a.packets[i].n = b.packets[i].n = 19;
        assert_int_equal(esp_open(four.open, a.packets, 30), 22);
        assert_int_equal(esp_open(four.plain_open, b.packets, 30), 22);
        assert_same(&a, &b);
        clear(&a);
        clear(&b);
        free_four(&four);
    }
}

/* ---- which library it is ---- */

static bool multi_expected(void)
{
#if KIT_MULTI
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#else
    return false;
#endif
}

/* A packet alone never makes it worth while; from the first large batch on an SA has it. */
static void test_the_other_library_is_asked_for_large_batches(void **state)
{
    if (!multi_expected())
        skip();
    EACH_SUITE(suite)
    {
        bool des = suite->cipher->block_size == 8;
        EspSa *seal = make(suite, true, false), *plain = make(suite, true, true);

        for (size_t n = 0; n < 12; n++) {
            Batch a, b;

            fill(&a, n, 1);
            fill(&b, n, 1);
            assert_int_equal(esp_seal(seal, a.packets, n), n);
            assert_int_equal(esp_seal(plain, b.packets, n), n);
            if (!des)
                assert_string_equal(esp_sa_provider(seal), n < LARGE ? "OpenSSL" : "ipsec-mb");
            assert_string_equal(esp_sa_provider(plain), "OpenSSL");
            clear(&a);
            clear(&b);
        }
        esp_sa_free(seal);
        esp_sa_free(plain);
    }
}

static const char *somebody;

const char *__real_OSSL_PROVIDER_get0_name(const OSSL_PROVIDER *provider);
const char *__wrap_OSSL_PROVIDER_get0_name(const OSSL_PROVIDER *provider);

const char *__wrap_OSSL_PROVIDER_get0_name(const OSSL_PROVIDER *provider)
{
    return somebody != NULL ? somebody : __real_OSSL_PROVIDER_get0_name(provider);
}

/* Whose code an administrator has put into libcrypto, FIPS or hardware, does ESP too. */
static void test_a_chosen_provider_is_not_passed_over(void **state)
{
    EACH_SUITE(suite)
    {
        EspSa *sa = make(suite, true, false);
        Batch batch;

        somebody = "fips";
        fill(&batch, 64, 1);
        assert_int_equal(esp_seal(sa, batch.packets, 64), 64);
        clear(&batch);
        somebody = NULL;
        fill(&batch, 64, 1);
        assert_int_equal(esp_seal(sa, batch.packets, 64), 64);
        assert_string_equal(esp_sa_provider(sa), "OpenSSL");
        clear(&batch);
        esp_sa_free(sa);
    }
}

/* ---- keys are wiped ---- */

enum {
    MANAGER = 65536
}; /* bytes; the state of a multi-buffer manager is larger, all else smaller */

static unsigned frees, leaks;
static bool looking;

void __real_free(void *memory);
void __wrap_free(void *memory);

static bool is_zero(const uint8_t *bytes, size_t n)
{
    while (n > 0 && bytes[n - 1] == 0)
        n--;
    return n == 0;
}

/* An expanded key begins with the key itself, so eight bytes of it are enough to see either. */
void __wrap_free(void *memory)
{
    if (looking && memory != NULL) {
        size_t n = malloc_usable_size(memory);

        frees++;
        leaks += memmem(memory, n, keymat, 8) != NULL;
        leaks += n > MANAGER &&
                 !is_zero(memory, n / 64 * 64 - 64); /* n may be more than was asked for */
    }
    __real_free(memory);
}

static void test_an_sa_leaves_no_key_behind(void **state)
{
    EACH_SUITE(suite)
    {
        EspSa *sa = make(suite, true, false);
        Batch batch;

        fill(&batch, 64, 1);
        assert_int_equal(esp_seal(sa, batch.packets, 64), 64);
        clear(&batch);
        frees = 0;
        looking = true;
        esp_sa_free(sa);
        looking = false;
        assert_true(frees >= 2);
        assert_int_equal(leaks, 0);
    }
}

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof(keymat); i++)
        keymat[i] = (uint8_t)(i * 37 + 11);
    suites_n = kit_suites(suites);
    return kit_load_providers();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, NULL, print_suite)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_c13_both_write_the_same_bytes),
        CASE(test_every_size_of_packet_in_batches),
        CASE(test_b10_a_forged_packet_spoils_no_other),
        CASE(test_b10_a_batch_of_forged_packets_opens_none),
        CASE(test_d1_a_replay_within_a_large_batch),
        CASE(test_what_is_malformed_spoils_no_other),
        CASE(test_the_other_library_is_asked_for_large_batches),
        CASE(test_a_chosen_provider_is_not_passed_over),
        CASE(test_an_sa_leaves_no_key_behind),
    };

    return cmocka_run_group_tests_name("esp-providers", tests, set_up, kit_unload_providers);
}
