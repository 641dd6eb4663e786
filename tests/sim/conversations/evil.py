# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway that knows all keys and lies in every message: what is behind the HASH is hostile too.

Payloads are changed before they are hashed and encrypted.  Whatever comes, the core lives, a session
comes to an end or goes on, and nothing is sent without measure.
"""

import random
import struct

from cases import cases, children, expect, summary
from gateways import constants as c
from gateways.gateway import Gateway
from gateways.personalities import Cisco, Personality, Srx, StrongSwan, variant
from world import WITH_USER, World

GATEWAYS = (Srx, StrongSwan, Cisco, Personality, variant(Srx, plan=('xauth', 'push+status')))
KINDS = (
    c.SA,
    c.KE,
    c.ID,
    c.HASH,
    c.NONCE,
    c.NOTIFY,
    c.DELETE,
    c.VENDOR,
    c.ATTRIBUTES,
    c.NAT_D,
    c.CERT,
    255,
)
NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 16, 28, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFC, 0xFFFF)


class Liar:
    """Changes lists of payloads, each with a small chance."""

    def __init__(self, seed, chance):
        self.rng, self.chance = random.Random(seed), chance

    def payloads(self, payloads):
        if self.rng.random() > self.chance:
            return payloads
        changed = list(payloads)
        for _ in range(self.rng.randrange(1, 4)):
            self.rng.choice((self.body, self.body, self.body, self.order))(changed)
        return changed

    def body(self, changed):
        """One body: other bytes, another length, another 16-bit number."""
        if not changed:
            return
        at = self.rng.randrange(len(changed))
        kind, body = changed[at]
        data = bytearray(body)
        how = self.rng.randrange(5)
        if how == 0 and data:
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        elif how == 1:
            del data[self.rng.randrange(len(data) + 1) :]
        elif how == 2:
            data += self.rng.randbytes(self.rng.choice((1, 2, 3, 4, 40, 300)))
        elif how == 3 and len(data) >= 2:
            place = self.rng.randrange(len(data) - 1)
            struct.pack_into('>H', data, place, self.rng.choice(NUMBERS))
        elif data:
            place = self.rng.randrange(len(data))
            data[place:place] = data[place : place + self.rng.randrange(1, 16)]
        changed[at] = (kind, bytes(data[:8000]))

    def order(self, changed):
        """A payload twice, gone, elsewhere, of another kind, or a new one."""
        if not changed:
            return
        at, how = self.rng.randrange(len(changed)), self.rng.randrange(5)
        if how == 0:
            changed.insert(self.rng.randrange(len(changed) + 1), changed[at])
        elif how == 1:
            del changed[at]
        elif how == 2:
            changed.insert(self.rng.randrange(len(changed)), changed.pop(at))
        elif how == 3:
            changed[at] = (self.rng.choice(KINDS), changed[at][1])
        else:
            body = self.rng.randbytes(self.rng.randrange(0, 30))
            changed.insert(at, (self.rng.choice(KINDS), body))


def lie(world, liar):
    """Every list of payloads of this gateway goes through the liar."""
    honest = Gateway.hook

    def hook(name, value):
        value = honest(world.gateway, name, value)
        return liar.payloads(value) if isinstance(value, list) else value

    world.gateway.hook = hook


def pester(world, rng):
    """Everything that a gateway may begin, in some order."""
    for _ in range(12):
        sa = world.gateway.newest()
        if sa is None or world.has('lost') or world.has('failed'):
            return
        things = [
            sa.info.ask_alive,
            sa.transactions.again,
            lambda: sa.info.delete_esp([rng.randbytes(4)]),
            lambda: push_again(sa),
        ]
        if children(world):
            things += [lambda: sa.quick.begin(rng.choice(children(world)))] * 2
            things += [lambda: sa.info.delete_esp([children(world)[-1].inbound.spi])]
        rng.choice(things)()
        world.run(rng.choice((0.01, 0.5, 3, 20)))


def push_again(sa):
    sa.transactions.plan = ['push']
    sa.transactions.step()


@cases(*range(0, 6), full=range(6, 24))
def test_evil_gateway(sim, start):
    """A hundred lives each."""
    base = 100_000 * sim.seed + 1000 * start
    for seed in range(base, base + 100):
        rng = random.Random(seed)
        personality = rng.choice(GATEWAYS)
        profile = dict(WITH_USER) if 'xauth' in personality.plan else {}
        del sim.worlds[:]
        sim.seed = seed
        world = sim.world(personality, {**profile, 'p2lifetime': 600, 'lifetime': 900})
        lie(world, Liar(seed, rng.choice((0.05, 0.2, 0.5))))
        world.start().run(200, World.over)
        expect(world.over(), f'seed {seed}: {summary(world)}')
        world.run(2)
        pester(world, rng)
        before = len(world.sent)
        world.run(300)
        expect(len(world.sent) - before < 300, f'seed {seed}: {len(world.sent) - before} datagrams')
        # the gateway's own rules do not hold for answers to lies
        del sim.worlds[:]
