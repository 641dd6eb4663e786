# SPDX-License-Identifier: GPL-2.0-or-later
"""Inner IPv4 packets: made for tests, and answered as a host behind the gateway would."""

import ipaddress
import struct

ICMP, UDP = 1, 17
ECHO_REQUEST, ECHO_REPLY = 8, 0


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload, identification=1):
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), identification, 0, 64, protocol, 0)
    value = checksum(head + addresses)
    return head[:10] + struct.pack('>H', value) + addresses + payload


def echo_request(source, destination, number=1, data=b'abcdefgh'):
    body = struct.pack('>BBHHH', ECHO_REQUEST, 0, 0, 0x4444, number) + data
    body = body[:2] + struct.pack('>H', checksum(body)) + body[4:]
    return ipv4(source, destination, ICMP, body, number)


def udp_checksum(packet):
    """Of an IPv4 packet without options: 0 where it fits."""
    pseudo = packet[12:20] + struct.pack('>BBH', 0, UDP, len(packet) - 20)
    return checksum(pseudo + packet[20:])


def udp(source, destination, from_port, to_port, payload):
    head = struct.pack('>HHHH', from_port, to_port, 8 + len(payload), 0)
    packet = ipv4(source, destination, UDP, head + payload)
    value = udp_checksum(packet) or 0xFFFF
    return packet[:26] + struct.pack('>H', value) + packet[28:]


def answer(packet):
    """The echo reply or UDP echo (port 7) to this packet, or None."""
    if len(packet) < 28 or packet[0] != 0x45:
        return None
    source, destination = packet[12:16], packet[16:20]
    body = packet[20:]
    if packet[9] == ICMP and body[0] == ECHO_REQUEST:
        reply = bytes([ECHO_REPLY, 0, 0, 0]) + body[4:]
        reply = reply[:2] + struct.pack('>H', checksum(reply)) + reply[4:]
        return ipv4(destination, source, ICMP, reply)
    if packet[9] == UDP and body[2:4] == b'\0\7':
        reply = body[2:4] + body[0:2] + body[4:6] + b'\0\0' + body[8:]
        return ipv4(destination, source, UDP, reply)
    return None
