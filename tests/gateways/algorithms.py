# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms of both phases by their numbers and by the names of strongSwan's notation."""

from dataclasses import dataclass

from . import constants as c


@dataclass(frozen=True)
class Cipher:
    name: str
    ike: int  # RFC 2409 number, 0: not in Phase 1
    esp: int  # RFC 2407 transform
    key: int  # bytes of the cipher's key
    block: int
    key_length: int = 0  # value of KEY_LENGTH, 0: the attribute must not stand
    salt: int = 0  # AEAD


@dataclass(frozen=True)
class Hash:
    name: str
    ike: int
    esp: int
    size: int
    icv: int


CIPHERS = {
    row.name: row
    for row in (
        Cipher('des', 1, 2, 8, 8),
        Cipher('3des', 5, 3, 24, 8),
        Cipher('aes128', 7, 12, 16, 16, 128),
        Cipher('aes192', 7, 12, 24, 16, 192),
        Cipher('aes256', 7, 12, 32, 16, 256),
        Cipher('aes128gcm16', 0, 20, 16, 4, 128, 4),
        Cipher('aes192gcm16', 0, 20, 24, 4, 192, 4),
        Cipher('aes256gcm16', 0, 20, 32, 4, 256, 4),
    )
}
HASHES = {
    row.name: row
    for row in (
        Hash('md5', 1, 1, 16, 12),
        Hash('sha1', 2, 2, 20, 12),
        Hash('sha256', 4, 5, 32, 16),
        Hash('sha384', 5, 6, 48, 24),
        Hash('sha512', 6, 7, 64, 32),
    )
}
GROUPS = {
    'modp768': 1,
    'modp1024': 2,
    'modp1536': 5,
    'modp2048': 14,
    'modp3072': 15,
    'modp4096': 16,
    'ecp256': 19,
    'ecp384': 20,
    'ecp521': 21,
    'curve25519': 31,
}
GROUP_NAMES = {number: name for name, number in GROUPS.items()}


@dataclass(frozen=True)
class Suite:
    """One proposal: cipher, hash (None with AEAD) and group name (None: no PFS)."""

    cipher: Cipher
    hash: Hash
    group: str

    def __str__(self):
        parts = [self.cipher.name, self.hash and self.hash.name, self.group]
        return '-'.join(p for p in parts if p)


def suite(text):
    """'aes256-sha256-modp2048', 'aes256gcm16-modp2048', 'aes128-sha1' -> Suite."""
    cipher, digest, group = None, None, None
    for word in text.split('-'):
        if word in CIPHERS:
            cipher = CIPHERS[word]
        elif word in HASHES:
            digest = HASHES[word]
        elif word in GROUPS:
            group = word
        else:
            raise ValueError(f'unknown algorithm {word}')
    return Suite(cipher, digest, group)


def suites(text):
    return [suite(word) for word in text.replace(';', ' ').replace(',', ' ').split()]


def phase1_suite(transform):
    """The suite that a Phase 1 transform names, or None."""
    number, bits = transform.get(c.P1_ENCRYPTION), transform.get(c.P1_KEY_LENGTH, 0)
    for cipher in CIPHERS.values():
        if cipher.ike and cipher.ike == number and cipher.key_length == bits:
            break
    else:
        return None
    digest = next((h for h in HASHES.values() if h.ike == transform.get(c.P1_HASH)), None)
    group = GROUP_NAMES.get(transform.get(c.P1_GROUP))
    return Suite(cipher, digest, group) if digest and group else None


def phase2_suite(transform):
    """The suite that an ESP transform names, or None."""
    bits = transform.get(c.P2_KEY_LENGTH, 0)
    for cipher in CIPHERS.values():
        if cipher.esp == transform.id and cipher.key_length == bits:
            break
    else:
        return None
    digest = next((h for h in HASHES.values() if h.esp == transform.get(c.P2_AUTH)), None)
    number = transform.get(c.P2_GROUP)
    if (digest is None) != bool(cipher.salt) or (number is not None and number not in GROUP_NAMES):
        return None
    return Suite(cipher, digest, GROUP_NAMES.get(number))
