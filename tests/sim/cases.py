# SPDX-License-Identifier: GPL-2.0-or-later
"""How conversations are written: small functions that take a `Sim`, registered by the decorator
`case`.
"""

import dataclasses

from gateways.gateway import Config
from gateways.personalities import Personality
from world import WITH_USER, World

REGISTRY = {}


@dataclasses.dataclass
class Case:
    name: str
    function: object
    argument: tuple


def case(function):
    """One case of its own name."""
    REGISTRY[function.__name__] = Case(function.__name__, function, ())
    return function


def cases(*arguments, full=()):
    """One case an argument, NAME[ARGUMENT]; those of `full` only with --full."""

    def register(function):
        for argument in (*arguments, *full):
            name = f'{function.__name__}[{argument}]'
            REGISTRY[name] = Case(name, function, (argument,))
            REGISTRY[name].full = argument in full and argument not in arguments
        return function

    return register


class Sim:
    """What a case gets: worlds from one ike-pipe, whose end is judged by the runner."""

    def __init__(self, pipe, seed=1):
        self.pipe = pipe
        self.seed = seed
        self.worlds = []
        self.forgiven = set()

    def world(self, personality=Personality, profile=None, link=None, **config):
        world = World(self.pipe, personality, profile, Config(**config), self.seed, link)
        self.worlds.append(world)
        return world

    def forgive(self, *rules):
        """Breaches that the case itself provokes."""
        self.forgiven.update(rules)

    def connect(self, personality=Personality, profile=None, link=None, **config):
        """A world that is connected; with a user where the gateway asks for one."""
        if 'xauth' in personality.plan:
            profile = {**WITH_USER, **(profile or {})}
        world = self.world(personality, profile, link, **config).start()
        world.run(60, World.over)
        expect(world.has('connected'), f'not connected: {summary(world)}')
        world.run(1)
        return world

    def verdict(self):
        """Everything that was wrong whatever the case itself asked."""
        faults = []
        for world in self.worlds:
            faults += world.broken
            faults += [
                f'violation {rule}: {text}'
                for _, rule, text in world.gateway.judge.violations
                if rule not in self.forgiven
            ]
        return faults


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(got, wanted, what=''):
    expect(got == wanted, f'{what}: got {got!r}, wanted {wanted!r}')


def carries(world, destination='10.10.0.9'):
    """An ESP packet goes both ways."""
    problem = world.ping(destination)
    expect(not problem, f'no traffic: {problem}')


def summary(world):
    """The last that was seen of a world, for messages."""
    events = [f'{(t / 1e9 - 1000):.2f} {name} {body}' for t, name, body in world.events][-6:]
    log = [f'{(t / 1e9 - 1000):.2f} gw: {text}' for t, text in world.gateway.judge.log][-6:]
    refused = [f'gw {name} {details}' for _, name, details in world.gateway.events][-3:]
    return ' | '.join(events + log + refused)


def fails(world, reason, within):
    """The world ends as failed, for this reason, in time."""
    world.start()
    world.run(within, World.over)
    expect(not world.has('connected'), 'connected')
    equal(world.reason, reason, f'reason; {summary(world)}')


def children(world):
    return world.gateway.children
