# SPDX-License-Identifier: GPL-2.0-or-later
"""How the gateways of the field are connected to, in their orders of XAUTH, status and
configuration.
"""

from cases import carries, case, cases, children, equal, expect, summary
from gateways import constants as c
from gateways.personalities import (
    NAME_AND_PASSWORD,
    ONE_TIME_CODE,
    Cisco,
    FortiGate,
    FortiToken,
    FritzBox,
    Libreswan,
    Personality,
    Racoon,
    ScreenOs,
    Srx,
    StrongSwan,
    variant,
)
from world import WITH_USER, World


@case
def test_plain_psk_with_a_pull(sim):
    world = sim.connect(Personality, {'xauth': 'no', 'config': 'pull'})
    carries(world)
    equal(str(children(world)[0].local), '10.20.1.10/32', 'inner address')


@case
def test_plain_psk_with_a_static_address(sim):
    world = sim.connect(Personality, {'xauth': 'no', 'config': 'none', 'address': '10.20.1.77'})
    carries(world)
    equal(str(children(world)[0].local), '10.20.1.77/32', 'inner address')
    expect(not world.gateway_events('pull'), 'asked for an address though it has one')


@case
def test_plain_psk_with_a_push(sim):
    carries(sim.connect(variant(Personality, plan=('push',), answers_pull=False), {'xauth': 'no'}))


@case
def test_states_come_in_order(sim):
    world = sim.connect(Srx)
    states = [body['state'] for body in world.all('state')]
    known = [s for s in ('phase1', 'user-auth', 'config', 'phase2', 'connected') if s in states]
    equal([s for s in states if s in known], known, 'states')
    expect('phase1' in states and 'phase2' in states, f'{states}')


@case
def test_g_strongswan_pulls_after_status(sim):
    world = sim.connect(StrongSwan, banner=b'Welcome')
    carries(world)
    expect(world.gateway_events('pull'), 'no pull')


@case
def test_g_srx_pushes_after_status(sim):
    """XAUTH REQUEST, REPLY, SET(STATUS), ACK, SET(IP, DNS), ACK, Quick Mode, and a DELETE with its
    answer.
    """
    world = sim.connect(Srx, {'proposals': 'aes256-sha256-modp2048', 'p2': 'aes256gcm16-modp2048'})
    carries(world)
    equal([e['step'] for e in world.gateway_events('ack')], ['status', 'push'], 'order')
    expect(not world.gateway_events('pull'), 'pulled from a gateway that pushes')
    equal(len(children(world)), 1, 'the DELETE in Quick Mode must not cost the SA')


@case
def test_g_screenos_pushes_before_status(sim):
    world = sim.connect(ScreenOs)
    carries(world)
    equal([e['step'] for e in world.gateway_events('ack')], ['push', 'status'], 'order')


@case
def test_g_status_and_addresses_in_one_set(sim):
    carries(sim.connect(variant(Srx, plan=('xauth', 'push+status'))))


@case
def test_g_cisco_with_unity(sim):
    world = sim.connect(
        Cisco,
        {'networks': ''},
        banner=b'Authorised use only',
        domain=b'lan.example.com',
        split_include=('10.10.0.0/24', '192.168.5.0/24'),
    )
    carries(world)
    text = str(world.all('config'))
    for wanted in ('Authorised use only', 'lan.example.com', '10.10.0.0', '192.168.5.0'):
        expect(wanted in text, f'{wanted} is missing in {text}')


@case
def test_g_cisco_asks_the_type_generic(sim):
    """TYPE in the REQUEST is echoed (the gateway checks), a missing one is not (other cases)."""
    world = sim.connect(Cisco, {'networks': ''})
    carries(world)


@case
def test_g_fortigate_with_a_one_time_code(sim):
    personality = variant(FortiGate, xauth_rounds=(NAME_AND_PASSWORD, ONE_TIME_CODE))
    world = sim.world(personality, WITH_USER)
    world.answers = {'password': b'123456'}
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    expect(world.questions, 'the second round has to be asked of the user')
    expect('Enter your token' in str(world.all('question')), f'{world.all("question")}')
    world.run(1)
    carries(world)


@case
def test_g_fortigate_forgives_one_wrong_code_and_hears_each_once(sim):
    world = sim.world(variant(FortiToken), WITH_USER)
    codes = iter((b'000000', b'123456'))
    world.reply_to = lambda question: world.take(
        world.pipe.ask(f'answer {world.now} {question["id"]} password={next(codes).hex()}')
    )
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    equal([q['again'] for q in world.all('question')], [False, True], 'questions')
    equal(len(world.gateway_events('xauth-refused')), 1, 'refusals')


@case
def test_xauth_radius_chap_hides_the_password(sim):
    rounds = (((c.XAUTH_TYPE, 1), (c.XAUTH_CHALLENGE, bytes(range(16)))) + NAME_AND_PASSWORD,)
    world = sim.connect(variant(Srx, xauth_rounds=rounds), WITH_USER)
    carries(world)
    expect(not world.questions, 'the configured password was enough')


@cases(c.TYPE_OTP, c.TYPE_SKEY)
def test_xauth_shows_the_challenge_of_a_one_time_password(sim, kind):
    rounds = (((c.XAUTH_TYPE, kind), (c.XAUTH_CHALLENGE, b'otp-md5 499 ke1234')) + NAME_AND_PASSWORD,)
    world = sim.world(variant(Srx, xauth_rounds=rounds), WITH_USER)
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    question = world.all('question')[0]
    equal(question['asked'], ['user', 'once password'], 'asked')
    equal(question['challenge'], 'otp-md5 499 ke1234', 'challenge')


@case
def test_xauth_with_a_new_pin_in_several_rounds(sim):
    """xauth-06, appendix A: a password, then a new PIN, then the code that is made with it."""
    rounds = (
        NAME_AND_PASSWORD,
        ((c.XAUTH_MESSAGE, b'Choose a PIN'), (c.XAUTH_NEXT_PIN, b'')),
        ((c.XAUTH_MESSAGE, b'Your PIN is set'),),
        ((c.XAUTH_PASSCODE, b''), (c.XAUTH_DOMAIN, b'')),
        ((c.XAUTH_MESSAGE, b'Ready?'), (c.XAUTH_ANSWER, b'')),
    )
    world = sim.world(variant(Srx, xauth_rounds=rounds), WITH_USER)
    world.answers = {name: b'123456' for name in ('next-pin', 'passcode', 'answer')}
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    asked = [q['asked'] for q in world.all('question')]
    equal(asked, [['once next-pin'], ['once passcode', 'domain'], ['once answer']], 'asked')
    expect('Your PIN is set' in str(world.all('message')), 'a message without a question is shown')


@case
def test_xauth_asks_the_user_whom_the_profile_does_not_name(sim):
    world = sim.world(variant(Srx, xauth_rounds=(NAME_AND_PASSWORD,)), {'xauth': 'required'})
    world.start().run(60, World.over)
    expect(world.has('connected') and world.questions, summary(world))


@case
def test_xauth_waits_for_a_slow_user(sim):
    """Half a minute until the answer; the gateway repeats its REQUEST all the while."""
    world = sim.world(Srx, {'xauth': 'required'})
    world.patience = 30
    world.start().run(90, World.over)
    expect(world.has('connected') and world.questions == 1, summary(world))


@case
def test_xauth_question_is_cancelled(sim):
    world = sim.world(Srx, {'xauth': 'required'})
    world.answers = None
    world.start().run(90, World.over)
    equal(world.reason, 'secret-missing', summary(world))
    before = len(world.gateway_events('xauth-accepted'))
    equal(before, 0, 'XAUTH')


@case
def test_xauth_is_tried_again_in_its_transaction(sim):
    """A wrong first password; the gateway asks again and the user gives the right one."""
    world = sim.world(variant(Srx, xauth_retries=1), {'user': b'carol', 'password': b'wrong'})
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))
    expect(world.questions, 'a refused password must not be sent a second time unasked')


@case
def test_g_xauth_after_phase_1_is_answered_though_plain_was_offered(sim):
    """auto without a user offers plain PSK; a gateway that asks after it was authenticated is
    answered.
    """
    personality = variant(Personality, plan=('xauth', 'status'))
    world = sim.world(personality)
    world.gateway.plan_for = lambda sa: personality.plan
    world.start().run(60, World.over)
    expect(world.has('connected'), summary(world))


@case
def test_g_fritzbox_speaks_draft_03_only(sim):
    world = sim.connect(FritzBox)
    carries(world)
    equal(world.gateway.newest().natt, c.VID_NATT_03, 'NAT-T')


@cases('02', '02n', '03', 'rfc', 'all')
def test_natt_version(sim, name):
    """The best vendor ID that the gateway returned decides payload and encapsulation numbers."""
    offered = {
        '02': (c.VID_NATT_02,),
        '02n': (c.VID_NATT_02N,),
        '03': (c.VID_NATT_03,),
        'rfc': (c.VID_NATT_RFC,),
        'all': c.NATT_RANK,
    }[name]
    carries(sim.connect(variant(Personality, natt=offered, natt_answers='all')))


@case
def test_natt_off(sim):
    world = sim.connect(Personality, {'natt': 'off'})
    carries(world)
    expect(all(s.port == 500 for s in world.sent), 'went to port 4500')
    expect(world.gateway.newest().natt is None, 'NAT-T was offered')


@case
def test_natt_forced_without_a_nat(sim):
    world = sim.connect(Personality, {'natt': 'force'})
    expect(world.gateway.newest().udp_encapsulation, 'no UDP encapsulation')
    expect(all(s.port == 4500 for s in world.sent[1:]), 'the first message alone goes to port 500')


@case
def test_gateway_without_natt(sim):
    """No NAT-T vendor ID comes back: no NAT-D, no change of port, plain tunnel mode."""
    world = sim.connect(variant(Personality, natt=()), {'natt': 'auto'})
    carries(world)


@case
def test_g_racoon(sim):
    carries(sim.connect(Racoon))


@case
def test_g_libreswan_pads_the_attribute_payload(sim):
    carries(sim.connect(Libreswan, {'proposals': 'aes256-sha256-modp2048'}))


@cases(1, 2, 3)
def test_g_attribute_payload_padded(sim, count):
    carries(sim.connect(variant(Srx, config_padding=count)))


@case
def test_id_port_500_by_quirk(sim):
    carries(sim.connect(variant(Personality, id_port=(17, 500)), {'idport': 500}))


@cases('email:alice@example.com', 'fqdn:laptop.example.com', 'keyid:sales')
def test_client_identity(sim, identity):
    kind, _, value = identity.partition(':')
    number = {'email': c.ID_USER_FQDN, 'fqdn': c.ID_FQDN, 'keyid': c.ID_KEY_ID}[kind]
    carries(sim.connect(Personality, {'id': identity}, client_id=(number, value.encode())))


@cases('fqdn:gw.example.com', 'ip:203.0.113.2', 'keyid:gate', 'email:gw@example.com')
def test_gateway_identity_that_is_expected(sim, identity):
    kind, _, value = identity.partition(':')
    data = bytes([203, 0, 113, 2]) if kind == 'ip' else value.encode()
    number = {'ip': c.ID_IPV4, 'fqdn': c.ID_FQDN, 'keyid': c.ID_KEY_ID, 'email': c.ID_USER_FQDN}[
        kind
    ]
    carries(sim.connect(Personality, {'remote': identity}, gateway_id=(number, data)))


@case
def test_quirk_offer_plain_psk(sim):
    """Both authentication methods stand in the offer; a gateway that takes the plain one is
    accepted.
    """
    carries(sim.connect(Personality, {'xauth': 'auto', 'offerplainpsk': 'yes', **WITH_USER}))


@case
def test_initial_contact_of_an_identity_of_ones_own(sim):
    world = sim.connect(Personality, {'xauth': 'no'})
    world.run(5)
    expect(world.gateway_events('initial-contact'), 'no INITIAL-CONTACT')


@cases('xauth', 'keyid', 'no')
def test_no_initial_contact(sim, why):
    profile = {
        'xauth': {},
        'keyid': {'id': 'keyid:sales', 'xauth': 'no'},
        'no': {'initialcontact': 'no'},
    }[why]
    world = sim.connect(Srx if why == 'xauth' else Personality, profile)
    world.run(5)
    expect(not world.gateway_events('initial-contact'), 'INITIAL-CONTACT')


@case
def test_two_networks_are_two_sa_pairs(sim):
    world = sim.connect(
        Srx,
        {'networks': '10.10.0.0/24;192.168.5.0/24'},
        networks=('10.10.0.0/24', '192.168.5.0/24'),
    )
    world.run(3)
    equal(
        sorted(str(k.remote) for k in children(world)),
        ['10.10.0.0/24', '192.168.5.0/24'],
        'networks',
    )
    carries(world, '10.10.0.9')
    carries(world, '192.168.5.77')
    expect(world.seal_none('172.16.0.1'), 'a packet outside both networks was sealed')


@case
def test_wide_selectors(sim):
    world = sim.connect(
        variant(Cisco, selectors='any'), {'networks': '10.10.0.0/24', 'selectors': 'any'}
    )
    carries(world)


@case
def test_pull_waits_for_a_push_at_most_two_seconds(sim):
    world = sim.world(StrongSwan, WITH_USER).start()
    world.run(20, World.over)
    expect(world.has('connected'), summary(world))
    expect(world.when('connected') < 3, f'took {world.when("connected")} s')


@case
def test_pull_at_once_when_the_profile_says_so(sim):
    world = sim.world(StrongSwan, {**WITH_USER, 'config': 'pull'}).start()
    world.run(20, World.over)
    expect(world.has('connected') and world.when('connected') < 0.6, f'{world.when("connected")}')


@case
def test_stop_says_goodbye(sim):
    """DELETE for the ESP SAs and for the ISAKMP SA."""
    world = sim.connect(Srx)
    world.command('stop')
    world.run(5)
    expect(world.gateway_events('deleted-esp'), 'no DELETE of the ESP SA')
    expect(world.gateway_events('deleted-isakmp'), 'no DELETE of the ISAKMP SA')
    expect(all(e['own'] for e in world.gateway_events('deleted-isakmp')), 'foreign cookies')
    before = len(world.sent)
    world.run(120)
    equal(len(world.sent), before, 'datagrams after stop')


@case
def test_stop_in_the_middle(sim):
    """Whatever was reached, nothing is sent any more after stop."""
    for moment in range(12):
        world = sim.world(Srx, WITH_USER).start()
        world.run(0.02 * moment + 0.01)
        world.command('stop')
        world.run(1)
        before = len(world.sent)
        world.run(60)
        equal(len(world.sent), before, f'datagrams after stop at {moment}')
        expect(not world.has('connected') or moment > 6, 'connected after stop')
