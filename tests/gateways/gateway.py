# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole gateway, sans I/O: `receive` and `tick` take virtual time in ns and fill `outbox` with
datagrams.

It owns the ISAKMP SAs, the ESP SAs and the addresses, and routes what arrives by port, marker and
cookies.
`hooks` maps the name of a message to a function that changes its payloads before they are hashed,
'hash:NAME' to one that changes the HASH, 'plain:NAME' to one that changes what will be encrypted.
"""

import ipaddress
import random
from dataclasses import dataclass, field

from . import algorithms, fragments, pki, wire
from . import constants as c
from .dhcp import DhcpServer
from .esp import EspError
from .judge import Judge
from .personalities import Personality
from .sa import IsakmpSa
from .signatures import METHODS


@dataclass
class Config:
    """What an administrator would set."""

    psk: bytes = b'correct horse battery staple'
    client_id: tuple = None  # (kind, data); None: anybody
    gateway_id: tuple = (c.ID_FQDN, b'gw.example.com')
    credential: object = None  # pki.Credential: the gateway's key and chain
    client_anchors: tuple = ()  # certificates of the authorities whose clients are let in
    certificates_at: object = pki.NOW
    users: dict = field(default_factory=lambda: {b'carol': b'carol-password'})
    one_time_code: bytes = b'123456'
    xauth_answers: dict = field(default_factory=dict)  # {(transaction, round): {attribute: value}}
    refusal_text: bytes = b''
    welcome_text: bytes = b''
    own_address: str = '192.0.2.1'
    dialled_address: str = '192.0.2.1'  # where the client believes the gateway to be
    pool: str = '10.20.1.0/24'
    dns: tuple = ('10.10.0.53',)
    nbns: tuple = ()
    networks: tuple = ('10.10.0.0/24',)
    address_expiry: int = 0
    dhcp_server: str = '10.10.0.67'
    dhcp_htypes: tuple = (1, 31)  # the hardware types that it serves
    dhcp_to_gateway: bool = None  # only what goes to the gateway itself; False: all but that
    dhcp_naks: int = 0  # REQUESTs that it refuses first
    lease: int = 3600
    lease_renewal: int = 0  # T1; 0: not said
    banner: bytes = b''
    domain: bytes = b''
    split_domains: bytes = b''
    split_include: tuple = ()
    local_lan: tuple = ()
    backup_servers: tuple = ()
    save_password: bool = None
    unity_pfs: bool = None
    natt_port: int = None
    load_balance: str = ''  # the address of the gateway to go to instead
    orderly_network: bool = True

    def psk_for(self, identity):
        wanted = self.client_id
        if wanted is not None and (identity.kind, identity.data) != tuple(wanted):
            return None
        return self.psk


@dataclass
class Datagram:
    port: int  # the gateway's own port
    peer: tuple  # (address, port)
    data: bytes
    name: str = ''


class Gateway:
    def __init__(self, personality=Personality, config=None, rng=None):
        self.personality, self.config = personality, config or Config()
        self.rng = rng or random.Random(1)
        self.judge = Judge()
        self.now = 0
        self.outbox = []
        self.hooks = {}
        self.sas = {}
        self.history = []
        self.children = []
        self.pending = []
        self.inner = []
        self.addresses = {}
        self.events = []
        self.public_values = set()
        self.first_messages = {}
        self.source, self.arrived_at = None, 500
        self.keepalives = 0
        self.heard_at = self.spoke_at = 0
        self.reassembly = fragments.Reassembly(self.judge)
        self.fragment_id = 0
        self.dhcp = DhcpServer(self)
        self.silent = False
        self.phase1_suites = algorithms.suites(personality.phase1)
        self.phase2_suites = algorithms.suites(personality.phase2)

    # ---- what happens, for tests ----

    def event(self, name, **details):
        self.events.append((self.now, name, details))

    def hook(self, name, value):
        return self.hooks[name](value) if name in self.hooks else value

    def post(self, sa, name, data):
        size = self.personality.fragments
        if size and len(data) > size and fragments.announced(sa.phase1.vendor_ids):
            self.fragment_id += 1
            for piece in fragments.cut(data, size, self.fragment_id):
                self._post_datagram(sa, name, piece)
        else:
            self._post_datagram(sa, name, data)

    def _post_datagram(self, sa, name, data):
        marked = c.MARKER + data if sa.local_port == 4500 else data
        marked = self.hook('datagram:' + name, marked)
        if marked is not None:
            self.outbox.append(Datagram(sa.local_port, sa.peer, marked, name))

    def take_outbox(self):
        out, self.outbox = self.outbox, []
        return out

    # ---- in ----

    def receive(self, now, port, source, data):
        self.now = self.judge.now = max(now, self.now)
        self.source, self.arrived_at = source, port
        if self.silent:
            return
        if port == 4500:
            if data == b'\xff':
                self.keepalives += 1
                return
            if data[:4] != c.MARKER:
                self.receive_esp(data)
                return
            data = data[4:]
        try:
            header = wire.parse_header(data, self.judge)
            if header.next == c.FRAGMENT:
                data = self._put_together(header, data)
                header = wire.parse_header(data, self.judge) if data else None
            if header:
                self._route(header, data, port, source)
        except wire.WireError as error:
            self.judge.violation('wire', str(error))

    def _put_together(self, header, data):
        """Fragments come to who has announced them; a first message is a try."""
        first = header.cky_r == bytes(8)
        self.judge.expect(
            self.personality.fragments or first, 'fragment-unannounced', f'{len(data)} bytes'
        )
        return self.reassembly.take(data) if self.personality.fragments else None

    def _route(self, header, data, port, source):
        if header.cky_r == bytes(8):
            self._first_message(header, data, port, source)
            return
        sa = self.sas.get(header.cky_i + header.cky_r)
        if sa is None:
            self.judge.drop('unknown-cookies')
            return
        sa.receive(header, data)

    def _first_message(self, header, data, port, source):
        judge = self.judge
        if not judge.expect(
            header.exchange == c.AGGRESSIVE, 'first-exchange', f'exchange {header.exchange}'
        ):
            return
        sa = self.first_messages.get(header.cky_i)
        if sa is None:
            sa = IsakmpSa(self, source, port)
            self.first_messages[header.cky_i] = sa
            self.history.append(sa)
            sa.first = data
        else:
            judge.expect(
                sa.first == data, 'rfc2408-2.5.3-cookie', 'a cookie used for two first messages'
            )
        sa.peer, sa.local_port = (
            (source, port) if sa.state != 'established' else (sa.peer, sa.local_port)
        )
        sa.receive(header, data)

    def receive_esp(self, packet):
        for child in self.children + self.pending:
            if packet[:4] == child.inbound.spi:
                try:
                    opened = child.inbound.open(packet, self.judge)
                except EspError as error:
                    self.judge.drop('esp-' + str(error))
                    return
                self.heard_at = self.now
                if child.dhcp:
                    self.dhcp.receive(child, opened)
                else:
                    self.inner.append(opened)
                return
        self.judge.drop('esp-unknown-spi')

    # ---- called by an SA ----

    def register(self, sa):
        self.sas[sa.cookies] = sa

    def path_seen(self, sa):
        """An authenticated message moves the path (RFC 3947, 4)."""
        sa.peer, sa.local_port = self.source, self.arrived_at
        self.heard_at = self.now

    def owner(self, sa):
        return (sa.identity.kind, sa.identity.data, sa.user or sa.config_user)

    def adopt(self, sa):
        """A new phase 1 of somebody who has one already: user and children go over to it."""
        older = [
            s
            for s in self.sas.values()
            if s is not sa
            and s.established
            and (s.identity.kind, s.identity.data) == (sa.identity.kind, sa.identity.data)
        ]
        sa.renewed = bool(older)
        sa.config_user = older[-1].user or older[-1].config_user if older else None

    def plan_for(self, sa):
        if not METHODS[sa.phase1.auth].xauth:
            return tuple(s for s in self.personality.plan if s == 'push')
        if sa.renewed and not self.personality.xauth_on_rekey:
            return ('status',)
        return self.personality.plan

    def ready(self, sa):
        if self.personality.notify_after_config and not sa.notified:
            sa.notified = True
            body = wire.build_notify(
                c.PROTO_ISAKMP, self.personality.notify_after_config, sa.cookies, bytes(8)
            )
            sa.info.send('private-notify', [(c.NOTIFY, body)])

    def address_for(self, sa):
        key = self.owner(sa)
        if key not in self.addresses:
            hosts = ipaddress.ip_network(self.config.pool)
            self.addresses[key] = str(hosts[10 + len(self.addresses)])
        return self.addresses[key]

    def new_spi(self):
        return self.rng.randrange(0x100, 1 << 32).to_bytes(4, 'big')

    def stale_spi(self):
        """The SPI of an SA that the peer does not know (any more)."""
        return self.new_spi()

    def add_pending(self, child):
        self.pending.append(child)

    def install(self, child):
        if child in self.pending:
            self.pending.remove(child)
        self.children.append(child)
        self.event('child', suite=str(child.suite))

    def drop_peer(self, sa):
        """XAUTH failed: the phase 1 SA goes at once (xauth-06, 4)."""
        sa.info.delete_isakmp()
        self.forget(sa.cookies)
        self.event('dropped')

    def drop_dead(self, sa):
        """The peer does not answer any more: everything of it goes, without a word."""
        self.children = [child for child in self.children if child.sa is not sa]
        self.forget(sa.cookies)

    def forget(self, cookies):
        sa = self.sas.pop(cookies, None)
        if sa is not None:
            sa.state = 'gone'
            self.first_messages.pop(sa.cky_i, None)

    def forget_child(self, spi):
        self.children = [child for child in self.children if child.outbound.spi != spi]

    # ---- time ----

    def deadline(self):
        times = [t for t in (sa.deadline() for sa in self._alive()) if t is not None]
        return min(times, default=None)

    def _alive(self):
        return list(self.sas.values())

    def tick(self, now):
        self.now = self.judge.now = max(now, self.now)
        if self.silent:
            return
        for sa in self._alive():
            sa.tick(self.now)

    # ---- what a test may start ----

    def newest(self):
        """The ISAKMP SA that was established last."""
        done = [sa for sa in self.sas.values() if sa.established]
        return max(done, key=lambda sa: sa.established_at) if done else None

    def seal(self, inner, child=None):
        """An ESP packet to the client: by the child, or by the newest one whose networks fit."""
        if child is None:
            destination = ipaddress.ip_address(inner[16:20])
            source = ipaddress.ip_address(inner[12:16])
            fit = [k for k in self.children if destination in k.local and source in k.remote]
            if not fit:
                return None
            child = fit[-1]
        self.spoke_at = self.now
        return child.outbound.seal(inner, self.rng)

    def post_esp(self, child, packet):
        """An inner packet on its way to the client, in ESP."""
        sealed = child.outbound.seal(packet, self.rng)
        sealed = self.hook('datagram:esp', sealed)
        self.outbox.append(Datagram(child.sa.local_port, child.sa.peer, sealed, 'esp'))

    def restart(self):
        """All state is gone, as after a crash."""
        self.sas, self.first_messages, self.children, self.pending = {}, {}, [], []
