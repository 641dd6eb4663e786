/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a report says the gateway is: relied on by the pin, which warns of another one before a
 * password is typed. No session begins here. */
#include "tunnel-kit.h"

#include <errno.h>
#include <string.h>

#include "client/tunnel/tunnel-private.h"
#include "ike/algs.h"

int __wrap_ike_session_new(IkeSession **sessionp, const IkeConfig *config, IkeRandomFn random,
                           void *context);

int __wrap_ike_session_new(IkeSession **sessionp, const IkeConfig *config, IkeRandomFn random,
                           void *context)
{
    return -ENOMEM;
}

/* Sent on to another gateway, which has proven nothing yet. */
static void a_gateway_has_no_name_before_it_has_proven_one(void **state)
{
    Tunnel tunnel = {.state = DIALTONE_STATE_PHASE1, .state_fd = -1};
    const IkeAddress other = kit_address("192.0.2.2");
    g_autoptr(GError) error = NULL;
    char member[] = "192.0.2.1";

    tunnel.profile = kit_profile("");
    tunnel.secrets = tunnel_secrets_new();
    tunnel.pumping = true;
    tunnel.member = member;
    tunnel.session = (IkeSession *)&tunnel;
    tunnel.phase1.chosen.cipher = ike_cipher_by_name("aes256");
    tunnel.phase1.gateway = (IkeIdentity){.type = IKE_ID_FQDN, .n = 2, .bytes = "gw"};
    g_autoptr(DialtoneReport) before = tunnel_report_new(&tunnel);
    assert_string_equal(before->remote_id, "fqdn:gw");
    g_autofree char *json = dialtone_report_to_json(before);
    g_autoptr(DialtoneReport) read = dialtone_report_from_json(json, strlen(json), &error);
    assert_non_null(read);
    assert_string_equal(read->member, "192.0.2.1");
    assert_false(tunnel_session_start(&tunnel, &other, &error));
    g_autoptr(DialtoneReport) after = tunnel_report_new(&tunnel);
    assert_null(after->remote_id);
    assert_null(after->member);
    tunnel_secrets_free(tunnel.secrets);
    dialtone_profile_free(tunnel.profile);
}

/* Of the helper's: it is told with what can be done about it, until the tunnel is set up anew. */
static void a_warning_is_a_part_of_what_is_connected_alone(void **state)
{
    char warning[] = "network-contested: another program keeps removing routes";
    Tunnel tunnel = {.state = DIALTONE_STATE_CONNECTED, .state_fd = -1, .warning = warning};

    tunnel.profile = kit_profile("");
    tunnel.sas = g_array_new(FALSE, TRUE, sizeof(TunnelSa));
    g_autoptr(DialtoneReport) connected = tunnel_report_new(&tunnel);
    g_autofree char *line = dialtone_report_to_line(connected);
    assert_string_equal(connected->message, warning);
    assert_non_null(strstr(connected->advice, "manages this computer's network"));
    assert_non_null(strstr(line, warning));
    assert_int_equal(connected->reason, DIALTONE_FAILURE_NONE);
    tunnel.state = DIALTONE_STATE_RECONNECTING;
    g_autoptr(DialtoneReport) lost = tunnel_report_new(&tunnel);
    assert_null(lost->message);
    tunnel.state = DIALTONE_STATE_CONNECTED;
    tunnel.warning = NULL;
    g_autoptr(DialtoneReport) quiet = tunnel_report_new(&tunnel);
    assert_null(quiet->message);
    assert_null(quiet->advice);
    g_array_unref(tunnel.sas);
    dialtone_profile_free(tunnel.profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_is_a_part_of_what_is_connected_alone),
        cmocka_unit_test(a_gateway_has_no_name_before_it_has_proven_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
