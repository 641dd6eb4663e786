/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of Phase 1 and of children, compared with what other software has computed (the captured
 * exchanges) and, for the parts that those do not reach, with RFC 2409 written out.
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

#include "ike/keymat.h"
#include "ike/message-crypt.h"

#include "core-kit.h"

typedef struct Captured {
    char name[64];
    IkeKeys keys;
    IkePhase1Material material;
    KitBytes bytes[11];
} Captured;

static size_t captured_n;
static char names[KIT_CAPTURED_MAX][64];

static const struct {
    const char *key;
    size_t offset;
} FIELDS[] = {
    {"cky-i", offsetof(IkePhase1Material, cookie_i)},
    {"cky-r", offsetof(IkePhase1Material, cookie_r)},
    {"g-xi", offsetof(IkePhase1Material, public_i)},
    {"g-xr", offsetof(IkePhase1Material, public_r)},
    {"ni", offsetof(IkePhase1Material, nonce_i)},
    {"nr", offsetof(IkePhase1Material, nonce_r)},
    {"sai-b", offsetof(IkePhase1Material, sa_i)},
    {"idii-b", offsetof(IkePhase1Material, id_i)},
    {"idir-b", offsetof(IkePhase1Material, id_r)},
    {"g-xy", offsetof(IkePhase1Material, secret)},
    {"psk", offsetof(IkePhase1Material, psk)},
};

/* "aes128-sha256-ecp256" */
static void read_suite(Captured *c)
{
    char copy[64];

    strcpy(copy, c->name);
    c->keys.cipher = ike_cipher_by_name(strtok(copy, "-"));
    c->keys.hash = ike_hash_by_name(strtok(NULL, "-"));
    assert_non_null(c->keys.cipher);
    assert_non_null(c->keys.hash);
}

static Captured *load(size_t i)
{
    Captured *c = calloc(1, sizeof(*c));

    strcpy(c->name, names[i]);
    read_suite(c);
    for (size_t f = 0; f < sizeof(FIELDS) / sizeof(FIELDS[0]); f++) {
        assert_true(kit_captured(c->name, FIELDS[f].key, 0, &c->bytes[f]));
        *(IkeSlice *)(void *)((char *)&c->material + FIELDS[f].offset) = kit_slice(&c->bytes[f]);
    }
    return c;
}

static void expect_captured(const Captured *c, const char *key, const uint8_t *bytes, size_t n)
{
    KitBytes expected;

    assert_true(kit_captured(c->name, key, 0, &expected));
    assert_int_equal(n, expected.n);
    assert_memory_equal(bytes, expected.bytes, n);
}

static void test_c11_keys_are_those_of_other_software(void **state)
{
    assert_true(captured_n >= 4);
    for (size_t i = 0; i < captured_n; i++) {
        Captured *c = load(i);
        const size_t n = c->keys.hash->size;

        assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
        expect_captured(c, "skeyid", c->keys.skeyid, n);
        expect_captured(c, "skeyid-d", c->keys.skeyid_d, n);
        expect_captured(c, "skeyid-a", c->keys.skeyid_a, n);
        expect_captured(c, "skeyid-e", c->keys.skeyid_e, n);
        expect_captured(c, "cipher-key", c->keys.key, c->keys.cipher->key_size);
        expect_captured(c, "iv", c->keys.iv, c->keys.cipher->block_size);
        free(c);
    }
}

static void test_c11_authenticating_hashes_are_those_of_other_software(void **state)
{
    for (size_t i = 0; i < captured_n; i++) {
        Captured *c = load(i);
        uint8_t hash[IKE_HASH_MAX];

        assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
        assert_int_equal(ike_auth_hash_r(&c->keys, &c->material, hash), 0);
        expect_captured(c, "hash-r", hash, c->keys.hash->size);
        assert_int_equal(ike_auth_hash_i(&c->keys, &c->material, hash), 0);
        expect_captured(c, "hash-i", hash, c->keys.hash->size);
        free(c);
    }
}

/* Each thing that HASH_R covers, changed by a bit. */
static void test_hash_r_covers_everything_that_it_must(void **state)
{
    for (size_t f = 0; f < sizeof(FIELDS) / sizeof(FIELDS[0]); f++) {
        Captured *c = load(0);
        uint8_t hash[IKE_HASH_MAX];
        KitBytes expected;
        /* The initiator's own ID stands in HASH_I alone. */
        bool covered = strcmp(FIELDS[f].key, "idii-b") != 0 && strcmp(FIELDS[f].key, "g-xy") != 0;

        c->bytes[f].bytes[c->bytes[f].n / 2] ^= 4;
        assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
        assert_int_equal(ike_auth_hash_r(&c->keys, &c->material, hash), 0);
        assert_true(kit_captured(c->name, "hash-r", 0, &expected));
        assert_int_equal(memcmp(hash, expected.bytes, expected.n) != 0, covered);
        free(c);
    }
}

/* ---- what stands under the SA ---- */

static void open_captured(const Captured *c, uint8_t *iv, const KitBytes *datagram,
                          IkeMessage *message, KitBytes *plain)
{
    IkeHeader header;

    assert_int_equal(ike_header_read(kit_slice(datagram), &header), 0);
    plain->n = 0;
    kit_append(plain, datagram->bytes + IKE_HEADER_SIZE, datagram->n - IKE_HEADER_SIZE);
    assert_int_equal(ike_message_decrypt(&c->keys, iv, plain->bytes, plain->n), 0);
    assert_int_equal(ike_payloads_read(&header, kit_slice(plain), message), 0);
}

static void test_messages_of_other_software_decrypt_and_their_hash_fits(void **state)
{
    for (size_t i = 0; i < captured_n; i++) {
        Captured *c = load(i);
        KitBytes datagram, plain;
        IkeMessage message;
        uint8_t hash[IKE_HASH_MAX], iv[16];

        assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
        assert_true(kit_captured(c->name, "am3", 0, &datagram));
        open_captured(c, c->keys.iv, &datagram, &message, &plain);
        expect_captured(c, "hash-i", message.payloads[0].body.bytes, c->keys.hash->size);
        /* The first message of the gateway: a REQUEST of XAUTH with HASH(1). */
        assert_true(kit_captured(c->name, "message-r", 0, &datagram));
        const uint32_t id = (uint32_t)datagram.bytes[20] << 24 |
                            (uint32_t)datagram.bytes[21] << 16 | (uint32_t)datagram.bytes[22] << 8 |
                            datagram.bytes[23];
        assert_int_equal(ike_keys_message_iv(&c->keys, id, iv), 0);
        open_captured(c, iv, &datagram, &message, &plain);
        assert_int_equal(message.payloads[0].type, IKE_PAYLOAD_HASH);
        assert_int_equal(message.payloads[1].type, IKE_PAYLOAD_ATTRIBUTES);
        const size_t from = message.payloads[0].end, to = message.payloads[message.n - 1].end;
        const IkeMessageHash parts = {.message_id = id, .rest = {plain.bytes + from, to - from}};
        assert_int_equal(ike_message_hash(&c->keys, &parts, hash), 0);
        assert_memory_equal(hash, message.payloads[0].body.bytes, c->keys.hash->size);
        /* The answer goes on with the IV where the request ended. */
        assert_true(kit_captured(c->name, "message-i", 0, &datagram));
        open_captured(c, iv, &datagram, &message, &plain);
        assert_int_equal(message.payloads[1].type, IKE_PAYLOAD_ATTRIBUTES);
        free(c);
    }
}

/* ---- children ---- */

static IkeSlice part(const KitBytes *seed, size_t from, size_t n)
{
    return (IkeSlice){seed->bytes + from, n};
}

static void test_keys_of_children_are_those_of_other_software(void **state)
{
    static const char *const seeds[] = {"qm-seed-i", "qm-seed-r"};
    static const char *const ciphers[] = {"esp-encryption-i", "esp-encryption-r"};
    static const char *const macs[] = {"esp-integrity-i", "esp-integrity-r"};
    size_t compared = 0;

    for (size_t i = 0; i < 2 * captured_n; i++) {
        Captured *c = load(i / 2);
        KitBytes seed, cipher, mac = {0};
        uint8_t keymat[256];

        assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
        assert_true(kit_captured(c->name, seeds[i % 2], 0, &seed));
        assert_true(kit_captured(c->name, ciphers[i % 2], 0, &cipher));
        (void)kit_captured(c->name, macs[i % 2], 0, &mac);
        /* [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b: nonces of 32 bytes stand last. */
        const size_t at = seed.n - 64 - 4 - 1;
        const IkeChildMaterial material = {
            .protocol = seed.bytes[at],
            .spi = (uint32_t)seed.bytes[at + 1] << 24 | (uint32_t)seed.bytes[at + 2] << 16 |
                   (uint32_t)seed.bytes[at + 3] << 8 | seed.bytes[at + 4],
            .secret = part(&seed, 0, at),
            .nonce_i = part(&seed, seed.n - 64, 32),
            .nonce_r = part(&seed, seed.n - 32, 32),
        };
        assert_int_equal(material.protocol, IKE_PROTOCOL_ESP);
        assert_int_equal(ike_keys_child(&c->keys, &material, keymat, cipher.n + mac.n), 0);
        assert_memory_equal(keymat, cipher.bytes, cipher.n);
        assert_memory_equal(keymat + cipher.n, mac.bytes, mac.n);
        compared++;
        free(c);
    }
    assert_true(compared >= 8);
}

static void test_keymat_of_every_length_is_the_beginning_of_a_longer_one(void **state)
{
    Captured *c = load(0);
    const IkeChildMaterial material = {.protocol = 3,
                                       .spi = 0x01020304,
                                       .nonce_i = c->material.nonce_i,
                                       .nonce_r = c->material.nonce_r};
    uint8_t longest[200];

    assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
    assert_int_equal(ike_keys_child(&c->keys, &material, longest, sizeof(longest)), 0);
    for (size_t n = 0; n <= sizeof(longest); n++) {
        uint8_t *keymat = malloc(n);
        assert_int_equal(ike_keys_child(&c->keys, &material, keymat, n), 0);
        assert_memory_equal(keymat, longest, n);
        free(keymat);
    }
    free(c);
}

/* RFC 2409, appendix B: 3DES with MD5 needs K1 | K2 of 16 bytes each. */
static void test_a_cipher_key_longer_than_the_hash_is_expanded(void **state)
{
    Captured *c = load(0);
    uint8_t k1[16], k2[16];
    static const uint8_t zero = 0;

    c->keys.cipher = ike_cipher_by_name("3des");
    c->keys.hash = ike_hash_by_name("md5");
    assert_int_equal(ike_keys_derive(&c->keys, &c->material), 0);
    const IkeSlice e = {c->keys.skeyid_e, 16}, first = {&zero, 1}, second = {k1, 16};
    assert_int_equal(ike_prf(c->keys.hash, e, &first, 1, k1), 0);
    assert_int_equal(ike_prf(c->keys.hash, e, &second, 1, k2), 0);
    assert_memory_equal(c->keys.key, k1, 16);
    assert_memory_equal(c->keys.key + 16, k2, 8);
    free(c);
}

static void test_b7_a_hash_that_libcrypto_lacks_is_named(void **state)
{
    Captured *c = load(0);
    IkeHash missing = *c->keys.hash;

    missing.openssl = "NO-SUCH-HASH";
    c->keys.hash = &missing;
    assert_int_equal(ike_keys_derive(&c->keys, &c->material), -ENOTSUP);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c11_keys_are_those_of_other_software),
        cmocka_unit_test(test_c11_authenticating_hashes_are_those_of_other_software),
        cmocka_unit_test(test_hash_r_covers_everything_that_it_must),
        cmocka_unit_test(test_messages_of_other_software_decrypt_and_their_hash_fits),
        cmocka_unit_test(test_keys_of_children_are_those_of_other_software),
        cmocka_unit_test(test_keymat_of_every_length_is_the_beginning_of_a_longer_one),
        cmocka_unit_test(test_a_cipher_key_longer_than_the_hash_is_expanded),
        cmocka_unit_test(test_b7_a_hash_that_libcrypto_lacks_is_named),
    };

    captured_n = kit_captured_cases(names);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
