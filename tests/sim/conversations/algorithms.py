# SPDX-License-Identifier: GPL-2.0-or-later
"""Every cipher, hash and group of both phases, one attempt a group, and what a forger may not
change.
"""

import random

from cases import carries, case, cases, children, equal, expect, summary
from gateways import constants as c
from gateways import wire
from gateways.algorithms import GROUPS, suites
from gateways.personalities import Personality, variant
from world import World

IKE_CIPHERS = ('des', '3des', 'aes128', 'aes192', 'aes256')
AEADS = ('aes128gcm16', 'aes192gcm16', 'aes256gcm16')
HASHES = ('md5', 'sha1', 'sha256', 'sha384', 'sha512')

ALL_IKE = [f'{e}-{h}-{g}' for e in IKE_CIPHERS for h in HASHES for g in GROUPS]
ALL_ESP = [f'{e}-{h}' for e in IKE_CIPHERS for h in HASHES] + list(AEADS)


def sample(everything, count):
    """The same choice each time, in which every word stands at least once."""
    rng, left = random.Random(5), {w for text in everything for w in text.split('-')}
    chosen = []
    for text in rng.sample(everything, len(everything)):
        if left & set(text.split('-')) or len(chosen) < count:
            chosen.append(text)
            left -= set(text.split('-'))
        if not left and len(chosen) >= count:
            break
    return chosen


SOME_IKE = sample(ALL_IKE, 20)
ORDER = 'aes256-sha256-modp2048;aes256-sha1-modp2048;aes128-sha1-modp1536;3des-sha1-modp1024'


@cases(*SOME_IKE, full=[text for text in ALL_IKE if text not in SOME_IKE])
def test_phase1(sim, suite):
    world = sim.connect(variant(Personality, phase1=suite), {'proposals': suite, 'xauth': 'no'})
    equal(str(world.gateway.newest().suite), suite, 'suite')
    carries(world)


@cases(*ALL_ESP)
def test_phase2(sim, suite):
    world = sim.connect(variant(Personality, phase2=suite), {'p2': suite, 'xauth': 'no'})
    equal(str(children(world)[0].suite), suite, 'suite')
    for size in (0, 1, 7, 8, 9, 15, 16, 17, 1400):
        problem = world.ping(size=size)
        expect(not problem, f'{size} bytes: {problem}')


@cases(*GROUPS)
def test_pfs(sim, group):
    suite = f'aes128-sha1-{group}'
    world = sim.connect(variant(Personality, phase2=suite), {'p2': suite})
    equal(str(children(world)[0].suite), suite, 'suite')
    carries(world)


@case
def test_sha2_256_cut_to_96_bits_by_quirk(sim):
    personality = variant(Personality, phase2='aes128-sha256', icv=12)
    carries(sim.connect(personality, {'p2': 'aes128-sha256', 'sha256trunc': 'yes'}))


@case
def test_one_attempt_a_group_in_order(sim):
    """Four proposals in three groups, the gateway takes only the last."""
    world = sim.connect(variant(Personality, phase1='3des-sha1-modp1024'), {'proposals': ORDER})
    offers = [details['proposals'] for _, name, details in world.gateway.events if name == 'offer']
    equal(
        offers,
        [
            ['aes256-sha256-modp2048', 'aes256-sha1-modp2048'],
            ['aes128-sha1-modp1536'],
            ['3des-sha1-modp1024'],
        ],
        'attempts',
    )
    expect(world.all('established')[0]['fallback'], 'nobody is told that the first group failed')
    carries(world)


@case
def test_no_weaker_group_once_one_has_authenticated(sim):
    """The renewal is refused in the strong group: the tunnel ends rather than go on in a weak one."""
    profile = {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1024', 'lifetime': 900}
    world = sim.connect(Personality, {**profile, 'xauth': 'no'})
    expect(not world.all('established')[0]['fallback'], 'fallback in the first group')
    world.gateway.phase1_suites = suites('aes128-sha1-modp1024')
    world.run(1000, lambda w: w.has('lost') or w.has('failed'))
    expect(world.has('lost') or world.has('failed'), summary(world))
    equal(len(world.gateway_events('established')), 1, 'phase 1 in the weak group')


@case
def test_one_attempt_a_group_when_refused_in_silence(sim):
    """15 s for an address are shared by its attempts."""
    personality = variant(Personality, phase1='3des-sha1-modp1024', refuses_aloud=False)
    world = sim.world(personality, {'proposals': ORDER}).start()
    world.run(16, World.over)
    expect(world.has('connected'), summary(world))


@case
def test_several_transforms_of_one_group_are_one_attempt(sim):
    proposals = (
        'aes256-sha256-modp1024;aes256-sha1-modp1024;aes128-sha1-modp1024;3des-sha1-modp1024'
    )
    world = sim.connect(variant(Personality, phase1='3des-sha1-modp1024'), {'proposals': proposals})
    offers = [details['proposals'] for _, name, details in world.gateway.events if name == 'offer']
    equal(offers, [proposals.split(';')], 'attempts')


def forge_before(world, kinds, delay):
    """Cleartext notifies with the right cookies reach the client `delay` before the true AM2."""

    def intercept(_, datagram):
        if datagram.name != 'am2':
            return None
        data = datagram.data
        plan = [(0.3, datagram.port, data)]
        for kind in kinds:
            first, body = wire.build_chain([(c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, kind))])
            for cky_r in (bytes(8), data[8:16]):
                header = wire.Header(data[:8], cky_r, first, c.INFORMATIONAL, 0, 0x1234)
                plan.append((0.3 - delay, datagram.port, header.pack(28 + len(body)) + body))
        return sorted(plan)

    world.to_client = intercept


@cases('no-proposal', 'all')
def test_forged_refusal_does_not_change_the_group(sim, kinds):
    """0.1 s before the true AM2: the hint has to wait for a better answer."""
    numbers = (
        (c.NO_PROPOSAL_CHOSEN,)
        if kinds == 'no-proposal'
        else (
            c.NO_PROPOSAL_CHOSEN,
            c.INVALID_KEY_INFORMATION,
            c.INVALID_ID_INFORMATION,
            c.AUTHENTICATION_FAILED,
            c.PAYLOAD_MALFORMED,
            c.INVALID_HASH,
        )
    )
    world = sim.world(Personality, {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1024'})
    forge_before(world, numbers, 0.1)
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
    equal(str(world.gateway.newest().suite), 'aes256-sha256-modp2048', 'the group was pushed down')


@case
def test_pfs_groups_become_one_quick_mode_each(sim):
    """RFC 2409, 5.5: KE has one group, so proposals of two groups are two Quick Modes, in order."""
    world = sim.connect(
        variant(Personality, phase2='aes128-sha1-modp1024'),
        {'p2': 'aes256-sha256-modp2048;aes128-sha1-modp1024'},
    )
    offers = [e['offers'] for e in world.gateway_events('quick-offer')]
    equal(offers, [['aes256-sha256-modp2048'], ['aes128-sha1-modp1024']], 'offers')
    carries(world)


@case
def test_quick_mode_offers_are_taken_in_order(sim):
    world = sim.connect(
        variant(Personality, phase2='3des-sha1 aes128-sha1'),
        {'p2': 'aes256gcm16;aes128-sha1;3des-sha1'},
    )
    equal(str(children(world)[0].suite), 'aes128-sha1', 'suite')
    carries(world)
