/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile's text becomes: every key's value and default, and the tolerance that is promised
 * (CRLF, a byte order mark, blanks, no newline at the end).
 */
#include "profile-kit.h"

#include <arpa/inet.h>
#include <string.h>

#include "client/common/offload.h"
#include "client/profile/schema.h"

static DialtoneProfile *valid_with(const char *group, const char *key, const char *value)
{
    g_autofree char *text = profile_with(group, key, value);

    return expect_valid(text);
}

static const DialtoneEndpoint *gateway(const DialtoneProfile *profile, guint i)
{
    assert_in_range(i, 0, profile->gateways->len - 1);
    return &g_array_index(profile->gateways, DialtoneEndpoint, i);
}

static void assert_proposal(const GArray *proposals, guint i, const char *text)
{
    assert_in_range(i, 0, proposals->len - 1);
    g_autofree char *got =
        dialtone_proposal_to_text(&g_array_index(proposals, DialtoneProposal, i));
    assert_string_equal(got, text);
}

/* Users copy it from the manual: it has to work as it stands. */
static void test_the_sample_is_valid_and_every_value_arrives(void **state)
{
    gsize n = 0;
    g_autofree char *text = read_source_file("docs/sample.dialtone", &n);
    g_autoptr(DialtoneProfile) p = expect_valid(text);

    assert_string_equal(p->name, "Head office");
    assert_string_equal(p->description, "SRX cluster, Amsterdam");
    assert_string_equal(p->uuid, "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11");
    assert_int_equal(p->gateways->len, 2);
    assert_string_equal(gateway(p, 0)->host, "vpn.example.com");
    assert_string_equal(gateway(p, 1)->host, "vpn2.example.com");
    assert_int_equal(gateway(p, 0)->port, 500);
    assert_int_equal(p->remote_id.kind, DIALTONE_ID_ANY);
    assert_int_equal(p->id.kind, DIALTONE_ID_EMAIL);
    assert_string_equal(p->id.value, "alice@example.com");
    assert_int_equal(p->auth, DIALTONE_AUTH_PSK);
    assert_int_equal(p->certificate_source, DIALTONE_CERT_KEYRING);
    assert_int_equal(p->ca_source, DIALTONE_CA_FILE);
    assert_string_equal(p->ca, "/etc/ssl/certs/corp.pem");
    assert_int_equal(p->phase1_proposals->len, 2);
    assert_proposal(p->phase1_proposals, 0, "aes256-sha256-modp2048");
    assert_proposal(p->phase1_proposals, 1, "aes128-sha1-modp1024");
    assert_int_equal(p->phase1_lifetime, 8 * 3600);
    assert_int_equal(p->xauth, DIALTONE_XAUTH_AUTO);
    assert_string_equal(p->user, "alice");
    assert_int_equal(p->phase2_proposals->len, 2);
    assert_proposal(p->phase2_proposals, 0, "aes256gcm16-modp2048");
    assert_proposal(p->phase2_proposals, 1, "aes256-sha256-modp2048");
    assert_int_equal(p->phase2_lifetime, 3600);
    assert_int_equal(p->phase2_lifetime_kb, 0);
    assert_int_equal(p->networks->len, 2);
    assert_int_equal(p->config, DIALTONE_CONFIG_AUTO);
    assert_int_equal(p->dns_mode, DIALTONE_DNS_AUTO);
    assert_int_equal(p->exclude->len, 1);
    assert_int_equal(p->mtu, 0);
    assert_int_equal(p->kill_switch, DIALTONE_KILL_SWITCH_NO);
    assert_false(p->autoconnect);
    assert_false(p->keep_after_logout);
    assert_true(p->retry_for == DIALTONE_FOREVER);
    assert_int_equal(p->psk_source, DIALTONE_SOURCE_KEYRING);
    assert_int_equal(p->password_source, DIALTONE_SOURCE_KEYRING);
    assert_int_equal(p->natt, DIALTONE_NATT_FORCE);
    assert_int_equal(p->id_port, 0);
    assert_int_equal(p->selectors, DIALTONE_SELECTORS_EACH);
    assert_int_equal(p->initial_contact, DIALTONE_TRI_AUTO);
    assert_false(p->sha256_truncation);
    assert_false(p->offer_plain_psk);
    assert_int_equal(p->offloads, DIALTONE_OFFLOADS_ALL);
}

static void test_the_shortest_profile_gets_every_default(void **state)
{
    g_autoptr(DialtoneProfile) p =
        expect_valid("[Gateway]\nAddress=gw\n[Identity]\nID=host.example.com\nAuth=psk\n");

    assert_string_equal(p->name, "F");
    assert_null(p->uuid);
    assert_null(p->user);
    assert_int_equal(p->remote_id.kind, DIALTONE_ID_ANY);
    assert_int_equal(p->id.kind, DIALTONE_ID_FQDN);
    assert_int_equal(p->ca_source, DIALTONE_CA_SYSTEM);
    assert_int_equal(p->phase1_lifetime, 28800);
    assert_int_equal(p->phase2_lifetime, 3600);
    assert_int_equal(p->networks->len, 0);
    assert_true(p->retry_for == DIALTONE_FOREVER);
    assert_int_equal(p->natt, DIALTONE_NATT_FORCE);
    assert_int_equal(p->selectors, DIALTONE_SELECTORS_EACH);
    for (guint i = 0; i < p->phase1_proposals->len; i++)
        assert_false(
            dialtone_proposal_is_weak(&g_array_index(p->phase1_proposals, DialtoneProposal, i)));
}

static void test_crlf_is_accepted(void **state)
{
    g_autoptr(DialtoneProfile) p =
        expect_valid("[Gateway]\r\nAddress=192.0.2.1\r\n\r\n"
                     "# office\r\n[Identity]\r\nID=a@b.c\r\nAuth=psk\r\n");
    assert_string_equal(p->id.value, "a@b.c");
}

static void test_a_byte_order_mark_is_skipped(void **state)
{
    dialtone_profile_free(expect_valid("\xef\xbb\xbf" GOOD_PROFILE));
}

static void test_the_last_line_needs_no_newline(void **state)
{
    g_autoptr(DialtoneProfile) p = expect_valid(PROFILE_AND("[UserAuth]\nUser=alice"));
    assert_string_equal(p->user, "alice");
}

static void test_blanks_around_keys_values_and_items_are_dropped(void **state)
{
    g_autoptr(DialtoneProfile) p =
        expect_valid("  [Gateway]\t\n Address =  a.example ; b.example ; \n[Identity]\n"
                     "\tID\t=\ta@b.c \nAuth=psk\n  # indented\n");
    assert_int_equal(p->gateways->len, 2);
    assert_string_equal(gateway(p, 1)->host, "b.example");
    assert_string_equal(p->id.value, "a@b.c");
}

static void test_a_hash_within_a_value_belongs_to_it(void **state)
{
    g_autoptr(DialtoneProfile) p = valid_with("Profile", "Name", "Office # 3 = x ; y");
    assert_string_equal(p->name, "Office # 3 = x ; y");
}

static void test_empty_free_text_is_unset(void **state)
{
    g_autoptr(DialtoneProfile) p =
        expect_valid(PROFILE_AND("[Profile]\nDescription=\n[UserAuth]\nUser=\n"));
    assert_null(p->description);
    assert_null(p->user);
}

static void test_escapes_of_glib_are_read_and_written(void **state)
{
    g_autoptr(DialtoneProfile) p = valid_with("UserAuth", "User", "\\s\\sDOMAIN\\\\alice");
    g_autofree char *text = dialtone_profile_to_text(p, false);

    assert_string_equal(p->user, "  DOMAIN\\alice");
    assert_non_null(strstr(text, "User=\\s\\sDOMAIN\\\\alice\n"));
}

/* What GLib's own writer makes of a user's name is read back as that name. */
static void test_values_written_by_glib_read_the_same(void **state)
{
    static const char *const users[] = {"DOMAIN\\sam", "  blanks",        "#x",   "a=b;c", "\\",
                                        "münchen",     "\\\\host\\share", "x # y"};

    for (gsize i = 0; i < G_N_ELEMENTS(users); i++) {
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_key_file_set_string(file, "Gateway", "Address", "192.0.2.1");
        g_key_file_set_string(file, "Identity", "ID", "a@b.c");
        g_key_file_set_string(file, "Identity", "Auth", "psk");
        g_key_file_set_string(file, "UserAuth", "User", users[i]);
        g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
        g_autoptr(DialtoneProfile) p = expect_valid(text);
        assert_string_equal(p->user, users[i]);
    }
}

static void test_gateways_with_and_without_ports(void **state)
{
    g_autoptr(DialtoneProfile) p =
        valid_with("Gateway", "Address",
                   "vpn.example.com:4500;192.0.2.1:501;2001:db8::1;[2001:DB8::2];[2001:db8::3]:500;"
                   "bücher.example;my_gw.local;gw.example.");

    assert_int_equal(gateway(p, 0)->port, 4500);
    assert_true(gateway(p, 0)->port_set);
    assert_false(gateway(p, 0)->is_ip);
    assert_string_equal(gateway(p, 1)->host, "192.0.2.1");
    assert_int_equal(gateway(p, 1)->port, 501);
    assert_true(gateway(p, 1)->is_ip);
    assert_string_equal(gateway(p, 2)->host, "2001:db8::1");
    assert_int_equal(gateway(p, 2)->port, 500);
    assert_false(gateway(p, 2)->port_set);
    assert_string_equal(gateway(p, 3)->host, "2001:db8::2");
    assert_true(gateway(p, 4)->port_set);
    assert_string_equal(gateway(p, 5)->host, "xn--bcher-kva.example");
    assert_string_equal(gateway(p, 6)->host, "my_gw.local");
    assert_string_equal(dialtone_profile_value(p, "Gateway", "Address"),
                        "vpn.example.com:4500;192.0.2.1:501;2001:db8::1;2001:db8::2;"
                        "[2001:db8::3]:500;xn--bcher-kva.example;my_gw.local;gw.example.");
}

static void test_identities(void **state)
{
    static const struct {
        const char *text;
        DialtoneIdKind kind;
        const char *value;
    } ids[] = {
        {"alice@example.com", DIALTONE_ID_EMAIL, "alice@example.com"},
        {"host.example.com", DIALTONE_ID_FQDN, "host.example.com"},
        {"vpngroup", DIALTONE_ID_FQDN, "vpngroup"},
        {"keyid:VPN Users", DIALTONE_ID_KEYID, "VPN Users"},
        {"keyid:10.1.2.3", DIALTONE_ID_KEYID, "10.1.2.3"},
        {"keyid:a@b", DIALTONE_ID_KEYID, "a@b"},
        {"1.2.3.4.example.com", DIALTONE_ID_FQDN, "1.2.3.4.example.com"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(DialtoneProfile) p = valid_with("Identity", "ID", ids[i].text);
        assert_int_equal(p->id.kind, ids[i].kind);
        assert_string_equal(p->id.value, ids[i].value);
    }
}

static void test_remote_identities(void **state)
{
    static const struct {
        const char *text;
        DialtoneIdKind kind;
        const char *value;
    } ids[] = {
        {"any", DIALTONE_ID_ANY, NULL},
        {"fqdn:vpn.example.com", DIALTONE_ID_FQDN, "vpn.example.com"},
        {"email:gw@example.com", DIALTONE_ID_EMAIL, "gw@example.com"},
        {"ip:192.0.2.1", DIALTONE_ID_IP, "192.0.2.1"},
        {"ip:2001:db8::1", DIALTONE_ID_IP, "2001:db8::1"},
        {"dn:C=NL, O=Example, CN=gw", DIALTONE_ID_DN, "C=NL, O=Example, CN=gw"},
        {"dn:/C=NL/O=Example/CN=gw", DIALTONE_ID_DN, "/C=NL/O=Example/CN=gw"},
        {"dn:O=Sons\\\\, Ltd, CN=gw", DIALTONE_ID_DN, "O=Sons\\, Ltd, CN=gw"},
        {"keyid:gateway 1", DIALTONE_ID_KEYID, "gateway 1"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(DialtoneProfile) p = valid_with("Gateway", "RemoteID", ids[i].text);
        assert_int_equal(p->remote_id.kind, ids[i].kind);
        if (ids[i].value != NULL)
            assert_string_equal(p->remote_id.value, ids[i].value);
    }
}

static void test_authentication_follows_from_what_is_given(void **state)
{
    static const struct {
        const char *lines;
        DialtoneAuth auth;
        DialtoneIdKind remote;
    } cases[] = {
        {"Auth=psk\n", DIALTONE_AUTH_PSK, DIALTONE_ID_ANY},
        {"[Secrets]\nPSK=ask\n", DIALTONE_AUTH_PSK, DIALTONE_ID_ANY},
        {"Certificate=keyring\n", DIALTONE_AUTH_CERTIFICATE, DIALTONE_ID_ADDRESS},
        {"Auth=certificate\nCertificate=pkcs11:token=x\n", DIALTONE_AUTH_CERTIFICATE,
         DIALTONE_ID_ADDRESS},
        {"Auth=hybrid\n", DIALTONE_AUTH_HYBRID, DIALTONE_ID_ADDRESS},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat("[Gateway]\nAddress=gw.example\n[Identity]\nID=a@b.c\n",
                                            cases[i].lines, NULL);
        g_autoptr(DialtoneProfile) p = expect_valid(text);
        g_autofree char *normal = dialtone_profile_to_text(p, false);
        g_autoptr(DialtoneProfile) again = expect_valid(normal);
        assert_int_equal(p->auth, cases[i].auth);
        assert_int_equal(p->remote_id.kind, cases[i].remote);
        assert_int_equal(again->auth, cases[i].auth);
    }
}

static void test_certificates_and_authorities(void **state)
{
    g_autoptr(DialtoneProfile) file = valid_with("Identity", "Certificate", "file:/home/a/b c.p12");
    g_autoptr(DialtoneProfile) card =
        valid_with("Identity", "Certificate", "pkcs11:token=My%20Card;object=vpn?pin-source=x");
    g_autoptr(DialtoneProfile) folder = valid_with("Identity", "CA", "directory:/etc/ssl/certs");

    assert_int_equal(file->certificate_source, DIALTONE_CERT_FILE);
    assert_string_equal(file->certificate, "/home/a/b c.p12");
    assert_int_equal(card->certificate_source, DIALTONE_CERT_PKCS11);
    assert_string_equal(card->certificate, "pkcs11:token=My%20Card;object=vpn?pin-source=x");
    assert_int_equal(folder->ca_source, DIALTONE_CA_DIRECTORY);
    assert_string_equal(folder->ca, "/etc/ssl/certs");
}

static void test_offloads(void **state)
{
    static const struct {
        const char *text;
        guint set;
    } cases[] = {
        {"auto", DIALTONE_OFFLOADS_ALL},
        {"none", 0},
        {"vnet-hdr", DIALTONE_OFFLOAD_VNET_HDR},
        {" gro ; gso;", DIALTONE_OFFLOAD_GSO | DIALTONE_OFFLOAD_GRO},
        {"vnet-hdr;uso;gso;gro;multi-buffer", DIALTONE_OFFLOADS_ALL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(DialtoneProfile) p = valid_with("Quirks", "Offloads", cases[i].text);
        g_autofree char *normal = dialtone_profile_to_text(p, false);
        g_autoptr(DialtoneProfile) again = expect_valid(normal);
        assert_int_equal(p->offloads, cases[i].set);
        assert_int_equal(again->offloads, cases[i].set);
    }
}

static void test_revocation_lists(void **state)
{
    g_autoptr(DialtoneProfile) p = valid_with(
        "Identity", "CRL",
        "file:/a b.crl ; directory:/etc/crls;http://ca.example.com:8080/ca.crl?a=b;http://[::1]/x");

    assert_int_equal(p->crls->len, 4);
    assert_string_equal(p->crls->pdata[0], "/a b.crl");
    assert_string_equal(p->crls->pdata[1], "/etc/crls");
    assert_string_equal(p->crls->pdata[2], "http://ca.example.com:8080/ca.crl?a=b");
    assert_string_equal(p->crls->pdata[3], "http://[::1]/x");
    assert_false(p->require_crl);
}

static void test_every_word_of_the_contract_is_a_proposal(void **state)
{
    static const char *const ciphers[] = {"des", "3des", "aes128", "aes192", "aes256"};
    static const char *const aeads[] = {"aes128gcm16", "aes192gcm16", "aes256gcm16"};
    static const char *const hashes[] = {"md5", "sha1", "sha256", "sha384", "sha512"};
    static const char *const groups[] = {"modp768",  "modp1024",  "modp1536", "modp2048",
                                         "modp3072", "modp4096",  "ecp256",   "ecp384",
                                         "ecp521",   "curve25519"};

    for (gsize c = 0; c < G_N_ELEMENTS(ciphers); c++)
        for (gsize h = 0; h < G_N_ELEMENTS(hashes); h++)
            for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
                g_autofree char *text =
                    g_strdup_printf("%s-%s-%s", ciphers[c], hashes[h], groups[g]);
                g_autoptr(DialtoneProfile) one = valid_with("Phase1", "Proposals", text);
                g_autoptr(DialtoneProfile) two = valid_with("Phase2", "Proposals", text);
                assert_proposal(one->phase1_proposals, 0, text);
                assert_proposal(two->phase2_proposals, 0, text);
            }
    for (gsize a = 0; a < G_N_ELEMENTS(aeads); a++) {
        g_autoptr(DialtoneProfile) p = valid_with("Phase2", "Proposals", aeads[a]);
        const DialtoneProposal *first = &g_array_index(p->phase2_proposals, DialtoneProposal, 0);
        assert_null(first->hash);
        assert_null(first->group);
    }
}

static void test_c12_weak_algorithms_are_warnings_at_their_line(void **state)
{
    static const char *const weak[] = {"des", "3des", "md5", "modp768", "modp1024", "modp1536"};
    static const char text[] = PROFILE_AND("[Phase2]\nProposals=des-md5-modp768;3des-sha1-modp1024;"
                                           "aes128-sha1-modp1536\n");
    g_autofree char *findings = findings_of(text, strlen(text));
    g_autoptr(DialtoneProfile) p = expect_valid(text);

    for (gsize i = 0; i < G_N_ELEMENTS(weak); i++) {
        g_autofree char *said =
            g_strdup_printf("F:10: warning: [Phase2] Proposals: %s in ", weak[i]);
        assert_non_null(strstr(findings, said));
    }
    assert_null(strstr(findings, "sha1 in"));
    for (guint i = 0; i < 3; i++)
        assert_true(
            dialtone_proposal_is_weak(&g_array_index(p->phase2_proposals, DialtoneProposal, i)));
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        guint64 seconds;
    } durations[] = {{"8h", 28800}, {"30m", 1800}, {"3600", 3600},    {"1d", 86400},
                     {"10s", 10},   {"010", 10},   {"365d", 31536000}};

    for (gsize i = 0; i < G_N_ELEMENTS(durations); i++) {
        g_autoptr(DialtoneProfile) p = valid_with("Phase1", "Lifetime", durations[i].text);
        assert_int_equal(p->phase1_lifetime, durations[i].seconds);
    }
    g_autoptr(DialtoneProfile) zero = valid_with("Network", "RetryFor", "0");
    g_autoptr(DialtoneProfile) forever = valid_with("Network", "RetryFor", "forever");
    assert_int_equal(zero->retry_for, 0);
    assert_true(forever->retry_for == DIALTONE_FOREVER);
}

static void test_networks_of_both_families(void **state)
{
    g_autoptr(DialtoneProfile) p =
        valid_with("Phase2", "Networks", "0.0.0.0/0;10.0.0.0/8;10.1.2.3/32;2001:DB8::/32;::/0");
    const DialtoneNetwork *v6 = &g_array_index(p->networks, DialtoneNetwork, 3);
    const DialtoneNetwork *ten = &g_array_index(p->networks, DialtoneNetwork, 1);

    assert_int_equal(p->networks->len, 5);
    assert_int_equal(ten->family, AF_INET);
    assert_int_equal(ten->bytes[0], 10);
    assert_int_equal(ten->prefix, 8);
    assert_int_equal(v6->family, AF_INET6);
    assert_int_equal(v6->prefix, 32);
    assert_string_equal(dialtone_profile_value(p, "Phase2", "Networks"),
                        "0.0.0.0/0;10.0.0.0/8;10.1.2.3/32;2001:db8::/32;::/0");
}

static void test_an_address_without_configuration(void **state)
{
    g_autoptr(DialtoneProfile) p =
        expect_valid(PROFILE_AND("[Network]\nConfig=none\nAddress=10.1.2.3/24;2001:db8::3\n"));
    const DialtoneNetwork *v4 = &g_array_index(p->addresses, DialtoneNetwork, 0);

    assert_int_equal(p->addresses->len, 2);
    assert_int_equal(v4->prefix, 24);
    assert_int_equal(v4->bytes[3], 3);
    assert_string_equal(dialtone_profile_value(p, "Network", "Address"),
                        "10.1.2.3/24;2001:db8::3/128");
}

static void test_name_servers(void **state)
{
    g_autoptr(DialtoneProfile) none = valid_with("Network", "DNS", "none");
    g_autoptr(DialtoneProfile) list = valid_with("Network", "DNS", "10.0.0.53; 2001:db8::53");

    assert_int_equal(none->dns_mode, DIALTONE_DNS_NONE);
    assert_int_equal(list->dns_mode, DIALTONE_DNS_LIST);
    assert_int_equal(list->dns->len, 2);
    assert_string_equal(list->dns->pdata[1], "2001:db8::53");
}

static void test_the_name_comes_from_the_file_where_there_is_none(void **state)
{
    g_autoptr(DialtoneProfile) p = dialtone_profile_parse(GOOD_PROFILE, strlen(GOOD_PROFILE),
                                                          "/home/alice/Head office.dialtone", NULL);
    assert_string_equal(p->name, "Head office");
}

static void test_a_uuid_is_lower_case(void **state)
{
    g_autoptr(DialtoneProfile) p =
        valid_with("Profile", "UUID", "6F1C0F5E-0D0F-4D53-8A36-1C1D4F0A2B11");
    assert_string_equal(p->uuid, "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11");
}

static void test_a_kill_switch_ends_with_the_connection_or_persists(void **state)
{
    DialtoneProfile *yes = expect_valid(PROFILE_AND("[Network]\nKillSwitch=yes\n"));
    DialtoneProfile *persistent = expect_valid(PROFILE_AND("[Network]\nKillSwitch=persistent\n"));

    assert_int_equal(yes->kill_switch, DIALTONE_KILL_SWITCH_YES);
    assert_int_equal(persistent->kill_switch, DIALTONE_KILL_SWITCH_PERSISTENT);
    dialtone_profile_free(yes);
    dialtone_profile_free(persistent);
}

/* What is text in a profile is bytes on the air; and `#` and `,` are in many names. */
static void test_places_are_ssids_and_networks(void **state)
{
    static const char value[] = "ssid:Caf\xc3\xa9 #2, upstairs; ssid:0x00ff3B ;network:A\\\\b;";
    g_autoptr(DialtoneProfile) p = valid_with("Rules", "Never", value);
    const DialtonePlace *places = (const DialtonePlace *)(const void *)p->never->data;
    const guint8 *bytes = g_bytes_get_data(places[1].ssid, NULL);

    assert_int_equal(p->never->len, 3);
    assert_int_equal(g_bytes_get_size(places[0].ssid), strlen("Caf\xc3\xa9 #2, upstairs"));
    assert_int_equal(g_bytes_get_size(places[1].ssid), 3);
    assert_int_equal(bytes[0], 0x00);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(bytes[2], ';');
    assert_string_equal(places[2].network, "A\\b");
    assert_string_equal(dialtone_profile_value(p, "Rules", "Never"),
                        "ssid:Caf\xc3\xa9 #2, upstairs;ssid:0x00ff3B;network:A\\\\b");
}

static void test_warnings_leave_a_profile_valid(void **state)
{
    static const char *const texts[] = {
        PROFILE_AND("[Network]\nAddress=10.1.2.3\n"),
        PROFILE_AND("[UserAuth]\nXAuth=no\nUser=alice\n"),
        PROFILE_AND("[UserAuth]\nXAuth=required\n[Quirks]\nInitialContact=yes\n"),
        PROFILE_AND("[Phase2]\nProposals=aes256-sha256-curve25519\n"),
        PROFILE_AND("[Phase2]\nLifetime=8\n"),
        PROFILE_AND("[UserAuth]\nUser=alice # the admin\n"),
        PROFILE_AND("[Rules]\nTrusted=ssid:Office\n"),
        PROFILE_AND("[Rules]\nConnect=untrusted\n"),
        PROFILE_AND("[Rules]\nNever=ssid:\"Office\"\n"),
        PROFILE_AND("[Network]\nKillSwitch=persistent\n[Rules]\nNever=ssid:Office\n"),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *findings = findings_of(texts[i], strlen(texts[i]));
        assert_non_null(strstr(findings, ": warning: ["));
        dialtone_profile_free(expect_valid(texts[i]));
    }
}

static void test_every_key_of_the_schema_has_a_help_and_a_syntax(void **state)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        assert_non_null(row->syntax);
        assert_true(g_str_has_suffix(row->help, "."));
        assert_ptr_equal(dialtone_profile_key(row->group, row->key), row);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sample_is_valid_and_every_value_arrives),
        cmocka_unit_test(test_the_shortest_profile_gets_every_default),
        cmocka_unit_test(test_crlf_is_accepted),
        cmocka_unit_test(test_a_byte_order_mark_is_skipped),
        cmocka_unit_test(test_the_last_line_needs_no_newline),
        cmocka_unit_test(test_blanks_around_keys_values_and_items_are_dropped),
        cmocka_unit_test(test_a_hash_within_a_value_belongs_to_it),
        cmocka_unit_test(test_empty_free_text_is_unset),
        cmocka_unit_test(test_escapes_of_glib_are_read_and_written),
        cmocka_unit_test(test_values_written_by_glib_read_the_same),
        cmocka_unit_test(test_gateways_with_and_without_ports),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_remote_identities),
        cmocka_unit_test(test_authentication_follows_from_what_is_given),
        cmocka_unit_test(test_certificates_and_authorities),
        cmocka_unit_test(test_offloads),
        cmocka_unit_test(test_revocation_lists),
        cmocka_unit_test(test_every_word_of_the_contract_is_a_proposal),
        cmocka_unit_test(test_c12_weak_algorithms_are_warnings_at_their_line),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_networks_of_both_families),
        cmocka_unit_test(test_an_address_without_configuration),
        cmocka_unit_test(test_name_servers),
        cmocka_unit_test(test_the_name_comes_from_the_file_where_there_is_none),
        cmocka_unit_test(test_a_uuid_is_lower_case),
        cmocka_unit_test(test_a_kill_switch_ends_with_the_connection_or_persists),
        cmocka_unit_test(test_places_are_ssids_and_networks),
        cmocka_unit_test(test_warnings_leave_a_profile_valid),
        cmocka_unit_test(test_every_key_of_the_schema_has_a_help_and_a_syntax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
