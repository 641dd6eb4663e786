# SPDX-License-Identifier: GPL-2.0-or-later
"""How both sides prove who they are in aggressive mode: a preshared key (RFC 2409, 5.4), signatures
(5.1; RFC 4754), hybrid (draft-ietf-ipsec-isakmp-hybrid-auth-05), and the certificates that go with
it (RFC 2408, 3.9 and 3.10; RFC 4945).
"""

import dataclasses

from cryptography import x509

from . import constants as c
from . import keys, pki, signatures, wire


class Authentication:
    """Of one ISAKMP SA; `phase1` holds the values that HASH_I and HASH_R cover."""

    def __init__(self, phase1, number):
        self.phase1, self.sa, self.judge = phase1, phase1.sa, phase1.judge
        self.method = signatures.METHODS[number]
        self.credential = self.sa.config.credential
        self.asked = False  # for the client's certificate
        self.peer_chain = []

    # ---- what the gateway shows ----

    def skeyid(self, name, psk, shared):
        if self.method.psk:
            return keys.skeyid_psk(name, psk, self.phase1.ni, self.phase1.nr)
        return keys.skeyid_signature(name, shared, self.phase1.ni, self.phase1.nr)

    def _value(self, initiator, digest):
        """HASH_I or HASH_R; by the signature's own hash where it is tied to one."""
        phase1, sa = self.phase1, self.sa
        tied = dataclasses.replace(sa.keys, hash=digest or sa.keys.hash)
        function, identity = (
            (keys.hash_i, phase1.idii) if initiator else (keys.hash_r, phase1.idir)
        )
        return function(tied, phase1.gxi, phase1.gxr, sa.cookies, phase1.sa_body + identity)

    def own_payloads(self):
        """HASH_R, or certificates, a request for the client's, and SIG_R."""
        sa, method = self.sa, self.method
        value = self._value(False, method.digest)
        if method.psk:
            return [(c.HASH, sa.gateway.hook('hash:am2', value))]
        payloads = self._own_certificates() + self._requests()
        signature = signatures.sign(method, self.credential.key, sa.gateway.hook('signed', value))
        return payloads + [(c.SIG, sa.gateway.hook('signature', signature))]

    def _own_certificates(self):
        personality = self.sa.personality
        asked = bool(self.phase1.requests)
        if personality.sends_certificate == 'never':
            return []
        if personality.sends_certificate == 'asked' and not asked:
            return []
        chain = self.credential.chain if personality.sends_chain else self.credential.chain[:1]
        encoded = tuple(pki.der(one) for one in chain)
        encoded = self.sa.gateway.hook('chain', encoded)
        return [(c.CERT, bytes([c.CERT_X509_SIGNATURE]) + one) for one in encoded]

    def _requests(self):
        """A CERTREQ for each authority whose clients are let in, or one that names nobody."""
        wish = self.sa.personality.asks_certificate
        if wish is None:
            return []
        self.asked = True
        kind = bytes([c.CERT_X509_SIGNATURE])
        if wish == 'any':
            return [(c.CERTREQ, kind)]
        names = [one.subject.public_bytes() for one in self.sa.config.client_anchors]
        return [(c.CERTREQ, kind + name) for name in names] or [(c.CERTREQ, kind)]

    # ---- what the client shows ----

    def allowed(self):
        """Payloads of the third message beside NAT-D."""
        if self.method.client == 'hash':
            if self.method.psk:
                return (c.HASH,)
            return (c.HASH, c.CERT, c.NOTIFY)
        return (c.SIG, c.CERT)

    def verify(self, message):
        """True if the third message is the client's whose identity stood in the first."""
        if self.method.client == 'hash':
            self._check_empty_certificate(message)
            return self.judge.expect(
                message.get(c.HASH) == self._value(True, None),
                'rfc2409-5-hash-i',
                'HASH_I does not fit',
            )
        bodies = message.all(c.CERT)
        if not self.judge.expect(bodies, 'rfc2408-3.9-cert', 'a signature without a certificate'):
            return False
        if not self._read_chain(bodies):
            return False
        return self._check_signature(message) and self._check_owner()

    def _check_empty_certificate(self, message):
        """Hybrid 4.2: asked for a certificate, the client must answer with an empty one."""
        if not self.asked:
            self.judge.expect(not message.get(c.CERT), 'hybrid-05-4.2', 'a certificate unasked')
            return
        bodies = message.all(c.CERT)
        self.judge.expect(
            len(bodies) == 1 and len(bodies[0]) == 1,
            'hybrid-05-4.2',
            f'asked for a certificate, the client sent {[len(b) for b in bodies]}',
        )

    def _read_chain(self, bodies):
        for body in bodies:
            fine = self.judge.expect(
                body[:1] == bytes([c.CERT_X509_SIGNATURE]), 'rfc2408-3.9-encoding', body[:1].hex()
            )
            if not fine:
                return False
            try:
                self.peer_chain.append(x509.load_der_x509_certificate(body[1:]))
            except ValueError as error:
                self.judge.violation('rfc2408-3.9-der', str(error))
                return False
        return True

    def _check_signature(self, message):
        public = self.peer_chain[0].public_key()
        try:
            value = self._value(True, self.method.digest)
            signatures.verify(self.method, public, value, message.get(c.SIG) or b'')
        except signatures.BadSignature as error:
            self.judge.violation('rfc2409-5.1-sig-i', str(error))
            return False
        return True

    def _check_owner(self):
        """The chain ends at an authority of ours, and the identity stands in the certificate."""
        now = self.sa.config.certificates_at
        problem = pki.chain_problem(self.peer_chain, self.sa.config.client_anchors, now)
        identity = self.sa.identity
        wanted = (identity.kind, identity.data)
        if identity.kind != c.ID_DER_ASN1_DN:
            wanted = (identity.kind, identity.data.lower())
        if not problem and wanted not in pki.names_in(self.peer_chain[0]):
            problem = 'the identity is not in the certificate'
        if problem:
            self.sa.event('client-refused', why=problem)
        return not problem

    def refuse(self):
        """A client whose certificate does not hold is told so; a wrong HASH meets silence."""
        sa = self.sa
        if self.method.client != 'hash':
            notify = wire.build_notify(c.PROTO_ISAKMP, c.AUTHENTICATION_FAILED, sa.cookies)
            sa.send_clear('refusal', c.INFORMATIONAL, [(c.NOTIFY, notify)], sa.rng.getrandbits(32))


def check_request(body, judge):
    """A CERTREQ of the client: encoding and, if any, the name of one authority."""
    if not judge.expect(body[:1], 'rfc2408-3.10-empty', 'a certificate request without a type'):
        return
    known = (c.CERT_X509_SIGNATURE, c.CERT_PKCS7, c.CERT_CRL)
    judge.expect(body[0] in known, 'rfc2408-3.10-type', f'certificate type {body[0]}')
    name = body[1:]
    if not name:
        return
    fine = len(name) > 2 and name[0] == 0x30
    if fine and name[1] < 0x80:
        fine = name[1] == len(name) - 2
    judge.expect(fine, 'rfc2408-3.10-name', f'no distinguished name: {name[:8].hex()}')


def offers_signatures(proposal):
    """True if a transform of the offer has the gateway sign."""
    numbers = [transform.get(c.P1_AUTH) for transform in proposal.transforms]
    return any(n in signatures.METHODS and not signatures.METHODS[n].psk for n in numbers)
