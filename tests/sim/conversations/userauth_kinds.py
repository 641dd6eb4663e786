# SPDX-License-Identifier: GPL-2.0-or-later
"""XAUTH's types and attributes beyond name and password (xauth-06, 3.3, 3.4, 4.2 and 4.3)."""

from cases import case, cases, equal, expect, fails, summary
from conversations.userauth import (
    asked_of_the_user,
    challenged,
    connects,
    rounds,
    says,
    wanted,
)
from gateways import constants as c
from gateways.personalities import NAME_AND_PASSWORD, ONE_TIME_CODE
from world import SECOND, WITH_USER, World


# ---- 3.3: passcodes ----


@case
def test_xauth_password_and_passcode(sim):
    gateway = rounds(NAME_AND_PASSWORD + ((c.XAUTH_PASSCODE, b''),))
    world = sim.world(gateway, WITH_USER)
    questions = asked_of_the_user(world, [{'passcode': b'123456'}])
    connects(world)
    equal(len(questions), 1, 'questions')


@case
def test_xauth_two_passcodes(sim):
    """The second example of 3.3: the next code of the token."""
    both = NAME_AND_PASSWORD + ((c.XAUTH_PASSCODE, b''),)
    gateway = rounds(both, says(b'Wait for the next code') + both)
    right = wanted(
        {c.XAUTH_PASSCODE: b'323415'},
        {c.XAUTH_PASSCODE: b'513212', c.XAUTH_USER_PASSWORD: b'carol-password'},
    )
    world = sim.world(gateway, WITH_USER, xauth_answers=right)
    asked_of_the_user(
        world, [{'passcode': b'323415'}, {'passcode': b'513212', 'password': b'carol-password'}]
    )
    connects(world)


# ---- RADIUS-CHAP, OTP, S/KEY ----


@case
def test_xauth_radius_chap(sim):
    """Appendix A: the password itself never leaves; the user is not asked."""
    gateway = rounds(challenged(c.TYPE_RADIUS_CHAP, bytes(range(1, 17))) + NAME_AND_PASSWORD)
    world = sim.world(gateway, WITH_USER)
    connects(world)
    equal(world.questions, 0, 'questions')


@cases(1, 16, 253)
def test_xauth_radius_chap_challenge_of_any_length(sim, length):
    """Up to what an attribute of RADIUS can hold (RFC 2865, 5)."""
    gateway = rounds(challenged(c.TYPE_RADIUS_CHAP, b'\x5a' * length) + NAME_AND_PASSWORD)
    connects(sim.world(gateway, WITH_USER))


@case
def test_xauth_radius_chap_with_a_wrong_password(sim):
    gateway = rounds(challenged(c.TYPE_RADIUS_CHAP, bytes(16)) + NAME_AND_PASSWORD)
    world = sim.world(gateway, {'user': b'carol', 'password': b'wrong'})
    world.answers = None
    world.start().run(90, World.over)
    expect(world.has('failed') and not world.has('connected'), summary(world))


@cases('otp', 'skey')
def test_xauth_challenge_is_shown_and_answered(sim, name):
    """3.4: the challenge is for the user's calculator, the response is typed."""
    known = {'otp': (c.TYPE_OTP, b'otp-md5 499 ke1234'), 'skey': (c.TYPE_SKEY, b's/key 99 ke1')}
    kind, text = known[name]
    gateway = rounds(challenged(kind, text) + NAME_AND_PASSWORD)
    answer = b'5bf0 75d9 959d 036f'
    world = sim.world(gateway, WITH_USER, xauth_answers=wanted({c.XAUTH_USER_PASSWORD: answer}))
    questions = asked_of_the_user(world, [{'password': answer}])
    connects(world)
    equal(len(questions), 1, 'questions')
    expect(text.decode() in str(questions[0]), f'the challenge is not shown: {questions[0]}')


# ---- the other attributes ----


@case
def test_xauth_domain(sim):
    gateway = rounds(NAME_AND_PASSWORD + ((c.XAUTH_DOMAIN, b''),))
    world = sim.world(gateway, None, xauth_answers=wanted({c.XAUTH_DOMAIN: b'CORP'}))
    world.profile['xauth'] = 'required'
    questions = asked_of_the_user(world, [{'domain': b'CORP'}])
    connects(world)
    equal(len(questions), 1, 'questions')


@case
def test_xauth_domain_that_nobody_knows_is_no_question(sim):
    """Who has a name and a password and never heard of a domain is not stopped by it."""
    gateway = rounds(NAME_AND_PASSWORD + ((c.XAUTH_DOMAIN, b''),))
    world = sim.world(gateway, WITH_USER, xauth_answers=wanted({c.XAUTH_DOMAIN: b''}))
    connects(world)
    equal(world.questions, 0, 'questions')


@case
def test_xauth_next_pin(sim):
    next_pin = says(b'Choose a new PIN of 4 to 8 digits') + ((c.XAUTH_NEXT_PIN, b''),)
    gateway = rounds(NAME_AND_PASSWORD, next_pin)
    world = sim.world(gateway, WITH_USER, xauth_answers=wanted(None, {c.XAUTH_NEXT_PIN: b'4711'}))
    asked_of_the_user(world, [{'next-pin': b'4711'}])
    connects(world)


@case
def test_xauth_answer(sim):
    """A question in words, and an ANSWER."""
    question = says(b'Accept the terms of use? (yes/no)') + ((c.XAUTH_ANSWER, b''),)
    gateway = rounds(NAME_AND_PASSWORD, question)
    world = sim.world(gateway, WITH_USER, xauth_answers=wanted(None, {c.XAUTH_ANSWER: b'yes'}))
    questions = asked_of_the_user(world, [{'answer': b'yes'}])
    connects(world)
    expect('terms of use' in questions[0]['message'], f'{questions}')


# ---- nobody answers ----


@case
def test_xauth_cancelled_question_says_so_to_the_gateway(sim):
    """It does not wait for nothing: STATUS = FAIL (4.2), and then a DELETE of the whole."""
    world = sim.world(rounds(NAME_AND_PASSWORD, ONE_TIME_CODE), WITH_USER)
    world.answers = None
    fails(world, 'secret-missing', 60)
    world.run(1)
    for told in ('xauth-unsupported', 'deleted-isakmp'):
        equal(len(world.gateway_events(told)), 1, told)
    expect(world.now < 1100 * SECOND, 'it took long')
