# SPDX-License-Identifier: GPL-2.0-or-later
"""After authentication: messages without a good HASH, replays, and what an evil gateway itself may
send.
"""

import random
import struct

from cases import carries, case, cases, children, equal, expect, summary
from conversations.hostile import informational, quiet, survives
from gateways import constants as c
from gateways import inner, wire
from gateways.personalities import Cisco, Personality, Srx, StrongSwan, variant
from world import WITH_USER, World

# no question of the client's own disturbs the silence
QUIET = {'xauth': 'no', 'dpd': 3600}


def alive(world, child=None):
    """The tunnel is as it was: nothing was sent, nothing lost."""
    expect(not world.has('lost') and not world.has('failed'), summary(world))
    carries(world)
    if child:
        expect(child in children(world) and len(children(world)) == 1, 'another child')


def silent_for(world, action, seconds=5):
    """The client sends nothing while and after `action` happens."""
    before = len(world.sent)
    action()
    world.run(seconds)
    fresh = [s for s in world.sent[before:] if s.data != b'\xff']
    expect(not fresh, f'sent exchange {fresh[0].exchange if fresh else None}')


def deletes_and_notifies(world):
    """[(name, payloads)] of everything that would hurt if it were believed."""
    sa, child = world.gateway.newest(), children(world)[0]
    dead = wire.build_notify(c.PROTO_ISAKMP, c.R_U_THERE, sa.cookies, b'\0\0\0\1')
    return [
        ('delete esp', [(c.DELETE, wire.build_delete(c.PROTO_ESP, [child.inbound.spi]))]),
        (
            'delete esp of the client',
            [(c.DELETE, wire.build_delete(c.PROTO_ESP, [child.outbound.spi]))],
        ),
        ('delete isakmp', [(c.DELETE, wire.build_delete(c.PROTO_ISAKMP, [sa.cookies]))]),
        ('dpd', [(c.NOTIFY, dead)]),
        (
            'initial contact',
            [(c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, c.INITIAL_CONTACT, sa.cookies))],
        ),
        (
            'authentication failed',
            [(c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, c.AUTHENTICATION_FAILED))],
        ),
        (
            'no proposal',
            [(c.NOTIFY, wire.build_notify(c.PROTO_ESP, c.NO_PROPOSAL_CHOSEN, child.outbound.spi))],
        ),
    ]


# ---- B1: the HASH of informational exchanges ----


@case
def test_b1_informational_with_a_bad_hash(sim):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    child, sa = children(world)[0], world.gateway.newest()
    for name, payloads in deletes_and_notifies(world):
        for place in (0, 5, -1):

            def spoil(value, at=place):
                broken = bytearray(value)
                broken[at] ^= 1
                return bytes(broken)

            world.gateway.hooks['hash:' + name] = spoil
            silent_for(world, lambda n=name, p=payloads: sa.info.send(n, p), 1)
    alive(world, child)


@case
def test_b1_hash_of_another_length(sim):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    child, sa = children(world)[0], world.gateway.newest()
    for name, payloads in deletes_and_notifies(world):
        for change in (
            lambda v: b'',
            lambda v: v[:1],
            lambda v: v[:-1],
            lambda v: v + b'\0',
            lambda v: v * 2,
        ):
            world.gateway.hooks['hash:' + name] = change
            silent_for(world, lambda n=name, p=payloads: sa.info.send(n, p), 1)
    alive(world, child)


@case
def test_b1_informational_without_a_hash(sim):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    child, sa = children(world)[0], world.gateway.newest()
    for _, payloads in deletes_and_notifies(world):
        silent_for(world, lambda p=payloads: sa.send_unhashed(c.INFORMATIONAL, p), 1)
        # the HASH behind what it should cover is no HASH(1) either
        silent_for(
            world,
            lambda p=payloads: sa.send_unhashed(c.INFORMATIONAL, p + [(c.HASH, bytes(20))]),
            1,
        )
    alive(world, child)


@case
def test_b1_informational_in_clear_after_phase_1(sim):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    child, cookies = children(world)[0], world.gateway.newest().cookies
    message = cookies + bytes([c.NONE, c.VERSION, c.INFORMATIONAL, 0]) + bytes(8)
    for forged in informational(message):
        for port, marker in ((4500, bytes(4)), (500, b'')):
            quiet(world, port, marker + forged)
    silent_for(world, lambda: None)
    alive(world, child)


@cases('xauth-request', 'status', 'push', 'qm2', 'pull-reply')
def test_b10_hash_of_each_protected_message(sim, name):
    """Every byte of it wrong once, each time before the true message."""
    personality = StrongSwan if name == 'pull-reply' else Srx
    world = sim.world(personality, WITH_USER)

    def intercept(_, datagram):
        if datagram.name != name:
            return None
        world.at(0.02, lambda: spoil(datagram))
        return []

    def spoil(datagram):
        for place in range(32, len(datagram.data)):
            broken = (
                datagram.data[:place]
                + bytes([datagram.data[place] ^ 1])
                + datagram.data[place + 1 :]
            )
            quiet(world, datagram.port, broken)
        world.receive(datagram.port, datagram.data)

    world.to_client = intercept
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)


@case
def test_b10_bits_of_every_message_in_every_state(sim):
    rng = random.Random(11)

    def forge(data):
        if not data[19] & c.FLAG_ENCRYPTED:
            return
        for _ in range(60):
            place = rng.randrange(16, len(data))
            if place == 16 or 24 <= place:
                yield data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[
                    place + 1 :
                ]

    survives(sim, forge)


@case
def test_message_id_zero_and_of_others(sim):
    """An encrypted message under message ID 0, and each true one under another ID."""

    def forge(data):
        if not data[19] & c.FLAG_ENCRYPTED:
            return
        yield data[:20] + bytes(4) + data[24:]
        yield data[:20] + b'\xff\xff\xff\xff' + data[24:]
        yield data[:23] + bytes([data[23] ^ 1]) + data[24:]

    survives(sim, forge)


@cases(c.AGGRESSIVE, c.INFORMATIONAL, c.TRANSACTION, c.QUICK, 33, 0, 255)
def test_a17_protected_messages_under_another_exchange(sim, exchange):
    def forge(data):
        if data[19] & c.FLAG_ENCRYPTED and data[18] != exchange:
            yield data[:18] + bytes([exchange]) + data[19:]

    survives(sim, forge)


@case
def test_a17_every_payload_number_behind_encryption(sim):
    """One informational message a number, correctly hashed."""
    world = sim.connect(Personality, {'xauth': 'no'})
    world.run(3)
    sa = world.gateway.newest()
    for number in range(1, 256):
        for body in (b'', bytes(8), b'\xff' * 40):
            if number != c.HASH:
                sa.info.send('odd', [(number, body)])
        world.run(0.2)
    carries(world)
    expect(not world.has('lost'), summary(world))


@case
def test_a17_every_payload_number_in_a_transaction_and_quick_mode(sim):
    world = sim.connect(Personality, {'xauth': 'no'})
    world.run(3)
    sa = world.gateway.newest()
    for kind in (c.TRANSACTION, c.QUICK):
        for number in range(1, 256):
            exchange = sa.begin(kind)
            sa.send_protected(exchange, 'odd', [(number, bytes(12))])
            if not number % 16:
                world.run(0.2)
    world.run(120)
    sim.forgive('rfc2409-5.5-order', 'mode-cfg-order')
    expect(not world.has('lost') and not world.has('failed'), summary(world))


# ---- A13: D+N, D+D ----


def gone(world):
    return (
        world.has('lost')
        or len(world.gateway.history) > 1
        or len(world.gateway_events('child')) > 1
    )


@cases(
    'D+N',
    'D+D',
    'N+D+N',
    'D(esp)+N of it',
    'D(isakmp)+D(esp)',
    'D(isakmp)+R-U-THERE',
    'D twice in one',
)
def test_a13_delete_with_others_in_one_message(sim, what):
    """The SA must outlive the message that deletes it."""
    world = sim.connect(Personality, QUIET)
    world.run(3)
    sa, child = world.gateway.newest(), children(world)[0]
    esp = (c.DELETE, wire.build_delete(c.PROTO_ESP, [child.inbound.spi]))
    twice = (c.DELETE, wire.build_delete(c.PROTO_ESP, [child.inbound.spi] * 2))
    isakmp = (c.DELETE, wire.build_delete(c.PROTO_ISAKMP, [sa.cookies]))
    notify = (c.NOTIFY, wire.build_notify(c.PROTO_ESP, c.INVALID_ID_INFORMATION, child.inbound.spi))
    dead = (c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, c.R_U_THERE, sa.cookies, b'\0\0\0\1'))
    payloads = {
        'D+N': [isakmp, notify],
        'D+D': [isakmp, isakmp],
        'N+D+N': [notify, isakmp, dead],
        'D(esp)+N of it': [esp, notify],
        'D(isakmp)+D(esp)': [isakmp, esp, esp],
        'D(isakmp)+R-U-THERE': [isakmp, dead],
        'D twice in one': [twice, esp],
    }[what]
    sa.info.send('together', payloads)
    world.gateway.children.clear()
    world.run(90, gone)
    expect(gone(world), f'the DELETE was not honoured; {summary(world)}')


@cases(
    'isakmp of others',
    'esp of others',
    'spi size 0',
    'spi size 255',
    'count 65535',
    'doi 0',
    'ah',
    'ipcomp',
    'half of a cookie',
    'no spi',
)
def test_a13_delete_of_what_is_not_there(sim, what):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    sa, child = world.gateway.newest(), children(world)[0]
    spi = child.inbound.spi
    body = {
        'isakmp of others': wire.build_delete(c.PROTO_ISAKMP, [b'\5' * 16]),
        'esp of others': wire.build_delete(
            c.PROTO_ESP, [b'\0\0\1\1', b'\xff\xff\xff\xff', bytes(4)]
        ),
        'spi size 0': struct.pack('>LBBH', 1, 3, 0, 1) + spi,
        'spi size 255': struct.pack('>LBBH', 1, 3, 255, 1) + spi,
        'count 65535': struct.pack('>LBBH', 1, 3, 4, 65535) + spi,
        'doi 0': struct.pack('>LBBH', 0, 3, 4, 1) + b'\0\0\2\2',
        'ah': wire.build_delete(c.PROTO_AH, [spi]),
        'ipcomp': wire.build_delete(4, [spi[:2]]),
        'half of a cookie': wire.build_delete(c.PROTO_ISAKMP, [sa.cookies[:8]]),
        'no spi': struct.pack('>LBBH', 1, 3, 4, 0),
    }[what]
    silent_for(world, lambda: sa.info.send('odd-delete', [(c.DELETE, body)]), 2)
    alive(world, child)


# ---- A5, A22, A23, A25: mode config ----


def push(world, body, wait=1):
    """A SET with this attribute payload; True if it was acknowledged."""
    sa = world.gateway.newest()
    if sa is None:  # the client has said goodbye
        return False
    exchange = sa.begin(c.TRANSACTION)
    exchange.state = 'push'
    exchange.data['pairs'] = (
        [(kind, b'') for kind in range(0x7FFF)] if not world.has('lost') else []
    )
    sa.send_protected(exchange, 'odd-push', [(c.ATTRIBUTES, body)])
    world.run(wait)
    return exchange.state == 'done'


def set_body(attributes):
    return struct.pack('>BBH', c.CFG_SET, 0, 0) + attributes


@case
def test_a5_attribute_on_the_exact_boundary(sim):
    """Fits exactly: taken.  One byte too long, or a header that does not fit: the whole payload is
    discarded.
    """
    world = sim.connect(Srx)
    world.gateway.newest().transactions.identifier = 0
    good = wire.build_attribute(c.IP4_DNS, b'\x0a\x0a\0\x35')
    expect(push(world, set_body(good)), 'an attribute that fits exactly was refused')
    for bad in (
        good[:-1],
        good[:5],
        good[:4],
        struct.pack('>HH', c.IP4_DNS, 5) + b'\1\2\3\4',
        struct.pack('>HH', c.IP4_DNS, 0xFFFF) + b'\1\2\3\4',
        struct.pack('>HH', c.IP4_DNS, 0xFFFC),
        good + good[: 3 + 4],
        good + b'\1\2\3',
        struct.pack('>HH', c.UNITY_BANNER, 8) + b'\1\2\3\4',
    ):
        expect(not push(world, set_body(bad)), f'acknowledged {bad.hex()}')
    alive(world)


@cases(
    c.IP4_ADDRESS,
    c.IP4_NETMASK,
    c.IP4_DNS,
    c.IP4_NBNS,
    c.ADDRESS_EXPIRY,
    c.UNITY_SPLIT_INCLUDE,
    c.IP4_SUBNET,
    c.XAUTH_STATUS,
    8,
    10,
    15,
)
def test_a5_attributes_of_every_length(sim, kind):
    world = sim.connect(Srx)
    world.gateway.newest().transactions.identifier = 0
    bodies = [
        wire.build_attribute(kind, bytes(range(200, 256))[:length].ljust(length, b'\1'))
        for length in list(range(0, 20)) + [27, 28, 29, 41, 42, 43, 255, 1000]
    ]
    for body in bodies + [wire.build_attribute(kind, 7, True)]:
        # an XAUTH STATUS of zero ends the tunnel, and another address may end the SA; the process
        # lives
        if world.gateway.newest() is None:
            break
        push(world, set_body(body), 0.2)
    world.run(5)
    expect(world.all('connected'), 'never was')


@cases(0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 250)
def test_a22_lists_of_every_size(sim, count):
    """DNS, WINS and split include: 0, the bound, one more; at least four are kept, the rest may be
    left.
    """
    servers = tuple(f'10.10.1.{i + 1}' for i in range(count))
    networks = tuple(f'172.16.{i}.0/24' for i in range(count))
    world = sim.connect(
        variant(Cisco, unity='always'),
        {'networks': ''},
        dns=servers,
        nbns=servers,
        split_include=networks,
    )
    text = str(world.all('config'))
    for wanted in servers[:4]:
        expect(wanted in text, f'{wanted} is missing in {text}')
    carries(world, '10.10.0.9')


HOSTILE_TEXTS = {
    'format': b'%s%n%x%d%999999999s %*d',
    'markup': b'<b>bold</b><a href="http://evil">&lt;&#0;</a>',
    'nul': b'before\0after',
    'escape': b'\x1b[2J\x1b]0;title\x07',
    'newlines': b'a\nb\r\nc\n\n',
    'long': b'A' * 6000,
    'not utf-8': b'\xff\xfe\xc3\x28\xe2\x82',
    'overlong': b'\xc0\xaf\xe0\x80\xaf',
    'bidi': '\u202egnp.exe'.encode(),
    'quotes': b'"\\"\',{}[]:',
    'del': bytes(range(0, 32)) + b'\x7f' + bytes(range(0x80, 0xA0)),
    'one byte': b'\x80',
    'split utf-8': b'x' * 255 + '\u20ac'.encode(),
}


@cases(*HOSTILE_TEXTS)
def test_a25_banner(sim, what):
    """Through the events as JSON, which the simulator parses strictly."""
    world = sim.connect(
        variant(Cisco, unity='always'),
        {'networks': ''},
        banner=HOSTILE_TEXTS[what],
        domain=HOSTILE_TEXTS[what][:200],
        split_domains=HOSTILE_TEXTS[what][:200],
    )
    text = str(world.all('config') + world.all('notice'))
    expect('\x1b' not in text and '\0' not in text, 'control characters came through')
    carries(world)


@cases(*HOSTILE_TEXTS)
def test_a23_xauth_texts(sim, what):
    """MESSAGE and CHALLENGE of a REQUEST, and MESSAGE with a refusal."""
    text = HOSTILE_TEXTS[what]
    rounds = (((c.XAUTH_MESSAGE, text), (c.XAUTH_USER_NAME, b''), (c.XAUTH_USER_PASSWORD, b'')),)
    world = sim.connect(variant(Srx, xauth_rounds=rounds))
    carries(world)
    world = sim.world(
        variant(Srx, xauth_rounds=rounds),
        {'user': b'carol', 'password': b'wrong'},
        refusal_text=text,
    )
    world.answers = {'password': b'wrong'}
    world.start().run(60, World.over)
    equal(world.reason, 'user-authentication', summary(world))


@case
def test_a23_xauth_status_of_odd_forms(sim):
    """As a variable attribute of 0 to 8 bytes, and with values that mean nothing."""
    for pair in (
        (c.XAUTH_STATUS, b''),
        (c.XAUTH_STATUS, b'\1'),
        (c.XAUTH_STATUS, b'\0\1'),
        (c.XAUTH_STATUS, bytes(8)),
        (c.XAUTH_STATUS, 2),
        (c.XAUTH_STATUS, 0xFFFF),
    ):
        world = sim.world(Srx, WITH_USER)
        sa_send = {'pairs': [pair]}
        world.gateway.hooks['status'] = lambda payloads, p=sa_send: [
            (c.ATTRIBUTES, payloads[0][1][:4] + wire.build_attributes(p['pairs']))
        ]
        world.start().run(60, World.over)
    expect(world.over(), summary(world))


@case
def test_mode_config_messages_of_unknown_type(sim):
    """mode-cfg, 3.3: silently discarded."""
    world = sim.connect(Srx)
    sa = world.gateway.newest()
    for kind in (0, 2, 4, 5, 127, 128, 255):

        def send(number=kind):
            exchange = sa.begin(c.TRANSACTION)
            body = struct.pack('>BBH', number, 0, 1) + wire.build_attribute(
                c.IP4_ADDRESS, b'\1\2\3\4'
            )
            sa.send_protected(exchange, 'odd', [(c.ATTRIBUTES, body)])

        silent_for(world, send, 2)
    alive(world)


@case
def test_requests_for_what_a_client_never_gives(sim):
    """REQUESTs of addresses, of the version, of nothing, and of an unknown attribute."""
    world = sim.connect(Srx)
    sa = world.gateway.newest()
    before = len(world.sent)
    for pairs in ([(c.IP4_ADDRESS, b'')], [(c.APPLICATION_VERSION, b'')], [], [(0x7FFF, b'')]):
        exchange = sa.begin(c.TRANSACTION)
        exchange.state, exchange.data['pairs'] = 'odd', pairs
        sa.send_protected(
            exchange, 'odd', [(c.ATTRIBUTES, wire.build_config(c.CFG_REQUEST, 9, pairs))]
        )
        world.run(1)
    sim.forgive('mode-cfg-order')
    expect(len(world.sent) - before <= 4, 'more than one answer a request')
    alive(world)


# ---- A20, D1: DPD and replays ----


@cases('sequence', 'data of 3 bytes', 'data of 8 bytes', 'no data')
def test_a20_wrong_answers_to_dpd_are_none(sim, what):
    """A gateway that answers only so counts as dead."""
    from conversations.lifetimes import packet_to_nowhere

    world = sim.connect(Personality, {'dpd': 20, 'xauth': 'no'})
    world.run(3)
    sa = world.gateway.newest()

    def answer(name, kind, sequence):
        data = struct.pack('>L', (sequence + (1 if what == 'sequence' else 0)) & 0xFFFFFFFF)
        data = {'data of 3 bytes': data[:3], 'data of 8 bytes': data * 2, 'no data': b''}.get(
            what, data
        )
        sa.info.send(name, [(c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, kind, sa.cookies, data))])

    sa.info._send_dpd = answer
    for _ in range(300):
        packet_to_nowhere(world)
        if world.run(1, lambda w: w.has('lost')):
            break
    expect(world.has('lost'), summary(world))


@cases('data of 3 bytes', 'data of 8 bytes', 'no data')
def test_a20_questions_that_are_no_dpd(sim, what):
    world = sim.connect(Personality, QUIET)
    world.run(3)
    sa = world.gateway.newest()
    data = {'data of 3 bytes': b'\0\0\1', 'data of 8 bytes': bytes(8)}.get(what, b'')
    body = wire.build_notify(c.PROTO_ISAKMP, c.R_U_THERE, sa.cookies, data)
    silent_for(world, lambda: sa.info.send('odd', [(c.NOTIFY, body)]))
    alive(world)


@cases(b'\7' * 16, b'\7' * 8, b'')
def test_a20_questions_with_other_cookies(sim, spi):
    """Authentic all the same; some IOS send such.  Answered or not, nothing else happens."""
    world = sim.connect(Personality, QUIET)
    world.run(3)
    sa, before = world.gateway.newest(), len(world.sent)
    sa.info.dpd_expected = 1
    body = wire.build_notify(c.PROTO_ISAKMP, c.R_U_THERE, spi, b'\0\0\0\1')
    sa.info.send('odd', [(c.NOTIFY, body)])
    world.run(5)
    expect(len([s for s in world.sent[before:] if s.data != b'\xff']) <= 1, 'more than an answer')
    alive(world)


@case
def test_a20_replayed_answers_are_no_proof_of_life(sim):
    """RFC 3706, 7: the gateway is gone, somebody repeats what it once said."""
    from conversations.lifetimes import packet_to_nowhere

    world = sim.connect(Personality, {'dpd': 20, 'xauth': 'no'})
    seen = []
    world.to_client = lambda _, datagram: seen.append((datagram.port, datagram.data))
    for _ in range(100):
        packet_to_nowhere(world)
        world.run(1)
    expect(len(seen) >= 2, 'no answers to repeat')
    world.gateway.silent = True
    for _ in range(300):
        packet_to_nowhere(world)
        for port, data in seen:
            world.receive(port, data)
        if world.run(1, lambda w: w.has('lost')):
            break
    expect(world.has('lost'), summary(world))


@case
def test_replayed_ike_messages_change_nothing(sim):
    """Every datagram of the gateway again, at once and when connected, in order and backwards."""
    world = sim.world(Srx, WITH_USER)
    seen = []
    world.to_client = lambda _, datagram: seen.append((datagram.port, datagram.data))
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.run(2)
    for port, data in seen + seen[::-1] + seen:
        quiet(world, port, data)
        world.run(0.3)
    expect(len(world.gateway_events('xauth-accepted')) == 1, 'XAUTH twice')
    equal(len(children(world)), 1, 'children')
    alive(world)


@case
def test_replayed_rekey_and_delete(sim):
    world = sim.connect(StrongSwan)
    seen = []
    world.to_client = lambda _, datagram: seen.append((datagram.port, datagram.data))
    old = children(world)[0]
    world.gateway.newest().quick.begin(old)
    world.run(5)
    old.sa.info.delete_esp([old.inbound.spi])
    world.gateway.children.remove(old)
    world.run(5)
    for port, data in seen * 3:
        quiet(world, port, data)
        world.run(0.1)
    alive(world)


def esp_to_client(world, sequence=None):
    child = children(world)[0]
    source = str(child.local.network_address)
    reply = inner.answer(inner.echo_request(source, '10.10.0.9'))
    return child.outbound.seal(reply, world.rng, sequence), reply


@case
def test_d1_replayed_esp(sim):
    """The latest, the one before, the window's edge, beyond it, and sequence 0."""
    world = sim.connect(Personality)
    packets = {}
    for number in range(1, 3001):
        packets[number], reply = esp_to_client(world, number)
        if number not in (2990, 2500):
            equal(world.open(packets[number]), reply, f'packet {number}')
    for number in (3000, 2999, 2991, 2989, 2970, 2937, 2936, 1977, 1976, 1000, 2, 1):
        expect(isinstance(world.open(packets[number]), str), f'packet {number} a second time')
    equal(world.open(packets[2990]), reply, 'late but inside the window')
    expect(isinstance(world.open(packets[2990]), str), 'and that one again')
    zero, _ = esp_to_client(world, 0)
    expect(isinstance(world.open(zero), str), 'sequence 0')


@cases(1, 2, 3, 4)
def test_d2_replay_window_against_a_set(sim, seed):
    """Random numbers near a moving front and near 2^32: none twice, none of the newest 64 refused."""
    world = sim.connect(Personality)
    rng, taken = random.Random(seed), set()
    front = 1 if seed < 4 else 2**32 - 3000
    for _ in range(4000):
        number = front + rng.choice((1, 1, 1, 2, 5, 40, -1, -2, -30, -63, -64, -200, -2000))
        number = min(max(number, 1), 2**32 - 1)
        packet, reply = esp_to_client(world, number)
        got = world.open(packet) == reply
        expect(not (got and number in taken), f'{number} was taken twice')
        expect(got or number in taken or number <= front - 64, f'{number} refused at {front}')
        if got:
            taken.add(number)
        front = max(front, number) if got else front


@case
def test_d1_a_forged_number_does_not_move_the_window(sim):
    world = sim.connect(Personality)
    first, reply = esp_to_client(world, 1)
    forged, _ = esp_to_client(world, 1)
    forged = forged[:4] + b'\xff\xff\xff\xf0' + forged[8:]
    expect(isinstance(world.open(forged), str), 'forged')
    equal(world.open(first), reply, 'the true one')


@case
def test_c13_esp_broken_in_each_byte(sim):
    for suite in ('aes128-sha1', 'aes256gcm16', 'aes256-sha256', '3des-md5'):
        world = sim.connect(variant(Personality, phase2=suite), {'p2': suite})
        packet, reply = esp_to_client(world)
        for place in range(len(packet)):
            broken = packet[:place] + bytes([packet[place] ^ 0x80]) + packet[place + 1 :]
            expect(isinstance(world.open(broken), str), f'{suite} byte {place}')
        for length in range(len(packet)):
            expect(isinstance(world.open(packet[:length]), str), f'{suite} of {length} bytes')
        equal(world.open(packet), reply, 'the true one')


@case
def test_c13_esp_padding_and_next_header(sim):
    """Authentic packets of a gateway that pads as it likes: longer padding is fine, wrong bytes are
    not.
    """
    world = sim.connect(Personality)
    child = children(world)[0]
    _, reply = esp_to_client(world)
    for header in (0, 6, 17, 41, 59, 255):
        packet = child.outbound.seal(reply, world.rng, None, header)
        expect(isinstance(world.open(packet), str), f'next header {header}')
    for content in (b'', b'\x45', reply[:19], b'\x60' + bytes(39), b'\x05' + reply[1:], bytes(60)):
        world.open(child.outbound.seal(content, world.rng))
    carries(world)


# ---- what the gateway begins ----


@case
def test_b4_quick_mode_of_the_gateway_before_xauth_is_done(sim):
    """Authenticated by PSK, but the conversation is not there yet: no SA, and no harm."""
    world = sim.world(Srx, WITH_USER)
    world.gateway.hooks['datagram:xauth-request'] = lambda data: None
    world.start().run(1)
    sa = world.gateway.newest()
    expect(sa is not None, summary(world))
    import ipaddress
    from gateways import algorithms

    class Wanted:
        local, remote = ipaddress.ip_network('10.20.1.10/32'), ipaddress.ip_network('10.10.0.0/24')
        suite = algorithms.suite('aes128-sha1')

    sa.quick.begin(Wanted)
    world.run(3)
    equal(len(children(world)), 0, 'children')
    expect(not world.all('sa'), 'an SA was made')


@cases('foreign networks', 'ah', 'null', 'no ids')
def test_quick_mode_of_the_gateway_that_nobody_wants(sim, what):
    world = sim.connect(StrongSwan if what == 'ah' else Personality)
    sa, child = world.gateway.newest(), children(world)[0]

    def spoil(payloads):
        if what == 'no ids':
            return [x for x in payloads if x[0] != c.ID]
        if what == 'foreign networks':
            ids = iter(
                [
                    wire.build_id(c.ID_IPV4_SUBNET, b'\x08\x08\x08\0\xff\xff\xff\0'),
                    wire.build_id(c.ID_IPV4, b'\x08\x08\x04\x04'),
                ]
            )
            return [(k, next(ids) if k == c.ID else b) for k, b in payloads]
        body = payloads[0][1]
        at = 8 + 4  # DOI, situation, the proposal's header
        if what == 'ah':
            return [(c.SA, body[: at + 1] + bytes([c.PROTO_AH]) + body[at + 2 :])] + payloads[1:]
        place = at + 4 + 4 + 4 + 1
        return [(c.SA, body[:place] + b'\x0b' + body[place + 1 :])] + payloads[1:]

    world.gateway.hooks['qm1'] = spoil
    sa.quick.begin(child)
    world.run(60)
    equal(len(world.gateway_events('child')), 1, 'children')
    carries(world)


@case
def test_a_flood_of_quick_modes_of_the_gateway(sim):
    """It may rekey, not fill our memory."""
    world = sim.connect(StrongSwan)
    sa, child = world.gateway.newest(), children(world)[0]
    world.gateway.hooks['datagram:qm3'] = lambda data: None
    for _ in range(200):
        sa.quick.begin(child)
        world.run(0.01)
    world.run(120)
    expect(not world.has('failed'), summary(world))


@case
def test_responder_sends_everything_twice(sim):
    """Duplicates of each message are answered with the same bytes, or not at all."""

    def twice(_, datagram):
        return [(0.02, datagram.port, datagram.data), (0.021, datagram.port, datagram.data)]

    world = sim.world(Srx, WITH_USER)
    world.to_client = twice
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.run(3)
    carries(world)


@case
def test_answer_from_port_4500_is_as_good(sim):
    """AM2 that comes back with a marker (some NATs and gateways)."""

    def move(_, datagram):
        if datagram.name == 'am2' and datagram.port == 500:
            return [(0.02, 4500, c.MARKER + datagram.data)]
        return None

    world = sim.world(Personality, {'xauth': 'no'})
    world.to_client = move
    world.start().run(20, World.over)
    expect(world.over(), summary(world))


@case
def test_one_lost_message_costs_little(sim):
    """Each single datagram of the conversation lost once: connected all the same, within 6 s."""
    for side in ('gateway', 'client'):
        for victim in range(12):
            world = sim.world(Srx, WITH_USER)
            count = iter(range(10**6))
            if side == 'gateway':
                world.to_client = lambda _, d, n=count, v=victim: [] if next(n) == v else None
            else:
                world.to_gateway = lambda _, s, n=count, v=victim: next(n) != v
            world.start().run(30, World.over)
            expect(world.has('connected'), f'{side} {victim}: {summary(world)}')
            took = world.when('connected')
            expect(took < 6, f'{side} {victim}: {took} s')
            world.run(15)
            carries(world)


@case
def test_surplus_padding_is_taken(sim):
    """Whole blocks of zeros behind the last payload, inside the encryption."""
    world = sim.world(Srx, WITH_USER)
    for name in ('xauth-request', 'status', 'push', 'qm2'):
        world.gateway.hooks['plain:' + name] = lambda plain: plain + bytes(16)
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
