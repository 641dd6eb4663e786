/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of profiles share: a profile that is right, and ways to break one thing in it.
 */
#include "profile-kit.h"

#include <string.h>

char *profile_with(const char *group, const char *key, const char *value)
{
    static const struct {
        const char *group, *key, *value;
    } good[] = {
        {"Gateway", "Address", "192.0.2.1"},
        {"Identity", "ID", "alice@example.com"},
        {"Identity", "Auth", "psk"},
        {"Phase1", "Proposals", "aes256-sha256-modp2048"},
    };
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "[%s]\n%s=%s\n", group, key, value);
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        if (strcmp(good[i].group, group) == 0 && strcmp(good[i].key, key) != 0)
            g_string_append_printf(text, "%s=%s\n", good[i].key, good[i].value);
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        if (strcmp(good[i].group, group) == 0)
            continue;
        if (i == 0 || strcmp(good[i - 1].group, good[i].group) != 0)
            g_string_append_printf(text, "[%s]\n", good[i].group);
        g_string_append_printf(text, "%s=%s\n", good[i].key, good[i].value);
    }
    return g_string_free(text, FALSE);
}

static char *join(const GPtrArray *issues)
{
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(issues->pdata[i], "F");
        g_string_append_printf(all, "%s\n", text);
    }
    return g_string_free(all, FALSE);
}

DialtoneProfile *expect_valid(const char *text)
{
    g_autoptr(GPtrArray) issues = NULL;
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "F", &issues);

    if (profile == NULL) {
        g_autofree char *findings = join(issues);
        fail_msg("refused:\n%s\nbecause\n%s", text, findings);
    }
    return profile;
}

char *findings_of(const char *text, gsize n)
{
    g_autoptr(GPtrArray) issues = NULL;

    dialtone_profile_free(dialtone_profile_parse(text, n, "F", &issues));
    assert_non_null(issues);
    return join(issues);
}

void expect_refused(const char *text, const char *where, const char *said)
{
    g_autoptr(DialtoneProfile) profile = dialtone_profile_parse(text, strlen(text), "F", NULL);
    g_autofree char *findings = findings_of(text, strlen(text));
    g_auto(GStrv) lines = g_strsplit(findings, "\n", -1);

    if (profile != NULL)
        fail_msg("accepted:\n%s", text);
    for (gsize i = 0; lines[i] != NULL; i++)
        if (g_str_has_prefix(lines[i], where) && strstr(lines[i], said) != NULL)
            return;
    fail_msg("no finding begins '%s' and says '%s' in\n%s", where, said, findings);
}

char *read_source_file(const char *path, gsize *np)
{
    g_autofree char *full = g_build_filename(DIALTONE_SOURCE_DIR, path, NULL);
    char *bytes = NULL;

    if (!g_file_get_contents(full, &bytes, np, NULL))
        fail_msg("%s can't be read", full);
    return bytes;
}
