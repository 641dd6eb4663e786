/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what the agent and `status` read from the process that talks to the network: a report as
 * JSON. One that is accepted is written again, and read again, without a change, and its line for
 * the terminal is one clean line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/common/report.h"
#include "client/common/text.h"
#include "client/profile/weak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneReport) report = dialtone_report_from_json((const char *)data, n, &error);

    expect((report == NULL) == (error != NULL));
    if (report == NULL)
        return 0;
    dialtone_report_mark_weak(report);
    g_autofree char *line = dialtone_report_to_line(report);
    expect(dialtone_text_is_clean(line));

    g_autofree char *once = dialtone_report_to_json(report);
    g_autoptr(DialtoneReport) back = dialtone_report_from_json(once, strlen(once), NULL);
    expect(back != NULL);
    g_autofree char *twice = dialtone_report_to_json(back);
    expect(strcmp(once, twice) == 0);
    return 0;
}
