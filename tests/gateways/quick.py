# SPDX-License-Identifier: GPL-2.0-or-later
"""Quick Mode, begun by either side (RFC 2409, 5.5; RFC 2407, 4.5; RFC 3947, 5)."""

import ipaddress

from . import constants as c
from . import crypto, keys, wire
from .algorithms import GROUPS, phase2_suite
from .child import Child
from .esp import EspSa

PER_EXCHANGE = (c.P2_LIFE_TYPE, c.P2_GROUP, c.P2_ENCAP, c.P2_AUTH, c.P2_KEY_LENGTH)


class QuickModes:
    def __init__(self, sa):
        self.sa = sa
        self.judge = sa.judge
        self.count = 0

    def receive(self, exchange, message):
        state = exchange.state
        if state is None:
            self._first(exchange, message)
        elif state == 'wait-qm3':
            self._third(exchange, message)
        elif state == 'wait-qm2':
            self._second(exchange, message)
        else:
            self.judge.violation('rfc2409-5.5-order', f'quick mode message in state {state}')

    # ---- QM1 of the client ----

    def _first(self, exchange, message):
        sa = self.sa
        exchange.state = 'refused'
        if not sa.check_hash(
            message, sa.hash_over(exchange.mid, message.after_hash), 'rfc2409-5.5-hash1'
        ):
            return
        transactions = sa.transactions
        self.judge.expect(
            transactions.authenticated, 'xauth-06-4-first', 'Quick Mode before XAUTH ended'
        )
        self.count += 1
        if not self._shape(message):
            return
        ids = [wire.parse_id(body) for body in message.all(c.ID)]
        proposals = wire.parse_sa(message.get(c.SA), self.judge)
        self._check_proposals(proposals, message.get(c.KE))
        sa.event(
            'quick-offer',
            offers=[str(phase2_suite(t)) for p in proposals for t in p.transforms],
            ids=[self._network(i) for i in ids],
        )
        if not transactions.authenticated:
            return
        self._decide(exchange, message, proposals, ids)

    def _shape(self, message):
        judge = self.judge
        types = [p.type for p in message.payloads]
        judge.expect(types[1:2] == [c.SA], 'rfc2409-5.5-sa-second', f'{types}')
        allowed = (c.HASH, c.SA, c.NONCE, c.KE, c.ID, c.NOTIFY)
        judge.expect(all(t in allowed for t in types), 'qm1-payloads', f'{types}')
        fine = types.count(c.SA) == 1 and types.count(c.NONCE) == 1 and types.count(c.KE) <= 1
        fine = judge.expect(fine and types.count(c.ID) == 2, 'rfc2409-5.5-payloads', f'{types}')
        if fine:
            judge.expect(8 <= len(message.get(c.NONCE)) <= 256, 'rfc2409-5-nonce', 'nonce length')
            at = types.index(c.ID)
            judge.expect(
                types[at + 1 : at + 2] == [c.ID], 'rfc2409-5.5-ids', 'IDci and IDcr stand apart'
            )
            for body in message.all(c.NOTIFY):
                self.sa.info._notify(wire.parse_notify(body))
        return fine

    def _check_proposals(self, proposals, ke):
        judge = self.judge
        groups = set()
        for proposal in proposals:
            judge.expect(
                proposal.protocol == c.PROTO_ESP, 'qm-protocol', f'protocol {proposal.protocol}'
            )
            judge.expect(
                len(proposal.spi) == 4 and int.from_bytes(proposal.spi, 'big') > 255,
                'rfc4303-2.1-spi',
                f'SPI {proposal.spi.hex()}',
            )
            for transform in proposal.transforms:
                self._check_transform(transform)
                groups.add(transform.get(c.P2_GROUP))
        if ke is None:
            judge.expect(groups == {None}, 'rfc2409-5.5-group', f'groups {groups} without KE')
            return
        judge.expect(
            len(groups) == 1 and None not in groups,
            'rfc2409-5.5-group',
            f'groups {groups}: with KE the same one stands in every transform',
        )
        for name, number in GROUPS.items():
            if number in groups:
                length = crypto.public_length(name)
                judge.expect(len(ke) == length, 'rfc2409-5-ke-length', f'{len(ke)} for {name}')
        judge.expect(
            ke not in self.sa.gateway.public_values, 'fresh-ke', 'a public value was used twice'
        )
        self.sa.gateway.public_values.add(ke)

    def _check_transform(self, transform):
        judge = self.judge
        types = [a.type for a in transform.attributes]
        for attribute in transform.attributes:
            if attribute.type in PER_EXCHANGE:
                judge.expect(attribute.basic, 'rfc2407-4.5-basic', f'{attribute.type} is not basic')
                twice = types.count(attribute.type) > 1 and attribute.type != c.P2_LIFE_TYPE
                judge.expect(not twice, 'qm-attribute-twice', f'{types}')
        judge.expect(phase2_suite(transform), 'qm-suite', f'transform {transform.id} with {types}')
        judge.expect(
            transform.get(c.P2_ENCAP) == self._encapsulation(),
            'rfc3947-5.1-encapsulation',
            f'mode {transform.get(c.P2_ENCAP)}, not {self._encapsulation()}',
        )
        judge.expect(
            types.count(c.P2_LIFE_TYPE) == types.count(c.P2_LIFE_DURATION),
            'rfc2407-4.5-life',
            f'{types}',
        )

    def _encapsulation(self):
        if not self.sa.udp_encapsulation:
            return c.ENCAP_TUNNEL
        return c.ENCAP_UDP_TUNNEL if self.sa.natt == c.VID_NATT_RFC else c.ENCAP_UDP_TUNNEL_DRAFT

    # ---- the decision ----

    @staticmethod
    def _network(identity):
        if identity.kind == c.ID_IPV4 and len(identity.data) == 4:
            return ipaddress.ip_network(identity.data)
        if identity.kind == c.ID_IPV4_SUBNET and len(identity.data) == 8:
            mask = bin(int.from_bytes(identity.data[4:], 'big')).count('1')
            return ipaddress.ip_network((identity.data[:4], mask), strict=False)
        return None

    def _is_dhcp(self, ids):
        ends = [(identity.protocol, identity.port) for identity in ids]
        return ends == [(17, 68), (17, 67)]

    def _dhcp_ids_accepted(self, local, remote):
        """RFC 3456, 4.1: 0.0.0.0, or what this gateway has in its place, and the gateway."""
        sa, personality = self.sa, self.sa.personality
        own = sa.peer[0] if personality.dhcp == 'outer' else '0.0.0.0'
        dialled = sa.config.dialled_address
        fine = self.judge.expect(
            str(remote) == f'{dialled}/32', 'rfc3456-4.1-idcr', f'{remote}, not {dialled}'
        )
        return fine and personality.dhcp and str(local) == f'{own}/32'

    def _decide(self, exchange, message, proposals, ids):
        dhcp = self._is_dhcp(ids)
        local, remote = self._network(ids[0]), self._network(ids[1])
        for identity in ids:
            self.judge.expect(
                dhcp or (identity.protocol, identity.port) == (0, 0), 'qm-id-port', f'{identity}'
            )
        if not self.judge.expect(local is not None and remote is not None, 'qm-id-kind', f'{ids}'):
            return self._refuse(c.INVALID_ID_INFORMATION, 'id-kind')
        accepted = self._dhcp_ids_accepted if dhcp else self._ids_accepted
        if not accepted(local, remote):
            return self._refuse(c.INVALID_ID_INFORMATION, 'networks')
        proposal, transform, suite = self._choose(proposals, message.get(c.KE))
        if transform is None:
            return self._refuse(c.NO_PROPOSAL_CHOSEN, 'no-proposal')
        exchange.data.update(
            ni=message.get(c.NONCE),
            ids=message.all(c.ID),
            local=local,
            remote=remote,
            proposal=proposal,
            transform=transform,
            suite=suite,
            dhcp=dhcp,
        )
        return self._answer(exchange, message.get(c.KE))

    def _ids_accepted(self, local, remote):
        sa, config = self.sa, self.sa.config
        address = ipaddress.ip_network(sa.gateway.address_for(sa))
        policy = sa.personality.selectors
        if policy == 'narrow':
            return True
        if local != address:
            return False
        if policy == 'any':
            return remote == ipaddress.ip_network('0.0.0.0/0')
        return str(remote) in config.networks

    def _choose(self, proposals, ke):
        personality = self.sa.personality
        for proposal in proposals:
            for transform in proposal.transforms:
                suite = phase2_suite(transform)
                if suite is None or (suite.group is None) != (ke is None):
                    continue
                for own in self.sa.gateway.phase2_suites:
                    same = (own.cipher, own.hash) == (suite.cipher, suite.hash)
                    if same and (personality.pfs == 'any' or own.group == suite.group):
                        return proposal, transform, suite
        return None, None, None

    def _refuse(self, kind, why):
        self.sa.event('quick-refused', why=why)
        self.sa.gateway.event('quick-refused', why=why)
        notify = wire.build_notify(c.PROTO_ESP, kind)
        self.sa.info.send('quick-refusal', [(c.NOTIFY, notify)])

    # ---- QM2 ----

    def _answer(self, exchange, ke):
        sa, data = self.sa, exchange.data
        nr, spi = sa.random(sa.personality.nonce_length), sa.gateway.new_spi()
        chosen = wire.build_sa(
            [(data['proposal'].number, c.PROTO_ESP, spi, [self._transform_body(data['transform'])])]
        )
        payloads = [(c.SA, chosen), (c.NONCE, nr)]
        shared = b''
        if ke is not None:
            dh = sa.gateway.hook('dh', crypto.DiffieHellman(data['suite'].group, sa.rng))
            try:
                shared = dh.shared(ke)
            except crypto.BadPublicValue as error:
                self.judge.violation('ke-value', str(error))
                return self._refuse(c.INVALID_KEY_INFORMATION, 'bad-ke')
            payloads.append((c.KE, dh.public))
        payloads += [(c.ID, body) for body in self._answered_ids(data['ids'])]
        payloads += self._extras(spi)
        data.update(
            nr=nr, spi=spi, child=self._child(exchange, spi, data['proposal'].spi, nr, shared)
        )
        exchange.state = 'wait-qm3'
        sa.gateway.add_pending(data['child'])
        sa.send_protected(exchange, 'qm2', payloads, prefix=data['ni'], resend=True)
        if sa.personality.delete_with_qm2 == 'beside':
            sa.info.delete_esp([sa.gateway.stale_spi()])
        return None

    def _answered_ids(self, ids):
        if self.sa.personality.wide_ids:
            everything = wire.build_id(c.ID_IPV4_SUBNET, bytes(8))
            return [everything, everything]
        return ids

    def _transform_body(self, transform):
        personality = self.sa.personality
        if personality.phase2_lifetime_in != 'transform':
            return transform.raw
        kept = [
            (a.type, a.number, a.basic)
            for a in transform.attributes
            if a.type not in (c.P2_LIFE_TYPE, c.P2_LIFE_DURATION)
        ]
        kept += self._life_pairs()
        return wire.build_transform(transform.number, transform.id, wire.build_attributes(kept))

    def _life_pairs(self):
        personality = self.sa.personality
        pairs = [
            (c.P2_LIFE_TYPE, c.LIFE_SECONDS),
            (c.P2_LIFE_DURATION, personality.phase2_lifetime, False),
        ]
        if personality.phase2_kilobytes:
            pairs += [
                (c.P2_LIFE_TYPE, c.LIFE_KILOBYTES),
                (c.P2_LIFE_DURATION, personality.phase2_kilobytes, False),
            ]
        return pairs

    def _extras(self, spi):
        """RESPONDER-LIFETIME, good or as FortiGate sends it, and a DELETE inside the answer."""
        personality, payloads = self.sa.personality, []
        if personality.phase2_lifetime_in in ('notify', 'broken'):
            pairs = self._life_pairs()
            if personality.phase2_lifetime_in == 'broken':
                # after LIFE_TYPE stands no LIFE_DURATION but something else
                pairs = [pairs[0], (c.P2_ENCAP, 120)]
            notify = wire.build_notify(
                c.PROTO_ESP, c.RESPONDER_LIFETIME, spi, wire.build_attributes(pairs)
            )
            payloads.append((c.NOTIFY, notify))
        if personality.delete_with_qm2 == 'inside':
            stale = self.sa.gateway.stale_spi()
            payloads.append((c.DELETE, wire.build_delete(c.PROTO_ESP, [stale])))
        return payloads

    # ---- QM3 of the client ----

    def _third(self, exchange, message):
        sa, data = self.sa, exchange.data
        types = [p.type for p in message.payloads]
        self.judge.expect(types == [c.HASH], 'rfc2409-5.5-qm3', f'{types}')
        value = sa.keys.prf(
            sa.keys.a, b'\0' + exchange.mid.to_bytes(4, 'big') + data['ni'] + data['nr']
        )
        if not sa.check_hash(message, value, 'rfc2409-5.5-hash3'):
            return
        exchange.settle()
        exchange.state = 'done'
        self._install(exchange)

    def _install(self, exchange):
        sa, data = self.sa, exchange.data
        sa.gateway.install(data['child'])
        sa.event(
            'child', suite=str(data['suite']), local=str(data['local']), remote=str(data['remote'])
        )

    def _child(self, exchange, spi_in, spi_out, nr, shared):
        """Keys of both directions; each SA's KEYMAT takes the SPI that its destination chose."""
        sa, data = self.sa, exchange.data
        suite, nonces = data['suite'], data['ni'] + nr
        length = EspSa.material_length(suite)

        def end(spi):
            material = keys.keymat(sa.keys, length, bytes([c.PROTO_ESP]) + spi, nonces, shared)
            return EspSa(spi, suite, material, sa.personality.icv)

        lifetimes = data['transform'].lifetimes(c.P2_LIFE_TYPE, c.P2_LIFE_DURATION)
        return Child(
            end(spi_in),
            end(spi_out),
            data['local'],
            data['remote'],
            sa,
            suite,
            lifetimes,
            sa.gateway.now,
            data.get('dhcp', False),
        )

    # ---- Quick Mode that the gateway begins ----

    def begin(self, child, suite=None):
        """A rekey of this child, by default with the same suite."""
        sa, suite = self.sa, suite or child.suite
        exchange = sa.begin(c.QUICK)
        ni, spi = sa.random(sa.personality.nonce_length), sa.gateway.new_spi()
        transform = self._own_transform(suite)
        payloads = [(c.SA, wire.build_sa([(1, c.PROTO_ESP, spi, [transform])])), (c.NONCE, ni)]
        if suite.group:
            exchange.data['dh'] = crypto.DiffieHellman(suite.group, sa.rng)
            payloads.append((c.KE, exchange.data['dh'].public))
        payloads += [(c.ID, self._own_id(child.remote)), (c.ID, self._own_id(child.local))]
        exchange.state = 'wait-qm2'
        exchange.data.update(
            ni=ni,
            spi=spi,
            suite=suite,
            local=child.local,
            remote=child.remote,
            transform=wire.parse_transform(transform, self.judge),
        )
        sa.send_protected(exchange, 'qm1', payloads, resend=True)
        return exchange

    def _own_transform(self, suite):
        pairs = self._life_pairs() + [(c.P2_ENCAP, self._encapsulation())]
        if suite.hash:
            pairs.append((c.P2_AUTH, suite.hash.esp))
        if suite.cipher.key_length:
            pairs.append((c.P2_KEY_LENGTH, suite.cipher.key_length))
        if suite.group:
            pairs.append((c.P2_GROUP, GROUPS[suite.group]))
        return wire.build_transform(1, suite.cipher.esp, wire.build_attributes(pairs))

    def _own_id(self, network):
        if self.sa.personality.wide_ids:
            return wire.build_id(c.ID_IPV4_SUBNET, bytes(8))
        if network.prefixlen == 32:
            return wire.build_id(c.ID_IPV4, network.network_address.packed)
        return wire.build_id(
            c.ID_IPV4_SUBNET, network.network_address.packed + network.netmask.packed
        )

    def _second(self, exchange, message):
        sa, data = self.sa, exchange.data
        value = sa.hash_over(exchange.mid, data['ni'], message.after_hash)
        if not sa.check_hash(message, value, 'rfc2409-5.5-hash2'):
            return
        exchange.settle()
        proposals = wire.parse_sa(message.get(c.SA), self.judge)
        fine = len(proposals) == 1 and len(proposals[0].transforms) == 1
        if not self.judge.expect(fine, 'rfc2408-4.2-one-answer', 'not one transform in the answer'):
            return
        same = phase2_suite(proposals[0].transforms[0]) == data['suite']
        self.judge.expect(same, 'rfc2409-5-modified', 'the answer is not what was offered')
        nr, ke = message.get(c.NONCE), message.get(c.KE)
        dh = data.get('dh')
        if not self.judge.expect(
            (ke is None) == (dh is None), 'rfc2409-5.5-ke', 'KE of one side alone'
        ):
            return
        shared = dh.shared(ke) if dh else b''
        data['child'] = self._child(exchange, data['spi'], proposals[0].spi, nr, shared)
        value = sa.keys.prf(sa.keys.a, b'\0' + exchange.mid.to_bytes(4, 'big') + data['ni'] + nr)
        exchange.state = 'done'
        self._install(exchange)
        sa.send_hashed(exchange, 'qm3', value, [])
