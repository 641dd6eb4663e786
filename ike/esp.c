/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP in tunnel mode: what stands on the wire (RFC 4303, 2), sequence numbers and the checks of an
 * arriving packet in the order that gives nothing away: window, tag, window again, padding, inner
 * packet. Whatever fails, the packet is dropped without a word to the peer.
 *
 * CBC (RFC 3602, 2451): the IV field starts as a nonce, a secret random number counted up, and
 * leaves as its encryption. GCM (RFC 4106): the IV is the sequence number, which an SA never uses
 * twice. Extended sequence numbers are not negotiated.
 */
#include "ike/esp.h"

#include "ike/crypto-bulk.h"
#include "ike/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRAILER_SIZE = 2, /* pad length and next header */
    NEXT_IPV4 = 4,
    NEXT_IPV6 = 41,
    NEXT_NONE = 59,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    INNER_MAX = 65535 + IPV6_HEADER,
    SALT_SIZE = 4,
    TRUNCATED_ICV = 12,
};

/* Renewal is due long before the last number (RFC 4303, 3.3.3), and with blocks of 64 bits before
 * two blocks of ciphertext are likely to be equal: 2^27 of 2^32. */
#define SOFT_PACKETS_MAX     (UINT64_C(1) << 31)
#define SOFT_BYTES_MAX_64BIT (UINT64_C(1) << 30)

_Static_assert((int)ESP_REPLAY_WINDOW == (int)IKE_REPLAY_WINDOW, "one window");

struct EspSa {
    IkeBulk *bulk;
    uint32_t spi;
    uint32_t sequence; /* of the last packet that was sealed */
    bool aead, sealing;
    uint8_t iv_size, icv_size, alignment;
    uint8_t salt[SALT_SIZE];
    uint64_t iv_nonce[2];
    IkeReplay window;
    uint64_t soft_bytes, soft_packets;
    bool renewal_due, renewal_said;
    EspCounters counters;
};

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* A counter has one writer, the thread of the SA; others read it whenever they like. */
static void count(uint64_t *counter, uint64_t more)
{
    __atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

/* ---- an SA ---- */

size_t esp_keymat_size(const IkeCipher *cipher, const IkeHash *integrity)
{
    return cipher->key_size + cipher->salt_size + (integrity != NULL ? integrity->size : 0u);
}

static uint8_t icv_size_of(const EspParameters *parameters)
{
    const IkeHash *hash = parameters->integrity;

    if (hash == NULL)
        return parameters->cipher->icv_size;
    if (parameters->sha256_truncation && hash == ike_hash_by_name("sha256"))
        return TRUNCATED_ICV;
    return hash->icv_size;
}

static int sa_new(EspSa **sap, const EspParameters *parameters, bool sealing)
{
    const IkeCipher *cipher = parameters->cipher;
    IkeBulkKeys keys = {
        .cipher = cipher,
        .cipher_key = parameters->keymat,
        .hash = parameters->integrity,
        .hash_key = parameters->keymat + cipher->key_size + cipher->salt_size,
        .encrypt = sealing,
    };
    EspSa *sa;
    int error;

    if (ike_cipher_is_aead(cipher) != (parameters->integrity == NULL))
        return -EINVAL;
    sa = calloc(1, sizeof(*sa));
    if (sa == NULL)
        return -ENOMEM;
    error = ike_bulk_new(&sa->bulk, &keys);
    if (error != 0) {
        esp_sa_free(sa);
        return error;
    }
    sa->spi = parameters->spi;
    sa->sealing = sealing;
    sa->aead = ike_cipher_is_aead(cipher);
    sa->iv_size = cipher->iv_size;
    sa->icv_size = icv_size_of(parameters);
    sa->alignment = cipher->block_size;
    memcpy(sa->salt, parameters->keymat + cipher->key_size, cipher->salt_size);
    memcpy(sa->iv_nonce, parameters->iv_seed, sizeof(sa->iv_nonce));
    esp_sa_set_soft_limit(sa, 0, 0);
    *sap = sa;
    return 0;
}

int esp_seal_new(EspSa **sap, const EspParameters *parameters)
{
    return sa_new(sap, parameters, true);
}

int esp_open_new(EspSa **sap, const EspParameters *parameters)
{
    return sa_new(sap, parameters, false);
}

EspSa *esp_sa_free(EspSa *sa)
{
    if (sa == NULL)
        return NULL;
    ike_bulk_free(sa->bulk);
    explicit_bzero(sa, sizeof(*sa));
    free(sa);
    return NULL;
}

uint32_t esp_sa_spi(const EspSa *sa)
{
    return sa->spi;
}

size_t esp_sa_inner_mtu(const EspSa *sa, size_t limit)
{
    size_t fixed = ESP_HEADER_SIZE + (size_t)sa->iv_size + sa->icv_size;
    size_t padded;

    if (limit < fixed)
        return 0;
    padded = (limit - fixed) / sa->alignment * sa->alignment;
    return padded > TRAILER_SIZE ? padded - TRAILER_SIZE : 0;
}

/* ---- limits and counters ---- */

void esp_sa_set_soft_limit(EspSa *sa, uint64_t bytes, uint64_t packets)
{
    uint64_t bytes_max = sa->alignment == 8 ? SOFT_BYTES_MAX_64BIT : UINT64_MAX;

    sa->soft_bytes = bytes != 0 && bytes < bytes_max ? bytes : bytes_max;
    sa->soft_packets = packets != 0 && packets < SOFT_PACKETS_MAX ? packets : SOFT_PACKETS_MAX;
}

bool esp_sa_wants_renewal(EspSa *sa)
{
    if (!sa->renewal_due || sa->renewal_said)
        return false;
    sa->renewal_said = true;
    return true;
}

/* `sequence` counts too, for the peer's packets that were lost have used up its numbers. */
static void count_good(EspSa *sa, size_t bytes, uint32_t sequence)
{
    count(&sa->counters.packets, 1);
    count(&sa->counters.bytes, bytes);
    if (sa->counters.bytes >= sa->soft_bytes || sequence >= sa->soft_packets)
        sa->renewal_due = true;
}

static void count_bad(EspSa *sa, EspVerdict verdict)
{
    if (verdict == ESP_REPLAYED)
        count(&sa->counters.replayed, 1);
    else if (verdict == ESP_FORGED)
        count(&sa->counters.forged, 1);
    else if (verdict == ESP_MALFORMED)
        count(&sa->counters.malformed, 1);
}

EspCounters esp_sa_counters(const EspSa *sa)
{
    const EspCounters *from = &sa->counters;

    return (EspCounters){
        .packets = __atomic_load_n(&from->packets, __ATOMIC_RELAXED),
        .bytes = __atomic_load_n(&from->bytes, __ATOMIC_RELAXED),
        .replayed = __atomic_load_n(&from->replayed, __ATOMIC_RELAXED),
        .forged = __atomic_load_n(&from->forged, __ATOMIC_RELAXED),
        .malformed = __atomic_load_n(&from->malformed, __ATOMIC_RELAXED),
    };
}

static void gcm_nonce(const EspSa *sa, const uint8_t *iv, uint8_t nonce[IKE_BULK_NONCE])
{
    memcpy(nonce, sa->salt, SALT_SIZE);
    memcpy(nonce + SALT_SIZE, iv, IKE_BULK_NONCE - SALT_SIZE);
}

/* ---- sealing ---- */

/* The protocol number of an inner packet, 0 where it is none of ours. */
static uint8_t inner_protocol(const uint8_t *data, size_t n)
{
    if (n >= IPV4_HEADER && data[0] >> 4 == 4)
        return NEXT_IPV4;
    if (n >= IPV6_HEADER && data[0] >> 4 == 6)
        return NEXT_IPV6;
    return 0;
}

/* Padding 1, 2, 3, ... (RFC 4303, 2.4), pad length, next header; returns the padded size. */
static size_t append_trailer(const EspSa *sa, uint8_t *data, size_t n, uint8_t next)
{
    size_t padded = (n + TRAILER_SIZE + sa->alignment - 1u) / sa->alignment * sa->alignment;
    size_t pad = padded - n - TRAILER_SIZE;

    for (size_t i = 0; i < pad; i++)
        data[n + i] = (uint8_t)(i + 1);
    data[padded - 2] = (uint8_t)pad;
    data[padded - 1] = next;
    return padded;
}

/* A nonce that was never used with this key and that nobody outside knows. */
static void write_cbc_nonce(EspSa *sa, uint8_t *iv)
{
    if (++sa->iv_nonce[0] == 0)
        sa->iv_nonce[1]++;
    memcpy(iv, sa->iv_nonce, sa->iv_size);
}

static bool protect_cbc(EspSa *sa, uint8_t *packet, size_t padded)
{
    size_t covered = ESP_HEADER_SIZE + sa->iv_size + padded;
    uint8_t mac[IKE_HASH_MAX];

    write_cbc_nonce(sa, packet + ESP_HEADER_SIZE);
    if (!ike_bulk_cbc(sa->bulk, packet + ESP_HEADER_SIZE, sa->iv_size + padded))
        return false;
    ike_bulk_hmac(sa->bulk, packet, covered, mac);
    memcpy(packet + covered, mac, sa->icv_size);
    return true;
}

static bool protect_gcm(EspSa *sa, uint8_t *packet, size_t padded)
{
    uint8_t *iv = packet + ESP_HEADER_SIZE, nonce[IKE_BULK_NONCE];

    write32(iv, 0);
    write32(iv + 4, sa->sequence);
    gcm_nonce(sa, iv, nonce);
    return ike_bulk_gcm_seal(sa->bulk, nonce, packet, iv + sa->iv_size, padded);
}

static EspVerdict seal_one(EspSa *sa, EspPacket *packet)
{
    uint8_t next = packet->n <= INNER_MAX ? inner_protocol(packet->data, packet->n) : 0;
    uint8_t *head = packet->data - sa->iv_size - ESP_HEADER_SIZE;
    size_t inner = packet->n, padded;

    if (next == 0 || !sa->sealing)
        return ESP_MALFORMED;
    if (sa->sequence == UINT32_MAX)
        return ESP_EXHAUSTED;
    /* The number is spent even if libcrypto fails below: an IV is never tried twice. */
    sa->sequence++;
    write32(head, sa->spi);
    write32(head + 4, sa->sequence);
    padded = append_trailer(sa, packet->data, packet->n, next);
    if (!(sa->aead ? protect_gcm(sa, head, padded) : protect_cbc(sa, head, padded)))
        return ESP_FAULT;
    packet->data = head;
    packet->n = ESP_HEADER_SIZE + sa->iv_size + padded + sa->icv_size;
    packet->next_header = next;
    count_good(sa, inner, sa->sequence);
    return ESP_OK;
}

size_t esp_seal(EspSa *sa, EspPacket *packets, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].verdict = seal_one(sa, &packets[i]);
        if (packets[i].verdict == ESP_OK)
            good++;
        else
            count_bad(sa, packets[i].verdict);
    }
    return good;
}

/* ---- opening ---- */

/* All that can be said about a packet without a key: nothing here has been authenticated. */
static EspVerdict look_at(const EspSa *sa, const EspPacket *packet)
{
    size_t fixed = ESP_HEADER_SIZE + (size_t)sa->iv_size + sa->icv_size;
    size_t least = sa->alignment > TRAILER_SIZE ? sa->alignment : TRAILER_SIZE;

    if (sa->sealing || packet->n < fixed + least || packet->n > fixed + INNER_MAX + 257)
        return ESP_MALFORMED;
    if ((packet->n - fixed) % sa->alignment != 0 || read32(packet->data) != sa->spi)
        return ESP_MALFORMED;
    return ike_replay_check(&sa->window, read32(packet->data + 4)) ? ESP_OK : ESP_REPLAYED;
}

static EspVerdict uncover_cbc(EspSa *sa, const EspPacket *packet)
{
    size_t covered = packet->n - sa->icv_size;
    uint8_t mac[IKE_HASH_MAX];

    ike_bulk_hmac(sa->bulk, packet->data, covered, mac);
    if (!ike_bulk_equal(mac, packet->data + covered, sa->icv_size))
        return ESP_FORGED;
    if (!ike_bulk_cbc(sa->bulk, packet->data + ESP_HEADER_SIZE, covered - ESP_HEADER_SIZE))
        return ESP_FAULT;
    return ESP_OK;
}

static EspVerdict uncover_gcm(EspSa *sa, const EspPacket *packet)
{
    size_t head = ESP_HEADER_SIZE + (size_t)sa->iv_size;
    uint8_t nonce[IKE_BULK_NONCE];

    gcm_nonce(sa, packet->data + ESP_HEADER_SIZE, nonce);
    switch (ike_bulk_gcm_open(sa->bulk, nonce, packet->data, packet->data + head,
                              packet->n - head - sa->icv_size)) {
    case IKE_BULK_OK:
        return ESP_OK;
    case IKE_BULK_FORGED:
        return ESP_FORGED;
    case IKE_BULK_FAULT:
        break;
    }
    return ESP_FAULT;
}

/* Takes padding and trailer away; what is left is the inner packet and perhaps TFC padding. */
static bool strip_trailer(EspPacket *packet)
{
    size_t pad = packet->data[packet->n - 2];

    packet->next_header = packet->data[packet->n - 1];
    if (pad > packet->n - TRAILER_SIZE)
        return false;
    packet->n -= TRAILER_SIZE + pad;
    for (size_t i = 0; i < pad; i++)
        if (packet->data[packet->n + i] != i + 1)
            return false;
    return true;
}

/* The size that the inner header claims; 0 where it is no header of the protocol it should be. */
static size_t inner_size(const EspPacket *packet)
{
    const uint8_t *data = packet->data;
    size_t header, total;

    if (packet->next_header == 0 || inner_protocol(data, packet->n) != packet->next_header)
        return 0;
    if (packet->next_header == NEXT_IPV6)
        return IPV6_HEADER + ((size_t)data[4] << 8 | data[5]);
    header = (size_t)(data[0] & 15) * 4;
    total = (size_t)data[2] << 8 | data[3];
    return header >= IPV4_HEADER && total >= header ? total : 0;
}

/* The inner packet in place of the ESP packet. What the inner header does not claim is padding
 * against traffic analysis (RFC 4303, 2.7). */
static EspVerdict unwrap(EspSa *sa, EspPacket *packet)
{
    size_t total;

    packet->data += ESP_HEADER_SIZE + sa->iv_size;
    packet->n -= ESP_HEADER_SIZE + (size_t)sa->iv_size + sa->icv_size;
    if (!strip_trailer(packet))
        return ESP_MALFORMED;
    if (packet->next_header == NEXT_NONE)
        return ESP_DUMMY;
    total = inner_size(packet);
    if (total == 0 || total > packet->n)
        return ESP_MALFORMED;
    packet->n = total;
    return ESP_OK;
}

static EspVerdict open_one(EspSa *sa, EspPacket *packet)
{
    uint32_t sequence = read32(packet->data + 4);
    EspVerdict verdict = sa->aead ? uncover_gcm(sa, packet) : uncover_cbc(sa, packet);

    if (verdict != ESP_OK)
        return verdict;
    /* Again, for another packet of this batch may have taken the number. */
    if (!ike_replay_take(&sa->window, sequence))
        return ESP_REPLAYED;
    verdict = unwrap(sa, packet);
    if (verdict == ESP_OK || verdict == ESP_DUMMY)
        count_good(sa, packet->n, sequence);
    return verdict;
}

size_t esp_open(EspSa *sa, EspPacket *packets, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i++)
        packets[i].verdict = look_at(sa, &packets[i]);
    for (size_t i = 0; i < n; i++) {
        if (packets[i].verdict == ESP_OK)
            packets[i].verdict = open_one(sa, &packets[i]);
        if (packets[i].verdict == ESP_OK)
            good++;
        else
            count_bad(sa, packets[i].verdict);
    }
    return good;
}
