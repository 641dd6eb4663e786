/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User authentication against a gateway that asks whatever it likes. Relied on by everybody with an
 * account that gets locked: a password that was refused, and a code that was used, never go out a
 * second time unless a person gave them again.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "gateway-kit.h"
#include "ike/policy.h"
#include "ike/session-private.h"
#include "ike/vendor.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_XAUTH };

/* A gateway at the place where it may ask; its next question goes out on `chain`. */
typedef struct Talk {
    KitGateway *gw;
    KitChain chain;
    KitBytes body;
    KitBytes reply; /* attributes of the last REPLY */
} Talk;

static Talk *talk_new(const char *password)
{
    IkeConfig config = kit_config();
    Talk *talk = calloc(1, sizeof(*talk));

    config.xauth = IKE_XAUTH_REQUIRED;
    if (password != NULL) {
        kit_secret(&config.user, "alice");
        kit_secret(&config.password, password);
    }
    talk->gw = kit_gateway_new(&config);
    kit_phase1(talk->gw, VENDORS);
    kit_chain_new(talk->gw, &talk->chain);
    kit_forget(talk->gw);
    return talk;
}

static void talk_free(Talk *talk)
{
    kit_gateway_free(talk->gw);
    free(talk);
}

static void request(Talk *talk)
{
    kit_config_begin(&talk->body, IKE_CONFIG_REQUEST, 1);
}

static void with(Talk *talk, uint16_t type, const char *text)
{
    kit_config_bytes(&talk->body, type, text, strlen(text));
}

/* Sends what was put together, in the transaction that is under way. */
static void send(Talk *talk)
{
    assert_int_equal(kit_send_config(talk->gw, &talk->chain, &talk->body), 0);
}

static void ask(Talk *talk, const uint16_t *types, size_t n)
{
    request(talk);
    for (size_t i = 0; i < n; i++)
        with(talk, types[i], "");
    send(talk);
}

#define ASK(talk, ...)                                                                             \
    ask(talk, (const uint16_t[]){__VA_ARGS__}, sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static void read_reply(Talk *talk)
{
    const KitBytes *packet = kit_last_packet(talk->gw, IKE_EXCHANGE_TRANSACTION);
    KitBytes bytes;
    IkeMessage message;
    IkeConfigMessage config;

    assert_non_null(packet);
    assert_true(kit_open(talk->gw, &talk->chain, packet, &bytes, &message));
    const IkePayload *payload = ike_message_find(&message, IKE_PAYLOAD_ATTRIBUTES);
    assert_non_null(payload);
    assert_true(ike_config_read(payload->body, &config));
    assert_int_equal(config.type, IKE_CONFIG_REPLY);
    talk->reply.n = 0;
    kit_append(&talk->reply, config.attributes.bytes, config.attributes.left);
    kit_forget(talk->gw);
}

static void expect_reply(Talk *talk, const KitBytes *expected)
{
    read_reply(talk);
    assert_int_equal(talk->reply.n, expected->n);
    assert_memory_equal(talk->reply.bytes, expected->bytes, expected->n);
}

/* The REPLY is these attributes in this order and no more: type, text, type, text, ..., 0. */
static void expect_texts(Talk *talk, ...)
{
    KitBytes expected = {0};
    va_list list;

    va_start(list, talk);
    for (unsigned type = va_arg(list, unsigned); type != 0; type = va_arg(list, unsigned)) {
        const char *text = va_arg(list, const char *);
        kit_config_bytes(&expected, (uint16_t)type, text, strlen(text));
    }
    va_end(list);
    expect_reply(talk, &expected);
}

static void expect_question(const Talk *talk, bool again, size_t asked)
{
    assert_int_equal(talk->gw->events[IKE_EVENT_QUESTION], 1);
    assert_int_equal(kit_count_packets(talk->gw, IKE_EXCHANGE_TRANSACTION), 0);
    assert_int_equal(talk->gw->question.again, again);
    assert_int_equal(talk->gw->question.asked_n, asked);
}

static void answer(Talk *talk, IkeAskKind kind, const char *text)
{
    IkeAnswer given = {0};

    kit_secret(&given.given[kind], text);
    assert_int_equal(
        ike_session_answer(talk->gw->session, talk->gw->question.id, &given, talk->gw->now), 0);
    kit_collect(talk->gw);
}

static void say_status(Talk *talk, uint16_t status, const char *text)
{
    kit_config_begin(&talk->body, IKE_CONFIG_SET, 1);
    kit_config_basic(&talk->body, IKE_XAUTH_STATUS, status);
    if (text != NULL)
        with(talk, IKE_XAUTH_MESSAGE, text);
    kit_chain_new(talk->gw, &talk->chain);
    send(talk);
}

static void begin_again(Talk *talk)
{
    kit_chain_new(talk->gw, &talk->chain);
    kit_forget(talk->gw);
}

/* ---- what must never happen ---- */

static void test_b5_nothing_is_answered_before_the_gateway_is_authenticated(void **state)
{
    IkeConfig config = kit_config();
    static KitList list;
    KitBytes body, am2;
    KitChain chain;

    config.xauth = IKE_XAUTH_REQUIRED;
    kit_secret(&config.user, "alice");
    kit_secret(&config.password, "secret");
    KitGateway *gw = kit_gateway_new(&config);
    kit_am2(gw, &list, VENDORS);
    kit_list_find(&list, IKE_PAYLOAD_HASH)->bytes[0] ^= 1;
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &am2);
    assert_int_equal(kit_deliver(gw, &am2), 0);
    kit_forget(gw);
    kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
    kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
    kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 0);
    assert_int_equal(gw->events[IKE_EVENT_QUESTION], 0);
    kit_gateway_free(gw);
}

/* The attribute's length says one byte more than there is: nothing of the message counts. */
static void test_a5_an_attribute_that_is_longer_than_the_message_is_ignored(void **state)
{
    static const uint16_t types[] = {IKE_XAUTH_USER_NAME, IKE_XAUTH_MESSAGE, IKE_XAUTH_CHALLENGE};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (size_t length = 0; length <= 5; length++) {
            Talk *talk = talk_new("secret");
            request(talk);
            with(talk, IKE_XAUTH_USER_PASSWORD, "");
            kit_append_u16(&talk->body, types[i]);
            kit_append_u16(&talk->body, (unsigned)length);
            kit_append(&talk->body, "1234", 4);
            send(talk);
            /* Up to three zeros may follow the last attribute as padding, and these are none. */
            assert_int_equal(kit_count_packets(talk->gw, IKE_EXCHANGE_TRANSACTION), length == 4);
            talk_free(talk);
        }
    }
}

static void test_a23_hostile_text_of_any_length_is_cut_and_shown_as_bytes(void **state)
{
    static const uint16_t types[] = {IKE_XAUTH_MESSAGE, IKE_XAUTH_CHALLENGE};
    static const size_t lengths[] = {0, 1, IKE_TEXT_MAX - 1, IKE_TEXT_MAX, 1800};
    static char text[1800];

    memcpy(text, "%s%n\0<b>\xff\xfe\x1b[2J", 15);
    memset(text + 15, 'x', sizeof(text) - 15);
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        Talk *talk = talk_new(NULL);
        size_t n = lengths[i / 2];
        request(talk);
        with(talk, IKE_XAUTH_USER_PASSWORD, "");
        kit_config_bytes(&talk->body, types[i % 2], text, n);
        send(talk);
        expect_question(talk, false, 1);
        const IkeQuestion *question = &talk->gw->question;
        const char *shown = i % 2 == 0 ? question->message : question->challenge;
        assert_int_equal(strlen(shown), n < IKE_TEXT_MAX ? n : IKE_TEXT_MAX - 1);
        assert_int_equal(strlen(i % 2 == 0 ? question->challenge : question->message), 0);
        talk_free(talk);
    }
}

static void test_a_password_that_was_refused_is_not_given_again_in_its_transaction(void **state)
{
    Talk *talk = talk_new("wrong");

    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", IKE_XAUTH_USER_PASSWORD, "wrong", 0);
    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    expect_question(talk, true, 2);
    assert_false(talk->gw->question.asked[1].once);
    assert_int_equal(kit_answer(talk->gw, "alice", "right"), 0);
    expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", IKE_XAUTH_USER_PASSWORD, "right", 0);
    talk_free(talk);
}

static void test_a_password_that_was_refused_is_not_given_hours_later(void **state)
{
    Talk *talk = talk_new("wrong");

    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    read_reply(talk);
    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    answer(talk, IKE_ASK_PASSWORD, "right");
    read_reply(talk);
    say_status(talk, 1, NULL);
    assert_int_equal(talk->gw->events[IKE_EVENT_USER], 1);
    begin_again(talk);
    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    expect_question(talk, false, 1);
    talk_free(talk);
}

static void test_a_password_to_which_nothing_was_said_is_not_given_again(void **state)
{
    Talk *talk = talk_new("secret");

    ASK(talk, IKE_XAUTH_USER_NAME);
    expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", 0);
    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    expect_texts(talk, IKE_XAUTH_USER_PASSWORD, "secret", 0);
    begin_again(talk);
    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    expect_question(talk, false, 2);
    assert_int_equal(
        ike_session_answer(talk->gw->session, talk->gw->question.id, NULL, talk->gw->now), 0);
    kit_collect(talk->gw);
    assert_int_equal(talk->gw->failure.reason, IKE_REASON_SECRET_MISSING);
    assert_true(talk->gw->failure.user_open);
    talk_free(talk);
}

/* The REPLY says STATUS=FAIL (4.2), and then it is over: the last that goes out is the DELETE. */
static void expect_cancelled(Talk *talk, IkeReason reason)
{
    KitBytes expected = {0};
    KitGateway *gw = talk->gw;

    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->failure.reason, reason);
    assert_int_equal(gw->packets_n, 2);
    assert_ptr_equal(kit_last_packet(gw, IKE_EXCHANGE_TRANSACTION), &gw->packets[0]);
    assert_ptr_equal(kit_last_packet(gw, IKE_EXCHANGE_INFORMATIONAL), &gw->packets[1]);
    kit_config_basic(&expected, IKE_XAUTH_STATUS, 0);
    expect_reply(talk, &expected);
}

static void test_a_question_that_is_cancelled_is_answered_by_a_fail(void **state)
{
    for (int again = 0; again < 2; again++) {
        Talk *talk = talk_new(NULL);

        ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
        if (again) {
            answer(talk, IKE_ASK_PASSWORD, "wrong");
            read_reply(talk);
            ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
        }
        kit_forget(talk->gw);
        assert_int_equal(
            ike_session_answer(talk->gw->session, talk->gw->question.id, NULL, talk->gw->now), 0);
        expect_cancelled(talk, again ? IKE_REASON_USER_AUTHENTICATION : IKE_REASON_SECRET_MISSING);
        talk_free(talk);
    }
}

static void test_a_question_that_nobody_answers_in_time_is_answered_by_a_fail(void **state)
{
    Talk *talk = talk_new(NULL);

    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    kit_forget(talk->gw);
    assert_int_equal(kit_tick(talk->gw, talk->gw->now + IKE_ANSWER_WAIT), 0);
    expect_cancelled(talk, IKE_REASON_SECRET_MISSING);
    talk_free(talk);
}

/* The end of the SA is how some gateways refuse. */
static void test_a_gateway_that_deletes_the_sa_has_refused_the_password(void **state)
{
    Talk *talk = talk_new("secret");
    static KitList list;
    KitBytes body = {0};

    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    read_reply(talk);
    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 16);
    kit_append_u16(&body, 1);
    kit_append(&body, talk->gw->cookie_i, 8);
    kit_append(&body, talk->gw->cookie_r, 8);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_DELETE, body.bytes, body.n);
    kit_chain_new(talk->gw, &talk->chain);
    assert_int_equal(
        kit_send(talk->gw, &talk->chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
    assert_int_equal(talk->gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(talk->gw->failure.reason, IKE_REASON_USER_AUTHENTICATION);
    assert_true(talk->gw->failure.user_open);
    talk_free(talk);
}

static void test_a_gateway_that_says_ok_leaves_nothing_open(void **state)
{
    Talk *talk = talk_new("secret");

    for (int i = 0; i < 5; i++) {
        ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
        expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", IKE_XAUTH_USER_PASSWORD, "secret", 0);
        say_status(talk, 1, NULL);
        begin_again(talk);
    }
    say_status(talk, 0, "no more");
    assert_int_equal(talk->gw->failure.detail, IKE_DETAIL_PASSWORD);
    assert_string_equal(talk->gw->failure.text, "no more");
    assert_false(talk->gw->failure.user_open);
    talk_free(talk);
}

static void test_a_configured_password_is_no_code(void **state)
{
    static const uint16_t codes[] = {IKE_XAUTH_PASSCODE, IKE_XAUTH_NEXT_PIN, IKE_XAUTH_ANSWER};

    for (size_t i = 0; i < 3; i++) {
        Talk *talk = talk_new("secret");
        ASK(talk, IKE_XAUTH_USER_NAME, codes[i]);
        expect_question(talk, false, 2);
        assert_true(talk->gw->question.asked[1].once && talk->gw->question.asked[1].secret);
        talk_free(talk);
    }
    for (uint16_t type = IKE_XAUTH_TYPE_OTP; type <= IKE_XAUTH_TYPE_SKEY; type++) {
        Talk *talk = talk_new("secret");
        request(talk);
        kit_config_basic(&talk->body, IKE_XAUTH_TYPE, type);
        with(talk, IKE_XAUTH_CHALLENGE, "otp-md5 499 ke1234");
        with(talk, IKE_XAUTH_USER_PASSWORD, "");
        send(talk);
        expect_question(talk, false, 1);
        assert_true(talk->gw->question.asked[0].once);
        assert_string_equal(talk->gw->question.challenge, "otp-md5 499 ke1234");
        talk_free(talk);
    }
}

static void test_a_gateway_that_asks_on_and_on_is_left(void **state)
{
    Talk *talk = talk_new("secret");

    for (int i = 0; i < IKE_ROUNDS_MAX; i++) {
        request(talk);
        with(talk, IKE_XAUTH_MESSAGE, "wait");
        send(talk);
        assert_int_equal(talk->gw->events[IKE_EVENT_MESSAGE], 1);
        expect_texts(talk, 0);
    }
    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    assert_int_equal(talk->gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(talk->gw->failure.detail, IKE_DETAIL_XAUTH_ROUNDS);
    talk_free(talk);
}

static void expect_refusal(Talk *talk)
{
    KitBytes fail = {0};

    kit_config_basic(&fail, IKE_XAUTH_STATUS, 0);
    assert_int_equal(talk->gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(talk->gw->failure.detail, IKE_DETAIL_XAUTH_TYPE);
    expect_reply(talk, &fail);
    talk_free(talk);
}

static void test_what_is_not_spoken_is_refused_with_status_fail(void **state)
{
    Talk *talk = talk_new("secret");

    request(talk);
    kit_config_basic(&talk->body, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_SKEY + 1);
    with(talk, IKE_XAUTH_USER_PASSWORD, "");
    send(talk);
    expect_refusal(talk);
    talk = talk_new("secret");
    request(talk); /* RADIUS-CHAP without a challenge would tell the password's MD5 */
    kit_config_basic(&talk->body, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_RADIUS_CHAP);
    with(talk, IKE_XAUTH_USER_PASSWORD, "");
    send(talk);
    expect_refusal(talk);
    talk = talk_new("secret");
    request(talk);
    kit_config_basic(&talk->body, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_RADIUS_CHAP);
    memset(talk->reply.bytes, 'c', IKE_CHALLENGE_MAX + 1);
    kit_config_bytes(&talk->body, IKE_XAUTH_CHALLENGE, talk->reply.bytes, IKE_CHALLENGE_MAX + 1);
    send(talk);
    expect_refusal(talk);
}

/* ---- what is right ---- */

static void test_exactly_what_was_asked_is_answered_once_and_in_order(void **state)
{
    Talk *talk = talk_new(NULL);
    IkeAnswer given = {0};
    KitBytes expected = {0};

    request(talk);
    with(talk, IKE_XAUTH_PASSCODE, "");
    with(talk, IKE_XAUTH_MESSAGE, "Both, please");
    with(talk, IKE_XAUTH_USER_NAME, "");
    kit_config_basic(&talk->body, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_GENERIC);
    with(talk, IKE_XAUTH_DOMAIN, "");
    with(talk, IKE_XAUTH_PASSCODE, "");
    send(talk);
    expect_question(talk, false, 3);
    assert_int_equal(talk->gw->question.asked[0].kind, IKE_ASK_PASSCODE);
    assert_int_equal(talk->gw->question.asked[1].kind, IKE_ASK_USER);
    assert_string_equal(talk->gw->question.message, "Both, please");
    kit_secret(&given.given[IKE_ASK_PASSCODE], "123456");
    kit_secret(&given.given[IKE_ASK_USER], "alice");
    kit_secret(&given.given[IKE_ASK_PASSWORD], "not asked");
    kit_secret(&given.given[IKE_ASK_NEXT_PIN], "not asked");
    assert_int_equal(
        ike_session_answer(talk->gw->session, talk->gw->question.id, &given, talk->gw->now), 0);
    kit_collect(talk->gw);
    kit_config_bytes(&expected, IKE_XAUTH_PASSCODE, "123456", 6);
    kit_config_bytes(&expected, IKE_XAUTH_USER_NAME, "alice", 5);
    kit_config_basic(&expected, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_GENERIC);
    kit_config_bytes(&expected, IKE_XAUTH_DOMAIN, "", 0);
    expect_reply(talk, &expected);
    talk_free(talk);
}

/* FortiGate: a name and a password, then a code, of which the first is wrong. */
static void test_a_code_in_a_second_round_is_asked_anew_each_time(void **state)
{
    static const char *const codes[] = {"000000", "123456"};
    Talk *talk = talk_new("secret");

    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", IKE_XAUTH_USER_PASSWORD, "secret", 0);
    for (int i = 0; i < 2; i++) {
        ASK(talk, IKE_XAUTH_USER_PASSWORD);
        expect_question(talk, i == 1, 1);
        assert_true(talk->gw->question.asked[0].once);
        answer(talk, IKE_ASK_PASSWORD, codes[i]);
        expect_texts(talk, IKE_XAUTH_USER_PASSWORD, codes[i], 0);
    }
    say_status(talk, 1, "Welcome");
    assert_int_equal(talk->gw->events[IKE_EVENT_USER], 1);
    assert_string_equal(talk->gw->message, "Welcome");
    /* The password of the first round was never refused. */
    begin_again(talk);
    ASK(talk, IKE_XAUTH_USER_NAME, IKE_XAUTH_USER_PASSWORD);
    expect_texts(talk, IKE_XAUTH_USER_NAME, "alice", IKE_XAUTH_USER_PASSWORD, "secret", 0);
    talk_free(talk);
}

static void md5(const KitBytes *bytes, uint8_t out[16])
{
    unsigned n = 16;

    assert_int_equal(EVP_Digest(bytes->bytes, bytes->n, out, &n, EVP_md5(), NULL), 1);
}

/* Appendix A: an identifier of our choice, and MD5 of identifier, password and challenge. */
static void expect_chap(Talk *talk, const char *password, const char *challenge)
{
    IkeReader r;
    IkeAttribute a;
    uint32_t type = 0;
    uint8_t hash[16];
    KitBytes hashed = {0};

    read_reply(talk);
    r = ike_reader(talk->reply.bytes, talk->reply.n);
    assert_true(ike_config_attribute_read(&r, &a) && ike_attribute_number(&a, &type));
    assert_int_equal(type, IKE_XAUTH_TYPE_RADIUS_CHAP);
    assert_true(ike_config_attribute_read(&r, &a));
    assert_int_equal(a.type, IKE_XAUTH_USER_PASSWORD);
    assert_int_equal(a.value.n, 17);
    kit_append(&hashed, a.value.bytes, 1);
    kit_append(&hashed, password, strlen(password));
    kit_append(&hashed, challenge, strlen(challenge));
    md5(&hashed, hash);
    assert_memory_equal(a.value.bytes + 1, hash, 16);
    assert_true(ike_reader_done(&r));
}

static void test_radius_chap_hides_a_configured_and_a_typed_password(void **state)
{
    for (int configured = 0; configured < 2; configured++) {
        Talk *talk = talk_new(configured != 0 ? "secret" : NULL);
        request(talk);
        kit_config_basic(&talk->body, IKE_XAUTH_TYPE, IKE_XAUTH_TYPE_RADIUS_CHAP);
        with(talk, IKE_XAUTH_CHALLENGE, "0123456789abcdef");
        with(talk, IKE_XAUTH_USER_PASSWORD, "");
        send(talk);
        if (configured == 0) {
            expect_question(talk, false, 1);
            assert_string_equal(talk->gw->question.challenge, "");
            answer(talk, IKE_ASK_PASSWORD, "secret");
        }
        expect_chap(talk, "secret", "0123456789abcdef");
        talk_free(talk);
    }
}

/* The REPLY is kept as a datagram, which its repetitions are; what it was made of is not. */
static void test_words_do_not_outlive_their_reply(void **state)
{
    static const IkeAnswer nothing;
    size_t looked_at = 0;
    Talk *talk = talk_new(NULL);

    ASK(talk, IKE_XAUTH_USER_PASSWORD);
    expect_question(talk, false, 1);
    answer(talk, IKE_ASK_PASSWORD, "secret");
    expect_texts(talk, IKE_XAUTH_USER_PASSWORD, "secret", 0);
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        const IkeExchange *x = &talk->gw->session->exchanges[i];
        if (x->script != &IKE_SCRIPT_TRANSACTION)
            continue;
        assert_memory_equal(&((const IkeTransaction *)x->data)->given, &nothing, sizeof(nothing));
        looked_at++;
    }
    assert_int_equal(looked_at, 1);
    talk_free(talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b5_nothing_is_answered_before_the_gateway_is_authenticated),
        cmocka_unit_test(test_a5_an_attribute_that_is_longer_than_the_message_is_ignored),
        cmocka_unit_test(test_a23_hostile_text_of_any_length_is_cut_and_shown_as_bytes),
        cmocka_unit_test(test_a_password_that_was_refused_is_not_given_again_in_its_transaction),
        cmocka_unit_test(test_a_password_that_was_refused_is_not_given_hours_later),
        cmocka_unit_test(test_a_password_to_which_nothing_was_said_is_not_given_again),
        cmocka_unit_test(test_a_question_that_is_cancelled_is_answered_by_a_fail),
        cmocka_unit_test(test_a_question_that_nobody_answers_in_time_is_answered_by_a_fail),
        cmocka_unit_test(test_a_gateway_that_deletes_the_sa_has_refused_the_password),
        cmocka_unit_test(test_a_gateway_that_says_ok_leaves_nothing_open),
        cmocka_unit_test(test_a_configured_password_is_no_code),
        cmocka_unit_test(test_a_gateway_that_asks_on_and_on_is_left),
        cmocka_unit_test(test_what_is_not_spoken_is_refused_with_status_fail),
        cmocka_unit_test(test_exactly_what_was_asked_is_answered_once_and_in_order),
        cmocka_unit_test(test_a_code_in_a_second_round_is_asked_anew_each_time),
        cmocka_unit_test(test_radius_chap_hides_a_configured_and_a_typed_password),
        cmocka_unit_test(test_words_do_not_outlive_their_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
