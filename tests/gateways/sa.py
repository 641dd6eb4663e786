# SPDX-License-Identifier: GPL-2.0-or-later
"""One ISAKMP SA of a gateway: its keys, its exchanges with their IV chains, its path to the peer.

Messages are told apart here and handed to phase1, transaction, quick and info; each of these
decides,
and sends through `send_protected` or `send_clear`.
"""

import hashlib
import struct

from . import constants as c
from . import crypto, keys, wire
from .dpd import DeadPeerDetection
from .exchange import RETRANSMIT_AFTER, SECOND, Exchange
from .info import Informational
from .phase1 import Phase1
from .quick import QuickModes
from .transaction import Transactions


class IsakmpSa:
    def __init__(self, gateway, peer, local_port):
        self.gateway = gateway
        self.judge = gateway.judge
        self.personality = gateway.personality
        self.config = gateway.config
        self.rng = gateway.rng
        self.peer, self.local_port = peer, local_port
        self.cky_i, self.cky_r = bytes(8), self.random(8)
        self.state = 'new'
        self.suite = None
        self.keys = None
        self.cipher_key = b''
        self.last_block = b''
        self.identity = None
        self.user = None
        self.natt = None
        self.udp_encapsulation = False
        self.exchanges = {}
        self.used_mids = set()
        self.answers = {}
        self.events = []
        self.config_user = None
        self.renewed = False
        self.notified = False
        self.first = b''
        self.established_at = 0
        self.born = gateway.now
        self.phase1 = Phase1(self)
        self.transactions = Transactions(self)
        self.quick = QuickModes(self)
        self.info = Informational(self)
        self.dpd = DeadPeerDetection(self)

    def random(self, count):
        return self.rng.getrandbits(8 * count).to_bytes(count, 'big')

    @property
    def cookies(self):
        return self.cky_i + self.cky_r

    @property
    def established(self):
        return self.state == 'established'

    def event(self, name, **details):
        self.events.append((self.gateway.now, name, details))
        self.judge.note(f'{name} {details}')

    # ---- in ----

    def receive(self, header, data):
        known = hashlib.sha256(data).digest()
        if known in self.answers:
            self._answer_again(known)
            return
        before = len(self.gateway.outbox)
        accepted = self._dispatch(header, data)
        if accepted:
            self.answers[known] = list(self.gateway.outbox[before:])

    def _answer_again(self, known):
        """A retransmission is answered with the same bytes (RFC 2408, 5.1), on the present path."""
        self.judge.drop('retransmission')
        for datagram in self.answers[known]:
            self.gateway.outbox.append(datagram)

    def _dispatch(self, header, data):
        body = data[wire.HEADER.size :]
        if header.exchange == c.AGGRESSIVE:
            return self.phase1.receive(header, body)
        if not self.established:
            self.judge.drop('early')
            return False
        if not header.flags & c.FLAG_ENCRYPTED:
            self.judge.violation(
                'rfc2409-5-clear', f'exchange {header.exchange} in clear after phase 1'
            )
            return False
        return self._receive_protected(header, body)

    def _receive_protected(self, header, body):
        self.judge.expect(
            header.mid != 0, 'rfc2409-appendix-b-mid', 'message ID zero after phase 1'
        )
        exchange, new = self._exchange_for(header)
        if exchange is None:
            return False
        message = self._open(exchange, header, body)
        if message is None:
            return False
        if new:
            self.exchanges[header.mid] = exchange
            self.used_mids.add(header.mid)
        exchange.iv = body[-self.suite.cipher.block :]
        self.gateway.path_seen(self)
        handler = {
            c.TRANSACTION: self.transactions,
            c.QUICK: self.quick,
            c.INFORMATIONAL: self.info,
        }
        if header.exchange not in handler:
            self.judge.violation('exchange-type', f'exchange {header.exchange} after phase 1')
            return False
        handler[header.exchange].receive(exchange, message)
        return True

    def _exchange_for(self, header):
        exchange = self.exchanges.get(header.mid)
        if exchange is not None:
            if exchange.kind == header.exchange and header.exchange != c.INFORMATIONAL:
                return exchange, False
            self.judge.violation('mid-unique', f'message ID {header.mid:#x} used again')
            return None, False
        iv = keys.phase2_iv(
            self.suite.hash.name, self.last_block, header.mid, self.suite.cipher.block
        )
        return Exchange(header.mid, header.exchange, iv), True

    def _open(self, exchange, header, body):
        """Decrypts, parses and checks that HASH stands first; its value is the handlers' affair."""
        plain = self.decrypt(exchange.iv, body)
        if plain is None:
            return None
        try:
            payloads, padding = wire.parse_chain(header.next, plain, self.judge)
        except wire.WireError as error:
            self.judge.violation('undecryptable', f'exchange {header.exchange}: {error}')
            return None
        # A question of a size has as many zeros as it takes.
        self.check_padding(padding, sized=header.exchange == c.INFORMATIONAL and not any(padding))
        if not payloads or payloads[0].type != c.HASH:
            self.judge.violation('rfc2409-5.5-hash-first', f'payloads {[p.type for p in payloads]}')
            return None
        start = len(payloads[0].body) + wire.GENERIC.size
        return wire.Message(header, payloads, padding, plain[start : len(plain) - len(padding)])

    def check_padding(self, padding, sized=False):
        fine = (sized or len(padding) <= self.suite.cipher.block) and not any(padding[:-1])
        fine = fine and (not padding or padding[-1] in (0, len(padding) - 1))
        self.judge.expect(fine, 'rfc2409-padding', padding.hex())

    def check_hash(self, message, expected, rule):
        return self.judge.expect(message.payloads[0].body == expected, rule, 'HASH does not fit')

    def hash_over(self, mid, *parts):
        return self.keys.prf(self.keys.a, struct.pack('>L', mid) + b''.join(parts))

    def decrypt(self, iv, body):
        block = self.suite.cipher.block
        if not body or len(body) % block:
            self.judge.violation('ciphertext-length', f'{len(body)} bytes')
            return None
        return crypto.cbc(self.suite.cipher, self.cipher_key, iv, body, False)

    # ---- out ----

    def new_mid(self):
        while True:
            mid = self.rng.getrandbits(32)
            if mid and mid not in self.used_mids:
                self.used_mids.add(mid)
                return mid

    def begin(self, kind):
        """An exchange that the gateway begins."""
        mid = self.new_mid()
        iv = keys.phase2_iv(self.suite.hash.name, self.last_block, mid, self.suite.cipher.block)
        exchange = Exchange(mid, kind, iv)
        self.exchanges[mid] = exchange
        return exchange

    def send_protected(self, exchange, name, payloads, prefix=b'', resend=False):
        """payloads without HASH; prefix: what HASH covers between message ID and the payloads."""
        payloads = self.gateway.hook(name, payloads)
        rest = wire.build_chain(payloads)[1]
        value = self.hash_over(exchange.mid, prefix, rest)
        self.send_hashed(exchange, name, value, payloads, resend)

    def send_hashed(self, exchange, name, value, payloads, resend=False):
        value = self.gateway.hook('hash:' + name, value)
        first, plain = wire.build_chain([(c.HASH, value)] + payloads)
        plain = self.gateway.hook('plain:' + name, plain)
        plain += bytes(-len(plain) % self.suite.cipher.block)
        body = crypto.cbc(self.suite.cipher, self.cipher_key, exchange.iv, plain, True)
        exchange.iv = body[-self.suite.cipher.block :]
        header = wire.Header(
            self.cky_i, self.cky_r, first, exchange.kind, c.FLAG_ENCRYPTED, exchange.mid
        )
        self._post(name, exchange, header.pack(len(body) + wire.HEADER.size) + body, resend)

    def send_unhashed(self, kind, payloads):
        """Encrypted, but no HASH is put before these payloads: what only a broken or evil peer
        sends.
        """
        exchange = self.begin(kind)
        first, plain = wire.build_chain(payloads)
        plain += bytes(-len(plain) % self.suite.cipher.block)
        body = crypto.cbc(self.suite.cipher, self.cipher_key, exchange.iv, plain, True)
        header = wire.Header(self.cky_i, self.cky_r, first, kind, c.FLAG_ENCRYPTED, exchange.mid)
        self._post('unhashed', exchange, header.pack(len(body) + wire.HEADER.size) + body, False)

    def send_clear(self, name, exchange_type, payloads, mid=0, exchange=None):
        payloads = self.gateway.hook(name, payloads)
        first, body = wire.build_chain(payloads)
        header = wire.Header(self.cky_i, self.cky_r, first, exchange_type, 0, mid)
        self._post(
            name, exchange, header.pack(len(body) + wire.HEADER.size) + body, exchange is not None
        )

    def _post(self, name, exchange, data, resend):
        if exchange is not None:
            exchange.sent = (name, data)
            exchange.tries = 0
            exchange.resend_at = (
                self.gateway.now + int(RETRANSMIT_AFTER[0] * SECOND) if resend else None
            )
        self.gateway.post(self, name, data)

    # ---- time ----

    def deadline(self):
        times = [e.resend_at for e in self.exchanges.values()] + [self.dpd.deadline()]
        return min((t for t in times if t is not None), default=None)

    def tick(self, now):
        self.dpd.tick(now)
        if self.state == 'gone':
            return
        for exchange in list(self.exchanges.values()):
            if exchange.resend_at is None or exchange.resend_at > now:
                continue
            exchange.tries += 1
            if exchange.tries >= len(RETRANSMIT_AFTER):
                exchange.resend_at = None
                self.event('gave-up', kind=exchange.kind, state=exchange.state)
                continue
            exchange.resend_at = now + int(RETRANSMIT_AFTER[exchange.tries] * SECOND)
            self.gateway.post(self, *exchange.sent)
