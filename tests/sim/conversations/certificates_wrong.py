# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates and signatures that must not be believed; each has its own word."""

from cases import case, cases, equal, expect, summary
from conversations.certificates import (
    CLIENT,
    GATEWAY,
    client_of,
    connects,
    gateway_of,
    middle,
    root,
    secured,
)
from gateways import constants as c
from gateways import pki, signatures
from gateways.personalities import Personality, Srx, StrongSwan, variant
from world import World

DAY = pki.YEAR / 365


def refused(world, detail, reason='gateway-authentication'):
    """Fails with this word, and the gateway has got neither a name nor a password."""
    world.start()
    world.run(90, World.over)
    expect(not world.has('connected'), f'connected: {summary(world)}')
    expect(world.has('failed'), f'no end: {summary(world)}')
    got = world.all('failed')[-1]
    equal((got['reason'], got['detail']), (reason, detail), summary(world))
    equal(world.gateway_events('xauth-accepted'), [], 'XAUTH')
    return got


# ---- the gateway's certificate ----


def expired():
    return middle().issue('Example,Gateway', GATEWAY, ends=-DAY)


def not_yet():
    return middle().issue('Example,Gateway', GATEWAY, begins=DAY)


def under_an_expired_intermediate():
    old = pki.Authority('Example,Old', 'rsa2048', issuer=root(), ends=-DAY)
    return old.issue('Example,Gateway', GATEWAY)


def of_another_root():
    return pki.Authority('Other,Root', 'ecp256').issue('Example,Gateway', GATEWAY)


def of_a_root_with_the_same_name():
    return pki.Authority('Example,Root', 'ecp256').issue('Example,Gateway', GATEWAY)


def self_signed():
    """Nobody issued it; its own name is its issuer's."""
    alone = pki.Authority('Example,Gateway', 'rsa2048')
    return pki.Credential(alone.key, alone.certificate)


def named_otherwise():
    return middle().issue('Example,Gateway', 'fqdn:other.example.com')


def named_by_a_wildcard():
    return middle().issue('Example,Gateway', 'fqdn:*.example.com')


def named_in_the_common_name_only():
    return middle().issue('gw.example.com')


def named_longer():
    return middle().issue('Example,Gateway', 'fqdn:gw.example.com.evil.example')


def for_mail_only():
    return middle().issue('Example,Gateway', GATEWAY, uses=('mail',))


def that_may_not_sign():
    return middle().issue('Example,Gateway', GATEWAY, bits=('key_encipherment',))


def of_1024_bits():
    return middle().issue('Example,Gateway', GATEWAY, kind='rsa1024')


def under_what_is_no_authority():
    end = root().issue('Example,End', 'fqdn:end.example.com', is_ca=False)
    forged = pki.Authority('Example,End', 'ecp256')
    forged.key, forged.certificate, forged.kind = end.key, end.certificate, 'rsa2048'
    forged.issuers, forged.is_root = end.issuers, False
    return forged.issue('Example,Gateway', GATEWAY)


def deeper_than_allowed():
    """The first intermediate may have no other below it."""
    first = pki.Authority('Example,Shallow', 'ecp256', issuer=root(), path=0)
    second = pki.Authority('Example,Deep', 'ecp256', issuer=first)
    return second.issue('Example,Gateway', GATEWAY)


def with_an_unknown_critical_extension():
    return middle().issue('Example,Gateway', GATEWAY, unknown_critical=True)


WRONG = {
    'expired': (expired, 'cert-expired'),
    'not yet valid': (not_yet, 'cert-not-yet'),
    'under an expired intermediate': (under_an_expired_intermediate, 'cert-expired'),
    'of another root': (of_another_root, 'cert-issuer'),
    'of a root with the same name': (of_a_root_with_the_same_name, None),
    'self-signed': (self_signed, 'cert-issuer'),
    'named otherwise': (named_otherwise, 'cert-id'),
    'named by a wildcard': (named_by_a_wildcard, 'cert-id'),
    'named in the common name only': (named_in_the_common_name_only, 'cert-id'),
    'named longer': (named_longer, 'cert-id'),
    'for mail only': (for_mail_only, 'cert-use'),
    'that may not sign': (that_may_not_sign, 'cert-use'),
    'of 1024 bits': (of_1024_bits, 'cert-weak'),
    'under what is no authority': (under_what_is_no_authority, 'cert-invalid'),
    'deeper than allowed': (deeper_than_allowed, 'cert-invalid'),
    'with an unknown critical extension': (with_an_unknown_critical_extension, 'cert-invalid'),
}


@cases(*WRONG)
def test_c_certificate(sim, what):
    make, detail = WRONG[what]
    world = secured(sim, gateway=make())
    if detail is None:  # a broken signature or a missing issuer, as one looks at it
        world.start()
        world.run(90, World.over)
        expect(world.all('failed')[-1]['detail'] in ('cert-issuer', 'cert-invalid'), summary(world))
        expect(not world.has('connected'), 'connected')
        return
    refused(world, detail)


@cases('server', 'ike', 'server client')
def test_extended_key_usage_that_fits(sim, words):
    """What Windows, Junos and strongSwan put into gateways' certificates (RFC 4945, 5.1.3.12)."""
    uses = tuple(words.split())
    connects(secured(sim, gateway=middle().issue('Example,Gateway', GATEWAY, uses=uses)))


@case
def test_gateway_that_sends_no_certificate(sim):
    refused(secured(sim, variant(Personality, sends_certificate='never')), 'cert-none')


@case
def test_intermediate_that_nobody_sent(sim):
    got = refused(secured(sim, variant(Personality, sends_chain=False)), 'cert-issuer')
    expect('Gateways' in got['text'], f'the missing issuer is not named: {got}')


@cases('cut', 'longer', 'garbage', 'empty')
def test_a_certificate_that_is_none(sim, how):
    world = secured(sim)
    change = {
        'cut': lambda der: der[:-20],
        'longer': lambda der: der + b'\0\0',
        'garbage': lambda der: bytes(len(der)),
        'empty': lambda der: b'',
    }[how]
    world.gateway.hooks['chain'] = lambda chain: (change(chain[0]), *chain[1:])
    world.start()
    world.run(90, World.over)
    got = world.all('failed')[-1]['detail']
    expect(got in ('cert-malformed', 'cert-none', 'malformed'), f'{got}; {summary(world)}')


@case
def test_too_many_certificates(sim):
    world = secured(sim)
    world.gateway.hooks['chain'] = lambda chain: chain + (chain[-1],) * 40
    world.start()
    world.run(90, World.over)
    expect(world.over(), f'no end: {summary(world)}')


# ---- revocation ----


@case
def test_revoked_certificate(sim):
    refused(secured(sim, crls=[root().crl(), middle().crl(gateway_of())]), 'cert-revoked')


@case
def test_revoked_intermediate(sim):
    got = refused(secured(sim, crls=[root().crl(middle()), middle().crl()]), 'cert-revoked')
    expect('Gateways' in got['text'], f'{got}')


@case
def test_required_list_is_missing(sim):
    refused(secured(sim, profile={'requirecrl': 'yes'}), 'cert-no-crl')


@case
def test_required_list_is_outdated(sim):
    crls = [root().crl(), middle().crl(ends=-DAY)]
    refused(secured(sim, crls=crls, profile={'requirecrl': 'yes'}), 'cert-no-crl')


# ---- signatures ----


def with_digest_info(data):
    """What PKCS #1 calls a signature; RFC 2409, 5.1 does not."""
    return bytes.fromhex('3021300906052b0e03021a05000414') + data


@cases('a bit', 'zero', 'one', 'short', 'long', 'empty', 'modulus')
def test_c1_rsa_signature(sim, how):
    world = secured(sim)
    n = gateway_of().key.public_key().public_numbers().n.to_bytes(256, 'big')
    change = {
        'a bit': lambda s: s[:-1] + bytes([s[-1] ^ 1]),
        'zero': lambda s: bytes(len(s)),
        'one': lambda s: bytes(len(s) - 1) + b'\1',
        'short': lambda s: s[1:],
        'long': lambda s: b'\0' + s,
        'empty': lambda s: b'',
        'modulus': lambda s: n,
    }[how]
    world.gateway.hooks['signature'] = change
    world.start()
    world.run(90, World.over)
    got = world.all('failed')[-1]
    expect(got['detail'] in ('cert-signature', 'malformed'), f'{got}')
    expect(not world.has('connected') and not world.signatures, 'the client signed for a liar')


@cases('digest info', 'garbage behind', 'short padding', 'type 2', 'zero padding')
def test_c1_rsa_padding(sim, how):
    """Every bit of the block counts (Bleichenbacher 2006): whoever reads the padding loosely can be
    deceived with a key of exponent 3."""
    world, key = secured(sim), gateway_of().key
    build = {
        'digest info': lambda d: signatures.pad(with_digest_info(d), 256),
        'garbage behind': lambda d: b'\0\1' + b'\xff' * 8 + b'\0' + d + bytes(245 - len(d)),
        'short padding': lambda d: b'\0\1' + b'\xff' * 7 + b'\0' + bytes(246 - len(d)) + d,
        'type 2': lambda d: b'\0\2' + b'\x55' * (253 - len(d)) + b'\0' + d,
        'zero padding': lambda d: bytes(256 - len(d)) + d,
    }[how]

    def sign(value):
        numbers = key.private_numbers()
        block = int.from_bytes(build(value), 'big')
        return pow(block, numbers.d, numbers.public_numbers.n).to_bytes(256, 'big')

    seen = {}
    world.gateway.hooks['signed'] = lambda value: seen.setdefault('value', value)
    world.gateway.hooks['signature'] = lambda _: sign(seen['value'])
    refused(world, 'cert-signature')
    equal(world.signatures, 0, 'signatures of the client')


@cases('swapped', 'zero', 'der', 'order', 'short')
def test_c1_ecdsa_signature(sim, how):
    world = secured(sim, method=c.AUTH_ECDSA_256)
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def der(s):
        from cryptography.hazmat.primitives.asymmetric import utils

        return utils.encode_dss_signature(
            int.from_bytes(s[:32], 'big'), int.from_bytes(s[32:], 'big')
        )

    world.gateway.hooks['signature'] = {
        'swapped': lambda s: s[32:] + s[:32],
        'zero': lambda s: bytes(64),
        'der': der,
        'order': lambda s: n.to_bytes(32, 'big') * 2,
        'short': lambda s: s[:-1],
    }[how]
    world.start()
    world.run(90, World.over)
    got = world.all('failed')[-1]
    expect(got['detail'] in ('cert-signature', 'malformed'), f'{got}')
    equal(world.signatures, 0, 'signatures of the client')


@case
def test_b5_certificate_of_another_with_a_key_of_its_own(sim):
    """A thief shows the gateway's certificate, and signs with what he has."""
    stolen = pki.Credential(pki.key('rsa2048', 'thief'), gateway_of().certificate)
    stolen.issuers = gateway_of().issuers
    refused(secured(sim, Srx, c.AUTH_XAUTH_INIT_RSA, gateway=stolen), 'cert-signature')


@case
def test_b5_hybrid_gateway_without_a_certificate_gets_no_password(sim):
    stranger = of_another_root()
    refused(secured(sim, StrongSwan, c.AUTH_HYBRID_INIT_RSA, gateway=stranger), 'cert-issuer')


@case
def test_b5_curve_of_another_method(sim):
    """Method 9 is P-256; a certificate with a P-384 key does not fit it."""
    other = middle('ecp256').issue('Example,Gateway', GATEWAY, kind='ecp384')
    world = secured(sim, method=c.AUTH_ECDSA_256, gateway=other)
    world.gateway.hooks['signature'] = lambda s: s[:64]
    world.start()
    world.run(90, World.over)
    expect(world.has('failed') and not world.has('connected'), summary(world))


# ---- the client's own ----


@case
def test_nobody_can_sign(sim):
    world = secured(sim)
    world.signer = None
    refused(world, 'no-signature', 'secret-missing')


@case
def test_another_key_than_the_certificates_is_noticed_here(sim):
    """The gateway would refuse it without saying why."""
    world = secured(sim)
    world.signer = pki.key('rsa2048', 'another')
    world.start()
    world.run(90, World.over)
    equal(world.all('failed')[-1]['detail'], 'key-mismatch', summary(world))


@case
def test_gateway_that_does_not_know_the_clients_authority(sim):
    client = pki.Authority('Other,Root', 'ecp256').issue('Other,Alice', CLIENT)
    world = secured(sim, client=client)
    world.start()
    world.run(90, World.over)
    expect(world.has('failed') and not world.has('connected'), summary(world))
    expect(world.gateway_events('client-refused'), 'the gateway let a stranger in')


@case
def test_identity_that_is_not_in_the_clients_certificate(sim):
    world = secured(sim, profile={'id': 'email:bob@example.com'})
    world.start()
    world.run(90, World.over)
    expect(world.has('failed') and not world.has('connected'), summary(world))
    expect(client_of().certificate.subject, 'the certificate')


@case
def test_certificate_that_expires_while_connected(sim):
    """The tunnel lives until Phase 1 is renewed; then the gateway is refused."""
    soon = middle().issue('Example,Gateway', GATEWAY, ends=DAY / 12)
    world = connects(secured(sim, gateway=soon, profile={'lifetime': 3600}))
    world.run(3600)
    expect(not world.has('lost'), 'ended before the certificate did')
    world.run(4 * 3600)
    expect(world.has('lost'), f'still connected: {summary(world)}')
