/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each way in which a profile can be wrong, with the line that must be named and what the user
 * must be told. One case a row: a row that stops failing is a rule that was lost.
 */
#include "profile-kit.h"

#include <string.h>
#include <time.h>

typedef struct {
    const char *name;
    const char *text;
    const char *where;
    const char *said;
} Wrong;

static const Wrong WRONG[] = {
    /* ---- lines ---- */
    {"a line without an equals sign is refused", PROFILE_AND("[Network]\nMTU\n"),
     "F:10: [Network]: ", "no `=`"},
    {"two ways of connecting by itself are refused",
     PROFILE_AND("[Network]\nAutoconnect=yes\n[Rules]\nConnect=always\n"),
     "F:10: [Network] Autoconnect: ", "contradicts Connect of [Rules]"},
    {"a line that is no UTF-8 is refused", PROFILE_AND("[Profile]\nName=caf\xe9\n"),
     "F:10: [Profile]: ", "UTF-8"},
    {"a comment that is no UTF-8 is refused", PROFILE_AND("# caf\xe9\n"), "F:9: ", "UTF-8"},
    {"an overlong UTF-8 sequence is refused", PROFILE_AND("[Profile]\nName=\xc0\xaf\n"),
     "F:10: ", "UTF-8"},
    {"test_e1_a_control_character_is_refused", PROFILE_AND("[UserAuth]\nUser=alice\x01\n"),
     "F:10: ", "control character"},
    {"test_e1_a_carriage_return_in_a_user_is_refused",
     PROFILE_AND("[UserAuth]\nUser=alice\rPassword helper=x\n"), "F:10: ", "control character"},
    {"test_e3_a_vertical_tab_is_refused", PROFILE_AND("[UserAuth]\nUser=a\vb\n"),
     "F:10: ", "control character"},
    {"test_e1_del_is_refused",
     PROFILE_AND("[UserAuth]\nUser=a\x7f"
                 "b\n"),
     "F:10: ", "control character"},
    {"test_e3_a_c1_control_character_is_refused",
     PROFILE_AND("[UserAuth]\nUser=a\xc2\x9b"
                 "b\n"),
     "F:10: ", "control character"},
    {"a tab within a value is refused", PROFILE_AND("[UserAuth]\nUser=a\tb\n"),
     "F:10: ", "control character"},
    {"an escape sequence for a terminal is refused", PROFILE_AND("[Profile]\nName=\x1b[31mred\n"),
     "F:10: ", "control character"},
    {"a bidirectional override is refused",
     PROFILE_AND("[Profile]\nName=a\xe2\x80\xae"
                 "b\n"),
     "F:10: ", "direction mark"},
    {"a Unicode line separator is refused",
     PROFILE_AND("[Profile]\nName=a\xe2\x80\xa8"
                 "b\n"),
     "F:10: ", "control character"},
    {"a second byte order mark is refused", PROFILE_AND("\xef\xbb\xbf[Profile]\n"),
     "F:9: ", "control character"},
    {"a group that is not closed is refused", PROFILE_AND("[Profile\nName=x\n"),
     "F:9: ", "in brackets"},
    {"a group without a name is refused", PROFILE_AND("[]\n"), "F:9: ", "in brackets"},
    {"text behind a group is refused", PROFILE_AND("[Profile] # mine\n"), "F:9: ", "in brackets"},
    {"a key before any group is refused", "ID=alice@example.com\n" GOOD_PROFILE,
     "F:1: ", "before the first group"},
    {"a line without a key is refused", PROFILE_AND("[Profile]\n=x\n"),
     "F:10: [Profile]: ", "no key"},
    {"a comment with a semicolon is refused", PROFILE_AND("[Profile]\n; mine\n"),
     "F:10: [Profile]: ", "begins with #"},
    {"a trailing comment is refused where it can't be a value",
     PROFILE_AND("[Phase2]\nProposals=aes256-sha256 # strong\n"), "F:10: [Phase2] Proposals: ",
     "a comment stands on a line of its own; write Proposals=aes256-sha256 and"},
    {"a password in a profile is sent to the secrets file",
     PROFILE_AND("[UserAuth]\nPassword=hunter2\n"),
     "F:10: [UserAuth] Password: ", "put Password= under [Secrets] into a file of mode 0600"},

    /* ---- groups and keys ---- */
    {"a group that stands twice is refused", PROFILE_AND("[Identity]\nCA=system\n"),
     "F:9: [Identity]: ", "twice, first in line 3"},
    {"a key that stands twice is refused", PROFILE_AND("ID=a@b\nProposals=aes128-sha1-modp2048\n"),
     "F:10: [Phase1] Proposals: ", "twice, first in line 7"},
    {"a key that stands twice in a group that stands twice is refused",
     PROFILE_AND("[Identity]\nID=bob@example.com\n"),
     "F:10: [Identity] ID: ", "twice, first in line 4"},
    {"an unknown group is refused, and the near one named", PROFILE_AND("[Phase3]\nX=1\n"),
     "F:9: [Phase3]: ", "did you mean [Phase1]?"},
    {"a group in lower case is refused, and the right one named",
     PROFILE_AND("[network]\nMTU=auto\n"), "F:9: [network]: ", "did you mean [Network]?"},
    {"an unknown group that is near none gets the list", PROFILE_AND("[Bananas]\n"),
     "F:9: [Bananas]: ", "[Gateway]"},
    {"an unknown key is refused, and the near one named",
     "[Gateway]\nAdress=192.0.2.1\n[Identity]\nID=a@b.c\nAuth=psk\n",
     "F:2: [Gateway] Adress: ", "did you mean Address?"},
    {"a key in lower case is refused, and the right one named", PROFILE_AND("[Profile]\nname=x\n"),
     "F:10: [Profile] name: ", "did you mean Name?"},
    {"a key of another group is refused, and its group named", PROFILE_AND("User=alice\n"),
     "F:9: [Phase1] User: ", "belongs in [UserAuth]"},
    {"an unknown key that is near none gets the list", PROFILE_AND("[Network]\nBananas=x\n"),
     "F:10: [Network] Bananas: ", "KillSwitch"},
    {"a translated key is refused", PROFILE_AND("[Profile]\nName[de]=Amt\n"),
     "F:10: [Profile] Name[de]: ", "unknown key"},
    {"test_e2_a_script_of_another_program_is_an_unknown_key",
     PROFILE_AND("[Network]\nleftupdown=/tmp/x\n"), "F:10: [Network] leftupdown: ", "unknown key"},
    {"test_e2_a_password_helper_is_an_unknown_key",
     PROFILE_AND("[UserAuth]\nPassword helper=/tmp/x\n"), "F:10: [UserAuth]: ", "unknown key"},
    {"a key without a value is refused", PROFILE_AND("[Network]\nMTU=\n"),
     "F:10: [Network] MTU: ", "nothing stands behind"},
    {"a missing gateway is named at the end of a file that has no such group",
     "[Identity]\nID=a@b.c\nAuth=psk\n", "F:3: [Gateway] Address: ", "missing"},
    {"a missing key is named at its group", "[Identity]\nAuth=psk\n[Gateway]\nAddress=192.0.2.1\n",
     "F:1: [Identity] ID: ", "missing"},
    {"an empty file lacks a gateway", "", "F:1: [Gateway] Address: ", "missing"},
    {"an empty file lacks an ID", "", "F:1: [Identity] ID: ", "missing"},
    {"mistakes behind a mistake are found too",
     "[Gateway]\nAddress=300.1.2.3\nPort=4500\n[Identity]\nID=10.0.0.1\nAuth=pks\n",
     "F:6: [Identity] Auth: ", "did you mean psk?"},

    /* ---- rules between keys ---- */
    {"neither key nor certificate is refused", "[Gateway]\nAddress=a.b\n[Identity]\nID=a@b.c\n",
     "F:3: [Identity] Auth: ", "neither a preshared key nor a certificate"},
    {"certificate without a certificate is refused",
     "[Gateway]\nAddress=a.b\n[Identity]\nID=a@b.c\nAuth=certificate\n",
     "F:3: [Identity] Certificate: ", "needs it"},
    {"a key beside a token is refused",
     "[Gateway]\nAddress=a.b\n[Identity]\nID=a@b.c\nCertificate=pkcs11:token=x\nKey=file:/k\n",
     "F:6: [Identity] Key: ", "file:/path.pem"},
    {"required revocation lists that are not named are refused",
     "[Gateway]\nAddress=a.b\n[Identity]\nID=a@b.c\nAuth=hybrid\nRequireCRL=yes\n",
     "F:3: [Identity] CRL: ", "CRL=file:/path.crl"},
    {"any gateway with a certificate is refused",
     "[Gateway]\nAddress=a.b\nRemoteID=any\n[Identity]\nID=a@b.c\nCertificate=keyring\n",
     "F:3: [Gateway] RemoteID: ", "remove the line"},
    {"any gateway with hybrid is refused",
     "[Gateway]\nAddress=a.b\nRemoteID=any\n[Identity]\nID=a@b.c\nAuth=hybrid\n",
     "F:3: [Gateway] RemoteID: ", "any"},
    {"hybrid without a user is refused",
     "[Gateway]\nAddress=a.b\n[Identity]\nID=a@b.c\nAuth=hybrid\n[UserAuth]\nXAuth=no\n",
     "F:7: [UserAuth] XAuth: ", "write auto"},
    {"IPv6 networks with an address by DHCP are refused",
     PROFILE_AND("[Phase2]\nNetworks=10.0.0.0/8;2001:db8::/32\n[Network]\nConfig=dhcp\n"),
     "F:10: [Phase2] Networks: ", "IPv4 address alone"},
    {"no configuration without an address is refused", PROFILE_AND("[Network]\nConfig=none\n"),
     "F:9: [Network] Address: ", "Config=none needs it"},
    {"required user authentication and an offer without is refused",
     PROFILE_AND("[UserAuth]\nXAuth=required\n[Quirks]\nOfferPlainPSK=yes\n"),
     "F:12: [Quirks] OfferPlainPSK: ", "contradicts"},
};

static void run_wrong(void **state)
{
    const Wrong *wrong = *state;

    expect_refused(wrong->text, wrong->where, wrong->said);
}

/* Values: group, key, value, what is said. The key stands in line 2. */
typedef struct {
    const char *group, *key, *value, *said;
} WrongValue;

static const WrongValue VALUES[] = {
    {"Profile", "Name", "a/b", "no `/`"},
    {"Profile", "Name", "-rf", "begin with `-`"},
    {"Profile", "Name", "..", "begin with"},
    {"Profile", "Name", "office.dialtone", "without .dialtone"},
    {"Profile", "UUID", "6f1c0f5e", "no UUID"},
    {"Profile", "UUID", "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b1g", "no UUID"},
    {"Gateway", "Address", "300.1.2.3", "neither a host name nor an address"},
    {"Gateway", "Address", "10.1", "neither"},
    {"Gateway", "Address", "010.1.2.3", "neither"},
    {"Gateway", "Address", "0x7f000001", NULL},
    {"Gateway", "Address", "vpn example.com", "neither"},
    {"Gateway", "Address", "-vpn.example.com", "neither"},
    {"Gateway", "Address", "vpn..example.com", "neither"},
    {"Gateway", "Address", "https://vpn.example.com", "web address"},
    {"Gateway", "Address", "vpn.example.com:0", "no port"},
    {"Gateway", "Address", "vpn.example.com:65536", "no port"},
    {"Gateway", "Address", "vpn.example.com:", "no port"},
    {"Gateway", "Address", "vpn.example.com:+500", "no port"},
    {"Gateway", "Address", "vpn.example.com:5x", "no port"},
    {"Gateway", "Address", "[2001:db8::1", "[2001:db8::1]:500"},
    {"Gateway", "Address", "[2001:db8::1]500", "[2001:db8::1]:500"},
    {"Gateway", "Address", "[192.0.2.1]:500", "only an IPv6 address"},
    {"Gateway", "Address", "2001:db8:::1", "neither"},
    {"Gateway", "Address", "vpn.example.com # the office", "write Address=vpn.example.com and"},
    {"Gateway", "Address", "a.example, b.example", "write Address=a.example;b.example"},
    {"Gateway", "Address", "\"vpn.example.com\"", "write Address=vpn.example.com"},
    {"Gateway", "Address", "0.0.0.0", "no address of a gateway"},
    {"Gateway", "Address", "224.0.0.1", "no address of a gateway"},
    {"Gateway", "Address", "ff02::1", "no address of a gateway"},
    {"Gateway", "Address", "::", "no address of a gateway"},
    {"Gateway", "Address", "a.example;;b.example", "item of the list is empty"},
    {"Gateway", "Address", "a.example;a.example", "stands twice"},
    {"Gateway", "Address", ";", "empty"},
    {"Gateway", "Address", "a1;a2;a3;a4;a5;a6;a7;a8;a9;b1;b2;b3;b4;b5;b6;b7;b8", "more than 16"},
    {"Gateway", "RemoteID", "vpn.example.com", "fqdn:vpn.example.com"},
    {"Gateway", "RemoteID", "gw@example.com", "email:gw@example.com"},
    {"Gateway", "RemoteID", "192.0.2.1", "ip:192.0.2.1"},
    {"Gateway", "RemoteID", "ip:vpn.example.com", "no IP address"},
    {"Gateway", "RemoteID", "dn:Example", "no distinguished name"},
    {"Gateway", "RemoteID", "dn:C=NL,,CN=gw", "no distinguished name"},
    {"Gateway", "RemoteID", "email:gateway", "no email address"},
    {"Gateway", "RemoteID", "keyid:", "nothing stands behind"},
    {"Gateway", "RemoteID", "fqdn:", "nothing stands behind"},
    {"Identity", "ID", "10.1.2.3", "IP address can't be the ID"},
    {"Identity", "ID", "2001:db8::1", "IP address can't be the ID"},
    {"Identity", "ID", "[2001:db8::1]", "IP address can't be the ID"},
    {"Identity", "ID", "10.1.2.0/24", "IP address can't be the ID"},
    {"Identity", "ID", "ip:10.1.2.3", "IP address can't be the ID"},
    {"Identity", "ID", "fqdn:host.example.com", "write host.example.com"},
    {"Identity", "ID", "email:alice@example.com", "write alice@example.com"},
    {"Identity", "ID", "@host.example.com", "without it: host.example.com"},
    {"Identity", "ID", "alice@", "no email address"},
    {"Identity", "ID", "a@b@c", "no email address"},
    {"Identity", "ID", "alice smith@example.com", "no email address"},
    {"Identity", "ID", "vpn users", "keyid:vpn users"},
    {"Identity", "ID", "C=NL, O=Example, CN=alice", "keyid:"},
    {"Identity", "ID", "keyid:", "nothing stands behind"},
    {"Identity", "ID", "\"alice@example.com\"", "no quotes around it; write ID=alice@example.com"},
    {"Identity", "ID", "'host.example.com'", "write ID=host.example.com"},
    {"Identity", "ID", "alice@example.com # me", "write ID=alice@example.com"},
    {"Gateway", "RemoteID", "fqdn:gw.example.com # ours", "write RemoteID=fqdn:gw.example.com"},
    {"Identity", "Auth", "PSK", "did you mean psk?"},
    {"Identity", "Auth", "none", "psk, certificate or hybrid"},
    {"Identity", "Certificate", "pkcs11:", "pkcs11:token="},
    {"Identity", "Certificate", "pkcs11:token=x?pin-value=1234", "a PIN never stands in a profile"},
    {"Identity", "Key", "pkcs11:token=x", "file:/path.key"},
    {"Identity", "Key", "file:key.pem", "begins with `/`"},
    {"Identity", "CRL", "https://ca.example.com/ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "ldap://ca.example.com/cn=CA", "write http://HOST/PATH"},
    {"Identity", "CRL", "HTTP://ca.example.com/ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://", "write http://HOST/PATH"},
    {"Identity", "CRL", "http:///ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://me:pw@ca.example.com/ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://ca.example.com:99999/ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://ca.example.com:0/ca.crl", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://ca.example.com/a b", "write http://HOST/PATH"},
    {"Identity", "CRL", "http://ca.example.com/ca.crl#x", "write http://HOST/PATH"},
    {"Identity", "CRL", "file:/a;file:b", "begins with `/`"},
    {"Identity", "CRL", "/a", "directory:/path"},
    {"Identity", "Certificate", "file:cert.p12", "begins with `/`"},
    {"Identity", "Certificate", "/etc/cert.p12", "no source"},
    {"Identity", "CA", "/etc/ssl/ca.pem", "no source"},
    {"Identity", "CA", "directory:certs", "begins with `/`"},
    {"Phase1", "Proposals", "aes256-sha256", "needs one; write aes256-sha256-modp2048"},
    {"Phase1", "Proposals", "aes256-modp2048", "no hash; write aes256-sha256-modp2048"},
    {"Phase1", "Proposals", "sha256-modp2048", "no encryption"},
    {"Phase1", "Proposals", "aes256gcm16-sha256-modp2048", "exists in Phase 2 only"},
    {"Phase1", "Proposals", "aes256gcm16-modp2048", "write aes256-sha256-modp2048"},
    {"Phase1", "Proposals", "aes256-sha256-modp2048-modp1024", "second of its kind"},
    {"Phase1", "Proposals", "aes256-aes128-sha256-modp2048", "second of its kind"},
    {"Phase1", "Proposals", "aes-sha256-modp2048", "write aes128"},
    {"Phase1", "Proposals", "AES256-sha256-modp2048", "write aes256"},
    {"Phase1", "Proposals", "aes256-sha-modp2048", "write sha1"},
    {"Phase1", "Proposals", "aes256-sha2_256-modp2048", "write sha256"},
    {"Phase1", "Proposals", "aes256-sha256-dh14", "write modp2048"},
    {"Phase1", "Proposals", "aes256-sha256-group19", "write ecp256"},
    {"Phase1", "Proposals", "aes256-sha256-prfsha256-modp2048", "prf of IKEv1"},
    {"Phase1", "Proposals", "aes256--modp2048", "a `-` too many"},
    {"Phase1", "Proposals", "camellia256-sha256-modp2048", "unknown"},
    {"Phase1", "Proposals", "aes256-sha256-modp2048, aes128-sha1-modp2048",
     "write Proposals=aes256-sha256-modp2048;aes128-sha1-modp2048"},
    {"Phase1", "Proposals", "aes-256-sha256-modp2048",
     "'aes-256' in 'aes-256-sha256-modp2048' is "
     "unknown; write aes256"},
    {"Phase1", "Proposals", "AES-256-cbc-sha256-modp2048", "write aes256"},
    {"Phase1", "Proposals", "aes256-sha-256-modp2048", "'sha-256'"},
    {"Phase1", "Proposals", "aes256-sha-256-modp2048", "write sha256"},
    {"Phase1", "Proposals", "aes256-sha256-group-14", "write modp2048"},
    {"Phase1", "Proposals", "aes256-sha256-modp2048 # strong",
     "write "
     "Proposals=aes256-sha256-modp2048"},
    {"Phase1", "Lifetime", "8h # a day's work", "write Lifetime=8h"},
    {"Phase1", "Proposals", "aes256-sha256-modp2048;aes256-sha256-modp2048", "stands twice"},
    {"Phase1", "Proposals", "aes256-sha256-modp2048;sha256-aes256-modp2048", "stands twice"},
    {"Phase1", "Proposals",
     "aes256-sha256-modp2048;aes256-sha1-modp2048;aes128-sha256-modp2048;aes128-sha1-modp2048;"
     "3des-sha1-modp1024",
     "5 proposals; gateways read no more than four"},
    {"Phase1", "Proposals", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", "unknown"},
    {"Phase1", "Lifetime", "8 h", "no duration"},
    {"Phase1", "Lifetime", "8H", "no duration"},
    {"Phase1", "Lifetime", "-8h", "no duration"},
    {"Phase1", "Lifetime", "1.5h", "no duration"},
    {"Phase1", "Lifetime", "h", "no duration"},
    {"Phase1", "Lifetime", "forever", "no duration"},
    {"Phase1", "Lifetime", "0", "out of range"},

    {"Phase1", "Lifetime", "366d", "out of range"},
    {"Phase1", "Lifetime", "9223372036854775807d", "out of range"},
    {"Phase1", "Lifetime", "99999999999999999999", "no duration"},
    {"UserAuth", "XAuth", "yes", "auto, required or no"},
    {"UserAuth", "User", "DOMAIN\\alice", "a backslash is written twice"},
    {"UserAuth", "User", "DOMAIN\\sam", "a backslash is written twice"},
    {"UserAuth", "User", "DOMAIN\\nora", "a backslash is written twice"},
    {"UserAuth", "User", "alice\\", "a backslash is written twice"},
    {"UserAuth", "User", "alice\\nPassword helper=x", "a backslash is written twice"},
    {"UserAuth", "User", "alice\\r\\t", "a backslash is written twice"},
    {"Phase2", "Proposals", "aes256", "no integrity; write aes256-sha256"},
    {"Phase2", "Proposals", "aes256-modp2048", "write aes256-sha256-modp2048"},
    {"Phase2", "Proposals", "aes256gcm16-sha256-modp2048", "write aes256gcm16-modp2048"},
    {"Phase2", "Proposals", "aes256gcm-modp2048", "write aes256gcm16"},
    {"Phase2", "Proposals", "aes-256-gcm-modp2048", "write aes256gcm16"},
    {"Phase2", "Proposals", "modp2048", "no encryption"},
    {"Phase2", "LifetimeKB", "-1", "not possible"},
    {"Phase2", "LifetimeKB", "4294967296", "not possible"},
    {"Phase2", "LifetimeKB", "1k", "not possible"},
    {"Phase2", "Networks", "10.1.2.3/8", "write 10.0.0.0/8, or 10.1.2.3/32"},
    {"Phase2", "Networks", "2001:db8::1/32", "write 2001:db8::/32, or 2001:db8::1/128"},
    {"Phase2", "Networks", "10.0.0.0", "write 10.0.0.0/32"},
    {"Phase2", "Networks", "10.0.0.0/255.0.0.0", "write 10.0.0.0/8"},
    {"Phase2", "Networks", "10.0.0.0/33", "no prefix from 0 to 32"},
    {"Phase2", "Networks", "10.0.0.0/08", "no prefix"},
    {"Phase2", "Networks", "10.0.0.0/", "no prefix"},
    {"Phase2", "Networks", "10.0.0.0/-1", "no prefix"},
    {"Phase2", "Networks", "2001:db8::/129", "no prefix from 0 to 128"},
    {"Phase2", "Networks", "all", "no address or network"},
    {"Phase2", "Networks", "10.0.0.0/8, 192.168.0.0/16",
     "write Networks=10.0.0.0/8;192.168.0.0/16"},
    {"Phase2", "Networks", "10.0.0.0/8 192.168.0.0/16", "no prefix"},
    {"Network", "Config", "bootp", "auto, pull, push, none or dhcp"},
    {"Network", "Config", "pul", "did you mean pull?"},
    {"Network", "Address", "10.1.2.3/32;10.1.2.4/32", "one IPv4 and one IPv6"},
    {"Network", "Address", "0.0.0.0", "can't be the address"},
    {"Network", "Address", "host", "no address"},
    {"Network", "DNS", "dns.example.com", "no address of a name server"},
    {"Network", "DNS", "10.0.0.53,10.0.0.54", "write DNS=10.0.0.53;10.0.0.54"},
    {"Network", "Exclude", "0.0.0.0/0", "leave it out"},
    {"Network", "Exclude", "192.168.1.1/24", "write 192.168.1.0/24"},
    {"Network", "MTU", "575", "576 to 9000"},
    {"Network", "MTU", "9001", "576 to 9000"},
    {"Network", "MTU", "1400 bytes", "576 to 9000"},
    {"Network", "KillSwitch", "true", "yes or persistent"},
    {"Network", "Autoconnect", "Yes", "did you mean yes?"},
    {"Network", "KeepAfterLogout", "1", "yes or no"},
    {"Network", "RetryFor", "never", "no duration"},
    {"Rules", "Connect", "yes", "manual, untrusted or always"},
    {"Rules", "Connect", "Untrusted", "did you mean untrusted?"},
    {"Rules", "Trusted", "Office", "write ssid:Office or network:Office"},
    {"Rules", "Trusted", "wifi:Office", "write ssid: and the name"},
    {"Rules", "Trusted", "SSID:Office", "write ssid: and the name"},
    {"Rules", "Trusted", "\"ssid:Office\"", "write ssid: and the name"},
    {"Rules", "Trusted", "ssid:", "1 to 255 bytes"},
    {"Rules", "Trusted", "network:", "1 to 255 bytes"},
    {"Rules", "Trusted", "ssid:Office,ssid:Lab", "`;` stands between"},
    {"Rules", "Trusted", "ssid:Office, network:Lab", "`;` stands between"},
    {"Rules", "Trusted", "ssid:Office;ssid:Office", "stands twice"},
    {"Rules", "Trusted", "ssid:Office;;ssid:Lab", "an item of the list is empty"},
    {"Rules", "Trusted", "ssid:123456789012345678901234567890123", "1 to 32 bytes"},
    {"Rules", "Trusted",
     "ssid:\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
     "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
     "1 to 32 bytes"},
    {"Rules", "Trusted", "ssid:0x", "two hex digits a byte"},
    {"Rules", "Trusted", "ssid:0x4", "two hex digits a byte"},
    {"Rules", "Trusted", "ssid:0xoffice", "two hex digits a byte"},
    {"Rules", "Trusted", "ssid:A\\b", "a backslash is written twice"},
    {"Rules", "Never", "all", "write ssid:all or network:all"},
    {"Quirks", "NatT", "yes", "force, auto or off"},
    {"Quirks", "IDPort", "4500", "0 or 500"},
    {"Quirks", "IDPort", "00", "0 or 500"},
    {"Quirks", "Selectors", "all", "each or any"},
    {"Quirks", "InitialContact", "maybe", "auto, yes or no"},
    {"Quirks", "Sha256Truncation", "96", "yes or no"},
    {"Quirks", "Offloads", "yes", "write auto, none, vnet-hdr, uso, gso, gro, multi-buffer"},
    {"Quirks", "Offloads", "vnet_hdr", "did you mean vnet-hdr?"},
    {"Quirks", "Offloads", "vnet-hdr;GSO", "did you mean gso?"},
    {"Quirks", "Offloads", "gso,gro", "`;` stands between"},
    {"Quirks", "Offloads", "gso;gro;gso", "stands twice"},
    {"Quirks", "Offloads", "gso;;gro", "an item of the list is empty"},
    {"Quirks", "Offloads", "gso;none", "stands alone; remove the rest"},
    {"Quirks", "Offloads", "auto;gso", "stands alone; remove the rest"},
    {"Quirks", "Offloads", "gso;uso", "uso needs vnet-hdr"},
};

static void run_value(void **state)
{
    const WrongValue *wrong = *state;
    g_autofree char *text = profile_with(wrong->group, wrong->key, wrong->value);
    g_autofree char *where = g_strdup_printf("F:2: [%s] %s: ", wrong->group, wrong->key);

    if (wrong->said == NULL) {
        /* A name that only looks like an address in hex is a name, and resolves or not. */
        dialtone_profile_free(expect_valid(text));
        return;
    }
    expect_refused(text, where, wrong->said);
}

/* A value of [Secrets] may be the secret itself, and so may what stands in a wrong line. */
static void test_secrets_are_never_quoted(void **state)
{
    static const char *const texts[] = {
        PROFILE_AND("[Secrets]\nPSK=hunter2\n"),
        PROFILE_AND("[Secrets]\nPassword=hunter2\n"),
        PROFILE_AND("[Secrets]\nPassphrase=hunter2\n"),
        PROFILE_AND("[Secrets]\nPsk=hunter2\n"),
        PROFILE_AND("[Secrets]\nhunter2\n"),
        PROFILE_AND("[Secrets]\nhunter2 with blanks=\n"),
        PROFILE_AND("[UserAuth]\nPassword=hunter2\n"),
        PROFILE_AND("[hunter2 is my secret]\n"),
        PROFILE_AND("[Secrets]\nPSK=hunter2\x01\n"),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(DialtoneProfile) profile =
            dialtone_profile_parse(texts[i], strlen(texts[i]), "F", NULL);
        g_autofree char *findings = findings_of(texts[i], strlen(texts[i]));
        assert_null(profile);
        assert_null(strstr(findings, "hunter2"));
        assert_non_null(strstr(findings, "F:"));
    }
}

/* Two findings on one mistake send a user looking for the second. */
static void test_a_misspelt_key_is_not_missing_too(void **state)
{
    static const char *const texts[] = {
        "[Gateway]\nAdress=192.0.2.1\n[Identity]\nID=a@b.c\nAuth=psk\n",
        "[Gatway]\nAddress=192.0.2.1\n[Identity]\nID=a@b.c\nAuth=psk\n",
        "[Identity]\nAddress=192.0.2.1\nID=a@b.c\nAuth=psk\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *findings = findings_of(texts[i], strlen(texts[i]));
        assert_null(strstr(findings, "missing"));
        assert_non_null(strstr(findings, i < 2 ? "did you mean" : "belongs in [Gateway]"));
    }
}

/* They may be meant: a name is free. */
static void test_quotes_around_a_name_are_a_warning(void **state)
{
    dialtone_profile_free(expect_valid(PROFILE_AND("[Profile]\nName=\"Head office\"\n")));
    static const char text[] = PROFILE_AND("[UserAuth]\nUser=\"alice\"\n");
    g_autofree char *findings = findings_of(text, strlen(text));
    assert_non_null(strstr(findings, "warning: [UserAuth] User: the quotes are a part"));
}

static void test_a_nul_byte_is_refused_at_its_line(void **state)
{
    static const char text[] = PROFILE_AND("[Profile]\nName=a\0b\n");
    g_autofree char *findings = findings_of(text, sizeof(text) - 1);

    assert_non_null(strstr(findings, "F:10: [Profile]: the line has a NUL byte"));
}

static void test_a_line_of_a_megabyte_is_one_finding(void **state)
{
    g_autofree char *long_name = g_strnfill(1024 * 1024, 'x');
    g_autofree char *text = g_strconcat(GOOD_PROFILE "[Profile]\nName=", long_name, "\n", NULL);
    g_autofree char *findings = findings_of(text, strlen(text));

    assert_string_equal(findings,
                        "F:10: [Profile]: the line is longer than 8192 bytes; shorten it\n");
}

static void test_a_line_may_have_8192_bytes_and_not_one_more(void **state)
{
    for (gsize n = 8192; n <= 8193; n++) {
        g_autofree char *comment = g_strnfill(n, '#');
        g_autofree char *text = g_strconcat(GOOD_PROFILE, comment, "\n", NULL);
        g_autofree char *findings = findings_of(text, strlen(text));
        assert_int_equal(*findings == '\0', n == 8192);
    }
}

static void test_a_million_mistakes_are_a_short_list_at_once(void **state)
{
    GString *text = g_string_new("[Network]\n");
    clock_t start = clock();

    while (text->len < 1000 * 1000)
        g_string_append(text, "X=1\n");
    g_autofree char *findings = findings_of(text->str, text->len);
    g_auto(GStrv) lines = g_strsplit(findings, "\n", -1);
    g_string_free(text, TRUE);
    assert_in_range(g_strv_length(lines), 50, 110);
    assert_non_null(strstr(findings, "more mistakes follow"));
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_a_hundred_thousand_groups_are_refused_at_once(void **state)
{
    GString *text = g_string_new(NULL);
    clock_t start = clock();

    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(text, "[%u]\n", i);
    g_autofree char *findings = findings_of(text->str, text->len);
    g_string_free(text, TRUE);
    assert_non_null(strstr(findings, "more groups than any profile has"));
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_all_mistakes_are_listed_in_order_of_lines(void **state)
{
    static const char text[] = "[Gateway]\nAddress=300.1.2.3\nPort=1\n[Identity]\nID=10.0.0.1\n"
                               "[Network]\nMTU=5\n[Phase1]\nProposals=aes256\n";
    g_autofree char *findings = findings_of(text, strlen(text));
    static const char *const where[] = {
        "F:2: [Gateway] Address: ", "F:3: [Gateway] Port: ", "F:5: [Identity] ID: ",
        "F:7: [Network] MTU: ", "F:9: [Phase1] Proposals: "};
    g_auto(GStrv) lines = g_strsplit(findings, "\n", -1);

    assert_int_equal(g_strv_length(lines), G_N_ELEMENTS(where) + 1);
    for (gsize i = 0; i < G_N_ELEMENTS(where); i++)
        assert_true(g_str_has_prefix(lines[i], where[i]));
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        cmocka_unit_test(test_secrets_are_never_quoted),
        cmocka_unit_test(test_a_misspelt_key_is_not_missing_too),
        cmocka_unit_test(test_quotes_around_a_name_are_a_warning),
        cmocka_unit_test(test_a_nul_byte_is_refused_at_its_line),
        cmocka_unit_test(test_a_line_of_a_megabyte_is_one_finding),
        cmocka_unit_test(test_a_line_may_have_8192_bytes_and_not_one_more),
        cmocka_unit_test(test_a_million_mistakes_are_a_short_list_at_once),
        cmocka_unit_test(test_a_hundred_thousand_groups_are_refused_at_once),
        cmocka_unit_test(test_all_mistakes_are_listed_in_order_of_lines),
    };
    enum { N = G_N_ELEMENTS(single) + G_N_ELEMENTS(WRONG) + G_N_ELEMENTS(VALUES) };
    static struct CMUnitTest tests[N];
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(single); i++)
        tests[n++] = single[i];
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++)
        tests[n++] = (struct CMUnitTest){WRONG[i].name, run_wrong, NULL, NULL, (void *)&WRONG[i]};
    for (gsize i = 0; i < G_N_ELEMENTS(VALUES); i++) {
        const WrongValue *v = &VALUES[i];
        char *name = g_strdup_printf("[%s] %s=%s", v->group, v->key, v->value);
        tests[n++] = (struct CMUnitTest){name, run_value, NULL, NULL, (void *)v};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
