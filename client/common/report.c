/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a report and its line for a terminal. Its JSON is in report-json.c.
 *
 * The line begins with the state's name, which is never translated, so that a person and a
 * `grep` read the same output.
 */
#include "client/common/report.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/localize.h"
#include "client/common/text.h"

/* A terminal line; the JSON has the whole of a banner or message. */
enum { LINE_TEXT_MAX = 1024 };

static void phase2_free(gpointer data)
{
    DialtonePhase2Report *phase2 = data;

    g_free(phase2->encryption);
    g_free(phase2->integrity);
    g_free(phase2->pfs);
    g_free(phase2->local);
    g_free(phase2->remote);
    g_free(phase2);
}

static void drop_free(gpointer data)
{
    DialtoneDropReport *drop = data;

    g_free(drop->cause);
    g_free(drop);
}

bool dialtone_report_ends_soon(const DialtoneCertificateReport *certificate)
{
    gint64 left = certificate->not_after - g_get_real_time() / G_USEC_PER_SEC;
    return certificate->subject != NULL && left <= DIALTONE_EXPIRES_SOON;
}

bool dialtone_report_is_out_of_reach(const DialtoneReport *report)
{
    bool away =
        report->state == DIALTONE_STATE_FAILED || report->state == DIALTONE_STATE_RECONNECTING;
    return away && report->reason == DIALTONE_FAILURE_UNREACHABLE;
}

const char *dialtone_report_portal_advice(void)
{
    return _("This network lets nothing through before you have logged in on a web page: open one "
             "in a browser.");
}

DialtoneReport *dialtone_report_new(DialtoneState state, const char *profile)
{
    DialtoneReport *report = g_new0(DialtoneReport, 1);

    report->state = state;
    report->profile = g_strdup(profile);
    report->phase2 = g_ptr_array_new_with_free_func(phase2_free);
    report->traffic.drops = g_ptr_array_new_with_free_func(drop_free);
    return report;
}

static void certificate_clear(DialtoneCertificateReport *certificate)
{
    g_free(certificate->subject);
    g_free(certificate->issuer);
    g_free(certificate->fingerprint);
}

void dialtone_report_free(DialtoneReport *report)
{
    if (report == NULL)
        return;
    g_free(report->profile);
    g_free(report->remote_id);
    g_free(report->member);
    g_free(report->vendor);
    g_free(report->interface);
    g_free(report->address);
    g_free(report->address6);
    g_strfreev(report->dns);
    g_strfreev(report->domains);
    g_strfreev(report->routes);
    g_free(report->gateway);
    g_free(report->banner);
    g_free(report->phase1.encryption);
    g_free(report->phase1.hash);
    g_free(report->phase1.group);
    g_free(report->phase1.auth);
    certificate_clear(&report->certificate);
    certificate_clear(&report->gateway_certificate);
    g_strfreev(report->weak);
    g_ptr_array_unref(report->phase2);
    g_ptr_array_unref(report->traffic.drops);
    g_strfreev(report->offloads);
    g_free(report->message);
    g_free(report->advice);
    g_free(report->kill_switch);
    g_free(report);
}

DialtonePhase2Report *dialtone_report_add_phase2(DialtoneReport *report)
{
    DialtonePhase2Report *phase2 = g_new0(DialtonePhase2Report, 1);

    g_ptr_array_add(report->phase2, phase2);
    return phase2;
}

void dialtone_report_add_drop(DialtoneReport *report, const char *cause, guint64 packets)
{
    DialtoneDropReport *drop = g_new0(DialtoneDropReport, 1);

    *drop = (DialtoneDropReport){.cause = g_strdup(cause), .packets = packets};
    g_ptr_array_add(report->traffic.drops, drop);
}

void dialtone_report_take_error(DialtoneReport *report, const GError *error)
{
    report->state = DIALTONE_STATE_FAILED;
    report->reason = dialtone_failure_of(error);
    g_free(report->message);
    report->message = g_strdup(error->message);
    g_free(report->advice);
    report->advice = g_strdup(dialtone_failure_advice(error));
    report->remedy = dialtone_failure_remedy(error);
}

void dialtone_report_localize(DialtoneReport *report)
{
    char **said[] = {&report->message, &report->advice};
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        char *text = *said[i];
        *said[i] = dialtone_localize(text);
        g_free(text);
    }
}

static char *line_text(const char *text)
{
    return dialtone_text_clean(text, strlen(text), LINE_TEXT_MAX, DIALTONE_TEXT_LINE);
}

static void append_part(GString *line, const char *before, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    g_autofree char *clean = line_text(text);
    g_string_append(line, before);
    g_string_append(line, clean);
}

static void append_connected(GString *line, const DialtoneReport *report)
{
    append_part(line, ": ", report->interface);
    append_part(line, " ", report->address);
    append_part(line, " ", report->address6);
    if (report->gateway != NULL) {
        g_autofree char *gateway = line_text(report->gateway);
        g_string_append(line, ", ");
        g_string_append_printf(line, _("gateway %s"), gateway);
    }
    if (report->routes != NULL && report->routes[0] != NULL) {
        g_autofree char *routes = g_strjoinv(" ", report->routes);
        append_part(line, ", ", routes);
    }
    if (report->fallback) {
        g_string_append(line, ", ");
        g_string_append(line, _("with a later proposal of the profile than the first"));
    }
    if (report->weak != NULL && report->weak[0] != NULL) {
        g_autofree char *weak = g_strjoinv(" ", report->weak);
        g_autofree char *said = g_strdup_printf(_("weak: %s"), weak);
        append_part(line, ", ", said);
    }
    append_part(line, " | ", report->banner);
    append_part(line, " | ", report->message);
    append_part(line, " ", report->advice);
}

static void append_why(GString *line, const DialtoneReport *report)
{
    append_part(line, ": ", report->message);
    append_part(line, " ", report->advice);
}

char *dialtone_report_to_line(const DialtoneReport *report)
{
    GString *line = g_string_new(dialtone_state_name(report->state));

    switch (report->state) {
    case DIALTONE_STATE_CONNECTED:
        append_connected(line, report);
        break;
    case DIALTONE_STATE_FAILED:
    case DIALTONE_STATE_RECONNECTING:
        if (report->message != NULL) {
            append_why(line, report);
            break;
        }
        append_part(line, ": ", dialtone_state_sentence(report->state));
        break;
    case DIALTONE_STATE_IDLE:
    case DIALTONE_STATE_RESOLVING:
    case DIALTONE_STATE_PHASE1:
    case DIALTONE_STATE_USER_AUTH:
    case DIALTONE_STATE_CONFIG:
    case DIALTONE_STATE_PHASE2:
    case DIALTONE_STATE_NEEDS_SECRETS:
    case DIALTONE_STATE_DISCONNECTING:
    case DIALTONE_STATE_N:
        append_part(line, ": ", dialtone_state_sentence(report->state));
        append_part(line, ": ", report->message);
        break;
    }
    return g_string_free(line, FALSE);
}

/* ---- what it has carried ---- */

/* Where no plural is needed for more than any integer holds, the largest stands for it. */
static unsigned long plural(guint64 n)
{
    return n > G_MAXULONG ? G_MAXULONG : (unsigned long)n;
}

static char *sum_text(guint64 bytes, guint64 packets)
{
    g_autofree char *size = g_format_size(bytes);
    g_autofree char *number = g_strdup_printf("%'" G_GUINT64_FORMAT, packets);

    return g_strdup_printf(
        dngettext(DIALTONE_TEXTDOMAIN, "%s in %s packet", "%s in %s packets", plural(packets)),
        size, number);
}

/* The causes by the names that scripts read. */
static void append_drops(GString *line, const GPtrArray *drops)
{
    g_autoptr(GString) causes = g_string_new(NULL);
    guint64 sum = 0;

    for (guint i = 0; i < drops->len; i++) {
        const DialtoneDropReport *drop = drops->pdata[i];
        if (drop->packets == 0)
            continue;
        g_autofree char *cause = line_text(drop->cause);
        g_string_append_printf(causes, "%s%s: %'" G_GUINT64_FORMAT, sum > 0 ? ", " : "", cause,
                               drop->packets);
        sum += drop->packets;
    }
    if (sum == 0)
        return;
    g_autofree char *number = g_strdup_printf("%'" G_GUINT64_FORMAT, sum);
    g_string_append(line, "; ");
    g_string_append_printf(line,
                           dngettext(DIALTONE_TEXTDOMAIN, "%s packet dropped (%s)",
                                     "%s packets dropped (%s)", plural(sum)),
                           number, causes->str);
}

char *dialtone_report_to_traffic_line(const DialtoneReport *report)
{
    const DialtoneTrafficReport *traffic = &report->traffic;

    if (report->offloads == NULL)
        return NULL;
    g_autofree char *in = sum_text(traffic->bytes_in, traffic->packets_in);
    g_autofree char *out = sum_text(traffic->bytes_out, traffic->packets_out);
    g_autofree char *raw = g_strjoinv(" ", report->offloads);
    g_autofree char *offloads = line_text(raw);
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, _("received %s, sent %s"), in, out);
    append_drops(line, traffic->drops);
    g_string_append(line, "; ");
    if (*offloads != '\0')
        g_string_append_printf(line, _("offloads: %s"), offloads);
    else
        g_string_append(line, _("no offload is in use"));
    return g_string_free(line, FALSE);
}
