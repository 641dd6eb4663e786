/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of `dialtone diagnose` share: its findings, the changes it proposes, and how it
 * asks a gateway. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/common/failure.h"
#include "client/profile/profile.h"
#include "ike/cert.h"
#include "ike/ike.h"
#include "ike/probe.h"

/* ---- findings (diagnose-report.c) ---- */

typedef enum DiagnoseResult {
    DIAGNOSE_OK,
    DIAGNOSE_WARNING,
    DIAGNOSE_FAILED,
    DIAGNOSE_SKIPPED,
} DiagnoseResult;

typedef struct DiagnoseChange {
    char *group, *key, *from, *to;
} DiagnoseChange;

typedef struct Diagnosis {
    const DialtoneProfile *profile;
    const char *topic;   /* the name of the check that is under way */
    bool json;           /* nothing is printed before the end */
    GPtrArray *checks;   /* what was found, in order */
    GPtrArray *changes;  /* of DiagnoseChange */
    DialtoneFailure why; /* of the first check that failed */
    unsigned probes;     /* datagrams that were sent */
    bool part; /* the file to change holds what a user changed of a profile, not all of one */
    bool written;
} Diagnosis;

void diagnosis_init(Diagnosis *self, const DialtoneProfile *profile, bool json);
void diagnosis_clear(Diagnosis *self);
/* The check of the topic is through; it is printed at once. @advice may be NULL. */
void diagnosis_add(Diagnosis *self, DiagnoseResult result, const char *advice, const char *format,
                   ...) G_GNUC_PRINTF(4, 5);
/* The same for one that failed. */
void diagnosis_fail(Diagnosis *self, DialtoneFailure why, const char *advice, const char *format,
                    ...) G_GNUC_PRINTF(4, 5);
/* What would help: [group] key=to. */
void diagnosis_propose(Diagnosis *self, const char *group, const char *key, const char *to);
void diagnosis_print_changes(const Diagnosis *self, const char *path);
void diagnosis_print_json(const Diagnosis *self);

/* ---- questions (diagnose-probe.c) ---- */

enum { DIAGNOSE_PROBES_MAX = 20, DIAGNOSE_METHODS_MAX = 8 };

typedef struct DiagnoseReply {
    bool answered;
    int error; /* errno of what the network said instead (ICMP), else 0 */
    IkeProbeAnswer answer;
} DiagnoseReply;

typedef struct DiagnoseProber {
    Diagnosis *diagnosis;
    IkeAddress gateway;                                   /* its port is Phase 1's */
    guint64 last;                                         /* when the last datagram was sent */
    IkePhase1Proposal proposals[IKE_PROBE_PROPOSALS_MAX]; /* of the question that is asked now */
    uint16_t methods[DIAGNOSE_METHODS_MAX]; /* the profile's, then others that may be meant */
    gsize methods_n;
} DiagnoseProber;

typedef struct DiagnoseAsk {
    IkeProbeQuestion question;
    guint16 port;
    bool whole;    /* must not be fragmented on the way */
    guint repeats; /* when there is no answer */
} DiagnoseAsk;

/* False: no question is left, and @reply is what it was; or this computer failed, which the reply
 * says (`error`). */
bool diagnose_ask(DiagnoseProber *prober, const DiagnoseAsk *ask, DiagnoseReply *reply);
/* Whether the gateway's computer answers TCP, were it with a refusal: then it is UDP that is
 * blocked. One attempt. */
bool diagnose_answers_tcp(const IkeAddress *gateway);

/* ---- methods (diagnose-method.c) ---- */

/* What is to be said about the profile's certificates, and the key of the user's; NONE: it is not
 * known, or the profile needs none. */
IkeKeyKind diagnose_certificate(Diagnosis *self, const char *path);
/* Fills @prober->methods. */
void diagnose_methods(DiagnoseProber *prober, const IkeConfig *config, IkeKeyKind key);

/* ---- the checks (diagnose-network.c, diagnose-phase1.c, diagnose-scan.c) ---- */

/* The first of the profile's gateways that has an address; false: none has. */
bool diagnose_names(Diagnosis *self, IkeAddress *gateway);
/* Ports, NAT and MTU. False: nothing gets through. @reply is what came to @ask. */
bool diagnose_network(DiagnoseProber *prober, DiagnoseAsk *ask, DiagnoseReply *reply);
/* Which proposals and which ID the gateway accepts, going on from @reply to @ask. */
void diagnose_phase1(DiagnoseProber *prober, const IkeConfig *config, DiagnoseAsk *ask,
                     DiagnoseReply *reply);

/* The question of the profile's own attempt for the group of its proposal @at. */
DiagnoseAsk diagnose_first_ask(DiagnoseProber *prober, const IkeConfig *config, size_t at);
/* The common proposals, group by group, until one of @max questions is answered by something else
 * than that it has the wrong proposals; @ask is that question then. */
bool diagnose_scan(DiagnoseProber *prober, DiagnoseAsk *ask, unsigned max, DiagnoseReply *reply);
/* The answer says that the proposals are the wrong ones. */
bool diagnose_is_about_proposals(const DiagnoseReply *reply);
