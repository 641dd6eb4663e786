#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of the fuzzers of the protocol core: corpus/{message,proposal,config,id,session,
fragment,dhcp}.

A fuzzer finds the depths of a format sooner when it begins with one good example of each shape.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "corpus"
AES, SHA256, MODP2048, XAUTH_PSK = 7, 4, 14, 65001
UDP_TUNNEL, ESP, ISAKMP = 3, 3, 1


def basic(kind, value):
    return struct.pack(">HH", kind | 0x8000, value)


def long(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


def item(body, following=0):
    return struct.pack(">BBH", following, 0, 4 + len(body)) + body


def sa(protocol, spi, transforms):
    inner = b"".join(
        item(struct.pack(">BBH", i + 1, kind, 0) + attributes, 3 if i + 1 < len(transforms) else 0)
        for i, (kind, attributes) in enumerate(transforms))
    head = struct.pack(">BBBB", 1, protocol, len(spi), len(transforms))
    return struct.pack(">II", 1, 1) + item(head + spi + inner)


def life(seconds, first=11):
    return basic(first, 1) + long(first + 1, struct.pack(">I", seconds))


PHASE1 = sa(ISAKMP, b"", [(1, basic(1, AES) + basic(14, 256) + basic(2, SHA256)
                           + basic(3, XAUTH_PSK) + basic(4, MODP2048) + life(28800))])
CBC = life(3600, 1) + basic(3, 19) + basic(4, UDP_TUNNEL) + basic(5, 5) + basic(6, 128)
GCM = life(3600, 1) + basic(3, 19) + basic(4, UDP_TUNNEL) + basic(6, 256)
PHASE2 = sa(ESP, b"\x10\x20\x30\x40", [(20, GCM)])
BOTH = sa(ESP, b"\x10\x20\x30\x40", [(20, GCM), (12, CBC)])
NOTIFY = struct.pack(">IBBH", 1, 1, 16, 36136) + b"C" * 16 + b"\0\0\0\1"
DELETE = struct.pack(">IBBH", 1, 3, 4, 2) + b"\x10\x20\x30\x40\x10\x20\x30\x41"
REQUEST = b"\1\0\0\1" + basic(16520, 0) + long(16521, b"") + long(16522, b"") + long(16524, b"hi")
STATUS = b"\3\0\0\2" + basic(16527, 1)
ADDRESS = (b"\3\0\0\3" + long(1, bytes((10, 1, 2, 3))) + long(2, b"\xff" * 4)
           + long(3, bytes((10, 1, 0, 53, 10, 1, 0, 54))) + long(5, struct.pack(">I", 3600))
           + long(28672, b"welcome") + long(28674, b"example.com") + long(28675, b"a.example")
           + long(28676, bytes((10, 0, 0, 0, 255, 0, 0, 0)) + b"\0" * 6)
           + long(13, bytes((10, 0, 0, 0, 255, 0, 0, 0))))
IDS = {
    "ipv4": b"\1\0\0\0" + bytes((10, 1, 2, 3)),
    "fqdn": b"\2\x11\1\xf4gw.example.com",
    "email": b"\3\0\0\0alice@example.com",
    "subnet": b"\4\0\0\0" + bytes((10, 0, 0, 0, 255, 0, 0, 0)),
    "ipv6": b"\5\0\0\0" + bytes(range(16)),
    "subnet6": b"\6\0\0\0" + b"\x20\1\r\xb8" + b"\0" * 12 + b"\xff" * 4 + b"\0" * 12,
    "range": b"\7\0\0\0" + bytes((10, 0, 0, 0, 10, 0, 0, 255)),
    "dn": b"\x09\0\0\0\x30\x0d\x31\x0b\x30\x09\6\3\x55\4\3\x0c\2me",
    "keyid": b"\x0b\0\0\0group",
}


def chain(*payloads):
    out = b""
    for i, (_, body) in enumerate(payloads):
        out += item(body, payloads[i + 1][0] if i + 1 < len(payloads) else 0)
    return out


def datagram(exchange, *payloads):
    body = chain(*payloads)
    head = b"IIIIIIIIRRRRRRRR" + bytes((payloads[0][0], 0x10, exchange, 0)) + b"\0\0\0\0"
    return head + struct.pack(">I", 28 + len(body)) + body


def say(operation, *payloads):
    """An operation of the session's fuzzer with payloads of our own, filled to four bytes."""
    body = chain(*payloads)
    body += b"\0" * (-len(body) % 4)
    return bytes((operation, payloads[0][0], len(body) // 4 % 256)) + body


def fragment(index, last, part):
    """An operation of the fragments' fuzzer: ID, index, flags, kind, length, slice."""
    return bytes((1, index, last, 2, len(part))) + part


def dhcp(*options, file=b"", sname=b""):
    """A reply of a DHCP server in its packet."""
    body = struct.pack(">BBBBLHH", 2, 31, 6, 0, 0x11223344, 0, 0) + bytes(4) + bytes((10, 20, 1, 10))
    body += bytes(8) + bytes((0x42, 1, 2, 3, 4, 5)).ljust(16, b"\0")
    body += sname.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63"
    body += b"".join(bytes((code, len(value))) + value for code, value in options) + b"\xff"
    udp = struct.pack(">HHHH", 67, 68, 8 + len(body), 0) + body
    head = struct.pack(">BBHLBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0)
    return head + bytes((10, 10, 0, 67)) + b"\xff" * 4 + udp


SERVER = (54, bytes((10, 10, 0, 67)))
LEASE = (51, struct.pack(">I", 3600))
CUT = b"c" + b"\0" * 15 + bytes((1, 0x10, 4, 0)) + struct.pack(">II", 0, 48) + b"S" * 20
INFO, QUICK, TRANSACTION = 0, 8, 16
ANSWER, QM2, WAIT, GOOD = 3, 3, 4, 7
SEEDS = {
    "message": {
        "am2": datagram(4, (1, PHASE1), (4, b"K" * 256), (10, b"N" * 32), (5, IDS["fqdn"]),
                        (8, b"H" * 32), (13, bytes.fromhex("afcad71368a1f1c96b8696fc77570100")),
                        (20, b"D" * 32), (20, b"D" * 32)),
        "info": datagram(5, (11, NOTIFY), (12, DELETE)),
        "config": datagram(6, (14, ADDRESS)),
    },
    "proposal": {"phase1": PHASE1, "phase2": PHASE2, "both": BOTH},
    "config": {"request": REQUEST, "status": STATUS, "address": ADDRESS},
    "id": IDS,
    "fragment": {
        "in-order": fragment(1, 0, CUT[:20]) + fragment(2, 0, CUT[20:40]) + fragment(3, 1, CUT[40:]),
        "backwards": fragment(2, 1, CUT[30:]) + fragment(1, 0, CUT[:30]) + fragment(2, 1, CUT[30:]),
    },
    "dhcp": {
        "offer": dhcp((53, b"\2"), SERVER, LEASE, (58, struct.pack(">I", 900)),
                      (6, bytes((10, 10, 0, 53))), (15, b"corp.example"), (1, b"\xff\xff\xff\0")),
        "nak": dhcp((53, b"\6"), SERVER),
        "overload": dhcp((53, b"\5"), (52, b"\3"), file=b"\x36\4\x0a\x0a\0\x43\xff",
                         sname=b"\x33\4\0\0\1\0\xff"),
    },
    "session": {
        "connect": bytes((0, GOOD)) + say(INFO, (11, NOTIFY)) + bytes((WAIT, 20)),
        "user": bytes((4 | 8 | 16 | 2,)) + say(TRANSACTION, (14, REQUEST))
        + say(TRANSACTION, (14, STATUS)) + say(TRANSACTION, (14, ADDRESS)) + bytes((GOOD,)),
        "asked": bytes((4, )) + say(TRANSACTION, (14, REQUEST)) + bytes((5, 6))
        + say(TRANSACTION, (14, STATUS)) + bytes((GOOD, WAIT, 22)),
        "quick": bytes((64,)) + say(QM2, (1, PHASE2), (10, b"N" * 16), (5, IDS["subnet"]),
                                    (5, IDS["ipv4"])),
        "renewal": bytes((0, GOOD)) + say(QUICK, (1, BOTH), (10, b"N" * 16), (5, IDS["subnet"]),
                                          (5, IDS["ipv4"])) + bytes((WAIT, 22, WAIT, 22)),
        "end": bytes((0, GOOD)) + say(INFO, (12, DELETE), (11, NOTIFY)) + bytes((5, 2, WAIT, 18)),
        "clear": bytes((0, 6, 40)) + datagram(5, (11, NOTIFY))[16:],
    },
}

for target, seeds in SEEDS.items():
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)
