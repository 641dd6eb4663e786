/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching folders by inotify(7). GFileMonitor would load GIO's modules and a thread into the
 * service, and look for a folder that is not there by waking up every few seconds; here the two
 * folders above it are watched as well, and of what happens there only what concerns the next
 * folder on the way counts.
 *
 * What inotify tells is a hint that is used for nothing but looking again. Watches are made anew
 * each time, from the top down and before anybody looks: a folder that appears in between is seen
 * by its parent's watch.
 */
#include "client/profile/folder-watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    QUIET_MS = 200,
    AT_LEAST_EACH_US = 1000 * 1000,
    FOLDERS_ABOVE = 2,
    EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY |
             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF,
};

typedef struct {
    int wd;
    char *name; /* the one file that counts there; NULL: all do */
} Place;

struct DialtoneFolderWatch {
    char **folders;
    DialtoneFolderChanged changed;
    gpointer data;
    int fd; /* -1: none could be made */
    guint source;
    guint timer;
    gint64 first; /* when the first of the events came that nobody was told of; 0: there is none */
    GArray *places;
};

static void place_clear(gpointer data)
{
    Place *place = data;

    g_free(place->name);
}

static void watch_place(DialtoneFolderWatch *watch, const char *folder, const char *name)
{
    Place place = {.wd = inotify_add_watch(watch->fd, folder, EVENTS | IN_ONLYDIR)};

    if (place.wd < 0)
        return; /* it is not there; the one above tells when it is */
    place.name = g_strdup(name);
    g_array_append_val(watch->places, place);
}

/* The folder and those above it, the uppermost first. */
static void watch_folder(DialtoneFolderWatch *watch, const char *folder, guint above)
{
    g_autofree char *parent = g_path_get_dirname(folder);

    if (above > 0) {
        g_autofree char *name = g_path_get_basename(folder);
        if (above > 1)
            watch_folder(watch, parent, above - 1);
        watch_place(watch, parent, name);
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);

static void disarm(DialtoneFolderWatch *watch)
{
    g_clear_handle_id(&watch->source, g_source_remove);
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
    g_array_set_size(watch->places, 0);
}

static void arm(DialtoneFolderWatch *watch)
{
    disarm(watch);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        g_warning("folders can't be watched: %s", g_strerror(errno));
        return;
    }
    for (gsize i = 0; watch->folders[i] != NULL; i++) {
        watch_folder(watch, watch->folders[i], FOLDERS_ABOVE);
        watch_place(watch, watch->folders[i], NULL);
    }
    watch->source = g_unix_fd_add(watch->fd, G_IO_IN, on_readable, watch);
}

static gboolean on_quiet(gpointer data)
{
    DialtoneFolderWatch *watch = data;

    watch->timer = 0;
    watch->first = 0;
    arm(watch);
    watch->changed(watch->data);
    return G_SOURCE_REMOVE;
}

static void put_off(DialtoneFolderWatch *watch)
{
    gint64 now = g_get_monotonic_time();

    if (watch->first == 0)
        watch->first = now;
    if (watch->timer != 0 && now - watch->first >= AT_LEAST_EACH_US - QUIET_MS * 1000)
        return;
    g_clear_handle_id(&watch->timer, g_source_remove);
    watch->timer = g_timeout_add(QUIET_MS, on_quiet, watch);
}

static bool counts(const DialtoneFolderWatch *watch, const struct inotify_event *event,
                   const char *name)
{
    if (event->wd < 0)
        return true; /* the queue was full */
    for (guint i = 0; i < watch->places->len; i++) {
        const Place *place = &g_array_index(watch->places, Place, i);
        if (place->wd == event->wd && (place->name == NULL || strcmp(place->name, name) == 0))
            return true;
    }
    return false;
}

static gboolean on_readable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    DialtoneFolderWatch *watch = data;
    char buffer[4096];
    struct inotify_event event;
    bool any = false;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        for (gsize at = 0; at + sizeof(event) <= (gsize)n; at += sizeof(event) + event.len) {
            memcpy(&event, buffer + at, sizeof(event));
            /* The name has a NUL behind it; without one it is about the folder itself. */
            const char *name = event.len > 0 ? buffer + at + sizeof(event) : "";
            any = any || counts(watch, &event, name);
        }
    }
    if (any)
        put_off(watch);
    return G_SOURCE_CONTINUE;
}

DialtoneFolderWatch *dialtone_folder_watch_new(const char *const *folders,
                                               DialtoneFolderChanged changed, gpointer data)
{
    DialtoneFolderWatch *watch = g_new0(DialtoneFolderWatch, 1);

    watch->folders = g_strdupv((char **)folders);
    watch->changed = changed;
    watch->data = data;
    watch->fd = -1;
    watch->places = g_array_new(FALSE, TRUE, sizeof(Place));
    g_array_set_clear_func(watch->places, place_clear);
    arm(watch);
    return watch;
}

void dialtone_folder_watch_free(DialtoneFolderWatch *watch)
{
    if (watch == NULL)
        return;
    disarm(watch);
    g_clear_handle_id(&watch->timer, g_source_remove);
    g_array_unref(watch->places);
    g_strfreev(watch->folders);
    g_free(watch);
}
