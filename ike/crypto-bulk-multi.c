/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel's multi-buffer library (libIPSec_MB) for ESP: the packets of a batch side by side, one in
 * each lane of a vector.
 *
 * - CBC and HMAC are one job a packet. Encrypting, the chain begins with an IV of zero and the IV
 *   field, so that the nonce in it becomes E(nonce). Decrypting, hash and cipher run over all
 *   packets, and what turns out to be forged is dropped afterwards, as with GCM.
 * - GCM has no chain, so packets go one by one, by a call that keeps nothing: its manager is only
 *   needed for the key.
 * - A manager holds key material while it works. It belongs to one SA, and so to one thread at a
 *   time, and is wiped with it.
 *
 * What a processor must have was measured against libcrypto with SHA extensions: AVX2 for it to be
 * the quicker one in every suite of AES from 8 packets on; AVX-512 for DES, which has lanes
 * nowhere else.
 */
#include "ike/crypto-bulk-provider.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 64, /* of the manager and of expanded keys */
    AES_ROUND_KEYS = 4 * 15,
    DES_ROUND_KEYS = 16,
    DES_KEY = 8,
    BLOCK_MAX = 128, /* of a hash */
    STATE_MAX = 64,
    LENGTH_MAX = 65534, /* of what a job covers */
    GCM_SALT = 4,
    GCM_IV = 8,
    GCM_TAG = 16,
};

typedef struct Multi {
    /* First, for its alignment; then those for AES, of 16. */
    struct gcm_key_data gcm_key;
    uint32_t aes_encrypt[AES_ROUND_KEYS], aes_decrypt[AES_ROUND_KEYS];
    uint64_t des[3][DES_ROUND_KEYS];
    uint8_t inner[STATE_MAX], outer[STATE_MAX]; /* HMAC's, behind the pads */
    struct gcm_context_data gcm_context;
    aes_gcm_enc_dec_t gcm; /* NULL: CBC */
    const void *des3[3];
    IMB_MGR *manager; /* NULL: GCM */
    IMB_JOB form;     /* what the jobs of all packets have in common */
    uint8_t iv_size, icv_size;
    uint8_t nonces[IKE_BULK_BATCH][16]; /* GCM's 12 bytes; the rest is padding */
    uint8_t tags[IKE_BULK_BATCH][IKE_HASH_MAX];
} Multi;

static const uint8_t no_iv[IKE_BLOCK_MAX];

/* ---- the manager ---- */

static void *allocate(size_t n)
{
    size_t rounded = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, rounded);

    return memory != NULL ? memset(memory, 0, rounded) : NULL;
}

static void manager_free(IMB_MGR *manager)
{
    if (manager == NULL)
        return;
    explicit_bzero(manager, imb_get_mb_mgr_size());
    free(manager);
}

/* The library asks the processor alone; whether the system saves such registers when it changes
 * threads, too, the compiler's question knows (XGETBV). Without it the first batch is the last. */
static bool registers_are_saved(const IMB_MGR *manager)
{
    return __builtin_cpu_supports("avx2") &&
           ((manager->features & IMB_FEATURE_AVX512F) == 0 || __builtin_cpu_supports("avx512f"));
}

/* NULL too where the library's tests of itself fail, or the processor is not good enough. */
static IMB_MGR *manager_new(bool des)
{
    void *memory = allocate(imb_get_mb_mgr_size());
    IMB_MGR *manager = memory != NULL ? imb_set_pointers_mb_mgr(memory, 0, 1) : NULL;
    IMB_ARCH best = IMB_ARCH_NONE;

    if (manager == NULL || !registers_are_saved(manager)) {
        free(memory);
        return NULL;
    }
    init_mb_mgr_auto(manager, &best);
    if (imb_get_errno(manager) != 0 || best < (des ? IMB_ARCH_AVX512 : IMB_ARCH_AVX2) ||
        (manager->features & IMB_FEATURE_SELF_TEST_PASS) == 0) {
        manager_free(manager);
        return NULL;
    }
    return manager;
}

/* ---- keys ---- */

static int key_gcm(Multi *self, const IMB_MGR *manager, const IkeBulkKeys *keys)
{
    const struct {
        uint8_t size;
        aes_gcm_pre_t expand;
        aes_gcm_enc_dec_t encrypt, decrypt;
    } rows[] = {
        {16, manager->gcm128_pre, manager->gcm128_enc, manager->gcm128_dec},
        {24, manager->gcm192_pre, manager->gcm192_enc, manager->gcm192_dec},
        {32, manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].size != keys->cipher->key_size)
            continue;
        rows[i].expand(keys->keymat, &self->gcm_key);
        self->gcm = keys->encrypt ? rows[i].encrypt : rows[i].decrypt;
        for (size_t j = 0; j < IKE_BULK_BATCH; j++)
            memcpy(self->nonces[j], ike_bulk_salt(keys), GCM_SALT);
        return 0;
    }
    return -ENOTSUP;
}

static void key_des(Multi *self, const IMB_MGR *manager, const IkeBulkKeys *keys)
{
    size_t n = keys->cipher->key_size / DES_KEY;

    for (size_t i = 0; i < n; i++) {
        manager->des_key_sched(self->des[i], keys->keymat + i * DES_KEY);
        self->des3[i] = self->des[i];
    }
    self->form.cipher_mode = n == 1 ? IMB_CIPHER_DES : IMB_CIPHER_DES3;
    self->form.enc_keys = n == 1 ? self->des[0] : (const void *)self->des3;
    self->form.dec_keys = self->form.enc_keys;
}

static int key_aes(Multi *self, const IMB_MGR *manager, const IkeBulkKeys *keys)
{
    const struct {
        uint8_t size;
        keyexp_t expand;
    } rows[] = {{16, manager->keyexp_128}, {24, manager->keyexp_192}, {32, manager->keyexp_256}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].size != keys->cipher->key_size)
            continue;
        rows[i].expand(keys->keymat, self->aes_encrypt, self->aes_decrypt);
        self->form.cipher_mode = IMB_CIPHER_CBC;
        self->form.enc_keys = self->aes_encrypt;
        self->form.dec_keys = self->aes_decrypt;
        return 0;
    }
    return -ENOTSUP;
}

/* RFC 2104, both pads. */
static void absorb_pads(Multi *self, hash_one_block_t absorb, size_t n, const IkeBulkKeys *keys)
{
    const uint8_t *key = ike_bulk_hash_key(keys);
    uint8_t block[BLOCK_MAX];

    memset(block, 0, sizeof(block));
    memcpy(block, key, keys->hash->size);
    for (size_t i = 0; i < n; i++)
        block[i] ^= 0x36;
    absorb(block, self->inner);
    for (size_t i = 0; i < n; i++)
        block[i] ^= 0x36 ^ 0x5c;
    absorb(block, self->outer);
    explicit_bzero(block, sizeof(block));
    self->form.u.HMAC._hashed_auth_key_xor_ipad = self->inner;
    self->form.u.HMAC._hashed_auth_key_xor_opad = self->outer;
}

static int key_hash(Multi *self, const IMB_MGR *manager, const IkeBulkKeys *keys)
{
    const struct {
        const char *name;
        IMB_HASH_ALG algorithm;
        size_t block;
        hash_one_block_t absorb;
    } rows[] = {
        {"md5", IMB_AUTH_MD5, 64, manager->md5_one_block},
        {"sha1", IMB_AUTH_HMAC_SHA_1, 64, manager->sha1_one_block},
        {"sha256", IMB_AUTH_HMAC_SHA_256, 64, manager->sha256_one_block},
        {"sha384", IMB_AUTH_HMAC_SHA_384, 128, manager->sha384_one_block},
        {"sha512", IMB_AUTH_HMAC_SHA_512, 128, manager->sha512_one_block},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, keys->hash->name) != 0)
            continue;
        absorb_pads(self, rows[i].absorb, rows[i].block, keys);
        self->form.hash_alg = rows[i].algorithm;
        self->form.auth_tag_output_len_in_bytes = keys->hash->icv_size;
        return 0;
    }
    return -ENOTSUP;
}

static int key_cbc(Multi *self, const IMB_MGR *manager, const IkeBulkKeys *keys)
{
    IMB_JOB *form = &self->form;
    int error = 0;

    form->key_len_in_bytes = keys->cipher->key_size;
    form->iv_len_in_bytes = keys->cipher->iv_size;
    form->cipher_direction = keys->encrypt ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    form->chain_order = keys->encrypt ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    if (keys->cipher->block_size == DES_KEY)
        key_des(self, manager, keys);
    else
        error = key_aes(self, manager, keys);
    return error == 0 ? key_hash(self, manager, keys) : error;
}

static void multi_free(void *data)
{
    Multi *self = data;

    if (self == NULL)
        return;
    manager_free(self->manager);
    explicit_bzero(self, sizeof(*self));
    free(self);
}

static int multi_make(void **selfp, const IkeBulkKeys *keys)
{
    Multi *self = allocate(sizeof(*self));
    int error;

    if (self == NULL)
        return -ENOMEM;
    self->manager = manager_new(keys->cipher->block_size == DES_KEY);
    if (self->manager == NULL) {
        multi_free(self);
        return -ENOTSUP;
    }
    self->iv_size = keys->cipher->iv_size;
    self->icv_size = keys->icv_size;
    error = ike_cipher_is_aead(keys->cipher) ? key_gcm(self, self->manager, keys)
                                             : key_cbc(self, self->manager, keys);
    if (error != 0) {
        multi_free(self);
        return error;
    }
    if (self->gcm != NULL) {
        manager_free(self->manager);
        self->manager = NULL;
    }
    *selfp = self;
    return 0;
}

/* ---- CBC and HMAC ---- */

/* Jobs come back in the order in which they went. */
static void note_done(const IMB_JOB *job)
{
    IkeBulkPacket *packet = job->user_data;

    if (job->status == IMB_STATUS_COMPLETED)
        packet->result = IKE_BULK_OK;
}

static void submit(Multi *self, IkeBulkPacket *packet, uint8_t *tag)
{
    const bool encrypt = self->form.cipher_direction == IMB_DIR_ENCRYPT;
    uint8_t *iv = packet->esp + IKE_BULK_HEADER, *data = iv + self->iv_size;
    IMB_JOB *job;

    packet->result = IKE_BULK_FAULT;
    /* Lanes count in 16 bits, and nobody checks: it would leave as it came. */
    if (IKE_BULK_HEADER + self->iv_size + packet->n > LENGTH_MAX)
        return;
    job = IMB_GET_NEXT_JOB(self->manager);
    *job = self->form;
    job->src = packet->esp;
    job->dst = encrypt ? iv : data;
    job->iv = encrypt ? no_iv : iv;
    job->cipher_start_src_offset_in_bytes = (uint64_t)(job->dst - packet->esp);
    job->msg_len_to_cipher_in_bytes = (uint64_t)(data - job->dst) + packet->n;
    job->msg_len_to_hash_in_bytes = IKE_BULK_HEADER + (uint64_t)self->iv_size + packet->n;
    job->auth_tag_output = tag;
    job->user_data = packet;
    for (job = IMB_SUBMIT_JOB_NOCHECK(self->manager); job != NULL;
         job = IMB_GET_COMPLETED_JOB(self->manager))
        note_done(job);
}

static void run_jobs(Multi *self, IkeBulkPacket *packets, size_t n)
{
    const IMB_JOB *job;

    for (size_t i = 0; i < n; i++)
        submit(self, &packets[i], self->tags[i]);
    while ((job = IMB_FLUSH_JOB(self->manager)) != NULL)
        note_done(job);
}

static uint8_t *tag_of(const Multi *self, const IkeBulkPacket *packet)
{
    return packet->esp + IKE_BULK_HEADER + self->iv_size + packet->n;
}

static void seal_cbc(Multi *self, IkeBulkPacket *packets, size_t n)
{
    run_jobs(self, packets, n);
    for (size_t i = 0; i < n; i++)
        memcpy(tag_of(self, &packets[i]), self->tags[i], self->icv_size);
}

static void open_cbc(Multi *self, IkeBulkPacket *packets, size_t n)
{
    run_jobs(self, packets, n);
    for (size_t i = 0; i < n; i++)
        if (packets[i].result == IKE_BULK_OK &&
            !ike_bulk_equal(self->tags[i], tag_of(self, &packets[i]), self->icv_size))
            packets[i].result = IKE_BULK_FORGED;
}

/* ---- GCM ---- */

/* The nonces of all packets first: the cipher reads each in one piece, and would wait for it if its
 * two halves had only just been written. */
static void write_nonces(Multi *self, const IkeBulkPacket *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(self->nonces[i] + GCM_SALT, packets[i].esp + IKE_BULK_HEADER, GCM_IV);
}

static void gcm_run(Multi *self, const IkeBulkPacket *packet, const uint8_t *nonce, uint8_t *tag)
{
    uint8_t *data = packet->esp + IKE_BULK_HEADER + GCM_IV;

    self->gcm(&self->gcm_key, &self->gcm_context, data, data, packet->n, nonce, packet->esp,
              IKE_BULK_HEADER, tag, GCM_TAG);
}

static void seal_gcm(Multi *self, IkeBulkPacket *packets, size_t n)
{
    write_nonces(self, packets, n);
    for (size_t i = 0; i < n; i++) {
        gcm_run(self, &packets[i], self->nonces[i], tag_of(self, &packets[i]));
        packets[i].result = IKE_BULK_OK;
    }
}

/* In a time that does not depend on where they differ, without a call for each packet. */
static bool is_same_tag(const uint8_t a[GCM_TAG], const uint8_t b[GCM_TAG])
{
    uint64_t x[2], y[2];

    memcpy(x, a, GCM_TAG);
    memcpy(y, b, GCM_TAG);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static void open_gcm(Multi *self, IkeBulkPacket *packets, size_t n)
{
    write_nonces(self, packets, n);
    for (size_t i = 0; i < n; i++)
        gcm_run(self, &packets[i], self->nonces[i], self->tags[i]);
    for (size_t i = 0; i < n; i++)
        packets[i].result =
            is_same_tag(self->tags[i], tag_of(self, &packets[i])) ? IKE_BULK_OK : IKE_BULK_FORGED;
}

/* ---- the provider ---- */

static void multi_seal(void *data, IkeBulkPacket *packets, size_t n)
{
    Multi *self = data;

    if (self->gcm != NULL)
        seal_gcm(self, packets, n);
    else
        seal_cbc(self, packets, n);
}

static void multi_open(void *data, IkeBulkPacket *packets, size_t n)
{
    Multi *self = data;

    if (self->gcm != NULL)
        open_gcm(self, packets, n);
    else
        open_cbc(self, packets, n);
}

const IkeBulkProvider ike_bulk_multi = {
    .name = "ipsec-mb",
    .make = multi_make,
    .free = multi_free,
    .seal = multi_seal,
    .open = multi_open,
};
