/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures, explained. For each detail that the core reports there is one row: a sentence for the
 * person in front of the screen, and advice that names the setting to look at. Where the advice
 * depends on the profile (which proposals, which kind of ID) a function makes it. What the gateway
 * said itself appears only as the name of a notify, or as text that reports clean before showing.
 */
#include "client/tunnel/failure.h"

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/config.h"
#include "client/tunnel/failure-advice.h"

typedef struct Row {
    const char *message; /* the first %s is the gateway, the second the core's text */
    const char *advice;  /* or a function */
    TunnelAdviceFn advise;
} Row;

/* ---- reasons ---- */

static const DialtoneFailure REASONS[] = {
    [IKE_REASON_NONE] = DIALTONE_FAILURE_INTERNAL,
    [IKE_REASON_INTERNAL] = DIALTONE_FAILURE_INTERNAL,
    [IKE_REASON_SECRET_MISSING] = DIALTONE_FAILURE_SECRET_MISSING,
    [IKE_REASON_UNREACHABLE] = DIALTONE_FAILURE_UNREACHABLE,
    [IKE_REASON_NO_PROPOSAL_CHOSEN] = DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN,
    [IKE_REASON_GATEWAY_AUTHENTICATION] = DIALTONE_FAILURE_GATEWAY_AUTHENTICATION,
    [IKE_REASON_USER_AUTHENTICATION] = DIALTONE_FAILURE_USER_AUTHENTICATION,
    [IKE_REASON_PHASE2_REFUSED] = DIALTONE_FAILURE_PHASE2_REFUSED,
    [IKE_REASON_TUNNEL_LOST] = DIALTONE_FAILURE_TUNNEL_LOST,
    [IKE_REASON_STOPPED] = DIALTONE_FAILURE_INTERNAL,
};

DialtoneFailure tunnel_failure_reason(const IkeFailure *failure)
{
    if ((size_t)failure->reason >= G_N_ELEMENTS(REASONS))
        return DIALTONE_FAILURE_INTERNAL;
    return REASONS[failure->reason];
}

bool tunnel_failure_is_transient(const IkeFailure *failure)
{
    DialtoneFailure reason = tunnel_failure_reason(failure);
    return reason == DIALTONE_FAILURE_UNREACHABLE || reason == DIALTONE_FAILURE_TUNNEL_LOST;
}

/* ---- what a notify means, in Phase 1 and in Phase 2 ---- */

typedef struct NotifyRow {
    uint32_t notify;
    IkeReason reason; /* IKE_REASON_NONE: any */
    Row row;
} NotifyRow;

static const NotifyRow NOTIFIES[] = {
    {IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
     IKE_REASON_PHASE2_REFUSED,
     {N_("The gateway %s accepts none of the Phase 2 proposals that were offered."), NULL,
      tunnel_advise_phase2_proposals}},
    {IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
     IKE_REASON_NONE,
     {N_("The gateway %s accepts none of the Phase 1 proposals that were offered."), NULL,
      tunnel_advise_phase1_proposals}},
    {IKE_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
     IKE_REASON_NO_PROPOSAL_CHOSEN,
     {N_("The gateway %s accepts none of the Phase 1 proposals that were offered."), NULL,
      tunnel_advise_phase1_proposals}},
    {IKE_NOTIFY_BAD_PROPOSAL_SYNTAX,
     IKE_REASON_NO_PROPOSAL_CHOSEN,
     {N_("The gateway %s accepts none of the Phase 1 proposals that were offered."), NULL,
      tunnel_advise_phase1_proposals}},
    {IKE_NOTIFY_INVALID_KEY_INFORMATION,
     IKE_REASON_NO_PROPOSAL_CHOSEN,
     {N_("The gateway %s refuses the Diffie-Hellman groups that were offered."), NULL,
      tunnel_advise_phase1_proposals}},
    {IKE_NOTIFY_INVALID_ID_INFORMATION,
     IKE_REASON_PHASE2_REFUSED,
     {N_("The gateway %s does not let you reach the networks that were asked for."),
      N_("Set [Phase2] Networks to what the gateway protects (Junos: the proxy identity, "
         "strongSwan: local_ts), or remove it to take what the gateway gives."),
      NULL}},
    {IKE_NOTIFY_INVALID_ID_INFORMATION,
     IKE_REASON_NONE,
     {N_("The gateway %s does not know your ID, or knows it as another kind of ID."), NULL,
      tunnel_advise_id_kind}},
    {IKE_NOTIFY_AUTHENTICATION_FAILED,
     IKE_REASON_GATEWAY_AUTHENTICATION,
     {N_("The gateway %s does not know your ID, or has another key for it."), NULL,
      tunnel_advise_id_or_user}},
    {IKE_NOTIFY_INVALID_HASH_INFORMATION,
     IKE_REASON_GATEWAY_AUTHENTICATION,
     {N_("The gateway %s says that the preshared key is not the one it has."),
      N_("Check the PSK ([Secrets] PSK, or PSK= in the secrets file), letter by letter."), NULL}},
    {IKE_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE,
     IKE_REASON_NONE,
     {N_("The gateway %s does not speak IKEv1 in aggressive mode."),
      N_("Ask its administrator to allow it. Junos: set security ike policy NAME mode "
         "aggressive. strongSwan: version = 1 and aggressive = yes."),
      NULL}},
    {IKE_NOTIFY_INVALID_EXCHANGE_TYPE,
     IKE_REASON_NONE,
     {N_("The gateway %s does not speak IKEv1 in aggressive mode."),
      N_("Ask its administrator to allow it. Junos: set security ike policy NAME mode "
         "aggressive. strongSwan: version = 1 and aggressive = yes."),
      NULL}},
};

static const Row *notify_row(const IkeFailure *failure)
{
    for (size_t i = 0; i < G_N_ELEMENTS(NOTIFIES); i++) {
        const NotifyRow *row = &NOTIFIES[i];
        bool fits = row->reason == IKE_REASON_NONE || row->reason == failure->reason;
        if (row->notify == failure->notify && fits)
            return &row->row;
    }
    return NULL;
}

/* ---- details ---- */

static const Row DETAILS[] = {
    [IKE_DETAIL_NONE] = {N_("The connection to the gateway %s has failed."),
                         N_("Try again; if it stays so, send a report."), NULL},
    [IKE_DETAIL_SILENCE] = {N_("The gateway %s does not answer."), NULL, tunnel_advise_silence},
    [IKE_DETAIL_SILENCE_LATER] =
        {N_("The gateway %s answered at first and then fell silent."),
         N_("Most often UDP port 4500 is blocked on the way; try from another network. If it is "
            "so from everywhere, ask the administrator to look at the gateway's log."),
         NULL},
    [IKE_DETAIL_SILENCE_PHASE2] =
        {N_("The gateway %s does not answer what Phase 2 proposes to it."),
         N_("Some gateways refuse without a word: compare [Phase2] Proposals, its group included, "
            "and [Phase2] Networks with the gateway's, or ask the administrator to look at its "
            "log."),
         NULL},
    [IKE_DETAIL_NOTIFY] = {N_("The gateway %s refused the connection (%s)."),
                           N_("Ask the administrator to look at the gateway's log."), NULL},
    [IKE_DETAIL_WRONG_PSK] =
        {N_("The preshared key is not the one that the gateway %s has for your ID."), NULL,
         tunnel_advise_psk},
    [IKE_DETAIL_WRONG_REMOTE_ID] =
        {N_("The gateway %s calls itself %s, which is not the one that the profile expects."), NULL,
         tunnel_advise_remote_id},
    [IKE_DETAIL_NOT_OFFERED] =
        {N_("The gateway %s chose algorithms that were not offered; that is refused, for safety."),
         NULL, tunnel_advise_phase1_proposals},
    [IKE_DETAIL_MALFORMED] =
        {N_("The gateway %s sent an answer that makes no sense."),
         N_("Another device may answer in its place: check [Gateway] Address. Else send a report "
            "with the gateway's make and version."),
         NULL},
    [IKE_DETAIL_PASSWORD] = {N_("The gateway %s refused the user name or the password."), NULL,
                             tunnel_advise_user},
    [IKE_DETAIL_XAUTH_UNWANTED] =
        {N_("The gateway %s asks for a user name and a password, and the profile forbids it."),
         N_("Set [UserAuth] XAuth=auto, and User= to your name."), NULL},
    [IKE_DETAIL_XAUTH_MISSING] =
        {N_("The gateway %s did not ask for a user, though the profile requires it."),
         N_("If the gateway needs none, set [UserAuth] XAuth=auto or no."), NULL},
    [IKE_DETAIL_XAUTH_TYPE] =
        {N_("The gateway %s asks for a kind of user authentication that this version does not "
            "speak."),
         N_("Ask the administrator for user name and password (XAUTH of the type generic)."), NULL},
    [IKE_DETAIL_XAUTH_ROUNDS] =
        {N_("The gateway %s asked for the user again and again without an end."),
         N_("Ask its administrator what it wants of its users."), NULL},
    [IKE_DETAIL_NO_SECRET] =
        {N_("The gateway %s asks for a user name or a password, and nobody gave it."),
         N_("Put User= and Password= into a file of mode 0600 and name it with --secrets FILE, or "
            "connect from a terminal."),
         NULL},
    [IKE_DETAIL_NO_ADDRESS] =
        {N_("The gateway %s gave no inner address."),
         N_("Ask the administrator for an address pool for your ID, or set [Network] Config=none "
            "and Address= to the address that you were given."),
         NULL},
    [IKE_DETAIL_NO_CONFIG] =
        {N_("The gateway %s did not answer the question for an inner address."),
         N_("Set [Network] Config=push, pull or none, as the administrator says; with none, "
            "Address= is yours."),
         NULL},
    [IKE_DETAIL_NETWORK_REFUSED] =
        {N_("The gateway %s does not let you reach the network %s."),
         N_("Correct [Phase2] Networks; some gateways take only one network of 0.0.0.0/0 "
            "([Quirks] Selectors=any)."),
         NULL},
    [IKE_DETAIL_DHCP_REFUSED] =
        {N_("The gateway %s lets no DHCP through the tunnel."),
         N_("Ask its administrator whether it gives addresses by DHCP over IPsec (SonicWall: VPN > "
            "DHCP over VPN). If not, set [Network] Config=auto, or none and Address=."),
         NULL},
    [IKE_DETAIL_DHCP_SILENCE] =
        {N_("No DHCP server answered behind the gateway %s."),
         N_("Ask its administrator for a DHCP server or relay for VPN clients (SonicWall: VPN > "
            "DHCP over VPN), and whether it has an address left."),
         NULL},
    [IKE_DETAIL_DHCP_NAK] =
        {N_("The DHCP server behind the gateway %s gives no address, though it offers one."),
         N_("Ask the administrator whether its pool fits the network, and whether an address is "
            "reserved for another device."),
         NULL},
    [IKE_DETAIL_LEASE_EXPIRED] =
        {N_("The address from the DHCP server behind the gateway %s was not renewed in time."),
         N_("If it happens again, ask the administrator whether the server answers VPN clients "
            "that renew."),
         NULL},
    [IKE_DETAIL_NO_NATT] =
        {N_("The gateway %s can't carry the tunnel in UDP."),
         N_("Ask the administrator to switch NAT traversal on (Junos: delete security ike gateway "
            "NAME no-nat-traversal)."),
         NULL},
    [IKE_DETAIL_DPD] = {N_("The gateway %s stopped answering."),
                        N_("Check your Internet connection."), NULL},
    [IKE_DETAIL_DELETED] = {N_("The gateway %s ended the tunnel."),
                            N_("If it does so often, ask the administrator about idle times and "
                               "lifetimes."),
                            NULL},
    [IKE_DETAIL_EXPIRED] = {N_("The keys expired before the gateway %s renewed them."),
                            N_("Check your Internet connection; if it is fine, compare [Phase1] "
                               "and [Phase2] Lifetime with the gateway's."),
                            NULL},
    [IKE_DETAIL_NETWORKS_CUT] = {N_("The gateway %s names more networks than this client takes."),
                                 N_("Ask its administrator for fewer and larger networks."), NULL},
    [IKE_DETAIL_REDIRECTED] =
        {N_("The gateway %s sends you on to %s, after too many others or back to one of them."),
         N_("Ask the administrator to look at the load balancing of the gateways."), NULL},
    [IKE_DETAIL_CERT_NONE] =
        {N_("The gateway %s sent no certificate."),
         N_("Ask the administrator to let the gateway send its certificate, or set [Identity] "
            "Auth=psk if it has a preshared key for you."),
         NULL},
    [IKE_DETAIL_CERT_MALFORMED] =
        {N_("The gateway %s sent a certificate that can't be read."),
         N_("Ask the administrator to look at the gateway's certificate."), NULL},
    [IKE_DETAIL_CERT_EXPIRED] =
        {N_("A certificate of the gateway %s has expired (%s)."),
         N_("Check this computer's date. If it is right, ask the administrator to renew the "
            "certificate."),
         NULL},
    [IKE_DETAIL_CERT_NOT_YET] = {N_("A certificate of the gateway %s is not valid yet (%s)."),
                                 N_("Check this computer's date."), NULL},
    [IKE_DETAIL_CERT_ISSUER] =
        {N_("The certificate of the gateway %s was issued by %s, which [Identity] CA does not "
            "have."),
         N_("Ask the administrator for the certificate of that CA and name it in [Identity] CA. "
            "Nothing else was sent."),
         NULL},
    [IKE_DETAIL_CERT_REVOKED] =
        {N_("A certificate of the gateway %s has been revoked (%s)."),
         N_("Don't connect; ask the administrator for the reason. Nothing else was sent."), NULL},
    [IKE_DETAIL_CERT_NO_CRL] =
        {N_("Whether the certificate of the gateway %s has been revoked can't be said: there is "
            "no current list of %s."),
         N_("Connect again, for lists are fetched and read when connecting. If that does not help, "
            "see whether the addresses in [Identity] CRL can be reached, or ask the administrator "
            "for a new revocation list (CRL)."),
         NULL},
    [IKE_DETAIL_CERT_ID] =
        {N_("The certificate of the gateway %s (%s) does not have the name that the profile "
            "expects."),
         N_("Set [Gateway] RemoteID to a name in the certificate's subjectAltName, but only if "
            "the administrator confirms it. Nothing else was sent."),
         NULL},
    [IKE_DETAIL_CERT_USE] =
        {N_("The certificate of the gateway %s (%s) was issued for another use."),
         N_("Ask the administrator for a gateway certificate with the extended key usage "
            "serverAuth or ipsecIKE, or with none."),
         NULL},
    [IKE_DETAIL_CERT_WEAK] =
        {N_("A certificate of the gateway %s is too weak to be trusted (%s)."),
         N_("Ask the administrator for a certificate with an RSA key of 2048 bits or more, or an "
            "elliptic one, signed with SHA-256 or better."),
         NULL},
    [IKE_DETAIL_CERT_INVALID] =
        {N_("The certificates of the gateway %s do not form a valid chain (%s)."),
         N_("Ask the administrator to look at the gateway's certificate and its issuers'."), NULL},
    [IKE_DETAIL_CERT_SIGNATURE] =
        {N_("The gateway %s could not prove that the certificate it shows (%s) is its own."),
         N_("Another device may answer in its place. Try from another network; if it stays so, "
            "tell the administrator."),
         NULL},
    [IKE_DETAIL_CERT_OTHER_CA] =
        {N_("The gateway %s asks for a certificate of another issuer (%s)."),
         N_("Ask the administrator which certificate the gateway takes."), NULL},
    [IKE_DETAIL_NO_SIGNATURE] =
        {N_("The gateway %s wants to see your certificate, and nobody could sign with its key."),
         N_("Check [Identity] Certificate: that the token is there, and that its PIN or the "
            "key's passphrase was given."),
         NULL},
    [IKE_DETAIL_KEY_MISMATCH] =
        {N_("The private key does not belong to the certificate meant for the gateway %s."),
         N_("Check [Identity] Certificate: certificate and key must be of one pair."), NULL},
    [IKE_DETAIL_LOCAL] = {N_("This computer could not go on (%2$s) while talking to %1$s."),
                          N_("If the profile names a weak algorithm, this system's OpenSSL may "
                             "have switched it off; choose a stronger one."),
                          NULL},
};

static const Row *row_of(const IkeFailure *failure)
{
    size_t detail = (size_t)failure->detail;
    if (failure->reason == IKE_REASON_NO_PROPOSAL_CHOSEN &&
        failure->detail != IKE_DETAIL_NOT_OFFERED)
        return notify_row(
            &(IkeFailure){.reason = failure->reason, .notify = IKE_NOTIFY_NO_PROPOSAL_CHOSEN});
    bool said =
        failure->detail == IKE_DETAIL_NOTIFY || (failure->detail == IKE_DETAIL_NETWORK_REFUSED &&
                                                 failure->notify == IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
    const Row *row = said ? notify_row(failure) : NULL;
    if (row != NULL)
        return row;
    return &DETAILS[detail < G_N_ELEMENTS(DETAILS) ? detail : IKE_DETAIL_NONE];
}

static char *second_argument(const IkeFailure *failure)
{
    if (failure->detail == IKE_DETAIL_NOTIFY)
        return g_strdup(ike_notify_name(failure->notify));
    if (failure->detail == IKE_DETAIL_LOCAL)
        return g_strdup(g_strerror(failure->error < 0 ? -failure->error : failure->error));
    if (failure->detail == IKE_DETAIL_REDIRECTED)
        return tunnel_host_text(&failure->elsewhere);
    return dialtone_text_clean(failure->text, strnlen(failure->text, sizeof(failure->text)),
                               IKE_ID_MAX, DIALTONE_TEXT_LINE);
}

/* The sentences are constants of the tables above and their translations. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *sentence(const Row *row, const char *gateway, const char *second)
{
    return g_strdup_printf(_(row->message), gateway, second);
}
#pragma GCC diagnostic pop

/* A diagnosis asks the gateway what a connection can't: with other proposals, and on other ports.
 */
static bool is_to_be_diagnosed(DialtoneFailure reason)
{
    return reason == DIALTONE_FAILURE_UNREACHABLE || reason == DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN;
}

void tunnel_failure_explain(const IkeFailure *failure, const TunnelFailureContext *context,
                            GError **error)
{
    const Row *row = row_of(failure);
    g_autofree char *second = second_argument(failure);
    g_autofree char *message = sentence(row, context->gateway, second);
    g_autofree char *advice = NULL;
    if (row->advise != NULL)
        advice = row->advise(failure, context);
    else if (row->advice != NULL)
        advice = g_strdup(_(row->advice));
    const DialtoneFailure reason = tunnel_failure_reason(failure);
    dialtone_failure_set(error, reason, advice, "%s", message);
    if (error != NULL && is_to_be_diagnosed(reason))
        dialtone_failure_set_remedy(*error, DIALTONE_REMEDY_DIAGNOSE);
}

char *tunnel_failure_log_text(const IkeFailure *failure)
{
    GString *text = g_string_new(dialtone_failure_name(tunnel_failure_reason(failure)));
    g_string_append_printf(text, "/%d", (int)failure->detail);
    if (failure->notify != 0)
        g_string_append_printf(text, " notify %u (%s)", failure->notify,
                               ike_notify_name(failure->notify));
    if (failure->error != 0)
        g_string_append_printf(text, " errno %d", failure->error);
    return g_string_free(text, FALSE);
}
