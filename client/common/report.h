/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told about a connection each time its state changes: the struct, its JSON (schema 1,
 * one object a line) and its line for a terminal. Strings are cleaned on the way out and on the
 * way in, for most of them were the gateway's. Fields that are NULL or 0 are left out of the JSON
 * where the contract allows it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/common/failure.h"
#include "client/common/state.h"

#define DIALTONE_REPORT_SCHEMA 1

/* Seconds before the end of a certificate from which on a user is told of it. */
enum { DIALTONE_EXPIRES_SOON = 30 * 86400 };

typedef enum {
    DIALTONE_NAT_NONE,
    DIALTONE_NAT_DETECTED,
    DIALTONE_NAT_FORCED,
} DialtoneNat;

/* Algorithms are spelled as in a profile: "aes256", "sha256", "modp2048". */
typedef struct {
    char *encryption;
    char *hash;
    char *group;
    char *auth;       /* "psk", "xauth-psk", "certificate", "hybrid", ... */
    guint64 lifetime; /* seconds */
} DialtonePhase1Report;

/* A certificate that was used. */
typedef struct {
    char *subject;     /* NULL: none was */
    char *issuer;      /* of the gateway's */
    char *fingerprint; /* SHA-256 in hex, of the gateway's */
    gint64 not_after;  /* seconds since 1970 */
} DialtoneCertificateReport;

typedef struct {
    char *encryption;
    char *integrity; /* NULL with an AEAD */
    char *pfs;       /* NULL without PFS */
    guint64 lifetime;
    char *local;  /* "10.1.2.3/32" */
    char *remote; /* "10.0.0.0/8" */
} DialtonePhase2Report;

/* Packets that were dropped for one cause: "replayed", "forged", "no-sa", ... */
typedef struct {
    char *cause;
    guint64 packets;
} DialtoneDropReport;

/* What the tunnel has carried until now, in inner packets. */
typedef struct {
    guint64 bytes_in, packets_in, bytes_out, packets_out;
    GPtrArray *drops; /* of DialtoneDropReport, owned; made by dialtone_report_new() */
} DialtoneTrafficReport;

typedef struct {
    DialtoneState state;
    gint64 time_us; /* microseconds since 1970; 0 = now, when it is written */
    char *profile;  /* the profile's name */

    /* from the end of Phase 1 on */
    char *remote_id; /* what the gateway has proven to be: "fqdn:gw.example.com" */
    char *vendor;    /* "Junos"; NULL where it did not say */
    char *member;    /* whoever was called for the profile's gateway; NULL: that one itself */
    DialtoneCertificateReport gateway_certificate;

    /* connected */
    char *interface;
    char *address;
    char *address6;
    char **dns;
    char **domains;
    char **routes;
    char *gateway; /* "192.0.2.1:4500" */
    DialtoneNat nat;
    guint mtu;
    char *banner;
    bool fallback;
    DialtonePhase1Report phase1;
    DialtoneCertificateReport certificate;
    char **weak;       /* which of the algorithms are; see client/profile/weak.h */
    GPtrArray *phase2; /* of DialtonePhase2Report, owned; made by dialtone_report_new() */
    guint64 elapsed_ms;
    char **offloads; /* in use; NULL: neither these nor the traffic are told */
    DialtoneTrafficReport traffic;

    /* failed; also reconnecting, where it says why */
    DialtoneFailure reason;
    char *message;
    char *advice;
    DialtoneRemedy remedy;

    /* of `dialtone status`: "yes" or "persistent", as the profile has it, where a kill switch of
     * the profile's was left behind and stands */
    char *kill_switch;
} DialtoneReport;

DialtoneReport *dialtone_report_new(DialtoneState state,
                                    const char *profile) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_report_free(DialtoneReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneReport, dialtone_report_free)

/* Appends an empty entry, owned by the report, for the caller to fill. */
DialtonePhase2Report *dialtone_report_add_phase2(DialtoneReport *report);

void dialtone_report_add_drop(DialtoneReport *report, const char *cause, guint64 packets);

/* Makes it a `failed` report of @error: reason, message, advice. */
void dialtone_report_take_error(DialtoneReport *report, const GError *error);

/* Within DIALTONE_EXPIRES_SOON, or it has ended; false where there is none. */
bool dialtone_report_ends_soon(const DialtoneCertificateReport *certificate)
    G_GNUC_WARN_UNUSED_RESULT;

/* What was wanted is out of reach, or was lost and is so: a network may have its reasons. */
bool dialtone_report_is_out_of_reach(const DialtoneReport *report) G_GNUC_WARN_UNUSED_RESULT;
/* What to do where a network wants a web page met first; no other advice helps there. Static. */
const char *dialtone_report_portal_advice(void) G_GNUC_WARN_UNUSED_RESULT;

/* Message and advice in the language of this program's user, see localize.h. */
void dialtone_report_localize(DialtoneReport *report);

/* One line without its newline. */
char *dialtone_report_to_json(const DialtoneReport *report) G_GNUC_WARN_UNUSED_RESULT;

/* Strict: refuses another schema, unknown states, wrong types and more than 64 KiB. Strings come
 * out clean. Unknown members are ignored, so that an older program reads a newer one. */
DialtoneReport *dialtone_report_from_json(const char *json, gsize n,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One translated line of what it has carried and how, or NULL where that is not told. */
char *dialtone_report_to_traffic_line(const DialtoneReport *report) G_GNUC_WARN_UNUSED_RESULT;

/* One translated line for a terminal, without newline: "connected: dialtone0 10.1.2.3/32 ...". */
char *dialtone_report_to_line(const DialtoneReport *report) G_GNUC_WARN_UNUSED_RESULT;
