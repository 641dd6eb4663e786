/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP in tunnel mode: what stands on the wire (RFC 4303, 2), sequence numbers and the checks of an
 * arriving packet in the order that gives nothing away: window, tag, window again, padding, inner
 * packet. Whatever fails, the packet is dropped without a word to the peer.
 *
 * CBC (RFC 3602, 2451): the IV field starts as a nonce, a random number counted up, and leaves as
 * the encryption of that nonce under the SA's key: the first method of NIST SP 800-38A, appendix C.
 * It needs no more than that the chain begins a block earlier, whoever computes it, and does not
 * depend on the packet before, so that packets can be encrypted side by side. The nonce stays
 * secret: who knew the next one could have it encrypted as data, and would know the next IV.
 * GCM (RFC 4106): the IV is the sequence number, which an SA never uses twice. Extended sequence
 * numbers are not negotiated.
 */
#include "ike/esp.h"

#include "ike/crypto-bulk.h"
#include "ike/replay.h"

#include <endian.h>
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
    TRUNCATED_ICV = 12,
    /* GCM has no use for more packets at once; of so few the first cache still has the headers and
     * trailers that are looked at before and after. */
    AEAD_BATCH = 16,
};

/* Renewal is due long before the last number (RFC 4303, 3.3.3), and with blocks of 64 bits before
 * two blocks of ciphertext are likely to be equal: 2^27 of 2^32. */
#define SOFT_PACKETS_MAX     (UINT64_C(1) << 31)
#define SOFT_BYTES_MAX_64BIT (UINT64_C(1) << 30)

_Static_assert((int)ESP_REPLAY_WINDOW == (int)IKE_REPLAY_WINDOW, "one window");
_Static_assert((int)ESP_HEADER_SIZE == (int)IKE_BULK_HEADER, "one header");

struct EspSa {
    IkeBulk *bulk;
    uint32_t spi;
    uint32_t sequence; /* of the last packet that was sealed */
    bool aead, sealing;
    size_t batch;                         /* packets that are worked on together, at the most */
    uint8_t iv_size, icv_size, alignment; /* the last is a power of two */
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
        .hash = parameters->integrity,
        .keymat = parameters->keymat,
        .icv_size = icv_size_of(parameters),
        .encrypt = sealing,
        .plain = parameters->plain_crypto,
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
    sa->batch = sa->aead ? AEAD_BATCH : IKE_BULK_BATCH;
    sa->iv_size = cipher->iv_size;
    sa->icv_size = keys.icv_size;
    sa->alignment = cipher->block_size;
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

const char *esp_sa_provider(const EspSa *sa)
{
    return ike_bulk_provider(sa->bulk);
}

EspShape esp_sa_shape(const EspSa *sa)
{
    return (EspShape){.fixed = (uint8_t)(ESP_HEADER_SIZE + sa->iv_size + sa->icv_size),
                      .alignment = sa->alignment};
}

size_t esp_shape_inner_mtu(EspShape shape, size_t limit)
{
    size_t padded;

    if (limit < shape.fixed || shape.alignment == 0)
        return 0;
    padded = (limit - shape.fixed) / shape.alignment * shape.alignment;
    return padded > TRAILER_SIZE ? padded - TRAILER_SIZE : 0;
}

size_t esp_sa_inner_mtu(const EspSa *sa, size_t limit)
{
    return esp_shape_inner_mtu(esp_sa_shape(sa), limit);
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

/* What a batch has carried: the counters, which others read, are written once for all of it. */
typedef struct Carried {
    uint64_t packets, bytes;
    uint32_t sequence; /* the highest */
} Carried;

static void carry(Carried *carried, size_t bytes, uint32_t sequence)
{
    carried->packets++;
    carried->bytes += bytes;
    if (sequence > carried->sequence)
        carried->sequence = sequence;
}

/* The sequence counts too, for the peer's packets that were lost have used up its numbers. */
static void count_good(EspSa *sa, const Carried *carried)
{
    count(&sa->counters.packets, carried->packets);
    count(&sa->counters.bytes, carried->bytes);
    if (sa->counters.bytes >= sa->soft_bytes || carried->sequence >= sa->soft_packets)
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

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static EspVerdict verdict_of(IkeBulkResult result)
{
    switch (result) {
    case IKE_BULK_OK:
        return ESP_OK;
    case IKE_BULK_FORGED:
        return ESP_FORGED;
    case IKE_BULK_FAULT:
        break;
    }
    return ESP_FAULT;
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
    size_t padded = (n + TRAILER_SIZE + sa->alignment - 1u) & ~(size_t)(sa->alignment - 1u);
    size_t pad = padded - n - TRAILER_SIZE;

    for (size_t i = 0; i < pad; i++)
        data[n + i] = (uint8_t)(i + 1);
    data[padded - 2] = (uint8_t)pad;
    data[padded - 1] = next;
    return padded;
}

/* What is encrypted to be a packet's IV with CBC: it was never used with this key, and nobody
 * outside knows it. With GCM the IV itself. */
static void write_iv(EspSa *sa, uint8_t *iv)
{
    if (sa->aead) {
        write32(iv, 0);
        write32(iv + 4, sa->sequence);
        return;
    }
    if (++sa->iv_nonce[0] == 0)
        sa->iv_nonce[1]++;
    memcpy(iv, sa->iv_nonce, sa->iv_size);
}

/* All of the ESP packet that stands in the clear. */
static EspVerdict wrap(EspSa *sa, EspPacket *packet, IkeBulkPacket *work)
{
    uint8_t next = packet->n <= INNER_MAX ? inner_protocol(packet->data, packet->n) : 0;
    uint8_t *head = packet->data - sa->iv_size - ESP_HEADER_SIZE;

    if (next == 0 || !sa->sealing)
        return ESP_MALFORMED;
    if (sa->sequence == UINT32_MAX)
        return ESP_EXHAUSTED;
    /* The number is spent even if the ciphers fail: an IV is never tried twice. */
    sa->sequence++;
    write32(head, sa->spi);
    write32(head + 4, sa->sequence);
    write_iv(sa, head + ESP_HEADER_SIZE);
    packet->next_header = next;
    work->esp = head;
    work->n = append_trailer(sa, packet->data, packet->n, next);
    return ESP_OK;
}

/* The ESP packet in place of the inner one, now that it is sealed. */
static EspVerdict hand_out(const EspSa *sa, EspPacket *packet, const IkeBulkPacket *work,
                           Carried *carried)
{
    size_t inner = packet->n;

    if (work->result != IKE_BULK_OK)
        return verdict_of(work->result);
    packet->data = work->esp;
    packet->n = ESP_HEADER_SIZE + sa->iv_size + work->n + sa->icv_size;
    carry(carried, inner, read32(work->esp + 4));
    return ESP_OK;
}

/* At most IKE_BULK_BATCH packets. */
static size_t seal_batch(EspSa *sa, EspPacket *packets, size_t n)
{
    IkeBulkPacket works[IKE_BULK_BATCH];
    const IkeBulkPacket *work = works;
    Carried carried = {0};
    size_t good = 0, ready = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].verdict = wrap(sa, &packets[i], &works[ready]);
        ready += packets[i].verdict == ESP_OK;
    }
    if (ready > 0)
        ike_bulk_seal(sa->bulk, works, ready);
    for (size_t i = 0; i < n; i++) {
        if (packets[i].verdict == ESP_OK)
            packets[i].verdict = hand_out(sa, &packets[i], work++, &carried);
        if (packets[i].verdict == ESP_OK)
            good++;
        else
            count_bad(sa, packets[i].verdict);
    }
    count_good(sa, &carried);
    return good;
}

size_t esp_seal(EspSa *sa, EspPacket *packets, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i += sa->batch)
        good += seal_batch(sa, packets + i, smaller(n - i, sa->batch));
    return good;
}

/* ---- opening ---- */

/* All that can be said about a packet without a key: nothing here has been authenticated. */
static EspVerdict look_at(const EspSa *sa, const EspPacket *packet, size_t fixed)
{
    /* A packet shorter than what is fixed wraps around, and is too long. */
    size_t n = packet->n - fixed;

    if (sa->sealing || n < TRAILER_SIZE || n > INNER_MAX + 257 || (n & (sa->alignment - 1u)) != 0)
        return ESP_MALFORMED;
    if (read32(packet->data) != sa->spi)
        return ESP_MALFORMED;
    return ike_replay_check(&sa->window, read32(packet->data + 4)) ? ESP_OK : ESP_REPLAYED;
}

/* Whether the padding that ends at `end` is 1, 2, 3, ... (RFC 4303, 2.4). Byte by byte down to the
 * first eight, which are compared at once, for most packets have no more: where there are fewer,
 * what stands before them (the IV field at the least) is shifted out. */
static bool padding_counts_up(const uint8_t *end, size_t pad)
{
    uint64_t bytes;

    for (; pad > 8; pad--)
        if (*--end != pad)
            return false;
    memcpy(&bytes, end - 8, 8);
    return pad == 0 || le64toh(bytes) >> (64 - 8 * pad) ==
                           (UINT64_C(0x0807060504030201) & (UINT64_MAX >> (64 - 8 * pad)));
}

/* Takes padding and trailer away; what is left is the inner packet and perhaps TFC padding. */
static bool strip_trailer(const uint8_t *data, size_t *n)
{
    size_t pad = data[*n - TRAILER_SIZE];

    if (pad > *n - TRAILER_SIZE)
        return false;
    *n -= TRAILER_SIZE + pad;
    return padding_counts_up(data + *n + pad, pad);
}

/* The size that the inner header claims; 0 where it is no header of the protocol it should be. */
static size_t inner_size(const uint8_t *data, size_t n, uint8_t next)
{
    size_t header, total;

    if (next == 0 || inner_protocol(data, n) != next)
        return 0;
    if (next == NEXT_IPV6)
        return IPV6_HEADER + ((size_t)data[4] << 8 | data[5]);
    header = (size_t)(data[0] & 15) * 4;
    total = (size_t)data[2] << 8 | data[3];
    return header >= IPV4_HEADER && total >= header ? total : 0;
}

/* The inner packet in place of the ESP packet. What the inner header does not claim is padding
 * against traffic analysis (RFC 4303, 2.7). */
static EspVerdict unwrap(const EspSa *sa, EspPacket *packet, size_t n)
{
    uint8_t *data = packet->data + ESP_HEADER_SIZE + sa->iv_size, next = data[n - 1];
    size_t total;

    if (!strip_trailer(data, &n))
        return ESP_MALFORMED;
    packet->data = data;
    packet->n = n;
    packet->next_header = next;
    if (next == NEXT_NONE)
        return ESP_DUMMY;
    total = inner_size(data, n, next);
    if (total == 0 || total > n)
        return ESP_MALFORMED;
    packet->n = total;
    return ESP_OK;
}

/* What is left to check once a packet is decrypted. */
static EspVerdict take_in(EspSa *sa, EspPacket *packet, const IkeBulkPacket *work, Carried *carried)
{
    uint32_t sequence = read32(packet->data + 4);
    EspVerdict verdict;

    if (work->result != IKE_BULK_OK)
        return verdict_of(work->result);
    /* Again, for another packet of this batch may have taken the number. */
    if (!ike_replay_take(&sa->window, sequence))
        return ESP_REPLAYED;
    verdict = unwrap(sa, packet, work->n);
    if (verdict == ESP_OK || verdict == ESP_DUMMY)
        carry(carried, packet->n, sequence);
    return verdict;
}

/* At most IKE_BULK_BATCH packets. */
static size_t open_batch(EspSa *sa, EspPacket *packets, size_t n)
{
    size_t fixed = ESP_HEADER_SIZE + (size_t)sa->iv_size + sa->icv_size;
    IkeBulkPacket works[IKE_BULK_BATCH];
    const IkeBulkPacket *work = works;
    Carried carried = {0};
    size_t good = 0, ready = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].verdict = look_at(sa, &packets[i], fixed);
        works[ready] = (IkeBulkPacket){.esp = packets[i].data, .n = packets[i].n - fixed};
        ready += packets[i].verdict == ESP_OK;
    }
    if (ready > 0)
        ike_bulk_open(sa->bulk, works, ready);
    for (size_t i = 0; i < n; i++) {
        if (packets[i].verdict == ESP_OK)
            packets[i].verdict = take_in(sa, &packets[i], work++, &carried);
        if (packets[i].verdict == ESP_OK)
            good++;
        else
            count_bad(sa, packets[i].verdict);
    }
    count_good(sa, &carried);
    return good;
}

size_t esp_open(EspSa *sa, EspPacket *packets, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i += sa->batch)
        good += open_batch(sa, packets + i, smaller(n - i, sa->batch));
    return good;
}
