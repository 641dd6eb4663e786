/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What everybody needs stands on the first page, and what only a gateway's administrator would ask
 * for on the others. Kinds of identities are called as Junos calls them, for they are copied from
 * its configuration; each page's mnemonics differ from one another and from those of the window
 * (C, S, T).
 */
#include "gui/editor-layout.h"

#include "client/common/i18n.h"

/* clang-format off */

/* ---- what may be picked ---- */

static const DialtoneOption AUTH[] = {
    {"", N_("As the rest says")},
    {"psk", N_("Preshared key")},
    {"certificate", N_("Certificates")},
    {"hybrid", N_("Hybrid: the gateway’s certificate, your password")},
    {0},
};

static const DialtoneOption ID[] = {
    {"keyid:", N_("Key ID (group name)"), DIALTONE_TYPED_TEXT},
    {"", N_("user-at-hostname"), DIALTONE_TYPED_WITH_AT},
    {"", N_("hostname"), DIALTONE_TYPED_WITHOUT_AT},
    {0},
};

static const DialtoneOption REMOTE_ID[] = {
    {"any", N_("Any")},
    {"fqdn:", N_("hostname"), DIALTONE_TYPED_TEXT},
    {"email:", N_("user-at-hostname"), DIALTONE_TYPED_TEXT},
    {"ip:", N_("IP address"), DIALTONE_TYPED_TEXT},
    {"dn:", N_("Distinguished name"), DIALTONE_TYPED_TEXT},
    {"keyid:", N_("Key ID"), DIALTONE_TYPED_TEXT},
    {"", N_("By authentication")},
    {0},
};

static const DialtoneOption CERTIFICATE[] = {
    {"keyring", N_("In the keyring")},
    {"file:", N_("File (PKCS#12 or PEM)"), DIALTONE_TYPED_FILE},
    {"pkcs11:", N_("Smart card or token"), DIALTONE_TYPED_TOKEN},
    {"", N_("None")},
    {0},
};

static const DialtoneOption KEY[] = {
    {"file:", N_("File (PEM)"), DIALTONE_TYPED_FILE},
    {"", N_("With the certificate")},
    {0},
};

static const DialtoneOption CA[] = {
    {"system", N_("The computer’s")},
    {"file:", N_("File"), DIALTONE_TYPED_FILE},
    {"directory:", N_("Folder"), DIALTONE_TYPED_FOLDER},
    {0},
};

static const DialtoneOption SECRET[] = {
    {"keyring", N_("Remember in the keyring")},
    {"ask", N_("Ask each time")},
    {"system", N_("The computer’s own"), DIALTONE_TYPED_NOTHING, TRUE},
    {0},
};

static const DialtoneOption XAUTH[] = {
    {"auto", N_("When a user name is known")},
    {"required", N_("Always")},
    {"no", N_("Never")},
    {0},
};

static const DialtoneOption CONFIG[] = {
    {"auto", N_("Whichever way the gateway gives it")},
    {"pull", N_("Ask the gateway for it")},
    {"push", N_("Wait for the gateway")},
    {"dhcp", N_("From a DHCP server behind the gateway")},
    {"none", N_("Set it here")},
    {0},
};

static const DialtoneOption DNS[] = {
    {"auto", N_("The gateway’s")},
    {"none", N_("The computer’s")},
    {"", N_("These"), DIALTONE_TYPED_TEXT},
    {0},
};

static const DialtoneOption MTU[] = {
    {"auto", N_("Automatic")},
    {"", N_("Bytes"), DIALTONE_TYPED_TEXT},
    {0},
};

static const DialtoneOption KILL_SWITCH[] = {
    {"no", N_("Nothing")},
    {"yes", N_("What is for the tunnel, while it is wanted")},
    {"persistent", N_("What is for the tunnel, until released by hand")},
    {0},
};

static const DialtoneOption RULE[] = {
    {"manual", N_("By hand only")},
    {"untrusted", N_("On networks that are not trusted")},
    {"always", N_("On every network")},
    {0},
};

static const DialtoneOption RETRY[] = {
    {"forever", N_("For ever")},
    {"", N_("For"), DIALTONE_TYPED_TEXT},
    {0},
};

static const DialtoneOption NATT[] = {
    {"force", N_("Always")},
    {"auto", N_("Where a NAT is seen")},
    {"off", N_("Never")},
    {0},
};

static const DialtoneOption ID_PORT[] = {
    {"0", "0"},
    {"500", "500"},
    {0},
};

static const DialtoneOption SELECTORS[] = {
    {"each", N_("One for each network")},
    {"any", N_("One for all networks")},
    {0},
};

static const DialtoneOption INITIAL_CONTACT[] = {
    {"auto", N_("Unless others may share the identity")},
    {"yes", N_("Yes")},
    {"no", N_("No")},
    {0},
};

static const DialtoneOption OFFLOADS[] = {
    {"auto", N_("All that work here")},
    {"none", N_("None")},
    {"", N_("These"), DIALTONE_TYPED_TEXT},
    {0},
};

/* ---- the pages ---- */

static const DialtoneSetting GENERAL[] = {
    {"Profile", "Name", N_("_Name")},
    {"Profile", "Description", N_("_Description")},
    {"Gateway", "Address", N_("Add_ress"), N_("Gateway")},
    {"Identity", "ID", N_("Your _identity"), N_("You"), ID},
    {"Identity", "Auth", N_("_Authentication"), NULL, AUTH},
    {"Secrets", "PSK", N_("Preshared _key"), NULL, SECRET},
    {"Identity", "Certificate", N_("C_ertificate"), NULL, CERTIFICATE},
    {"UserAuth", "User", N_("_User name"), N_("Sign in")},
    {"Secrets", "Password", N_("_Password"), NULL, SECRET},
};

static const DialtoneSetting PROOF[] = {
    {"Gateway", "RemoteID", N_("_Gateway’s identity"), N_("The gateway"), REMOTE_ID},
    {"Identity", "CA", N_("_Authorities"), NULL, CA},
    {"Identity", "CRL", N_("_Lists of revoked ones")},
    {"Identity", "RequireCRL", N_("_Refuse without a list")},
    {"Identity", "Key", N_("Private _key"), N_("You"), KEY},
    {"UserAuth", "XAuth", N_("Sig_n in (XAuth)"), NULL, XAUTH},
};

static const DialtoneSetting ENCRYPTION[] = {
    {"Phase1", "Proposals", N_("_Proposals"), N_("Phase 1")},
    {"Phase1", "Lifetime", N_("_Lifetime")},
    {"Phase2", "Proposals", N_("P_roposals"), N_("Phase 2")},
    {"Phase2", "Lifetime", N_("L_ifetime")},
    {"Phase2", "LifetimeKB", N_("Lifetime in _kilobytes")},
};

static const DialtoneSetting NETWORK[] = {
    {"Phase2", "Networks", N_("_Networks"), N_("Traffic")},
    {"Network", "Exclude", N_("_Excluded networks")},
    {"Network", "KillSwitch", N_("_Blocked outside the tunnel"), NULL, KILL_SWITCH},
    {"Network", "Config", N_("Where it comes _from"), N_("Address of this computer"), CONFIG},
    {"Network", "Address", N_("_Address")},
    {"Network", "DNS", N_("Name ser_vers"), N_("Other"), DNS},
    {"Network", "MTU", N_("_Largest packet (MTU)"), NULL, MTU},
};

static const DialtoneSetting AUTOMATION[] = {
    {"Rules", "Connect", N_("C_onnect"), NULL, RULE},
    {"Rules", "Trusted", N_("T_rusted networks")},
    {"Rules", "Never", N_("_Never on networks")},
    {"Network", "RetryFor", N_("Try a_gain when lost"), N_("Staying connected"), RETRY},
    {"Network", "KeepAfterLogout", N_("_Keep after logout")},
    {"Network", "Autoconnect", N_("Connect when the ser_vice starts")},
};

static const DialtoneSetting COMPATIBILITY[] = {
    {"Quirks", "NatT", N_("_Wrap packets in UDP"), NULL, NATT},
    {"Quirks", "IDPort", N_("_Port in the identity"), NULL, ID_PORT},
    {"Quirks", "Selectors", N_("_Quick Modes"), NULL, SELECTORS},
    {"Quirks", "InitialContact", N_("_Drop older connections"), NULL, INITIAL_CONTACT},
    {"Quirks", "Sha256Truncation", N_("Cut SHA-256 to _96 bits")},
    {"Quirks", "OfferPlainPSK", N_("_Offer to do without a user")},
    {"Quirks", "Offloads", N_("O_ffloads"), NULL, OFFLOADS},
};

static const DialtoneSetting ADMINISTRATION[] = {
    {"Profile", "UUID", N_("_UUID")},
    {"Access", "Users", N_("Us_ers"), N_("In a profile of the system")},
    {"Access", "Groups", N_("_Groups")},
    {"Access", "Lock", N_("_Locked settings")},
};

#define PAGE(name, title, settings) {name, title, settings, G_N_ELEMENTS(settings)}

const DialtoneEditorPage dialtone_editor_pages[] = {
    PAGE("general", N_("General"), GENERAL),
    PAGE("proof", N_("Authentication"), PROOF),
    PAGE("encryption", N_("Encryption"), ENCRYPTION),
    PAGE("network", N_("Network"), NETWORK),
    PAGE("automation", N_("Automation"), AUTOMATION),
    PAGE("compatibility", N_("Compatibility"), COMPATIBILITY),
    PAGE("administration", N_("Administration"), ADMINISTRATION),
};
/* clang-format on */

const gsize dialtone_editor_pages_n = G_N_ELEMENTS(dialtone_editor_pages);
