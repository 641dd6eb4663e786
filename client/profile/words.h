/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those settings of a profile may be that are words. */
#pragma once

typedef enum { DIALTONE_AUTH_PSK, DIALTONE_AUTH_CERTIFICATE, DIALTONE_AUTH_HYBRID } DialtoneAuth;
typedef enum { DIALTONE_XAUTH_AUTO, DIALTONE_XAUTH_REQUIRED, DIALTONE_XAUTH_NO } DialtoneXauth;
typedef enum {
    DIALTONE_CONFIG_AUTO,
    DIALTONE_CONFIG_PULL,
    DIALTONE_CONFIG_PUSH,
    DIALTONE_CONFIG_NONE,
    DIALTONE_CONFIG_DHCP,
} DialtoneConfig;
typedef enum { DIALTONE_NATT_FORCE, DIALTONE_NATT_AUTO, DIALTONE_NATT_OFF } DialtoneNatT;
typedef enum {
    DIALTONE_KILL_SWITCH_NO,
    DIALTONE_KILL_SWITCH_YES,        /* while the connection is wanted */
    DIALTONE_KILL_SWITCH_PERSISTENT, /* until it is released by hand */
} DialtoneKillSwitch;
typedef enum {
    DIALTONE_RULE_MANUAL,
    DIALTONE_RULE_UNTRUSTED, /* on every network but those of Trusted */
    DIALTONE_RULE_ALWAYS,
} DialtoneRule;
typedef enum { DIALTONE_SELECTORS_EACH, DIALTONE_SELECTORS_ANY } DialtoneSelectors;
typedef enum { DIALTONE_TRI_AUTO, DIALTONE_TRI_YES, DIALTONE_TRI_NO } DialtoneTri;
typedef enum { DIALTONE_DNS_AUTO, DIALTONE_DNS_NONE, DIALTONE_DNS_LIST } DialtoneDnsMode;
typedef enum {
    DIALTONE_SOURCE_KEYRING,
    DIALTONE_SOURCE_ASK,
    DIALTONE_SOURCE_SYSTEM,
} DialtoneSecretSource;
typedef enum {
    DIALTONE_CERT_NONE,
    DIALTONE_CERT_KEYRING,
    DIALTONE_CERT_FILE,   /* value: path, .p12/.pfx or PEM */
    DIALTONE_CERT_PKCS11, /* value: the whole URI */
} DialtoneCertSource;
typedef enum { DIALTONE_CA_SYSTEM, DIALTONE_CA_FILE, DIALTONE_CA_DIRECTORY } DialtoneCaSource;

typedef enum {
    DIALTONE_ID_ANY, /* RemoteID only */
    DIALTONE_ID_FQDN,
    DIALTONE_ID_EMAIL, /* USER_FQDN */
    DIALTONE_ID_IP,    /* RemoteID only */
    DIALTONE_ID_DN,    /* RemoteID only; "C=NL, O=Example, CN=gw" */
    DIALTONE_ID_KEYID,
    DIALTONE_ID_ADDRESS, /* RemoteID only: unset with certificate or hybrid; see `gateways` */
} DialtoneIdKind;
