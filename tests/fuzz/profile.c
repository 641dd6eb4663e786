/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what reads files of users: profiles and secrets files. Beyond memory errors it looks for
 * broken promises: there is either a profile or an error; the normal form parses to the same
 * profile; a secrets file gives secrets or an error; no finding is more than one clean line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/common/text.h"
#include "client/profile/parse.h"
#include "client/profile/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static bool check_issues(const GPtrArray *issues)
{
    bool error = false;

    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        g_autofree char *text = dialtone_issue_text(issue, "F");
        expect(dialtone_text_is_clean(text));
        error = error || !issue->warning;
    }
    return error;
}

static void fuzz_profile(const char *bytes, size_t n)
{
    g_autoptr(GPtrArray) issues = NULL;
    g_autoptr(DialtoneProfile) profile = dialtone_profile_parse(bytes, n, "F.dialtone", &issues);

    expect(check_issues(issues) == (profile == NULL));
    if (profile == NULL)
        return;
    for (int defaults = 0; defaults < 2; defaults++) {
        g_autofree char *once = dialtone_profile_to_text(profile, defaults != 0);
        g_autoptr(DialtoneProfile) again =
            dialtone_profile_parse(once, strlen(once), "F.dialtone", NULL);
        expect(again != NULL);
        g_autofree char *twice = dialtone_profile_to_text(again, defaults != 0);
        expect(strcmp(once, twice) == 0);
    }
}

static void *take(size_t n)
{
    return calloc(1, n);
}

static void *give_back(void *memory)
{
    free(memory);
    return NULL;
}

static void fuzz_secrets(const char *bytes, size_t n)
{
    static const DialtoneSecretMemory memory = {take, give_back};
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = dialtone_secrets_parse(bytes, n, "F", &memory, &error);

    expect((secrets == NULL) == (error != NULL));
    expect(error == NULL || g_utf8_validate(error->message, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_profile((const char *)data, n);
    fuzz_secrets((const char *)data, n);
    return 0;
}
