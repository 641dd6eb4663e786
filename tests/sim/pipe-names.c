/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's enumerations as the words that conversations compare.
 */
#include "tests/sim/pipe-names.h"

const char *pipe_reason_name(IkeReason reason)
{
    static const char *const names[] = {
        [IKE_REASON_NONE] = "none",
        [IKE_REASON_INTERNAL] = "internal",
        [IKE_REASON_SECRET_MISSING] = "secret-missing",
        [IKE_REASON_UNREACHABLE] = "unreachable",
        [IKE_REASON_NO_PROPOSAL_CHOSEN] = "no-proposal-chosen",
        [IKE_REASON_GATEWAY_AUTHENTICATION] = "gateway-authentication",
        [IKE_REASON_USER_AUTHENTICATION] = "user-authentication",
        [IKE_REASON_PHASE2_REFUSED] = "phase2-refused",
        [IKE_REASON_TUNNEL_LOST] = "tunnel-lost",
        [IKE_REASON_STOPPED] = "stopped",
    };

    return names[reason];
}

const char *pipe_state_name(IkeState state)
{
    static const char *const names[] = {
        [IKE_STATE_IDLE] = "idle",           [IKE_STATE_PHASE1] = "phase1",
        [IKE_STATE_USER_AUTH] = "user-auth", [IKE_STATE_CONFIG] = "config",
        [IKE_STATE_PHASE2] = "phase2",       [IKE_STATE_CONNECTED] = "connected",
        [IKE_STATE_ENDED] = "ended",
    };

    return names[state];
}

/* A detail without a name here is an empty word: a conversation that compares it fails. */
const char *pipe_detail_name(IkeDetail detail)
{
    static const char *const names[] = {
        [IKE_DETAIL_NONE] = "none",
        [IKE_DETAIL_SILENCE] = "silence",
        [IKE_DETAIL_SILENCE_LATER] = "silence-later",
        [IKE_DETAIL_SILENCE_PHASE2] = "silence-phase2",
        [IKE_DETAIL_NOTIFY] = "notify",
        [IKE_DETAIL_WRONG_PSK] = "wrong-psk",
        [IKE_DETAIL_WRONG_REMOTE_ID] = "wrong-remote-id",
        [IKE_DETAIL_NOT_OFFERED] = "not-offered",
        [IKE_DETAIL_MALFORMED] = "malformed",
        [IKE_DETAIL_PASSWORD] = "password",
        [IKE_DETAIL_XAUTH_UNWANTED] = "xauth-unwanted",
        [IKE_DETAIL_XAUTH_MISSING] = "xauth-missing",
        [IKE_DETAIL_XAUTH_TYPE] = "xauth-type",
        [IKE_DETAIL_NO_SECRET] = "no-secret",
        [IKE_DETAIL_NO_ADDRESS] = "no-address",
        [IKE_DETAIL_NO_CONFIG] = "no-config",
        [IKE_DETAIL_NETWORK_REFUSED] = "network-refused",
        [IKE_DETAIL_DHCP_REFUSED] = "dhcp-refused",
        [IKE_DETAIL_DHCP_SILENCE] = "dhcp-silence",
        [IKE_DETAIL_DHCP_NAK] = "dhcp-nak",
        [IKE_DETAIL_LEASE_EXPIRED] = "lease-expired",
        [IKE_DETAIL_NO_NATT] = "no-natt",
        [IKE_DETAIL_DPD] = "dpd",
        [IKE_DETAIL_DELETED] = "deleted",
        [IKE_DETAIL_EXPIRED] = "expired",
        [IKE_DETAIL_NETWORKS_CUT] = "networks-cut",
        [IKE_DETAIL_REDIRECTED] = "redirected",
        [IKE_DETAIL_CERT_NONE] = "cert-none",
        [IKE_DETAIL_CERT_MALFORMED] = "cert-malformed",
        [IKE_DETAIL_CERT_EXPIRED] = "cert-expired",
        [IKE_DETAIL_CERT_NOT_YET] = "cert-not-yet",
        [IKE_DETAIL_CERT_ISSUER] = "cert-issuer",
        [IKE_DETAIL_CERT_REVOKED] = "cert-revoked",
        [IKE_DETAIL_CERT_NO_CRL] = "cert-no-crl",
        [IKE_DETAIL_CERT_ID] = "cert-id",
        [IKE_DETAIL_CERT_USE] = "cert-use",
        [IKE_DETAIL_CERT_WEAK] = "cert-weak",
        [IKE_DETAIL_CERT_INVALID] = "cert-invalid",
        [IKE_DETAIL_CERT_SIGNATURE] = "cert-signature",
        [IKE_DETAIL_CERT_OTHER_CA] = "cert-other-ca",
        [IKE_DETAIL_NO_SIGNATURE] = "no-signature",
        [IKE_DETAIL_KEY_MISMATCH] = "key-mismatch",
        [IKE_DETAIL_LOCAL] = "local",
    };

    bool known = detail < sizeof(names) / sizeof(names[0]) && names[detail] != NULL;
    return known ? names[detail] : "";
}

const char *pipe_auth_name(IkeAuth auth)
{
    static const char *const names[] = {
        [IKE_AUTH_PSK] = "psk",
        [IKE_AUTH_CERTIFICATE] = "certificate",
        [IKE_AUTH_HYBRID] = "hybrid",
    };

    return names[auth];
}
