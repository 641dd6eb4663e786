/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes to a gateway without anybody having said it now, and what does not. Relied on by
 * everybody whose account is locked after a few wrong passwords, or whose codes count once: the
 * core is a wrapped function that writes down each answer.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/tunnel/tunnel-private.h"

typedef struct Heard {
    unsigned questions; /* of a person */
    TunnelQuestion question;
    unsigned answers; /* to the gateway */
    bool nobody;
    IkeAnswer answer;
    unsigned notices;
    unsigned forgotten; /* by the core */
} Heard;

static Heard heard;
static Tunnel *tunnel;

int __wrap_ike_session_answer(IkeSession *session, uint32_t id, const IkeAnswer *answer,
                              uint64_t now);
void __wrap_ike_session_forget_password(IkeSession *session);

void __wrap_ike_session_forget_password(IkeSession *session)
{
    heard.forgotten++;
}

int __wrap_ike_session_answer(IkeSession *session, uint32_t id, const IkeAnswer *answer,
                              uint64_t now)
{
    heard.answers++;
    heard.nobody = answer == NULL;
    heard.answer = answer != NULL ? *answer : (IkeAnswer){0};
    return 0;
}

static void on_report(const DialtoneReport *report, gpointer data)
{
}

static void on_question(const TunnelQuestion *question, gpointer data)
{
    heard.questions++;
    heard.question = *question;
}

static void on_notice(const char *text, gpointer data)
{
    heard.notices++;
}

static void on_ended(DialtoneFailure code, gpointer data)
{
}

static const TunnelHandlers HANDLERS = {
    .report = on_report, .question = on_question, .notice = on_notice, .ended = on_ended};

static void set(IkeSecret *secret, const char *text)
{
    assert_true(tunnel_secret_set(secret, text, strlen(text)));
}

static int setup(void **state)
{
    heard = (Heard){0};
    tunnel = g_new0(Tunnel, 1);
    tunnel->profile = kit_profile("[UserAuth]\nUser=alice\n");
    tunnel->secrets = tunnel_secrets_new();
    tunnel->handlers = &HANDLERS;
    tunnel->state = DIALTONE_STATE_USER_AUTH;
    tunnel->state_fd = -1;
    /* Nothing looks into the session: answers are wrapped, and its queues are in hand already. */
    tunnel->session = (IkeSession *)tunnel;
    tunnel->pumping = true;
    return 0;
}

static int teardown(void **state)
{
    tunnel_question_free(tunnel);
    tunnel_secrets_free(tunnel->secrets);
    dialtone_profile_free(tunnel->profile);
    g_free(tunnel);
    return 0;
}

/* ---- the gateway ---- */

static const IkeQuestion PLAIN = {
    .id = 1,
    .asked = {{IKE_ASK_USER, false, false}, {IKE_ASK_PASSWORD, true, false}},
    .asked_n = 2};
static const IkeQuestion CODE = {.id = 2, .asked = {{IKE_ASK_PASSWORD, true, true}}, .asked_n = 1};

static void gateway_asks(const IkeQuestion *question, bool again)
{
    IkeQuestion asked = *question;
    asked.again = again;
    tunnel_question_from_gateway(tunnel, &asked);
}

static void expect_sent(unsigned answers, IkeAskKind kind, const char *text)
{
    assert_int_equal(heard.answers, answers);
    assert_false(heard.nobody);
    const IkeSecret *secret = &heard.answer.given[kind];
    assert_true(secret->known);
    assert_int_equal(secret->n, strlen(text));
    assert_memory_equal(secret->bytes, text, secret->n);
}

/* ---- whoever answers ---- */

static void say(IkeAskKind kind, const char *text, bool by_program)
{
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    set(&answer->given[kind], text);
    answer->by_program = by_program;
    tunnel_answer(tunnel, tunnel->question, answer);
}

/* ---- what must not go out ---- */

static void a_refused_password_is_asked_of_a_person(void **state)
{
    set(&tunnel->secrets->password, "wrong");
    gateway_asks(&PLAIN, true);
    assert_int_equal(heard.answers, 0);
    assert_int_equal(heard.questions, 1);
    assert_false(tunnel->secrets->password.known);
    /* The name is the profile's, and not asked for. */
    assert_int_equal(heard.question.asked_n, 1);
    say(IKE_ASK_PASSWORD, "right", false);
    expect_sent(1, IKE_ASK_PASSWORD, "right");
    expect_sent(1, IKE_ASK_USER, "alice");
}

static void a_password_that_was_typed_is_kept_only_when_it_was_accepted(void **state)
{
    gateway_asks(&PLAIN, false);
    say(IKE_ASK_PASSWORD, "right", false);
    assert_false(tunnel->secrets->password.known);
    tunnel_question_accepted(tunnel);
    gateway_asks(&PLAIN, false);
    expect_sent(2, IKE_ASK_PASSWORD, "right");
    assert_int_equal(heard.questions, 1);
}

/* A password after a mistyped one, or the code of a second round: the gateway doesn't say. */
static void what_answers_the_same_question_once_more_is_not_kept(void **state)
{
    gateway_asks(&PLAIN, false);
    say(IKE_ASK_PASSWORD, "secret", false);
    gateway_asks(&PLAIN, true);
    say(IKE_ASK_PASSWORD, "123456", false);
    tunnel_question_accepted(tunnel);
    assert_false(tunnel->secrets->password.known);
    gateway_asks(&PLAIN, false);
    assert_int_equal(heard.questions, 3);
}

static void a_password_to_which_nothing_is_said_goes_out_twice_at_most(void **state)
{
    set(&tunnel->secrets->password, "secret");
    gateway_asks(&PLAIN, false);
    gateway_asks(&PLAIN, false);
    assert_int_equal(heard.answers, 2);
    gateway_asks(&PLAIN, false);
    assert_int_equal(heard.answers, 2);
    assert_int_equal(heard.questions, 1);
    assert_false(tunnel_question_may_give_password(tunnel));
}

static void sessions_that_ended_without_a_verdict_count(void **state)
{
    set(&tunnel->secrets->password, "secret");
    tunnel_question_unheard(tunnel);
    assert_true(tunnel_question_may_give_password(tunnel));
    tunnel_question_unheard(tunnel);
    assert_false(tunnel_question_may_give_password(tunnel));
    tunnel_question_accepted(tunnel);
    assert_true(tunnel_question_may_give_password(tunnel));
}

static void a_code_that_was_typed_is_never_kept(void **state)
{
    set(&tunnel->secrets->password, "secret");
    gateway_asks(&CODE, false);
    say(IKE_ASK_PASSWORD, "123456", false);
    tunnel_question_accepted(tunnel);
    assert_memory_equal(tunnel->secrets->password.bytes, "secret", 6);
    gateway_asks(&CODE, false);
    assert_int_equal(heard.questions, 2);
    assert_int_equal(heard.answers, 1);
}

static void what_answers_words_of_the_gateway_is_not_kept(void **state)
{
    IkeQuestion words = PLAIN;
    strcpy(words.message, "Password and PIN");
    gateway_asks(&words, false);
    say(IKE_ASK_PASSWORD, "secret1234", false);
    tunnel_question_accepted(tunnel);
    assert_false(tunnel->secrets->password.known);
}

static void each_code_of_the_file_goes_out_once(void **state)
{
    set(&tunnel->secrets->codes[0], "000000");
    set(&tunnel->secrets->codes[1], "123456");
    tunnel->secrets->codes_n = 2;
    gateway_asks(&CODE, false);
    expect_sent(1, IKE_ASK_PASSWORD, "000000");
    gateway_asks(&CODE, true);
    expect_sent(2, IKE_ASK_PASSWORD, "123456");
    gateway_asks(&CODE, true);
    assert_int_equal(heard.answers, 2);
    assert_int_equal(heard.questions, 1);
    static const IkeSecret nothing;
    assert_memory_equal(&tunnel->secrets->codes[0], &nothing, sizeof(nothing));
}

static void a_program_that_repeats_itself_is_nobody_and_a_person_is_not(void **state)
{
    for (int person = 0; person < 2; person++) {
        gateway_asks(&CODE, false);
        say(IKE_ASK_PASSWORD, person != 0 ? "111111" : "000000", true);
        gateway_asks(&CODE, true);
        say(IKE_ASK_PASSWORD, person != 0 ? "111111" : "000000", person == 0);
        assert_int_equal(heard.nobody, person == 0);
    }
    assert_int_equal(heard.notices, 1);
}

static void a_program_can_not_bring_back_a_refused_password_of_the_file(void **state)
{
    set(&tunnel->secrets->password, "wrong");
    gateway_asks(&PLAIN, true);
    say(IKE_ASK_PASSWORD, "wrong", true);
    assert_true(heard.nobody);
}

/* ---- a gateway that wants no password to be kept ---- */

static void gateway_wants_nothing_kept(void)
{
    tunnel->inner.password_unkept = true;
    tunnel_question_keep_nothing(tunnel);
}

static void a_typed_password_serves_once_where_none_is_to_be_kept(void **state)
{
    gateway_asks(&PLAIN, false);
    say(IKE_ASK_PASSWORD, "right", false);
    tunnel_question_accepted(tunnel);
    gateway_wants_nothing_kept();
    static const IkeSecret nothing;
    assert_memory_equal(&tunnel->secrets->password, &nothing, sizeof(nothing));
    assert_memory_equal(&tunnel->asking.sent->given[IKE_ASK_PASSWORD], &nothing, sizeof(nothing));
    assert_int_equal(heard.forgotten, 1);
    gateway_asks(&PLAIN, false);
    assert_int_equal(heard.questions, 2);
    /* And from now on none is kept, not even until the next word of it. */
    say(IKE_ASK_PASSWORD, "right", false);
    tunnel_question_accepted(tunnel);
    assert_false(tunnel->secrets->password.known);
    assert_int_equal(heard.notices, 0);
}

/* It was asked for before the first packet, so that the core has a copy to give away. */
static void a_password_that_was_typed_first_serves_once_too(void **state)
{
    dialtone_profile_free(tunnel->profile);
    tunnel->profile = kit_profile("[UserAuth]\nUser=alice\nXAuth=required\n");
    set(&tunnel->secrets->psk, "psk");
    assert_false(tunnel_question_first(tunnel));
    say(IKE_ASK_PASSWORD, "right", false);
    assert_true(tunnel->secrets->password.known);
    gateway_wants_nothing_kept();
    assert_false(tunnel->secrets->password.known);
    assert_int_equal(heard.forgotten, 1);
}

static void expect_no_password(void)
{
    static const IkeSecret nothing;
    const TunnelAsking *asking = &tunnel->asking;
    assert_memory_equal(&tunnel->secrets->password, &nothing, sizeof(nothing));
    assert_memory_equal(&asking->sent->given[IKE_ASK_PASSWORD], &nothing, sizeof(nothing));
    if (asking->answer != NULL)
        assert_memory_equal(&asking->answer->given[IKE_ASK_PASSWORD], &nothing, sizeof(nothing));
    assert_null(asking->typed);
}

/* Mistyped once: the second one was never kept to be used again, only to be known. */
static void what_was_typed_the_second_time_is_forgotten_as_well(void **state)
{
    gateway_asks(&PLAIN, false);
    say(IKE_ASK_PASSWORD, "wrong", false);
    gateway_asks(&PLAIN, true);
    say(IKE_ASK_PASSWORD, "right", false);
    tunnel_question_accepted(tunnel);
    gateway_wants_nothing_kept();
    expect_no_password();
    /* The same at a renewal, of which only the acceptance is told. */
    gateway_asks(&PLAIN, false);
    say(IKE_ASK_PASSWORD, "wrong", false);
    gateway_asks(&PLAIN, true);
    say(IKE_ASK_PASSWORD, "right", false);
    tunnel_question_accepted(tunnel);
    expect_no_password();
}

/* Of the file's password and a person's name only the password counts. */
static void a_name_that_was_typed_makes_no_password_a_typed_one(void **state)
{
    dialtone_profile_free(tunnel->profile);
    tunnel->profile = kit_profile("[UserAuth]\nXAuth=required\n");
    set(&tunnel->secrets->password, "secret");
    gateway_asks(&PLAIN, false);
    assert_int_equal(heard.question.asked_n, 1);
    say(IKE_ASK_USER, "alice", false);
    tunnel_question_accepted(tunnel);
    gateway_wants_nothing_kept();
    assert_true(tunnel->secrets->password.known);
    assert_int_equal(heard.notices, 1);
    assert_int_equal(heard.forgotten, 0);
}

static void what_a_file_or_a_program_gave_stays_in_use_and_is_told_once(void **state)
{
    for (int program = 0; program < 2; program++) {
        if (program != 0) {
            tunnel_secret_wipe(&tunnel->secrets->password);
            gateway_asks(&PLAIN, false);
            say(IKE_ASK_PASSWORD, "other", true);
            tunnel_question_accepted(tunnel);
            assert_true(tunnel->secrets->password.known);
        } else {
            set(&tunnel->secrets->password, "secret");
        }
        gateway_wants_nothing_kept();
        gateway_wants_nothing_kept();
        assert_true(tunnel->secrets->password.known);
        assert_int_equal(heard.notices, 1);
        assert_int_equal(heard.forgotten, 0);
    }
}

/* ---- what may ---- */

static void a_domain_alone_is_answered_empty_and_beside_others_asked_for(void **state)
{
    IkeQuestion domain = PLAIN;
    domain.asked[domain.asked_n++] = (IkeAsked){IKE_ASK_DOMAIN, false, false};
    set(&tunnel->secrets->password, "secret");
    gateway_asks(&domain, false);
    expect_sent(1, IKE_ASK_PASSWORD, "secret");
    assert_false(heard.answer.given[IKE_ASK_DOMAIN].known);
    gateway_asks(&domain, true);
    assert_int_equal(heard.question.asked_n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_password_is_asked_of_a_person, setup, teardown),
        cmocka_unit_test_setup_teardown(a_password_that_was_typed_is_kept_only_when_it_was_accepted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_answers_the_same_question_once_more_is_not_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_password_to_which_nothing_is_said_goes_out_twice_at_most,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_that_ended_without_a_verdict_count, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_code_that_was_typed_is_never_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(what_answers_words_of_the_gateway_is_not_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_code_of_the_file_goes_out_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_that_repeats_itself_is_nobody_and_a_person_is_not,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_can_not_bring_back_a_refused_password_of_the_file,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_typed_password_serves_once_where_none_is_to_be_kept,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_password_that_was_typed_first_serves_once_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_typed_the_second_time_is_forgotten_as_well, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_name_that_was_typed_makes_no_password_a_typed_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_file_or_a_program_gave_stays_in_use_and_is_told_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_domain_alone_is_answered_empty_and_beside_others_asked_for, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
