/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the gateway: its name, the two UDP ports, what stands between, how large a datagram
 * may be. Names are looked up as any program of the user's would; the tunnel itself asks the
 * servers of the physical link.
 */
#include "client/cli/diagnose.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/tunnel/config.h"
#include "ike/constants.h"

enum {
    SILENT_SWEEPS = 5, /* what is asked of a gateway that has said nothing so far */
    HEADERS4 = 20 + 8, /* IPv4 and UDP */
    HEADERS6 = 40 + 8,
    MTU_SMALL = 1400,   /* less than that and the profile should know */
    ESP_OVERHEAD = 100, /* IP, UDP, ESP, IV, padding and ICV, of the largest kind */
};

/* ---- names ---- */

static guint16 port_of(const DialtoneEndpoint *endpoint)
{
    return endpoint->port != 0 ? endpoint->port : IKE_PORT;
}

static bool first_address(GList *addresses, guint16 port, IkeAddress *gateway)
{
    GInetAddress *inet = addresses->data;
    PlatformAddress address;

    if (!platform_address_from_bytes(g_inet_address_to_bytes(inet),
                                     g_inet_address_get_native_size(inet), &address))
        return false;
    *gateway = tunnel_address_to_ike(&address, port);
    return true;
}

static bool look_up(Diagnosis *self, const DialtoneEndpoint *endpoint, IkeAddress *gateway)
{
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    g_autoptr(GError) error = NULL;
    GList *addresses = g_resolver_lookup_by_name(resolver, endpoint->host, NULL, &error);

    if (addresses == NULL) {
        diagnosis_fail(self, DIALTONE_FAILURE_UNREACHABLE,
                       _("Check the spelling of [Gateway] Address and your Internet connection."),
                       _("The name %s was not found: %s"), endpoint->host, error->message);
        return false;
    }
    bool good = first_address(addresses, port_of(endpoint), gateway);
    g_resolver_free_addresses(addresses);
    return good;
}

static bool resolve(Diagnosis *self, const DialtoneEndpoint *endpoint, IkeAddress *gateway)
{
    PlatformAddress literal;

    if (endpoint->is_ip && platform_address_parse(endpoint->host, &literal)) {
        *gateway = tunnel_address_to_ike(&literal, port_of(endpoint));
        diagnosis_add(self, DIAGNOSE_SKIPPED, NULL,
                      _("[Gateway] Address is an address: no name to look up."));
        return true;
    }
    if (!look_up(self, endpoint, gateway))
        return false;
    g_autofree char *text = tunnel_address_text(gateway);
    diagnosis_add(self, DIAGNOSE_OK, NULL, _("The name %s is found: %s."), endpoint->host, text);
    return true;
}

bool diagnose_names(Diagnosis *self, IkeAddress *gateway)
{
    const GArray *gateways = self->profile->gateways;

    self->topic = "name";
    for (guint i = 0; i < gateways->len; i++)
        if (resolve(self, &g_array_index(gateways, DialtoneEndpoint, i), gateway))
            return true;
    return false;
}

/* ---- ports ---- */

static guint16 other_port(guint16 port)
{
    return port == IKE_PORT_NATT ? IKE_PORT : IKE_PORT_NATT;
}

static void tell_silence(Diagnosis *self, const IkeAddress *gateway, const DiagnoseReply *reply)
{
    g_autofree char *where = tunnel_address_text(gateway);
    const guint16 other = other_port(gateway->port);

    self->topic = "udp";
    if (reply->error == ECONNREFUSED)
        diagnosis_fail(self, DIALTONE_FAILURE_UNREACHABLE,
                       _("Check [Gateway] Address; if it is right, the gateway's VPN service is "
                         "not running: ask its administrator."),
                       _("%s is there, but nothing listens on its UDP ports %u and %u."), where,
                       gateway->port, other);
    else if (diagnose_answers_tcp(gateway))
        diagnosis_fail(self, DIALTONE_FAILURE_UNREACHABLE,
                       _("That is common in the networks of hotels and trains. IKEv1 here has no "
                         "way through TCP, so no setting helps: use another network (a telephone's "
                         "will do), or ask this network's owner to let UDP ports 500 and 4500 "
                         "out."),
                       _("%s answers TCP, and nothing comes back on UDP ports %u and %u: UDP is "
                         "blocked altogether between here and there."),
                       where, gateway->port, other);
    else
        diagnosis_fail(self, DIALTONE_FAILURE_UNREACHABLE,
                       _("Check your Internet connection and [Gateway] Address, and try from "
                         "another network: this one may block UDP. IKEv1 here has no way through "
                         "TCP."),
                       _("Nothing comes back from %s, neither on UDP ports %u and %u nor on TCP."),
                       where, gateway->port, other);
}

static void tell_port(Diagnosis *self, guint16 port, bool open, const char *advice)
{
    g_autofree char *name = g_strdup_printf("udp-%u", port);

    self->topic = name;
    if (open)
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("UDP port %u gets through."), port);
    else
        diagnosis_fail(self, DIALTONE_FAILURE_UNREACHABLE, advice,
                       _("UDP port %u does not get through."), port);
    self->topic = NULL;
}

/* Both ports; false: neither. A gateway may pass over proposals that it does not know without a
 * word, so some of the common ones are asked for before it is called unreachable. */
static bool ports(DiagnoseProber *prober, DiagnoseAsk *ask, DiagnoseReply *reply)
{
    DiagnoseAsk natt = *ask;
    DiagnoseReply other = {0};

    natt.port = other_port(ask->port);
    bool first = diagnose_ask(prober, ask, reply) && reply->answered;
    bool second = diagnose_ask(prober, &natt, &other) && other.answered;
    if (!first && !second && reply->error == 0 && other.error == 0) {
        ask->repeats = 0;
        first = diagnose_scan(prober, ask, SILENT_SWEEPS, reply) || reply->answered;
        natt.question = ask->question;
        second = first && diagnose_ask(prober, &natt, &other) && other.answered;
    }
    if (!first && !second) {
        tell_silence(prober->diagnosis, &prober->gateway, reply->error != 0 ? reply : &other);
        return false;
    }
    tell_port(prober->diagnosis, ask->port, first,
              _("This network or the gateway's blocks the port that a connection begins on. Use "
                "another network, or ask its owner to let UDP port 500 out."));
    tell_port(prober->diagnosis, natt.port, second,
              _("A connection begins on the other port and then falls silent on this one, which "
                "carries the tunnel. Use another network, or ask its owner or the gateway's "
                "administrator to let UDP port 4500 through."));
    /* All that follows is asked where answers come from. */
    if (!first) {
        *reply = other;
        ask->port = prober->gateway.port = natt.port;
    }
    return true;
}

/* ---- NAT ---- */

static void nat(Diagnosis *self, const DiagnoseReply *reply)
{
    const IkeProbeAnswer *answer = &reply->answer;

    self->topic = "nat";
    if (answer->kind != IKE_PROBE_ACCEPTED)
        return;
    if (!answer->natt)
        diagnosis_fail(self, DIALTONE_FAILURE_PHASE2_REFUSED,
                       _("Ask its administrator to switch NAT traversal on (Junos: delete "
                         "security ike gateway NAME no-nat-traversal)."),
                       _("The gateway can't carry the tunnel in UDP (it has no NAT traversal)."));
    else if (answer->nat == IKE_PROBE_NAT_FOUND)
        diagnosis_add(self, DIAGNOSE_OK, NULL,
                      _("A NAT stands between here and the gateway; the tunnel goes in UDP and "
                        "does not mind."));
    else if (answer->nat == IKE_PROBE_NAT_NONE)
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("No NAT stands on the way."));
    else
        diagnosis_add(self, DIAGNOSE_SKIPPED, NULL,
                      _("The gateway does not say whether a NAT stands on the way."));
}

/* ---- MTU ---- */

static void tell_mtu(Diagnosis *self, guint mtu)
{
    if (mtu >= MTU_SMALL || self->profile->mtu != 0) {
        diagnosis_add(self, DIAGNOSE_OK, NULL, _("Datagrams of %u bytes get through whole."), mtu);
        return;
    }
    g_autofree char *inner = g_strdup_printf("%u", (mtu - ESP_OVERHEAD) & ~7u);
    diagnosis_add(self, DIAGNOSE_WARNING,
                  _("Web pages that hang in the tunnel come from this; a smaller [Network] MTU "
                    "helps."),
                  _("Datagrams of more than %u bytes do not get through whole."), mtu);
    diagnosis_propose(self, "Network", "MTU", inner);
}

/* The same question again in the largest datagrams that networks have. */
static void mtu(DiagnoseProber *prober, const DiagnoseAsk *ask)
{
    static const guint sizes[] = {1500, 1420, 1280};
    Diagnosis *self = prober->diagnosis;
    const guint marker = ask->port == IKE_PORT_NATT ? IKE_NON_ESP_MARKER_SIZE : 0;
    const guint headers = (prober->gateway.family == 6 ? HEADERS6 : HEADERS4) + marker;

    self->topic = "mtu";
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        DiagnoseAsk whole = *ask;
        DiagnoseReply reply = {0};
        whole.whole = true;
        whole.repeats = 0;
        whole.question.size = sizes[i] - headers;
        if (!diagnose_ask(prober, &whole, &reply))
            return;
        if (reply.answered) {
            tell_mtu(self, sizes[i]);
            return;
        }
    }
    diagnosis_add(self, DIAGNOSE_SKIPPED, NULL,
                  _("The gateway does not answer large datagrams; how large they may be is not "
                    "known."));
}

bool diagnose_network(DiagnoseProber *prober, DiagnoseAsk *ask, DiagnoseReply *reply)
{
    if (!ports(prober, ask, reply))
        return false;
    nat(prober->diagnosis, reply);
    mtu(prober, ask);
    return true;
}
