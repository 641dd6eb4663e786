/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes all that the data path does to a packet: opening ESP that nobody authenticated, opening
 * what a gateway authenticated though it is nonsense, inner packets on their way out and in, large
 * packets cut and joined. Buffers have exactly the size of their packets. Beyond memory errors it
 * looks for broken promises: nothing is opened without the key, what is opened is an IP packet of
 * the size it claims, sealing and opening undo each other, joining loses no byte.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/tunnel/datapath-inner.h"
#include "client/tunnel/datapath-join.h"
#include "client/tunnel/datapath-split.h"
#include "ike/crypto-bulk.h"
#include "ike/esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { SPI = 0x01020304, ROOM = ESP_HEAD_ROOM + ESP_TAIL_ROOM };

static const uint8_t KEYMAT[ESP_KEYMAT_MAX] = {1, 2, 3};

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static uint8_t *copy(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n != 0 ? n : 1);

    if (exact == NULL)
        abort();
    memcpy(exact, bytes, n);
    return exact;
}

static EspSa *make(int (*new_sa)(EspSa **, const EspParameters *), bool aead)
{
    EspParameters parameters = {.spi = SPI,
                                .cipher = ike_cipher_by_name(aead ? "aes128gcm16" : "aes128"),
                                .integrity = aead ? NULL : ike_hash_by_name("sha1"),
                                .keymat = KEYMAT};
    EspSa *sa = NULL;

    expect(new_sa(&sa, &parameters) == 0);
    return sa;
}

static void expect_ip(const EspPacket *packet)
{
    const uint8_t *at = packet->data;

    if (packet->next_header == 4)
        expect(packet->n >= 20 && at[0] >> 4 == 4 && ((size_t)at[2] << 8 | at[3]) == packet->n);
    else
        expect(packet->n >= 40 && at[0] >> 4 == 6 &&
               ((size_t)at[4] << 8 | at[5]) + 40 == packet->n);
}

/* Without the key nothing opens. The SPI is put in so that the look goes further. */
static void fuzz_forged(const uint8_t *data, size_t n, bool aead)
{
    uint8_t *exact = copy(data, n);
    EspPacket packet = {.data = exact, .n = n};
    EspSa *sa = make(esp_open_new, aead);

    if (n >= 4)
        memcpy(exact, "\1\2\3\4", 4);
    expect(esp_open(sa, &packet, 1) == 0 && packet.verdict != ESP_OK);
    esp_sa_free(sa);
    free(exact);
}

/* The data as the plaintext of an authentic packet: trailer, padding, inner packet. */
static void fuzz_authentic(const uint8_t *data, size_t n)
{
    IkeBulkKeys keys = {.cipher = ike_cipher_by_name("aes128gcm16"),
                        .keymat = KEYMAT,
                        .icv_size = 16,
                        .encrypt = true};
    size_t padded = n / 4 * 4;
    uint8_t *exact = malloc(16 + padded + 16);
    EspPacket packet = {.data = exact, .n = 16 + padded + 16};
    IkeBulkPacket work = {.esp = exact, .n = padded};
    EspSa *sa = make(esp_open_new, true);
    IkeBulk *bulk = NULL;

    expect(exact != NULL && ike_bulk_new(&bulk, &keys) == 0);
    memcpy(exact, "\1\2\3\4\0\0\0\1\0\0\0\0\0\0\0\1", 16);
    memcpy(exact + 16, data, padded);
    ike_bulk_seal(bulk, &work, 1);
    expect(work.result == IKE_BULK_OK);
    esp_open(sa, &packet, 1);
    expect(packet.verdict != ESP_FORGED && packet.verdict != ESP_FAULT);
    if (packet.verdict == ESP_OK)
        expect_ip(&packet);
    ike_bulk_free(bulk);
    esp_sa_free(sa);
    free(exact);
}

static void fuzz_round_trip(const uint8_t *data, size_t n, bool aead)
{
    uint8_t *room = malloc(ROOM + n);
    EspPacket packet = {.data = room + ESP_HEAD_ROOM, .n = n};
    EspSa *seal = make(esp_seal_new, aead), *open = make(esp_open_new, aead);

    expect(room != NULL);
    memcpy(packet.data, data, n);
    if (esp_seal(seal, &packet, 1) == 1) {
        esp_open(open, &packet, 1);
        expect(packet.verdict == ESP_OK || packet.verdict == ESP_MALFORMED);
        if (packet.verdict == ESP_OK) {
            expect_ip(&packet);
            expect(packet.n <= n && memcmp(packet.data, data, packet.n) == 0);
        }
    }
    esp_sa_free(seal);
    esp_sa_free(open);
    free(room);
}

static void fuzz_inner(const uint8_t *data, size_t n, unsigned mtu)
{
    uint8_t answer[INNER_ANSWER_MAX], *exact = copy(data, n);

    expect(inner_too_big(exact, n, mtu, answer) <= sizeof(answer));
    inner_clamp_mss(exact, n, mtu, true);
    free(exact);
}

static void count_bytes(void *context, const struct iovec *parts, size_t n, size_t segments)
{
    size_t *bytes = context;

    expect(n == segments + 1);
    for (size_t i = 1; i < n; i++)
        *bytes += parts[i].iov_len;
}

/* Cuts a large packet, and joins what came of it. */
static void fuzz_offload(const uint8_t *data, size_t n)
{
    static Join join;
    uint8_t *exact = copy(data, n), *pieces[256];
    size_t joined = 0, count = 0, payloads = 0, headers;
    Split split;

    if (split_begin(&split, exact, n)) {
        headers = split.whole ? 0 : split.headers;
        memset(&join, 0, sizeof(join));
        join.write = count_bytes;
        join.context = &joined;
        while (!split_done(&split) && count < 256) {
            size_t size = split_size(&split);

            expect(size <= n);
            pieces[count] = malloc(size);
            expect(pieces[count] != NULL);
            split_next(&split, pieces[count]);
            payloads += size - headers;
            join_packet(&join, pieces[count++], size);
        }
        join_flush(&join);
        expect(joined >= payloads + (count > 0 ? headers : 0));
        for (size_t i = 0; i < count; i++)
            free(pieces[i]);
    }
    free(exact);
}

/* Packets of the data's own making, one behind the other, each with a length before it. */
static void fuzz_join(const uint8_t *data, size_t n)
{
    static Join join;
    uint8_t *pieces[64];
    size_t joined = 0, count = 0;

    memset(&join, 0, sizeof(join));
    join.write = count_bytes;
    join.context = &joined;
    while (n > 1 && count < 64) {
        size_t size = data[0] % 128u + 1;

        data++, n--;
        size = size < n ? size : n;
        pieces[count] = copy(data, size);
        join_packet(&join, pieces[count++], size);
        data += size, n -= size;
    }
    join_flush(&join);
    for (size_t i = 0; i < count; i++)
        free(pieces[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t which;

    if (n == 0)
        return 0;
    which = data[0];
    data++, n--;
    switch (which % 6) {
    case 0:
        fuzz_forged(data, n, which & 128);
        break;
    case 1:
        fuzz_authentic(data, n);
        break;
    case 2:
        fuzz_round_trip(data, n, which & 128);
        break;
    case 3:
        fuzz_inner(data, n, 68u + which * 8u);
        break;
    case 4:
        fuzz_offload(data, n);
        break;
    case 5:
        fuzz_join(data, n);
        break;
    }
    return 0;
}
