/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's certificate as check and show tell of it: whose it is, until when it holds, and what
 * the gateway is likely to miss in it. Nobody is asked for a passphrase here; what is locked stays
 * so, and nothing is said about it.
 */
#include "client/cli/cli.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/common/report.h"
#include "client/profile/issue.h"
#include "client/profile/schema.h"
#include "client/profile/system-secrets.h"
#include "platform/secret-memory.h"

static void add_issue(const DialtoneProfile *profile, const char *key, bool warning,
                      GPtrArray *issues, const char *text)
{
    const DialtoneIssue where = {
        .line = profile->lines[dialtone_profile_key("Identity", key) - dialtone_profile_keys],
        .warning = warning,
        .group = (char *)"Identity",
        .key = (char *)key,
    };
    dialtone_issues_add(issues, &where, "%s", text);
}

static void add_findings(const DialtoneProfile *profile, const DialtoneCertificate *certificate,
                         GPtrArray *issues)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *expiry = dialtone_certificate_warning(certificate, now);

    if (expiry != NULL)
        add_issue(profile, "Certificate", certificate->not_after > now, issues, expiry);
    if (certificate->names_id)
        return;
    g_autofree char *text =
        g_strdup_printf(_("does not stand in your certificate (%s), where most gateways look for "
                          "it; write what stands in its subjectAltName"),
                        certificate->subject);
    add_issue(profile, "ID", true, issues, text);
}

/* The service reads those of the system itself. Whoever may read them too is told what it would
 * say of them; for the rest there is nothing to tell. */
static bool is_of_the_system(const DialtoneProfile *profile, const char *path)
{
    const gsize ca = (gsize)(dialtone_profile_key("Identity", "CA") - dialtone_profile_keys);

    return (g_str_has_prefix(path, "/etc/dialtone/profiles/") ||
            g_str_has_prefix(path, "/usr/lib/dialtone/profiles/")) &&
           !profile->overridden[ca];
}

static bool is_hidden(const DialtoneProfile *profile)
{
    return profile->certificate_source == DIALTONE_CERT_FILE &&
           (g_access(profile->certificate, R_OK) != 0 ||
            (profile->key != NULL && g_access(profile->key, R_OK) != 0));
}

DialtoneCertificate *cli_certificate(const DialtoneProfile *profile, const char *path,
                                     const DialtoneSecret *passphrase, GPtrArray *issues,
                                     GError **error)
{
    static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};
    const bool is_system = is_of_the_system(profile, path);
    const DialtoneCredentialAccess access = {.file = path,
                                             .caller = cli_caller(),
                                             .memory = &memory,
                                             .passphrase = passphrase,
                                             .system = is_system ? &dialtone_root_system : NULL,
                                             .group = dialtone_system_group()};
    if (is_system && cli_caller() != 0 && is_hidden(profile))
        return NULL;
    DialtoneCertificate *certificate = dialtone_credential_describe(profile, &access, error);

    if (certificate != NULL)
        add_findings(profile, certificate, issues);
    return certificate;
}

char *cli_certificate_line(const DialtoneCertificate *certificate)
{
    g_autofree char *date = dialtone_certificate_date(certificate->not_after);

    return g_strdup_printf(_("your certificate is %s, until %s"), certificate->subject, date);
}

void cli_certificate_json(JsonBuilder *json, const DialtoneCertificate *certificate)
{
    json_builder_set_member_name(json, "certificate");
    if (certificate == NULL) {
        json_builder_add_null_value(json);
        return;
    }
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(certificate->not_after);
    g_autofree char *text = date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    gint64 left = certificate->not_after - g_get_real_time() / G_USEC_PER_SEC;
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "subject");
    json_builder_add_string_value(json, certificate->subject);
    json_builder_set_member_name(json, "not_after");
    json_builder_add_string_value(json, text != NULL ? text : "");
    json_builder_set_member_name(json, "expires_soon");
    json_builder_add_boolean_value(json, left <= DIALTONE_EXPIRES_SOON);
    json_builder_end_object(json);
}
