/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP messages in their IPv4 packets. A server behind the gateway need not be a friend: an option
 * that does not fit its message, or has not the length of its type, is the end of the message, and
 * no option is asked for or taken but those that an inner address needs. Routes (121, 249) are not
 * among them: what goes through the tunnel is the profile's to say, and the gateway's.
 */
#include "ike/dhcp-message.h"

#include "ike/payload-config.h"

#include <string.h>

enum {
    IP_HEADER = 20,
    UDP_HEADER = 8,
    BOOTP_LEAST = 300, /* RFC 1542, 2.1: relays drop what is shorter */
    BOOT_REQUEST = 1,
    BOOT_REPLY = 2,
    CHADDR = 16,
    SNAME = 64,
    FILE_NAME = 128,
    TTL = 64,
    FRAGMENT_BITS = 0x3fff, /* more fragments, and the offset */
};

#define MAGIC UINT32_C(0x63825363) /* RFC 2131, 3 */

typedef enum Option {
    OPTION_PAD = 0,
    OPTION_SUBNET_MASK = 1,
    OPTION_DNS = 6,
    OPTION_DOMAIN = 15,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_MAX_SIZE = 57,
    OPTION_RENEWAL = 58,
    OPTION_CLIENT_ID = 61,
    OPTION_END = 255,
} Option;

/* ---- writing ---- */

static uint32_t sum_of(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

/* RFC 1071 */
static uint16_t checksum(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_address(IkeWriter *w, const IkeAddress *address)
{
    static const uint8_t none[4] = {0};

    ike_write_bytes(w, address->family == 4 ? address->bytes : none, 4);
}

static void write_address_option(IkeWriter *w, Option option, const IkeAddress *address)
{
    if (address->family != 4)
        return;
    ike_write_u8(w, option);
    ike_write_u8(w, 4);
    ike_write_bytes(w, address->bytes, 4);
}

static void write_options(IkeWriter *w, const IkeDhcpQuestion *q)
{
    static const uint8_t wanted[] = {OPTION_SUBNET_MASK, OPTION_DNS,    OPTION_DOMAIN,
                                     OPTION_LEASE,       OPTION_SERVER, OPTION_RENEWAL};

    ike_write_u8(w, OPTION_TYPE);
    ike_write_u8(w, 1);
    ike_write_u8(w, (uint8_t)q->type);
    /* RFC 3456, 4.1: always there, the same each time; the first of its possibilities. It does not
     * follow the type in the header, so that a server sees one client in both. */
    ike_write_u8(w, OPTION_CLIENT_ID);
    ike_write_u8(w, 1 + IKE_HARDWARE_SIZE);
    ike_write_u8(w, IKE_DHCP_HTYPE_IPSEC);
    ike_write_bytes(w, q->hardware, IKE_HARDWARE_SIZE);
    write_address_option(w, OPTION_REQUESTED_ADDRESS, &q->wanted);
    write_address_option(w, OPTION_SERVER, &q->server);
    if (q->type != IKE_DHCP_RELEASE) {
        ike_write_u8(w, OPTION_MAX_SIZE);
        ike_write_u8(w, 2);
        ike_write_u16(w, IKE_DHCP_PACKET_MAX - IP_HEADER - UDP_HEADER);
        ike_write_u8(w, OPTION_PARAMETERS);
        ike_write_u8(w, sizeof(wanted));
        ike_write_bytes(w, wanted, sizeof(wanted));
    }
    ike_write_u8(w, OPTION_END);
}

static void write_message(IkeWriter *w, const IkeDhcpQuestion *q)
{
    size_t start = w->n;

    ike_write_u8(w, BOOT_REQUEST);
    ike_write_u8(w, q->htype);
    ike_write_u8(w, IKE_HARDWARE_SIZE);
    ike_write_u8(w, 0); /* hops */
    ike_write_u32(w, q->xid);
    ike_write_u16(w, q->seconds);
    ike_write_u16(w, 0); /* RFC 3456, 4.1: the broadcast bit MUST be zero */
    write_address(w, &q->ours);
    (void)ike_writer_room(w, 3 * 4); /* yiaddr, siaddr, giaddr */
    ike_write_bytes(w, q->hardware, IKE_HARDWARE_SIZE);
    (void)ike_writer_room(w, CHADDR - IKE_HARDWARE_SIZE + SNAME + FILE_NAME);
    ike_write_u32(w, MAGIC);
    write_options(w, q);
    size_t n = w->n - start;
    if (n < BOOTP_LEAST)
        (void)ike_writer_room(w, BOOTP_LEAST - n);
}

static void write_ip_header(IkeWriter *w, const IkeDhcpQuestion *q)
{
    static const IkeAddress everybody = {.family = 4, .bytes = {255, 255, 255, 255}};

    ike_write_u8(w, 0x45);
    ike_write_u8(w, 0);
    ike_write_u16(w, 0); /* length, below */
    ike_write_u32(w, 0); /* in one piece */
    ike_write_u8(w, TTL);
    ike_write_u8(w, IKE_IP_PROTOCOL_UDP);
    ike_write_u16(w, 0); /* checksum, below */
    write_address(w, &q->ours);
    write_address(w, q->to.family == 4 ? &q->to : &everybody);
}

void ike_dhcp_write(IkeWriter *w, const IkeDhcpQuestion *q)
{
    size_t ip = w->n, udp = ip + IP_HEADER;

    write_ip_header(w, q);
    ike_write_u16(w, IKE_DHCP_CLIENT_PORT);
    ike_write_u16(w, IKE_DHCP_SERVER_PORT);
    ike_write_u32(w, 0); /* length and checksum, below */
    write_message(w, q);
    if (!ike_writer_ok(w))
        return;
    uint16_t length = (uint16_t)(w->n - udp);
    ike_writer_put_u16(w, ip + 2, (uint16_t)(w->n - ip));
    ike_writer_put_u16(w, ip + 10, checksum(sum_of(w->bytes + ip, IP_HEADER, 0)));
    ike_writer_put_u16(w, udp + 4, length);
    /* Over both addresses, the protocol and the length, too (RFC 768). */
    uint32_t sum = sum_of(w->bytes + ip + 12, 8, IKE_IP_PROTOCOL_UDP + length);
    uint16_t value = checksum(sum_of(w->bytes + udp, length, sum));
    ike_writer_put_u16(w, udp + 6, value != 0 ? value : 0xffff);
}

/* ---- reading: the packet ---- */

/* What an IPv4 packet in one piece carries from a DHCP server to a client. Checksums are not looked
 * at: the packet is authentic, and a server on the gateway itself may leave them to a network card
 * that the packet never meets. */
static bool open_packet(IkeSlice packet, IkeReader *message)
{
    IkeReader r = ike_reader_of(packet);
    uint8_t first = ike_read_u8(&r);
    size_t header = (size_t)(first & 0x0f) * 4;

    (void)ike_read_u8(&r);
    size_t total = ike_read_u16(&r);
    (void)ike_read_u16(&r);
    bool whole = (ike_read_u16(&r) & FRAGMENT_BITS) == 0;
    (void)ike_read_u8(&r);
    bool udp = ike_read_u8(&r) == IKE_IP_PROTOCOL_UDP;
    if (!ike_reader_ok(&r) || first >> 4 != 4 || header < IP_HEADER || total > packet.n ||
        header > total || !whole || !udp)
        return false;
    r = ike_reader(packet.bytes + header, total - header);
    bool ports = ike_read_u16(&r) == IKE_DHCP_SERVER_PORT;
    ports = ike_read_u16(&r) == IKE_DHCP_CLIENT_PORT && ports;
    size_t length = ike_read_u16(&r);
    (void)ike_read_u16(&r);
    if (!ike_reader_ok(&r) || !ports || length < UDP_HEADER || length - UDP_HEADER > r.left)
        return false;
    *message = ike_reader(r.bytes, length - UDP_HEADER);
    return true;
}

/* ---- reading: options ---- */

typedef struct Options {
    IkeDhcpReply *reply;
    uint64_t seen; /* a set of those that stand once */
    uint8_t overload;
} Options;

static bool take_inner(IkeInnerConfig *inner, uint16_t type, IkeSlice value)
{
    return ike_inner_config_take(inner, &(IkeAttribute){.type = type, .value = value});
}

static bool read_number(IkeSlice value, size_t size, uint32_t *number)
{
    IkeReader r = ike_reader_of(value);

    *number = size == 1 ? ike_read_u8(&r) : ike_read_u32(&r);
    return ike_reader_done(&r);
}

/* Of two that differ a client and whoever watches it could take different ones. */
static bool is_first(Options *options, uint8_t option)
{
    uint64_t bit = UINT64_C(1) << (option & 63);
    bool first = (options->seen & bit) == 0;

    options->seen |= bit;
    return first;
}

static bool take_type(Options *options, IkeSlice value)
{
    uint32_t type = 0;

    if (!is_first(options, OPTION_TYPE) || !read_number(value, 1, &type))
        return false;
    options->reply->type = (IkeDhcpType)type;
    return type == IKE_DHCP_OFFER || type == IKE_DHCP_ACK || type == IKE_DHCP_NAK;
}

static bool take_server(Options *options, IkeSlice value)
{
    IkeInnerConfig host = {0};

    if (!is_first(options, OPTION_SERVER) || value.n != 4)
        return false;
    (void)take_inner(&host, IKE_CONFIG_IP4_ADDRESS, value);
    options->reply->server = host.address;
    return host.address.family != 0;
}

static bool take_overload(Options *options, IkeSlice value)
{
    uint32_t overload = 0;

    if (!is_first(options, OPTION_OVERLOAD) || !read_number(value, 1, &overload))
        return false;
    options->overload = (uint8_t)overload;
    return overload >= 1 && overload <= 3;
}

static bool take_option(Options *options, uint8_t option, IkeSlice value)
{
    IkeDhcpReply *reply = options->reply;

    switch (option) {
    case OPTION_TYPE:
        return take_type(options, value);
    case OPTION_SERVER:
        return take_server(options, value);
    case OPTION_OVERLOAD:
        return take_overload(options, value);
    case OPTION_LEASE:
        return is_first(options, option) && read_number(value, 4, &reply->lease);
    case OPTION_RENEWAL:
        return is_first(options, option) && read_number(value, 4, &reply->renew);
    case OPTION_DNS:
        return value.n > 0 && value.n % 4 == 0 &&
               take_inner(&reply->inner, IKE_CONFIG_IP4_DNS, value);
    case OPTION_DOMAIN:
        return value.n > 0 && take_inner(&reply->inner, IKE_UNITY_DEFAULT_DOMAIN, value);
    default:
        return true;
    }
}

/* RFC 2131, 4.1: the last one is END, in each of the fields that hold options. */
static bool read_options(Options *options, IkeReader r)
{
    while (ike_reader_ok(&r)) {
        uint8_t option = ike_read_u8(&r);
        if (option == OPTION_PAD)
            continue;
        if (option == OPTION_END)
            return ike_reader_ok(&r);
        IkeSlice value = ike_reader_take(&r, ike_read_u8(&r));
        if (!ike_reader_ok(&r) || !take_option(options, option, value))
            return false;
    }
    return false;
}

/* The options' own field, then `file`, then `sname` where the first says so; said in those, it
 * counts for nothing. */
static bool read_all_options(IkeDhcpReply *reply, IkeReader own, IkeSlice sname, IkeSlice file)
{
    Options options = {.reply = reply};
    bool ok = read_options(&options, own);
    uint8_t overload = options.overload;

    if (ok && (overload & 1) != 0)
        ok = read_options(&options, ike_reader_of(file));
    if (ok && (overload & 2) != 0)
        ok = read_options(&options, ike_reader_of(sname));
    return ok;
}

/* ---- reading: the message ---- */

/* RFC 2131, table 3: what stands in each kind of reply. */
static bool is_complete(const IkeDhcpReply *reply)
{
    if (reply->type == IKE_DHCP_NAK)
        return true;
    return (reply->type == IKE_DHCP_OFFER || reply->type == IKE_DHCP_ACK) &&
           reply->inner.address.family == 4 && reply->server.family == 4 && reply->lease != 0;
}

bool ike_dhcp_read(IkeSlice packet, IkeDhcpReply *reply)
{
    IkeReader r;

    memset(reply, 0, sizeof(*reply));
    if (!open_packet(packet, &r))
        return false;
    bool fits = ike_read_u8(&r) == BOOT_REPLY;
    (void)ike_read_u8(&r); /* htype: some servers know no type but Ethernet's */
    fits = ike_read_u8(&r) == IKE_HARDWARE_SIZE && fits;
    (void)ike_read_u8(&r);
    reply->xid = ike_read_u32(&r);
    (void)ike_reader_take(&r, 2 + 2 + 4);
    IkeSlice yours = ike_reader_take(&r, 4);
    (void)ike_reader_take(&r, 2 * 4);
    ike_read_bytes(&r, reply->hardware, IKE_HARDWARE_SIZE);
    (void)ike_reader_take(&r, CHADDR - IKE_HARDWARE_SIZE);
    IkeSlice sname = ike_reader_take(&r, SNAME);
    IkeSlice file = ike_reader_take(&r, FILE_NAME);
    fits = ike_read_u32(&r) == MAGIC && fits;
    if (!ike_reader_ok(&r) || !fits || !read_all_options(reply, r, sname, file))
        return false;
    (void)take_inner(&reply->inner, IKE_CONFIG_IP4_ADDRESS, yours);
    reply->inner.expires = reply->lease != UINT32_MAX ? reply->lease : 0;
    return is_complete(reply);
}
