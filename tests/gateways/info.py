# SPDX-License-Identifier: GPL-2.0-or-later
"""Informational exchanges after phase 1 (RFC 2409, 5.7), DPD (RFC 3706) and DELETE (RFC 2408,
3.15).
"""

import struct

from . import constants as c
from . import wire


class Informational:
    def __init__(self, sa):
        self.sa = sa
        self.judge = sa.judge
        self.dpd_sequence = None
        self.dpd_expected = None
        self.dpd_answered = 0
        self.peer_sequence = None
        self.notifies = []

    # ---- out ----

    def send(self, name, payloads):
        """One informational message; it has no answer in its own exchange and is not sent again."""
        exchange = self.sa.begin(c.INFORMATIONAL)
        self.sa.send_protected(exchange, name, payloads)

    def ask_alive(self):
        if self.dpd_sequence is None:
            self.dpd_sequence = self.sa.rng.getrandbits(31)
        self.dpd_sequence += 1
        self.dpd_expected = self.dpd_sequence
        self._send_dpd('dpd', c.R_U_THERE, self.dpd_sequence)

    def _send_dpd(self, name, kind, sequence):
        body = wire.build_notify(
            c.PROTO_ISAKMP, kind, self.sa.cookies, struct.pack('>L', sequence & 0xFFFFFFFF)
        )
        self.send(name, [(c.NOTIFY, body)])

    def delete_esp(self, spis):
        self.send('delete-esp', [(c.DELETE, wire.build_delete(c.PROTO_ESP, spis))])

    def delete_isakmp(self):
        self.send(
            'delete-isakmp', [(c.DELETE, wire.build_delete(c.PROTO_ISAKMP, [self.sa.cookies]))]
        )

    # ---- in ----

    def receive(self, exchange, message):
        sa, judge = self.sa, self.judge
        if not sa.check_hash(
            message, sa.hash_over(exchange.mid, message.after_hash), 'rfc2409-5.7-hash'
        ):
            return
        types = [p.type for p in message.payloads[1:]]
        judge.expect(
            len(types) == 1 and types[0] in (c.NOTIFY, c.DELETE), 'rfc2409-5.7-payloads', f'{types}'
        )
        for body in message.all(c.NOTIFY):
            self._notify(wire.parse_notify(body))
        for body in message.all(c.DELETE):
            self._delete(wire.parse_delete(body))

    def _notify(self, notify):
        sa, judge = self.sa, self.judge
        judge.expect(notify.doi == c.DOI_IPSEC, 'notify-doi', f'DOI {notify.doi}')
        self.notifies.append(notify.kind)
        if notify.kind in (c.R_U_THERE, c.R_U_THERE_ACK):
            self._dpd(notify)
        elif notify.kind == c.INITIAL_CONTACT:
            judge.expect(
                notify.spi == sa.cookies and notify.protocol == c.PROTO_ISAKMP,
                'rfc2407-4.6.3.3-spi',
                f'{notify.spi.hex()}',
            )
            group_methods = (c.AUTH_XAUTH_INIT_PSK, c.AUTH_HYBRID_INIT_RSA)
            shared = sa.identity.kind == c.ID_KEY_ID or sa.phase1.auth in group_methods
            judge.expect(
                not shared, 'initial-contact-shared', 'INITIAL-CONTACT with a shared identity'
            )
            sa.event('initial-contact')
        else:
            sa.event('notify', kind=notify.kind, protocol=notify.protocol, data=notify.data.hex())

    def _dpd(self, notify):
        judge, sa = self.judge, self.sa
        fine = (
            notify.protocol == c.PROTO_ISAKMP and notify.spi == sa.cookies and len(notify.data) == 4
        )
        if not judge.expect(fine, 'rfc3706-5.3-form', f'{notify}'):
            return
        judge.expect(
            c.VID_DPD in sa.personality.vendor_ids,
            'rfc3706-5.1-vendor',
            'DPD without its vendor ID',
        )
        sequence = int.from_bytes(notify.data, 'big')
        if notify.kind == c.R_U_THERE:
            # each question counts on (5.4); with losses a number may be missing, with reordering
            # all is open
            grows = self.peer_sequence is None or 0 <= sequence - self.peer_sequence < 16
            judge.expect(
                grows or not sa.config.orderly_network,
                'rfc3706-7.3-sequence',
                f'{sequence} after {self.peer_sequence}',
            )
            self.peer_sequence = sequence
            self._send_dpd('dpd-ack', c.R_U_THERE_ACK, sequence)
            sa.event('dpd-asked', sequence=sequence)
        elif judge.expect(
            sequence == self.dpd_expected,
            'rfc3706-5.5-sequence',
            f'{sequence} for {self.dpd_expected}',
        ):
            self.dpd_answered += 1
            sa.event('dpd-answered', sequence=sequence)

    def _delete(self, delete):
        judge, sa = self.judge, self.sa
        judge.expect(delete.doi == c.DOI_IPSEC, 'delete-doi', f'DOI {delete.doi}')
        if delete.protocol == c.PROTO_ISAKMP:
            judge.expect(delete.spi_size == 16, 'rfc2408-3.15-spi', f'SPI size {delete.spi_size}')
            for spi in delete.spis:
                sa.event('deleted-isakmp', own=spi == sa.cookies)
                sa.gateway.forget(spi)
        else:
            judge.expect(
                delete.protocol == c.PROTO_ESP and delete.spi_size == 4,
                'rfc2408-3.15-esp',
                f'protocol {delete.protocol}, SPI size {delete.spi_size}',
            )
            for spi in delete.spis:
                sa.event('deleted-esp', spi=spi.hex())
                sa.gateway.forget_child(spi)
