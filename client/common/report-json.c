/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as JSON, both directions, side by side so that they can't drift apart.
 *
 * Written for scripts: the members of schema 1 are a contract. Every state has schema, time,
 * state and profile; `connected` has all of its members, null where there is no value; a reason,
 * message and advice come with `failed`, and with other states that have one to give.
 *
 * Read from the process that talks to the network: an unknown state, a wrong type or a member of
 * absurd size is an error there, never a crash here.
 */
#include "client/common/report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"

#define REMEDY_DIAGNOSE "diagnose"

enum {
    JSON_BYTES_MAX = 64 * 1024,
    NESTING_MAX = 8,
    TEXTS_MAX = 48 * 1024, /* what is written stays below the bound for what is read */
    TEXT_MAX = 8192,
    LIST_MAX = 512,
    ITEM_MAX = 255,    /* a domain's name */
    DROPS_MAX = 64,    /* causes */
    ITEM_OVERHEAD = 8, /* quotes, comma, and some */
    NAME_MAX_BYTES = 128,
    PAIR_MAX = 160, /* the names of the members of a Phase 2 SA */
};

static const char *const NATS[] = {"none", "detected", "forced"};

/* ---- out ---- */

/* Text of others is cut where it would make the whole too large for its readers. */
typedef struct {
    JsonBuilder *json;
    gsize left; /* bytes that text may still take */
} Output;

/* What is quoted takes at most twice its bytes. There is always room for a name or an address. */
static char *fit(Output *out, const char *text, gsize max, DialtoneTextShape shape)
{
    gsize room = MAX(out->left / 2, NAME_MAX_BYTES);
    char *clean = dialtone_text_clean(text, strlen(text), MIN(max, room), shape);

    out->left -= MIN(out->left, 2 * strlen(clean));
    return clean;
}

static void put_text(Output *out, const char *name, const char *text)
{
    json_builder_set_member_name(out->json, name);
    if (text == NULL) {
        json_builder_add_null_value(out->json);
        return;
    }
    g_autofree char *clean = fit(out, text, TEXT_MAX, DIALTONE_TEXT_LINES);
    json_builder_add_string_value(out->json, clean);
}

static void put_number(Output *out, const char *name, guint64 number)
{
    json_builder_set_member_name(out->json, name);
    json_builder_add_int_value(out->json, (gint64)MIN(number, (guint64)G_MAXINT64));
}

static void put_list(Output *out, const char *name, char *const *texts)
{
    json_builder_set_member_name(out->json, name);
    json_builder_begin_array(out->json);
    for (gsize i = 0; texts != NULL && texts[i] != NULL && i < LIST_MAX; i++) {
        if (2 * strlen(texts[i]) + ITEM_OVERHEAD > out->left / 2)
            break; /* half an item would be another one, and others need room too */
        g_autofree char *clean = fit(out, texts[i], ITEM_MAX, DIALTONE_TEXT_LINE);
        json_builder_add_string_value(out->json, clean);
        out->left -= MIN(out->left, ITEM_OVERHEAD);
    }
    json_builder_end_array(out->json);
}

static void put_time(Output *out, gint64 time_us)
{
    gint64 us = time_us > 0 ? time_us : g_get_real_time();
    g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    g_autofree char *stem =
        seconds != NULL ? g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S") : NULL;
    g_autofree char *text = g_strdup_printf("%s.%03dZ", stem != NULL ? stem : "1970-01-01T00:00:00",
                                            (int)(us / 1000 % 1000));
    put_text(out, "time", text);
}

static void put_phase1(Output *out, const DialtonePhase1Report *phase1)
{
    json_builder_set_member_name(out->json, "phase1");
    json_builder_begin_object(out->json);
    put_text(out, "encryption", phase1->encryption);
    put_text(out, "hash", phase1->hash);
    put_text(out, "group", phase1->group);
    put_text(out, "auth", phase1->auth);
    put_number(out, "lifetime", phase1->lifetime);
    json_builder_end_object(out->json);
}

static void put_date(Output *out, const char *name, gint64 seconds)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text = date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    put_text(out, name, text);
}

static void put_certificate(Output *out, const char *name,
                            const DialtoneCertificateReport *certificate)
{
    json_builder_set_member_name(out->json, name);
    if (certificate->subject == NULL) {
        json_builder_add_null_value(out->json);
        return;
    }
    json_builder_begin_object(out->json);
    put_text(out, "subject", certificate->subject);
    if (certificate->issuer != NULL)
        put_text(out, "issuer", certificate->issuer);
    put_date(out, "not_after", certificate->not_after);
    if (certificate->fingerprint != NULL)
        put_text(out, "fingerprint", certificate->fingerprint);
    json_builder_set_member_name(out->json, "expires_soon");
    json_builder_add_boolean_value(out->json, dialtone_report_ends_soon(certificate));
    json_builder_end_object(out->json);
}

static void put_phase2(Output *out, const GPtrArray *phase2)
{
    json_builder_set_member_name(out->json, "phase2");
    json_builder_begin_array(out->json);
    for (guint i = 0; i < phase2->len && i < LIST_MAX && out->left > PAIR_MAX; i++) {
        out->left -= PAIR_MAX;
        const DialtonePhase2Report *pair = phase2->pdata[i];
        json_builder_begin_object(out->json);
        put_text(out, "encryption", pair->encryption);
        put_text(out, "integrity", pair->integrity);
        put_text(out, "pfs", pair->pfs);
        put_number(out, "lifetime", pair->lifetime);
        put_text(out, "local", pair->local);
        put_text(out, "remote", pair->remote);
        json_builder_end_object(out->json);
    }
    json_builder_end_array(out->json);
}

static void put_traffic(Output *out, const DialtoneTrafficReport *traffic)
{
    json_builder_set_member_name(out->json, "traffic");
    json_builder_begin_object(out->json);
    put_number(out, "bytes_in", traffic->bytes_in);
    put_number(out, "packets_in", traffic->packets_in);
    put_number(out, "bytes_out", traffic->bytes_out);
    put_number(out, "packets_out", traffic->packets_out);
    json_builder_set_member_name(out->json, "drops");
    json_builder_begin_object(out->json);
    for (guint i = 0; i < traffic->drops->len && i < DROPS_MAX; i++) {
        const DialtoneDropReport *drop = traffic->drops->pdata[i];
        g_autofree char *cause = fit(out, drop->cause, ITEM_MAX, DIALTONE_TEXT_LINE);
        put_number(out, cause, drop->packets);
    }
    json_builder_end_object(out->json);
    json_builder_end_object(out->json);
}

static void put_connected(Output *out, const DialtoneReport *report)
{
    put_text(out, "interface", report->interface);
    put_text(out, "address", report->address);
    put_text(out, "address6", report->address6);
    put_list(out, "dns", report->dns);
    put_list(out, "domains", report->domains);
    put_list(out, "routes", report->routes);
    put_text(out, "gateway", report->gateway);
    put_text(out, "nat", NATS[report->nat]);
    put_number(out, "mtu", report->mtu);
    put_text(out, "banner", report->banner);
    json_builder_set_member_name(out->json, "fallback");
    json_builder_add_boolean_value(out->json, report->fallback);
    put_phase1(out, &report->phase1);
    put_certificate(out, "certificate", &report->certificate);
    put_certificate(out, "gateway_certificate", &report->gateway_certificate);
    put_phase2(out, report->phase2);
    put_list(out, "weak", report->weak);
    put_number(out, "elapsed_ms", report->elapsed_ms);
    if (report->offloads != NULL) {
        put_list(out, "offloads", report->offloads);
        put_traffic(out, &report->traffic);
    } else {
        put_text(out, "offloads", NULL);
        put_text(out, "traffic", NULL);
    }
}

/* A failure that nobody gave a reason is a fault of ours. */
static void put_reason(Output *out, const DialtoneReport *report)
{
    DialtoneFailure reason =
        report->reason != DIALTONE_FAILURE_NONE ? report->reason : DIALTONE_FAILURE_INTERNAL;

    put_text(out, "reason", dialtone_failure_name(reason));
}

char *dialtone_report_to_json(const DialtoneReport *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new_immutable();
    Output output = {.json = json, .left = TEXTS_MAX}, *out = &output;

    json_builder_begin_object(json);
    put_number(out, "schema", DIALTONE_REPORT_SCHEMA);
    put_time(out, report->time_us);
    put_text(out, "state", dialtone_state_name(report->state));
    put_text(out, "profile", report->profile);
    if (report->remote_id != NULL) {
        put_text(out, "remote_id", report->remote_id);
        put_text(out, "vendor", report->vendor);
        if (report->member != NULL)
            put_text(out, "member", report->member);
        if (report->state != DIALTONE_STATE_CONNECTED &&
            report->gateway_certificate.subject != NULL)
            put_certificate(out, "gateway_certificate", &report->gateway_certificate);
    }
    if (report->state == DIALTONE_STATE_CONNECTED)
        put_connected(out, report);
    if (report->state == DIALTONE_STATE_FAILED || report->reason != DIALTONE_FAILURE_NONE)
        put_reason(out, report);
    if (report->state == DIALTONE_STATE_FAILED || report->message != NULL)
        put_text(out, "message", report->message);
    if (report->state == DIALTONE_STATE_FAILED || report->advice != NULL)
        put_text(out, "advice", report->advice);
    if (report->remedy == DIALTONE_REMEDY_DIAGNOSE)
        put_text(out, "remedy", REMEDY_DIAGNOSE);
    if (report->kill_switch != NULL)
        put_text(out, "kill_switch", report->kill_switch);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    return json_to_string(root, FALSE);
}

/* ---- in ---- */

/* Sticky: the first wrong member is remembered, later reads give nothing. */
typedef struct {
    JsonObject *object;
    const char *wrong;
} Input;

static JsonNode *get(Input *in, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(in->object, name);

    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return NULL;
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type) {
        in->wrong = name;
        return NULL;
    }
    return node;
}

static char *get_text(Input *in, const char *name)
{
    JsonNode *node = get(in, name, G_TYPE_STRING);
    if (node == NULL)
        return NULL;
    const char *text = json_node_get_string(node);
    return dialtone_text_clean(text, strlen(text), TEXT_MAX, DIALTONE_TEXT_LINES);
}

static guint64 get_number(Input *in, const char *name)
{
    JsonNode *node = get(in, name, G_TYPE_INT64);
    gint64 number = node != NULL ? json_node_get_int(node) : 0;

    if (number < 0) {
        in->wrong = name;
        return 0;
    }
    return (guint64)number;
}

static bool get_flag(Input *in, const char *name)
{
    JsonNode *node = get(in, name, G_TYPE_BOOLEAN);
    return node != NULL && json_node_get_boolean(node);
}

static JsonObject *get_object(Input *in, const char *name)
{
    JsonNode *node = json_object_get_member(in->object, name);

    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return NULL;
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    in->wrong = name;
    return NULL;
}

static JsonArray *get_array(Input *in, const char *name)
{
    JsonNode *node = json_object_get_member(in->object, name);

    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return NULL;
    if (!JSON_NODE_HOLDS_ARRAY(node) ||
        json_array_get_length(json_node_get_array(node)) > LIST_MAX) {
        in->wrong = name;
        return NULL;
    }
    return json_node_get_array(node);
}

static char **get_list(Input *in, const char *name)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array = get_array(in, name);

    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
            in->wrong = name;
            return NULL;
        }
        const char *text = json_node_get_string(node);
        g_ptr_array_add(texts,
                        dialtone_text_clean(text, strlen(text), TEXT_MAX, DIALTONE_TEXT_LINE));
    }
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

static void get_nat(Input *in, DialtoneReport *report)
{
    g_autofree char *name = get_text(in, "nat");

    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(NATS); i++) {
        if (strcmp(name, NATS[i]) == 0) {
            report->nat = (DialtoneNat)i;
            return;
        }
    }
    if (name != NULL)
        in->wrong = "nat";
}

static void get_phase1(Input *in, DialtonePhase1Report *phase1)
{
    Input inner = {.object = get_object(in, "phase1")};
    if (inner.object == NULL)
        return;
    phase1->encryption = get_text(&inner, "encryption");
    phase1->hash = get_text(&inner, "hash");
    phase1->group = get_text(&inner, "group");
    phase1->auth = get_text(&inner, "auth");
    phase1->lifetime = get_number(&inner, "lifetime");
    if (inner.wrong != NULL)
        in->wrong = inner.wrong;
}

static gint64 get_date(Input *in, const char *name)
{
    g_autofree char *text = get_text(in, name);
    g_autoptr(GDateTime) date = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    if (date == NULL) {
        in->wrong = name;
        return 0;
    }
    return g_date_time_to_unix(date);
}

static void get_certificate(Input *in, const char *name, DialtoneCertificateReport *certificate)
{
    Input inner = {.object = get_object(in, name)};

    if (inner.object == NULL)
        return;
    certificate->subject = get_text(&inner, "subject");
    certificate->issuer = get_text(&inner, "issuer");
    certificate->not_after = get_date(&inner, "not_after");
    certificate->fingerprint = get_text(&inner, "fingerprint");
    if (inner.wrong != NULL)
        in->wrong = inner.wrong;
}

static void get_phase2(Input *in, DialtoneReport *report)
{
    JsonArray *array = get_array(in, "phase2");

    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            in->wrong = "phase2";
            return;
        }
        Input inner = {.object = json_node_get_object(node)};
        DialtonePhase2Report *pair = dialtone_report_add_phase2(report);
        pair->encryption = get_text(&inner, "encryption");
        pair->integrity = get_text(&inner, "integrity");
        pair->pfs = get_text(&inner, "pfs");
        pair->lifetime = get_number(&inner, "lifetime");
        pair->local = get_text(&inner, "local");
        pair->remote = get_text(&inner, "remote");
        if (inner.wrong != NULL)
            in->wrong = inner.wrong;
    }
}

static void get_drops(Input *in, DialtoneReport *report)
{
    Input inner = {.object = get_object(in, "drops")};
    g_autoptr(GList) causes = NULL;

    if (inner.object == NULL)
        return;
    if (json_object_get_size(inner.object) > DROPS_MAX) {
        in->wrong = "drops";
        return;
    }
    causes = json_object_get_members(inner.object);
    for (GList *at = causes; at != NULL; at = at->next) {
        const char *name = at->data;
        g_autofree char *cause =
            dialtone_text_clean(name, strlen(name), ITEM_MAX, DIALTONE_TEXT_LINE);
        dialtone_report_add_drop(report, cause, get_number(&inner, name));
    }
    if (inner.wrong != NULL)
        in->wrong = "drops";
}

static void get_traffic(Input *in, DialtoneReport *report)
{
    DialtoneTrafficReport *traffic = &report->traffic;
    Input inner = {.object = get_object(in, "traffic")};

    if (inner.object == NULL)
        return;
    report->offloads = get_list(in, "offloads");
    traffic->bytes_in = get_number(&inner, "bytes_in");
    traffic->packets_in = get_number(&inner, "packets_in");
    traffic->bytes_out = get_number(&inner, "bytes_out");
    traffic->packets_out = get_number(&inner, "packets_out");
    get_drops(&inner, report);
    if (inner.wrong != NULL)
        in->wrong = inner.wrong;
}

static void get_time(Input *in, DialtoneReport *report)
{
    g_autofree char *text = get_text(in, "time");
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    if (time == NULL) {
        in->wrong = "time";
        return;
    }
    report->time_us =
        g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static void get_reason(Input *in, DialtoneReport *report)
{
    g_autofree char *reason = get_text(in, "reason");

    if (reason != NULL && !dialtone_failure_from_name(reason, &report->reason))
        in->wrong = "reason";
    report->message = get_text(in, "message");
    report->advice = get_text(in, "advice");
    g_autofree char *remedy = get_text(in, "remedy");
    if (g_strcmp0(remedy, REMEDY_DIAGNOSE) == 0)
        report->remedy = DIALTONE_REMEDY_DIAGNOSE;
}

static void get_connected(Input *in, DialtoneReport *report)
{
    report->interface = get_text(in, "interface");
    report->address = get_text(in, "address");
    report->address6 = get_text(in, "address6");
    report->dns = get_list(in, "dns");
    report->domains = get_list(in, "domains");
    report->routes = get_list(in, "routes");
    report->gateway = get_text(in, "gateway");
    get_nat(in, report);
    report->mtu = (guint)MIN(get_number(in, "mtu"), G_MAXUINT16);
    report->banner = get_text(in, "banner");
    report->fallback = get_flag(in, "fallback");
    get_phase1(in, &report->phase1);
    get_certificate(in, "certificate", &report->certificate);
    get_certificate(in, "gateway_certificate", &report->gateway_certificate);
    get_phase2(in, report);
    report->weak = get_list(in, "weak");
    report->elapsed_ms = get_number(in, "elapsed_ms");
    get_traffic(in, report);
}

static DialtoneReport *read_object(Input *in)
{
    g_autofree char *name = get_text(in, "state");
    DialtoneState state;

    if (get_number(in, "schema") != DIALTONE_REPORT_SCHEMA)
        in->wrong = "schema";
    if (name == NULL || !dialtone_state_from_name(name, &state)) {
        in->wrong = "state";
        return NULL;
    }
    g_autofree char *profile = get_text(in, "profile");
    DialtoneReport *report = dialtone_report_new(state, profile);
    get_time(in, report);
    report->remote_id = get_text(in, "remote_id");
    report->vendor = get_text(in, "vendor");
    report->member = get_text(in, "member");
    get_connected(in, report);
    get_reason(in, report);
    report->kill_switch = get_text(in, "kill_switch");
    return report;
}

/* json-glib parses by recursion: depth is bounded before it sees the text. */
static bool is_shallow(const char *json, gsize n)
{
    guint depth = 0;
    bool quoted = false;

    for (gsize i = 0; i < n; i++) {
        if (quoted && json[i] == '\\')
            i++;
        else if (json[i] == '"')
            quoted = !quoted;
        else if (!quoted && (json[i] == '{' || json[i] == '[') && ++depth > NESTING_MAX)
            return false;
        else if (!quoted && (json[i] == '}' || json[i] == ']') && depth > 0)
            depth--;
    }
    return true;
}

DialtoneReport *dialtone_report_from_json(const char *json, gsize n, GError **error)
{
    if (n == 0 || n > JSON_BYTES_MAX || memchr(json, '\0', n) != NULL ||
        !g_utf8_validate(json, (gssize)n, NULL) || !is_shallow(json, n)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("a state report is too large or no text"));
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, json, (gssize)n, error))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("a state report is no JSON object"));
        return NULL;
    }
    Input in = {.object = json_node_get_object(root)};
    g_autoptr(DialtoneReport) report = read_object(&in);
    if (in.wrong != NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("a state report has a wrong member: %s"), in.wrong);
        return NULL;
    }
    return g_steal_pointer(&report);
}
