# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad network under mixed gateways: every run ends connected and carries a packet, or failed with
a reason.
"""

import os
import random

from cases import cases, expect, summary
from gateways.personalities import (
    NAME_AND_PASSWORD,
    Cisco,
    FortiGate,
    FritzBox,
    Libreswan,
    Personality,
    Racoon,
    ScreenOs,
    Srx,
    StrongSwan,
    variant,
)
from world import WITH_USER, Link, World

RUNS_IN_A_CASE = 50
TEN_MINUTES = 600
LINK = Link(delay=0.01, jitter=0.4, loss=0.2, duplicate=0.1)
REASONS = (
    'unreachable',
    'no-proposal-chosen',
    'gateway-authentication',
    'user-authentication',
    'phase2-refused',
)
GATEWAYS = (
    Personality,
    StrongSwan,
    Srx,
    ScreenOs,
    Cisco,
    FortiGate,
    FritzBox,
    Racoon,
    Libreswan,
    variant(Personality, plan=('push',)),
    variant(Srx, delete_with_qm2='inside'),
    variant(Srx, plan=('xauth', 'push+status')),
    variant(Srx, xauth_rounds=(NAME_AND_PASSWORD,) * 2),
)
PROPOSALS = (
    'aes128-sha1-modp1024',
    'aes256-sha256-modp2048;aes128-sha1-modp1024',
    'aes128-sha256-modp2048',
    'aes256-sha1-modp1536;3des-sha1-modp1024',
)


def runs():
    return int(os.environ.get('DIALTONE_CHAOS_RUNS', '1000'))


def has_a_token(world):
    """A person who knows the password, and has a code for who asks the same once more."""

    def reply(question):
        world.answers = {'password': b'123456'} if question['again'] else {}
        World.reply_to(world, question)

    return reply


def one(sim, seed):
    rng = random.Random(seed)
    personality = rng.choice(GATEWAYS)
    profile = {
        'proposals': rng.choice(PROPOSALS),
        **(WITH_USER if 'xauth' in personality.plan else {}),
    }
    if personality.name == 'cisco':
        profile['networks'] = ''
    sim.seed = seed
    del sim.worlds[:]
    world = sim.world(personality, profile, LINK, orderly_network=False)
    world.reply_to = has_a_token(world)
    world.start().run(TEN_MINUTES, World.over)
    where = f'seed {seed}, {personality.__name__} {personality.name}: {summary(world)}'
    expect(world.over(), f'hangs after ten minutes: {where}')
    if not world.has('connected'):
        expect(world.reason in REASONS, f'{world.reason}: {where}')
        return world
    if not world.run(120, lambda w: not w.ping()):
        expect(False, f'carries nothing ({world.ping()}): {where}')
    faults = sim.verdict()
    expect(not faults, f'{where}: {faults}')
    return world


@cases(*range(0, runs(), RUNS_IN_A_CASE))
def test_chaos(sim, start):
    """20 % loss, duplicates, reordering; most runs have to connect."""
    count = min(RUNS_IN_A_CASE, runs() - start)
    base = 100_000 * sim.seed + start
    results = [one(sim, base + i) for i in range(count)]
    connected = sum(world.has('connected') for world in results)
    expect(
        connected >= 0.8 * count,
        f'{connected} of {count} connected: '
        + str([w.reason for w in results if not w.has('connected')]),
    )


def hour(sim, seed):
    """Renewals of both phases over a bad network, with traffic; a gap may last a minute."""
    rng = random.Random(seed)
    personality = variant(rng.choice(GATEWAYS), phase2_lifetime=rng.choice((300, 600, 3600)))
    profile = {
        'proposals': PROPOSALS[1],
        'lifetime': rng.choice((900, 1800)),
        'p2lifetime': rng.choice((300, 900)),
        'dpd': 30,
    }
    if personality.name == 'cisco':
        profile['networks'] = ''
    profile.update(WITH_USER if 'xauth' in personality.plan else {})
    sim.seed = seed
    del sim.worlds[:]
    world = sim.world(personality, profile, LINK, orderly_network=False)
    world.reply_to = has_a_token(world)
    world.start().run(TEN_MINUTES, World.over)
    silent = 0
    for _ in range(360):
        if not world.has('connected') or world.has('lost') or world.has('failed'):
            break
        world.run(10)
        silent = silent + 10 if world.ping() else 0
        expect(
            silent <= 90, f'seed {seed}: no traffic for {silent} s: {world.ping()} {summary(world)}'
        )
    faults = sim.verdict()
    expect(not faults, f'seed {seed}, {personality.name}: {faults}')
    return world


@cases(*range(0, 4))
def test_chaos_for_an_hour(sim, start):
    """Most tunnels live through it; the others say that they are lost."""
    base = 100_000 * sim.seed + 50_000 + 10 * start
    worlds = [hour(sim, base + i) for i in range(10)]
    alive = sum(w.has('connected') and not w.has('lost') for w in worlds)
    expect(alive >= 8, f'{alive} of 10 lived: {[w.all("lost") for w in worlds]}')
