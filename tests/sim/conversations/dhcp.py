# SPDX-License-Identifier: GPL-2.0-or-later
"""The inner address leased by DHCP through an SA of its own (RFC 3456): what a gateway and a server
behind it do right, wrong, late, or to do harm.
"""

import struct

from cases import carries, case, cases, equal, expect, fails, summary
from gateways import constants as c
from gateways import dhcp
from gateways.personalities import SonicWall, variant
from world import WITH_USER, Link, World

LEASED = {**WITH_USER, 'config': 'dhcp', 'hardware': '420102030405'}


def connect(sim, personality=SonicWall, profile=None, link=None, **config):
    return sim.connect(personality, {**LEASED, **(profile or {})}, link, **config)


def world_of(sim, personality=SonicWall, profile=None, link=None, **config):
    return sim.world(personality, {**LEASED, **(profile or {})}, link, **config)


def connects(world):
    world.start()
    expect(world.run(10, lambda w: w.has('connected')), 'not connected')
    world.run(1)


def said(world, name=None):
    """What the client said to the DHCP server, in order."""
    found = [(n[5:], d) for _, n, d in world.gateway.events if n.startswith('dhcp-')]
    return [d for n, d in found if n == name] if name else [n for n, _ in found]


def address(world):
    return world.all('config')[-1]['address'].split(':')[0]


def dhcp_children(world):
    return [child for child in world.gateway.children if child.dhcp]


@case
def test_g_sonicwall_leases_the_address(sim):
    world = connect(sim, domain=b'corp.example')
    carries(world)
    equal(said(world), ['discover', 'request'], 'messages')
    config = world.all('config')[-1]
    equal(address(world), '10.20.1.10', 'address')
    equal(
        (config['dns'], config['domain'], config['expires']), (['10.10.0.53'], 'corp.example', 3600)
    )
    first = said(world, 'discover')[0]
    equal((first['htype'], first['to']), (31, '255.255.255.255'), 'form')
    equal(first['hardware'].hex(), '420102030405', 'chaddr')
    equal(first['xid'], said(world, 'request')[0]['xid'], 'xid')


@case
def test_dhcp_sa_ends_with_the_conversation(sim):
    world = connect(sim)
    equal(dhcp_children(world), [], 'SAs for DHCP')
    gone = [sa for sa in world.all('sa') if sa['direction'] == 'gone']
    equal(len(gone), 1, 'SAs that went')
    expect(world.when('connected') < 1.5, 'connected late')


@case
def test_dhcp_needs_no_mode_config(sim):
    world = connect(sim, variant(SonicWall, plan=('xauth', 'status', 'push')))
    equal(address(world), '10.20.1.10', 'address')
    equal(len(world.all('config')), 1, 'configurations')


@cases('wait', 'other-htype', 'gateway-alone', 'both')
def test_g_dhcp_servers_that_want_another_form(sim, habit):
    """Ethernet's type, or the gateway's address, or both, come with the repetitions."""
    htypes = (1,) if habit in ('other-htype', 'both') else (1, 31)
    world = world_of(sim, dhcp_htypes=htypes, dhcp_to_gateway=habit in ('gateway-alone', 'both'))
    if habit == 'wait':
        world.gateway.dhcp.answers = False
        world.at(2.5, lambda: setattr(world.gateway.dhcp, 'answers', True))
    connects(world)
    carries(world)
    if htypes == (1,):
        equal(said(world, 'request')[-1]['htype'], 1, 'type of the REQUEST')


@cases('everybody', 'gateway')
def test_dhcp_offer_is_answered_in_the_form_that_it_is_for(sim, to):
    """A server that looks for a second or two whether anybody has the address, behind a gateway
    that knows one form alone: others are on their way when the offer comes.
    """
    form = {'everybody': (31, False, 1.2), 'gateway': (1, True, 2.5)}[to]
    world = world_of(sim, dhcp_htypes=form[:1], dhcp_to_gateway=form[1])

    def late(packet):
        if packet[270] != dhcp.OFFER:
            return packet
        child = dhcp_children(world)[-1]
        world.gateway.hooks.pop('dhcp-packet')
        world.at(form[2], lambda: world.gateway.post_esp(child, packet))
        return None

    world.gateway.hooks['dhcp-packet'] = late
    connects(world)
    expect(world.when('connected') < 4.5, 'late')
    expect(len(said(world, 'discover')) > 1, 'no other form')
    equal({d['htype'] for d in said(world, 'request')}, {form[0]}, 'type of the REQUEST')
    carries(world)


@case
def test_dhcp_ends_are_the_outer_ones(sim):
    """INVALID-ID for 0.0.0.0: a core that is told its outer address tries that. The client tells
    it none, so this is no habit of a gateway that the client is known to cope with.
    """
    world = connect(sim, variant(SonicWall, dhcp='outer'))
    carries(world)
    refused = [d for _, n, d in world.gateway.events if n == 'quick-refused']
    equal(len(refused), 1, 'refusals')


@cases(1, 2, 3)
def test_dhcp_survives_a_lossy_path(sim, seed):
    sim.seed += seed
    world = world_of(sim, link=Link(delay=0.04, jitter=0.05, loss=0.15, duplicate=0.1))
    world.start()
    world.run(60, World.over)
    expect(world.has('connected'), summary(world))


@cases(dhcp.OFFER, dhcp.ACK)
def test_dhcp_answer_lost_is_asked_for_again(sim, kind):
    world, lost = world_of(sim), []

    def once(options):
        lost.append(options)
        return None if len(lost) == 1 else options

    world.gateway.hooks[dhcp.ANSWERS[kind]] = once
    connects(world)
    carries(world)


@case
def test_dhcp_silence_is_said(sim):
    world = world_of(sim)
    world.gateway.dhcp.answers = False
    fails(world, 'phase2-refused', 20)
    equal(world.all('failed')[-1]['detail'], 'dhcp-silence', 'detail')
    forms = [(d['htype'], d['to'] == '255.255.255.255') for d in said(world, 'discover')]
    equal(forms[:4], [(31, True), (1, False), (31, False), (1, True)], 'forms')
    expect(len(forms) <= 6, f'{len(forms)} messages')
    world.run(1)
    equal(dhcp_children(world), [], 'SAs for DHCP')


@case
def test_dhcp_quick_mode_without_an_answer_is_a_refusal(sim):
    """The gateway has just spoken of the user on this very way: no firewall is to blame."""
    world = world_of(sim)
    world.to_gateway = lambda w, sent: sent.exchange != c.QUICK
    fails(world, 'phase2-refused', 20)
    equal(world.all('failed')[-1]['detail'], 'dhcp-refused', 'detail')


@case
def test_dhcp_refused_by_the_gateway_is_said(sim):
    sim.forgive('rfc3456-4.1-idcr')
    fails(world := world_of(sim, variant(SonicWall, dhcp=None)), 'phase2-refused', 20)
    equal(world.all('failed')[-1]['detail'], 'dhcp-refused', 'detail')
    equal(said(world), [], 'messages')


@cases('dhcp-refused', 'dhcp-silence')
def test_dhcp_all_of_it_has_half_a_minute(sim, detail):
    """Two groups without an answer; an offer that comes late, and no more."""
    groups = 'aes128-sha1-modp1024;aes128-sha1-modp1536;aes128-sha1'
    world = world_of(sim, profile={'p2': groups} if detail == 'dhcp-refused' else None)
    if detail == 'dhcp-refused':
        world.to_gateway = lambda w, sent: sent.exchange != c.QUICK
    else:
        world.gateway.hooks['dhcp:ack'] = lambda options: None
        world.gateway.dhcp.answers = False
        world.at(8, lambda: setattr(world.gateway.dhcp, 'answers', True))
    fails(world, 'phase2-refused', 33)
    equal(world.all('failed')[-1]['detail'], detail, 'detail')


@case
def test_dhcp_proposals_refused_are_said(sim):
    fails(world := world_of(sim, variant(SonicWall, phase2='3des-md5')), 'phase2-refused', 40)
    failed = world.all('failed')[-1]
    equal((failed['detail'], failed['notify']), ('network-refused', c.NO_PROPOSAL_CHOSEN))


@case
def test_dhcp_nak_begins_anew(sim):
    world = connect(sim, profile={'address': '10.99.0.9'}, dhcp_naks=1)
    carries(world)
    equal(said(world), ['discover', 'request', 'discover', 'request'], 'messages')
    wanted = [d['wanted'] for d in said(world, 'discover')]
    equal(wanted, ['10.99.0.9', None], 'addresses that were wanted')


@case
def test_dhcp_nak_without_end_is_said(sim):
    fails(world := world_of(sim, dhcp_naks=99), 'phase2-refused', 20)
    equal(world.all('failed')[-1]['detail'], 'dhcp-nak', 'detail')
    expect(len(said(world, 'request')) <= 4, 'asks without end')


HOSTILE = {
    'another-xid': lambda p: p[:32] + b'\0\0\0\1' + p[36:],
    'another-client': lambda p: p[:56] + b'\x42\xff\xff\xff\xff\xff' + p[62:],
    'from-another-port': lambda p: p[:20] + b'\0\x35' + p[22:],
    'a-request': lambda p: p[:28] + b'\1' + p[29:],
    'address-zero': lambda p: p[:44] + bytes(4) + p[48:],
    'address-loopback': lambda p: p[:44] + b'\x7f\0\0\1' + p[48:],
    'address-multicast': lambda p: p[:44] + b'\xe0\0\0\5' + p[48:],
    'address-broadcast': lambda p: p[:44] + b'\xff\xff\xff\xff' + p[48:],
    'no-magic': lambda p: p[:264] + bytes(4) + p[268:],
    'cut': lambda p: p[:200],
    'cut-in-the-options': lambda p: p[:274],
    'fragment': lambda p: p[:6] + b'\x20\0' + p[8:],
    'tcp': lambda p: p[:9] + b'\6' + p[10:],
    'ipv6': lambda p: b'\x65' + p[1:],
    'empty': lambda p: b'',
}


@cases(*HOSTILE)
def test_dhcp_hostile_packets_are_no_answers(sim, kind):
    """Nothing is taken of one, and the good one behind it still is."""
    world, seen = world_of(sim), []

    def twist(packet):
        seen.append(packet)
        return HOSTILE[kind](packet) if len(seen) == 1 else packet

    world.gateway.hooks['dhcp-packet'] = twist
    connects(world)
    equal(len(world.all('config')), 1, 'configurations')
    equal(address(world), '10.20.1.10', 'address')
    carries(world)


OPTIONS = {
    'no-server': lambda o: [p for p in o if p[0] != dhcp.SERVER],
    'no-lease': lambda o: [p for p in o if p[0] != dhcp.LEASE],
    'no-type': lambda o: [p for p in o if p[0] != dhcp.TYPE],
    'lease-zero': lambda o: [(k, bytes(4)) if k == dhcp.LEASE else (k, v) for k, v in o],
    'server-multicast': lambda o: [
        (k, b'\xe0\0\0\1') if k == dhcp.SERVER else (k, v) for k, v in o
    ],
    'short-dns': lambda o: [(k, v[:3]) if k == dhcp.DNS else (k, v) for k, v in o],
    'type-twice': lambda o: o + [(dhcp.TYPE, b'\6')],
    'overload-without-end': lambda o: o + [(52, b'\3')],
    'overload-of-nine': lambda o: o + [(52, b'\x09')],
}


@cases(*OPTIONS)
def test_dhcp_hostile_options_are_no_answers(sim, kind):
    world, seen = world_of(sim), []

    def twist(options):
        seen.append(options)
        return OPTIONS[kind](options) if len(seen) == 1 else options

    world.gateway.hooks['dhcp:offer'] = twist
    connects(world)
    expect(len(said(world, 'discover')) > 1, 'the offer was taken')
    carries(world)


@case
def test_dhcp_routes_are_not_taken(sim):
    """Option 121 (TunnelVision): nothing but an address is leased."""
    route = (121, b'\x01\x80\x0a\x0a\x00\x01')
    world = world_of(sim)
    world.gateway.hooks['dhcp:ack'] = lambda options: options + [route, (249, route[1])]
    connects(world)
    equal(world.all('config')[-1]['networks'], [], 'networks')


@case
def test_dhcp_ack_of_another_address_is_not_taken(sim):
    world, seen = world_of(sim), []

    def twist(packet):
        seen.append(packet)
        return packet[:44] + b'\x0a\x63\0\7' + packet[48:] if len(seen) == 2 else packet

    world.gateway.hooks['dhcp-packet'] = twist
    connects(world)
    equal(address(world), '10.20.1.10', 'address')


@cases(0, 600)
def test_dhcp_lease_is_renewed(sim, t1):
    """At T1, else after half of it; the address, its SAs and the tunnel stay."""
    world = connect(sim, lease=1200 if t1 else 900, lease_renewal=t1)
    world.run(3000)
    requests = said(world, 'request')[1:]
    expect(4 <= len(requests) <= 7, f'{len(requests)} renewals')
    equal({d['ciaddr'] for d in requests}, {'10.20.1.10'}, 'addresses')
    equal(len(said(world, 'discover')), 1, 'beginnings')
    equal(len(world.all('config')), 1, 'configurations')
    equal(dhcp_children(world), [], 'SAs for DHCP')
    carries(world)


@case
def test_dhcp_renewal_meets_silence_and_tries_again(sim):
    world = connect(sim, lease=600)
    world.gateway.dhcp.answers = False
    world.run(400)
    world.gateway.dhcp.answers = True
    world.run(800)
    expect(not world.has('lost'), 'lost')
    expect('dhcp-silence' in [n['detail'] for n in world.all('notice')], 'no notice')
    carries(world)


@case
def test_dhcp_lease_that_nobody_renews_ends_the_tunnel(sim):
    world = connect(sim, lease=600)
    world.gateway.dhcp.answers = False
    world.run(700)
    lost = world.all('lost')
    equal([e['detail'] for e in lost], ['lease-expired'], 'ends')
    expect(len(said(world)) < 60, 'too many messages')


@case
def test_dhcp_renewal_brings_another_address(sim):
    """NAK, then another lease: new SAs for it, as for an address that is pushed anew."""
    world = connect(sim, lease=600)
    for key in world.gateway.addresses:
        world.gateway.addresses[key] = '10.20.1.77'
    world.run(330)
    equal(address(world), '10.20.1.77', 'address')
    expect(not world.has('lost'), 'lost')
    world.run(20)
    problem = world.ping_from('10.20.1.77', '10.10.0.9')
    expect(not problem, f'no traffic: {problem}')


@case
def test_dhcp_address_is_not_used_for_long_behind_a_nak(sim):
    """Eight hours of the lease are left, and somebody else may have its address."""
    world = connect(sim, lease=16 * 3600)
    world.gateway.hooks['dhcp:offer'] = lambda options: None
    world.config.dhcp_naks = 99
    expect(world.run(9 * 3600, lambda w: len(said(w, 'request')) > 1), 'no renewal')
    world.run(60)
    equal([e['detail'] for e in world.all('lost')], ['lease-expired'], 'ends')


@case
def test_dhcp_short_lease_is_renewed_while_it_lasts(sim):
    world = connect(sim, lease=60)
    world.run(40)
    equal(len(said(world, 'request')), 2, 'requests')


@case
def test_dhcp_lease_of_a_second_is_no_storm(sim):
    world = connect(sim, lease=1, lease_renewal=1)
    world.run(600)
    expect(len(said(world)) < 50, f'{len(said(world))} messages')
    expect(not world.has('lost'), 'lost')


@case
def test_dhcp_lease_without_end(sim):
    world = connect(sim, lease=0xFFFFFFFF)
    world.run(7200)
    equal(said(world), ['discover', 'request'], 'messages')
    equal(world.all('config')[-1]['expires'], 0, 'expires')
    carries(world)


@case
def test_dhcp_phase1_renewal_keeps_the_lease(sim):
    world = connect(sim)
    world.command('renegotiate')
    world.run(20)
    equal(said(world), ['discover', 'request'], 'messages')
    equal(len(world.all('established')), 2, 'phase 1')
    equal(len(world.all('config')), 1, 'configurations')
    carries(world)


def stopped(world):
    return world.when('stopped') - world.asked


def stop(world):
    world.asked = (world.now - 1000 * 1_000_000_000) / 1e9
    world.command('stop')


@cases('broadcast', 'to-the-gateway')
def test_dhcp_lease_is_given_back_at_the_end(sim, form):
    world = connect(sim, dhcp_to_gateway=form == 'to-the-gateway')
    equal(len(world.gateway.dhcp.leases), 1, 'leases')
    stop(world)
    world.run(1)
    equal(len(world.gateway.dhcp.leases), 0, 'leases')
    release = said(world, 'release')
    equal([d['ciaddr'] for d in release], ['10.20.1.10'], 'addresses')
    equal(release[0]['to'], '192.0.2.1' if form == 'to-the-gateway' else '10.10.0.67', 'server')
    equal(world.gateway.children, [], 'SAs')
    equal(world.gateway.sas, {}, 'phase 1')
    expect(stopped(world) < 0.2, f'{stopped(world)} s')


@case
def test_dhcp_lease_is_given_back_to_who_has_renewed_it(sim):
    """Another server of a pair answers the renewal."""
    world = connect(sim, lease=600)
    world.config.dhcp_server = '10.10.0.68'
    world.run(400)
    stop(world)
    world.run(1)
    equal([d['to'] for d in said(world, 'release')], ['10.10.0.68'], 'servers')
    equal(len(world.gateway.dhcp.leases), 0, 'leases')


@case
def test_dhcp_end_that_the_gateway_forestalls_is_an_end(sim):
    """It deletes everything while the lease is given back: that is what was asked for."""
    world = connect(sim)
    world.to_gateway = lambda w, sent: False
    stop(world)
    world.gateway.newest().info.delete_isakmp()
    world.run(0.2)
    equal(len(world.all('stopped')), 1, 'ends')
    equal(world.all('lost'), [], 'losses')


@case
def test_dhcp_end_waits_for_no_silent_gateway(sim):
    world = connect(sim)
    world.gateway.silent = True
    stop(world)
    world.run(2)
    expect(0.4 < stopped(world) < 0.6, f'{stopped(world)} s')
    equal([e for e in world.all('failed') + world.all('lost')], [], 'ends')


@case
def test_dhcp_end_that_is_asked_for_twice_waits_for_nothing(sim):
    world = connect(sim)
    world.gateway.silent = True
    stop(world)
    expect(not world.has('stopped'), 'at once')
    world.command('stop')
    expect(world.has('stopped'), 'not at once')
    before = len(world.sent)
    world.run(5)
    equal(len(world.sent), before, 'messages behind the end')


@case
def test_dhcp_end_before_a_lease_waits_for_nothing(sim):
    world = world_of(sim)
    world.gateway.dhcp.answers = False
    world.start()
    world.run(2)
    stop(world)
    expect(world.has('stopped'), 'not at once')
    equal(said(world, 'release'), [], 'releases')


@case
def test_dhcp_end_refused_by_the_gateway_is_an_end(sim):
    moody = variant(SonicWall, dhcp='any')
    world = connect(sim, moody)
    moody.dhcp = None
    stop(world)
    world.run(1)
    equal(len(world.all('stopped')), 1, 'ends')
    equal(said(world, 'release'), [], 'releases')


@case
def test_dhcp_end_in_the_middle_of_a_renewal(sim):
    world = connect(sim, lease=600)
    world.gateway.dhcp.answers = False
    expect(world.run(400, lambda w: len(said(w, 'request')) > 1), 'no renewal')
    stop(world)
    world.run(1)
    equal(said(world)[-1], 'release', 'last message')
    expect(stopped(world) < 0.1, f'{stopped(world)} s')


@case
def test_dhcp_sa_deleted_in_the_middle_is_said(sim):
    world = world_of(sim)

    def delete(options):
        child = dhcp_children(world)[-1]
        child.sa.info.delete_esp([child.inbound.spi])
        return None

    world.gateway.hooks['dhcp:offer'] = delete
    fails(world, 'phase2-refused', 20)
    equal(world.all('failed')[-1]['detail'], 'dhcp-refused', 'detail')


@case
def test_dhcp_replayed_and_forged_packets_do_nothing(sim):
    """A recorded answer, and one with a bit turned over, before the good one: an offer that was
    taken would bring a REQUEST, an ACK a Quick Mode.
    """
    world, recorded = world_of(sim), []

    def record(datagram):
        forged = datagram[:-1] + bytes([datagram[-1] ^ 1])
        for data in (forged, *recorded):
            equal(len(world.receive(4500, data).packets), 0, 'answers')
        recorded.append(datagram)
        return datagram

    world.gateway.hooks['datagram:esp'] = record
    connects(world)
    equal(len(recorded), 2, 'answers that were recorded')
    carries(world)


@case
def test_dhcp_garbage_for_its_spi_is_dropped(sim):
    """Anybody can send to an SPI: nothing of it is believed, and nothing of it goes out."""
    world, spis = world_of(sim), []

    def tap(options):
        spis.append(struct.unpack('>L', dhcp_children(world)[-1].outbound.spi)[0])
        for size in (0, 1, 4, 12, 40, 400, 1600, 3000):
            answer = world.receive(4500, struct.pack('>LL', spis[-1], 1) + bytes(size))
            equal(len(answer.packets), 0, f'answers to {size} bytes')
        return options

    world.gateway.hooks['dhcp:offer'] = tap
    connects(world)
    carries(world)


PLAIN_THEN_USER = variant(SonicWall, auth=(c.AUTH_PSK,), plan=('xauth', 'status'))
TWO_GROUPS = 'aes128-sha1-modp1024;aes128-sha1'


def world_that_asks_later(sim, personality=PLAIN_THEN_USER, **profile):
    """Phase 1 says nothing of a user, and then one is asked for."""
    nobody = {'user': None, 'password': None}
    world = world_of(sim, personality, {**nobody, **profile})
    world.gateway.plan_for = lambda sa: personality.plan
    return world


@cases(0.05, 20)
def test_dhcp_user_comes_first(sim, patience):
    """However long somebody types, nothing else is under way, and then there is one lease."""
    for groups in ('aes128-sha1', TWO_GROUPS):
        world = world_that_asks_later(sim, p2=groups)
        world.patience = patience
        world.start()
        world.run(patience + 2, World.over)
        expect(world.has('connected'), f'{groups}: {summary(world)}')
        world.run(1)
        equal(said(world), ['discover', 'request'], 'messages')
        carries(world)


@cases('silence', 'answer')
def test_dhcp_question_for_the_user_crosses_the_quick_mode(sim, then):
    """The question comes when the DHCP SA has been asked for already."""
    sim.forgive('xauth-06-4-first')
    world = world_that_asks_later(sim, p2=TWO_GROUPS)
    held, passed = [], []

    def late(w, datagram):
        """The REQUEST takes longer than the client waits for one: until DISCOVER is out, or until
        the Quick Mode has been waiting for a while.
        """
        if datagram.name != 'xauth-request':
            return None
        held.append(datagram)
        if then == 'answer':
            w.gateway.newest().transactions.authenticated = True
        seconds = 2 if then == 'silence' else 1.54
        return [(seconds, datagram.port, datagram.data)] if len(held) == 1 else []

    def early(w, sent):
        if sent.exchange == c.QUICK and not passed:
            passed.append(sent)
            return then != 'silence'
        return True

    world.to_client, world.to_gateway = late, early
    world.patience = 20
    world.start()
    world.run(30, World.over)
    expect(passed, 'no early Quick Mode')
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)
