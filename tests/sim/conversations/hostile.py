# SPDX-License-Identifier: GPL-2.0-or-later
"""Before authentication: what anybody on or off the path may send.

Most cases put forged datagrams in front of each true one and want two things: nothing but the
client's own
retransmissions goes out for them, and the conversation still ends connected.
"""

import random
import struct

from cases import carries, case, cases, equal, expect, summary
from gateways import crypto, wire
from gateways import constants as c
from gateways.personalities import Personality, Srx, StrongSwan, variant
from world import WITH_USER, World

SLOW = 40


def quiet(world, port, data):
    """The client may answer these bytes with what it had sent before, and with nothing else."""
    before = {s.data for s in world.sent}
    answer = world.receive(port, data)
    fresh = [p for p in answer.packets if p[1] not in before]
    got = fresh[0][1][:40].hex() if fresh else ''
    expect(not fresh, f'answered {data[:100].hex()}.. of {len(data)} bytes with {got}')
    expect(not any(name == 'failed' for name, _ in answer.events), f'failed by {data[:60].hex()}')


def before_each(world, forge, names=None):
    """`forge(bytes of the ISAKMP message)` gives forgeries that arrive just before the true one."""

    def intercept(_, datagram):
        if names and datagram.name not in names:
            return None
        world.at(0.02, lambda: deliver(datagram))
        return []

    def deliver(datagram):
        marker = c.MARKER if datagram.port == 4500 else b''
        for forged in forge(datagram.data[len(marker) :]):
            quiet(world, datagram.port, marker + forged)
        world.receive(datagram.port, datagram.data)

    world.to_client = intercept


def survives(sim, forge, personality=Srx, profile=None, names=None):
    user = WITH_USER if 'xauth' in personality.plan else {}
    world = sim.world(personality, {**user, **(profile or {})})
    before_each(world, forge, names)
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.to_client = None
    world.run(1)
    carries(world)
    return world


def survives_few(sim, forge, count=2):
    """The forgeries of a first answer, a few a session: a client may stop looking after some."""
    total, first = 1, 0
    while first < total:
        seen = []

        def some(data, seen=seen, first=first):
            seen.extend(forge(data))
            return seen[first : first + count]

        survives(sim, some, Personality, names=('am2',))
        del sim.worlds[:-1]
        total, first = len(seen), first + count


def with_length(data):
    """The header's length made right."""
    return data[:24] + struct.pack('>L', len(data)) + data[28:]


# ---- A9: lengths ----


@cases('as it is', 'length made right')
def test_a9_every_truncation_of_every_message(sim, how):
    def forge(data):
        cut = [data[:n] for n in range(len(data))]
        return cut if how == 'as it is' else [with_length(d) if len(d) >= 28 else d for d in cut]

    # XAUTH, push and Quick Mode are all behind encryption: a cut there changes the ciphertext
    survives(sim, forge)


@case
def test_a9_header_length_differs(sim):
    def forge(data):
        for length in (
            0,
            1,
            27,
            28,
            len(data) - 1,
            len(data) + 1,
            len(data) + 4,
            0xFFFF,
            0xFFFFFFFF,
            0x80000000,
        ):
            if length != len(data):
                yield data[:24] + struct.pack('>L', length) + data[28:]
        yield data + b'\0'
        yield data + bytes(4)

    survives(sim, forge)


@case
def test_a9_payload_lengths(sim):
    """Each payload of the cleartext answer says 0..3, one less, one more, and the most."""

    def forge(data):
        at, kind = 28, data[16]
        while kind:
            following, _, length = struct.unpack_from('>BBH', data, at)
            for wrong in (0, 1, 2, 3, 4, length - 1, length + 1, 0x7FFF, 0xFFFF):
                yield data[: at + 2] + struct.pack('>H', wrong) + data[at + 4 :]
            at, kind = at + length, following

    survives_few(sim, forge)


# ---- A17: payload numbers ----


@case
def test_a17_every_payload_number_in_a_first_answer(sim):
    """0 to 255 in the place of each payload's number, and alone."""

    def forge(data):
        places, at, kind = [16], 28, data[16]
        while kind:
            following, _, length = struct.unpack_from('>BBH', data, at)
            places.append(at)
            at, kind = at + length, following
        # the last one says that nothing follows: there, another number runs past the end
        for place in places:
            for number in range(256):
                if number != data[place] and not harmless(data[place], number):
                    yield data[:place] + bytes([number]) + data[place + 1 :]
        for number in range(256):
            yield with_length(data[:16] + bytes([number]) + data[17:28] + b'\0\0\0\x08abcd')

    survives(sim, forge, Personality, names=('am2',))


def harmless(true, number):
    """A vendor ID under a number that nobody knows: the answer stays authentic (RFC 2409, 5 hashes
    neither).
    """
    return true in (c.VENDOR, c.NAT_D)


@case
def test_a17_vendor_ids_under_every_number(sim):
    """They are not under HASH_R, so the message may be taken; nothing may break."""
    for number in list(range(14, 256, 7)) + [20, 21, 130, 131, 132]:
        world = sim.world(Personality, {'xauth': 'no'})
        world.gateway.hooks['am2'] = lambda payloads, n=number: [
            (n if k == c.VENDOR and b == c.VID_DPD else k, b) for k, b in payloads
        ]
        sim.forgive('rfc3706-5.1-vendor', 'rfc3947-4-float', 'am3-payload', 'rfc3947-3.2-natd')
        world.start().run(30, World.over)


@cases(0, 1, 2, 3, 5, 6, 7, 8, 32, 33, 34, 35, 36, 37, 240, 255)
def test_a17_every_exchange_type(sim, exchange):
    """The answer under another exchange: IKEv2's numbers too."""
    survives(sim, lambda data: [data[:18] + bytes([exchange]) + data[19:]], names=('am2',))


@cases(0x00, 0x11, 0x20, 0x1F, 0xFF)
def test_a17_versions(sim, version):
    survives(sim, lambda data: [data[:17] + bytes([version]) + data[18:]], names=('am2',))


@case
def test_flags_of_the_answer(sim):
    survives(
        sim,
        lambda data: [data[:19] + bytes([f]) + data[20:] for f in (1, 3, 5, 0x81, 0xFF)],
        names=('am2',),
    )


# ---- A1: attributes ----


@case
def test_a1_attribute_longer_than_its_transform(sim):
    """Lengths of the TLV up to 0xFFFF, and headers that do not fit."""

    def forge(data):
        at = 28 + 4 + 8 + 8  # SA, proposal: the transform's header
        place, (length,) = at + 8, struct.unpack_from('>H', data, at + 2)
        while place < at + length:
            kind, value = struct.unpack_from('>HH', data, place)
            for wrong in (0, 1, 4, 5, 0x7FFF, 0xFFFF, 0xFFFC):
                forged = struct.pack('>HH', kind & 0x7FFF, wrong)
                # the gateway may say a lifetime of its own
                advisory = kind == 0x8000 | c.P1_LIFE_TYPE
                if forged != data[place : place + 4] and not advisory:
                    yield data[:place] + forged + data[place + 4 :]
            place += 4 if kind & 0x8000 else 4 + value
        for cut in (1, 2, 3):
            yield shorter_transform(data, at, cut)

    survives_few(sim, forge)


def shorter_transform(data, at, cut):
    """The transform ends in the middle of an attribute's header, all lengths above agree."""
    (length,) = struct.unpack_from('>H', data, at + 2)
    out = bytearray(data[: at + length - cut] + data[at + length :])
    for place in (30, 42, at + 2):
        struct.pack_into('>H', out, place, struct.unpack_from('>H', out, place)[0] - cut)
    return with_length(bytes(out))


@cases(*range(0, 20))
def test_a2_a3_vendor_ids_cut(sim, length):
    """0 to 15 bytes of a known one are unknown."""
    known = (
        c.VID_NATT_RFC,
        c.VID_DPD,
        c.VID_FRAGMENTATION + b'\x80\0\0\0',
        c.VID_UNITY,
        c.VID_XAUTH,
    )
    personality = variant(Personality, natt=())
    world = sim.world(personality, {'xauth': 'no', 'natt': 'auto'})
    world.gateway.hooks['am2'] = (
        lambda payloads: payloads[:-1]
        + [(c.VENDOR, vid[:length]) for vid in known if length < len(vid)]
        + payloads[-1:]
    )
    sim.forgive('rfc3947-4-float', 'am3-payload', 'natd-unasked', 'rfc3947-5.1-encapsulation')
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))


# ---- A8: floods ----


@cases(1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 400)
def test_a8_unknown_payload_flood(sim, count):
    """N payloads in front of the answer's own, from the attacker; then the true answer."""

    def forge(data):
        for kind in (c.VENDOR, 130, 200, 250, c.NOTIFY, c.CERTREQ):
            flood = b''.join(
                struct.pack('>BBH', kind if i + 1 < count else data[16], 0, 8) + b'abcd'
                for i in range(count)
            )
            yield with_length(data[:16] + bytes([kind]) + data[17:28] + flood)

    survives(sim, forge, Personality, names=('am2',))


@cases(1, 16, 64, 200)
def test_a8_vendor_id_flood_of_the_true_gateway(sim, count):
    world = sim.world(Personality, {'xauth': 'no'})
    world.gateway.hooks['am2'] = (
        lambda payloads: payloads[:-1]
        + [(c.VENDOR, i.to_bytes(16, 'big')) for i in range(count)]
        + payloads[-1:]
    )
    world.start().run(30, World.over)
    expect(world.has('connected') or (count > 50 and world.has('failed')), summary(world))


@case
def test_a8_natd_flood(sim):
    world = sim.world(Personality, {'xauth': 'no'})
    world.gateway.hooks['am2'] = (
        lambda payloads: payloads[:-1]
        + [(c.NAT_D, bytes([i]) * 20) for i in range(100)]
        + payloads[-1:]
    )
    sim.forgive('rfc3947-4-float')
    world.start().run(30, World.over)
    expect(world.over(), summary(world))


# ---- A15, A16, C8: Diffie-Hellman ----


class Rogue:
    """A public value of the attacker's choice, with the secret that would follow from it."""

    def __init__(self, public, secret):
        self.public, self.secret = public, secret

    def shared(self, _):
        return self.secret


def modp_values(group):
    p, size = crypto.prime(group), crypto.public_length(group)

    def number(value, length=size):
        return value.to_bytes(length, 'big')

    return {
        '0': (number(0), number(0)),
        '1': (number(1), number(1)),
        'p-1, even': (number(p - 1), number(1)),
        'p-1, odd': (number(p - 1), number(p - 1)),
        'p': (number(p), number(0)),
        'p+1': (number(p + 1), number(1)),
        'all ff': (b'\xff' * size, number(1)),
        'empty': (b'', number(1)),
        'one byte': (b'\2', number(2)),
        'short': (number(2**200, size - 1), number(1)),
        'long': (b'\0' + number(2**200), number(1)),
        'twice': (number(2**200) * 2, number(1)),
        'of another group': (number(2**200, 96 if size != 96 else 128), number(1)),
    }


MODP_NAMES = (
    '0',
    '1',
    'p-1, even',
    'p-1, odd',
    'p',
    'p+1',
    'all ff',
    'empty',
    'one byte',
    'short',
    'long',
    'twice',
    'of another group',
)


@cases(*MODP_NAMES)
def test_a15_public_value_of_phase_1(sim, what):
    """HASH_R fits the secret that follows, so only a look at the value itself helps."""
    for group in ('modp1024', 'modp2048'):
        public, secret = modp_values(group)[what]
        world = sim.world(
            Srx,
            {
                **WITH_USER,
                'proposals': f'aes128-sha1-{group}'
                if group == 'modp1024'
                else f'aes256-sha256-{group}',
            },
        )
        world.gateway.hooks['dh'] = lambda dh, v=(public, secret): Rogue(*v)
        world.start().run(SLOW, World.over)
        expect(world.has('failed'), f'{group}: {summary(world)}')
        kinds = {(s.exchange, s.encrypted) for s in world.sent}
        equal(kinds, {(c.AGGRESSIVE, False)}, f'{group}: what was sent')


@cases(*MODP_NAMES)
def test_a15_public_value_of_quick_mode(sim, what):
    public, secret = modp_values('modp1024')[what]
    world = sim.world(Personality, {'xauth': 'no', 'p2': 'aes128-sha1-modp1024'})
    # the first key is that of phase 1
    seen = []
    world.gateway.hooks['dh'] = lambda dh: seen.append(dh) or (
        dh if len(seen) == 1 else Rogue(public, secret)
    )
    world.start().run(200, World.over)
    expect(not world.has('connected') and world.has('failed'), summary(world))


def point(group, x, y):
    size = crypto.CURVES[group][1]
    return x.to_bytes(size, 'big') + y.to_bytes(size, 'big')


BAD_POINTS = {
    'zero': lambda g, ok: point(g, 0, 0),
    'off the curve': lambda g, ok: ok[:-1] + bytes([ok[-1] ^ 1]),
    'x too large': lambda g, ok: b'\xff' * (len(ok) // 2) + ok[len(ok) // 2 :],
    'all ff': lambda g, ok: b'\xff' * len(ok),
    'one and one': lambda g, ok: point(g, 1, 1),
    'x alone': lambda g, ok: ok[: len(ok) // 2],
    'compressed': lambda g, ok: b'\2' + ok[: len(ok) // 2],
    'uncompressed form': lambda g, ok: b'\4' + ok,
    'one byte less': lambda g, ok: ok[1:],
    'empty': lambda g, ok: b'',
}


@cases(*BAD_POINTS)
def test_c8_points_of_phase_1(sim, what):
    for group in ('ecp256', 'ecp384', 'ecp521'):
        suite = f'aes128-sha256-{group}'
        world = sim.world(variant(Srx, phase1=suite), {**WITH_USER, 'proposals': suite})

        def rogue(dh, name=group):
            bad = BAD_POINTS[what](name, dh.public)
            return Rogue(bad, bytes(crypto.CURVES[name][1]))

        world.gateway.hooks['dh'] = rogue
        world.start().run(SLOW, World.over)
        expect(world.has('failed'), f'{group}: {summary(world)}')
        kinds = {(s.exchange, s.encrypted) for s in world.sent}
        equal(kinds, {(c.AGGRESSIVE, False)}, f'{group}: what was sent')


@cases(*range(5))
def test_c8_small_order_points_of_curve25519(sim, which):
    """All of them give the secret zero (RFC 7748, 6.1)."""
    points = (
        bytes(32),
        b'\1' + bytes(31),
        bytes.fromhex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
        bytes.fromhex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
        b'\xec' + b'\xff' * 30 + b'\x7f',
    )
    suite = 'aes128-sha256-curve25519'
    world = sim.world(variant(Srx, phase1=suite), {**WITH_USER, 'proposals': suite})
    world.gateway.hooks['dh'] = lambda dh: Rogue(points[which], bytes(32))
    world.start().run(SLOW, World.over)
    expect(world.has('failed'), summary(world))
    equal({(s.exchange, s.encrypted) for s in world.sent}, {(c.AGGRESSIVE, False)}, 'what was sent')


@cases(0, 1, 7, 8, 256, 257, 1000)
def test_nonce_lengths(sim, length):
    """RFC 2409, 5: 8 to 256 bytes."""
    world = sim.world(variant(Personality, nonce_length=length), {'xauth': 'no'})
    world.start().run(SLOW, World.over)
    expect(world.has('connected') == (8 <= length <= 256), summary(world))


# ---- B10: the HASH ----


@case
def test_b10_hash_r_wrong_in_each_byte(sim):
    def forge(data):
        for place in range(len(data) - 20, len(data)):
            for bit in (1, 0x80):
                yield data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
        yield with_length(data[: -20 - 4] + b'\0\0\0\4')
        for length in (1, 16, 19):
            yield with_length(
                data[:-24] + struct.pack('>BBH', 0, 0, 4 + length) + data[-20 : -20 + length]
            )
        yield with_length(data[:-24] + struct.pack('>BBH', 0, 0, 25) + data[-20:] + b'\0')

    survives_few(sim, forge)


@case
def test_b10_every_byte_of_the_answer_changed(sim):
    """Each byte of SA, KE, Nr, IDir and HASH is under HASH_R or must be what was offered."""

    def forge(data):
        end = natural_end(data)
        for place in list(range(0, end)) + list(range(len(data) - 20, len(data))):
            if place in range(8, 16):
                continue  # the responder's cookie: another SA, equally unauthenticated
            if overlooked(data, place):
                continue
            yield data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]

    survives_few(sim, forge)


def natural_end(data):
    """Behind SA, KE, Nr and IDir."""
    at = 28
    for _ in range(4):
        at += struct.unpack_from('>H', data, at + 2)[0]
    return at


def overlooked(data, place):
    """What HASH_R does not cover and a client may take as it is: RESERVED fields, the numbers of
    proposal and transform (RFC 2408, 4.2: SHOULD be retained), the gateway's lifetime, which
    unknown payload follows, reserved flags."""
    at, headers = 28, []
    for _ in range(4):
        headers.append(at)
        at += struct.unpack_from('>H', data, at + 2)[0]
    transform = 28 + 4 + 8 + 8
    allowed = [at + 1 for at in headers] + [headers[3], 19, transform - 7, transform - 4]
    allowed += [transform + 1, transform + 4, transform + 6, transform + 7]
    life = data.index(b'\x80\x0b\0\1', transform)
    return place in allowed or life + 2 <= place < life + 12


@case
def test_b10_responder_cookie_changed(sim):
    """It is under HASH_R."""
    survives(
        sim,
        lambda data: [data[:8] + bytes(7) + b'\1' + data[16:], data[:8] + bytes(8) + data[16:]],
        Personality,
        names=('am2',),
    )


@case
def test_b10_initiator_cookie_unknown(sim):
    survives(
        sim,
        lambda data: [
            bytes([data[i] ^ (0xFF if i == k else 0) for i in range(8)]) + data[8:]
            for k in range(8)
        ],
    )


# ---- B1, B2, B3, B4 ----


def clear_informational(data, mid=0x4242):
    """Notifies and deletes in clear, with the cookies of this message."""
    for kind in (1, 14, 16, 17, 18, 23, 24, 29, 16384, 24576, 24578, 36136, 36137, 40001, 40501):
        body = wire.build_notify(c.PROTO_ISAKMP, kind, data[:16], b'\0\0\0\1')
        yield c.NOTIFY, body
    yield c.DELETE, wire.build_delete(c.PROTO_ISAKMP, [data[:16]])
    yield c.DELETE, wire.build_delete(c.PROTO_ESP, [b'\0\0\1\0', b'abcd'])


def informational(data, flags=0):
    for kind, body in clear_informational(data):
        first, rest = wire.build_chain([(kind, body)])
        header = wire.Header(data[:8], data[8:16], first, c.INFORMATIONAL, flags, 0x4242)
        yield header.pack(28 + len(rest)) + rest


@case
def test_b2_informational_before_and_during_phase_1(sim):
    """Encrypted ones before there are keys too; hints wait for half a second, the answer is there
    at once.
    """

    def forge(data):
        yield from informational(data)
        yield from informational(data, c.FLAG_ENCRYPTED)
        for size in (0, 1, 7, 8, 15, 16, 32, 100):
            header = wire.Header(
                data[:8], data[8:16], c.HASH, c.INFORMATIONAL, c.FLAG_ENCRYPTED, 0x77
            )
            yield header.pack(28 + size) + bytes(size)

    survives(sim, forge, names=('am2',))


@case
def test_b1_clear_informational_in_every_state(sim):
    survives(sim, lambda data: list(informational(data)))


@case
def test_a20_dpd_without_an_sa(sim):
    world = sim.world(Personality)
    world.start()
    body = wire.build_notify(c.PROTO_ISAKMP, c.R_U_THERE, b'\1' * 16, b'\0\0\0\1')
    first, rest = wire.build_chain([(c.NOTIFY, body)])
    cookies = world.sent[0].data[:8], b'\1' * 8
    for cky_i, cky_r in (
        (cookies[0], bytes(8)),
        cookies,
        (bytes(8), bytes(8)),
        (b'\2' * 8, b'\3' * 8),
    ):
        header = wire.Header(cky_i, cky_r, first, c.INFORMATIONAL, 0, 5)
        quiet(world, 500, header.pack(28 + len(rest)) + rest)
        quiet(world, 4500, bytes(4) + header.pack(28 + len(rest)) + rest)


@case
def test_b3_first_messages_of_the_gateway_are_not_answered(sim):
    """Main, aggressive and IKEv2 exchanges that somebody begins with us, in every state."""
    rng = random.Random(4)
    plain = crypto.DiffieHellman('modp1024', rng).public

    def forge(data):
        attributes = wire.build_attributes(
            [(1, 7), (14, 128), (2, 2), (3, 1), (4, 2), (11, 1), (12, 28800)]
        )
        sa = wire.build_sa([(1, 1, b'', [wire.build_transform(1, 1, attributes)])])
        bodies = [
            (c.SA, sa),
            (c.KE, plain),
            (c.NONCE, bytes(20)),
            (c.ID, wire.build_id(2, b'gw.example.com')),
        ]
        for exchange, chosen in (
            (c.MAIN, bodies[:1]),
            (c.AGGRESSIVE, bodies),
            (c.BASE, bodies[:1]),
            (34, bodies),
        ):
            first, rest = wire.build_chain(chosen)
            for cky_i in (rng.getrandbits(64).to_bytes(8, 'big'), data[:8]):
                header = wire.Header(cky_i, bytes(8), first, exchange)
                yield header.pack(28 + len(rest)) + rest

    survives(sim, forge)


@case
def test_b3_at_most_one_datagram_out_for_one_in(sim):
    """An answer that is repeated a hundred times brings no burst."""
    world = sim.world(Srx, {**WITH_USER, 'psk': b'another secret'})
    before_each(world, lambda data: [data] * 100, names=('am2',))
    world.start().run(30, World.over)
    expect(len(world.sent) < 30, f'{len(world.sent)} datagrams')


@case
def test_b4_nothing_is_taken_before_hash_r(sim):
    """XAUTH, configuration and Quick Mode in clear or under wrong keys, before the answer."""

    def forge(data):
        pairs = [(c.XAUTH_USER_NAME, b''), (c.XAUTH_USER_PASSWORD, b'')]
        request = wire.build_config(c.CFG_REQUEST, 1, pairs)
        status = wire.build_config(c.CFG_SET, 1, [(c.XAUTH_STATUS, 1)])
        for cky_r in (bytes(8), data[8:16], b'\7' * 8):
            for body in (request, status):
                for flags in (0, c.FLAG_ENCRYPTED):
                    first, rest = wire.build_chain([(c.HASH, bytes(20)), (c.ATTRIBUTES, body)])
                    rest += bytes(-len(rest) % 16)
                    for exchange in (c.TRANSACTION, c.QUICK):
                        header = wire.Header(data[:8], cky_r, first, exchange, flags, 0x99)
                        yield header.pack(28 + len(rest)) + rest

    world = survives(sim, forge, names=('am2',))
    expect(len(world.gateway_events('xauth-accepted')) == 1, 'XAUTH')


@case
def test_a11_cookies_of_a_refused_attempt_are_dead(sim):
    """The gateway refused the first group under its own cookie; what comes later under it is
    nothing.
    """
    world = sim.world(
        variant(Personality, phase1='aes128-sha1-modp1024'),
        {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1024'},
    )
    refused = []

    def intercept(_, datagram):
        if datagram.name == 'refusal':
            refused.append(datagram.data)
        return None

    world.to_client = intercept
    world.start().run(30, World.over)
    expect(world.has('connected') and refused, summary(world))
    world.run(1)
    for data in refused:
        quiet(world, 500, data)
        quiet(world, 500, data[:18] + bytes([c.AGGRESSIVE]) + data[19:])
    carries(world)


@case
def test_a7_fragments_before_an_sa(sim):
    def forge(data):
        for body in (
            b'',
            b'\0',
            bytes(4),
            b'\0\1\1\1',
            b'\0\1\0\1',
            b'\0\1\xff\0',
            b'\0\1\1\1' + data,
            b'\0\1\1\0' + data[:40],
            b'\0\2\2\1' + data[40:],
        ):
            header = wire.Header(data[:8], data[8:16], c.FRAGMENT, c.AGGRESSIVE, 0)
            rest = struct.pack('>BBH', 0, 0, 4 + len(body)) + body
            yield header.pack(28 + len(rest)) + rest

    world = sim.world(Personality, {'xauth': 'no'})
    world.to_client = None

    def intercept(_, datagram):
        if datagram.name != 'am2':
            return None
        plan = [(0.02, datagram.port, f) for f in forge(datagram.data)]
        return plan + [(0.05, datagram.port, datagram.data)]

    world.to_client = intercept
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))


@cases(1, 2, 3)
def test_random_bytes_in_every_state(sim, seed):
    rng = random.Random(seed)

    def noise():
        return rng.randbytes(rng.choice((0, 1, 3, 4, 5, 27, 28, 29, 60, 200, 1500)))

    def broken(data):
        changed = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            changed[rng.randrange(28, len(data))] = rng.randrange(256)
        return bytes(changed)

    def forge(data):
        for _ in range(150):
            yield noise()
            other = broken(data)
            if data[19] & c.FLAG_ENCRYPTED and other != data:
                yield other

    survives(sim, forge)
    for _ in range(100):
        survives_few(sim, lambda data: [b for b in (broken(data),) if covered(data, b)])


def covered(true, broken):
    """Only changes that HASH_R covers: vendor IDs, NAT-D and reserved fields are not under it."""
    end = natural_end(true)
    return any(
        i < end and true[i] != broken[i] and not overlooked(true, i) for i in range(len(true))
    )


@cases('not offered', 'wrong hash', 'malformed', 'notify')
def test_b3_a_flood_of_forged_answers_does_not_win(sim, what):
    """Many of them in the half second that a better answer is given; the group stays.  Wrong HASHes
    cost a client its Diffie-Hellman each, so it may stop looking after some."""

    def forge(data):
        notify = list(informational(data))
        for i in range(12 if what == 'wrong hash' else 50):
            yield {
                'not offered': data[:60] + bytes([data[60] ^ (1 + i)]) + data[61:],
                'wrong hash': data[:-1] + bytes([data[-1] ^ (1 + i)]),
                'malformed': data[:30] + bytes([0xFF, i]) + data[32:],
                'notify': notify[i % len(notify)],
            }[what]

    proposals = 'aes256-sha256-modp2048;aes128-sha1-modp1024'
    world = survives(sim, forge, Personality, {'proposals': proposals}, names=('am2',))
    equal(str(world.gateway.newest().suite), 'aes256-sha256-modp2048', 'pushed to another group')


@case
def test_a19_memory_stays_flat(sim):
    """A hundred thousand bad first answers (ten thousand a session) leave the process as large as
    it was.
    """
    sizes = []
    rng = random.Random(9)
    for _ in range(4):
        world = sim.world(Personality, {'xauth': 'no'})
        first = world.start().sent[0]
        for _ in range(2500):
            data = (
                first.data[:8]
                + rng.randbytes(8)
                + bytes([rng.choice((1, 4, 11, 13)), 0x10, 4, 0])
                + bytes(4)
            )
            world.receive(500, with_length(data + bytes(4) + rng.randbytes(rng.randrange(0, 80))))
        sizes.append(resident(sim.pipe))
    expect(sizes[-1] - sizes[1] < 2048, f'{sizes} KiB')


def resident(pipe):
    with open(f'/proc/{pipe.process.pid}/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * 4


@case
def test_a16_ke_of_another_length_than_the_groups(sim):
    def forge(data):
        at = 28 + struct.unpack_from('>H', data, 30)[0]
        length = struct.unpack_from('>H', data, at + 2)[0]
        ke = data[at + 4 : at + length]
        for value in (b'', ke[:-1], ke + b'\0', b'\0' + ke, ke[:64], ke * 2, ke[1:]):
            body = data[at : at + 2] + struct.pack('>H', 4 + len(value)) + value
            yield with_length(data[:at] + body + data[at + length :])

    survives_few(sim, forge)


@case
def test_payloads_twice_or_missing_in_the_answer(sim):
    """SA, KE, Nr, IDir and HASH stand exactly once."""

    def forge(data):
        chain = wire.parse_chain(data[16], data[28:], Nothing())[0]
        for index, payload in enumerate(chain):
            if payload.type in (c.VENDOR, c.NAT_D):
                continue
            rest = [(p.type, p.body) for p in chain]
            for changed in (
                rest[:index] + rest[index + 1 :],
                rest[:index] + [rest[index]] + rest[index:],
            ):
                first, body = wire.build_chain(changed)
                yield with_length(data[:16] + bytes([first]) + data[17:28] + body)

    survives_few(sim, forge)


class Nothing:
    @staticmethod
    def expect(condition, *_):
        return bool(condition)


@case
def test_am2_whose_hash_is_right_under_another_psk_is_told(sim):
    """A rogue without the PSK never sees a third message, however often it tries."""
    world = sim.world(StrongSwan, {**WITH_USER, 'psk': b'ours'})
    world.start().run(SLOW, World.over)
    equal(world.reason, 'gateway-authentication', summary(world))
    expect(
        all(s.exchange == c.AGGRESSIVE and not s.encrypted for s in world.sent),
        'more than first messages',
    )
