# SPDX-License-Identifier: GPL-2.0-or-later
"""Aggressive mode, the responder's side (RFC 2409, 5.1 and 5.4; RFC 3947, 3 and 4; drafts 02 and 03
of it).
"""

import ipaddress
import socket
import struct

from . import constants as c
from . import authentication, crypto, fragments, keys, wire
from .algorithms import phase1_suite
from .exchange import Exchange
from .signatures import METHODS

AM1_PAYLOADS = (c.SA, c.KE, c.NONCE, c.ID, c.VENDOR, c.CERTREQ)
BASIC_ATTRIBUTES = (
    c.P1_ENCRYPTION,
    c.P1_HASH,
    c.P1_AUTH,
    c.P1_GROUP,
    c.P1_LIFE_TYPE,
    c.P1_KEY_LENGTH,
)


class Phase1:
    def __init__(self, sa):
        self.sa = sa
        self.judge = sa.judge
        self.sa_body = self.gxi = self.gxr = self.ni = self.nr = b''
        self.idii = self.idir = b''
        self.vendor_ids = []
        self.requests = []
        self.lifetimes = {}
        self.auth = self.authentication = None

    def receive(self, header, body):
        if self.sa.state == 'new':
            return self._first(header, body)
        if self.sa.state == 'wait-am3':
            return self._third(header, body)
        self.judge.drop('late-aggressive')
        return False

    # ---- AM1 ----

    def _first(self, header, body):
        judge = self.judge
        judge.expect(header.flags == 0, 'am1-flags', f'flags {header.flags:#x}')
        judge.expect(header.mid == 0, 'rfc2408-3.1-mid', 'message ID in phase 1')
        payloads, left = wire.parse_chain(header.next, body, judge)
        judge.expect(not left, 'am1-trailing', f'{len(left)} bytes behind the last payload')
        message = wire.Message(header, payloads)
        self.sa.cky_i = header.cky_i
        if not self._am1_complete(message):
            return False
        self.sa_body, self.gxi = message.get(c.SA), message.get(c.KE)
        self.ni, self.idii = message.get(c.NONCE), message.get(c.ID)
        self.vendor_ids, self.requests = message.all(c.VENDOR), message.all(c.CERTREQ)
        self._check_nonce_and_vendors()
        proposals = wire.parse_sa(self.sa_body, judge)
        self._check_identity(proposals)
        self._check_requests(proposals)
        self._check_proposals(proposals)
        self.sa.gateway.event(
            'offer', proposals=[str(phase1_suite(t)) for t in proposals[0].transforms]
        )
        return self._answer(proposals[0])

    def _am1_complete(self, message):
        types = [p.type for p in message.payloads]
        self.judge.expect(types and types[0] == c.SA, 'rfc2409-5-sa-first', f'payloads {types}')
        for kind in types:
            self.judge.expect(
                kind in AM1_PAYLOADS,
                'am1-payload',
                f'payload {kind} in the first message (RFC 2407, 4.6.3 for notifies)',
            )
        for kind in (c.SA, c.KE, c.NONCE, c.ID):
            if not self.judge.expect(
                types.count(kind) == 1, 'am1-once', f'{types.count(kind)} of {kind}'
            ):
                return False
        return True

    def _check_nonce_and_vendors(self):
        self.judge.expect(8 <= len(self.ni) <= 256, 'rfc2409-5-nonce', f'{len(self.ni)} bytes')
        doubles = len(self.vendor_ids) - len(set(self.vendor_ids))
        self.judge.expect(doubles == 0, 'vendor-twice', f'{doubles} vendor IDs twice')
        self.judge.expect(
            self.gxi not in self.sa.gateway.public_values,
            'fresh-ke',
            'a public value was used in two exchanges',
        )
        self.sa.gateway.public_values.add(self.gxi)

    def _check_requests(self, proposals):
        """Only who will see a signature asks for certificates (RFC 2408, 3.10)."""
        fits = not self.requests or authentication.offers_signatures(proposals[0])
        self.judge.expect(fits, 'certreq-unfit', 'a certificate request with a preshared key')
        for body in self.requests:
            authentication.check_request(body, self.judge)

    def _check_identity(self, proposals):
        identity = wire.parse_id(self.idii)
        self.sa.identity = identity
        judge, wanted = self.judge, self.sa.personality.id_port
        methods = {t.get(c.P1_AUTH) for t in proposals[0].transforms}
        if methods == {c.AUTH_HYBRID_INIT_RSA} and (identity.kind, identity.data) == (0, b''):
            return  # as the draft wishes (4.2)
        judge.expect(
            identity.kind in (c.ID_FQDN, c.ID_USER_FQDN, c.ID_KEY_ID, c.ID_DER_ASN1_DN),
            'id-kind',
            f'identity of kind {identity.kind}',
        )
        judge.expect(
            (identity.protocol, identity.port) == wanted,
            'rfc3947-4-id-port',
            f'protocol {identity.protocol} port {identity.port}',
        )
        judge.expect(identity.data, 'id-empty', 'empty identity')

    def _check_proposals(self, proposals):
        judge = self.judge
        judge.expect(len(proposals) == 1, 'rfc2409-5-one-proposal', f'{len(proposals)} proposals')
        proposal = proposals[0]
        judge.expect(
            proposal.protocol == c.PROTO_ISAKMP, 'p1-protocol', f'protocol {proposal.protocol}'
        )
        for transform in proposal.transforms:
            self._check_transform(transform)
        groups = {t.get(c.P1_GROUP) for t in proposal.transforms}
        judge.expect(len(groups) == 1, 'rfc2409-5-one-group', f'groups {groups} with one KE')

    def _check_transform(self, transform):
        judge = self.judge
        judge.expect(
            transform.id == c.KEY_IKE, 'rfc2407-4.4.2-transform', f'transform {transform.id}'
        )
        types = [a.type for a in transform.attributes]
        order = [t for t in c.P1_ORDER if t in types]
        judge.expect(types == order, 'p1-attribute-order', f'{types}, libreswan wants {order}')
        for kind in (c.P1_ENCRYPTION, c.P1_HASH, c.P1_AUTH, c.P1_GROUP):
            judge.expect(kind in types, 'p1-attribute-missing', f'attribute {kind}')
        for attribute in transform.attributes:
            if attribute.type in BASIC_ATTRIBUTES:
                judge.expect(attribute.basic, 'rfc2409-a-basic', f'{attribute.type} is not basic')
        suite = phase1_suite(transform)
        if judge.expect(suite, 'p1-suite', f'no known suite in {types}'):
            length = crypto.public_length(suite.group)
            judge.expect(
                len(self.gxi) == length, 'rfc2409-5-ke-length', f'{len(self.gxi)} for {suite.group}'
            )

    # ---- the choice, AM2 ----

    def _choose(self, proposal):
        limit = self.sa.personality.max_proposals or len(proposal.transforms)
        for transform in proposal.transforms[:limit]:
            suite = phase1_suite(transform)
            if suite is None or str(suite) not in map(str, self.sa.gateway.phase1_suites):
                continue
            types = [a.type for a in transform.attributes]
            if self.sa.personality.cipher_first and types[:1] != [c.P1_ENCRYPTION]:
                continue
            if transform.get(c.P1_AUTH) in self.sa.personality.auth:
                return transform, suite
        return None, None

    def _answer(self, proposal):
        transform, suite = self._choose(proposal)
        if transform is None:
            return self._refuse(c.NO_PROPOSAL_CHOSEN, 'no-proposal')
        psk = self.sa.config.psk_for(self.sa.identity)
        self.auth = transform.get(c.P1_AUTH)
        self.authentication = authentication.Authentication(self, self.auth)
        if psk is None:
            return self._refuse(self.sa.personality.wrong_id_notify, 'unknown-identity')
        try:
            dh = self.sa.gateway.hook('dh', crypto.DiffieHellman(suite.group, self.sa.rng))
            shared = dh.shared(self.gxi)
        except crypto.BadPublicValue as error:
            self.judge.violation('ke-value', str(error))
            return self._refuse(c.INVALID_KEY_INFORMATION, 'bad-ke')
        self._derive(suite, psk, dh, shared)
        self.lifetimes = transform.lifetimes(c.P1_LIFE_TYPE, c.P1_LIFE_DURATION)
        self._send_second(proposal.number, transform)
        self.sa.state = 'wait-am3'
        self.sa.gateway.register(self.sa)
        return True

    def _refuse(self, kind, why):
        self.sa.event('refused', why=why)
        self.sa.gateway.event('refused', why=why)
        self.sa.state = 'refused'
        if self.sa.personality.refuses_aloud and kind:
            notify = wire.build_notify(c.PROTO_ISAKMP, kind)
            self.sa.send_clear(
                'refusal', c.INFORMATIONAL, [(c.NOTIFY, notify)], self.sa.rng.getrandbits(32)
            )
        return True

    def _derive(self, suite, psk, dh, shared):
        sa = self.sa
        sa.suite, self.gxr, self.nr = suite, dh.public, sa.random(sa.personality.nonce_length)
        name = suite.hash.name
        skeyid = self.authentication.skeyid(name, psk, shared)
        sa.keys = keys.derive(name, skeyid, shared, sa.cky_i, sa.cky_r)
        sa.cipher_key = keys.encryption_key(sa.keys, suite.cipher.key)
        sa.last_block = keys.phase1_iv(name, self.gxi, self.gxr, suite.cipher.block)
        self.shared = shared

    def _send_second(self, number, transform):
        sa = self.sa
        self.idir = wire.build_id(*sa.config.gateway_id, *sa.personality.own_id_port)
        chosen = wire.build_sa([(number, c.PROTO_ISAKMP, b'', [self._transform_body(transform)])])
        payloads = [(c.SA, chosen), (c.KE, self.gxr), (c.NONCE, self.nr), (c.ID, self.idir)]
        payloads += [(c.VENDOR, vid) for vid in self._vendor_ids()]
        payloads += self._natd_payloads()
        payloads += self.authentication.own_payloads()
        exchange = sa.exchanges[0] = Exchange(0, c.AGGRESSIVE)
        sa.send_clear('am2', c.AGGRESSIVE, payloads, 0, exchange)

    def _transform_body(self, transform):
        personality = self.sa.personality
        if personality.phase1_lifetime_in != 'transform':
            return transform.raw
        kept = [
            (a.type, a.number, a.basic)
            for a in transform.attributes
            if a.type < c.P1_LIFE_TYPE or a.type == c.P1_KEY_LENGTH
        ]
        kept += [
            (c.P1_LIFE_TYPE, c.LIFE_SECONDS),
            (c.P1_LIFE_DURATION, personality.phase1_lifetime, False),
        ]
        return wire.build_transform(transform.number, transform.id, wire.build_attributes(kept))

    def _vendor_ids(self):
        """The gateway's own, XAUTH where it is chosen, Unity where it is spoken, and the best NAT-T
        of both.
        """
        personality, sa = self.sa.personality, self.sa
        chosen = list(personality.vendor_ids)
        if personality.fragments:
            chosen.append(fragments.VENDOR_ID)
        if METHODS[self.auth].xauth:
            chosen.append(c.VID_XAUTH)
        common = [v for v in c.NATT_RANK if v in personality.natt and v in self.vendor_ids]
        if common:
            sa.natt = common[0]
            chosen += common if personality.natt_answers == 'all' else common[:1]
        return chosen

    def _natd_kind(self):
        return c.NAT_D if self.sa.natt == c.VID_NATT_RFC else c.NAT_D_DRAFT

    def natd(self, address, port):
        packed = socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)
        return keys.natd(self.sa.suite.hash.name, self.sa.cookies, packed, port)

    def _natd_payloads(self):
        sa = self.sa
        if not sa.natt:
            return []
        own = self.natd(sa.config.own_address, sa.local_port)
        kind = self._natd_kind()
        return [(kind, self.natd(*sa.peer)), (kind, sa.gateway.hook('natd-own', own))]

    # ---- AM3 ----

    def _third(self, header, body):
        sa, judge = self.sa, self.judge
        judge.expect(header.mid == 0, 'rfc2408-3.1-mid', 'message ID in phase 1')
        if not judge.expect(
            header.flags & c.FLAG_ENCRYPTED, 'am3-clear', 'the third message is in clear'
        ):
            return False
        plain = sa.decrypt(sa.last_block, body)
        if plain is None:
            return False
        try:
            payloads, padding = wire.parse_chain(header.next, plain, judge)
        except wire.WireError as error:
            judge.violation('undecryptable', f'third message: {error}')
            return False
        sa.check_padding(padding)
        message = wire.Message(header, payloads, padding)
        return self._verify_third(message, body)

    def _verify_third(self, message, body):
        sa, judge = self.sa, self.judge
        for payload in message.payloads:
            judge.expect(
                payload.type in (*self.authentication.allowed(), self._natd_kind()),
                'am3-payload',
                f'payload {payload.type}',
            )
        if not self.authentication.verify(message):
            self.authentication.refuse()
            return False
        self._check_natd(message.all(self._natd_kind()))
        sa.last_block = body[-sa.suite.cipher.block :]
        sa.exchanges[0].settle()
        sa.state = 'established'
        sa.established_at = sa.gateway.now
        sa.gateway.path_seen(sa)
        sa.event('established', suite=str(sa.suite), identity=sa.identity.data)
        sa.gateway.adopt(sa)
        self._tell_lifetime()
        if sa.config.load_balance:
            self._send_elsewhere()
        else:
            sa.transactions.start()
        return True

    def _check_natd(self, hashes):
        sa, judge = self.sa, self.judge
        if not sa.natt:
            judge.expect(not hashes, 'natd-unasked', 'NAT-D without NAT-T')
            return
        if not judge.expect(len(hashes) >= 2, 'rfc3947-3.2-natd', f'{len(hashes)} NAT-D payloads'):
            return
        size = len(self.natd('0.0.0.0', 0))
        for value in hashes:
            judge.expect(len(value) == size, 'rfc3947-3.2-length', f'NAT-D of {len(value)} bytes')
        own = [self.natd(sa.config.dialled_address, port) for port in (500, 4500)]
        judge.expect(
            hashes[0] in own, 'rfc3947-3.2-destination', 'the first NAT-D is not the destination'
        )
        peer, port = sa.gateway.source
        seen = [self.natd(peer, port), self.natd(*sa.peer)]
        sa.udp_encapsulation = not any(value in seen for value in hashes[1:])
        behind = hashes[0] not in (self.natd(sa.config.own_address, p) for p in (500, 4500))
        sa.udp_encapsulation = sa.udp_encapsulation or behind
        if sa.udp_encapsulation:
            judge.expect(
                sa.gateway.arrived_at == 4500, 'rfc3947-4-float', 'NAT, and no change to port 4500'
            )

    def _tell_lifetime(self):
        """RESPONDER-LIFETIME of Phase 1 (RFC 2407, 4.6.3.1): SPI is both cookies."""
        sa, personality = self.sa, self.sa.personality
        if personality.phase1_lifetime_in != 'notify':
            return
        pairs = [
            (c.P1_LIFE_TYPE, c.LIFE_SECONDS),
            (c.P1_LIFE_DURATION, personality.phase1_lifetime, False),
        ]
        notify = wire.build_notify(
            c.PROTO_ISAKMP, c.RESPONDER_LIFETIME, sa.cookies, wire.build_attributes(pairs)
        )
        sa.info.send('phase1-lifetime', [(c.NOTIFY, notify)])

    def _send_elsewhere(self):
        """Cisco's load balancing: another member of the cluster is to be called."""
        sa = self.sa
        address = ipaddress.ip_address(sa.config.load_balance).packed
        notify = wire.build_notify(c.PROTO_ISAKMP, c.CISCO_LOAD_BALANCE, sa.cookies, address)
        sa.info.send('load-balance', [(c.NOTIFY, notify)])

    def lifetime(self):
        """Seconds that count: the shorter of both sides."""
        offered = self.lifetimes.get(c.LIFE_SECONDS, 28800)
        return min(offered, self.sa.personality.phase1_lifetime)
