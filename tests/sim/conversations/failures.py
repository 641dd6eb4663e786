# SPDX-License-Identifier: GPL-2.0-or-later
"""Every failure has its reason, in time, and nothing secret leaves on the way to it."""

import collections

from cases import carries, case, cases, equal, expect, fails, summary
from gateways import constants as c
from gateways import wire
from gateways.personalities import NAME_AND_PASSWORD, Personality, Srx, StrongSwan, variant
from world import WITH_USER, World

SLOW = 40  # seconds that a failure may take where silence has to be waited for


def first_messages_only(world):
    """Nothing but first messages of aggressive mode has left."""
    kinds = {(s.exchange, s.encrypted) for s in world.sent}
    equal(kinds, {(c.AGGRESSIVE, False)}, 'exchanges that were sent')


@case
def test_wrong_psk(sim):
    """HASH_R of the gateway does not fit ours."""
    world = sim.world(Srx, {**WITH_USER, 'psk': b'another secret'})
    fails(world, 'gateway-authentication', SLOW)
    first_messages_only(world)


@case
def test_authentication_failed_in_clear(sim):
    """What strongSwan says to an identity that it does not know."""
    world = sim.world(StrongSwan, WITH_USER, client_id=(c.ID_USER_FQDN, b'bob@example.com'))
    fails(world, 'gateway-authentication', 15)
    expect(
        world.when('failed') >= 0.5,
        'a cleartext notify is a hint: half a second for a better answer',
    )
    first_messages_only(world)


@case
def test_g_invalid_id_information_in_clear(sim):
    """What an SRX says to the wrong kind of identity."""
    world = sim.world(Srx, WITH_USER, client_id=(c.ID_FQDN, b'alice.example.com'))
    fails(world, 'gateway-authentication', 15)
    first_messages_only(world)


@case
def test_no_proposal_chosen(sim):
    world = sim.world(
        variant(Personality, phase1='aes256-sha512-modp4096'),
        {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1024'},
    )
    fails(world, 'no-proposal-chosen', SLOW)
    offers = [d['proposals'] for _, n, d in world.gateway.events if n == 'offer']
    equal(len(offers), 2, 'attempts')


@case
def test_silence_is_unreachable_within_fifteen_seconds(sim):
    world = sim.world(
        Personality, {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1536;3des-sha1-modp1024'}
    )
    world.gateway.silent = True
    fails(world, 'unreachable', 15.5)
    expect(world.when('failed') > 5, f'gave up after {world.when("failed")} s')
    expect(len(world.sent) >= 4, f'{len(world.sent)} datagrams in 15 s')


@case
def test_wrong_password(sim):
    world = sim.world(Srx, {'user': b'carol', 'password': b'wrong'}, refusal_text=b'Account locked')
    fails(world, 'user-authentication', 20)
    expect('Account locked' in str(world.events), f'{world.all("failed")}')


@case
def test_wrong_password_without_a_text(sim):
    fails(sim.world(StrongSwan, {'user': b'nobody', 'password': b'x'}), 'user-authentication', 20)


@case
def test_b5_wrong_gateway_identity_gets_no_credentials(sim):
    world = sim.world(Srx, {**WITH_USER, 'remote': 'fqdn:other.example.com'})
    fails(world, 'gateway-authentication', SLOW)
    first_messages_only(world)


@cases(
    'fqdn:gw.example.co',
    'fqdn:gw.example.com.evil.org',
    'email:gw.example.com',
    'keyid:gw.example.com',
    'ip:203.0.113.3',
)
def test_b5_almost_the_right_identity(sim, remote):
    world = sim.world(Srx, {**WITH_USER, 'remote': remote})
    fails(world, 'gateway-authentication', SLOW)
    first_messages_only(world)


@cases(b'gw.example.com\0', b'gw.example.com.', b'', b'\0gw.example.com', b'gw')
def test_b5_identity_of_odd_bytes(sim, data):
    world = sim.world(
        Srx, {**WITH_USER, 'remote': 'fqdn:gw.example.com'}, gateway_id=(c.ID_FQDN, data)
    )
    world.start().run(SLOW, World.over)
    expect(not world.has('connected'), 'connected')
    first_messages_only(world)


@case
def test_xauth_of_a_type_that_is_not_supported(sim):
    """xauth-06, 3: STATUS = FAIL in the REPLY, and the password stays here."""
    personality = variant(
        Srx, xauth_rounds=(((c.XAUTH_TYPE, 4), (c.XAUTH_CHALLENGE, b'123456')) + NAME_AND_PASSWORD,)
    )
    world = sim.world(personality, WITH_USER)
    fails(world, 'user-authentication', SLOW)
    world.run(1)
    expect(world.gateway_events('xauth-unsupported'), 'no STATUS = FAIL')


@case
def test_required_user_authentication_is_not_skipped(sim):
    """The gateway never asks and never says STATUS: no Quick Mode follows."""
    world = sim.world(
        variant(Srx, plan=('push',), answers_pull=True), {**WITH_USER, 'xauth': 'required'}
    )
    world.start().run(120, World.over)
    expect(not world.has('connected'), 'connected without user authentication')
    expect(all(s.exchange != c.QUICK for s in world.sent), 'Quick Mode before STATUS')


@case
def test_required_user_authentication_offers_nothing_else(sim):
    world = sim.world(Personality, {**WITH_USER, 'xauth': 'required'})
    fails(world, 'no-proposal-chosen', SLOW)


# ---- an answer that was not offered (RFC 2409, 5: MUST be rejected) ----


def change_transform(**wanted):
    """Another value in one attribute of the chosen transform."""
    numbers = {
        'encryption': c.P1_ENCRYPTION,
        'hash': c.P1_HASH,
        'auth': c.P1_AUTH,
        'group': c.P1_GROUP,
        'bits': c.P1_KEY_LENGTH,
    }
    changes = {numbers[k]: v for k, v in wanted.items()}

    def hook(payloads):
        judge_free = wire.parse_sa(dict(payloads)[c.SA], Free())
        transform = judge_free[0].transforms[0]
        pairs = [(a.type, changes.get(a.type, a.number), a.basic) for a in transform.attributes]
        body = wire.build_transform(transform.number, transform.id, wire.build_attributes(pairs))
        chosen = wire.build_sa([(judge_free[0].number, c.PROTO_ISAKMP, b'', [body])])
        return [(k, chosen if k == c.SA else b) for k, b in payloads]

    return hook


class Free:
    """A judge that sees nothing."""

    @staticmethod
    def expect(condition, *_):
        return bool(condition)


ANSWERS = {
    'hash': {'hash': 1},
    'cipher': {'encryption': 5},
    'bits': {'bits': 256},
    'auth': {'auth': 1},
    'auth-hybrid': {'auth': 64221},
    'group': {'group': 1},
}


@cases(*ANSWERS)
def test_answer_that_was_not_offered(sim, what):
    world = sim.world(Srx, WITH_USER)
    world.gateway.hooks['am2'] = change_transform(**ANSWERS[what])
    world.start().run(SLOW, World.over)
    expect(world.has('failed'), summary(world))
    first_messages_only(world)


def rebuilt(mutate):
    """The answer's SA payload made anew from (proposal number, transform bodies)."""

    def hook(payloads):
        proposal = wire.parse_sa(dict(payloads)[c.SA], Free())[0]
        chosen = mutate(proposal.number, proposal.transforms[0].raw)
        return [(k, chosen if k == c.SA else b) for k, b in payloads]

    return hook


SHAPES = {
    'two transforms': lambda n, t: wire.build_sa([(n, 1, b'', [t, bytes([t[0] + 1]) + t[1:]])]),
    'two proposals': lambda n, t: wire.build_sa([(n, 1, b'', [t]), (n + 1, 1, b'', [t])]),
    'no transform': lambda n, t: wire.build_sa([(n, 1, b'', [])]),
    'no proposal': lambda n, t: wire.build_sa([]),
    'protocol esp': lambda n, t: wire.build_sa([(n, 3, b'', [t])]),
    'no attributes': lambda n, t: wire.build_sa([(n, 1, b'', [t[:4]])]),
    'attribute added': lambda n, t: wire.build_sa(
        [(n, 1, b'', [t + wire.build_attribute(c.P1_PRF, 1)])]
    ),
    'attribute twice': lambda n, t: wire.build_sa([(n, 1, b'', [t + t[4:8]])]),
    'other transform id': lambda n, t: wire.build_sa([(n, 1, b'', [t[:1] + b'\7' + t[2:]])]),
}


@cases(*SHAPES)
def test_answer_of_a_wrong_shape(sim, what):
    world = sim.world(Srx, WITH_USER)
    world.gateway.hooks['am2'] = rebuilt(SHAPES[what])
    world.start().run(SLOW, World.over)
    expect(world.has('failed'), summary(world))
    first_messages_only(world)


# ---- Phase 2 ----


@case
def test_quick_mode_refused_for_its_proposals(sim):
    fails(sim.world(variant(Personality, phase2='aes256-sha512')), 'phase2-refused', 60)


@case
def test_g_quick_mode_refused_for_pfs(sim):
    """An SRX wants exactly its own group."""
    world = sim.world(
        variant(Srx, phase2='aes128-sha1-modp2048'), {**WITH_USER, 'p2': 'aes128-sha1-modp1024'}
    )
    fails(world, 'phase2-refused', 60)


@case
def test_quick_mode_refused_for_its_networks(sim):
    world = sim.world(Srx, {**WITH_USER, 'networks': '172.16.0.0/12'})
    fails(world, 'phase2-refused', 60)


@case
def test_silence_in_mode_config(sim):
    fails(
        sim.world(variant(Personality, answers_pull=False), {'config': 'pull'}),
        'phase2-refused',
        120,
    )


@case
def test_silence_in_quick_mode(sim):
    """Who has given an address on this very way is behind no firewall; who has not may be."""
    for config, detail in (('auto', 'silence-phase2'), ('none', 'silence-later')):
        world = sim.world(Personality, {'config': config, 'address': '10.20.0.9'})
        world.gateway.hooks['datagram:qm2'] = lambda data: None
        fails(world, 'phase2-refused', 20)
        equal(world.all('failed')[-1]['detail'], detail, 'detail')


REFUSES = variant(Personality, phase2='aes256-sha512')


def refusals(world, *meet):
    """What each refusal of Quick Mode meets on its way: None (lost), or seconds that it takes. As
    strongSwan's, the gateway says each once, and nothing to a repetition.
    """
    left, said = list(meet), set()

    def on_the_way(_, datagram):
        if datagram.name != 'quick-refusal':
            return None
        late = left.pop(0) if left and datagram.data not in said else None
        said.add(datagram.data)
        return [] if late is None else [(late, datagram.port, datagram.data)]

    world.to_client = on_the_way


def asked(world):
    """The message IDs of Quick Mode, each with how often it was sent."""
    return collections.Counter(s.mid for s in world.sent if s.exchange == c.QUICK)


@case
def test_g_a_refusal_of_quick_mode_that_is_lost(sim):
    """strongSwan says no once, and nothing to a repetition: the same is asked anew."""
    refusals(world := sim.world(REFUSES), None, 0.02)
    fails(world, 'phase2-refused', 12)
    failed = world.all('failed')[-1]
    equal((failed['detail'], failed['notify']), ('network-refused', c.NO_PROPOSAL_CHOSEN))
    equal(sorted(asked(world).values()), [1, 4], 'Quick Modes')


@cases(0, 0.7, 2, 5, 11, 14)
def test_a_refusal_of_quick_mode_that_is_late(sim, seconds):
    """It crosses a repetition, or the same asked anew; it is the gateway's word whenever it comes."""
    refusals(world := sim.world(REFUSES), seconds)
    fails(world, 'phase2-refused', seconds + 3)
    equal(world.all('failed')[-1]['detail'], 'network-refused', 'detail')
    expect(len(asked(world)) == (1 if seconds < 6 else 2), f'asked {asked(world)}')


@case
def test_every_refusal_of_quick_mode_is_lost(sim):
    """Two questions, no more, and the end in the time of one."""
    refusals(world := sim.world(REFUSES))
    fails(world, 'phase2-refused', 18)
    equal(world.all('failed')[-1]['detail'], 'silence-phase2', 'detail')
    equal(len(asked(world)), 2, 'Quick Modes')


@case
def test_an_answer_to_quick_mode_that_was_asked_anew(sim):
    """The first answer comes when nobody waits for it: the second makes the tunnel, and one SA."""
    world = sim.world(Personality)
    late = []

    def on_the_way(_, datagram):
        if datagram.name != 'qm2' or late and datagram.data not in late:
            return None
        late.append(datagram.data)
        return [(11, datagram.port, datagram.data)]

    world.to_client = on_the_way
    world.start()
    expect(world.run(12, lambda w: w.has('connected')), summary(world))
    equal(len(asked(world)), 2, 'Quick Modes')
    world.run(5)
    carries(world)


def change_qm2(mutate):
    def hook(payloads):
        proposal = wire.parse_sa(dict(payloads)[c.SA], Free())[0]
        chosen = mutate(proposal)
        return [(k, chosen if k == c.SA else b) for k, b in payloads]

    return hook


def esp_sa(number, spi, identifier, pairs):
    return wire.build_sa(
        [
            (
                number,
                c.PROTO_ESP,
                spi,
                [wire.build_transform(1, identifier, wire.build_attributes(pairs))],
            )
        ]
    )


def other(kind, value):
    """The answer with another value in one attribute."""

    def mutate(p):
        pairs = [
            (a.type, value if a.type == kind else a.number, a.basic)
            for a in p.transforms[0].attributes
        ]
        return esp_sa(p.number, p.spi, p.transforms[0].id, pairs)

    return mutate


def rest(p):
    return [(a.type, a.number, a.basic) for a in p.transforms[0].attributes]


QM2 = {
    'null cipher': lambda p: esp_sa(p.number, p.spi, 11, rest(p)),
    'des': lambda p: esp_sa(p.number, p.spi, 2, [x for x in rest(p) if x[0] != c.P2_KEY_LENGTH]),
    'gmac of key size 0': lambda p: esp_sa(p.number, p.spi, 23, rest(p)),
    'unknown transform': lambda p: esp_sa(p.number, p.spi, 251, rest(p)),
    'transform 0': lambda p: esp_sa(p.number, p.spi, 0, rest(p)),
    'no key length': lambda p: esp_sa(
        p.number, p.spi, 12, [x for x in rest(p) if x[0] != c.P2_KEY_LENGTH]
    ),
    'key length 0': other(c.P2_KEY_LENGTH, 0),
    'key length 127': other(c.P2_KEY_LENGTH, 127),
    'key length 256': other(c.P2_KEY_LENGTH, 256),
    'key length 65535': other(c.P2_KEY_LENGTH, 65535),
    'transport mode': other(c.P2_ENCAP, 2),
    'udp transport': other(c.P2_ENCAP, 4),
    'other hash': other(c.P2_AUTH, 1),
    'hash 0': other(c.P2_AUTH, 0),
    'no hash': lambda p: esp_sa(p.number, p.spi, 12, [x for x in rest(p) if x[0] != c.P2_AUTH]),
    'group without KE': lambda p: esp_sa(p.number, p.spi, 12, rest(p) + [(c.P2_GROUP, 14, True)]),
    'esn': lambda p: esp_sa(p.number, p.spi, 12, rest(p) + [(c.P2_ESN, 1, True)]),
    'spi 0': lambda p: esp_sa(p.number, bytes(4), 12, rest(p)),
    'spi of 3 bytes': lambda p: esp_sa(p.number, p.spi[:3], 12, rest(p)),
    'spi of 16 bytes': lambda p: esp_sa(p.number, p.spi * 4, 12, rest(p)),
    'no spi': lambda p: esp_sa(p.number, b'', 12, rest(p)),
    'protocol ah': lambda p: wire.build_sa([(p.number, c.PROTO_AH, p.spi, [p.transforms[0].raw])]),
    'two transforms': lambda p: wire.build_sa(
        [(p.number, 3, p.spi, [p.transforms[0].raw, b'\2' + p.transforms[0].raw[1:]])]
    ),
    'two proposals': lambda p: wire.build_sa(
        [
            (p.number, 3, p.spi, [p.transforms[0].raw]),
            (p.number + 1, 3, p.spi, [p.transforms[0].raw]),
        ]
    ),
}


@cases(*QM2)
def test_a14_quick_mode_answer_that_was_not_offered(sim, what):
    """Correctly hashed, by a gateway that knows all keys."""
    world = sim.world(Personality, {'xauth': 'no'})
    world.gateway.hooks['qm2'] = change_qm2(QM2[what])
    sim.forgive('rfc2409-5.5-order')
    world.start().run(200, World.over)
    expect(not world.has('connected'), 'connected')
    expect(world.reason == 'phase2-refused', f'{world.reason}; {summary(world)}')


IDENTITIES = {
    'fqdn': [wire.build_id(c.ID_FQDN, b'host'), wire.build_id(c.ID_FQDN, b'net')],
    'ipv6': [wire.build_id(c.ID_IPV6, bytes(16)), wire.build_id(c.ID_IPV6_SUBNET, bytes(32))],
    'address of 0 bytes': [wire.build_id(c.ID_IPV4, b''), wire.build_id(c.ID_IPV4_SUBNET, b'')],
    'subnet of 7 bytes': [
        wire.build_id(c.ID_IPV4, bytes(4)),
        wire.build_id(c.ID_IPV4_SUBNET, bytes(7)),
    ],
    'subnet of 9 bytes': [
        wire.build_id(c.ID_IPV4, bytes(4)),
        wire.build_id(c.ID_IPV4_SUBNET, bytes(9)),
    ],
    'mask with holes': [wire.build_id(c.ID_IPV4_SUBNET, bytes(4) + b'\xff\0\xff\0')] * 2,
    'key id': [wire.build_id(c.ID_KEY_ID, b'x')] * 2,
    'type 0': [wire.build_id(0, bytes(4))] * 2,
    'type 255': [wire.build_id(255, bytes(8))] * 2,
    'dn': [wire.build_id(c.ID_DER_ASN1_DN, b'\x30\x84\xff\xff\xff\xff')] * 2,
    'one only': [wire.build_id(c.ID_IPV4, bytes(4))],
    'three': [wire.build_id(c.ID_IPV4, bytes(4))] * 3,
    'body of 3 bytes': [b'\4\0\0', b'\4\0\0'],
    'empty body': [b'', b''],
}


@cases(*IDENTITIES)
def test_a12_identities_of_a_quick_mode_answer(sim, what):
    """Whatever stands there, the core lives and never takes a selector that it can't read."""
    world = sim.world(Personality, {'xauth': 'no'})
    world.gateway.hooks['qm2'] = lambda payloads: [x for x in payloads if x[0] != c.ID] + [
        (c.ID, body) for body in IDENTITIES[what]
    ]
    world.start().run(200, World.over)
    expect(not world.has('connected'), 'connected')
    expect(world.has('failed'), summary(world))


@cases(*range(0, 17))
def test_a18_gateway_identity_of_every_kind_and_length(sim, kind):
    """Before it is authenticated: `any` takes what has a form; nothing may break."""
    for length in range(0, 9):
        world = sim.world(
            Personality, {'xauth': 'no'}, gateway_id=(kind, bytes(range(1, length + 1)))
        )
        world.start().run(20, World.over)
