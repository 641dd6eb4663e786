# SPDX-License-Identifier: GPL-2.0-or-later
"""Ciphers, hashes and Diffie-Hellman for the test gateways.

MODP primes are computed from the formula of RFC 2412/2409/3526,
p = 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + k), so that no table can be mistyped.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MODP = {
    'modp768': (768, 149686),
    'modp1024': (1024, 129093),
    'modp1536': (1536, 741804),
    'modp2048': (2048, 124476),
    'modp3072': (3072, 1690314),
    'modp4096': (4096, 240904),
}
CURVES = {'ecp256': (ec.SECP256R1, 32), 'ecp384': (ec.SECP384R1, 48), 'ecp521': (ec.SECP521R1, 66)}
EXPONENT_BITS = 320


class BadPublicValue(Exception):
    """A KE payload that must not be used."""


def digest(name, data):
    return hashlib.new(name, data).digest()


def mac(name, key, data):
    return hmac.new(key, data, name).digest()


def cbc(cipher, key, iv, data, encrypt):
    kind = algorithms.AES if cipher.name.startswith('aes') else algorithms.TripleDES
    context = Cipher(kind(key), modes.CBC(iv))
    worker = context.encryptor() if encrypt else context.decryptor()
    return worker.update(data) + worker.finalize()


def gcm_seal(key, nonce, data, aad):
    return AESGCM(key).encrypt(nonce, data, aad)


def gcm_open(key, nonce, data, aad):
    return AESGCM(key).decrypt(nonce, data, aad)


def pi_bits(bits):
    """floor(2^bits * pi) by Machin's formula, with guard bits."""
    guard = 64
    one = 1 << (bits + guard)

    def arctan_inverse(x):
        total = term = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    return (4 * (4 * arctan_inverse(5) - arctan_inverse(239))) >> guard


def modp_prime(name):
    bits, offset = MODP[name]
    return 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi_bits(bits - 130) + offset)


_primes = {}


def prime(name):
    if name not in _primes:
        _primes[name] = modp_prime(name)
    return _primes[name]


def public_length(group):
    if group in MODP:
        return MODP[group][0] // 8
    return 32 if group == 'curve25519' else 2 * CURVES[group][1]


class DiffieHellman:
    """One ephemeral key: `public` is the body of a KE payload (RFC 2409, 5; RFC 5903, 7)."""

    def __init__(self, group, rng):
        self.group = group
        if group in MODP:
            self.exponent = rng.getrandbits(EXPONENT_BITS) | 1 << (EXPONENT_BITS - 1)
            value = pow(2, self.exponent, prime(group))
            self.public = value.to_bytes(public_length(group), 'big')
        elif group == 'curve25519':
            raw = rng.getrandbits(256).to_bytes(32, 'little')
            self.key = x25519.X25519PrivateKey.from_private_bytes(raw)
            self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        else:
            curve, size = CURVES[group]
            self.key = ec.derive_private_key(rng.getrandbits(8 * size - 16) | 1, curve())
            numbers = self.key.public_key().public_numbers()
            self.public = numbers.x.to_bytes(size, 'big') + numbers.y.to_bytes(size, 'big')

    def shared(self, peer):
        if len(peer) != public_length(self.group):
            raise BadPublicValue(f'{len(peer)} bytes for {self.group}')
        if self.group in MODP:
            p, value = prime(self.group), int.from_bytes(peer, 'big')
            if not 1 < value < p - 1:
                raise BadPublicValue('out of range')
            return pow(value, self.exponent, p).to_bytes(len(peer), 'big')
        try:
            return self._shared_curve(peer)
        except ValueError as error:
            raise BadPublicValue(str(error)) from error

    def _shared_curve(self, peer):
        if self.group == 'curve25519':
            return self.key.exchange(x25519.X25519PublicKey.from_public_bytes(peer))
        curve, size = CURVES[self.group]
        x, y = int.from_bytes(peer[:size], 'big'), int.from_bytes(peer[size:], 'big')
        return self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()
        )
