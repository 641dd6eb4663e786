/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advice that depends on the profile: which proposals were offered and what an administrator would
 * write for them, which kind of ID was sent and which is the other one, whether a user was named,
 * which port was tried.
 */
#include "client/tunnel/failure-advice.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/spelling.h"

/* ---- proposals ---- */

static const GArray *proposals_of(const DialtoneProfile *profile, TunnelPhase phase)
{
    return phase == TUNNEL_PHASE1 ? profile->phase1_proposals : profile->phase2_proposals;
}

/* Behind an empty line, see failure.h. */
static void append_configuration(GString *text, const DialtoneProfile *profile, TunnelPhase phase)
{
    g_autofree char *junos = tunnel_spelling_junos(profile, phase);
    g_autofree char *strongswan = tunnel_spelling_strongswan(proposals_of(profile, phase), phase);
    g_string_append_c(text, '\n');
    if (junos != NULL)
        g_string_append_printf(text, "\nJunos:\n%s", junos);
    g_string_append_printf(text, "\nstrongSwan: %s", strongswan);
}

static char *advise_proposals(const DialtoneProfile *profile, TunnelPhase phase, const char *other)
{
    GString *text = g_string_new(NULL);
    g_autofree char *attempts = tunnel_spelling_attempts(proposals_of(profile, phase), phase);
    g_string_append(text, attempts);
    g_string_append_c(text, '\n');
    g_string_append_printf(text,
                           _("Put what the gateway accepts into %s, or ask its administrator to "
                             "accept one of these."),
                           phase == TUNNEL_PHASE1 ? "[Phase1] Proposals" : "[Phase2] Proposals");
    if (other != NULL)
        g_string_append_printf(text, "\n%s", other);
    append_configuration(text, profile, phase);
    return g_string_free(text, FALSE);
}

/* Whether a user is asked for is a part of Phase 1's proposals, too (the authentication method). */
char *tunnel_advise_phase1_proposals(const IkeFailure *failure, const TunnelFailureContext *context)
{
    g_autofree char *user = tunnel_advise_method(failure, context);
    return advise_proposals(context->profile, TUNNEL_PHASE1, user);
}

char *tunnel_advise_phase2_proposals(const IkeFailure *failure, const TunnelFailureContext *context)
{
    return advise_proposals(context->profile, TUNNEL_PHASE2, NULL);
}

/* ---- our ID ---- */

typedef struct IdKind {
    DialtoneIdKind kind;
    const char *name;  /* for people */
    const char *junos; /* at [edit security ike gateway NAME dynamic] */
    const char *write; /* how [Identity] ID is written for it */
} IdKind;

static const IdKind ID_KINDS[] = {
    {DIALTONE_ID_EMAIL, N_("an email address (USER_FQDN)"), "user-at-hostname",
     N_("with an @, as in alice@example.com")},
    {DIALTONE_ID_FQDN, N_("a host name (FQDN)"), "hostname",
     N_("without an @, as in alice.example.com")},
    {DIALTONE_ID_KEYID, N_("a key ID (KEY_ID)"), "key-id", N_("with keyid: before it")},
};

/* What was sent, then the other kinds, the likeliest first: nobody mixes up an email address with a
 * key ID before a host name. */
char *tunnel_advise_id(const IkeFailure *failure, const TunnelFailureContext *context)
{
    const DialtoneId *id = &context->profile->id;
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ID_KINDS); i++)
        if (ID_KINDS[i].kind == id->kind)
            g_string_printf(text,
                            _("Check [Identity] ID. %s was sent as %s, for which a Junos gateway "
                              "needs `dynamic %s %s`."),
                            id->value, _(ID_KINDS[i].name), ID_KINDS[i].junos, id->value);
    for (size_t i = 0; i < G_N_ELEMENTS(ID_KINDS); i++)
        if (ID_KINDS[i].kind != id->kind)
            g_string_append_printf(
                g_string_append_c(text, ' '),
                _("If the gateway has `dynamic %s`, it wants %s: write the ID %s."),
                ID_KINDS[i].junos, _(ID_KINDS[i].name), _(ID_KINDS[i].write));
    return g_string_free(text, FALSE);
}

/* INVALID-ID-INFORMATION (18) in Phase 1: an SRX looks for the gateway whose `dynamic` ID has this
 * kind and value, and says no more than that there is none. */
char *tunnel_advise_id_kind(const IkeFailure *failure, const TunnelFailureContext *context)
{
    bool email = context->profile->id.kind == DIALTONE_ID_EMAIL;
    g_autofree char *id = tunnel_advise_id(failure, context);
    return g_strconcat(email ? _("Error 18 (INVALID-ID-INFORMATION) from a Junos SRX means as a "
                                 "rule that it has the other kind of ID: a host name.")
                             : _("Error 18 (INVALID-ID-INFORMATION) from a Junos SRX means as a "
                                 "rule that it has the other kind of ID: an email address."),
                       " ", id, NULL);
}

/* ---- the user ---- */

/* A gateway that wants a user, or none, refuses the method, and says no more than that. */
char *tunnel_advise_method(const IkeFailure *failure, const TunnelFailureContext *context)
{
    if (context->with_user)
        return g_strdup(_("Or the gateway wants no user: then leave out User, or set [UserAuth] "
                          "XAuth=no."));
    return g_strdup(_("Or the gateway wants a user name and a password, and the profile names "
                      "none: then write [UserAuth] User=YOUR-NAME."));
}

char *tunnel_advise_id_or_user(const IkeFailure *failure, const TunnelFailureContext *context)
{
    g_autofree char *id = tunnel_advise_id(failure, context);
    g_autofree char *user = tunnel_advise_method(failure, context);
    return g_strconcat(id, " ", user, NULL);
}

char *tunnel_advise_user(const IkeFailure *failure, const TunnelFailureContext *context)
{
    const char *user = context->profile->user;
    if (user == NULL)
        return g_strdup(_("Try again with the right user name and password; [UserAuth] User= keeps "
                          "the name. It is not tried again by itself, lest your account gets "
                          "locked."));
    return g_strdup_printf(_("Check [UserAuth] User (%s) and the password. It is not tried again "
                             "by itself, lest your account gets locked."),
                           user);
}

/* ---- the gateway ---- */

char *tunnel_advise_remote_id(const IkeFailure *failure, const TunnelFailureContext *context)
{
    g_autofree char *shown =
        dialtone_text_clean(failure->text, strnlen(failure->text, sizeof(failure->text)),
                            IKE_ID_MAX, DIALTONE_TEXT_LINE);
    return g_strdup_printf(_("Only if you know that this is your gateway, set [Gateway] "
                             "RemoteID to %s; no password was sent to it."),
                           shown);
}

/* The gateway has a key for each ID: the right key of another ID does not fit either. */
char *tunnel_advise_psk(const IkeFailure *failure, const TunnelFailureContext *context)
{
    const char *id = context->profile->id.value;
    return g_strdup_printf(
        _("The hash in the gateway's answer does not match. Check the PSK ([Secrets] PSK, or PSK= "
          "in the secrets file), letter by letter: what begins with 0x is taken as hexadecimal "
          "bytes, and spaces count. A gateway may have another key for each ID: ask whether this "
          "one is that of %s. Nothing else was sent."),
        id != NULL ? id : "");
}

char *tunnel_advise_silence(const IkeFailure *failure, const TunnelFailureContext *context)
{
    return g_strdup_printf(
        _("Check your Internet connection and [Gateway] Address. If both are right, UDP port %u is "
          "blocked on the way, or the gateway stays silent because it knows neither your ID "
          "([Identity] ID) nor your proposals ([Phase1] Proposals)."),
        context->port != 0 ? context->port : IKE_PORT);
}
