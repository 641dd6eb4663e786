/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service's side: what is asked is numbered, waits for so long, and is answered once. What was
 * answered is remembered for a little while, so that programs that ask often do not ask the server
 * often; not for long, for who has left the company has left the directory.
 */
#include "client/service/directory.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/service/directory-process.h"

enum { WAITING_MAX = 256, KNOWN_MAX = 256, KNOWN_SECONDS = 20 };

typedef struct Question {
    ServiceDirectory *directory;
    guint32 id;
    GBytes *key; /* what is asked, without the number */
    guint timer;
    ServiceDirectoryAnswer answer;
    gpointer data;
} Question;

typedef struct Known {
    bool named;
    gint64 until;
} Known;

struct ServiceDirectory {
    int fd; /* -1: the process has gone */
    guint source, seconds;
    guint32 serial;
    GPtrArray *waiting; /* of Question */
    GHashTable *known;  /* GBytes -> Known */
};

static void question_free(gpointer data)
{
    Question *question = data;
    g_clear_handle_id(&question->timer, g_source_remove);
    g_bytes_unref(question->key);
    g_free(question);
}

static void finish(Question *question, ServiceNamed named)
{
    ServiceDirectoryAnswer answer = question->answer;
    gpointer data = question->data;
    g_ptr_array_remove(question->directory->waiting, question);
    answer(named, data);
}

static gboolean on_late(gpointer data)
{
    Question *question = data;
    question->timer = 0;
    g_warning("the directory of users gives no answer");
    finish(question, SERVICE_NAMED_UNKNOWN);
    return G_SOURCE_REMOVE;
}

/* ---- what was answered ---- */

static void remember(ServiceDirectory *self, GBytes *key, bool named)
{
    Known *known = g_new0(Known, 1);
    *known = (Known){named, g_get_monotonic_time() + KNOWN_SECONDS * G_USEC_PER_SEC};
    if (g_hash_table_size(self->known) >= KNOWN_MAX)
        g_hash_table_remove_all(self->known);
    g_hash_table_insert(self->known, g_bytes_ref(key), known);
}

static Question *find(const ServiceDirectory *self, GBytes *key)
{
    for (guint i = 0; i < self->waiting->len; i++) {
        Question *question = self->waiting->pdata[i];
        if (g_bytes_equal(question->key, key))
            return question;
    }
    return NULL;
}

/* One answer is for all who have asked the same; what they ask by that is known by then. */
static void take(ServiceDirectory *self, const DirectoryAnswer *answer)
{
    const ServiceNamed named = answer->named == 1 ? SERVICE_NAMED : SERVICE_NAMED_NOT;
    g_autoptr(GBytes) key = NULL;
    Question *question;
    for (guint i = 0; i < self->waiting->len && key == NULL; i++) {
        question = self->waiting->pdata[i];
        if (question->id == answer->id)
            key = g_bytes_ref(question->key);
    }
    if (key == NULL)
        return;
    remember(self, key, named == SERVICE_NAMED);
    while ((question = find(self, key)) != NULL)
        finish(question, named);
}

static void lose(ServiceDirectory *self)
{
    g_warning("the process that asks the directory of users has gone");
    close(self->fd);
    self->fd = -1;
    while (self->waiting->len > 0)
        finish(self->waiting->pdata[0], SERVICE_NAMED_UNKNOWN);
}

/* One at a time: an answer may bring about anything. */
static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    ServiceDirectory *self = data;
    DirectoryAnswer answer;
    ssize_t n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n == (ssize_t)sizeof(answer)) {
        take(self, &answer);
        return G_SOURCE_CONTINUE;
    }
    self->source = 0;
    lose(self);
    return G_SOURCE_REMOVE;
}

/* ---- asking ---- */

static bool is_known(const ServiceDirectory *self, GBytes *key, bool *namedp)
{
    const Known *known = g_hash_table_lookup(self->known, key);
    if (known == NULL || known->until < g_get_monotonic_time())
        return false;
    *namedp = known->named;
    return true;
}

/* Never waits: a process that does not read has all that it can take. */
static bool send_question(const ServiceDirectory *self, guint32 id, GBytes *key)
{
    gsize n = 0;
    const void *bytes = g_bytes_get_data(key, &n);
    struct iovec parts[] = {{&id, sizeof(id)}, {(void *)(uintptr_t)bytes, n}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};
    return sendmsg(self->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void service_directory_ask(ServiceDirectory *self, const DialtoneProfile *profile,
                           const DialtoneSubject *subject, ServiceDirectoryAnswer answer,
                           gpointer data)
{
    bool named = false;
    const guint32 id = ++self->serial;
    g_autoptr(GBytes) key = directory_question(profile, subject);
    if (is_known(self, key, &named)) {
        answer(named ? SERVICE_NAMED : SERVICE_NAMED_NOT, data);
        return;
    }
    const Question *same = find(self, key);
    if (self->fd < 0 || self->waiting->len >= WAITING_MAX ||
        (same == NULL && !send_question(self, id, key))) {
        answer(SERVICE_NAMED_UNKNOWN, data);
        return;
    }
    Question *question = g_new0(Question, 1);
    /* Whoever asked first may have given up when the answer comes. */
    *question = (Question){.directory = self,
                           .id = same != NULL ? same->id : id,
                           .key = g_steal_pointer(&key),
                           .answer = answer,
                           .data = data};
    question->timer = g_timeout_add_seconds(self->seconds, on_late, question);
    g_ptr_array_add(self->waiting, question);
}

/* ---- life ---- */

ServiceDirectory *service_directory_new(int fd_take, guint seconds)
{
    ServiceDirectory *self = g_new0(ServiceDirectory, 1);
    *self = (ServiceDirectory){.fd = fd_take, .seconds = seconds};
    self->waiting = g_ptr_array_new_with_free_func(question_free);
    self->known =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
    if (fd_take >= 0)
        self->source = g_unix_fd_add(fd_take, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
    return self;
}

void service_directory_free(ServiceDirectory *self)
{
    if (self == NULL)
        return;
    g_clear_handle_id(&self->source, g_source_remove);
    if (self->fd >= 0)
        close(self->fd);
    g_ptr_array_unref(self->waiting);
    g_hash_table_unref(self->known);
    g_free(self);
}
