/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By which method of Phase 1 a gateway is asked. Gateways look for the ID, the method and the
 * proposals together, so a question with the wrong method is refused whatever else is right with
 * it. A signature's method says with what kind of key (RFC 2409, 5.1; RFC 4754), which the user's
 * certificate tells; where it is locked, nobody is asked to unlock it, and all kinds may be meant.
 */
#include "client/cli/diagnose.h"

#include "client/cli/cli.h"
#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "ike/auth.h"

/* Without a user and with one. RFC 4754's have no number for the latter. */
static const uint16_t METHODS[] = {
    IKE_METHOD_PSK,
    IKE_METHOD_XAUTH_INIT_PSK,
    IKE_METHOD_RSA_SIG,
    IKE_METHOD_ECDSA_256,
    IKE_METHOD_ECDSA_384,
    IKE_METHOD_ECDSA_521,
    IKE_METHOD_XAUTH_INIT_RSA,
};

G_STATIC_ASSERT(G_N_ELEMENTS(METHODS) <= DIAGNOSE_METHODS_MAX);

/* What the same credentials could be used with. */
static bool is_alike(const IkeMethod *method, const IkeMethod *own, IkeKeyKind key)
{
    return method->number != own->number && method->gateway_signs == own->gateway_signs &&
           method->we_sign == own->we_sign && (key == IKE_KEY_NONE || method->key == key);
}

void diagnose_methods(DiagnoseProber *prober, const IkeConfig *config, IkeKeyKind key)
{
    uint16_t offered[IKE_METHODS_MAX] = {0};

    ike_auth_offer(config, key, offered);
    const IkeMethod *own = ike_auth_method(offered[0]);
    prober->methods[0] = own->number;
    prober->methods_n = 1;
    for (gsize i = 0; i < G_N_ELEMENTS(METHODS); i++)
        if (is_alike(ike_auth_method(METHODS[i]), own, key))
            prober->methods[prober->methods_n++] = METHODS[i];
}

/* ---- the user's certificate ---- */

static IkeKeyKind kind_of(const DialtoneCertificate *certificate)
{
    switch (certificate->curve_bits) {
    case 0:
        return IKE_KEY_RSA;
    case 256:
        return IKE_KEY_P256;
    case 384:
        return IKE_KEY_P384;
    case 521:
        return IKE_KEY_P521;
    default:
        return IKE_KEY_NONE;
    }
}

static void tell_issues(Diagnosis *self, const GPtrArray *issues)
{
    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        if (issue->warning)
            diagnosis_add(self, DIAGNOSE_WARNING, NULL, "[%s] %s: %s", issue->group, issue->key,
                          issue->message);
        else
            diagnosis_fail(self, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION, NULL, "[%s] %s: %s",
                           issue->group, issue->key, issue->message);
    }
}

IkeKeyKind diagnose_certificate(Diagnosis *self, const char *path)
{
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(GError) error = NULL;

    if (self->profile->auth == DIALTONE_AUTH_PSK)
        return IKE_KEY_NONE;
    g_autoptr(DialtoneCertificate) certificate =
        cli_certificate(self->profile, path, NULL, issues, &error);
    self->topic = "certificate";
    tell_issues(self, issues);
    if (error != NULL)
        diagnosis_fail(self, dialtone_failure_of(error), dialtone_failure_advice(error), "%s",
                       error->message);
    else if (certificate == NULL && self->profile->auth == DIALTONE_AUTH_CERTIFICATE)
        diagnosis_add(self, DIAGNOSE_SKIPPED, NULL,
                      _("Your certificate is locked, and was left so: whether its key is RSA or "
                        "ECDSA is found out by asking."));
    else if (certificate != NULL && issues->len == 0)
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("Your certificate is %s."), certificate->subject);
    return certificate != NULL ? kind_of(certificate) : IKE_KEY_NONE;
}
