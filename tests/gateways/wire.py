# SPDX-License-Identifier: GPL-2.0-or-later
"""ISAKMP on the wire (RFC 2408, section 3), both directions.

Parsing raises WireError where a message can't be understood, and tells the judge where it can be
understood but breaks a rule (reserved fields, attribute forms, padding), so that one run shows all
faults.
"""

import struct
from dataclasses import dataclass, field

from . import constants as c

HEADER = struct.Struct('>8s8sBBBBLL')
GENERIC = struct.Struct('>BBH')


class WireError(Exception):
    """The bytes are no valid message."""


@dataclass
class Header:
    cky_i: bytes
    cky_r: bytes
    next: int
    exchange: int
    flags: int = 0
    mid: int = 0
    length: int = 0
    version: int = c.VERSION

    def pack(self, length):
        return HEADER.pack(
            self.cky_i,
            self.cky_r,
            self.next,
            self.version,
            self.exchange,
            self.flags,
            self.mid,
            length,
        )


@dataclass
class Attribute:
    type: int
    value: bytes
    basic: bool

    @property
    def number(self):
        return int.from_bytes(self.value, 'big')


@dataclass
class Transform:
    number: int
    id: int
    attributes: list
    raw: bytes = b''

    def get(self, kind, default=None):
        """The number in the first attribute of this type."""
        for attribute in self.attributes:
            if attribute.type == kind:
                return attribute.number
        return default

    def lifetimes(self, type_attribute, duration_attribute):
        """{unit: duration}: every LIFE_TYPE is followed by its LIFE_DURATION (RFC 2407, 4.5)."""
        found, unit = {}, None
        for attribute in self.attributes:
            if attribute.type == type_attribute:
                unit = attribute.number
            elif attribute.type == duration_attribute and unit is not None:
                found[unit] = attribute.number
                unit = None
        return found


@dataclass
class Proposal:
    number: int
    protocol: int
    spi: bytes
    transforms: list


@dataclass
class Payload:
    type: int
    body: bytes


@dataclass
class Message:
    header: Header
    payloads: list
    padding: bytes = b''
    after_hash: bytes = b''
    types: tuple = field(default=())

    def all(self, kind):
        return [p.body for p in self.payloads if p.type == kind]

    def get(self, kind):
        bodies = self.all(kind)
        return bodies[0] if bodies else None


# ---- parsing ----


def parse_header(data, judge):
    if len(data) < HEADER.size:
        raise WireError(f'{len(data)} bytes are less than a header')
    cky_i, cky_r, first, version, exchange, flags, mid, length = HEADER.unpack_from(data)
    header = Header(cky_i, cky_r, first, exchange, flags, mid, length, version)
    if length != len(data):
        raise WireError(f'header says {length}, datagram has {len(data)}')
    judge.expect(version == c.VERSION, 'rfc2408-3.1-version', f'version {version:#x}')
    judge.expect(flags & ~7 == 0, 'rfc2408-3.1-flags', f'reserved flags {flags:#x}')
    judge.expect(cky_i != bytes(8), 'rfc2408-3.1-cookie', 'initiator cookie is zero')
    return header


def parse_chain(first, data, judge):
    """A chain of payloads: ([Payload], what is left behind the last one)."""
    payloads, at, kind = [], 0, first
    while kind != c.NONE:
        if len(data) - at < GENERIC.size:
            raise WireError(f'no room for the header of payload {kind}')
        following, reserved, length = GENERIC.unpack_from(data, at)
        if length < GENERIC.size or length > len(data) - at:
            raise WireError(f'payload {kind} says {length} of {len(data) - at} bytes')
        judge.expect(
            reserved == 0, 'rfc2408-3.2-reserved', f'reserved {reserved} in payload {kind}'
        )
        payloads.append(Payload(kind, data[at + GENERIC.size : at + length]))
        at += length
        kind = following
    return payloads, data[at:]


def parse_attributes(data):
    attributes, at = [], 0
    while at < len(data):
        if len(data) - at < 4:
            raise WireError('attribute header is cut')
        kind, value = struct.unpack_from('>HH', data, at)
        at += 4
        if kind & 0x8000:
            attributes.append(Attribute(kind & 0x7FFF, struct.pack('>H', value), True))
            continue
        if value > len(data) - at:
            raise WireError(f'attribute {kind} says {value} of {len(data) - at} bytes')
        attributes.append(Attribute(kind, data[at : at + value], False))
        at += value
    return attributes


def parse_transform(body, judge):
    if len(body) < 4:
        raise WireError('transform is cut')
    number, identifier, reserved = struct.unpack_from('>BBH', body)
    judge.expect(reserved == 0, 'rfc2408-3.6-reserved', f'reserved {reserved} in a transform')
    return Transform(number, identifier, parse_attributes(body[4:]), body)


def parse_proposal(body, judge):
    if len(body) < 4:
        raise WireError('proposal is cut')
    number, protocol, spi_size, count = body[:4]
    if len(body) - 4 < spi_size:
        raise WireError('proposal SPI is cut')
    spi, rest = body[4 : 4 + spi_size], body[4 + spi_size :]
    chain, left = parse_chain(c.TRANSFORM if count else c.NONE, rest, judge)
    if left or any(p.type != c.TRANSFORM for p in chain):
        raise WireError('something else than transforms in a proposal')
    judge.expect(len(chain) == count, 'rfc2408-3.5-count', f'{len(chain)} transforms, {count} said')
    transforms = [parse_transform(p.body, judge) for p in chain]
    numbers = [t.number for t in transforms]
    judge.expect(
        all(a < b for a, b in zip(numbers, numbers[1:])),
        'rfc2408-4.2-numbers',
        f'transform numbers {numbers} do not increase',
    )
    return Proposal(number, protocol, spi, transforms)


def parse_sa(body, judge):
    if len(body) < 8:
        raise WireError('SA payload is cut')
    doi, situation = struct.unpack_from('>LL', body)
    judge.expect(doi == c.DOI_IPSEC, 'rfc2407-4.2-doi', f'DOI {doi}')
    judge.expect(
        situation == c.SIT_IDENTITY_ONLY, 'rfc2407-4.2-situation', f'situation {situation}'
    )
    chain, left = parse_chain(c.PROPOSAL, body[8:], judge)
    if left or any(p.type != c.PROPOSAL for p in chain):
        raise WireError('something else than proposals in an SA payload')
    return [parse_proposal(p.body, judge) for p in chain]


# ---- building ----


def build_chain(payloads):
    """[(type, body)] -> (first type, bytes)."""
    out = b''
    for index, (_, body) in enumerate(payloads):
        following = payloads[index + 1][0] if index + 1 < len(payloads) else c.NONE
        out += GENERIC.pack(following, 0, len(body) + 4) + body
    return (payloads[0][0] if payloads else c.NONE), out


def build_attribute(kind, value, basic=None):
    """Integers go basic where they fit, bytes go variable; `basic` overrides."""
    if isinstance(value, int):
        if basic is None:
            basic = value < 0x10000
        if basic:
            return struct.pack('>HH', 0x8000 | kind, value)
        value = value.to_bytes(4, 'big')
    return struct.pack('>HH', kind, len(value)) + value


def build_attributes(pairs):
    return b''.join(build_attribute(*pair) for pair in pairs)


def build_sa(proposals):
    """[(number, protocol, spi, [transform bodies])] -> body of an SA payload."""
    chain = []
    for number, protocol, spi, transforms in proposals:
        inner = build_chain([(c.TRANSFORM, t) for t in transforms])[1]
        chain.append(
            (c.PROPOSAL, bytes([number, protocol, len(spi), len(transforms)]) + spi + inner)
        )
    return struct.pack('>LL', c.DOI_IPSEC, c.SIT_IDENTITY_ONLY) + build_chain(chain)[1]


def build_transform(number, identifier, attributes):
    return bytes([number, identifier, 0, 0]) + attributes


def build_notify(protocol, kind, spi=b'', data=b''):
    return struct.pack('>LBBH', c.DOI_IPSEC, protocol, len(spi), kind) + spi + data


def build_delete(protocol, spis):
    size = len(spis[0])
    return struct.pack('>LBBH', c.DOI_IPSEC, protocol, size, len(spis)) + b''.join(spis)


def build_id(kind, data, protocol=0, port=0):
    return struct.pack('>BBH', kind, protocol, port) + data


def build_config(kind, identifier, pairs, zero_padding=0):
    """zero_padding: what libreswan leaves inside the payload's length."""
    return struct.pack('>BBH', kind, 0, identifier) + build_attributes(pairs) + bytes(zero_padding)


# ---- payload bodies ----


@dataclass
class Notify:
    doi: int
    protocol: int
    kind: int
    spi: bytes
    data: bytes


@dataclass
class Delete:
    doi: int
    protocol: int
    spi_size: int
    spis: list


@dataclass
class Identity:
    kind: int
    protocol: int
    port: int
    data: bytes


@dataclass
class Config:
    kind: int
    identifier: int
    attributes: list

    def types(self):
        return [a.type for a in self.attributes]

    def value(self, kind):
        for attribute in self.attributes:
            if attribute.type == kind:
                return attribute.value
        return None


def parse_notify(body):
    if len(body) < 8:
        raise WireError('notify is cut')
    doi, protocol, spi_size, kind = struct.unpack_from('>LBBH', body)
    if len(body) - 8 < spi_size:
        raise WireError('notify SPI is cut')
    return Notify(doi, protocol, kind, body[8 : 8 + spi_size], body[8 + spi_size :])


def parse_delete(body):
    if len(body) < 8:
        raise WireError('delete is cut')
    doi, protocol, size, count = struct.unpack_from('>LBBH', body)
    if size * count != len(body) - 8 or not size:
        raise WireError('delete SPIs do not fit')
    return Delete(
        doi, protocol, size, [body[8 + i * size : 8 + (i + 1) * size] for i in range(count)]
    )


def parse_id(body):
    if len(body) < 4:
        raise WireError('identity is cut')
    kind, protocol, port = struct.unpack_from('>BBH', body)
    return Identity(kind, protocol, port, body[4:])


def parse_config(body, judge):
    if len(body) < 4:
        raise WireError('attribute payload is cut')
    kind, reserved, identifier = struct.unpack_from('>BBH', body)
    judge.expect(reserved == 0, 'mode-cfg-3.2-reserved', f'reserved {reserved}')
    return Config(kind, identifier, parse_attributes(body[4:]))
