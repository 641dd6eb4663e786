/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes a whole session behind a scripted handshake: the input is a list of things that a gateway
 * with the right keys, a clock and a user may do. Promises: no call fails (a failure would be a
 * fault of this machine, and the network can't be that), no deadline is over after a tick, and what
 * comes out stays bounded.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIT_VECTORS ""
#include "tests/unit/ike/cert-kit.c"
#include "tests/unit/ike/core-kit.c"
#include "tests/unit/ike/gateway-kit-later.c"
#include "tests/unit/ike/gateway-kit.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct Fuzz {
    KitGateway *gw;
    KitChain chain; /* the last that the gateway began */
    IkeReader in;
} Fuzz;

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void settle(Fuzz *f, int r)
{
    expect(r == 0);
    kit_collect(f->gw);
    expect(f->gw->packets_n < KIT_PACKETS_MAX - 8);
}

/* A message whose payloads behind the HASH are the fuzzer's: their first type, and all bytes. */
static void send_raw(Fuzz *f, KitChain *chain, IkeExchangeType exchange, IkeProtection protection)
{
    KitGateway *gw = f->gw;
    const IkeHeader header = header_of(gw, exchange, chain->id);
    const uint8_t first = ike_read_u8(&f->in);
    const IkeSlice raw = ike_reader_take(&f->in, ike_read_u8(&f->in) * 4u % (f->in.left + 1));
    uint8_t hash[IKE_HASH_MAX] = {0}, before[16];
    KitBytes datagram;
    IkeBuilder builder;

    memcpy(before, chain->iv, sizeof(before));
    ike_builder_begin(&builder, datagram.bytes, sizeof(datagram.bytes), &header);
    ike_builder_add(&builder, IKE_PAYLOAD_HASH, (IkeSlice){hash, gw->keys.hash->size});
    ike_writer_put_u8(&builder.writer, IKE_HEADER_SIZE, first);
    ike_write_slice(&builder.writer, raw);
    IkeMessageHash parts = hash_parts(chain, protection);
    if (protection != IKE_HASH_3)
        parts.rest = raw;
    expect(ike_message_hash(&gw->keys, &parts, datagram.bytes + IKE_HEADER_SIZE + 4) == 0);
    expect(ike_message_encrypt(&gw->keys, chain->iv, &builder) == 0);
    datagram.n = builder.writer.n;
    kit_forget(gw);
    settle(f, kit_deliver(gw, &datagram));
    /* The chain goes on where the session's answer ended, or stays where it was. */
    const KitBytes *reply = kit_last_packet(gw, exchange);
    if (reply == NULL || memcmp(reply->bytes + 20, datagram.bytes + 20, 4) != 0)
        memcpy(chain->iv, before, sizeof(before));
    else
        memcpy(chain->iv, reply->bytes + reply->n - 16, 16);
}

/* The last packet of Quick Mode is a QM1 that waits for its answer. */
static bool quick_waits(const KitGateway *gw)
{
    const KitBytes *packet = kit_last_packet(gw, IKE_EXCHANGE_QUICK);
    IkeHeader header;
    KitChain chain;
    KitBytes bytes;
    IkeMessage message;

    if (packet == NULL || ike_header_read(kit_slice(packet), &header) != 0)
        return false;
    kit_chain_begin(gw, &chain, header.message_id);
    return kit_open(gw, &chain, packet, &bytes, &message) &&
           ike_message_find(&message, IKE_PAYLOAD_SA) != NULL &&
           ike_message_find(&message, IKE_PAYLOAD_ID) != NULL;
}

static void continue_quick(Fuzz *f)
{
    static KitList list;
    KitChain chain;

    if (!quick_waits(f->gw) || !kit_qm2(f->gw, &chain, &list))
        return;
    send_raw(f, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2);
}

static void speak_clearly(Fuzz *f)
{
    KitBytes datagram = {0};
    const IkeSlice raw = ike_reader_take(&f->in, ike_read_u8(&f->in) % (f->in.left + 1));

    kit_append(&datagram, f->gw->cookie_i, 8);
    kit_append(&datagram, f->gw->cookie_r, 8);
    kit_append(&datagram, raw.bytes, raw.n);
    if (datagram.n >= IKE_HEADER_SIZE)
        datagram.bytes[24] = datagram.bytes[25] = datagram.bytes[26] = 0;
    if (datagram.n >= IKE_HEADER_SIZE && datagram.n < 256)
        datagram.bytes[27] = (uint8_t)datagram.n;
    settle(f, kit_deliver(f->gw, &datagram));
}

static void pass_time(Fuzz *f)
{
    uint64_t end = f->gw->now + (IKE_MILLISECOND << ike_read_u8(&f->in) % 23);

    for (int i = 0; i < 40 && ike_session_deadline(f->gw->session) <= end; i++) {
        uint64_t deadline = ike_session_deadline(f->gw->session);
        f->gw->packets_n = 0;
        settle(f, kit_tick(f->gw, deadline > f->gw->now ? deadline : f->gw->now));
        if (ike_session_deadline(f->gw->session) <= f->gw->now)
            settle(f, kit_tick(f->gw, f->gw->now));
        expect(ike_session_deadline(f->gw->session) > f->gw->now);
    }
    if (ike_session_deadline(f->gw->session) > end)
        f->gw->now = end;
}

static void use_api(Fuzz *f)
{
    KitGateway *gw = f->gw;
    uint8_t n = ike_read_u8(&f->in);
    IkeAnswer answer = {0};

    switch (n % 6) {
    case 0:
        for (size_t i = 0; i < IKE_ASK_KINDS; i++)
            answer.given[i] = (IkeSecret){.known = true, .n = n};
        settle(f, ike_session_answer(gw->session, gw->question.id, &answer, gw->now));
        break;
    case 1:
        settle(f, ike_session_answer(gw->session, gw->question.id, NULL, gw->now));
        break;
    case 2:
        settle(f, ike_session_renegotiate(gw->session, gw->now));
        break;
    case 3:
        settle(f, ike_session_network_changed(gw->session, gw->now));
        break;
    case 4:
        settle(f, ike_session_renew_sa(gw->session, gw->in.spi_in, gw->now));
        break;
    default:
        ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
        break;
    }
}

static void act(Fuzz *f)
{
    static const IkeExchangeType exchanges[] = {IKE_EXCHANGE_INFORMATIONAL, IKE_EXCHANGE_QUICK,
                                                IKE_EXCHANGE_TRANSACTION};
    uint8_t op = ike_read_u8(&f->in);

    switch (op % 8) {
    case 0:
    case 1:
        kit_chain_new(f->gw, &f->chain);
        send_raw(f, &f->chain, exchanges[op / 8 % 3], IKE_HASH_1);
        break;
    case 2:
        send_raw(f, &f->chain, exchanges[op / 8 % 3], op >= 128 ? IKE_HASH_3 : IKE_HASH_1);
        break;
    case 3:
        continue_quick(f);
        break;
    case 4:
        pass_time(f);
        break;
    case 5:
        use_api(f);
        break;
    case 6:
        speak_clearly(f);
        break;
    default:
        if (quick_waits(f->gw))
            (void)kit_quick(f->gw);
        break;
    }
}

static IkeConfig config_of(uint8_t dice)
{
    IkeConfig config = kit_config();

    config.config = (const IkeConfigMode[]){IKE_CONFIG_NONE, IKE_CONFIG_AUTO, IKE_CONFIG_PULL,
                                            IKE_CONFIG_PUSH}[dice & 3];
    if (dice & 128)
        config.config = IKE_CONFIG_DHCP;
    config.hardware[0] = 0x42;
    config.xauth = dice & 4 ? IKE_XAUTH_REQUIRED : IKE_XAUTH_AUTO;
    if (dice & 8)
        kit_secret(&config.user, "alice");
    if (dice & 16)
        kit_secret(&config.password, "secret");
    config.networks_n = dice & 32 ? 2 : 0;
    config.networks[0] = (IkeNetwork){4, 8, {10}};
    config.networks[1] = (IkeNetwork){4, 16, {172, 16}};
    if (dice & 64)
        config.phase2[config.phase2_n++] = kit_p2("aes128", "sha256", NULL);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Fuzz *f = calloc(1, sizeof(*f));
    f->in = ike_reader(data, n);
    const IkeConfig config = config_of(ike_read_u8(&f->in));

    f->gw = kit_gateway_new(&config);
    kit_phase1(f->gw, IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH);
    kit_chain_new(f->gw, &f->chain);
    for (int i = 0; i < 64 && f->in.left > 0; i++)
        act(f);
    settle(f, ike_session_stop(f->gw->session, f->gw->now));
    kit_gateway_free(f->gw);
    free(f);
    return 0;
}
