/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From profile and secrets to the core's configuration. The core believes it without looking, so
 * each word of a profile is followed to where it arrives. */
#include "tunnel-kit.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/tunnel/config.h"

static IkeConfig *fill(const char *more, TunnelSecrets *secrets)
{
    static IkeConfig config;
    GError *error = NULL;
    g_autoptr(DialtoneProfile) profile = kit_profile(more);
    memset(&config, 0, sizeof(config));
    assert_true(tunnel_config_fill(&config, profile, secrets, &error));
    assert_null(error);
    return &config;
}

static TunnelSecrets *secrets_of(const char *psk, const char *user, const char *password)
{
    TunnelSecrets *secrets = tunnel_secrets_new();
    assert_non_null(secrets);
    if (psk != NULL)
        assert_true(tunnel_secret_set(&secrets->psk, psk, strlen(psk)));
    if (user != NULL)
        assert_true(tunnel_secret_set(&secrets->user, user, strlen(user)));
    if (password != NULL)
        assert_true(tunnel_secret_set(&secrets->password, password, strlen(password)));
    return secrets;
}

static void secrets_arrive_byte_for_byte(void **state)
{
    static const uint8_t odd[] = {0, ' ', '#', ';', '=', '\\', '"', 0xc3, 0xa9, 0xff, 0};
    g_autoptr(TunnelSecrets) secrets = tunnel_secrets_new();
    assert_true(tunnel_secret_set(&secrets->psk, odd, sizeof(odd)));
    const IkeConfig *config = fill("", secrets);
    assert_true(config->psk.known);
    assert_int_equal(config->psk.n, sizeof(odd));
    assert_memory_equal(config->psk.bytes, odd, sizeof(odd));
    assert_false(config->password.known);
}

static void a_secret_that_is_too_long_changes_nothing(void **state)
{
    static uint8_t big[IKE_SECRET_MAX + 1];
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    assert_false(tunnel_secret_set(&secrets->psk, big, sizeof(big)));
    assert_int_equal(secrets->psk.n, 3);
    assert_true(tunnel_secret_set(&secrets->psk, big, IKE_SECRET_MAX));
}

/* An empty secret is one that is known, not one to be asked for. */
static void an_empty_secret_is_known(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, "");
    assert_true(fill("", secrets)->password.known);
}

static void the_user_of_the_secrets_wins_over_the_profile_s(void **state)
{
    g_autoptr(TunnelSecrets) both = secrets_of("psk", "bob", NULL);
    const IkeConfig *config = fill("[UserAuth]\nUser=alice\n", both);
    assert_int_equal(config->user.n, 3);
    assert_memory_equal(config->user.bytes, "bob", 3);
    g_autoptr(TunnelSecrets) none = secrets_of("psk", NULL, NULL);
    config = fill("[UserAuth]\nUser=alice\n", none);
    assert_memory_equal(config->user.bytes, "alice", 5);
    assert_false(fill("", none)->user.known);
}

static void proposals_keep_their_order_and_lifetimes(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    const IkeConfig *config = fill("[Phase2]\nProposals=aes256gcm16-ecp384;3des-sha1\n"
                                   "Lifetime=20m\nLifetimeKB=5000\n",
                                   secrets);
    assert_int_equal(config->phase1_n, 2);
    assert_string_equal(config->phase1[0].group->name, "modp2048");
    assert_string_equal(config->phase1[1].cipher->name, "aes128");
    assert_int_equal(config->phase1_lifetime, 8 * 3600);
    assert_int_equal(config->phase2_n, 2);
    assert_null(config->phase2[0].integrity);
    assert_string_equal(config->phase2[0].pfs->name, "ecp384");
    assert_null(config->phase2[1].pfs);
    assert_int_equal(config->phase2_lifetime, 1200);
    assert_int_equal(config->phase2_lifetime_kb, 5000);
}

typedef struct IdRow {
    const char *line;
    IkeIdType type;
    const char *bytes;
    uint16_t n;
} IdRow;

static void ids_have_the_kind_their_spelling_says(void **state)
{
    static const IdRow rows[] = {
        {"ID=alice@example.com", IKE_ID_USER_FQDN, "alice@example.com", 17},
        {"ID=host.example.com", IKE_ID_FQDN, "host.example.com", 16},
        {"ID=keyid:grp", IKE_ID_KEY_ID, "grp", 3},
    };
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            g_strdup_printf("[Profile]\nName=a\n[Gateway]\nAddress=192.0.2.1\n[Identity]\n%s\n"
                            "Auth=psk\n[Phase1]\nProposals=aes128-sha1-modp2048\n"
                            "[Secrets]\nPSK=keyring\n",
                            rows[i].line);
        g_autoptr(DialtoneProfile) profile = kit_profile_of(text);
        IkeConfig config = {0};
        assert_true(tunnel_config_fill(&config, profile, secrets, NULL));
        assert_int_equal(config.id.type, rows[i].type);
        assert_int_equal(config.id.n, rows[i].n);
        assert_memory_equal(config.id.bytes, rows[i].bytes, rows[i].n);
        assert_int_equal(config.remote_id.type, IKE_ID_ANY);
    }
}

static bool fill_remote(const char *remote, IkeConfig *config, GError **error)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    g_autofree char *text =
        g_strdup_printf("[Profile]\nName=a\n[Gateway]\nAddress=192.0.2.1\nRemoteID=%s\n[Identity]\n"
                        "ID=a.example\nAuth=psk\n[Phase1]\nProposals=aes128-sha1-modp2048\n"
                        "[Secrets]\nPSK=keyring\n",
                        remote);
    g_autoptr(DialtoneProfile) profile = kit_profile_of(text);
    memset(config, 0, sizeof(*config));
    return tunnel_config_fill(config, profile, secrets, error);
}

static void the_gateway_s_id_is_followed_too(void **state)
{
    IkeConfig config;
    assert_true(fill_remote("fqdn:gw.example.com", &config, NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_FQDN);
    assert_true(fill_remote("ip:192.0.2.9", &config, NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_IPV4);
    assert_int_equal(config.remote_id.n, 4);
    assert_int_equal(config.remote_id.bytes[3], 9);
    assert_true(fill_remote("ip:2001:db8::1", &config, NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_IPV6);
    assert_int_equal(config.remote_id.n, 16);
}

/* RFC 2407, 4.6.2.9: the DER of the name, in the order it is written in. */
static void a_distinguished_name_arrives_as_der(void **state)
{
    static const guint8 der[] = {0x30, 0x1a, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04,
                                 0x06, 0x13, 0x02, 'N',  'L',  0x31, 0x0b, 0x30, 0x09, 0x06,
                                 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'g',  'w'};
    static const char *const written[] = {"dn:C=NL, CN=gw", "dn:C = NL,CN=gw", "dn:/C=NL/CN=gw",
                                          "dn:C=NL,CN=\\\\gw"};
    IkeConfig config;
    for (gsize i = 0; i < G_N_ELEMENTS(written); i++) {
        assert_true(fill_remote(written[i], &config, NULL));
        assert_int_equal(config.remote_id.type, IKE_ID_DER_ASN1_DN);
        assert_int_equal(config.remote_id.n, sizeof(der));
        assert_memory_equal(config.remote_id.bytes, der, sizeof(der));
    }
}

/* Better refused than compared with nothing. */
static void an_id_that_can_t_be_compared_is_refused(void **state)
{
    IkeConfig config;
    GError *error = NULL;
    assert_false(fill_remote("dn:C=NL, Nonsense=gw", &config, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_non_null(strstr(error->message, "RemoteID"));
    g_error_free(error);
}

static DialtoneProfile *profile_with_certificate(const char *remote)
{
    g_autofree char *text = g_strdup_printf(
        "[Gateway]\nAddress=gw.example.com;192.0.2.1\n%s\n[Identity]\nID=a@example.com\n"
        "Certificate=file:/a.pem\nCRL=file:/b.crl\nRequireCRL=yes\n",
        remote);
    return kit_profile_of(text);
}

static void credentials_are_lent_to_the_core(void **state)
{
    static IkeConfig config;
    g_autoptr(DialtoneProfile) profile = profile_with_certificate("");
    g_autoptr(TunnelCredentials) credentials = tunnel_credentials_new();
    g_ptr_array_add(credentials->chain, g_bytes_new("own", 3));
    g_ptr_array_add(credentials->anchors, g_bytes_new("one", 3));
    g_ptr_array_add(credentials->anchors, g_bytes_new("second", 6));
    g_ptr_array_add(credentials->crls, g_bytes_new("list", 4));
    g_autoptr(TunnelSecrets) secrets = secrets_of(NULL, NULL, NULL);
    assert_true(tunnel_config_fill(&config, profile, secrets, NULL));
    assert_int_equal(config.auth, IKE_AUTH_CERTIFICATE);
    assert_true(tunnel_config_fill_credentials(&config, profile, credentials, NULL));
    assert_int_equal(config.credentials.chain_n, 1);
    assert_memory_equal(config.credentials.chain[0].bytes, "own", 3);
    assert_int_equal(config.credentials.anchors_n, 2);
    assert_int_equal(config.credentials.anchors[1].n, 6);
    assert_memory_equal(config.credentials.crls[0].bytes, "list", 4);
    assert_true(config.credentials.require_crl);
}

static void certificates_without_authorities_are_refused(void **state)
{
    static IkeConfig config;
    g_autoptr(DialtoneProfile) profile = profile_with_certificate("");
    g_autoptr(TunnelCredentials) none = tunnel_credentials_new();
    g_autoptr(GError) first = NULL, second = NULL;
    assert_false(tunnel_config_fill_credentials(&config, profile, NULL, &first));
    assert_false(tunnel_config_fill_credentials(&config, profile, none, &second));
    assert_non_null(first);
    assert_non_null(second);
}

static void the_address_is_expected_where_no_remote_id_is_named(void **state)
{
    static IkeConfig config;
    g_autoptr(DialtoneProfile) unset = profile_with_certificate("");
    g_autoptr(DialtoneProfile) set = profile_with_certificate("RemoteID=fqdn:other.example.com");
    assert_true(tunnel_config_expect_host(&config, unset, "gw.example.com", NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_FQDN);
    assert_memory_equal(config.remote_id.bytes, "gw.example.com", 14);
    assert_true(tunnel_config_expect_host(&config, unset, "192.0.2.1", NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_IPV4);
    assert_int_equal(config.remote_id.n, 4);
    config.remote_id.type = IKE_ID_FQDN;
    assert_true(tunnel_config_expect_host(&config, set, "192.0.2.1", NULL));
    assert_int_equal(config.remote_id.type, IKE_ID_FQDN);
}

static void networks_are_masked(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    const IkeConfig *config = fill("[Phase2]\nNetworks=10.0.0.0/8;192.168.5.0/24\n", secrets);
    assert_int_equal(config->networks_n, 2);
    assert_int_equal(config->networks[0].family, 4);
    assert_int_equal(config->networks[0].prefix, 8);
    assert_int_equal(config->networks[1].bytes[2], 5);
}

static void quirks_arrive(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    const IkeConfig *config =
        fill("[Network]\nConfig=push\n[UserAuth]\nUser=a\n[Quirks]\nNatT=auto\nIDPort=500\n"
             "Selectors=any\nInitialContact=no\nSha256Truncation=yes\nOfferPlainPSK=yes\n"
             "Offloads=vnet-hdr;gso\n",
             secrets);
    assert_int_equal(config->config, IKE_CONFIG_PUSH);
    assert_int_equal(config->xauth, IKE_XAUTH_AUTO);
    assert_int_equal(config->natt, IKE_NATT_AUTO);
    assert_int_equal(config->id_port, 500);
    assert_int_equal(config->selectors, IKE_SELECTORS_ANY);
    assert_int_equal(config->initial_contact, IKE_NO);
    assert_true(config->sha256_truncation);
    assert_true(config->offer_plain_psk);
    assert_true(config->plain_crypto);
}

static void required_user_authentication_arrives(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    assert_int_equal(fill("[UserAuth]\nXAuth=required\n", secrets)->xauth, IKE_XAUTH_REQUIRED);
    assert_int_equal(fill("[UserAuth]\nXAuth=no\n", secrets)->xauth, IKE_XAUTH_NO);
}

static void defaults_force_encapsulation_and_quirk_nothing(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    const IkeConfig *config = fill("", secrets);
    assert_int_equal(config->natt, IKE_NATT_FORCE);
    assert_int_equal(config->xauth, IKE_XAUTH_AUTO);
    assert_int_equal(config->config, IKE_CONFIG_AUTO);
    assert_int_equal(config->selectors, IKE_SELECTORS_EACH);
    assert_int_equal(config->id_port, 0);
    assert_false(config->sha256_truncation || config->offer_plain_psk || config->plain_crypto);
    assert_null(config->weakest_group);
}

static void an_own_address_is_the_ipv4_one(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    const IkeConfig *config = fill("[Network]\nConfig=none\nAddress=10.1.2.3/32\n", secrets);
    assert_int_equal(config->address.family, 4);
    assert_int_equal(config->address.bytes[3], 3);
}

static void a_dhcp_server_knows_machine_and_profile_by_a_name_that_lasts(void **state)
{
    g_autoptr(TunnelSecrets) secrets = secrets_of("psk", NULL, NULL);
    g_autoptr(DialtoneProfile) other = kit_profile("[Network]\nConfig=dhcp\n");
    static const uint8_t none[IKE_HARDWARE_SIZE] = {0};
    uint8_t first[IKE_HARDWARE_SIZE];
    IkeConfig second = {0};
    const IkeConfig *config = fill("[Network]\nConfig=dhcp\n", secrets);
    assert_int_equal(config->config, IKE_CONFIG_DHCP);
    memcpy(first, config->hardware, sizeof(first));
    assert_int_equal(first[0], 0x42); /* neither a group's nor a manufacturer's */
    assert_memory_equal(fill("[Network]\nConfig=dhcp\n", secrets)->hardware, first, sizeof(first));
    g_free(other->name);
    other->name = g_strdup("Another");
    assert_true(tunnel_config_fill(&second, other, secrets, NULL));
    assert_memory_not_equal(second.hardware, first, sizeof(first));
    assert_memory_equal(fill("", secrets)->hardware, none, sizeof(none));
}

static void a_password_is_expected_where_a_user_is(void **state)
{
    g_autoptr(DialtoneProfile) plain = kit_profile("");
    g_autoptr(DialtoneProfile) user = kit_profile("[UserAuth]\nUser=alice\n");
    g_autoptr(DialtoneProfile) no = kit_profile("[UserAuth]\nXAuth=no\n");
    g_autoptr(DialtoneProfile) required = kit_profile("[UserAuth]\nXAuth=required\n");
    assert_false(tunnel_config_expects_user(plain));
    assert_true(tunnel_config_expects_user(user));
    assert_false(tunnel_config_expects_user(no));
    assert_true(tunnel_config_expects_user(required));
}

static void only_des_needs_the_legacy_provider(void **state)
{
    g_autoptr(DialtoneProfile) des = kit_profile("[Phase2]\nProposals=aes128-sha1;des-md5\n");
    g_autoptr(DialtoneProfile) triple = kit_profile("[Phase2]\nProposals=3des-md5\n");
    assert_true(tunnel_config_needs_legacy(des));
    assert_false(tunnel_config_needs_legacy(triple));
}

static void addresses_go_both_ways(void **state)
{
    IkeAddress four = kit_address("192.0.2.1"), six = kit_address("2001:db8::1");
    four.port = six.port = 4500;
    g_autofree char *a = tunnel_address_text(&four);
    g_autofree char *b = tunnel_address_text(&six);
    assert_string_equal(a, "192.0.2.1:4500");
    assert_string_equal(b, "[2001:db8::1]:4500");
    IkeAddress none = {0};
    assert_int_equal(tunnel_address_from_ike(&none).family, AF_UNSPEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_arrive_byte_for_byte),
        cmocka_unit_test(a_secret_that_is_too_long_changes_nothing),
        cmocka_unit_test(an_empty_secret_is_known),
        cmocka_unit_test(the_user_of_the_secrets_wins_over_the_profile_s),
        cmocka_unit_test(proposals_keep_their_order_and_lifetimes),
        cmocka_unit_test(ids_have_the_kind_their_spelling_says),
        cmocka_unit_test(the_gateway_s_id_is_followed_too),
        cmocka_unit_test(a_distinguished_name_arrives_as_der),
        cmocka_unit_test(an_id_that_can_t_be_compared_is_refused),
        cmocka_unit_test(credentials_are_lent_to_the_core),
        cmocka_unit_test(certificates_without_authorities_are_refused),
        cmocka_unit_test(the_address_is_expected_where_no_remote_id_is_named),
        cmocka_unit_test(networks_are_masked),
        cmocka_unit_test(quirks_arrive),
        cmocka_unit_test(required_user_authentication_arrives),
        cmocka_unit_test(defaults_force_encapsulation_and_quirk_nothing),
        cmocka_unit_test(an_own_address_is_the_ipv4_one),
        cmocka_unit_test(a_dhcp_server_knows_machine_and_profile_by_a_name_that_lasts),
        cmocka_unit_test(a_password_is_expected_where_a_user_is),
        cmocka_unit_test(only_des_needs_the_legacy_provider),
        cmocka_unit_test(addresses_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
