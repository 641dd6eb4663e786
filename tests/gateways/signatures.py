# SPDX-License-Identifier: GPL-2.0-or-later
"""Methods of authentication and their signatures.

RSA (RFC 2409, 5.1): "private key encryption in PKCS #1 format and not as a signature", that is
padding of type 1 around HASH_I or HASH_R without a DigestInfo.  The arithmetic is done here, for
no library signs that way.  ECDSA (RFC 4754): r | s of the curve's length over HASH_I or HASH_R,
which the HMAC of the method's own hash makes, keyed with SKEYID.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from . import constants as c


@dataclass(frozen=True)
class Method:
    """What each side shows: 'hash' (HASH_I, HASH_R), 'rsa' or 'ecdsa' (SIG_I, SIG_R)."""

    number: int
    client: str
    gateway: str
    xauth: bool = False
    digest: str = None  # the hash that a signature is tied to (RFC 2409, 5)
    curve: object = None

    @property
    def psk(self):
        return self.gateway == 'hash'


METHODS = {
    row.number: row
    for row in (
        Method(c.AUTH_PSK, 'hash', 'hash'),
        Method(c.AUTH_RSA_SIG, 'rsa', 'rsa'),
        Method(c.AUTH_ECDSA_256, 'ecdsa', 'ecdsa', False, 'sha256', ec.SECP256R1),
        Method(c.AUTH_ECDSA_384, 'ecdsa', 'ecdsa', False, 'sha384', ec.SECP384R1),
        Method(c.AUTH_ECDSA_521, 'ecdsa', 'ecdsa', False, 'sha512', ec.SECP521R1),
        Method(c.AUTH_XAUTH_INIT_PSK, 'hash', 'hash', True),
        Method(c.AUTH_XAUTH_INIT_RSA, 'rsa', 'rsa', True),
        Method(c.AUTH_HYBRID_INIT_RSA, 'hash', 'rsa', True),
    )
}
DIGESTS = {'sha256': hashes.SHA256, 'sha384': hashes.SHA384, 'sha512': hashes.SHA512}


class BadSignature(Exception):
    """It does not fit; the text says how."""


def pad(data, size):
    """PKCS #1, block type 1: 00 01 FF .. FF 00 data."""
    return b'\0\1' + b'\xff' * (size - 3 - len(data)) + b'\0' + data


def sign_rsa(key, data):
    numbers = key.private_numbers()
    n, size = numbers.public_numbers.n, (key.key_size + 7) // 8
    return pow(int.from_bytes(pad(data, size), 'big'), numbers.d, n).to_bytes(size, 'big')


def verify_rsa(key, data, signature):
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadSignature('the key is not RSA')
    numbers, size = key.public_numbers(), (key.key_size + 7) // 8
    if len(signature) != size:
        raise BadSignature(f'{len(signature)} bytes, the modulus has {size}')
    block = pow(int.from_bytes(signature, 'big'), numbers.e, numbers.n).to_bytes(size, 'big')
    if block != pad(data, size):
        raise BadSignature(f'the block is {block.hex()}')


def sign_ecdsa(key, digest_name, digest):
    size = (key.curve.key_size + 7) // 8
    der = key.sign(digest, ec.ECDSA(utils.Prehashed(DIGESTS[digest_name]())))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(size, 'big') + s.to_bytes(size, 'big')


def verify_ecdsa(key, method, digest, signature):
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, method.curve):
        raise BadSignature(f'the key is not on {method.curve.name}')
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise BadSignature(f'{len(signature)} bytes, RFC 4754 wants {2 * size}')
    r, s = int.from_bytes(signature[:size], 'big'), int.from_bytes(signature[size:], 'big')
    der = utils.encode_dss_signature(r, s)
    try:
        key.verify(der, digest, ec.ECDSA(utils.Prehashed(DIGESTS[method.digest]())))
    except InvalidSignature as error:
        raise BadSignature('r and s do not fit') from error


def sign(method, key, value):
    if method.gateway == 'ecdsa':
        return sign_ecdsa(key, method.digest, value)
    return sign_rsa(key, value)


def verify(method, key, value, signature):
    """Raises BadSignature unless the signature is the key's, over HASH_I or HASH_R."""
    if method.client == 'ecdsa':
        verify_ecdsa(key, method, value, signature)
    else:
        verify_rsa(key, value, signature)
