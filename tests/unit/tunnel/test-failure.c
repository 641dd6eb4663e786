/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures, as users read them. Every detail of the core has a sentence and advice; the advice
 * names a setting; a wrong key, a wrong ID and silence read differently; what a gateway says can't
 * draw on the terminal.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/tunnel/failure.h"

typedef struct Told {
    int code;
    char *message, *advice;
    DialtoneRemedy remedy;
} Told;

static Told *tell(const char *more, const IkeFailure *failure)
{
    g_autoptr(DialtoneProfile) profile = kit_profile(more);
    const TunnelFailureContext context = {.profile = profile, .gateway = "vpn.example.com"};
    GError *error = NULL;
    tunnel_failure_explain(failure, &context, &error);
    assert_non_null(error);
    Told *told = g_new0(Told, 1);
    told->code = (int)dialtone_failure_of(error);
    told->message = g_strdup(error->message);
    told->advice = g_strdup(dialtone_failure_advice(error));
    told->remedy = dialtone_failure_remedy(error);
    g_error_free(error);
    return told;
}

static void forget(Told *told)
{
    g_free(told->message);
    g_free(told->advice);
    g_free(told);
}

static void assert_has(const char *text, const char *part)
{
    assert_non_null(text);
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is missing in: %s", part, text);
}

static void every_detail_has_a_sentence_and_advice(void **state)
{
    for (int detail = 0; detail <= IKE_DETAIL_LOCAL; detail++) {
        const IkeFailure failure = {.reason = IKE_REASON_PHASE2_REFUSED,
                                    .detail = (IkeDetail)detail,
                                    .notify = 9999,
                                    .error = -5,
                                    .text = "10.0.0.0/8"};
        Told *told = tell("", &failure);
        assert_has(told->message, "vpn.example.com");
        assert_true(strlen(told->advice) > 20);
        assert_null(strchr(told->message, '%'));
        forget(told);
    }
}

typedef struct SentenceRow {
    IkeReason reason;
    IkeDetail detail;
    const char *sentence;
} SentenceRow;

/* To the letter: those that no gateway of tests/netns/words.py can be brought to cause. */
static const SentenceRow SENTENCES[] = {
    {IKE_REASON_UNREACHABLE, IKE_DETAIL_SILENCE_LATER,
     "The gateway vpn.example.com answered at first and then fell silent."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_SILENCE_PHASE2,
     "The gateway vpn.example.com does not answer what Phase 2 proposes to it."},
    {IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_NOTIFY,
     "The gateway vpn.example.com refused the connection (unknown)."},
    {IKE_REASON_NO_PROPOSAL_CHOSEN, IKE_DETAIL_NOT_OFFERED,
     "The gateway vpn.example.com chose algorithms that were not offered; that is refused, for "
     "safety."},
    {IKE_REASON_GATEWAY_AUTHENTICATION, IKE_DETAIL_MALFORMED,
     "The gateway vpn.example.com sent an answer that makes no sense."},
    {IKE_REASON_USER_AUTHENTICATION, IKE_DETAIL_XAUTH_UNWANTED,
     "The gateway vpn.example.com asks for a user name and a password, and the profile forbids "
     "it."},
    {IKE_REASON_USER_AUTHENTICATION, IKE_DETAIL_XAUTH_MISSING,
     "The gateway vpn.example.com did not ask for a user, though the profile requires it."},
    {IKE_REASON_SECRET_MISSING, IKE_DETAIL_NO_SECRET,
     "The gateway vpn.example.com asks for a user name or a password, and nobody gave it."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_ADDRESS,
     "The gateway vpn.example.com gave no inner address."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_CONFIG,
     "The gateway vpn.example.com did not answer the question for an inner address."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_DHCP_REFUSED,
     "The gateway vpn.example.com lets no DHCP through the tunnel."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_DHCP_SILENCE,
     "No DHCP server answered behind the gateway vpn.example.com."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_DHCP_NAK,
     "The DHCP server behind the gateway vpn.example.com gives no address, though it offers one."},
    {IKE_REASON_TUNNEL_LOST, IKE_DETAIL_LEASE_EXPIRED,
     "The address from the DHCP server behind the gateway vpn.example.com was not renewed in "
     "time."},
    {IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_NATT,
     "The gateway vpn.example.com can't carry the tunnel in UDP."},
    {IKE_REASON_TUNNEL_LOST, IKE_DETAIL_DPD, "The gateway vpn.example.com stopped answering."},
    {IKE_REASON_TUNNEL_LOST, IKE_DETAIL_DELETED, "The gateway vpn.example.com ended the tunnel."},
    {IKE_REASON_TUNNEL_LOST, IKE_DETAIL_EXPIRED,
     "The keys expired before the gateway vpn.example.com renewed them."},
    {IKE_REASON_INTERNAL, IKE_DETAIL_LOCAL,
     "This computer could not go on (Input/output error) while talking to vpn.example.com."},
};

static void the_sentences_that_only_odd_gateways_cause_are_these(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(SENTENCES); i++) {
        const IkeFailure failure = {.reason = SENTENCES[i].reason,
                                    .detail = SENTENCES[i].detail,
                                    .notify = 9999,
                                    .error = -5};
        Told *told = tell("", &failure);
        assert_string_equal(told->message, SENTENCES[i].sentence);
        forget(told);
    }
}

static void a_detail_from_the_future_does_no_harm(void **state)
{
    const IkeFailure failure = {.reason = (IkeReason)99, .detail = (IkeDetail)99};
    Told *told = tell("", &failure);
    assert_int_equal(told->code, DIALTONE_FAILURE_INTERNAL);
    forget(told);
}

typedef struct ReasonRow {
    IkeReason reason;
    int code;
} ReasonRow;

/* The exit codes that scripts match on. */
static void reasons_are_the_contract_s_codes(void **state)
{
    static const ReasonRow rows[] = {
        {IKE_REASON_INTERNAL, 1},
        {IKE_REASON_SECRET_MISSING, 4},
        {IKE_REASON_UNREACHABLE, 5},
        {IKE_REASON_NO_PROPOSAL_CHOSEN, 6},
        {IKE_REASON_GATEWAY_AUTHENTICATION, 7},
        {IKE_REASON_USER_AUTHENTICATION, 8},
        {IKE_REASON_PHASE2_REFUSED, 9},
        {IKE_REASON_TUNNEL_LOST, 11},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(tunnel_failure_reason(&(IkeFailure){.reason = rows[i].reason}),
                         rows[i].code);
}

static void no_proposal_chosen_shows_each_attempt_and_both_spellings(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_NO_PROPOSAL_CHOSEN,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_NO_PROPOSAL_CHOSEN};
    Told *told = tell("", &failure);
    assert_int_equal(told->code, DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN);
    assert_has(told->advice, "attempt 1: aes256-sha256-modp2048\n");
    assert_has(told->advice, "attempt 2: aes128-sha1-modp1024\n");
    assert_has(told->advice, "[Phase1] Proposals");
    assert_has(
        told->advice,
        "set security ike proposal dialtone-1 authentication-method pre-shared-keys dh-group "
        "group14 authentication-algorithm sha-256 encryption-algorithm aes-256-cbc "
        "lifetime-seconds 28800");
    assert_has(told->advice, "dh-group group2 authentication-algorithm sha1 encryption-algorithm "
                             "aes-128-cbc");
    assert_has(told->advice, "\nset security ike policy POLICY mode aggressive\n"
                             "set security ike policy POLICY proposals [ dialtone-1 dialtone-2 ]");
    assert_has(told->advice, "proposals = aes256-sha256-modp2048,aes128-sha1-modp1024");
    assert_int_equal(told->remedy, DIALTONE_REMEDY_DIAGNOSE);
    g_autofree char *for_user = dialtone_advice_for_user(told->advice);
    assert_has(for_user, "[UserAuth] User=");
    assert_null(strstr(for_user, "Junos"));
    assert_int_equal(strncmp(dialtone_advice_configuration(told->advice), "Junos:\nset ", 11), 0);
    forget(told);
}

static void refused_phase_2_proposals_are_told_from_phase_1_s(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_PHASE2_REFUSED,
                                .detail = IKE_DETAIL_NETWORK_REFUSED,
                                .notify = IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
                                .text = "10.0.0.0/8"};
    Told *told = tell("[Phase2]\nProposals=aes256gcm16-modp2048;aes128-sha1\n", &failure);
    assert_int_equal(told->code, DIALTONE_FAILURE_PHASE2_REFUSED);
    assert_has(told->message, "Phase 2");
    assert_has(told->advice, "[Phase2] Proposals");
    assert_has(told->advice, "set security ipsec proposal dialtone-1 protocol esp "
                             "encryption-algorithm aes-256-gcm");
    assert_has(told->advice, "perfect-forward-secrecy keys group14");
    assert_has(told->advice, "hmac-sha1-96");
    assert_has(told->advice, "esp_proposals = aes256gcm16-modp2048,aes128-sha1");
    forget(told);
}

/* Junos has no word for it: better no line than a wrong one. */
static void what_junos_can_t_spell_is_left_out(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_NO_PROPOSAL_CHOSEN,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_NO_PROPOSAL_CHOSEN};
    g_autoptr(DialtoneProfile) profile =
        kit_profile_of("[Profile]\nName=a\n[Gateway]\nAddress=192.0.2.1\n[Identity]\nID=a.example\n"
                       "Auth=psk\n[Phase1]\nProposals=aes128-sha256-curve25519\n"
                       "[Secrets]\nPSK=keyring\n");
    const TunnelFailureContext context = {.profile = profile, .gateway = "gw"};
    g_autoptr(GError) error = NULL;
    tunnel_failure_explain(&failure, &context, &error);
    assert_null(strstr(dialtone_failure_advice(error), "Junos"));
    assert_has(dialtone_failure_advice(error), "aes128-sha256-curve25519");
}

static void a_refused_id_names_the_other_kind_in_junos_words(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_INVALID_ID_INFORMATION};
    Told *email = tell("", &failure);
    assert_int_equal(email->code, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION);
    assert_has(email->advice, "[Identity] ID");
    assert_has(email->advice, "user-at-hostname alice@example.com");
    assert_has(email->advice, "Error 18 (INVALID-ID-INFORMATION) from a Junos SRX means as a rule "
                              "that it has the other kind of ID: a host name.");
    assert_has(email->advice, "`dynamic hostname`, it wants a host name (FQDN): write the ID "
                              "without an @");
    assert_has(email->advice, "`dynamic key-id`");
    forget(email);
}

static void the_other_kind_of_a_host_name_is_an_email_address(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_INVALID_ID_INFORMATION};
    g_autoptr(DialtoneProfile) profile = kit_profile_of(
        "[Profile]\nName=a\n[Gateway]\nAddress=192.0.2.1\n[Identity]\nID=a.example\nAuth=psk\n");
    const TunnelFailureContext context = {.profile = profile, .gateway = "gw"};
    g_autoptr(GError) error = NULL;
    tunnel_failure_explain(&failure, &context, &error);
    assert_has(dialtone_failure_advice(error), "the other kind of ID: an email address.");
    assert_has(dialtone_failure_advice(error), "`dynamic hostname a.example`");
    assert_has(dialtone_failure_advice(error), "write the ID with an @");
}

static void silence_names_the_port_that_was_tried(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_UNREACHABLE, .detail = IKE_DETAIL_SILENCE};
    g_autoptr(DialtoneProfile) profile = kit_profile("");
    static const uint16_t ports[] = {0, 500, 4501};
    static const char *const said[] = {"UDP port 500 ", "UDP port 500 ", "UDP port 4501 "};
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        const TunnelFailureContext context = {
            .profile = profile, .gateway = "gw", .port = ports[i]};
        g_autoptr(GError) error = NULL;
        tunnel_failure_explain(&failure, &context, &error);
        assert_has(dialtone_failure_advice(error), said[i]);
    }
}

/* strongSwan says AUTHENTICATION-FAILED for a method that it does not have, too. */
static void where_a_user_was_offered_the_advice_says_so(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_AUTHENTICATION_FAILED};
    for (int with_user = 0; with_user < 2; with_user++) {
        g_autoptr(DialtoneProfile) profile = kit_profile("");
        const TunnelFailureContext context = {
            .profile = profile, .gateway = "gw", .with_user = with_user != 0};
        g_autoptr(GError) error = NULL;
        tunnel_failure_explain(&failure, &context, &error);
        const char *advice = dialtone_failure_advice(error);
        assert_int_equal(strstr(advice, "XAuth=no") != NULL, with_user);
        assert_int_equal(strstr(advice, "write [UserAuth] User=") != NULL, !with_user);
    }
}

static void an_id_of_phase_2_is_about_networks(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_PHASE2_REFUSED,
                                .detail = IKE_DETAIL_NOTIFY,
                                .notify = IKE_NOTIFY_INVALID_ID_INFORMATION};
    Told *told = tell("", &failure);
    assert_has(told->advice, "[Phase2] Networks");
    forget(told);
}

static void a_wrong_key_a_wrong_id_and_silence_read_differently(void **state)
{
    const IkeFailure failures[] = {
        {.reason = IKE_REASON_GATEWAY_AUTHENTICATION, .detail = IKE_DETAIL_WRONG_PSK},
        {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
         .detail = IKE_DETAIL_NOTIFY,
         .notify = IKE_NOTIFY_AUTHENTICATION_FAILED},
        {.reason = IKE_REASON_UNREACHABLE, .detail = IKE_DETAIL_SILENCE},
    };
    Told *key = tell("", &failures[0]), *id = tell("", &failures[1]),
         *silence = tell("", &failures[2]);
    assert_has(key->message, "preshared key");
    assert_has(key->advice, "hash in the gateway's answer does not match");
    assert_has(key->advice, "whether this one is that of alice@example.com");
    assert_has(id->message, "ID");
    assert_has(silence->message, "does not answer");
    assert_has(silence->advice, "[Gateway] Address");
    assert_int_equal(silence->remedy, DIALTONE_REMEDY_DIAGNOSE);
    forget(key);
    forget(id);
    forget(silence);
}

static void an_unknown_gateway_shows_its_name_but_can_t_draw(void **state)
{
    IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                          .detail = IKE_DETAIL_WRONG_REMOTE_ID};
    strcpy(failure.text, "evil\x1b[2J.example\n");
    Told *told = tell("", &failure);
    assert_has(told->message, "evil");
    assert_null(strchr(told->message, '\x1b'));
    assert_null(strchr(told->message, '\n'));
    assert_null(strchr(told->advice, '\x1b'));
    assert_has(told->advice, "RemoteID");
    forget(told);
}

/* The text may fill its array to the end. */
static void a_text_without_an_end_is_cut(void **state)
{
    IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                          .detail = IKE_DETAIL_WRONG_REMOTE_ID};
    memset(failure.text, 'a', sizeof(failure.text));
    Told *told = tell("", &failure);
    assert_true(strlen(told->message) < 2 * IKE_ID_MAX);
    forget(told);
}

static void a_refused_password_says_that_it_is_not_tried_again(void **state)
{
    const IkeFailure failure = {.reason = IKE_REASON_USER_AUTHENTICATION,
                                .detail = IKE_DETAIL_PASSWORD};
    Told *told = tell("[UserAuth]\nUser=carol\n", &failure);
    assert_int_equal(told->code, DIALTONE_FAILURE_USER_AUTHENTICATION);
    assert_has(told->advice, "[UserAuth] User (carol)");
    assert_has(told->advice, "not tried again");
    forget(told);
}

static void only_silence_and_loss_may_do_better_elsewhere(void **state)
{
    for (int reason = 0; reason <= IKE_REASON_STOPPED; reason++) {
        const IkeFailure failure = {.reason = (IkeReason)reason};
        assert_int_equal(tunnel_failure_is_transient(&failure),
                         reason == IKE_REASON_UNREACHABLE || reason == IKE_REASON_TUNNEL_LOST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_detail_has_a_sentence_and_advice),
        cmocka_unit_test(the_sentences_that_only_odd_gateways_cause_are_these),
        cmocka_unit_test(a_detail_from_the_future_does_no_harm),
        cmocka_unit_test(reasons_are_the_contract_s_codes),
        cmocka_unit_test(no_proposal_chosen_shows_each_attempt_and_both_spellings),
        cmocka_unit_test(refused_phase_2_proposals_are_told_from_phase_1_s),
        cmocka_unit_test(what_junos_can_t_spell_is_left_out),
        cmocka_unit_test(a_refused_id_names_the_other_kind_in_junos_words),
        cmocka_unit_test(the_other_kind_of_a_host_name_is_an_email_address),
        cmocka_unit_test(silence_names_the_port_that_was_tried),
        cmocka_unit_test(where_a_user_was_offered_the_advice_says_so),
        cmocka_unit_test(an_id_of_phase_2_is_about_networks),
        cmocka_unit_test(a_wrong_key_a_wrong_id_and_silence_read_differently),
        cmocka_unit_test(an_unknown_gateway_shows_its_name_but_can_t_draw),
        cmocka_unit_test(a_text_without_an_end_is_cut),
        cmocka_unit_test(a_refused_password_says_that_it_is_not_tried_again),
        cmocka_unit_test(only_silence_and_loss_may_do_better_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
