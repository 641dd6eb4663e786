# SPDX-License-Identifier: GPL-2.0-or-later
"""Authentication by certificate, by certificate and XAUTH, and hybrid: what connects."""

import functools

from cases import carries, case, cases, equal, expect, summary
from gateways import constants as c
from gateways import pki
from gateways.gateway import Config
from gateways.personalities import Cisco, Personality, Racoon, Srx, StrongSwan, variant
from world import WITH_USER, World

GATEWAY = 'fqdn:gw.example.com'
CLIENT = 'email:alice@example.com'
KIND_OF_METHOD = {
    c.AUTH_ECDSA_256: 'ecp256',
    c.AUTH_ECDSA_384: 'ecp384',
    c.AUTH_ECDSA_521: 'ecp521',
}


class House:
    """One authority, its intermediate for gateways, a gateway and a client, all with one kind of
    key."""

    def __init__(self, kind):
        self.root = pki.Authority('Example,Root', kind)
        self.middle = pki.Authority('Example,Gateways', kind, issuer=self.root)
        self.gateway = self.middle.issue('Example,Gateway', GATEWAY, kind=kind)
        self.client = self.root.issue('Example,Alice', CLIENT, kind=kind)


@functools.lru_cache(maxsize=None)
def house(kind):
    return House(kind)


def root(kind='rsa2048'):
    return house(kind).root


def middle(kind='rsa2048'):
    return house(kind).middle


def gateway_of(kind='rsa2048'):
    return house(kind).gateway


def client_of(kind='rsa2048'):
    return house(kind).client


def secured(sim, personality=Personality, method=c.AUTH_RSA_SIG, profile=None, **more):
    """A world whose client knows the root and shows a certificate; not yet started.

    gateway, client: other credentials; anchors, crls: what the client trusts; config: of the
    gateway."""
    kind = more.get('kind', KIND_OF_METHOD.get(method, 'rsa2048'))
    client = more.get('client', None if method == c.AUTH_HYBRID_INIT_RSA else client_of(kind))
    config = {
        'credential': more.get('gateway') or gateway_of(kind),
        'client_anchors': (root(kind).certificate,),
        **more.get('config', {}),
    }
    xauth = method in (c.AUTH_XAUTH_INIT_RSA, c.AUTH_HYBRID_INIT_RSA)
    words = dict(WITH_USER) if xauth else {'xauth': 'no'}
    world = sim.world(variant(personality, auth=(method,)), {**words, **(profile or {})}, **config)
    anchors = more.get('anchors', (root(kind).certificate,))
    return world.show(client, anchors, more.get('crls', ()), **(profile or {}))


def connects(world):
    world.start()
    world.run(60, World.over)
    expect(world.has('connected'), f'not connected: {summary(world)}')
    world.run(1)
    carries(world)
    return world


# ---- the methods ----


@cases('rsa2048', 'rsa3072', 'rsa4096')
def test_rsa_signatures(sim, kind):
    world = connects(secured(sim, kind=kind))
    equal(world.signatures, 1, 'signatures')
    equal(world.all('established')[0]['auth'], 'certificate', 'method')


@cases(256, 384, 521)
def test_ecdsa_signatures(sim, bits):
    method = {256: c.AUTH_ECDSA_256, 384: c.AUTH_ECDSA_384, 521: c.AUTH_ECDSA_521}[bits]
    connects(secured(sim, method=method))


@cases('md5', 'sha1', 'sha256', 'sha384', 'sha512')
def test_rsa_signatures_with_each_hash(sim, name):
    """SIG_R holds as many bytes as the negotiated hash has, without any DigestInfo."""
    suite = f'aes128-{name}-modp1024'
    personality = variant(Personality, phase1=suite)
    connects(secured(sim, personality, profile={'proposals': suite}))


@cases('sha1', 'sha512')
def test_ecdsa_hash_is_the_curves_not_the_negotiated_one(sim, name):
    """RFC 2409, 5: a signature that is tied to a hash has HASH_I by its HMAC (RFC 4754, 4)."""
    suite = f'aes128-{name}-modp2048'
    personality = variant(Personality, phase1=suite)
    connects(secured(sim, personality, c.AUTH_ECDSA_256, {'proposals': suite}))


@cases('srx', 'cisco', 'strongswan')
def test_g_rsa_signatures_and_xauth(sim, name):
    personality = {'srx': Srx, 'cisco': Cisco, 'strongswan': StrongSwan}[name]
    networks = '' if name == 'cisco' else '10.10.0.0/24'
    world = connects(secured(sim, personality, c.AUTH_XAUTH_INIT_RSA, {'networks': networks}))
    expect(world.gateway_events('xauth-accepted'), 'XAUTH was left out')


@cases('named', 'any', 'nothing')
def test_g_hybrid(sim, asked):
    """Only the gateway signs; asked for a certificate, the client sends an empty one (4.2)."""
    asks = None if asked == 'nothing' else asked
    personality = variant(StrongSwan, asks_certificate=asks)
    world = connects(secured(sim, personality, c.AUTH_HYBRID_INIT_RSA))
    equal(world.signatures, 0, 'signatures of the client')
    equal(world.all('established')[0]['auth'], 'hybrid', 'method')


@case
def test_g_hybrid_with_a_group_of_cisco(sim):
    world = secured(sim, Cisco, c.AUTH_HYBRID_INIT_RSA, {'id': 'keyid:sales', 'networks': ''})
    connects(world)


@case
def test_hybrid_without_a_user_asks_for_one(sim):
    world = secured(sim, StrongSwan, c.AUTH_HYBRID_INIT_RSA, {'user': None, 'password': None})
    connects(world)
    expect(world.questions, 'nobody was asked')


# ---- what is told of the gateway ----


@case
def test_the_gateways_certificate_is_told(sim):
    world = connects(secured(sim))
    told = world.all('established')[0]
    expect('Gateway' in told['subject'], f'{told}')
    end = pki.UNIX_NOW + int(pki.YEAR.total_seconds())
    equal(told['not_after'], end, 'valid until')
    equal(len(told['fingerprint']), 64, 'fingerprint')


# ---- chains ----


@cases('with it', 'from the profile')
def test_intermediate(sim, where):
    """The gateway sends its issuer along, or the client has it among its anchors."""
    personality = variant(Personality, sends_chain=where == 'with it')
    anchors = [root().certificate]
    if where == 'from the profile':
        anchors.append(middle().certificate)
    connects(secured(sim, personality, anchors=anchors))


@case
def test_chain_of_four(sim):
    issuer = root()
    for depth in range(3):
        issuer = pki.Authority(f'Example,Level {depth}', 'ecp256', issuer=issuer)
    connects(secured(sim, gateway=issuer.issue('Example,Gateway', GATEWAY, kind='rsa2048')))


@case
def test_chain_in_another_order(sim):
    """The gateway's own stands first (RFC 4945, 3.3.6); the others as they like."""
    issuer = root()
    for depth in range(3):
        issuer = pki.Authority(f'Example,Turn {depth}', 'ecp256', issuer=issuer)
    world = secured(sim, gateway=issuer.issue('Example,Gateway', GATEWAY, kind='rsa2048'))
    world.gateway.hooks['chain'] = lambda chain: (chain[0], *reversed(chain[1:]))
    connects(world)


@case
def test_the_clients_intermediates_are_sent(sim):
    issuer = pki.Authority('Example,Staff', 'rsa2048', issuer=root())
    client = issuer.issue('Example,Alice', CLIENT)
    world = connects(secured(sim, client=client))
    chain = world.gateway.newest().phase1.authentication.peer_chain
    equal(len(chain), 2, 'certificates of the client')


@case
def test_root_in_the_chain_is_no_harm_and_no_anchor(sim):
    world = secured(sim)
    world.gateway.hooks['chain'] = lambda chain: (*chain, pki.der(root().certificate))
    connects(world)


@cases('asked', 'always')
def test_g_gateway_sends_its_certificate(sim, when):
    """Some send it only to who asked by CERTREQ in the first message."""
    world = connects(secured(sim, variant(Personality, sends_certificate=when)))
    expect(world.gateway.newest().phase1.requests, 'no CERTREQ in the first message')


@cases('named', 'any', 'nothing')
def test_g_gateway_asks_for_the_clients_certificate(sim, wish):
    """By the name of an authority, of any, or not at all: it is sent."""
    asks = None if wish == 'nothing' else wish
    connects(secured(sim, variant(Personality, asks_certificate=asks)))


@case
def test_g_racoon_with_certificates(sim):
    connects(secured(sim, Racoon, c.AUTH_XAUTH_INIT_RSA))


# ---- identities ----


@cases(GATEWAY, 'ip:192.0.2.1', 'email:gw@example.com')
def test_gateway_identity_in_subject_alt_name(sim, name):
    kind, _, value = name.partition(':')
    data = bytes([192, 0, 2, 1]) if kind == 'ip' else value.encode()
    number = {'ip': c.ID_IPV4, 'fqdn': c.ID_FQDN, 'email': c.ID_USER_FQDN}[kind]
    credential = middle().issue('Example,Gateway', name)
    config = {'gateway_id': (number, data)}
    connects(secured(sim, gateway=credential, config=config, profile={'remote': name}))


@case
def test_gateway_identity_is_its_distinguished_name(sim):
    """strongSwan's default; RemoteID=dn:..."""
    credential = gateway_of()
    config = {'gateway_id': (c.ID_DER_ASN1_DN, credential.subject)}
    connects(secured(sim, config=config, profile={'remote': 'dn:' + credential.subject.hex()}))


@case
def test_g_gateway_shows_its_name_while_the_profile_names_the_certificate(sim):
    """ID_IPV4_ADDR in IDir, a domain name in the profile: the certificate has both."""
    credential = middle().issue('Example,Gateway', GATEWAY, 'ip:192.0.2.1')
    config = {'gateway_id': (c.ID_IPV4, bytes([192, 0, 2, 1]))}
    connects(secured(sim, gateway=credential, config=config))


# ---- signing takes a while, and comes again ----


@cases(0.0, 3.0, 20.0)
def test_signature_of_a_smart_card_takes_its_time(sim, seconds):
    """The gateway repeats its message all the while."""
    world = secured(sim)
    world.signing_takes = seconds
    connects(world)
    equal(world.signatures, 1, 'signatures')


@case
def test_each_renewal_is_signed_anew(sim):
    world = connects(secured(sim, profile={'lifetime': 3600}))
    world.run(3 * 3600)
    expect(world.signatures >= 3, f'{world.signatures} signatures in three hours')
    carries(world)


@case
def test_stop_while_a_signature_is_awaited(sim):
    world = secured(sim)
    world.signing_takes = 10
    world.start()
    world.run(1)
    world.command('stop')
    before = len(world.sent)
    world.run(60)
    equal(len(world.sent), before, 'datagrams after stop')
    expect(not world.has('connected'), 'connected after stop')


@cases('none', 'current', 'required')
def test_revocation_list_that_names_others(sim, which):
    """With a list, and with RequireCRL, a certificate that is not in it is good."""
    other = middle().issue('Example,Other', GATEWAY)
    crls = [] if which == 'none' else [root().crl(), middle().crl(other)]
    profile = {'requirecrl': 'yes'} if which == 'required' else {}
    connects(secured(sim, crls=crls, profile=profile))


@case
def test_config_of_the_gateway_is_complete(sim):
    """The helper that all of these rely on: the world is refused without the credential."""
    world = secured(sim, config={'client_anchors': ()})
    world.start()
    world.run(60, World.over)
    expect(world.has('failed'), 'a gateway that trusts nobody let the client in')
    equal(Config().credential, None, 'a gateway has no certificate by itself')
