# SPDX-License-Identifier: GPL-2.0-or-later
"""Keying material of IKEv1 (RFC 2409, sections 5 and 5.5 and appendix B)."""

import struct
from dataclasses import dataclass

from . import crypto


@dataclass
class Skeyid:
    """SKEYID and what follows from it; `hash` is the name of the negotiated hash, whose HMAC is the
    prf.
    """

    hash: str
    skeyid: bytes
    d: bytes
    a: bytes
    e: bytes

    def prf(self, key, data):
        return crypto.mac(self.hash, key, data)


def skeyid_psk(hash_name, psk, ni, nr):
    return crypto.mac(hash_name, psk, ni + nr)


def skeyid_signature(hash_name, shared, ni, nr):
    return crypto.mac(hash_name, ni + nr, shared)


def derive(hash_name, skeyid, shared, cky_i, cky_r):
    def prf(data):
        return crypto.mac(hash_name, skeyid, data)

    d = prf(shared + cky_i + cky_r + b'\0')
    a = prf(d + shared + cky_i + cky_r + b'\1')
    e = prf(a + shared + cky_i + cky_r + b'\2')
    return Skeyid(hash_name, skeyid, d, a, e)


def hash_i(keys, gxi, gxr, cookies, rest):
    """cookies = CKY-I | CKY-R, rest = SAi_b | IDii_b."""
    return keys.prf(keys.skeyid, gxi + gxr + cookies + rest)


def hash_r(keys, gxi, gxr, cookies, rest):
    """cookies = CKY-I | CKY-R, rest = SAi_b | IDir_b."""
    return keys.prf(keys.skeyid, gxr + gxi + cookies[8:] + cookies[:8] + rest)


def encryption_key(keys, length):
    """Appendix B: SKEYID_e, or K1 | K2 | ... with K1 = prf(SKEYID_e, 0) where it is too short."""
    if len(keys.e) >= length:
        return keys.e[:length]
    out, block = b'', b'\0'
    while len(out) < length:
        block = keys.prf(keys.e, block)
        out += block
    return out[:length]


def phase1_iv(hash_name, gxi, gxr, block):
    return crypto.digest(hash_name, gxi + gxr)[:block]


def phase2_iv(hash_name, last_block, mid, block):
    return crypto.digest(hash_name, last_block + struct.pack('>L', mid))[:block]


def keymat(keys, length, protocol_and_spi, nonces, shared=b''):
    """protocol_and_spi: one byte and four; nonces = Ni_b | Nr_b; shared: g(qm)^xy with PFS."""
    out, block = b'', b''
    while len(out) < length:
        block = keys.prf(keys.d, block + shared + protocol_and_spi + nonces)
        out += block
    return out[:length]


def natd(hash_name, cookies, address, port):
    """RFC 3947, 3.2; address packed, cookies = CKY-I | CKY-R."""
    return crypto.digest(hash_name, cookies + address + struct.pack('>H', port))
