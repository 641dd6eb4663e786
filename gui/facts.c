/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of a title and a value. Values come from the gateway or the profile, and are shown as text,
 * never as markup. A row is one thing to the keyboard and to who has it read out: its name holds
 * both.
 */
#include "gui/facts.h"

#include <string.h>

#include "client/common/i18n.h"

static GtkWidget *label_of(const char *text, const char *class)
{
    GtkWidget *label = gtk_label_new(text);
    if (class != NULL)
        gtk_style_context_add_class(gtk_widget_get_style_context(label), class);
    return label;
}

static GtkWidget *value_of(const char *text)
{
    GtkWidget *label = gtk_label_new(text);
    g_object_set(label, "xalign", 1.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR,
                 "max-width-chars", 44, "justify", GTK_JUSTIFY_RIGHT, "hexpand", TRUE, "halign",
                 GTK_ALIGN_END, NULL);
    return label;
}

static GtkWidget *mark_of(const char *weak)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    GtkWidget *icon = gtk_image_new_from_icon_name("dialtone-weak-symbolic", GTK_ICON_SIZE_MENU);
    gtk_style_context_add_class(gtk_widget_get_style_context(icon), "weak");
    gtk_container_add(GTK_CONTAINER(box), icon);
    gtk_container_add(GTK_CONTAINER(box), label_of(weak, "weak"));
    return box;
}

/* @weak NULL: nothing of it is. */
static void add(GtkListBox *list, const char *title, const char *text, const char *weak)
{
    if (text == NULL || *text == '\0')
        return;
    GtkWidget *row = gtk_list_box_row_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 16);
    GtkWidget *name = label_of(title, "dim-label");
    g_object_set(name, "xalign", 0.0, "valign", GTK_ALIGN_START, NULL);
    gtk_container_add(GTK_CONTAINER(box), name);
    if (weak != NULL)
        gtk_box_pack_end(GTK_BOX(box), mark_of(weak), FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(box), value_of(text), TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(row), box);
    g_autofree char *spoken = g_strdup_printf("%s: %s%s%s", title, text, weak != NULL ? ", " : "",
                                              weak != NULL ? weak : "");
    atk_object_set_name(gtk_widget_get_accessible(row), spoken);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    gtk_container_add(GTK_CONTAINER(list), row);
    gtk_widget_show_all(row);
}

void dialtone_facts_clear(GtkListBox *list)
{
    g_autoptr(GList) rows = gtk_container_get_children(GTK_CONTAINER(list));
    for (GList *at = rows; at != NULL; at = at->next)
        gtk_widget_destroy(at->data);
}

/* ---- where ---- */

static void add_since(GtkListBox *list, gint64 since)
{
    g_autoptr(GDateTime) then = g_date_time_new_from_unix_local(since / G_USEC_PER_SEC);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    if (since == 0 || then == NULL)
        return;
    gboolean today = g_date_time_get_day_of_year(then) == g_date_time_get_day_of_year(now) &&
                     g_date_time_get_year(then) == g_date_time_get_year(now);
    g_autofree char *text = g_date_time_format(then, today ? "%H:%M" : "%x %H:%M");
    add(list, _("Connected since"), text, NULL);
}

static void add_list(GtkListBox *list, const char *title, char **words)
{
    g_autofree char *text = words != NULL ? g_strjoinv(", ", words) : NULL;
    add(list, title, text, NULL);
}

/* Two families on two lines. */
static void add_addresses(GtkListBox *list, const DialtoneReport *report)
{
    gboolean both = report->address != NULL && report->address6 != NULL;
    g_autofree char *text =
        g_strdup_printf("%s%s%s", report->address != NULL ? report->address : "", both ? "\n" : "",
                        report->address6 != NULL ? report->address6 : "");
    add(list, _("Your address"), text, NULL);
}

void dialtone_facts_show_where(GtkListBox *list, const DialtoneReport *report, gint64 since)
{
    dialtone_facts_clear(list);
    add(list, _("Gateway"), report->gateway, NULL);
    add(list, _("Gateway’s identity"), report->remote_id, NULL);
    add_addresses(list, report);
    add_since(list, since);
    add_list(list, _("Networks"), report->routes);
    add_list(list, _("Name servers"), report->dns);
    add_list(list, _("Domains"), report->domains);
}

/* ---- security ---- */

/* "modp1024 is weak", of those of @words that are. The caller frees it; NULL: none is. */
static char *weak_of(const DialtoneReport *report, const char *const *words, gsize n)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    for (gsize i = 0; i < n; i++)
        if (words[i] != NULL && report->weak != NULL &&
            g_strv_contains((const char *const *)report->weak, words[i]))
            g_strv_builder_add(found, words[i]);
    g_auto(GStrv) weak = g_strv_builder_end(found);
    if (weak[0] == NULL)
        return NULL;
    g_autofree char *names = g_strjoinv(", ", weak);
    return g_strdup_printf(_("weak: %s"), names);
}

static char *joined(const char *const *words, gsize n)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < n; i++)
        if (words[i] != NULL && *words[i] != '\0')
            g_string_append_printf(text, "%s%s", text->len > 0 ? " · " : "", words[i]);
    return g_string_free(text, FALSE);
}

static void add_algorithms(GtkListBox *list, const char *title, const DialtoneReport *report,
                           const char *const words[3])
{
    g_autofree char *text = joined(words, 3), *weak = weak_of(report, words, 3);
    add(list, title, text, weak);
}

static void add_phase2(GtkListBox *list, const DialtoneReport *report)
{
    for (guint i = 0; i < report->phase2->len; i++) {
        const DialtonePhase2Report *phase2 = report->phase2->pdata[i];
        const char *words[3] = {phase2->encryption, phase2->integrity, phase2->pfs};
        g_autofree char *title = report->phase2->len > 1
                                     ? g_strdup_printf(_("Phase 2, %s"), phase2->remote)
                                     : g_strdup(_("Phase 2"));
        add_algorithms(list, title, report, words);
    }
}

/* Its end is marked when it is near, for a certificate takes days to be renewed. */
static void add_expiry(GtkListBox *list, const char *title,
                       const DialtoneCertificateReport *certificate)
{
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_local(certificate->not_after);
    if (certificate->subject == NULL || certificate->not_after <= 0 || end == NULL)
        return;
    g_autofree char *text = g_date_time_format(end, "%x");
    add(list, title, text, dialtone_report_ends_soon(certificate) ? _("ends soon") : NULL);
}

static void add_certificates(GtkListBox *list, const DialtoneReport *report)
{
    add(list, _("Your certificate"), report->certificate.subject, NULL);
    add_expiry(list, _("Your certificate holds until"), &report->certificate);
    add(list, _("Gateway’s certificate"), report->gateway_certificate.subject, NULL);
    add(list, _("Issued by"), report->gateway_certificate.issuer, NULL);
    add_expiry(list, _("Gateway’s certificate holds until"), &report->gateway_certificate);
}

void dialtone_facts_show_security(GtkListBox *list, const DialtoneReport *report)
{
    const char *words[3] = {report->phase1.encryption, report->phase1.hash, report->phase1.group};
    dialtone_facts_clear(list);
    add_algorithms(list, _("Phase 1"), report, words);
    add_phase2(list, report);
    add(list, _("Authentication"), report->phase1.auth, NULL);
    add_certificates(list, report);
    if (report->fallback)
        add(list, _("Proposal"), _("a later one than the profile’s first"), NULL);
}

void dialtone_facts_add(GtkListBox *list, const char *title, const char *text)
{
    add(list, title, text, NULL);
}

void dialtone_facts_add_marked(GtkListBox *list, const char *title, const char *text,
                               const char *mark)
{
    add(list, title, text, mark);
}
