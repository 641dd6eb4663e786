# SPDX-License-Identifier: GPL-2.0-or-later
"""IKE fragmentation: gateways that send it, gateways that take it, and paths that need it."""

from cases import carries, case, cases, equal, expect, summary
from gateways import constants as c
from gateways import fragments
from gateways.personalities import Racoon, StrongSwan, variant
from world import WITH_USER, World

LARGE_GROUP = {'proposals': 'aes128-sha1-modp4096'}
RACOON = variant(Racoon, phase1='aes128-sha1-modp4096')
# what one Quick Mode offers: more than 1,280 bytes
SUITES = ('aes256', 'aes128', '3des')
HASHES = ('sha512', 'sha384', 'sha256', 'sha1', 'md5')
MANY = ';'.join(f'{suite}-{name}-modp4096' for suite in SUITES for name in HASHES)
STRONGSWAN = variant(StrongSwan, plan=(), auth=(c.AUTH_PSK,), phase2='aes128-sha1-modp4096')
SMALLEST_PATH = 1280 - 40 - 8
LONG_PROFILE = {'p2': MANY, 'p2lifetimekb': 4000000, 'xauth': 'no', 'config': 'pull'}


def is_fragment(data):
    return len(data) > 16 and data[16] == c.FRAGMENT


def ours(world, exchange):
    """The client's datagrams of an exchange type: (fragments, whole)."""
    sent = [s.message for s in world.sent if s.exchange == exchange]
    return [m for m in sent if is_fragment(m)], [m for m in sent if not is_fragment(m)]


@case
def test_g_racoon_answers_in_fragments_of_552_bytes(sim):
    """The group decides: modp4096 is what makes AM2 longer."""
    seen = []
    world = sim.world(RACOON, {**WITH_USER, **LARGE_GROUP})
    world.to_client = lambda _, datagram: seen.append(datagram.data)
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
    lengths = [len(d) for d in seen if is_fragment(d)]
    expect(len(lengths) > 1 and max(lengths) == 552, f'fragments of {lengths} bytes')
    world.run(1)
    carries(world)


def rearranged(world, arrange):
    """The gateway's fragments of one message, collected and put into another order."""
    held = []

    def intercept(_, datagram):
        if not is_fragment(datagram.data):
            return None
        held.append((datagram.port, datagram.data))
        if not datagram.data[35] & fragments.LAST:
            return []
        plan = [(0.02 + 0.001 * i, *item) for i, item in enumerate(arrange(list(held)))]
        held.clear()
        return plan

    world.to_client = intercept


ORDERS = {
    'backwards': lambda held: held[::-1],
    'the last first': lambda held: held[-1:] + held[:-1],
    'each twice': lambda held: [item for item in held for _ in range(2)],
    'all twice': lambda held: held + held,
    'backwards, then again': lambda held: held[::-1] + held,
}


@cases(*ORDERS)
def test_a6_fragments_out_of_order(sim, order):
    world = sim.world(RACOON, {**WITH_USER, **LARGE_GROUP})
    rearranged(world, ORDERS[order])
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
    equal(len(world.all('established')) or 1, 1, 'Phase 1')
    world.run(1)
    carries(world)


@case
def test_a6_a_lost_fragment_comes_with_the_repetition(sim):
    """racoon gives the repetition another fragment ID, so that nothing of the first copy helps."""
    lost = []

    def intercept(_, datagram):
        if is_fragment(datagram.data) and not lost:
            lost.append(datagram)
            return []
        return None

    world = sim.world(RACOON, {**WITH_USER, **LARGE_GROUP})
    world.to_client = intercept
    world.start().run(30, World.over)
    expect(lost and world.has('connected'), summary(world))
    world.run(1)
    carries(world)


@case
def test_a6_forged_fragments_before_each_message(sim):
    """Somebody on the path who is faster: other slices under the same ID, other ends, no end."""

    def forge(data):
        for index, flags in ((1, 0), (2, 0), (2, 1), (3, 1), (0, 1), (255, 0), (64, 0)):
            yield data[:34] + bytes([index, flags]) + b'\xee' * (len(data) - 36)

    def intercept(_, datagram):
        if not is_fragment(datagram.data):
            return None
        forged = [(0.001, datagram.port, f) for f in forge(datagram.data)]
        # he tires of it after three seconds
        attack = world.now < 1003 * 1_000_000_000
        return (forged if attack else []) + [(0.02, datagram.port, datagram.data)]

    world = sim.world(RACOON, {**WITH_USER, **LARGE_GROUP})
    world.to_client = intercept
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)


@case
def test_a_long_quick_mode_goes_in_fragments(sim):
    world = sim.connect(STRONGSWAN, LONG_PROFILE)
    pieces, whole = ours(world, c.QUICK)
    expect(len(pieces) > 1, f'{[len(p) for p in pieces]}')
    expect(max(map(len, pieces)) + 4 <= SMALLEST_PATH, f'{[len(p) for p in pieces]}')
    expect(max(map(len, whole), default=0) + 4 <= SMALLEST_PATH, 'a long one went whole')
    carries(world)


@case
def test_who_takes_no_fragments_gets_none(sim):
    world = sim.connect(variant(STRONGSWAN, fragments=0), LONG_PROFILE)
    pieces, whole = ours(world, c.QUICK)
    expect(not pieces and max(map(len, whole)) > SMALLEST_PATH, f'{[len(p) for p in whole]}')
    carries(world)


@case
def test_a_path_of_1280_bytes_is_enough(sim):
    """Neither way does anything longer get through, and no IP fragment does."""
    world = sim.world(STRONGSWAN, LONG_PROFILE)
    world.to_gateway = lambda _, sent: len(sent.data) <= SMALLEST_PATH
    world.to_client = lambda _, d: None if len(d.data) <= 1280 - 28 else []
    world.start().run(30, World.over)
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)


@case
def test_such_a_path_is_too_narrow_without(sim):
    """So that the case before shows something."""
    world = sim.world(variant(STRONGSWAN, fragments=0), LONG_PROFILE)
    world.to_gateway = lambda _, sent: len(sent.data) <= SMALLEST_PATH
    world.start().run(60, World.over)
    expect(not world.has('connected'), 'connected')


@cases(1, 2, 3)
def test_fragments_both_ways_over_a_bad_network(sim, seed):
    sim.seed = seed
    world = sim.world(variant(STRONGSWAN, fragments=400), {**LONG_PROFILE})
    world.link.loss, world.link.duplicate, world.link.jitter = 0.1, 0.1, 0.05
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.run(30)
    carries(world)
