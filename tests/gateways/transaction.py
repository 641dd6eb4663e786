# SPDX-License-Identifier: GPL-2.0-or-later
"""Transaction exchanges: XAUTH (draft-ietf-ipsec-isakmp-xauth-06) and mode config
(draft-ietf-ipsec-isakmp-mode-cfg-05), in the order that the personality tells.

A plan is a list of the steps 'xauth', 'status', 'push' and 'push+status'; each is one exchange that
the
gateway begins, the next one follows the peer's answer.  A pull is the peer's and comes when it
comes.
"""

import ipaddress

from . import constants as c
from . import unity, wire
from .xauth import Xauth


class Transactions:
    def __init__(self, sa):
        self.sa = sa
        self.judge = sa.judge
        self.plan = []
        self.xauth = Xauth(sa)
        self.identifier = 0
        self.authenticated = False
        self.configured = False
        self.pulled = 0

    # ---- the plan ----

    def start(self):
        self.plan = list(self.sa.gateway.plan_for(self.sa))
        self.authenticated = not any(
            step in ('xauth', 'status', 'push+status') for step in self.plan
        )
        self.step()

    def again(self):
        """XAUTH once more, hours later perhaps (xauth-06, 4)."""
        self.plan = ['xauth', 'status']
        self.authenticated = False
        self.step()

    def step(self):
        if not self.plan:
            self.sa.gateway.ready(self.sa)
            return
        begin = {
            'xauth': self._begin_xauth,
            'status': self._tell_status,
            'push': self._push,
            'push+status': self._push_with_status,
        }
        begin[self.plan.pop(0)]()

    def _send(self, name, kind, pairs, resend=True):
        exchange = self.sa.begin(c.TRANSACTION)
        exchange.state = name
        exchange.data['pairs'] = pairs
        body = wire.build_config(kind, self.identifier, pairs, self.sa.personality.config_padding)
        self.sa.send_protected(exchange, name, [(c.ATTRIBUTES, body)], resend=resend)

    def _begin_xauth(self):
        self.identifier = self.sa.rng.getrandbits(16)
        self.xauth.begin()
        self._ask()

    def _ask(self):
        self._send('xauth-request', c.CFG_REQUEST, self.xauth.pairs)

    def _tell_status(self):
        pairs = [(c.XAUTH_STATUS, 1)]
        if self.sa.config.welcome_text:
            pairs.append((c.XAUTH_MESSAGE, self.sa.config.welcome_text))
        self._send('status', c.CFG_SET, pairs)

    def _push(self):
        self._send('push', c.CFG_SET, self.config_pairs())

    def _push_with_status(self):
        self._send('push+status', c.CFG_SET, [(c.XAUTH_STATUS, 1)] + self.config_pairs())

    def fail_user(self):
        pairs = [(c.XAUTH_STATUS, 0)]
        if self.sa.config.refusal_text:
            pairs.append((c.XAUTH_MESSAGE, self.sa.config.refusal_text))
        self.plan = []
        self._send('status-fail', c.CFG_SET, pairs)

    # ---- in ----

    def receive(self, exchange, message):
        sa = self.sa
        bodies = message.all(c.ATTRIBUTES)
        if not sa.check_hash(
            message, sa.hash_over(exchange.mid, message.after_hash), 'mode-cfg-3.1.1-hash'
        ):
            return
        if not self.judge.expect(
            len(bodies) == 1 and len(message.payloads) == 2,
            'mode-cfg-3.1.1-payloads',
            f'{[p.type for p in message.payloads]}',
        ):
            return
        config = wire.parse_config(bodies[0], self.judge)
        if exchange.state is None and config.kind == c.CFG_REQUEST:
            self._pull(exchange, config)
        elif exchange.state == 'xauth-request' and config.kind == c.CFG_REPLY:
            self._reply(exchange, config)
        elif (
            exchange.state in ('status', 'push', 'push+status', 'status-fail')
            and config.kind == c.CFG_ACK
        ):
            self._ack(exchange, config)
        else:
            self.judge.violation(
                'mode-cfg-order', f'message {config.kind} in state {exchange.state}'
            )

    # ---- XAUTH ----

    def _reply(self, exchange, config):
        exchange.settle()
        exchange.state = 'done'
        sa = self.sa
        self.judge.expect(
            config.identifier == self.identifier,
            'xauth-06-4-identifier',
            f'{config.identifier} for {self.identifier}',
        )
        if config.value(c.XAUTH_STATUS) is not None:
            self._client_gave_up(config)
            return
        pairs = exchange.data['pairs']
        self.xauth.check_form(pairs, config)
        if not self.xauth.fits(pairs, config):
            sa.event('xauth-refused', user=config.value(c.XAUTH_USER_NAME))
            if self.xauth.may_retry():
                self._ask()
            else:
                self.fail_user()
            return
        if self.xauth.advance():
            self._ask()
            return
        self.authenticated = True
        sa.event('xauth-accepted', user=sa.user)
        self.step()

    def _client_gave_up(self, config):
        status = int.from_bytes(config.value(c.XAUTH_STATUS), 'big')
        self.judge.expect(status == 0, 'xauth-06-4.2-status', f'STATUS {status} from the client')
        self.sa.event('xauth-unsupported')
        self.fail_user()

    # ---- config ----

    def config_pairs(self, asked=None):
        """What the gateway gives; `asked` are the types of a pull."""
        config, personality = self.sa.config, self.sa.personality
        address = ipaddress.ip_address(self.sa.gateway.address_for(self.sa)).packed
        pairs = [(c.IP4_ADDRESS, address), (c.IP4_NETMASK, b'\xff' * 4)]
        pairs += [(c.IP4_DNS, ipaddress.ip_address(server).packed) for server in config.dns]
        pairs += [(c.IP4_NBNS, ipaddress.ip_address(server).packed) for server in config.nbns]
        if config.address_expiry:
            pairs.append((c.ADDRESS_EXPIRY, config.address_expiry, False))
        if asked is not None:
            pairs = [p for p in pairs if p[0] in asked or p[0] == c.ADDRESS_EXPIRY]
        if personality.unity:
            pairs += [
                p
                for p in unity.pairs(config, self.sa.phase1.vendor_ids)
                if asked is None or p[0] in asked or personality.unity == 'always'
            ]
        return pairs

    def _pull(self, exchange, config):
        judge, sa = self.judge, self.sa
        judge.expect(
            self.authenticated, 'xauth-06-4-first', 'configuration asked before XAUTH ended'
        )
        judge.expect(c.IP4_ADDRESS in config.types(), 'mode-cfg-5.1-address', f'{config.types()}')
        doubles = len(config.types()) - len(set(config.types()))
        judge.expect(doubles == 0, 'mode-cfg-doubles', f'{config.types()}')
        exchange.state = 'pulled'
        sa.event('pull', types=config.types())
        if not sa.personality.answers_pull or not self.authenticated:
            return
        self.pulled += 1
        pairs = self.config_pairs(config.types())
        body = wire.build_config(
            c.CFG_REPLY, config.identifier, pairs, sa.personality.config_padding
        )
        self.configured = True
        sa.send_protected(exchange, 'pull-reply', [(c.ATTRIBUTES, body)])

    def _ack(self, exchange, config):
        exchange.settle()
        state, exchange.state = exchange.state, 'done'
        self.judge.expect(
            config.identifier == self.identifier,
            'mode-cfg-identifier',
            f'{config.identifier} for {self.identifier}',
        )
        given = [pair[0] for pair in exchange.data['pairs']]
        for attribute in config.attributes:
            self.judge.expect(
                attribute.type in given, 'mode-cfg-ack-types', f'{attribute.type} was not set'
            )
            empty = not attribute.value or (
                attribute.type in c.XAUTH_BASIC and not attribute.number
            )
            self.judge.expect(
                empty, 'mode-cfg-ack-empty', f'{attribute.type}: {attribute.value.hex()}'
            )
        self.sa.event('ack', step=state, types=config.types())
        if state == 'status-fail':
            self.sa.gateway.drop_peer(self.sa)
            return
        self.authenticated = self.authenticated or 'status' in state
        self.configured = self.configured or 'push' in state
        self.step()
