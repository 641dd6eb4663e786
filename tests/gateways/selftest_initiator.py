#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small initiator behind the line protocol of ike-pipe, to test the gateways and the simulator
themselves.

It does what a connection needs (PSK, XAUTH, push and pull, Quick Mode, DPD, ESP) and no more: no
rekey, no
fallback to other groups than in order of refusal, no defence.  run.py --ike-pipe PATH-OF-THIS-FILE
--only connect
"""

import hashlib
import ipaddress
import json
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from gateways import algorithms, crypto, esp, keys, wire  # noqa: E402
from gateways import constants as c  # noqa: E402
from gateways.judge import Judge  # noqa: E402

SECOND = 1_000_000_000
KINDS = {'email': c.ID_USER_FQDN, 'fqdn': c.ID_FQDN, 'keyid': c.ID_KEY_ID, 'ip': c.ID_IPV4}
GATEWAY = '192.0.2.1'


# what this initiator does wrong on purpose, so that the simulator can show that it notices
FAULT = sys.argv[2] if sys.argv[1:2] == ['--fault'] else ''


class Broken(Exception):
    """A message that is dropped."""


class Session:
    def __init__(self, words):
        self.p = words
        self.rng = random.Random(int(words.get('seed', '1')))
        self.out, self.now, self.resend = [], 0, None
        self.judge = Judge()
        self.answers, self.chains, self.used = {}, {}, set()
        self.state, self.port = 'idle', 500
        self.children, self.address = [], words.get('address')
        self.status_ok = not self.secret('user')
        self.groups, self.attempts = [], 0
        for text in words['proposals'].split(';'):
            suite = algorithms.suite(text)
            if suite.group not in [g for g, _ in self.groups]:
                self.groups.append((suite.group, []))
            dict(self.groups)[suite.group].append(suite)

    def secret(self, name):
        return bytes.fromhex(self.p.get(name, ''))

    # ---- out ----

    def event(self, name, **body):
        self.out.append(f'event {name} {json.dumps(body)}')

    def send(self, data, again=False):
        marked = c.MARKER + data if self.port == 4500 else data
        line = f'packet {self.port} {marked.hex()}'
        self.out.append(line)
        self.resend = (self.now + SECOND, line, 1) if again else None
        return line

    def fail(self, reason):
        self.state, self.resend = 'failed', None
        self.event('failed', reason=reason)

    # ---- phase 1 ----

    def start(self):
        if not self.groups:
            self.fail('no-proposal-chosen')
            return
        self.attempts += 1
        group, suites = self.groups.pop(0)
        self.state, self.suites = 'phase1', suites
        self.cky_i, self.dh = self.rng.randbytes(8), crypto.DiffieHellman(group, self.rng)
        self.ni = self.rng.randbytes(20)
        kind, _, value = self.p['id'].partition(':')
        port = (17, 500) if self.p.get('idport') == '500' or FAULT == 'id-port' else (0, 0)
        self.idii = wire.build_id(KINDS[kind], value.encode(), *port)
        transforms = [
            wire.build_transform(i + 1, c.KEY_IKE, self.attributes(s)) for i, s in enumerate(suites)
        ]
        self.sa = wire.build_sa([(1, c.PROTO_ISAKMP, b'', transforms)])
        vids = [c.VID_XAUTH, c.VID_DPD, c.VID_UNITY]
        vids += [] if self.p.get('natt') == 'off' else list(c.NATT_RANK)
        if FAULT == 'two groups':
            other = self.attributes(algorithms.suite('aes128-sha1-modp1536'))
            transforms = transforms + [wire.build_transform(9, c.KEY_IKE, other)]
            self.sa = wire.build_sa([(1, c.PROTO_ISAKMP, b'', transforms)])
        payloads = [(c.SA, self.sa), (c.KE, self.dh.public), (c.NONCE, self.ni), (c.ID, self.idii)]
        if FAULT == 'initial contact':
            notify = wire.build_notify(c.PROTO_ISAKMP, c.INITIAL_CONTACT, self.cky_i + bytes(8))
            payloads.append((c.NOTIFY, notify))
        first, body = wire.build_chain(payloads + [(c.VENDOR, v) for v in vids])
        if FAULT == 'reserved':
            body = body[:1] + b'\1' + body[2:]
        self.send(
            wire.Header(self.cky_i, bytes(8), first, c.AGGRESSIVE).pack(28 + len(body)) + body, True
        )

    def attributes(self, suite):
        pairs = [(c.P1_ENCRYPTION, suite.cipher.ike)]
        if suite.cipher.key_length:
            pairs.append((c.P1_KEY_LENGTH, suite.cipher.key_length))
        auth = c.AUTH_XAUTH_INIT_PSK if self.secret('user') else c.AUTH_PSK
        pairs += [
            (c.P1_HASH, suite.hash.ike),
            (c.P1_AUTH, auth),
            (c.P1_GROUP, algorithms.GROUPS[suite.group]),
            (c.P1_LIFE_TYPE, 1),
            (c.P1_LIFE_DURATION, int(self.p.get('lifetime', '28800')), False),
        ]
        if FAULT == 'key length first':
            pairs[:2] = pairs[1::-1]
        return wire.build_attributes(pairs)

    def second(self, header, payloads):
        get = {p.type: p.body for p in reversed(payloads)}
        chosen = wire.parse_sa(get[c.SA], self.judge)[0].transforms[0]
        self.hint = None
        suite = algorithms.phase1_suite(chosen)
        if suite not in self.suites:
            raise Broken
        cky_r, name = header.cky_r, suite.hash.name
        shared = self.shared(self.dh, get[c.KE])
        skeyid = keys.skeyid_psk(name, self.secret('psk'), self.ni, get[c.NONCE])
        derived = keys.derive(name, skeyid, shared, self.cky_i, cky_r)
        cookies = self.cky_i + cky_r
        expected = keys.hash_r(derived, self.dh.public, get[c.KE], cookies, self.sa + get[c.ID])
        if expected != get[c.HASH] and FAULT != 'no hash r':
            self.fail('gateway-authentication')
            return
        if not self.remote_fits(wire.parse_id(get[c.ID])):
            self.fail('gateway-authentication')
            return
        self.suite, self.keys, self.cookies = suite, derived, cookies
        self.key = keys.encryption_key(derived, suite.cipher.key)
        iv = keys.phase1_iv(name, self.dh.public, get[c.KE], suite.cipher.block)
        value = keys.hash_i(derived, self.dh.public, get[c.KE], cookies, self.sa + self.idii)
        vids = [p.body for p in payloads if p.type == c.VENDOR]
        natt = next((v for v in c.NATT_RANK if v in vids), None)
        third = [(c.HASH, value)]
        self.encapsulation = c.ENCAP_TUNNEL
        if natt:
            kind = c.NAT_D if natt == c.VID_NATT_RFC else c.NAT_D_DRAFT
            self.encapsulation = c.ENCAP_UDP_TUNNEL if kind == c.NAT_D else c.ENCAP_UDP_TUNNEL_DRAFT
            third += [
                (kind, keys.natd(name, cookies, ipaddress.ip_address(GATEWAY).packed, 500)),
                (kind, self.rng.randbytes(suite.hash.size)),
            ]
            if FAULT == 'nat-d swapped':
                third[1:] = third[:0:-1]
            if FAULT != 'no float':
                self.port = 4500
        line = self.protect(c.AGGRESSIVE, 0, iv, third)
        self.last_block = self.chains[0]
        self.answers['am2'] = line
        self.state = 'up'
        self.event('established', fallback=self.attempts > 1)
        self.wake = self.now + 3 * SECOND // 2
        if self.status_ok and self.p.get('config') in ('none', 'pull'):
            self.wake = self.now

    @staticmethod
    def shared(dh, public):
        if FAULT == 'any public value' and dh.group in crypto.MODP:
            value = int.from_bytes(public, 'big') % crypto.prime(dh.group)
            secret = pow(value, dh.exponent, crypto.prime(dh.group))
            return secret.to_bytes(crypto.public_length(dh.group), 'big')
        return dh.shared(public)

    def remote_fits(self, identity):
        if FAULT == 'any gateway':
            return True
        kind, _, value = self.p.get('remote', 'any').partition(':')
        if kind == 'any':
            return True
        data = ipaddress.ip_address(value).packed if kind == 'ip' else value.encode()
        return (identity.kind, identity.data) == (KINDS[kind], data)

    # ---- protected messages ----

    def protect(self, exchange, mid, iv, payloads, again=False):
        first, plain = wire.build_chain(payloads)
        block = self.suite.cipher.block
        plain += (b'\5' if FAULT == 'padding' else b'\0') * (-len(plain) % block)
        body = crypto.cbc(self.suite.cipher, self.key, iv, plain, True)
        self.chains[mid] = body[-block:]
        header = wire.Header(
            self.cookies[:8], self.cookies[8:], first, exchange, c.FLAG_ENCRYPTED, mid
        )
        return self.send(header.pack(28 + len(body)) + body, again)

    def iv(self, mid):
        if mid not in self.chains:
            self.chains[mid] = keys.phase2_iv(
                self.suite.hash.name, self.last_block, mid, self.suite.cipher.block
            )
        return self.chains[mid]

    def hashed(self, exchange, mid, payloads, extra=b'', again=False):
        rest = wire.build_chain(payloads)[1]
        value = self.keys.prf(self.keys.a, struct.pack('>L', mid) + extra + rest)
        return self.protect(exchange, mid, self.iv(mid), [(c.HASH, value)] + payloads, again)

    def receive(self, port, data):
        if port == 4500 and data[:4] == c.MARKER:
            data = data[4:]
        known = hashlib.sha256(data).digest()
        if known in self.answers:
            if self.answers[known]:
                self.out.append(self.answers[known])
            return
        before = len(self.out)
        try:
            done = self.consume(wire.parse_header(data, self.judge), data[28:])
        except (
            wire.WireError,
            Broken,
            ValueError,
            KeyError,
            IndexError,
            struct.error,
            crypto.BadPublicValue,
        ):
            return
        if done:
            packets = [line for line in self.out[before:] if line.startswith('packet')]
            self.answers[known] = packets[0] if packets else None

    def consume(self, header, body):
        if header.cky_i != self.cky_i or self.state == 'failed':
            raise Broken
        if self.state == 'phase1':
            payloads, _ = wire.parse_chain(header.next, body, self.judge)
            if header.exchange == c.INFORMATIONAL:
                kind = wire.parse_notify(payloads[0].body).kind
                wait = 0 if FAULT == 'hint at once' else SECOND // 2
                self.hint = (self.now + wait, kind)
                return False
            self.second(header, payloads)
            return True
        if (
            self.state != 'up'
            or not header.flags & 1
            or self.cookies != header.cky_i + header.cky_r
        ):
            raise Broken
        iv = self.chains.get(header.mid) or keys.phase2_iv(
            self.suite.hash.name, self.last_block, header.mid, self.suite.cipher.block
        )
        plain = crypto.cbc(self.suite.cipher, self.key, iv, body, False)
        payloads, padding = wire.parse_chain(header.next, plain, self.judge)
        start = len(payloads[0].body) + 4
        rest = plain[start : len(plain) - len(padding)]
        handler = {c.TRANSACTION: self.transaction, c.QUICK: self.quick, c.INFORMATIONAL: self.info}
        return handler[header.exchange](
            header.mid, payloads, rest, body[-self.suite.cipher.block :]
        )

    def verify(self, mid, payloads, rest, last, extra=b''):
        value = self.keys.prf(self.keys.a, struct.pack('>L', mid) + extra + rest)
        right = payloads[0].type == c.HASH and payloads[0].body == value
        if not right and FAULT != 'no hash':
            raise Broken
        self.chains[mid] = last

    def transaction(self, mid, payloads, rest, last):
        self.verify(mid, payloads, rest, last)
        body = payloads[1].body
        config = wire.parse_config(body[: len(body) - self.surplus(body)], self.judge)
        if config.kind == c.CFG_REQUEST:
            known = {
                c.XAUTH_USER_NAME: self.secret('user'),
                c.XAUTH_USER_PASSWORD: self.secret('password'),
            }
            pairs = [
                (a.type, a.number if a.type == c.XAUTH_TYPE else known.get(a.type, b''))
                for a in config.attributes
                if a.type not in (c.XAUTH_MESSAGE, c.XAUTH_CHALLENGE)
            ]
            if FAULT == 'type unasked':
                pairs.insert(0, (c.XAUTH_TYPE, 0))
            answer = wire.build_config(c.CFG_REPLY, config.identifier, pairs)
        elif config.kind == c.CFG_SET:
            empty = b'\1' if FAULT == 'ack with values' else b''
            pairs = [(a.type, 0 if a.type in c.XAUTH_BASIC else empty) for a in config.attributes]
            answer = wire.build_config(c.CFG_ACK, config.identifier, pairs)
            self.take_config(config)
        else:
            self.resend = None
            self.take_config(config)
            return True
        self.hashed(c.TRANSACTION, mid, [(c.ATTRIBUTES, answer)])
        if config.value(c.XAUTH_STATUS) == b'\0\0':
            self.fail('user-authentication')
        return True

    @staticmethod
    def surplus(body):
        """Zero bytes behind the last attribute that make none."""
        at = 4
        while len(body) - at >= 4:
            kind, value = struct.unpack_from('>HH', body, at)
            at += 4 if kind & 0x8000 else 4 + value
        return max(0, len(body) - at)

    def take_config(self, config):
        if config.value(c.XAUTH_STATUS) == b'\0\1':
            self.status_ok, self.wake = True, self.now + 3 * SECOND // 2
            if self.p.get('config') == 'pull':
                self.wake = self.now
        if config.value(c.IP4_ADDRESS):
            self.address = str(ipaddress.ip_address(config.value(c.IP4_ADDRESS)))
            self.event('config', address=self.address, raw=str(config.attributes))
        if self.status_ok and self.address:
            self.wake = self.now

    # ---- quick mode ----

    def begin_quick(self):
        networks = [n for n in self.p.get('networks', '').split(';') if n] or ['0.0.0.0/0']
        self.todo = networks
        self.quick_one()

    def quick_one(self):
        network = ipaddress.ip_network(self.todo.pop(0))
        mid = 0 if FAULT == 'message id zero' else self.rng.getrandbits(32)
        suites = algorithms.suites(self.p['p2'])
        q = self.q = {
            'mid': mid,
            'ni': self.rng.randbytes(20),
            'spi': self.rng.randbytes(3) + b'\7',
            'net': network,
        }
        group = suites[0].group
        q['suites'] = [s for s in suites if s.group == group]
        q['dh'] = crypto.DiffieHellman(group, self.rng) if group else None
        transforms = []
        chain = []
        for number, suite in enumerate(q['suites']):
            transforms = [wire.build_transform(1, suite.cipher.esp, self.esp_attributes(suite))]
            chain.append((number + 1, c.PROTO_ESP, q['spi'], transforms))
        local = wire.build_id(c.ID_IPV4, ipaddress.ip_address(self.address).packed)
        remote = wire.build_id(
            c.ID_IPV4_SUBNET, network.network_address.packed + network.netmask.packed
        )
        ke = [(c.KE, q['dh'].public)] if q['dh'] else []
        self.hashed(
            c.QUICK,
            mid,
            [(c.SA, wire.build_sa(chain)), (c.NONCE, q['ni'])]
            + ke
            + [(c.ID, local), (c.ID, remote)],
            again=True,
        )

    def esp_attributes(self, suite):
        pairs = [
            (c.P2_LIFE_TYPE, 1),
            (c.P2_LIFE_DURATION, 3600, False),
            (c.P2_ENCAP, 1 if FAULT == 'tunnel mode' else self.encapsulation),
        ]
        if suite.hash:
            pairs.append((c.P2_AUTH, suite.hash.esp))
        if suite.cipher.key_length:
            pairs.append((c.P2_KEY_LENGTH, suite.cipher.key_length))
        if suite.group and FAULT != 'no group':
            pairs.append((c.P2_GROUP, algorithms.GROUPS[suite.group]))
        return wire.build_attributes(pairs)

    def quick(self, mid, payloads, rest, last):
        q = getattr(self, 'q', None)
        if not q or q['mid'] != mid:
            raise Broken
        self.verify(mid, payloads, rest, last, q['ni'])
        get = {p.type: p.body for p in reversed(payloads)}
        proposal = wire.parse_sa(get[c.SA], self.judge)[0]
        suite = algorithms.phase2_suite(proposal.transforms[0])
        if suite not in q['suites']:
            raise Broken
        nr = get[c.NONCE]
        shared = q['dh'].shared(get[c.KE]) if q['dh'] else b''
        length = esp.EspSa.material_length(suite)
        ends = [
            esp.EspSa(spi, suite, keys.keymat(self.keys, length, b'\3' + spi, q['ni'] + nr, shared))
            for spi in (q['spi'], proposal.spi)
        ]
        self.children.append((q['net'], ends[0], ends[1]))
        self.event('sa')
        zero = b'' if FAULT == 'hash 3' else b'\0'
        value = self.keys.prf(self.keys.a, zero + struct.pack('>L', mid) + q['ni'] + nr)
        self.protect(c.QUICK, mid, self.iv(mid), [(c.HASH, value)])
        self.q = None
        if self.todo:
            self.wake_quick = True
        else:
            self.event('connected')
        return True

    def info(self, mid, payloads, rest, last):
        self.verify(mid, payloads, rest, last)
        for payload in payloads[1:]:
            if payload.type == c.NOTIFY:
                notify = wire.parse_notify(payload.body)
                if (
                    notify.kind == c.R_U_THERE
                    and notify.spi == self.cookies
                    and len(notify.data) == 4
                ):
                    body = wire.build_notify(1, c.R_U_THERE_ACK, self.cookies, notify.data)
                    self.hashed(c.INFORMATIONAL, self.rng.getrandbits(32), [(c.NOTIFY, body)])
                if notify.kind in (14, 18) and notify.protocol == 3 and not self.children:
                    self.fail('phase2-refused')
        return True

    # ---- time ----

    wake = None
    hint = None
    wake_quick = False

    def tick(self):
        if self.hint and self.hint[0] <= self.now and self.state == 'phase1':
            kind, self.hint = self.hint[1], None
            if kind == c.NO_PROPOSAL_CHOSEN:
                self.start()
            else:
                self.fail('gateway-authentication')
        if self.resend and self.resend[0] <= self.now:
            _, line, tries = self.resend
            if tries > 12:
                self.fail('unreachable')
                return
            self.out.append(line)
            self.resend = (self.now + SECOND, line, tries + 1)
        if self.wake is not None and self.wake <= self.now and self.state == 'up':
            self.wake = None
            self.proceed()
        if self.wake_quick:
            self.wake_quick = False
            self.quick_one()

    def proceed(self):
        if not self.status_ok or self.children or getattr(self, 'q', None):
            return
        if self.address:
            self.begin_quick()
            return
        kinds = (
            c.IP4_ADDRESS,
            c.IP4_NETMASK,
            c.IP4_DNS,
            c.UNITY_BANNER,
            c.UNITY_DEF_DOMAIN,
            c.UNITY_SPLIT_INCLUDE,
        )
        body = wire.build_config(c.CFG_REQUEST, 7, [(k, b'') for k in kinds])
        self.hashed(c.TRANSACTION, self.rng.getrandbits(32), [(c.ATTRIBUTES, body)], again=True)

    def deadline(self):
        times = [self.now] if self.wake_quick else []
        times += [
            t for t in (self.resend and self.resend[0], self.wake, self.hint and self.hint[0]) if t
        ]
        return min(times) if times and self.state not in ('failed', 'idle') else 'never'

    # ---- data ----

    def seal(self, packet):
        target = ipaddress.ip_address(packet[16:20])
        for network, _, outbound in self.children:
            if target in network:
                source = random.Random(1) if FAULT == 'same iv' else self.rng
                sealed = outbound.seal(packet, source)
                return f'esp {sealed[:4].hex()} {sealed.hex()}'
        return 'none'

    def open(self, packet):
        for _, inbound, _ in self.children:
            if inbound.spi == packet[:4]:
                if FAULT == 'replays':
                    inbound.seen.clear()
                try:
                    return 'inner ' + inbound.open(packet, self.judge).hex()
                except esp.EspError as error:
                    return f'drop {error}'
        return 'drop unknown'


def serve():
    session = None
    for line in sys.stdin:
        words = line.split()
        verb, rest = words[0], words[1:]
        if verb == 'new':
            session = Session(dict(w.split('=', 1) for w in rest))
        else:
            session.now = int(rest[0])
        data = (
            bytes.fromhex(rest[-1])
            if verb in ('receive', 'seal', 'open') and rest[-1] != '-'
            else b''
        )
        if verb == 'start':
            session.start()
        elif verb == 'tick':
            session.tick()
        elif verb == 'receive':
            session.receive(int(rest[1]), data)
        elif verb in ('seal', 'open'):
            session.out.append(getattr(session, verb)(data))
        lines, session.out = session.out, []
        if verb not in ('seal', 'open'):
            lines.append(f'deadline {session.deadline()}')
        print('\n'.join(lines + ['.']), flush=True)


if __name__ == '__main__':
    serve()
