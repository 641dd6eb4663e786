# SPDX-License-Identifier: GPL-2.0-or-later
"""IKE fragmentation (payload 132), both ways: a message in slices, each behind a copy of the header.

    next 1, reserved 1, length 2, fragment ID 2, index 1 (from 1), flags 1 (1: last), slice
"""

import struct

from . import constants as c
from . import wire

FRAGMENT = struct.Struct('>BBHHBB')
LAST = 1
CAPABILITY = bytes.fromhex('80000000')  # main and aggressive mode
VENDOR_ID = c.VID_FRAGMENTATION + CAPABILITY
ROOM = wire.HEADER.size + FRAGMENT.size


def announced(vendor_ids):
    """A client says that it puts fragments together."""
    return any(v.startswith(c.VID_FRAGMENTATION) and v[16:17] >= b'\x80' for v in vendor_ids)


def cut(message, size, identifier):
    """The message as datagrams of at most `size` bytes."""
    step = size - ROOM
    slices = [message[at : at + step] for at in range(0, len(message), step)]
    pieces = []
    for index, part in enumerate(slices, 1):
        flags = LAST if index == len(slices) else 0
        payload = FRAGMENT.pack(0, 0, FRAGMENT.size + len(part), identifier, index, flags) + part
        header = message[:16] + bytes([c.FRAGMENT]) + message[17:19] + b'\0' + message[20:24]
        pieces.append(header + struct.pack('>L', wire.HEADER.size + len(payload)) + payload)
    return pieces


class Reassembly:
    """What the clients' fragments have come to."""

    def __init__(self, judge):
        self.judge = judge
        self.parts, self.ends = {}, {}

    def take(self, data):
        """A fragment of a client's; the message where it was the last that was missing."""
        if len(data) <= ROOM:
            raise wire.WireError(f'a fragment of {len(data)} bytes')
        following, reserved, length, identifier, index, flags = FRAGMENT.unpack_from(
            data, wire.HEADER.size
        )
        expect = self.judge.expect
        expect(following == 0 and reserved == 0, 'fragment-alone', 'another payload behind it')
        expect(length == len(data) - wire.HEADER.size, 'fragment-length', f'{length}')
        expect(index > 0 and flags in (0, LAST), 'fragment-index', f'{index} {flags:#x}')
        expect(data[19] == 0, 'fragment-clear', f'flags {data[19]:#x} in the header')
        key = (data[:16], data[20:24], identifier)
        parts = self.parts.setdefault(key, {})
        if expect(parts.get(index, data[ROOM:]) == data[ROOM:], 'fragment-differs', f'{index}'):
            parts[index] = data[ROOM:]
        if flags & LAST:
            self.ends[key] = index
        if len(parts) != self.ends.get(key):
            return None
        del self.parts[key], self.ends[key]
        return b''.join(parts[i] for i in sorted(parts))
