/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring holds the last lines of each owner and no more, so that nobody fills the memory of the
 * service by failing often, nor pushes out what concerns others.
 */
#include "client/service/log.h"

#include <string.h>

#include "client/common/text.h"

enum { OWNER_LINES = 250, RING_LINES = 4 * OWNER_LINES, LINE_MAX_BYTES = 1024 };

static GQueue ring = G_QUEUE_INIT; /* of ServiceLogLine; in the main thread */

static void line_free(ServiceLogLine *line)
{
    g_free(line->profile);
    g_free(line->text);
    g_free(line);
}

/* The oldest of this owner, where that has as many as it may. */
static void make_room(uid_t owner)
{
    guint n = 0;
    GList *oldest = NULL;
    for (GList *at = ring.tail; at != NULL; at = at->prev) {
        const ServiceLogLine *line = at->data;
        if (line->owner != owner)
            continue;
        n++;
        oldest = at;
    }
    if (n >= OWNER_LINES) {
        line_free(oldest->data);
        g_queue_delete_link(&ring, oldest);
    }
    if (ring.length >= RING_LINES)
        line_free(g_queue_pop_head(&ring));
}

static void keep(uid_t owner, const char *profile, const char *text)
{
    ServiceLogLine *line = g_new0(ServiceLogLine, 1);
    *line = (ServiceLogLine){.time_us = g_get_real_time(),
                             .owner = owner,
                             .profile = g_strdup(profile),
                             .text = g_strdup(text)};
    make_room(owner);
    g_queue_push_tail(&ring, line);
}

void service_log(uid_t owner, const char *profile, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *text =
        dialtone_text_clean(raw, strlen(raw), LINE_MAX_BYTES, DIALTONE_TEXT_LINE);
    g_autofree char *uid = g_strdup_printf("%u", (unsigned)owner);
    const char *name = profile != NULL ? profile : "";
    keep(owner, name, text);
    g_log_structured("dialtoned", G_LOG_LEVEL_MESSAGE, "DIALTONE_PROFILE", name, "DIALTONE_OWNER",
                     uid, "MESSAGE", "%s%s%s", name, *name != '\0' ? ": " : "", text);
}

GVariant *service_log_read(uid_t uid, guint max)
{
    GVariantBuilder lines;
    guint readable = 0;
    for (const GList *at = ring.head; at != NULL; at = at->next) {
        const ServiceLogLine *line = at->data;
        readable += uid == 0 || line->owner == uid ? 1 : 0;
    }
    g_variant_builder_init(&lines, G_VARIANT_TYPE("a(tss)"));
    for (const GList *at = ring.head; at != NULL; at = at->next) {
        const ServiceLogLine *line = at->data;
        if (uid != 0 && line->owner != uid)
            continue;
        if (readable-- <= max)
            g_variant_builder_add(&lines, "(tss)", (guint64)line->time_us, line->profile,
                                  line->text);
    }
    return g_variant_builder_end(&lines);
}
