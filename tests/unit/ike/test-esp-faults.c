/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no packet can bring about: libcrypto that fails, memory that is asked for, numbers that run
 * out. The linker puts the functions here in place of those that ike/ calls, and the source of
 * ESP is part of this file so that an SA can be aged by hand.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "ike/esp.c"

#include "esp-kit.h"

static KitSuite suites[KIT_SUITES_MAX];
static size_t suites_n;

/* ---- C3: every return of libcrypto but 1 is a failure ---- */

static int fault_at, fault_value, calls;

static bool faulty(void)
{
    return ++calls == fault_at;
}

int __real_EVP_CipherInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[])
{
    return faulty() ? fault_value
                    : __real_EVP_CipherInit_ex2(context, cipher, key, iv, enc, params);
}

int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *outl,
                            const unsigned char *in, int inl)
{
    return faulty() ? fault_value : __real_EVP_CipherUpdate(context, out, outl, in, inl);
}

int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *outl);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *outl);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *outl)
{
    return faulty() ? fault_value : __real_EVP_CipherFinal_ex(context, out, outl);
}

int __real_EVP_CIPHER_CTX_get_params(EVP_CIPHER_CTX *context, OSSL_PARAM params[]);
int __wrap_EVP_CIPHER_CTX_get_params(EVP_CIPHER_CTX *context, OSSL_PARAM params[]);
int __wrap_EVP_CIPHER_CTX_get_params(EVP_CIPHER_CTX *context, OSSL_PARAM params[])
{
    return faulty() ? fault_value : __real_EVP_CIPHER_CTX_get_params(context, params);
}

int __real_EVP_CIPHER_CTX_set_params(EVP_CIPHER_CTX *context, const OSSL_PARAM params[]);
int __wrap_EVP_CIPHER_CTX_set_params(EVP_CIPHER_CTX *context, const OSSL_PARAM params[]);
int __wrap_EVP_CIPHER_CTX_set_params(EVP_CIPHER_CTX *context, const OSSL_PARAM params[])
{
    return faulty() ? fault_value : __real_EVP_CIPHER_CTX_set_params(context, params);
}

int __real_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *context, int pad);
int __wrap_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *context, int pad);
int __wrap_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *context, int pad)
{
    return faulty() ? fault_value : __real_EVP_CIPHER_CTX_set_padding(context, pad);
}

/* Arms a fault at a call of libcrypto, counted from now. */
static void fail_at(int call, int value)
{
    calls = 0;
    fault_at = call;
    fault_value = value;
}

/* How many calls one packet takes; each of them is failed in turn, with 0 and with -1. */
static void fail_each_call_of_sealing(const KitSuite *suite, int value)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];
    int total, call;

    kit_ipv4(inner, 100);
    for (call = 1, total = 1; call <= total; call++) {
        EspSa *sa = kit_seal_sa(suite);

        fail_at(0, value);
        assert_true(kit_seal(sa, inner, 100, packet) > 0);
        total = calls;
        fail_at(call, value);
        assert_int_equal(kit_seal(sa, inner, 100, packet), 0);
        fail_at(0, value);
        /* The number of the failed packet is gone for good: its IV is not tried again. */
        assert_true(kit_seal(sa, inner, 100, packet) > 0);
        assert_int_equal(packet[7], 3);
        esp_sa_free(sa);
    }
}

static void fail_each_call_of_opening(const KitSuite *suite, int value)
{
    uint8_t inner[KIT_ROOM], first[KIT_ROOM], second[KIT_ROOM];
    int total, call;

    for (call = 1, total = 1; call <= total; call++) {
        EspSa *seal = kit_seal_sa(suite), *sa = kit_open_sa(suite);
        EspVerdict verdict;
        size_t n;

        kit_ipv4(inner, 100);
        fail_at(0, value);
        kit_seal(seal, inner, 100, first);
        n = kit_seal(seal, inner, 100, second);
        fail_at(0, value);
        assert_int_equal(kit_open(sa, first, n, NULL), ESP_OK);
        total = calls;
        fail_at(call, value);
        verdict = kit_open(sa, second, n, NULL);
        assert_true(verdict == ESP_FAULT || verdict == ESP_FORGED);
        fail_at(0, value);
        assert_int_equal(kit_open(sa, second, n, NULL), ESP_OK);
        esp_sa_free(seal);
        esp_sa_free(sa);
    }
}

static void test_c3_failures_of_libcrypto_are_no_success(void **state)
{
    for (size_t i = 0; i < suites_n; i++) {
        for (int value = -1; value <= 0; value++) {
            fail_each_call_of_sealing(&suites[i], value);
            fail_each_call_of_opening(&suites[i], value);
        }
    }
}

static void test_c3_an_sa_is_not_made_half(void **state)
{
    uint8_t keymat[ESP_KEYMAT_MAX] = {0};

    for (size_t i = 0; i < suites_n; i++) {
        int steps = suites[i].hash != NULL ? 2 : 1; /* keying, and padding */

        for (int call = 1; call <= steps; call++) {
            EspParameters parameters = {.spi = 1,
                                        .cipher = suites[i].cipher,
                                        .integrity = suites[i].hash,
                                        .keymat = keymat};
            EspSa *sa = NULL;

            fail_at(call, call - 2);
            assert_true(esp_seal_new(&sa, &parameters) < 0);
            assert_null(sa);
        }
    }
    fail_at(0, 0);
}

/* ---- memory ---- */

static size_t allocations;
static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return no_memory ? NULL : __real_calloc(n, size);
}

void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    allocations++;
    return no_memory ? NULL : __real_aligned_alloc(alignment, n);
}

static void *count_malloc(size_t n, const char *file, int line)
{
    allocations++;
    return malloc(n);
}

static void *count_realloc(void *old, size_t n, const char *file, int line)
{
    allocations++;
    return realloc(old, n);
}

static void count_free(void *old, const char *file, int line)
{
    free(old);
}

enum { N = 64 };

static void run_batch(EspSa *seal, EspSa *open)
{
    static uint8_t room[N][KIT_ROOM];
    EspPacket batch[N];

    for (size_t j = 0; j < N; j++) {
        batch[j] = (EspPacket){.data = room[j] + ESP_HEAD_ROOM, .n = 20 + j * 20};
        kit_ipv4(batch[j].data, batch[j].n);
    }
    assert_int_equal(esp_seal(seal, batch, N), N);
    batch[5].data[30] ^= 1;
    assert_int_equal(esp_open(open, batch, N), N - 1);
}

/* The first large batch may, for the library that works on such. */
static void test_no_packet_allocates(void **state)
{
    for (size_t i = 0; i < suites_n; i++) {
        EspSa *seal = kit_seal_sa(&suites[i]), *open = kit_open_sa(&suites[i]);
        size_t before;

        run_batch(seal, open);
        before = allocations;
        for (int again = 0; again < 10; again++)
            run_batch(seal, open);
        assert_int_equal(allocations, before);
        esp_sa_free(seal);
        esp_sa_free(open);
    }
    assert_true(allocations > 0);
}

/* Without memory for another library libcrypto goes on, and asks for it no more. */
static void test_an_sa_works_on_without_memory(void **state)
{
    for (size_t i = 0; i < suites_n; i++) {
        EspSa *seal = kit_seal_sa(&suites[i]), *open = kit_open_sa(&suites[i]);
        size_t before;

        no_memory = true;
        run_batch(seal, open);
        before = allocations;
        run_batch(seal, open);
        no_memory = false;
        run_batch(seal, open);
        assert_int_equal(allocations, before);
        assert_string_equal(esp_sa_provider(seal), "OpenSSL");
        esp_sa_free(seal);
        esp_sa_free(open);
    }
}

static void test_b7_memory_and_algorithms_that_are_missing_are_named(void **state)
{
    uint8_t keymat[ESP_KEYMAT_MAX] = {0};
    IkeCipher cipher = *suites[0].cipher;
    IkeHash hash = *ike_hash_by_name("sha1");
    EspParameters parameters = {.spi = 1, .cipher = &cipher, .integrity = &hash, .keymat = keymat};
    EspSa *sa = NULL;

    no_memory = true;
    assert_int_equal(esp_seal_new(&sa, &parameters), -ENOMEM);
    no_memory = false;
    cipher.openssl = "NO-SUCH-CIPHER";
    assert_int_equal(esp_seal_new(&sa, &parameters), -ENOTSUP);
    cipher.openssl = suites[0].cipher->openssl;
    hash.openssl = "NO-SUCH-HASH";
    assert_int_equal(esp_seal_new(&sa, &parameters), -ENOTSUP);
    /* libcrypto has it, but ESP has no use for it. */
    hash.openssl = "SHA3-256";
    assert_int_equal(esp_seal_new(&sa, &parameters), -ENOTSUP);
    assert_null(sa);
}

/* ---- B8: sequence numbers run out and never wrap ---- */

static void test_b8_the_last_number_is_the_last_packet(void **state)
{
    uint8_t inner[KIT_ROOM], packet[KIT_ROOM];

    for (size_t i = 0; i < suites_n; i++) {
        EspSa *seal = kit_seal_sa(&suites[i]), *open = kit_open_sa(&suites[i]);
        EspPacket one = {.data = packet + ESP_HEAD_ROOM, .n = 60};
        size_t n;

        kit_ipv4(inner, 60);
        seal->sequence = UINT32_MAX - 1;
        n = kit_seal(seal, inner, 60, packet);
        assert_true(n > 0);
        assert_memory_equal(packet + 4, "\xff\xff\xff\xff", 4);
        assert_int_equal(kit_open(open, packet, n, NULL), ESP_OK);
        assert_int_equal(kit_open(open, packet, n, NULL), ESP_REPLAYED);
        for (int again = 0; again < 3; again++) {
            kit_ipv4(one.data, 60);
            assert_int_equal(esp_seal(seal, &one, 1), 0);
            assert_int_equal(one.verdict, ESP_EXHAUSTED);
            assert_int_equal(one.n, 60);
        }
        assert_true(esp_sa_wants_renewal(seal));
        assert_int_equal(esp_sa_counters(seal).packets, 1);
        esp_sa_free(seal);
        esp_sa_free(open);
    }
}

static void test_b8_numbers_run_out_within_a_batch(void **state)
{
    static uint8_t room[8][KIT_ROOM];
    EspPacket batch[8];
    EspSa *sa = kit_seal_sa(&suites[suites_n - 1]);

    for (size_t i = 0; i < 8; i++) {
        batch[i] = (EspPacket){.data = room[i] + ESP_HEAD_ROOM, .n = 60};
        kit_ipv4(batch[i].data, 60);
    }
    sa->sequence = UINT32_MAX - 3;
    assert_int_equal(esp_seal(sa, batch, 8), 3);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(batch[i].verdict, i < 3 ? ESP_OK : ESP_EXHAUSTED);
    esp_sa_free(sa);
}

static int set_up(void **state)
{
    suites_n = kit_suites(suites);
    return kit_load_providers();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c3_failures_of_libcrypto_are_no_success),
        cmocka_unit_test(test_c3_an_sa_is_not_made_half),
        cmocka_unit_test(test_no_packet_allocates),
        cmocka_unit_test(test_an_sa_works_on_without_memory),
        cmocka_unit_test(test_b7_memory_and_algorithms_that_are_missing_are_named),
        cmocka_unit_test(test_b8_the_last_number_is_the_last_packet),
        cmocka_unit_test(test_b8_numbers_run_out_within_a_batch),
    };

    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("esp-faults", tests, set_up, kit_unload_providers);
}
