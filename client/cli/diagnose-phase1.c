/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway thinks of the profile's Phase 1: its proposals, its ID, and whether a user is to
 * be asked for. Gateways look at these in different orders and name the first thing that they
 * dislike, so what was found to help is kept and the next question is asked with it.
 */
#include "client/cli/diagnose.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/tunnel/config.h"
#include "client/tunnel/failure.h"
#include "client/tunnel/spelling.h"
#include "ike/auth.h"
#include "ike/payload-id.h"

enum {
    ALL_SWEEPS = 100,
    ROUNDS = 3,
    ID_TEXT_MAX = 4 * IKE_ID_MAX, /* a name that was cut is none to write down */
};

/* ---- questions ---- */

DiagnoseAsk diagnose_first_ask(DiagnoseProber *prober, const IkeConfig *config, size_t at)
{
    DiagnoseAsk ask = {.port = prober->gateway.port, .repeats = 1};

    for (size_t i = 0; i < config->phase1_n; i++)
        if (config->phase1[i].group == config->phase1[at].group)
            prober->proposals[ask.question.n++] = config->phase1[i];
    ask.question.proposals = prober->proposals;
    ask.question.id = config->id;
    ask.question.id_port = config->id_port;
    ask.question.method = prober->methods[0];
    ask.question.lifetime = config->phase1_lifetime;
    return ask;
}

static bool is_accepted(const DiagnoseReply *reply)
{
    return reply->answered && reply->answer.kind == IKE_PROBE_ACCEPTED;
}

/* It got as far as who we are. */
static bool is_about_us(const DiagnoseReply *reply)
{
    return reply->answered && reply->answer.kind == IKE_PROBE_REFUSED &&
           !diagnose_is_about_proposals(reply);
}

static bool group_came_before(const IkeConfig *config, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (config->phase1[i].group == config->phase1[at].group)
            return true;
    return false;
}

/* The profile's other groups, then what is common. */
static bool find_proposal(DiagnoseProber *prober, const IkeConfig *config, DiagnoseAsk *ask,
                          DiagnoseReply *reply)
{
    for (size_t i = 1; i < config->phase1_n; i++) {
        if (group_came_before(config, i))
            continue;
        DiagnoseAsk own = diagnose_first_ask(prober, config, i);
        own.question.id = ask->question.id;
        own.question.method = ask->question.method;
        own.repeats = 0;
        if (!diagnose_ask(prober, &own, reply))
            return false;
        *ask = own;
        if (reply->answered && !diagnose_is_about_proposals(reply))
            return true;
    }
    return diagnose_scan(prober, ask, ALL_SWEEPS, reply);
}

static IkeIdType other_kind(const IkeIdentity *id)
{
    if (id->type != IKE_ID_KEY_ID)
        return IKE_ID_KEY_ID;
    return memchr(id->bytes, '@', id->n) != NULL ? IKE_ID_USER_FQDN : IKE_ID_FQDN;
}

/* The methods that may be meant, one by one; @asked: as it stands it was asked already.
 * False: no question is left. */
static bool try_methods(DiagnoseProber *prober, DiagnoseAsk *ask, bool asked, DiagnoseReply *reply)
{
    const uint16_t first = ask->question.method;

    if (!asked && !diagnose_ask(prober, ask, reply))
        return false;
    if (!asked && reply->answered && !is_about_us(reply))
        return true;
    for (gsize i = 0; i < prober->methods_n; i++) {
        ask->question.method = prober->methods[i];
        if (prober->methods[i] == first)
            continue;
        if (!diagnose_ask(prober, ask, reply))
            return false;
        if (reply->answered && !is_about_us(reply))
            return true;
    }
    ask->question.method = first;
    return true;
}

/* With a user or without, then as the other kind of ID, then both. The kinds that a profile can't
 * write, such as an email address sent as a host name, are no help to anybody. What the gateway
 * said of us stands when none of it helps: silence after it, or no question left, takes nothing of
 * that back. */
static bool find_us(DiagnoseProber *prober, DiagnoseAsk *ask, DiagnoseReply *reply)
{
    const DiagnoseAsk before = *ask;
    const DiagnoseReply refusal = *reply;

    ask->repeats = 0;
    for (unsigned other = 0; other <= 1; other++) {
        if (other == 1)
            ask->question.id.type = other_kind(&before.question.id);
        if (!try_methods(prober, ask, other == 0, reply))
            break;
        if (reply->answered && !is_about_us(reply))
            return true;
    }
    *ask = before;
    *reply = refusal;
    return false;
}

/* ---- what it means ---- */

static char *text_of(const IkePhase1Proposal *chosen)
{
    const DialtoneProposal proposal = {chosen->cipher, chosen->hash, chosen->group};

    return dialtone_proposal_to_text(&proposal);
}

static bool profile_has(const IkeConfig *config, const IkePhase1Proposal *chosen)
{
    for (size_t i = 0; i < config->phase1_n; i++)
        if (config->phase1[i].cipher == chosen->cipher && config->phase1[i].hash == chosen->hash &&
            config->phase1[i].group == chosen->group)
            return true;
    return false;
}

static void tell_accepted(Diagnosis *self, const IkeConfig *config, const IkePhase1Proposal *chosen)
{
    g_autofree char *text = text_of(chosen);
    bool weak = chosen->cipher->weak || chosen->hash->weak || chosen->group->weak;
    const char *advice =
        weak ? _("It is weak: ask the gateway's administrator for a stronger one.") : NULL;
    const char *by_hand =
        weak ? _("It is weak, and nothing proves that this was your gateway's answer: ask its "
                 "administrator for a stronger one. Only if he confirms that it accepts no other, "
                 "write it into [Phase1] Proposals yourself.")
             : NULL;

    self->topic = "proposals";
    if (profile_has(config, chosen)) {
        diagnosis_add(self, weak ? DIAGNOSE_WARNING : DIAGNOSE_OK, advice,
                      _("The gateway accepts %s."), text);
        return;
    }
    diagnosis_fail(self, DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN, by_hand,
                   _("The gateway accepts none of [Phase1] Proposals. It accepts %s."), text);
    /* Whoever is on the way can answer a question; a weak proposal is the user's own to write. */
    if (!weak)
        diagnosis_propose(self, "Phase1", "Proposals", text);
}

static void tell_no_proposal(Diagnosis *self)
{
    g_autofree char *junos = tunnel_spelling_junos(self->profile, TUNNEL_PHASE1);
    g_autofree char *strongswan =
        tunnel_spelling_strongswan(self->profile->phase1_proposals, TUNNEL_PHASE1);
    g_autofree char *advice =
        g_strconcat(_("Ask its administrator which it accepts, or to accept yours."),
                    junos != NULL ? "\nJunos:\n" : "", junos != NULL ? junos : "",
                    "\nstrongSwan: ", strongswan, NULL);

    self->topic = "proposals";
    diagnosis_fail(self, DIALTONE_FAILURE_NO_PROPOSAL_CHOSEN, advice,
                   _("The gateway accepts neither [Phase1] Proposals nor any of the common ones."));
}

static void tell_user(Diagnosis *self, bool wanted)
{
    self->topic = "user";
    if (!wanted) {
        diagnosis_fail(self, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION, NULL,
                       _("The gateway wants no user, and the profile has one."));
        diagnosis_propose(self, "UserAuth", "XAuth", "no");
        return;
    }
    diagnosis_fail(self, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION,
                   _("Write your name as [UserAuth] User=, or you are asked for it each time."),
                   _("The gateway wants a user name and a password, and the profile has none."));
    diagnosis_propose(self, "UserAuth", "XAuth", "required");
}

/* A method other than the first was right: with a user or without, or, of a certificate that nobody
 * unlocked, with another kind of key. */
static void tell_method(Diagnosis *self, const IkeMethod *expected, const IkeMethod *right)
{
    static const char *const KEYS[] = {[IKE_KEY_RSA] = "RSA",
                                       [IKE_KEY_P256] = "ECDSA, P-256",
                                       [IKE_KEY_P384] = "ECDSA, P-384",
                                       [IKE_KEY_P521] = "ECDSA, P-521"};

    if (right->key != expected->key) {
        self->topic = "key";
        diagnosis_add(self, DIAGNOSE_OK, NULL,
                      _("The gateway expects a certificate with a key of this kind: %s."),
                      KEYS[right->key]);
    } else if (right->xauth != expected->xauth) {
        tell_user(self, right->xauth);
    }
}

static void tell_kind(Diagnosis *self, const IkeIdentity *id)
{
    bool key_id = id->type == IKE_ID_KEY_ID;
    g_autofree char *to = g_strdup_printf("%s%.*s", key_id ? "keyid:" : "", (int)id->n, id->bytes);

    self->topic = "id";
    diagnosis_fail(self, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION, NULL,
                   _("The gateway knows the ID as another kind: %s."), to);
    diagnosis_propose(self, "Identity", "ID", to);
}

static void tell_unknown(Diagnosis *self, uint32_t notify)
{
    const IkeFailure failure = {
        .reason = IKE_REASON_GATEWAY_AUTHENTICATION, .detail = IKE_DETAIL_NOTIFY, .notify = notify};
    const DialtoneEndpoint *first = &g_array_index(self->profile->gateways, DialtoneEndpoint, 0);
    const TunnelFailureContext context = {.profile = self->profile,
                                          .gateway = first->host,
                                          .with_user = tunnel_config_expects_user(self->profile)};
    g_autoptr(GError) error = NULL;

    tunnel_failure_explain(&failure, &context, &error);
    self->topic = "id";
    diagnosis_fail(self, dialtone_failure_of(error), dialtone_failure_advice(error), "%s",
                   error->message);
}

static void tell_us(DiagnoseProber *prober, const IkeConfig *config,
                    const IkeProbeQuestion *question)
{
    Diagnosis *self = prober->diagnosis;

    tell_method(self, ike_auth_method(prober->methods[0]), ike_auth_method(question->method));
    self->topic = "id";
    if (question->id.type != config->id.type)
        tell_kind(self, &question->id);
    else
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("The gateway knows the ID %s."),
                      self->profile->id.value);
}

/* As [Gateway] RemoteID is written. */
static void format_gateway(const IkeIdentity *gateway, char *text, size_t size)
{
    char name[ID_TEXT_MAX - 3] = "";

    if (gateway->type == IKE_ID_DER_ASN1_DN)
        ike_cert_format_der((IkeSlice){gateway->bytes, gateway->n}, name, sizeof(name));
    if (name[0] != '\0')
        g_snprintf(text, size, "dn:%s", name);
    else
        ike_id_format(gateway, text, size);
}

static void tell_gateway(Diagnosis *self, const IkeConfig *config, const IkeIdentity *gateway)
{
    char text[ID_TEXT_MAX];

    if (gateway->type == IKE_ID_ANY)
        return;
    format_gateway(gateway, text, sizeof(text));
    self->topic = "remote-id";
    if (ike_auth_expects(config, gateway))
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("The gateway calls itself %s."), text);
    else
        diagnosis_fail(self, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION,
                       _("Only if you know that this is your gateway, write that into [Gateway] "
                         "RemoteID."),
                       _("The gateway calls itself %s, which [Gateway] RemoteID does not allow."),
                       text);
}

static void tell_untried(Diagnosis *self)
{
    switch (self->profile->auth) {
    case DIALTONE_AUTH_PSK:
        self->topic = "psk";
        diagnosis_add(
            self, DIAGNOSE_SKIPPED, NULL,
            _("The preshared key and the password were not tried: only `dialtone connect` "
              "sends a proof of them."));
        break;
    case DIALTONE_AUTH_CERTIFICATE:
    case DIALTONE_AUTH_HYBRID:
        self->topic = "proof";
        diagnosis_add(self, DIAGNOSE_SKIPPED, NULL,
                      _("Neither your proof nor the gateway's certificate was tried: only "
                        "`dialtone connect` signs, and checks what the gateway signed."));
        break;
    }
}

void diagnose_phase1(DiagnoseProber *prober, const IkeConfig *config, DiagnoseAsk *ask,
                     DiagnoseReply *reply)
{
    Diagnosis *self = prober->diagnosis;
    bool more = true;

    for (unsigned round = 0; round < ROUNDS && more && !is_accepted(reply); round++)
        more = is_about_us(reply) ? find_us(prober, ask, reply)
                                  : find_proposal(prober, config, ask, reply);
    if (is_accepted(reply)) {
        tell_accepted(self, config, &reply->answer.chosen);
        tell_us(prober, config, &ask->question);
        tell_gateway(self, config, &reply->answer.gateway);
        tell_untried(self);
    } else if (is_about_us(reply)) {
        tell_unknown(self, reply->answer.notify);
    } else {
        tell_no_proposal(self);
    }
}
