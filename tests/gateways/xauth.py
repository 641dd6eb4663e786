# SPDX-License-Identifier: GPL-2.0-or-later
"""XAUTH as a gateway does it (draft-ietf-ipsec-isakmp-xauth-06): REQUESTs until it is content, then
the status.

A round is one REQUEST, a tuple of (attribute, value); a transaction has one round or many.  What is
right in a round says `Config.xauth_answers`; else the first password is the user's and whatever
else is secret is the one-time code.
"""

import hashlib

from . import constants as c

TEXTS_FOR_THE_USER = (c.XAUTH_MESSAGE, c.XAUTH_CHALLENGE)
SECRETS = (c.XAUTH_USER_PASSWORD, c.XAUTH_PASSCODE, c.XAUTH_ANSWER, c.XAUTH_NEXT_PIN)


class Xauth:
    """The rounds of one ISAKMP SA, through all transactions that it ever has."""

    def __init__(self, sa):
        self.sa, self.judge = sa, sa.judge
        self.transaction = -1
        self.rounds = ()
        self.round = 0
        self.retries = 0

    def begin(self):
        """The next transaction; the last one is repeated when there are no more."""
        self.transaction += 1
        personality = self.sa.personality
        plans = personality.xauth_transactions or (personality.xauth_rounds,)
        self.rounds = plans[min(self.transaction, len(plans) - 1)]
        self.round = self.retries = 0

    @property
    def pairs(self):
        """Of the present round's REQUEST."""
        return list(self.rounds[self.round])

    def advance(self):
        """True if another round follows."""
        self.round += 1
        return self.round < len(self.rounds)

    def may_retry(self):
        self.retries += 1
        return self.retries <= self.sa.personality.xauth_retries

    # ---- what came back ----

    def check_form(self, pairs, config):
        """Exactly what was asked for; TYPE as in the request, and only if it stood there (4.2)."""
        judge = self.judge
        asked = [kind for kind, _ in pairs if kind not in TEXTS_FOR_THE_USER]
        judge.expect(
            sorted(config.types()) == sorted(asked),
            'xauth-06-4.2-attributes',
            f'asked {asked}, got {config.types()}',
        )
        for attribute in config.attributes:
            if attribute.type == c.XAUTH_TYPE:
                judge.expect(
                    attribute.basic and attribute.number == dict(pairs).get(c.XAUTH_TYPE),
                    'xauth-06-4.2-type',
                    f'type {attribute.number}',
                )
            else:
                judge.expect(
                    not attribute.basic, 'xauth-06-4.2-form', f'{attribute.type} is basic'
                )

    def fits(self, pairs, config):
        """Every secret that was asked for is there and right."""
        sa = self.sa
        name = config.value(c.XAUTH_USER_NAME)
        if name is not None:
            sa.user = name
        if sa.user not in sa.config.users:
            return False
        asked = dict(pairs)
        if c.XAUTH_CHALLENGE in asked and asked.get(c.XAUTH_TYPE) == c.TYPE_RADIUS_CHAP:
            return self._chap_fits(asked[c.XAUTH_CHALLENGE], config)
        wanted = self._wanted()
        return all(
            config.value(kind) == wanted.get(kind) for kind in asked if kind in (*SECRETS, *wanted)
        )

    def _wanted(self):
        """{attribute: value} of the present round."""
        sa = self.sa
        wanted = dict.fromkeys(SECRETS, sa.config.one_time_code)
        if self.round == 0:
            wanted[c.XAUTH_USER_PASSWORD] = sa.config.users[sa.user]
        wanted.update(sa.config.xauth_answers.get((self.transaction, self.round), {}))
        return wanted

    def _chap_fits(self, challenge, config):
        """PASSWORD is an identifier and MD5(identifier | secret | challenge) (RFC 1994, 4.1)."""
        value = config.value(c.XAUTH_USER_PASSWORD) or b''
        fine = self.judge.expect(len(value) == 17, 'rfc2865-5.3-chap', f'{len(value)} bytes')
        secret = self.sa.config.users[self.sa.user]
        return fine and value[1:] == hashlib.md5(value[:1] + secret + challenge).digest()
