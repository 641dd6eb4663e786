# SPDX-License-Identifier: GPL-2.0-or-later
"""Lifetimes, rekeys by either side, DPD, DELETE, and what follows a change of network."""

from cases import carries, case, cases, children, equal, expect, summary
from gateways import algorithms
from gateways import constants as c
from gateways.personalities import Cisco, FortiGate, FritzBox, Personality, Srx, StrongSwan, variant
from world import SECOND, WITH_USER, Link


def renewals(world):
    """Seconds after the first child at which each further one was made."""
    times = [(t, n) for t, n, _ in world.gateway.events if n == 'child']
    return [(t - times[0][0]) / SECOND for t, _ in times[1:]]


def phase1s(world):
    return len(world.gateway_events('established'))


# ---- lifetimes ----


@cases('notify', 'transform')
def test_the_gateways_shorter_phase_2_lifetime_counts(sim, where):
    world = sim.connect(variant(Srx, phase2_lifetime=300, phase2_lifetime_in=where))
    world.run(305)
    expect(renewals(world) and renewals(world)[0] < 300, f'renewed at {renewals(world)}')
    carries(world)


@case
def test_the_clients_shorter_phase_2_lifetime_counts(sim):
    world = sim.connect(variant(Srx, phase2_lifetime=36000), {'p2lifetime': 300})
    world.run(305)
    expect(renewals(world) and renewals(world)[0] < 300, f'renewed at {renewals(world)}')
    carries(world)


@case
def test_g_fortigate_broken_responder_lifetime_is_ignored(sim):
    """What follows LIFE_TYPE is no LIFE_DURATION: the profile's hour stays."""
    world = sim.connect(FortiGate, {'p2lifetime': 3600})
    world.run(1200)
    equal(renewals(world), [], 'renewals')
    world.run(2400)
    expect(renewals(world), 'no renewal within the hour')
    carries(world)


@case
def test_lifetime_in_kilobytes(sim):
    world = sim.connect(variant(Personality, phase2_lifetime=28800), {'p2lifetimekb': 64})
    for _ in range(60):
        carries_of_size(world, 1300)
        world.run(0.2)
        if len(children(world)) > 1:
            break
    world.run(5)
    expect(renewals(world), 'no renewal after 78 kilobytes')
    carries(world)


@case
def test_lifetime_in_kilobytes_of_the_gateway(sim):
    """RESPONDER-LIFETIME with both units; the shorter one of both sides counts."""
    personality = variant(Srx, phase2_kilobytes=64)
    world = sim.connect(personality, {'p2lifetimekb': 4096})
    for _ in range(60):
        carries_of_size(world, 1300)
        world.run(0.2)
    world.run(5)
    expect(renewals(world), 'no renewal after 78 kilobytes')
    carries(world)


def carries_of_size(world, size):
    problem = world.ping(size=size)
    expect(not problem, problem)


@case
def test_g_fritzbox_dictates_an_hour(sim):
    world = sim.connect(FritzBox, {'lifetime': 28800, 'p2lifetime': 28800})
    world.run(3590)
    expect(phase1s(world) >= 2, 'phase 1 was not renewed within its hour')
    expect(renewals(world), 'phase 2 was not renewed within its hour')
    carries(world)


@case
def test_a_night_with_short_lifetimes(sim):
    """Eight hours of renewals, traffic all the time."""
    world = sim.connect(
        variant(Srx, phase2_lifetime=1800, phase1_lifetime=7200), {'lifetime': 7200}
    )
    for _ in range(16):
        world.run(1800)
        carries(world)
    expect(not world.has('lost') and not world.has('failed'), summary(world))
    expect(15 <= len(renewals(world)) <= 40, f'{len(renewals(world))} renewals of phase 2')
    expect(4 <= phase1s(world) <= 8, f'{phase1s(world)} phase 1 exchanges')


# ---- rekey ----


@case
def test_rekey_of_phase_2_by_the_client_loses_nothing(sim):
    """Packets of the old SA are still taken when the new one is there."""
    world = sim.connect(Srx, {'p2lifetime': 300})
    old = children(world)[0]
    while len(world.gateway_events('child')) < 2:
        world.run(1)
        expect(world.now < 2000 * SECOND, 'no rekey')
        carries(world)
    source = str(old.local.network_address)
    from gateways import inner

    reply = inner.answer(inner.echo_request(source, '10.10.0.9'))
    if old in children(world):
        equal(world.open(world.gateway.seal(reply, old)), reply, 'late packet of the old SA')
    carries(world)
    world.run(120)
    carries(world)


@cases('same', 'pfs')
def test_g_rekey_of_phase_2_by_the_gateway(sim, how):
    """With the group of its first proposal even where the SA was made without PFS (strongSwan)."""
    world = sim.connect(StrongSwan)
    suite = algorithms.suite('aes128-sha1-modp2048') if how == 'pfs' else None
    old = children(world)[0]
    world.gateway.newest().quick.begin(old, suite)
    world.run(10)
    equal(len(world.gateway_events('child')), 2, f'children; {summary(world)}')
    carries(world)
    old.sa.info.delete_esp([old.inbound.spi])
    world.gateway.children.remove(old)
    world.run(10)
    carries(world)
    equal(len(world.gateway_events('child')), 2, 'an SA too many')


@case
def test_rekeys_of_both_sides_at_once(sim):
    world = sim.connect(Srx, {'p2lifetime': 300})
    while len(world.gateway_events('quick-offer')) < 2 and world.now < 2000 * SECOND:
        world.run(0.01)
    world.gateway.newest().quick.begin(children(world)[0])
    world.run(60)
    carries(world)
    expect(not world.has('lost'), summary(world))


@cases('xauth', 'status-only')
def test_g_phase_1_is_renewed_by_the_client(sim, how):
    """Before its end; the same address, the children stay (no new Quick Mode for them)."""
    world = sim.connect(
        variant(StrongSwan, xauth_on_rekey=how == 'xauth'), {'lifetime': 1200, 'p2lifetime': 28800}
    )
    before = world.gateway.children[0]
    world.run(1190)
    expect(phase1s(world) >= 2, 'phase 1 was not renewed')
    equal(world.questions, 0, 'the password is known')
    equal(len(world.gateway_events('child')), 1, 'Quick Modes')
    expect(before in world.gateway.children, 'the child went')
    expect(not world.has('lost') and len(world.all('connected')) == 1, summary(world))
    carries(world)
    world.run(1200)
    carries(world)


@case
def test_g_phase_1_lifetime_of_the_gateway_by_notify(sim):
    world = sim.connect(variant(Cisco, phase1_lifetime=900), {'networks': '', 'lifetime': 28800})
    world.run(895)
    expect(phase1s(world) >= 2, 'RESPONDER-LIFETIME of phase 1 was not heeded')
    carries(world)


@case
def test_xauth_again_after_hours(sim):
    world = sim.connect(Srx, {'p2lifetime': 28800})
    world.run(3 * 3600)
    world.gateway.newest().transactions.again()
    world.run(10)
    equal(len(world.gateway_events('xauth-accepted')), 2, 'XAUTH')
    carries(world)


@case
def test_xauth_again_refused_ends_the_tunnel(sim):
    world = sim.connect(Srx)
    world.config.users.clear()
    world.gateway.newest().transactions.again()
    world.run(120, lambda w: w.has('failed') or w.has('lost'))
    expect(world.has('failed') or world.has('lost'), summary(world))


@case
def test_a26_configuration_is_pushed_again_with_other_values(sim):
    world = sim.connect(Srx)
    world.config.dns = ('10.10.0.54', '10.10.0.55')
    world.gateway.newest().transactions.plan = ['push']
    world.gateway.newest().transactions.step()
    world.run(5)
    equal([e['step'] for e in world.gateway_events('ack')][-1], 'push', 'ACK')
    carries(world)


@case
def test_address_expiry_is_honoured(sim):
    world = sim.connect(Cisco, {'networks': '', 'p2lifetime': 28800}, address_expiry=900)
    world.run(895)
    expect(len(world.gateway_events('pull')) >= 2, 'the address was not asked for again')
    carries(world)


# ---- DPD ----


@case
def test_dpd_of_the_gateway_is_answered(sim):
    world = sim.connect(Personality)
    for count in range(1, 4):
        world.gateway.newest().info.ask_alive()
        world.run(2)
        equal(world.gateway.newest().info.dpd_answered, count, 'answers')


@case
def test_dpd_of_the_client_finds_a_silent_gateway(sim):
    world = sim.connect(Personality, {'dpd': 30})
    carries(world)
    world.gateway.silent = True
    began = world.now
    for _ in range(300):
        packet_to_nowhere(world)
        if world.run(1, lambda w: w.has('lost')):
            break
    expect(world.has('lost'), summary(world))
    expect(5 * SECOND < world.now - began < 180 * SECOND, f'{(world.now - began) / SECOND} s')


def packet_to_nowhere(world):
    from gateways import inner

    source = str(world.gateway.children[-1].local.network_address)
    world.seal(inner.echo_request(source, '10.10.0.9'))


@case
def test_dpd_stays_quiet_while_traffic_comes(sim):
    """RFC 3706, 5.5: proof of life is traffic too."""
    world = sim.connect(Personality, {'dpd': 30})
    for _ in range(300):
        world.run(1)
        carries(world)
    expect(not world.has('lost'), summary(world))
    expect(
        len(world.gateway_events('dpd-asked')) <= 2,
        f'{len(world.gateway_events("dpd-asked"))} questions',
    )


@case
def test_dpd_of_the_client_is_answered_by_a_living_gateway(sim):
    world = sim.connect(Personality, {'dpd': 30})
    for _ in range(600):
        packet_to_nowhere(world)
        world.run(1)
    expect(world.gateway_events('dpd-asked'), 'no question while nothing came back')
    expect(not world.has('lost'), summary(world))


@case
def test_gateway_that_lost_its_memory(sim):
    world = sim.connect(Personality, {'dpd': 20})
    source = str(children(world)[0].local.network_address)
    from gateways import inner

    world.gateway.restart()
    for _ in range(200):
        world.seal(inner.echo_request(source, '10.10.0.9'))
        if world.run(1, lambda w: w.has('lost') or children(w)):
            break
    expect(world.has('lost') or children(world), summary(world))


# ---- DELETE ----


@case
def test_delete_of_the_esp_sa(sim):
    """It is gone at once; then another one is made, or the tunnel is said to be lost."""
    world = sim.connect(Personality)
    child = children(world)[0]
    world.gateway.newest().info.delete_esp([child.inbound.spi])
    world.gateway.children.remove(child)
    world.run(0.1)
    from gateways import inner

    sealed = world.seal(inner.echo_request(str(child.local.network_address), '10.10.0.9'))
    expect(sealed is None or sealed[:4] != child.inbound.spi, 'still sends on a deleted SA')
    world.run(60, lambda w: children(w) or w.has('lost'))
    expect(children(world) or world.has('lost'), summary(world))


@case
def test_delete_of_the_isakmp_sa(sim):
    """The gateway does not want us any more: a new phase 1 or `lost`, not silence."""
    world = sim.connect(Personality)
    sa = world.gateway.newest()
    sa.info.delete_isakmp()
    world.gateway.forget(sa.cookies)
    world.run(60, lambda w: w.has('lost') or phase1s(w) > 1)
    expect(world.has('lost') or phase1s(world) > 1, summary(world))


@cases('inside', 'beside')
def test_g_delete_with_the_answer_of_quick_mode(sim, where):
    """Junos tells of a former SA in or along QM2: the new one lives."""
    world = sim.connect(variant(Srx, delete_with_qm2=where))
    world.run(30)
    carries(world)
    expect(not world.has('lost'), summary(world))


@case
def test_g_notify_40001_is_ignored(sim):
    """At any moment."""
    from gateways import wire

    world = sim.connect(variant(Srx, notify_after_config=c.JUNIPER_40001))
    sa = world.gateway.newest()
    for number in (40001, 40002, 32768, 65535):
        sa.info.send(
            'private',
            [(c.NOTIFY, wire.build_notify(c.PROTO_ISAKMP, number, sa.cookies, bytes(40)))],
        )
        world.run(1)
    before = len(world.sent)
    world.run(5)
    equal(len(world.sent), before, 'datagrams')
    carries(world)


# ---- the path ----


@case
def test_network_change_is_told_to_the_gateway_soon(sim):
    """After a new NAT mapping only an authenticated IKE message moves the gateway."""
    world = sim.connect(Personality)
    world.source = ('198.51.100.9', 51515)
    world.command('netchange')
    world.run(5)
    equal(world.gateway.newest().peer, world.source, 'path of the gateway')
    carries(world)


@case
def test_nat_rebinding_is_overcome_by_dpd(sim):
    world = sim.connect(Personality, {'dpd': 20})
    world.source = (world.source[0], 60001)
    for _ in range(120):
        packet_to_nowhere(world)
        world.run(1)
        if world.gateway.newest().peer == world.source:
            break
    equal(world.gateway.newest().peer, world.source, 'path of the gateway')
    expect(not world.has('lost'), summary(world))


@case
def test_renegotiate(sim):
    world = sim.connect(Srx)
    before = world.gateway.history[-1], len(world.gateway_events('child'))
    world.command('renegotiate')
    world.run(15)
    fresh = (
        world.gateway.history[-1] is not before[0] or len(world.gateway_events('child')) > before[1]
    )
    expect(fresh, f'nothing new; {summary(world)}')
    carries(world)


@case
def test_b12_renegotiate_and_stop_in_every_state(sim):
    for moment in range(14):
        world = sim.world(Srx, WITH_USER).start()
        world.run(0.02 * moment + 0.005)
        world.command('renegotiate')
        world.run(0.03)
        world.command('netchange')
        world.run(0.5)
        world.command('stop')
        world.run(5)


# ---- what else happens in the life of a tunnel ----


@case
def test_late_push_after_a_pull(sim):
    """config=auto: the gateway pushes at last, when the client has asked already."""
    world = sim.connect(StrongSwan)
    sa = world.gateway.newest()
    sa.transactions.plan = ['push']
    sa.transactions.step()
    world.run(5)
    equal([e['step'] for e in world.gateway_events('ack')][-1], 'push', 'ACK')
    equal(len(children(world)), 1, 'children')
    carries(world)


@case
def test_push_during_quick_mode(sim):
    """The same configuration again while QM1 is under way."""
    world = sim.world(Srx, WITH_USER)
    world.gateway.hooks['datagram:qm2'] = lambda data: None
    world.start().run(1)
    world.gateway.hooks.clear()
    sa = world.gateway.newest()
    sa.transactions.plan = ['push']
    sa.transactions.step()
    world.run(30, lambda w: w.over())
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)


@case
def test_phase_1_renewal_that_is_refused(sim):
    """The gateway was reconfigured: the tunnel ends with a reason, at the latest with its SA."""
    world = sim.connect(variant(Srx, phase1_lifetime=600), {'lifetime': 600})
    world.gateway.phase1_suites = algorithms.suites('aes256-sha512-modp4096')
    world.run(700, lambda w: w.has('lost') or w.has('failed'))
    expect(world.has('lost') or world.has('failed'), summary(world))


@case
def test_phase_1_renewal_with_a_wrong_psk_of_the_gateway(sim):
    """Somebody else answers the renewal: nothing secret goes there."""
    world = sim.connect(variant(Srx, phase1_lifetime=600), {'lifetime': 600})
    world.config.psk = b'of somebody else'
    before = len(world.gateway_events('xauth-accepted'))
    world.run(700, lambda w: w.has('lost') or w.has('failed'))
    expect(world.has('lost') or world.has('failed'), summary(world))
    equal(len(world.gateway_events('xauth-accepted')), before, 'XAUTH')


@case
def test_rekey_of_phase_2_that_is_refused(sim):
    """The old SA serves to its end, then the tunnel is lost; never silence."""
    world = sim.connect(Srx, {'p2lifetime': 300})
    world.gateway.phase2_suites = algorithms.suites('aes256-sha512')
    world.run(200)
    carries(world)
    world.run(200, lambda w: w.has('lost') or w.has('failed'))
    expect(world.has('lost') or world.has('failed'), summary(world))


@case
def test_gateway_ends_at_its_own_lifetime(sim):
    """strongSwan: DELETE of ESP and of ISAKMP in two messages."""
    world = sim.connect(StrongSwan)
    sa, child = world.gateway.newest(), children(world)[0]
    sa.info.delete_esp([child.inbound.spi])
    sa.info.delete_isakmp()
    world.gateway.children.clear()
    world.gateway.forget(sa.cookies)
    world.run(60, lambda w: w.has('lost') or phase1s(w) > 1)
    expect(world.has('lost') or phase1s(world) > 1, summary(world))


@case
def test_nothing_is_sent_after_lost(sim):
    """The caller decides what comes next."""
    world = sim.connect(Personality, {'dpd': 20})
    world.gateway.silent = True
    for _ in range(300):
        packet_to_nowhere(world)
        if world.run(1, lambda w: w.has('lost')):
            break
    expect(world.has('lost'), summary(world))
    world.run(10)
    before = len(world.sent)
    world.run(600)
    equal(len(world.sent), before, 'datagrams')


@case
def test_retransmissions_slow_down(sim):
    """RFC 2408, 5.1: they back off, and the same bytes are sent."""
    world = sim.world(Personality)
    world.gateway.silent = True
    world.start().run(16)
    times = [s.time / SECOND for s in world.sent]
    gaps = [b - a for a, b in zip(times, times[1:])]
    expect(4 <= len(times) <= 16, f'{len(times)} datagrams in 15 s')
    expect(gaps[-1] > gaps[0] and min(gaps) >= 0.2, f'{gaps}')
    equal(len({s.data for s in world.sent}), 1, 'different first messages')


@cases(0.005, 0.05, 0.3, 0.9)
def test_connects_in_a_few_round_trips(sim, delay):
    """SRX: AM, XAUTH, status, push and Quick Mode are five round trips."""
    world = sim.world(Srx, WITH_USER, Link(delay=delay)).start()
    world.run(60, lambda w: w.over())
    expect(world.has('connected'), summary(world))
    expect(world.when('connected') < 2 * delay * 5 + 0.1, f'{world.when("connected")} s')
