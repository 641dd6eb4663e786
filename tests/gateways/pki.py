# SPDX-License-Identifier: GPL-2.0-or-later
"""A small public key infrastructure for tests: authorities, intermediates, certificates, lists of
revoked ones; with anything that may be wrong in them.

Dates are relative to `NOW`, so that a virtual clock can be set to it.  RSA keys come from
test-keys.pem: to look for primes in every run would take longer than all conversations.
"""

import datetime
import functools
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime(2026, 6, 1, 12, 0, 0)
UNIX_NOW = int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp())
YEAR = datetime.timedelta(days=365)
CURVES = {'ecp256': ec.SECP256R1, 'ecp384': ec.SECP384R1, 'ecp521': ec.SECP521R1}
DIGEST_OF_CURVE = {'ecp256': hashes.SHA256, 'ecp384': hashes.SHA384, 'ecp521': hashes.SHA512}
USES = {
    'server': ExtendedKeyUsageOID.SERVER_AUTH,
    'client': ExtendedKeyUsageOID.CLIENT_AUTH,
    'ike': x509.ObjectIdentifier('1.3.6.1.5.5.7.3.17'),  # id-kp-ipsecIKE, RFC 4945, 5.1.3.12
    'mail': ExtendedKeyUsageOID.EMAIL_PROTECTION,
}


KEY_FILE = pathlib.Path(__file__).resolve().parent / 'test-keys.pem'
END_OF_KEY = b'-----END PRIVATE KEY-----\n'


@functools.lru_cache(maxsize=None)
def stored_keys():
    """{'rsa2048': [keys that nobody has yet]}."""
    found = {}
    for text in KEY_FILE.read_bytes().split(END_OF_KEY)[:-1]:
        one = serialization.load_pem_private_key(text + END_OF_KEY, None)
        found.setdefault(f'rsa{one.key_size}', []).append(one)
    return found


@functools.lru_cache(maxsize=None)
def key(kind, owner=''):
    """'rsa2048', 'ecp256'...; another owner, another key."""
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    left = stored_keys().get(kind)
    return left.pop() if left else rsa.generate_private_key(65537, int(kind[3:]))


def name_of(text):
    """'Example,Gateway' -> O=Example, CN=Gateway."""
    organization, _, common = text.rpartition(',')
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def alternative(text):
    """'email:a@b', 'fqdn:host', 'ip:192.0.2.1' -> a subjectAltName."""
    kind, _, value = text.partition(':')
    if kind == 'ip':
        return x509.IPAddress(ipaddress.ip_address(value))
    return x509.RFC822Name(value) if kind == 'email' else x509.DNSName(value)


def usage(*words):
    """keyUsage with these bits."""
    bits = (
        'digital_signature content_commitment key_encipherment data_encipherment key_agreement '
        'key_cert_sign crl_sign encipher_only decipher_only'
    )
    return x509.KeyUsage(**{bit: bit in words for bit in bits.split()})


class Credential:
    """A private key and its chain, the owner's certificate first."""

    def __init__(self, private, certificate, issuers=()):
        self.key, self.certificate = private, certificate
        self.issuers = tuple(issuers)

    @property
    def chain(self):
        return (self.certificate, *self.issuers)

    @property
    def subject(self):
        """The DER of the subject, the data of an ID_DER_ASN1_DN."""
        return self.certificate.subject.public_bytes()

    def pem(self, private=True):
        text = b''.join(pem(one) for one in self.chain)
        return text + (pem_of_key(self.key) if private else b'')


class Authority(Credential):
    """An authority; `issuers` leads from its issuer to the last one below the root."""

    def __init__(self, name='Example,Root', kind='rsa2048', issuer=None, **more):
        private = key(kind, name)
        self.now = more.get('now') or (issuer.now if issuer else NOW)
        builder = self._builder(name, private, issuer, more)
        if more.get('is_ca', True) is not None:
            basic = x509.BasicConstraints(
                more.get('is_ca', True), more.get('path') if more.get('is_ca', True) else None
            )
            builder = builder.add_extension(basic, critical=True)
        builder = builder.add_extension(
            more.get('usage') or usage('key_cert_sign', 'crl_sign'), critical=True
        )
        signer = issuer or self
        self.kind, self.key, self.subject_name = kind, private, name_of(name)
        above = issuer.own_chain() if issuer else ()
        super().__init__(private, signer.sign(builder), above)
        self.is_root = issuer is None

    def own_chain(self):
        """What has to come along to reach the root."""
        return () if self.is_root else self.chain

    def _builder(self, name, private, issuer, more):
        """begins, ends: relative to now."""
        begins, ends = more.get('begins', -YEAR), more.get('ends', YEAR)
        builder = x509.CertificateBuilder().subject_name(name_of(name))
        builder = builder.issuer_name(issuer.subject_name if issuer else name_of(name))
        builder = builder.public_key(private.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(self.now + begins).not_valid_after(self.now + ends)

    def sign(self, builder):
        curve = self.kind in DIGEST_OF_CURVE
        return builder.sign(self.key, (DIGEST_OF_CURVE[self.kind] if curve else hashes.SHA256)())

    def issue(self, name, *alternatives, kind='rsa2048', uses=None, **more):
        """A certificate for an end; uses: words of USES, bits: words of usage()."""
        private = more.get('private') or key(kind, more.get('owner', name))
        builder = self._builder(name, private, self, more)
        if more.get('is_ca') is not None:
            builder = builder.add_extension(x509.BasicConstraints(more['is_ca'], None), True)
        if alternatives:
            names = x509.SubjectAlternativeName([alternative(text) for text in alternatives])
            builder = builder.add_extension(names, critical=False)
        bits = more.get('bits', ('digital_signature',))
        if bits:
            builder = builder.add_extension(usage(*bits), critical=True)
        if uses:
            extended = x509.ExtendedKeyUsage([USES[word] for word in uses])
            builder = builder.add_extension(extended, critical=False)
        if more.get('unknown_critical'):
            odd = x509.UnrecognizedExtension(x509.ObjectIdentifier('1.3.6.1.4.1.99999.1'), b'\5\0')
            builder = builder.add_extension(odd, critical=True)
        return Credential(private, self.sign(builder), self.own_chain())

    def crl(self, *revoked, ends=YEAR):
        """DER of a list in which these credentials are revoked."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject_name)
        builder = builder.last_update(self.now - 2 * YEAR).next_update(self.now + ends)
        builder = builder.add_extension(x509.CRLNumber(7), critical=False)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().revocation_date(self.now - YEAR / 12)
            serial = one.certificate.serial_number
            builder = builder.add_revoked_certificate(entry.serial_number(serial).build())
        return self.sign(builder).public_bytes(serialization.Encoding.DER)


# ---- what the gateway does with a client's chain ----


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def pem_of_key(private, password=None):
    encryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def signed_by(certificate, issuer):
    """True if the issuer's key made the certificate's signature."""
    public, digest = issuer.public_key(), certificate.signature_hash_algorithm
    try:
        if isinstance(public, rsa.RSAPublicKey):
            way = (padding.PKCS1v15(), digest)
        else:
            way = (ec.ECDSA(digest),)
        public.verify(certificate.signature, certificate.tbs_certificate_bytes, *way)
    except Exception:
        return False
    return certificate.issuer == issuer.subject


def chain_problem(chain, anchors, now=NOW):
    """What is wrong with a chain that a client sent, or ''."""
    at, left = chain[0], list(chain[1:])
    for _ in range(8):
        if not at.not_valid_before <= now <= at.not_valid_after:
            return f'{at.subject.rfc4514_string()} is not valid now'
        if any(signed_by(at, anchor) for anchor in anchors):
            return ''
        above = [one for one in left if signed_by(at, one)]
        if not above:
            return f'no issuer of {at.subject.rfc4514_string()}'
        at = above[0]
        left.remove(at)
    return 'the chain is too long'


def names_in(certificate):
    """{(ID type, data)} that the certificate holds (RFC 4945, 3.1)."""
    found = {(9, certificate.subject.public_bytes())}
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return found
    for one in names:
        if isinstance(one, x509.DNSName):
            found.add((2, one.value.lower().encode()))
        elif isinstance(one, x509.RFC822Name):
            found.add((3, one.value.lower().encode()))
        elif isinstance(one, x509.IPAddress):
            found.add((1 if one.value.version == 4 else 5, one.value.packed))
    return found
