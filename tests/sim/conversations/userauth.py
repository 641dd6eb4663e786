# SPDX-License-Identifier: GPL-2.0-or-later
"""XAUTH (draft-ietf-ipsec-isakmp-xauth-06): any number of rounds and transactions, at first and
hours later, and what must never happen; userauth_kinds.py has the types and attributes.
"""

from cases import carries, case, cases, equal, expect, fails, summary
from gateways import constants as c
from gateways.personalities import NAME_AND_PASSWORD, ONE_TIME_CODE, Srx, StrongSwan, variant
from world import WITH_USER, World

HOUR = 3600
PASSWORD = ((c.XAUTH_USER_PASSWORD, b''),)


def says(text):
    return ((c.XAUTH_MESSAGE, text),)


def challenged(kind, text):
    return ((c.XAUTH_TYPE, kind), (c.XAUTH_CHALLENGE, text))


def rounds(*list_of_pairs, **more):
    """A gateway with these REQUESTs in one transaction."""
    return variant(StrongSwan, xauth_rounds=list_of_pairs, **more)


def wanted(*answers):
    """What is right in the rounds of the first transaction; None: the usual."""
    return {(0, number): answer for number, answer in enumerate(answers) if answer}


def asked_of_the_user(world, replies):
    """Answers questions one after the other; the questions, in a list that grows."""
    questions, honest = [], world.reply_to

    def reply(question):
        world.answers = replies[min(len(questions), len(replies) - 1)]
        questions.append(question)
        honest(question)

    world.reply_to = reply
    return questions


def connects(world):
    world.start()
    world.run(60, World.over)
    expect(world.has('connected'), summary(world))
    world.run(1)
    carries(world)


# ---- 3.1, 3.2: name and password, and more rounds of them ----


@cases('without a type', 'generic')
def test_xauth_name_and_password(sim, how):
    """A missing TYPE means Generic and is not echoed (4.2)."""
    kind = () if how == 'without a type' else ((c.XAUTH_TYPE, c.TYPE_GENERIC),)
    world = sim.world(rounds(kind + NAME_AND_PASSWORD), WITH_USER)
    connects(world)
    equal(world.questions, 0, 'questions')


@case
def test_xauth_password_followed_by_a_pin(sim):
    """The second example of 3.2: the gateway asks again, with words for the user."""
    text = b'Enter your password followed by your pin number'
    gateway = rounds(NAME_AND_PASSWORD, says(text) + NAME_AND_PASSWORD)
    world = sim.world(
        gateway, WITH_USER, xauth_answers=wanted(None, {c.XAUTH_USER_PASSWORD: b'foobar0985124'})
    )
    questions = asked_of_the_user(world, [{'password': b'foobar0985124'}])
    connects(world)
    equal(len(questions), 1, 'questions')
    expect(text.decode() in questions[0]['message'], f'{questions[0]}')


@case
def test_xauth_new_pin_mode_of_securid(sim):
    """Appendix A: the gateway gives a new PIN, and wants it at once with the next code."""
    gateway = rounds(
        NAME_AND_PASSWORD,
        PASSWORD + says(b'The system has assigned you a new PIN, do you wish to see it now?'),
        PASSWORD + says(b'Your new pin is 1234'),
    )
    right = wanted(
        None, {c.XAUTH_USER_PASSWORD: b'y'}, {c.XAUTH_USER_PASSWORD: b'1234764456'}
    )
    world = sim.world(gateway, WITH_USER, xauth_answers=right)
    questions = asked_of_the_user(world, [{'password': b'y'}, {'password': b'1234764456'}])
    connects(world)
    expect('Your new pin is 1234' in questions[1]['message'], f'{questions}')


@case
def test_xauth_ten_rounds(sim):
    gateway = rounds(NAME_AND_PASSWORD, *[ONE_TIME_CODE] * 9)
    world = sim.world(gateway, WITH_USER)
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)
    equal(len(questions), 9, 'questions')


@case
def test_xauth_types_differ_in_one_transaction(sim):
    generic = ((c.XAUTH_TYPE, c.TYPE_GENERIC), *NAME_AND_PASSWORD)
    gateway = rounds(generic, ONE_TIME_CODE, PASSWORD + says(b'And once more'))
    world = sim.world(gateway, WITH_USER)
    asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)


# ---- what comes along ----


@cases(4, 32767, 32768, 65535)
def test_xauth_type_that_nobody_knows(sim, kind):
    """3: STATUS = FAIL in the REPLY; the password stays here."""
    world = sim.world(rounds(((c.XAUTH_TYPE, kind), *NAME_AND_PASSWORD)), WITH_USER)
    fails(world, 'user-authentication', 60)
    world.run(1)
    expect(world.gateway_events('xauth-unsupported'), 'no STATUS = FAIL')


@case
def test_xauth_words_of_welcome(sim):
    """MESSAGE beside STATUS = OK (4.2)."""
    connects(sim.world(rounds(NAME_AND_PASSWORD), WITH_USER, welcome_text=b'Good morning'))


@cases('long', 'control', 'markup', 'not UTF-8')
def test_xauth_hostile_words_reach_the_user_as_text(sim, how):
    text = {
        'long': b'x' * 4000,
        'control': b'a\x1b[2Jb\0c\r\x07d',
        'markup': b'<b>%s%n</b>',
        'not UTF-8': b'\xff\xfe\xc0\x80 hello',
    }[how]
    world = sim.world(rounds(NAME_AND_PASSWORD, says(text) + PASSWORD), WITH_USER)
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)
    shown = questions[0]['message']
    expect(shown and len(shown) < 1100 and '\0' not in shown, f'{shown!r}')


# ---- several transactions, and hours later ----


@case
def test_xauth_two_transactions(sim):
    """The password in one, the code in another, and one status at the end."""
    gateway = variant(
        StrongSwan,
        plan=('xauth', 'xauth', 'status'),
        xauth_transactions=((NAME_AND_PASSWORD,), (ONE_TIME_CODE,)),
    )
    right = {(1, 0): {c.XAUTH_USER_PASSWORD: b'123456'}}
    world = sim.world(gateway, WITH_USER, xauth_answers=right)
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)
    equal(len(questions), 1, 'questions')


@case
def test_xauth_again_after_hours_with_a_code(sim):
    """Section 4: at any time. The tunnel carries on while the user looks for the token."""
    gateway = variant(
        Srx, xauth_transactions=((NAME_AND_PASSWORD,), (NAME_AND_PASSWORD, ONE_TIME_CODE))
    )
    world = sim.connect(gateway, {'p2lifetime': 28800})
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    world.patience = 40
    world.run(3 * HOUR)
    world.gateway.newest().transactions.again()
    world.run(20)
    carries(world)
    world.run(120)
    equal(len(questions), 1, 'questions')
    equal(len(world.gateway_events('xauth-accepted')), 2, 'XAUTH')
    expect(not world.has('lost'), summary(world))
    carries(world)


@case
def test_xauth_again_at_night_and_nobody_there(sim):
    """The code is not given: the gateway tears the tunnel down, and that is told as such."""
    gateway = variant(
        Srx, xauth_transactions=((NAME_AND_PASSWORD,), (NAME_AND_PASSWORD, ONE_TIME_CODE))
    )
    world = sim.connect(gateway)
    world.answers = None
    world.run(3 * HOUR)
    world.gateway.newest().transactions.again()
    world.run(300)
    expect(world.has('lost'), summary(world))


@case
def test_xauth_each_renewal_with_a_code(sim):
    """A gateway that forgets who it was: each Phase 1 asks for another code."""
    gateway = variant(StrongSwan, xauth_rounds=(NAME_AND_PASSWORD, ONE_TIME_CODE))
    world = sim.world(gateway, {**WITH_USER, 'lifetime': HOUR})
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)
    world.run(3 * HOUR)
    expect(len(questions) >= 3, f'{len(questions)} questions in three hours')
    expect(not world.has('lost'), summary(world))


# ---- what must never happen ----


@cases(1, 5)
def test_xauth_refused_password_is_not_sent_again_by_itself(sim, retries):
    """Accounts get locked: each try needs a person."""
    wrong = {'user': b'carol', 'password': b'no'}
    world = sim.world(rounds(NAME_AND_PASSWORD, xauth_retries=retries), wrong)
    world.answers = None
    world.start().run(120, World.over)
    equal(len(world.gateway_events('xauth-refused')), 1, 'tries')
    expect(world.has('failed'), summary(world))


@case
def test_xauth_code_is_never_used_twice(sim):
    """A one-time code is gone once it was sent, right or wrong."""
    world = sim.world(rounds(NAME_AND_PASSWORD, ONE_TIME_CODE, ONE_TIME_CODE), WITH_USER)
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    connects(world)
    equal(len(questions), 2, 'questions')


@case
def test_xauth_request_that_is_repeated_asks_once(sim):
    """The user needs a minute; the gateway's retransmissions are the same question."""
    world = sim.world(rounds(NAME_AND_PASSWORD, ONE_TIME_CODE), WITH_USER)
    world.patience = 45
    questions = asked_of_the_user(world, [{'password': b'123456'}])
    world.start().run(120, World.over)
    expect(world.has('connected'), summary(world))
    equal(len(questions), 1, 'questions')
