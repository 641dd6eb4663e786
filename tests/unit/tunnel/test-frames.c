/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames between agent and tunnel. The tunnel process trusts the agent's user with a tunnel, and
 * with nothing else: no frame may make it read beyond its end. */
#include "tunnel-kit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/tunnel/frames.h"

static int pair[2];

static int setup(void **state)
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state)
{
    close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    return 0;
}

static void secrets_cross_byte_for_byte(void **state)
{
    static const uint8_t odd[] = {0, 1, 0xff, '=', 0};
    g_autoptr(TunnelSecrets) sent = tunnel_secrets_new();
    g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
    g_auto(TunnelFrame) frame = {0};
    assert_true(tunnel_secret_set(&sent->psk, odd, sizeof(odd)));
    assert_true(tunnel_secret_set(&sent->password, "", 0));
    assert_int_equal(tunnel_frame_send_secrets(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_secrets(&frame, got));
    assert_int_equal(got->psk.n, sizeof(odd));
    assert_memory_equal(got->psk.bytes, odd, sizeof(odd));
    assert_true(got->password.known);
    assert_false(got->user.known);
}

static void fill(IkeSecret *secret)
{
    static uint8_t big[IKE_SECRET_MAX];
    memset(big, 'x', sizeof(big));
    assert_true(tunnel_secret_set(secret, big, sizeof(big)));
}

static void the_largest_secrets_cross(void **state)
{
    g_autoptr(TunnelSecrets) sent = tunnel_secrets_new();
    g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
    g_auto(TunnelFrame) frame = {0};
    fill(&sent->psk);
    fill(&sent->user);
    fill(&sent->password);
    for (; sent->codes_n < TUNNEL_CODES_MAX; sent->codes_n++)
        fill(&sent->codes[sent->codes_n]);
    assert_int_equal(tunnel_frame_send_secrets(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_secrets(&frame, got));
    assert_int_equal(got->codes_n, TUNNEL_CODES_MAX);
    assert_memory_equal(&got->codes[TUNNEL_CODES_MAX - 1], &sent->password, sizeof(IkeSecret));
}

static void the_largest_answer_crosses(void **state)
{
    g_autoptr(TunnelAnswer) sent = tunnel_answer_new();
    g_autoptr(TunnelAnswer) got = tunnel_answer_new();
    g_auto(TunnelFrame) frame = {0};
    for (gsize i = 0; i < TUNNEL_ASK_KINDS; i++)
        fill(&sent->given[i]);
    sent->by_program = true;
    assert_int_equal(tunnel_frame_send_answer(pair[0], 7, sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    guint32 id = 0;
    bool answered = false;
    assert_true(tunnel_frame_read_answer(&frame, &id, got, &answered));
    assert_int_equal(id, 7);
    assert_true(answered && got->by_program);
    assert_memory_equal(got->given, sent->given, sizeof(got->given));
}

/* Not even that there is such a thing. */
static void a_tunnel_is_told_nothing_of_what_opens_keys(void **state)
{
    g_autoptr(TunnelAnswer) sent = tunnel_answer_new();
    g_autoptr(TunnelAnswer) got = tunnel_answer_new();
    g_auto(TunnelFrame) frame = {0};
    guint32 id = 0;
    bool answered = false;
    assert_true(tunnel_secret_set(&sent->given[IKE_ASK_PASSWORD], "open", 4));
    assert_int_equal(tunnel_frame_send_answer(pair[0], 7, sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_int_equal(frame.n, 5 + 3 * (TUNNEL_ASK_PSK + 1) + 4);
    assert_true(tunnel_frame_read_answer(&frame, &id, got, &answered));
    assert_true(answered && got->given[IKE_ASK_PASSWORD].known);
    assert_false(got->given[TUNNEL_ASK_PASSPHRASE].known || got->given[TUNNEL_ASK_PIN].known);
}

static void a_question_about_a_key_is_told_from_others(void **state)
{
    TunnelQuestion question = {
        .asked = {{IKE_ASK_USER, false, false}, {TUNNEL_ASK_PSK, true, false}}, .asked_n = 2};
    assert_false(tunnel_question_opens_key(&question));
    question.asked[1].kind = TUNNEL_ASK_PASSPHRASE;
    assert_true(tunnel_question_opens_key(&question));
    question.asked[1].kind = TUNNEL_ASK_PIN;
    assert_true(tunnel_question_opens_key(&question));
    question.asked_n = 1;
    assert_false(tunnel_question_opens_key(&question));
}

static void nobody_answered_is_told_from_empty_answers(void **state)
{
    g_autoptr(TunnelAnswer) got = tunnel_answer_new();
    g_auto(TunnelFrame) frame = {0};
    guint32 id = 0;
    bool answered = true;
    assert_int_equal(tunnel_frame_send_answer(pair[0], 9, NULL), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_answer(&frame, &id, got, &answered));
    assert_int_equal(id, 9);
    assert_false(answered);
}

static const TunnelQuestion QUESTION = {.id = 3,
                                        .asked = {{IKE_ASK_USER, false, false},
                                                  {IKE_ASK_PASSWORD, true, false},
                                                  {IKE_ASK_PASSCODE, true, true}},
                                        .asked_n = 3,
                                        .again = true,
                                        .user_name = "carol",
                                        .challenge = "otp-md5 499 ke1234",
                                        .message = "Enter the code\nof your token"};

static void questions_cross(void **state)
{
    g_auto(TunnelQuestion) got = {0};
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send_question(pair[0], &QUESTION), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_question(&frame, &got));
    assert_int_equal(got.id, 3);
    assert_true(got.again);
    assert_int_equal(got.asked_n, 3);
    assert_int_equal(got.asked[2].kind, IKE_ASK_PASSCODE);
    assert_true(got.asked[2].secret && got.asked[2].once);
    assert_false(got.asked[0].secret || got.asked[0].once || got.asked[1].once);
    assert_string_equal(got.user_name, "carol");
    assert_string_equal(got.challenge, QUESTION.challenge);
    assert_string_equal(got.message, QUESTION.message);
}

/* A tunnel that was taken over may say anything to the agent. */
static void a_question_cut_anywhere_is_refused(void **state)
{
    g_auto(TunnelFrame) whole = {0};
    g_auto(TunnelQuestion) got = {0};
    assert_int_equal(tunnel_frame_send_question(pair[0], &QUESTION), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &whole), 1);
    for (gsize n = 0; n < whole.n; n++) {
        g_autofree guint8 *bytes = g_memdup2(whole.bytes, n);
        const TunnelFrame cut = {.type = TUNNEL_FRAME_QUESTION, .bytes = bytes, .n = n};
        assert_false(tunnel_frame_read_question(&cut, &got));
    }
}

static void a_question_for_more_than_there_is_is_refused(void **state)
{
    static guint8 many[6 + 2 * 255 + 6] = {[5] = 255},
                                     unknown[14] = {[5] = 1, [6] = TUNNEL_ASK_KINDS};
    g_auto(TunnelQuestion) got = {0};
    const TunnelFrame too_many = {.type = TUNNEL_FRAME_QUESTION, .bytes = many, .n = sizeof(many)};
    const TunnelFrame strange = {
        .type = TUNNEL_FRAME_QUESTION, .bytes = unknown, .n = sizeof(unknown)};
    assert_false(tunnel_frame_read_question(&too_many, &got));
    assert_false(tunnel_frame_read_question(&strange, &got));
    unknown[6] = TUNNEL_ASK_PSK;
    assert_true(tunnel_frame_read_question(&strange, &got));
}

/* A tunnel process that was taken over still can't draw on the terminal of the person it asks. */
static void a_name_in_a_question_has_no_control_characters(void **state)
{
    const TunnelQuestion sent = {
        .id = 4, .asked_n = 0, .user_name = "carol\x1b[2J\r\nroot\x9b", .message = "\x1b[2J"};
    g_auto(TunnelQuestion) got = {0};
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send_question(pair[0], &sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_question(&frame, &got));
    assert_null(strchr(got.message, '\x1b'));
    assert_true(g_utf8_validate(got.user_name, -1, NULL));
    for (const char *p = got.user_name; *p != '\0'; p = g_utf8_next_char(p))
        assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
    assert_non_null(strstr(got.user_name, "carol"));
}

/* Every prefix of a good frame, each in memory of exactly its size for the sanitizer to watch. */
static void a_frame_cut_anywhere_is_refused(void **state)
{
    g_autoptr(TunnelSecrets) sent = tunnel_secrets_new();
    g_auto(TunnelFrame) whole = {0};
    assert_true(tunnel_secret_set(&sent->psk, "key", 3));
    assert_true(tunnel_secret_set(&sent->password, "word", 4));
    assert_int_equal(tunnel_frame_send_secrets(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &whole), 1);
    for (gsize n = 0; n < whole.n; n++) {
        g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
        g_autofree guint8 *bytes = g_memdup2(whole.bytes, n);
        const TunnelFrame cut = {.type = TUNNEL_FRAME_SECRETS, .bytes = bytes, .n = n};
        assert_false(tunnel_frame_read_secrets(&cut, got));
    }
}

static void a_frame_with_more_behind_its_end_is_refused(void **state)
{
    static guint8 bytes[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
    const TunnelFrame frame = {.type = TUNNEL_FRAME_SECRETS, .bytes = bytes, .n = sizeof(bytes)};
    assert_false(tunnel_frame_read_secrets(&frame, got));
    const TunnelFrame exact = {.type = TUNNEL_FRAME_SECRETS, .bytes = bytes, .n = 10};
    assert_true(tunnel_frame_read_secrets(&exact, got));
}

static void a_secret_beyond_its_bounds_is_refused(void **state)
{
    static guint8 bytes[3 + IKE_SECRET_MAX + 1 + 6] = {1, (IKE_SECRET_MAX + 1) >> 8,
                                                       (IKE_SECRET_MAX + 1) & 0xff};
    g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
    const TunnelFrame frame = {.type = TUNNEL_FRAME_SECRETS, .bytes = bytes, .n = sizeof(bytes)};
    assert_false(tunnel_frame_read_secrets(&frame, got));
}

static void a_frame_of_another_kind_is_refused(void **state)
{
    static guint8 bytes[9] = {0};
    g_autoptr(TunnelSecrets) got = tunnel_secrets_new();
    const TunnelFrame frame = {.type = TUNNEL_FRAME_REPORT, .bytes = bytes, .n = sizeof(bytes)};
    assert_false(tunnel_frame_read_secrets(&frame, got));
}

static void an_oversized_secret_frame_is_not_taken_in(void **state)
{
    static guint8 big[64 * 1024];
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send(pair[0], TUNNEL_FRAME_SECRETS, big, sizeof(big)), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), -EMSGSIZE);
}

static void nothing_there_and_gone_are_told_apart(void **state)
{
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_receive(pair[0], 0, &frame), -EAGAIN);
    assert_int_equal(tunnel_frame_receive(pair[0], 20, &frame), -EAGAIN);
    close(pair[1]);
    pair[1] = -1;
    assert_int_equal(tunnel_frame_receive(pair[0], 1000, &frame), 0);
}

/* An end that is said just before the other side goes must be heard, even if an answer crossed it.
 */
static void the_last_word_of_an_end_that_left_is_heard(void **state)
{
    const guint8 code = 8;
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send_answer(pair[0], 1, NULL), 0);
    assert_int_equal(tunnel_frame_send(pair[1], TUNNEL_FRAME_END, &code, 1), 0);
    close(pair[1]);
    pair[1] = -1;
    assert_int_equal(tunnel_frame_receive(pair[0], 1000, &frame), 1);
    assert_int_equal(frame.type, TUNNEL_FRAME_END);
    assert_int_equal(frame.bytes[0], code);
}

/* The tunnel must never wait for an agent that was stopped. */
static void sending_never_waits(void **state)
{
    static guint8 bytes[8192];
    int result = 0;
    for (int i = 0; result == 0 && i < 100000; i++)
        result = tunnel_frame_send(pair[0], TUNNEL_FRAME_REPORT, bytes, sizeof(bytes));
    assert_int_equal(result, -EAGAIN);
}

/* ---- certificates ---- */

static TunnelCredentials *some_credentials(void)
{
    TunnelCredentials *credentials = tunnel_credentials_new();
    g_ptr_array_add(credentials->chain, g_bytes_new("own", 3));
    g_ptr_array_add(credentials->anchors, g_bytes_new("root", 4));
    g_ptr_array_add(credentials->anchors, g_bytes_new("other", 5));
    credentials->subject = g_strdup("CN=alice");
    credentials->not_after = 0x1234567890;
    return credentials;
}

static void credentials_cross(void **state)
{
    g_autoptr(TunnelCredentials) sent = some_credentials();
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send_credentials(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    g_autoptr(TunnelCredentials) got = tunnel_frame_read_credentials(&frame);
    assert_non_null(got);
    assert_int_equal(got->chain->len, 1);
    assert_int_equal(got->anchors->len, 2);
    assert_int_equal(got->crls->len, 0);
    assert_true(g_bytes_equal(got->anchors->pdata[1], sent->anchors->pdata[1]));
    assert_string_equal(got->subject, "CN=alice");
    assert_int_equal(got->not_after, sent->not_after);
}

static void credentials_cut_anywhere_are_refused(void **state)
{
    g_autoptr(TunnelCredentials) sent = some_credentials();
    g_auto(TunnelFrame) whole = {0};
    assert_int_equal(tunnel_frame_send_credentials(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &whole), 1);
    for (gsize n = 0; n < whole.n; n++) {
        g_autofree guint8 *bytes = g_memdup2(whole.bytes, n);
        const TunnelFrame cut = {.type = TUNNEL_FRAME_CREDENTIALS, .bytes = bytes, .n = n};
        assert_null(tunnel_frame_read_credentials(&cut));
    }
}

static void more_certificates_than_a_chain_has_are_refused(void **state)
{
    g_autoptr(TunnelCredentials) sent = some_credentials();
    g_auto(TunnelFrame) frame = {0};
    for (guint i = 0; i < IKE_CHAIN_MAX; i++)
        g_ptr_array_add(sent->chain, g_bytes_new("more", 4));
    assert_int_equal(tunnel_frame_send_credentials(pair[0], sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_null(tunnel_frame_read_credentials(&frame));
}

static void what_is_to_be_signed_crosses(void **state)
{
    const TunnelSigning sent = {.id = 7, .ecdsa = true, .n = 48, .bytes = "digest"};
    TunnelSigning got;
    g_auto(TunnelFrame) frame = {0};
    assert_int_equal(tunnel_frame_send_signing(pair[0], &sent), 0);
    assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
    assert_true(tunnel_frame_read_signing(&frame, &got));
    assert_int_equal(got.id, 7);
    assert_true(got.ecdsa);
    assert_int_equal(got.n, 48);
    assert_memory_equal(got.bytes, sent.bytes, 48);
}

static void requests_that_can_t_be_are_refused(void **state)
{
    static guint8 bytes[5 + IKE_HASH_MAX + 1] = {0, 0, 0, 1, 0};
    TunnelSigning got;
    const gsize wrong[] = {0, 4, 5, sizeof(bytes)};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const TunnelFrame frame = {.type = TUNNEL_FRAME_SIGN, .bytes = bytes, .n = wrong[i]};
        assert_false(tunnel_frame_read_signing(&frame, &got));
    }
    bytes[4] = 2; /* neither RSA nor ECDSA */
    const TunnelFrame frame = {.type = TUNNEL_FRAME_SIGN, .bytes = bytes, .n = 25};
    assert_false(tunnel_frame_read_signing(&frame, &got));
}

static void signatures_cross_and_so_does_their_lack(void **state)
{
    static guint8 big[IKE_SIGNATURE_MAX + 1];
    const guint8 *got = NULL;
    guint32 id = 0;
    gsize n = 0;
    for (gsize size = 0; size <= IKE_SIGNATURE_MAX; size += 512) {
        g_auto(TunnelFrame) frame = {0};
        assert_int_equal(tunnel_frame_send_signature(pair[0], 9, big, size), 0);
        assert_int_equal(tunnel_frame_receive(pair[1], 1000, &frame), 1);
        assert_true(tunnel_frame_read_signature(&frame, &id, &got, &n));
        assert_int_equal(id, 9);
        assert_int_equal(n, size);
        assert_true((got == NULL) == (size == 0));
    }
    assert_int_equal(tunnel_frame_send_signature(pair[0], 9, big, sizeof(big)), -EMSGSIZE);
}

static void keep_says_nothing_or_a_reason_and_words(void **state)
{
    static const struct {
        const char *bytes;
        gsize n;
        bool ok;
    } cases[] = {
        {"", 0, true},           {"\003wrong\0advice", 13, true}, {"\003wrong\0", 7, true},
        {"\003wrong", 6, false}, {"\003\0advice", 8, false},      {"\003", 1, false},
        {"\0wrong\0", 7, false}, {"\377wrong\0", 7, false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree guint8 *bytes = g_malloc0(cases[i].n + 1);
        g_autoptr(GError) why = NULL;
        memcpy(bytes, cases[i].bytes, cases[i].n);
        const TunnelFrame frame = {.type = TUNNEL_FRAME_KEEP, .bytes = bytes, .n = cases[i].n};
        assert_int_equal(tunnel_frame_read_keep(&frame, &why), cases[i].ok);
        assert_int_equal(why != NULL, cases[i].ok && cases[i].n > 0);
        assert_true(why == NULL || strcmp(why->message, "wrong") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secrets_cross_byte_for_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_secrets_cross, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_answer_crosses, setup, teardown),
        cmocka_unit_test_setup_teardown(a_question_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_question_for_more_than_there_is_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nobody_answered_is_told_from_empty_answers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(questions_cross, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_in_a_question_has_no_control_characters, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_frame_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_with_more_behind_its_end_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_secret_beyond_its_bounds_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_of_another_kind_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_oversized_secret_frame_is_not_taken_in, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_there_and_gone_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_word_of_an_end_that_left_is_heard, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sending_never_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials_cross, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials_cut_anywhere_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(more_certificates_than_a_chain_has_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_tunnel_is_told_nothing_of_what_opens_keys, setup,
                                        teardown),
        cmocka_unit_test(a_question_about_a_key_is_told_from_others),
        cmocka_unit_test_setup_teardown(what_is_to_be_signed_crosses, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_that_can_t_be_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(keep_says_nothing_or_a_reason_and_words, setup, teardown),
        cmocka_unit_test_setup_teardown(signatures_cross_and_so_does_their_lack, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
