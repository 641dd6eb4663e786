# SPDX-License-Identifier: GPL-2.0-or-later
"""The habits of each gateway of the field, by its name."""

from cases import carries, case, cases, children, equal, expect, fails, summary
from gateways import constants as c
from gateways import inner
from gateways.personalities import (
    Cisco,
    FortiGate,
    FortiToken,
    FritzBox,
    Libreswan,
    Racoon,
    ScreenOs,
    Srx,
    variant,
)
from world import WITH_USER, World

DPD_STYLES = ('periodic', 'idle', 'demand')


def said(world):
    """Everything that the client was told by mode config, as text."""
    return str(world.all('config'))


# ---- Junos SRX, ScreenOS ----


@cases('fqdn:laptop.example.com', 'email:alice@example.com')
def test_g_srx_identity(sim, identity):
    """`dynamic hostname` and `dynamic user-at-hostname`."""
    kind = c.ID_FQDN if identity.startswith('fqdn') else c.ID_USER_FQDN
    wanted = (kind, identity.partition(':')[2].encode())
    carries(sim.connect(Srx, {'id': identity}, client_id=wanted))


@case
def test_g_srx_pushes_name_servers_of_both_kinds(sim):
    world = sim.connect(Srx, dns=('10.10.0.53', '10.10.0.54'), nbns=('10.10.0.55',))
    carries(world)
    for server in ('10.10.0.53', '10.10.0.54'):
        expect(server in said(world), f'{server} is missing in {said(world)}')


@case
def test_g_srx_takes_four_proposals_in_order(sim):
    """It looks at four and takes the first that it knows."""
    offer = 'aes256-sha512-modp1536;aes192-sha512-modp1536;aes192-sha1-modp1536;'
    world = sim.connect(Srx, {'proposals': offer + 'aes128-sha1-modp1536'})
    carries(world)
    equal(str(world.gateway.newest().suite), 'aes128-sha1-modp1536', 'the fourth')


@case
def test_g_srx_wants_the_same_pfs_group(sim):
    world = sim.connect(Srx, {'p2': 'aes128-sha1;aes256-sha256-modp2048'})
    carries(world)


@case
def test_g_srx_wants_each_network(sim):
    """0.0.0.0/0 is refused by a policy-based VPN that protects one network."""
    world = sim.world(Srx, {**WITH_USER, 'networks': '0.0.0.0/0'})
    fails(world, 'phase2-refused', 60)


@cases('inside', 'beside')
def test_g_srx_bundles_a_delete_with_every_rekey(sim, where):
    world = sim.connect(variant(Srx, delete_with_qm2=where, phase2_lifetime=300))
    world.run(1500)
    expect(not world.has('lost'), summary(world))
    carries(world)


@case
def test_g_screenos_has_no_private_notify(sim):
    world = sim.connect(ScreenOs)
    carries(world)
    world.run(60)
    expect(not world.all('notice'), f'{world.all("notice")}')


# ---- Cisco ----


@case
def test_g_cisco_group_is_a_key_id(sim):
    carries(sim.connect(Cisco, {'id': 'keyid:sales', 'networks': ''}, client_id=(c.ID_KEY_ID, b'sales')))


@case
def test_g_cisco_asks_for_everything_of_unity(sim):
    """Split include, local LAN, default domain, split DNS, backup servers, the password's policy."""
    world = sim.connect(
        Cisco,
        {'networks': ''},
        banner=b'Authorised use only\nAll is logged',
        domain=b'lan.example.com',
        split_domains=b'lan.example.com,corp.example.com',
        split_include=('10.10.0.0/24', '192.168.5.0/24'),
        local_lan=('192.168.1.0/24',),
        backup_servers=(b'vpn2.example.com', b'192.0.2.2'),
        save_password=False,
        unity_pfs=True,
        natt_port=4500,
    )
    carries(world)
    words = ('Authorised use only', 'lan.example.com', 'corp.example.com', '192.168.5.0')
    for wanted in (*words, '192.168.1.0/24', 'vpn2.example.com 192.0.2.2'):
        expect(wanted in said(world), f'{wanted} is missing in {said(world)}')


@cases('yes', 'no')
def test_g_cisco_policy_on_saving_the_password(sim, word):
    world = sim.connect(Cisco, {'networks': ''}, save_password=word == 'yes')
    carries(world)
    equal(world.all('config')[-1]['password_unkept'], word == 'no', 'what the client makes of it')


@case
def test_g_cisco_many_split_networks(sim):
    """Fifty networks stand in one attribute; one SA of 0.0.0.0/0 carries them."""
    nets = tuple(f'10.{n}.0.0/16' for n in range(30, 80))
    world = sim.connect(Cisco, {'networks': ''}, split_include=nets)
    for net in nets:
        expect(net in said(world), f'{net} is missing')
    equal([str(k.remote) for k in children(world)], ['0.0.0.0/0'], 'SAs')


@case
def test_g_cisco_without_split_include_takes_everything(sim):
    world = sim.connect(Cisco, {'networks': ''})
    carries(world)
    equal([str(k.remote) for k in children(world)], ['0.0.0.0/0'], 'SAs')


@case
def test_g_cisco_load_balance_names_another_gateway(sim):
    """The first sends the client elsewhere, and gets no password; the other one is a tunnel."""
    world = sim.world(Cisco, WITH_USER, load_balance='192.0.2.2')
    world.start().run(2, World.over)
    expect(not world.has('connected'), summary(world))
    failure = world.all('failed')[-1]
    equal((failure['detail'], failure['elsewhere']), ('redirected', '192.0.2.2:500'), 'where to')
    equal([s.exchange for s in world.sent if s.exchange == c.TRANSACTION], [], 'words of the user')
    carries(sim.connect(Cisco, {'networks': ''}))


@cases('0.0.0.0', '127.0.0.1', '224.0.0.5', '255.255.255.255', '192.0.2.1')
def test_g_cisco_load_balance_to_nowhere(sim, address):
    """No gateway has these addresses, and the last one is where the client is already."""
    world = sim.world(Cisco, WITH_USER, load_balance=address)
    world.start().run(5, World.over)
    expect(not world.has('failed'), summary(world))


@case
def test_g_cisco_lifetime_of_a_day_by_notify(sim):
    world = sim.connect(Cisco, {'networks': '', 'lifetime': 86400})
    world.run(3600)
    equal(len(world.gateway_events('established')), 1, 'Phase 1')
    carries(world)


@case
def test_g_cisco_identity_has_port_500(sim):
    """Its own ID says UDP 500, NAT-T or not (RFC 3947 would have 0)."""
    carries(sim.connect(Cisco, {'networks': ''}))


# ---- FortiGate ----


@cases('123456', '654321')
def test_g_fortigate_one_time_code(sim, code):
    """A round of its own; 654321 is wrong, and the user is asked once more."""
    world = sim.world(FortiToken, WITH_USER)
    world.answers = {'password': code.encode()}
    asked = []
    world.reply_to = answer_in_turn(world, asked, [code.encode(), b'123456'])
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    equal(len(asked), 1 if code == '123456' else 2, 'questions')
    world.run(1)
    carries(world)


def answer_in_turn(world, asked, codes):
    """Another answer to each question."""
    honest = world.reply_to

    def reply(question):
        world.answers = {'password': codes[min(len(asked), len(codes) - 1)]}
        asked.append(question)
        honest(question)

    return reply


@case
def test_g_fortigate_gives_up_after_the_second_wrong_code(sim):
    world = sim.world(FortiToken, WITH_USER)
    world.answers = {'password': b'000000'}
    fails(world, 'user-authentication', 90)
    equal(len(world.gateway_events('xauth-refused')), 2, 'codes that were tried')


@cases('idle', 'demand')
def test_g_fortigate_dpd_in_an_idle_tunnel(sim, style):
    """An idle client answers; the tunnel stays all night."""
    world = sim.connect(variant(FortiGate, dpd_style=style), {'p2lifetime': 3600})
    world.run(8 * 3600)
    expect(not world.has('lost'), summary(world))
    carries(world)
    asked = bool(world.gateway_events('dpd-answered'))
    equal(asked, style == 'idle', 'was asked')


@cases(*DPD_STYLES)
def test_dpd_of_each_style_under_one_sided_traffic(sim, style):
    """The gateway sends and the client has nothing to say but that it lives."""
    world = sim.connect(variant(FortiGate, dpd_style=style, dpd_interval=5))
    for _ in range(60):
        expect(world.gateway.seal(packet_for(world)) is not None, 'no SA')
        world.run(1)
    expect(world.gateway_events('dpd-answered'), 'the gateway never asked, or got no answer')
    expect(not [e for e in world.gateway.events if e[1] == 'dead-peer'], 'taken for dead')


def packet_for(world):
    return inner.echo_request('10.10.0.9', str(children(world)[-1].local.network_address))


@cases(*DPD_STYLES)
def test_dpd_of_each_style_after_the_client_was_cut_off(sim, style):
    """For a minute nothing passes; the gateway forgets, and the client comes back by itself."""
    world = sim.connect(variant(FortiGate, dpd_style=style, dpd_interval=5, dpd_retries=2))
    world.link.loss = 1.0
    for _ in range(60):
        if children(world):
            world.gateway.seal(packet_for(world))
        world.run(1)
    world.link.loss = 0.0
    world.run(200)
    expect(world.has('lost') or not world.ping(), f'neither lost nor alive: {summary(world)}')


# ---- FRITZ!Box ----


@cases('keyid:sales', 'email:alice@example.com', 'fqdn:laptop.example.com')
def test_g_fritzbox_identity(sim, identity):
    world = sim.connect(FritzBox, {'id': identity})
    carries(world)
    equal(world.gateway.newest().natt, c.VID_NATT_03, 'NAT-T')


@case
def test_g_fritzbox_through_a_day(sim):
    """Each hour a new Phase 1, each hour a new Phase 2, and nothing is lost between."""
    world = sim.connect(FritzBox, {'lifetime': 86400, 'p2lifetime': 86400})
    for _ in range(24):
        world.run(3600)
        carries(world)
    expect(len(world.gateway_events('established')) >= 24, 'Phase 1 was not renewed hourly')


# ---- racoon, libreswan ----


@case
def test_g_racoon_has_no_gcm(sim):
    """The second proposal is taken."""
    world = sim.connect(Racoon, {'p2': 'aes256gcm16;aes256-sha256'})
    carries(world)
    equal(str(children(world)[0].suite), 'aes256-sha256', 'ESP')


@case
def test_g_racoon_takes_one_group_a_first_message(sim):
    """Two groups are two attempts, and the gateway's judge sees one group in each."""
    world = sim.connect(
        variant(Racoon, phase1='aes128-sha1-modp1024'),
        {'proposals': 'aes256-sha256-modp2048;aes128-sha1-modp1024'},
    )
    carries(world)
    equal(len([e for e in world.gateway.events if e[1] == 'offer']), 2, 'attempts')


@cases('aes256-sha256-modp2048', 'aes128-sha256-modp2048', 'aes256-sha1-modp1536')
def test_g_libreswan_takes_aes_when_the_key_length_follows(sim, proposal):
    """KEY_LENGTH before ENCRYPTION would be refused, as vpnc's is."""
    world = sim.connect(Libreswan, {'proposals': proposal})
    carries(world)
    equal(str(world.gateway.newest().suite), proposal, 'Phase 1')


@case
def test_g_libreswan_refuses_modp1024(sim):
    world = sim.world(Libreswan, {**WITH_USER, 'proposals': 'aes128-sha1-modp1024'})
    fails(world, 'no-proposal-chosen', 30)
