/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The multi-buffer library alone: a job a packet for CBC with HMAC, a call a packet for GCM. */
#include "esp-bare.h"

#include <intel-ipsec-mb.h>
#include <string.h>

static DECLARE_ALIGNED(uint32_t aes_encrypt[60], 16);
static DECLARE_ALIGNED(uint32_t aes_decrypt[60], 16);
static DECLARE_ALIGNED(uint64_t des[3][16], 16);
static const void *const des3[] = {des[0], des[1], des[2]};
static const uint8_t zero[64];
static uint8_t tags[BARE_BATCH][64];

/* ---- CBC ---- */

static IMB_HASH_ALG algorithm_of(const IkeHash *hash)
{
    static const struct {
        const char *name;
        IMB_HASH_ALG algorithm;
    } rows[] = {{"md5", IMB_AUTH_MD5},
                {"sha1", IMB_AUTH_HMAC_SHA_1},
                {"sha256", IMB_AUTH_HMAC_SHA_256},
                {"sha384", IMB_AUTH_HMAC_SHA_384},
                {"sha512", IMB_AUTH_HMAC_SHA_512}};
    size_t i = 0;

    while (i < sizeof(rows) / sizeof(rows[0]) - 1 && strcmp(rows[i].name, hash->name) != 0)
        i++;
    return rows[i].algorithm;
}

static void expand_keys(IMB_MGR *manager, const BareWork *work)
{
    if (work->cipher->key_size == 16)
        IMB_AES_KEYEXP_128(manager, work->key, aes_encrypt, aes_decrypt);
    else if (work->cipher->key_size == 24)
        IMB_AES_KEYEXP_192(manager, work->key, aes_encrypt, aes_decrypt);
    else
        IMB_AES_KEYEXP_256(manager, work->key, aes_encrypt, aes_decrypt);
    for (int i = 0; i < 3; i++)
        IMB_DES_KEYSCHED(manager, des[i], work->key + 8 * i);
}

static IMB_JOB form_of(const BareWork *work)
{
    const bool one = work->cipher->key_size == 8, is_des = work->cipher->block_size == 8;
    const void *des_keys = one ? (const void *)des[0] : (const void *)des3;
    uint64_t head = 8 + (uint64_t)work->cipher->iv_size;
    IMB_JOB form = {
        .enc_keys = is_des ? des_keys : aes_encrypt,
        .dec_keys = is_des ? des_keys : aes_decrypt,
        .key_len_in_bytes = work->cipher->key_size,
        .cipher_start_src_offset_in_bytes = head,
        .msg_len_to_cipher_in_bytes = work->n,
        .msg_len_to_hash_in_bytes = head + work->n,
        .iv = zero,
        .iv_len_in_bytes = work->cipher->iv_size,
        .auth_tag_output_len_in_bytes = work->hash->icv_size,
        .cipher_mode = !is_des ? IMB_CIPHER_CBC
                       : one   ? IMB_CIPHER_DES
                               : IMB_CIPHER_DES3,
        .cipher_direction = work->encrypt ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT,
        .hash_alg = algorithm_of(work->hash),
        .chain_order = work->encrypt ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER,
    };

    form.u.HMAC._hashed_auth_key_xor_ipad = zero;
    form.u.HMAC._hashed_auth_key_xor_opad = zero;
    return form;
}

static double cbc(IMB_MGR *manager, const BareWork *work)
{
    const IMB_JOB form = form_of(work);
    double best = 0;

    expand_keys(manager, work);
    for (int i = 0; i < work->rounds; i++) {
        uint8_t *const *packets = work->packets[i % BARE_SETS];
        double since = bare_now();

        for (int j = 0; j < BARE_BATCH; j++) {
            IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

            *job = form;
            job->src = packets[j];
            job->dst = packets[j] + form.cipher_start_src_offset_in_bytes;
            job->auth_tag_output = tags[j];
            IMB_SUBMIT_JOB_NOCHECK(manager);
        }
        while (IMB_FLUSH_JOB(manager) != NULL)
            ;
        bare_keep_best(&best, since);
    }
    return best;
}

/* ---- GCM ---- */

static double gcm(IMB_MGR *manager, const BareWork *work)
{
    static struct gcm_key_data key;
    struct gcm_context_data context;
    const size_t row = (work->cipher->key_size - 16u) / 8;
    const aes_gcm_pre_t expand[] = {manager->gcm128_pre, manager->gcm192_pre, manager->gcm256_pre};
    const aes_gcm_enc_dec_t run[2][3] = {
        {manager->gcm128_dec, manager->gcm192_dec, manager->gcm256_dec},
        {manager->gcm128_enc, manager->gcm192_enc, manager->gcm256_enc}};
    double best = 0;

    expand[row](work->key, &key);
    for (int i = 0; i < work->rounds; i++) {
        uint8_t *const *packets = work->packets[i % BARE_SETS];
        double since = bare_now();

        for (int j = 0; j < BARE_BATCH; j++)
            run[work->encrypt][row](&key, &context, packets[j] + 16, packets[j] + 16, work->n, zero,
                                    packets[j], 8, tags[j], 16);
        bare_keep_best(&best, since);
    }
    return best;
}

double bare_multi(const BareWork *work)
{
    IMB_MGR *manager = alloc_mb_mgr(0);
    IMB_ARCH best = IMB_ARCH_NONE;
    double result = 0;

    if (manager == NULL)
        return 0;
    init_mb_mgr_auto(manager, &best);
    /* Without lanes its DES is slower than anybody's. */
    if (best >= (work->cipher->block_size == 8 ? IMB_ARCH_AVX512 : IMB_ARCH_AVX2))
        result = work->hash != NULL ? cbc(manager, work) : gcm(manager, work);
    free_mb_mgr(manager);
    return result;
}
