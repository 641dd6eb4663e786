# SPDX-License-Identifier: GPL-2.0-or-later
"""ESP in tunnel mode (RFC 4303; RFC 3602, RFC 2451, RFC 4106, RFC 2404, RFC 4868), one direction an
SA.
"""

import hmac
import struct

from . import crypto

TUNNEL_IPV4 = 4


class EspError(Exception):
    """A packet that is not accepted; the text is the cause."""


class EspSa:
    """Keys of one direction, its sequence numbers, and the strict look at what the peer sends."""

    def __init__(self, spi, suite, material, icv=None):
        self.spi = spi
        self.cipher, self.hash = suite.cipher, suite.hash
        split = self.cipher.key + self.cipher.salt
        self.key, self.salt = material[: self.cipher.key], material[self.cipher.key : split]
        self.auth_key = material[split:]
        self.icv = 16 if self.cipher.salt else (icv or self.hash.icv)
        self.sequence = 0
        self.packets = 0
        self.seen = set()
        self.ivs = set()

    @staticmethod
    def material_length(suite):
        return suite.cipher.key + suite.cipher.salt + (suite.hash.size if suite.hash else 0)

    def seal(self, inner, rng, sequence=None, next_header=TUNNEL_IPV4):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        head = self.spi + struct.pack('>L', sequence)
        pad = -(len(inner) + 2) % max(self.cipher.block, 4)
        plain = inner + bytes(range(1, pad + 1)) + bytes([pad, next_header])
        if self.cipher.salt:
            iv = struct.pack('>Q', sequence)
            return head + iv + crypto.gcm_seal(self.key, self.salt + iv, plain, head)
        iv = rng.getrandbits(8 * self.cipher.block).to_bytes(self.cipher.block, 'big')
        body = head + iv + crypto.cbc(self.cipher, self.key, iv, plain, True)
        return body + crypto.mac(self.hash.name, self.auth_key, body)[: self.icv]

    def open(self, packet, judge):
        """The inner packet; rules of the sender are checked after its ICV."""
        if len(packet) < 8 + self.icv or packet[:4] != self.spi:
            raise EspError('malformed')
        plain, iv = self._decrypt(packet)
        sequence = struct.unpack_from('>L', packet, 4)[0]
        if not judge.expect(sequence != 0, 'rfc4303-2.2-sequence', 'the first packet has number 1'):
            raise EspError('sequence')
        if sequence in self.seen:
            raise EspError('replay')
        self.seen.add(sequence)
        self.packets += 1
        judge.expect(iv not in self.ivs, 'rfc4303-iv', 'an IV was used twice')
        self.ivs.add(iv)
        return self._unpad(plain, judge)

    def _decrypt(self, packet):
        if self.cipher.salt:
            iv = packet[8:16]
            try:
                return crypto.gcm_open(self.key, self.salt + iv, packet[16:], packet[:8]), iv
            except Exception as error:
                raise EspError('authentication') from error
        body, icv = packet[: -self.icv], packet[-self.icv :]
        expected = crypto.mac(self.hash.name, self.auth_key, body)[: self.icv]
        if not hmac.compare_digest(icv, expected):
            raise EspError('authentication')
        block = self.cipher.block
        iv, data = body[8 : 8 + block], body[8 + block :]
        if not data or len(data) % block:
            raise EspError('malformed')
        return crypto.cbc(self.cipher, self.key, iv, data, False), iv

    def _unpad(self, plain, judge):
        pad, next_header = plain[-2], plain[-1]
        if pad + 2 > len(plain):
            raise EspError('padding')
        padding = plain[-2 - pad : -2]
        judge.expect(padding == bytes(range(1, pad + 1)), 'rfc4303-2.4-padding', padding.hex())
        judge.expect(next_header == TUNNEL_IPV4, 'rfc4303-2.6-next', f'next header {next_header}')
        inner = plain[: -2 - pad]
        if len(inner) >= 20:
            total = struct.unpack_from('>H', inner, 2)[0]
            judge.expect(total <= len(inner), 'inner-length', f'{total} of {len(inner)} bytes')
            inner = inner[:total]
        return inner
