/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Algorithms as a table: each row is found by its name and its numbers, its sizes are those of the
 * standards, and nothing that the contract does not name is there.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/algs.h"
#include "ike/constants-attributes.h"
#include "ike/constants.h"

static const char *const CIPHERS[] = {
    "des", "3des", "aes128", "aes192", "aes256", "aes128gcm16", "aes192gcm16", "aes256gcm16", NULL};
static const char *const HASHES[] = {"md5", "sha1", "sha256", "sha384", "sha512", NULL};
static const char *const GROUPS[] = {"modp768",  "modp1024",   "modp1536", "modp2048",
                                     "modp3072", "modp4096",   "ecp256",   "ecp384",
                                     "ecp521",   "curve25519", NULL};

static void test_the_names_are_those_of_the_contract(void **state)
{
    static const char *const *const lists[] = {CIPHERS, HASHES, GROUPS};

    for (int kind = IKE_ALG_CIPHER; kind <= IKE_ALG_GROUP; kind++) {
        size_t i = 0;
        for (; ike_alg_name((IkeAlgKind)kind, i) != NULL; i++) {
            bool known = false;
            for (size_t j = 0; lists[kind][j] != NULL; j++)
                known |= strcmp(lists[kind][j], ike_alg_name((IkeAlgKind)kind, i)) == 0;
            assert_true(known);
        }
        assert_null(lists[kind][i]);
        assert_null(ike_alg_name((IkeAlgKind)kind, SIZE_MAX));
    }
}

static void test_ciphers_are_found_by_name_and_number_with_the_sizes_of_the_standards(void **state)
{
    for (size_t i = 0; CIPHERS[i] != NULL; i++) {
        const IkeCipher *c = ike_cipher_by_name(CIPHERS[i]);
        assert_non_null(c);
        assert_ptr_equal(ike_cipher_by_esp(c->esp, c->key_bits), c);
        if (c->phase1 != 0)
            assert_ptr_equal(ike_cipher_by_phase1(c->phase1, c->key_bits), c);
        assert_true(c->key_size <= IKE_KEY_MAX && c->block_size <= IKE_BLOCK_MAX);
        assert_true(c->key_bits == 0 || c->key_bits == 8 * c->key_size);
        assert_int_equal(ike_cipher_is_aead(c), c->icv_size != 0);
        assert_int_equal(ike_cipher_is_aead(c), c->phase1 == 0); /* no AEAD in Phase 1 */
        assert_int_equal(c->iv_size, ike_cipher_is_aead(c) ? 8 : c->block_size);
        assert_int_equal(c->weak, strstr(CIPHERS[i], "des") != NULL);
    }
}

static void test_hashes_are_found_by_name_and_number_with_the_sizes_of_the_standards(void **state)
{
    static const uint8_t sizes[] = {16, 20, 32, 48, 64}, icvs[] = {12, 12, 16, 24, 32};

    for (size_t i = 0; HASHES[i] != NULL; i++) {
        const IkeHash *h = ike_hash_by_name(HASHES[i]);
        assert_non_null(h);
        assert_ptr_equal(ike_hash_by_phase1(h->phase1), h);
        assert_ptr_equal(ike_hash_by_integrity(h->integrity), h);
        assert_int_equal(h->size, sizes[i]);
        assert_int_equal(h->icv_size, icvs[i]);
        assert_true(h->size <= IKE_HASH_MAX);
        assert_int_equal(h->weak, i == 0);
    }
}

static void test_groups_are_found_by_name_and_number_with_the_sizes_of_the_standards(void **state)
{
    static const uint16_t sizes[] = {96, 128, 192, 256, 384, 512, 64, 96, 132, 32};

    for (size_t i = 0; GROUPS[i] != NULL; i++) {
        const IkeGroup *g = ike_group_by_name(GROUPS[i]);
        assert_non_null(g);
        assert_ptr_equal(ike_group_by_number(g->number), g);
        assert_int_equal(g->ke_size, sizes[i]);
        assert_true(g->ke_size <= IKE_DH_MAX && g->secret_size <= IKE_DH_MAX);
        assert_int_equal(g->weak, i < 3);
        /* A weaker group is never stronger than one that is not weak. */
        for (size_t j = 0; GROUPS[j] != NULL; j++)
            if (g->weak && !ike_group_by_name(GROUPS[j])->weak)
                assert_true(g->strength < ike_group_by_name(GROUPS[j])->strength);
    }
}

static void test_a14_numbers_that_nobody_has_find_nothing(void **state)
{
    unsigned ciphers = 0, esp = 0;

    for (unsigned number = 0; number < 65536; number++) {
        bool hash = number == 1 || number == 2 || (number >= 4 && number <= 6);
        bool integrity = number == 1 || number == 2 || (number >= 5 && number <= 7);
        assert_int_equal(ike_hash_by_phase1((uint16_t)number) != NULL, hash);
        assert_int_equal(ike_hash_by_integrity((uint16_t)number) != NULL, integrity);
        for (unsigned bits = 0; bits <= 512; bits += number < 32 ? 1 : 64) {
            ciphers += ike_cipher_by_phase1((uint16_t)number, (uint16_t)bits) != NULL;
            esp += ike_cipher_by_esp((uint16_t)number, (uint16_t)bits) != NULL;
        }
    }
    assert_int_equal(ciphers, 5);
    assert_int_equal(esp, 8);
    assert_null(ike_cipher_by_phase1(0, 128)); /* the AEADs have no number there */
}

static void test_names_match_whole_and_as_they_are_written(void **state)
{
    static const char *const wrong[] = {"",        "AES128",   "aes",  "aes1288",
                                        "aes128 ", "null",     "modp", "modp2048s256",
                                        "sha",     "sha2_256", "\xff"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_null(ike_cipher_by_name(wrong[i]));
        assert_null(ike_hash_by_name(wrong[i]));
        assert_null(ike_group_by_name(wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_names_are_those_of_the_contract),
        cmocka_unit_test(test_ciphers_are_found_by_name_and_number_with_the_sizes_of_the_standards),
        cmocka_unit_test(test_hashes_are_found_by_name_and_number_with_the_sizes_of_the_standards),
        cmocka_unit_test(test_groups_are_found_by_name_and_number_with_the_sizes_of_the_standards),
        cmocka_unit_test(test_a14_numbers_that_nobody_has_find_nothing),
        cmocka_unit_test(test_names_match_whole_and_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
