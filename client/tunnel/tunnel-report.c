/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of a connection, in the shape of the contract. Algorithms are named as in a profile.
 * Text of the gateway's is cleaned here once, and again by whoever shows it.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/config.h"
#include "client/tunnel/plan.h"
#include "ike/payload-id.h"
#include "ike/vendor.h"

static char *network_text(const IkeNetwork *network)
{
    PlatformPrefix prefix = tunnel_prefix_from_ike(network);
    char text[PLATFORM_ADDRESS_TEXT];
    return g_strdup(platform_prefix_format(&prefix, text));
}

/* A NAT can't be told from a feigned one where the profile feigns it always. */
static DialtoneNat nat_of(const Tunnel *self)
{
    if (!self->phase1.natt)
        return DIALTONE_NAT_NONE;
    if (self->profile->natt == DIALTONE_NATT_FORCE)
        return DIALTONE_NAT_FORCED;
    return self->phase1.nat_detected ? DIALTONE_NAT_DETECTED : DIALTONE_NAT_NONE;
}

static const char *auth_name(const IkePhase1Info *info)
{
    switch (info->auth) {
    case IKE_AUTH_PSK:
        return info->xauth ? "xauth-psk" : "psk";
    case IKE_AUTH_CERTIFICATE:
        return info->xauth ? "xauth-certificate" : "certificate";
    case IKE_AUTH_HYBRID:
        break;
    }
    return "hybrid";
}

static char *clean_name(const char *text, gsize size)
{
    return dialtone_text_clean(text, strnlen(text, size), IKE_ID_MAX, DIALTONE_TEXT_LINE);
}

static void add_own_certificate(DialtoneReport *report, const TunnelCredentials *own)
{
    if (own == NULL || own->chain->len == 0)
        return;
    report->certificate.subject = g_strdup(own->subject);
    report->certificate.not_after = own->not_after;
}

static void add_gateway_certificate(DialtoneReport *report, const IkeCertificateInfo *theirs)
{
    GString *hex = g_string_new(NULL);
    for (gsize i = 0; i < sizeof(theirs->fingerprint); i++)
        g_string_append_printf(hex, "%02x", theirs->fingerprint[i]);
    report->gateway_certificate.subject = clean_name(theirs->subject, sizeof(theirs->subject));
    report->gateway_certificate.issuer = clean_name(theirs->issuer, sizeof(theirs->issuer));
    report->gateway_certificate.not_after = theirs->not_after;
    report->gateway_certificate.fingerprint = g_string_free(hex, FALSE);
}

void tunnel_report_expiry(Tunnel *self)
{
    const IkeCertificateInfo *theirs = &self->phase1.certificate;
    gint64 left = theirs->not_after - g_get_real_time() / G_USEC_PER_SEC;
    if (self->phase1.auth == IKE_AUTH_PSK || self->told_expiry || left > DIALTONE_EXPIRES_SOON)
        return;
    self->told_expiry = true;
    guint days = (guint)MAX(left / 86400, (gint64)0);
    g_autofree char *subject = clean_name(theirs->subject, sizeof(theirs->subject));
    tunnel_notice(self,
                  ngettext("warning: the gateway's certificate (%s) ends in %u day; tell its "
                           "administrator",
                           "warning: the gateway's certificate (%s) ends in %u days; tell its "
                           "administrator",
                           days),
                  subject, days);
}

static void add_phase1(DialtoneReport *report, const IkePhase1Info *info)
{
    if (info->chosen.cipher != NULL)
        report->phase1.encryption = g_strdup(info->chosen.cipher->name);
    if (info->chosen.hash != NULL)
        report->phase1.hash = g_strdup(info->chosen.hash->name);
    if (info->chosen.group != NULL)
        report->phase1.group = g_strdup(info->chosen.group->name);
    report->phase1.auth = g_strdup(auth_name(info));
    report->phase1.lifetime = info->lifetime;
}

static bool is_replaced(const Tunnel *self, guint at)
{
    const IkeSaInfo *info = &g_array_index(self->sas, TunnelSa, at).info;
    for (guint i = at + 1; i < self->sas->len; i++) {
        const IkeSaInfo *later = &g_array_index(self->sas, TunnelSa, i).info;
        if (memcmp(&later->local, &info->local, sizeof(info->local)) == 0 &&
            memcmp(&later->remote, &info->remote, sizeof(info->remote)) == 0)
            return true;
    }
    return false;
}

static void add_phase2(DialtoneReport *report, const IkeSaInfo *info)
{
    DialtonePhase2Report *phase2 = dialtone_report_add_phase2(report);
    if (info->chosen.cipher != NULL)
        phase2->encryption = g_strdup(info->chosen.cipher->name);
    if (info->chosen.integrity != NULL)
        phase2->integrity = g_strdup(info->chosen.integrity->name);
    if (info->chosen.pfs != NULL)
        phase2->pfs = g_strdup(info->chosen.pfs->name);
    phase2->lifetime = info->lifetime;
    phase2->local = network_text(&info->local);
    phase2->remote = network_text(&info->remote);
}

static void add_why(DialtoneReport *report, const GError *why)
{
    report->reason = dialtone_failure_of(why);
    report->message = g_strdup(why->message);
    report->advice = g_strdup(dialtone_failure_advice(why));
    report->remedy = dialtone_failure_remedy(why);
}

static void add_connected(DialtoneReport *report, const Tunnel *self)
{
    report->interface = g_strdup(self->interface);
    report->gateway = tunnel_address_text(&self->peer);
    report->nat = nat_of(self);
    report->fallback = self->phase1.fallback;
    report->elapsed_ms = (platform_clock_now() - self->began) / IKE_MILLISECOND;
    const char *banner = self->inner.banner;
    gsize n = strnlen(banner, sizeof(self->inner.banner));
    if (n > 0)
        report->banner = dialtone_text_clean(banner, n, IKE_TEXT_MAX, DIALTONE_TEXT_LINES);
    report->message = g_strdup(self->warning);
    if (self->warning != NULL)
        report->advice = g_strdup(_("Find out which program manages this computer's network, and "
                                    "have it leave alone what is not its own."));
    if (self->warning == NULL && self->change.refused != NULL)
        add_why(report, self->change.refused);
    tunnel_traffic_add(report, self);
    add_phase1(report, &self->phase1);
    add_own_certificate(report, self->credentials);
    for (guint i = 0; i < self->sas->len; i++)
        if (!is_replaced(self, i))
            add_phase2(report, &g_array_index(self->sas, TunnelSa, i).info);
    if (self->plan == NULL)
        return;
    report->address = tunnel_plan_address_text(self->plan, AF_INET);
    report->address6 = tunnel_plan_address_text(self->plan, AF_INET6);
    report->dns = tunnel_plan_dns_text(self->plan);
    report->domains = tunnel_plan_domains_text(self->plan);
    report->routes = tunnel_plan_routes_text(self->plan);
    report->mtu = self->plan->mtu;
}

static const char *vendor_name(unsigned vendors)
{
    static const struct {
        unsigned vendor;
        const char *name;
    } names[] = {
        {IKE_VENDOR_JUNOS, "Junos"},         {IKE_VENDOR_NETSCREEN, "ScreenOS"},
        {IKE_VENDOR_FORTIGATE, "FortiGate"}, {IKE_VENDOR_STRONGSWAN, "strongSwan"},
        {IKE_VENDOR_RACOON, "racoon"},       {IKE_VENDOR_UNITY, "Cisco Unity"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if ((vendors & names[i].vendor) != 0)
            return names[i].name;
    return NULL;
}

/* Who the gateway is, once it has proven it; so from Phase 1 on, before any password is asked for.
 */
static void add_gateway(DialtoneReport *report, const IkePhase1Info *info)
{
    char text[IKE_ID_MAX];
    if (info->chosen.cipher == NULL || info->gateway.type == IKE_ID_ANY)
        return;
    ike_id_format(&info->gateway, text, sizeof(text));
    report->remote_id = clean_name(text, sizeof(text));
    report->vendor = g_strdup(vendor_name(info->vendors));
    if (info->auth != IKE_AUTH_PSK)
        add_gateway_certificate(report, &info->certificate);
}

DialtoneReport *tunnel_report_new(const Tunnel *self)
{
    DialtoneReport *report = dialtone_report_new(self->state, self->profile->name);
    if (self->state != DIALTONE_STATE_FAILED && self->session != NULL && !self->session_over)
        add_gateway(report, &self->phase1);
    if (report->remote_id != NULL)
        report->member = g_strdup(self->member);
    if (self->state == DIALTONE_STATE_CONNECTED)
        add_connected(report, self);
    if (self->state == DIALTONE_STATE_FAILED && self->error != NULL)
        dialtone_report_take_error(report, self->error);
    if (self->state == DIALTONE_STATE_RECONNECTING && self->round_error != NULL)
        add_why(report, self->round_error);
    return report;
}
