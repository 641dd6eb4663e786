/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption of messages: padding, chains of IVs, lengths that are no blocks, and what each of the
 * three HASHes covers.
 */
#undef NDEBUG
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/message-crypt.h"

#include "core-kit.h"

static IkeKeys some_keys(const char *cipher)
{
    IkeKeys keys = {.cipher = ike_cipher_by_name(cipher), .hash = ike_hash_by_name("sha1")};

    for (size_t i = 0; i < sizeof(keys.key); i++)
        keys.key[i] = (uint8_t)(i * 73 + 5);
    memset(keys.skeyid_a, 0xaa, keys.hash->size);
    return keys;
}

static void test_every_size_of_message_comes_back_with_zero_padding(void **state)
{
    static const char *const ciphers[] = {"3des", "aes128", "aes192", "aes256"};

    for (size_t c = 0; c < 4; c++) {
        const IkeKeys keys = some_keys(ciphers[c]);
        const size_t block = keys.cipher->block_size;
        for (size_t n = 0; n < 70; n++) {
            uint8_t bytes[256], iv[16] = {1}, back[16] = {1}, body[70];
            const IkeHeader header = {.exchange = IKE_EXCHANGE_QUICK};
            IkeBuilder builder;

            memset(body, 0x5a, sizeof(body));
            ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
            ike_builder_add(&builder, IKE_PAYLOAD_NONCE, (IkeSlice){body, n});
            assert_int_equal(ike_message_encrypt(&keys, iv, &builder), 0);
            size_t whole = builder.writer.n - IKE_HEADER_SIZE;
            assert_int_equal(whole, (n + 4 + block - 1) / block * block);
            assert_int_equal(bytes[19], IKE_FLAG_ENCRYPTION);
            assert_int_equal(bytes[27], builder.writer.n);
            assert_memory_equal(iv, bytes + builder.writer.n - block, block);
            assert_int_equal(ike_message_decrypt(&keys, back, bytes + IKE_HEADER_SIZE, whole), 0);
            assert_memory_equal(back, iv, block);
            assert_memory_equal(bytes + IKE_HEADER_SIZE + 4, body, n);
            for (size_t i = n + 4; i < whole; i++)
                assert_int_equal(bytes[IKE_HEADER_SIZE + i], 0);
        }
    }
}

static void test_what_is_no_whole_number_of_blocks_is_malformed(void **state)
{
    const IkeKeys keys = some_keys("aes128");

    for (size_t n = 0; n < 70; n++) {
        uint8_t *bytes = calloc(1, n), iv[16] = {3}, before[16];
        memcpy(before, iv, 16);
        int r = ike_message_decrypt(&keys, iv, bytes, n);
        assert_int_equal(r, n > 0 && n % 16 == 0 ? 0 : IKE_MESSAGE_MALFORMED);
        if (r != 0)
            assert_memory_equal(iv, before, 16);
        free(bytes);
    }
}

static void test_a_buffer_without_room_for_padding_is_too_small(void **state)
{
    const IkeKeys keys = some_keys("aes128");
    const IkeHeader header = {0};

    for (size_t size = IKE_HEADER_SIZE + 5; size < IKE_HEADER_SIZE + 18; size++) {
        uint8_t *bytes = calloc(1, size), iv[16] = {0};
        IkeBuilder builder;
        ike_builder_begin(&builder, bytes, size, &header);
        ike_builder_add(&builder, IKE_PAYLOAD_NONCE, (IkeSlice){(const uint8_t *)"x", 1});
        assert_int_equal(ike_message_encrypt(&keys, iv, &builder),
                         size < IKE_HEADER_SIZE + 16 ? -EMSGSIZE : 0);
        free(bytes);
    }
}

static void expect_hash(const IkeKeys *keys, const IkeMessageHash *parts, const KitBytes *covered)
{
    const IkeSlice whole = kit_slice(covered);
    uint8_t got[IKE_HASH_MAX], expected[IKE_HASH_MAX];

    assert_int_equal(
        ike_prf(keys->hash, (IkeSlice){keys->skeyid_a, keys->hash->size}, &whole, 1, expected), 0);
    assert_int_equal(ike_message_hash(keys, parts, got), 0);
    assert_memory_equal(got, expected, keys->hash->size);
}

/* RFC 2409, 5.5 and 5.7 */
static void test_the_three_hashes_cover_what_the_standard_says(void **state)
{
    const IkeKeys keys = some_keys("aes128");
    const IkeSlice ni = {(const uint8_t *)"initiator", 9}, nr = {(const uint8_t *)"responder", 9};
    const IkeSlice rest = {(const uint8_t *)"payloads", 8};
    IkeMessageHash parts = {.message_id = 0x01020304, .rest = rest};
    KitBytes b = {0};

    kit_append_u32(&b, 0x01020304);
    kit_append(&b, "payloads", 8);
    expect_hash(&keys, &parts, &b);
    parts.nonce_i = ni;
    b.n = 0;
    kit_append_u32(&b, 0x01020304);
    kit_append(&b, "initiatorpayloads", 17);
    expect_hash(&keys, &parts, &b);
    parts = (IkeMessageHash){.message_id = 0x01020304, .zero = true, .nonce_i = ni, .nonce_r = nr};
    b.n = 0;
    kit_append_u8(&b, 0);
    kit_append_u32(&b, 0x01020304);
    kit_append(&b, "initiatorresponder", 18);
    expect_hash(&keys, &parts, &b);
}

static void test_message_ids_have_chains_of_their_own(void **state)
{
    IkeKeys keys = some_keys("aes128");
    uint8_t a[16], b[16], c[16];

    assert_int_equal(ike_keys_message_iv(&keys, 1, a), 0);
    assert_int_equal(ike_keys_message_iv(&keys, 2, b), 0);
    assert_memory_not_equal(a, b, 16);
    keys.iv[0] ^= 1;
    assert_int_equal(ike_keys_message_iv(&keys, 1, c), 0);
    assert_memory_not_equal(a, c, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_of_message_comes_back_with_zero_padding),
        cmocka_unit_test(test_what_is_no_whole_number_of_blocks_is_malformed),
        cmocka_unit_test(test_a_buffer_without_room_for_padding_is_too_small),
        cmocka_unit_test(test_the_three_hashes_cover_what_the_standard_says),
        cmocka_unit_test(test_message_ids_have_chains_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
