# SPDX-License-Identifier: GPL-2.0-or-later
"""A world of one client (the C core), one gateway and the network between, under a virtual clock.

Nothing here reads a clock or a random source of the machine: the same seed gives the same run.
"""

import dataclasses
import heapq
import ipaddress
import itertools
import random

from gateways import constants as c
from gateways import inner, pki, signatures
from gateways.gateway import Config, Gateway
from gateways.personalities import Personality

SECOND = 1_000_000_000
CLIENT = ('198.51.100.7', 40500)

PROFILE = {
    'psk': b'correct horse battery staple',
    'id': 'email:alice@example.com',
    'remote': 'any',
    'proposals': 'aes128-sha1-modp1024',
    'lifetime': 28800,
    'p2': 'aes128-sha1',
    'p2lifetime': 3600,
    'networks': '10.10.0.0/24',
    'xauth': 'auto',
    'config': 'auto',
    'natt': 'force',
    'dpd': 30,
}
WITH_USER = {'user': b'carol', 'password': b'carol-password'}
HEX_KEYS = ('psk', 'user', 'password')


@dataclasses.dataclass
class Link:
    """What the network does to a datagram, each way alike."""

    delay: float = 0.02
    jitter: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0


@dataclasses.dataclass
class Sent:
    """A datagram that the client sent."""

    time: int
    port: int
    data: bytes

    @property
    def message(self):
        """Without the non-ESP marker."""
        return self.data[4:] if self.port == 4500 else self.data

    @property
    def exchange(self):
        return self.message[18] if len(self.message) >= 28 else None

    @property
    def mid(self):
        return int.from_bytes(self.message[20:24], 'big')

    @property
    def encrypted(self):
        return bool(self.message[19] & c.FLAG_ENCRYPTED)


class World:
    def __init__(self, pipe, personality=Personality, profile=None, config=None, seed=1, link=None):
        self.pipe = pipe
        self.rng = random.Random(seed)
        self.seed = seed
        self.link = link or Link()
        self.profile = {**PROFILE, **(profile or {})}
        self.config = config or Config()
        self.gateway = Gateway(personality, self.config, random.Random(seed + 77))
        self.now = 1000 * SECOND
        self.heap, self.numbers = [], itertools.count()
        self.deadline = None
        self.source = CLIENT
        self.events, self.sent, self.replies = [], [], []
        self.answers = {}  # other words for questions, None: cancelled
        self.to_client = None  # fn(world, Datagram) -> None or list of (seconds, port, bytes)
        self.to_gateway = None  # fn(world, Sent) -> bool: deliver it
        self.broken = []
        self.questions = 0
        self.patience = 0.05  # seconds until a question is answered
        self.signer = None  # the private key of the client; None: nobody can sign
        self.signing_takes = 0.01  # seconds; a smart card needs longer
        self.signatures = 0

    # ---- the client ----

    def start(self):
        words = []
        for key, value in {'seed': self.seed, **self.profile}.items():
            if value is None:
                continue
            words.append(f'{key}={value.hex() if key in HEX_KEYS else value}')
        self.take(self.pipe.ask('new ' + ' '.join(words)))
        self.command('start')
        return self

    def command(self, verb, rest=''):
        """`start`, `tick`, `stop`, `netchange`, `renegotiate` at the present time."""
        return self.take(self.pipe.ask(f'{verb} {self.now} {rest}'.rstrip()))

    def receive(self, port, data):
        """A datagram reaches the client; what it did is checked against B3 and returned."""
        answer = self.pipe.ask(f'receive {self.now} {port} {data.hex() or "-"}')
        if not self.authenticated(answer) and len(answer.packets) > 1:
            self.broken.append(f'b3: {len(answer.packets)} datagrams for one before authentication')
        return self.take(answer)

    def authenticated(self, answer):
        return self.has('established') or any(name == 'established' for name, _ in answer.events)

    def take(self, answer):
        self.deadline = answer.deadline
        before = not self.authenticated(answer)
        for kind, item in answer.order:
            if kind == 'packet':
                sent = Sent(self.now, *item)
                if before and (sent.exchange != c.AGGRESSIVE or sent.encrypted):
                    self.broken.append(f'b4: exchange {sent.exchange} before authentication')
                self.post(sent)
            else:
                self.note(*item)
        return answer

    def note(self, name, body):
        self.events.append((self.now, name, body))
        if name == 'question':
            self.questions += 1
            self.at(self.patience, lambda: self.reply_to(body))
        if name == 'sign':
            self.signatures += 1
            self.at(self.signing_takes, lambda: self.sign(body))

    def show(self, credential, anchors, crls=(), **profile):
        """The client authenticates by certificate: its own (None: hybrid), and whom it trusts."""
        chain = [pki.der(one).hex() for one in credential.chain] if credential else []
        self.signer = credential.key if credential else None
        self.profile.update(
            auth='certificate' if credential else 'hybrid',
            psk=None,
            remote='fqdn:gw.example.com',
            chain=','.join(chain) or None,
            anchors=','.join(pki.der(one).hex() for one in anchors) or None,
            crls=','.join(one.hex() for one in crls) or None,
            wall=pki.UNIX_NOW - 1000,
        )
        self.profile.update(profile)
        return self

    def sign(self, wanted):
        """What the agent would do with the private key."""
        value, signature = bytes.fromhex(wanted['bytes']), '-'
        if self.signer is not None and wanted['ecdsa']:
            name = {32: 'sha256', 48: 'sha384', 64: 'sha512'}[len(value)]
            signature = signatures.sign_ecdsa(self.signer, name, value).hex()
        elif self.signer is not None:
            signature = signatures.sign_rsa(self.signer, value).hex()
        self.take(self.pipe.ask(f'sign {self.now} {wanted["id"]} {signature}'))

    def reply_to(self, question):
        words = {}
        if self.answers is not None:
            words = {'user': b'carol', 'password': b'carol-password', **self.answers}
        text = ' '.join(f'{k}={v.hex()}' for k, v in words.items())
        self.take(self.pipe.ask(f'answer {self.now} {question.get("id", 1)} {text}'))

    # ---- the network ----

    def at(self, seconds, action):
        heapq.heappush(self.heap, (self.now + int(seconds * SECOND), next(self.numbers), action))

    def post(self, sent):
        self.sent.append(sent)
        if self.to_gateway and not self.to_gateway(self, sent):
            return
        for delay in self.delays():
            source = self.source
            self.at(delay, lambda: self.gateway.receive(self.now, sent.port, source, sent.data))

    def seal_none(self, destination):
        """The client has no SA for this destination."""
        source = str(self.gateway.children[-1].local.network_address)
        return self.seal(inner.echo_request(source, destination)) is None

    def delays(self):
        """No, one or two times at which a datagram arrives."""
        link, out = self.link, []
        copies = 2 if self.rng.random() < link.duplicate else 1
        for _ in range(copies):
            if self.rng.random() >= link.loss:
                out.append(link.delay + self.rng.random() * link.jitter)
        return out

    def flush_gateway(self):
        for datagram in self.gateway.take_outbox():
            if self.to_client:
                plan = self.to_client(self, datagram)
                if plan is not None:
                    for seconds, port, data in plan:
                        self.at(seconds, lambda p=port, d=data: self.receive(p, d))
                    continue
            for delay in self.delays():
                self.at(delay, lambda d=datagram: self.deliver(d))

    def deliver(self, datagram):
        if datagram.peer[1] == self.source[1]:
            self.receive(datagram.port, datagram.data)

    # ---- time ----

    def run(self, seconds, until=None):
        """True as soon as `until(self)` holds; else runs to the end of these seconds."""
        end = self.now + int(seconds * SECOND)
        self.flush_gateway()
        while True:
            if until and until(self):
                return True
            moment = self.next_moment()
            if moment is None or moment > end:
                self.now = end
                return bool(until and until(self))
            self.now = max(self.now, moment)
            self.step()
            self.flush_gateway()

    def next_moment(self):
        times = [t for t in (self.deadline, self.gateway.deadline()) if t is not None]
        if self.heap:
            times.append(self.heap[0][0])
        return min(times, default=None)

    def step(self):
        if self.heap and self.heap[0][0] <= self.now:
            heapq.heappop(self.heap)[2]()
        elif self.deadline is not None and self.deadline <= self.now:
            self.tick_client()
        else:
            self.gateway.tick(self.now)

    def tick_client(self):
        """A deadline that a tick does not move would let a real event loop spin."""
        for _ in range(4):
            if self.deadline is None or self.deadline > self.now:
                return
            self.command('tick')
        if self.deadline is not None and self.deadline <= self.now:
            late = (self.now - self.deadline) / SECOND
            if not any('deadline' in text for text in self.broken):
                self.broken.append(f'the deadline stays {late:.3f} s in the past after a tick')
            self.deadline = self.now + SECOND // 100

    # ---- looking ----

    def all(self, name):
        return [body for _, event, body in self.events if event == name]

    def has(self, name):
        return any(event == name for _, event, _ in self.events)

    def when(self, name):
        """Seconds from the start to the first event of that name."""
        for time, event, _ in self.events:
            if event == name:
                return (time - 1000 * SECOND) / SECOND
        return None

    @property
    def reason(self):
        found = self.all('failed')
        return found[-1].get('reason') if found else None

    def over(self):
        return self.has('connected') or self.has('failed')

    def gateway_events(self, name):
        """Of every ISAKMP SA that the gateway ever made, in order of time."""
        found = [
            (t, details) for sa in self.gateway.history for t, n, details in sa.events if n == name
        ]
        return [details for _, details in sorted(found, key=lambda item: item[0])]

    # ---- traffic ----

    def ping(self, destination='10.10.0.9', size=56):
        """An echo request through the tunnel and its reply, not over the lossy network.  Says what
        went wrong.
        """
        children = self.gateway.children
        target = ipaddress.ip_address(destination)
        fit = [k for k in children if target in k.remote]
        if not fit:
            return 'the gateway has no SA for it'
        source = str(fit[-1].local.network_address)
        return self.ping_from(source, destination, size)

    def ping_from(self, source, destination, size=56):
        packet = inner.echo_request(source, destination, self.rng.getrandbits(15), bytes(size))
        sealed = self.seal(packet)
        if sealed is None:
            return 'the client has no SA for it'
        del self.gateway.inner[:]
        self.gateway.receive_esp(sealed)
        if self.gateway.inner != [packet]:
            return f'the gateway got {self.gateway.inner} ({dict(self.gateway.judge.drops)})'
        reply = inner.answer(packet)
        opened = self.open(self.gateway.seal(reply))
        return '' if opened == reply else f'the client got {opened}'

    def seal(self, packet):
        """The ESP packet, or None."""
        lines = self.take_data(f'seal {self.now} {packet.hex()}')
        word = lines[0].split(' ') if lines else ['none']
        return bytes.fromhex(word[2]) if word[0] == 'esp' else None

    def open(self, packet):
        """The inner packet, or the cause of its drop as text."""
        lines = self.take_data(f'open {self.now} {packet.hex() or "-"}')
        kind, _, rest = lines[0].partition(' ')
        return bytes.fromhex(rest) if kind == 'inner' else rest

    def take_data(self, text):
        """seal and open may carry events and a deadline too (kilobytes have run out)."""
        answer = self.pipe.ask(text)
        if answer.deadline is not None or answer.order:
            self.take(answer)
        return answer.lines
