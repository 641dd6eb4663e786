# SPDX-License-Identifier: GPL-2.0-or-later
"""A DHCP server on the gateway, reached through an SA of its own (RFC 3456, RFC 2131, RFC 2132).

It looks at what the client says as strictly as the RFCs have it. `hooks` of the gateway named
'dhcp:offer', 'dhcp:ack' and 'dhcp:nak' change the options of an answer (a list of (code, bytes)),
'dhcp-packet' the whole inner packet, and None is silence.
"""

import ipaddress
import struct

from . import inner

DISCOVER, OFFER, REQUEST, ACK, NAK, RELEASE = 1, 2, 3, 5, 6, 7
NAMES = {DISCOVER: 'discover', REQUEST: 'request', RELEASE: 'release'}
ANSWERS = {OFFER: 'dhcp:offer', ACK: 'dhcp:ack', NAK: 'dhcp:nak'}
ETHERNET, IPSEC = 1, 31
MAGIC = b'\x63\x82\x53\x63'
HEAD = struct.Struct('>BBBBLHH4s4s4s4s16s64s128s')
UNSPECIFIED, BROADCAST = '0.0.0.0', '255.255.255.255'
MASK, DNS, DOMAIN, WANTED, LEASE, TYPE, SERVER, RENEWAL, CLIENT_ID = 1, 6, 15, 50, 51, 53, 54, 58, 61


class Malformed(Exception):
    """What no server would take."""


def options_of(data):
    """{code: value} up to END, which must be there."""
    found, at = {}, 0
    while at < len(data):
        code = data[at]
        if code == 255:
            return found
        if code == 0:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 256
        if at + 2 + length > len(data) or code in found:
            raise Malformed(f'option {code}')
        found[code] = data[at + 2 : at + 2 + length]
        at += 2 + length
    raise Malformed('no END')


def build_options(pairs):
    return b''.join(bytes([code, len(value)]) + value for code, value in pairs) + b'\xff'


class Message:
    """A client's packet: addresses, header and options."""

    def __init__(self, packet):
        if len(packet) < 20 + 8 + HEAD.size + 4 or packet[0] != 0x45 or packet[9] != inner.UDP:
            raise Malformed('no UDP in IPv4')
        self.source = str(ipaddress.ip_address(packet[12:16]))
        self.destination = str(ipaddress.ip_address(packet[16:20]))
        self.ports = struct.unpack_from('>HH', packet, 20)
        self.sums = inner.checksum(packet[:20]) == 0 and inner.udp_checksum(packet) == 0
        body = packet[28:]
        (op, self.htype, hlen, self.hops, self.xid, self.seconds, self.flags, ciaddr, yiaddr,
         siaddr, giaddr, chaddr, sname, name) = HEAD.unpack_from(body)
        self.empty = not any(yiaddr + siaddr + giaddr + sname + name + chaddr[hlen:])
        self.ciaddr, self.hardware = str(ipaddress.ip_address(ciaddr)), chaddr[:hlen]
        self.long = len(body) >= 300
        if op != 1 or body[HEAD.size : HEAD.size + 4] != MAGIC:
            raise Malformed('no BOOTREQUEST')
        self.options = options_of(body[HEAD.size + 4 :])
        self.type = self.options.get(TYPE, b'\0')[0]

    def address(self, option):
        value = self.options.get(option)
        return str(ipaddress.ip_address(value)) if value else None


class DhcpServer:
    def __init__(self, gateway):
        self.gateway = gateway
        self.judge = gateway.judge
        self.leases = {}  # client ID -> address
        self.offers = {}  # xid -> address
        self.seconds = {}  # xid -> those that its DISCOVERs have said
        self.answers = True

    def receive(self, child, packet):
        config = self.gateway.config
        try:
            message = Message(packet)
        except Malformed as error:
            self.judge.violation('rfc2131-format', str(error))
            return
        self._check(message)
        self.judge.note('dhcp ' + NAMES.get(message.type, str(message.type)))
        self.gateway.event(
            'dhcp-' + NAMES.get(message.type, str(message.type)),
            htype=message.htype,
            to=message.destination,
            ciaddr=message.ciaddr,
            wanted=message.address(WANTED),
            hardware=message.hardware,
            xid=message.xid,
        )
        if message.htype not in config.dhcp_htypes:
            return
        to_gateway = message.destination == config.own_address
        if config.dhcp_to_gateway not in (None, to_gateway):
            return
        if self.answers:
            self._answer(child, message)

    def _check(self, message):
        expect = self.judge.expect
        expect(message.ports == (68, 67), 'rfc3456-4.1-ports', f'{message.ports}')
        expect(message.sums, 'rfc768-checksum', 'a checksum does not fit')
        expect(message.long, 'rfc1542-2.1-length', 'shorter than 300 bytes')
        expect(message.empty, 'rfc2131-4.4.1-zero', 'a field of the server is not zero')
        expect(message.hops == 0 and message.flags == 0, 'rfc3456-4.1-flags', f'{message.flags}')
        expect(message.htype in (ETHERNET, IPSEC), 'rfc3456-4.1-htype', f'{message.htype}')
        expect(len(message.hardware) == 6, 'rfc3456-4.1-chaddr', message.hardware.hex())
        expect(message.options.get(CLIENT_ID), 'rfc3456-4.1-client-id', 'no client identifier')
        expect(message.source == message.ciaddr, 'rfc2131-4.1-source', message.source)
        if message.type == DISCOVER:
            self.seconds.setdefault(message.xid, set()).add(message.seconds)
            expect(SERVER not in message.options, 'rfc2131-4.4.1-discover', 'names a server')
        elif message.type == REQUEST and message.ciaddr != UNSPECIFIED:
            expect(
                not {SERVER, WANTED} & set(message.options), 'rfc2131-4.3.2-renewing', 'too much'
            )
        elif message.type == RELEASE:
            expect(
                SERVER in message.options and WANTED not in message.options,
                'rfc2131-4.4.1-release',
                f'{sorted(message.options)}',
            )
        elif message.type == REQUEST:
            said = self.seconds.get(message.xid, ())
            expect(message.seconds in said, 'rfc2131-4.4.1-secs', f'{message.seconds} of {said}')
            expect(
                {SERVER, WANTED} <= set(message.options), 'rfc2131-4.3.2-selecting', 'too little'
            )

    def _answer(self, child, message):
        config, client = self.gateway.config, message.options.get(CLIENT_ID, b'')
        own = self.gateway.address_for(child.sa)
        if message.type == DISCOVER:
            self.offers[message.xid] = own
            self._send(child, message, OFFER, own)
        elif message.type == REQUEST:
            wanted = message.address(WANTED) or message.ciaddr
            other = message.address(SERVER) not in (None, config.dhcp_server)
            if other:
                return
            if wanted != own or config.dhcp_naks > 0:
                config.dhcp_naks -= config.dhcp_naks > 0
                self._send(child, message, NAK, UNSPECIFIED)
                return
            self.leases[client] = own
            self._send(child, message, ACK, own)
        elif message.type == RELEASE:
            known = message.ciaddr == self.leases.get(client)
            if known and message.address(SERVER) == config.dhcp_server:
                del self.leases[client]

    def _options(self, kind):
        config = self.gateway.config
        server = ipaddress.ip_address(config.dhcp_server).packed
        pairs = [(TYPE, bytes([kind])), (SERVER, server)]
        if kind == NAK:
            return pairs
        pairs += [(LEASE, struct.pack('>L', config.lease)), (MASK, b'\xff\xff\xff\0')]
        if config.lease_renewal:
            pairs.append((RENEWAL, struct.pack('>L', config.lease_renewal)))
        if config.dns:
            pairs.append((DNS, b''.join(ipaddress.ip_address(a).packed for a in config.dns)))
        if config.domain:
            pairs.append((DOMAIN, config.domain))
        return pairs

    def _send(self, child, message, kind, address):
        pairs = self.gateway.hook(ANSWERS[kind], self._options(kind))
        if pairs is None:
            return
        packet = self.packet(message, address, build_options(pairs))
        packet = self.gateway.hook('dhcp-packet', packet)
        if packet is not None:
            self.gateway.post_esp(child, packet)

    def packet(self, message, address, options, htype=None):
        packed = ipaddress.ip_address(address).packed
        head = HEAD.pack(
            2, htype or message.htype, 6, 0, message.xid, 0, 0, bytes(4), packed, bytes(4),
            bytes(4), message.hardware, b'', b'',
        )
        body = (head + MAGIC + options).ljust(300, b'\0')
        return inner.udp(self.gateway.config.dhcp_server, BROADCAST, 67, 68, body)
