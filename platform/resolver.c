// SPDX-License-Identifier: GPL-2.0-or-later
/* Lookups: which server is asked when, and which answer counts.
 *
 * Both questions (A, AAAA) of a lookup go to one server after the other, without waiting long for
 * the first: an answer of any server that was asked counts whenever it comes. So a dead first
 * server costs half a second, and the whole never takes longer than LOOKUP_MS. In the first round
 * the letters of the name have random case, which an answer must repeat; later rounds do without,
 * for the sake of servers that don't.
 */
#include "platform/resolver.h"

#include "platform/dns.h"
#include "platform/random.h"
#include "platform/resolver-config.h"
#include "platform/resolver-message.h"
#include "platform/words.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOKUP_MS = 9500,
    STEP_MS = 500, /* until the next server is asked; doubles with each round */
    ROUNDS = 4,
    OTHER_MS = 150, /* for the other family's answer, RFC 8305 section 3 */
    QUESTIONS = 2,
};

const PlatformResolverPaths platform_resolver_paths = {
    .hosts = "/etc/hosts",
    .resolv_conf = "/etc/resolv.conf",
    .uplink = "/run/systemd/resolve/resolv.conf",
    .saved_dir = "/run/dialtone",
};

GQuark platform_resolver_error_quark(void)
{
    return g_quark_from_static_string("platform-resolver-error-quark");
}

struct PlatformResolver {
    int fds[2]; /* IPv4, IPv6 */
    GSource *sources[2];
    PlatformResolverPaths paths;
    GArray *skip;   /* PlatformAddress */
    GList *lookups; /* Lookup */
};

typedef struct Question {
    PlatformResolverQuestion sent;
    PlatformResolverAnswer answer; /* IGNORED until one came */
    GArray *addresses;             /* PlatformAddress */
} Question;

typedef struct Lookup {
    PlatformResolver *resolver;
    GTask *task;
    char *name;
    Question questions[QUESTIONS];
    GArray *servers;
    guint step;
    gboolean was_sent;
    gboolean server_failed;
    guint n_failed; /* answers "can't tell" since the last step */
    GSource *step_timer, *end_timer, *cancel_source;
} Lookup;

/* ---- the end of a lookup ---- */

static void clear_source(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

static void lookup_free(Lookup *lookup)
{
    if (lookup->resolver)
        lookup->resolver->lookups = g_list_remove(lookup->resolver->lookups, lookup);
    clear_source(&lookup->step_timer);
    clear_source(&lookup->end_timer);
    clear_source(&lookup->cancel_source);
    for (int i = 0; i < QUESTIONS; i++)
        g_array_unref(lookup->questions[i].addresses);
    g_clear_pointer(&lookup->servers, g_array_unref);
    g_object_unref(lookup->task);
    g_free(lookup->name);
    g_free(lookup);
}

static void succeed(Lookup *lookup, GArray *addresses_take)
{
    g_task_return_pointer(lookup->task, addresses_take, (GDestroyNotify)g_array_unref);
    lookup_free(lookup);
}

static void fail(Lookup *lookup, PlatformResolverError code, const char *what)
{
    g_task_return_new_error(lookup->task, PLATFORM_RESOLVER_ERROR, (gint)code, "%s: %s",
                            lookup->name, what);
    lookup_free(lookup);
}

static void fail_by_answers(Lookup *lookup)
{
    for (int i = 0; i < QUESTIONS; i++) {
        if (lookup->questions[i].answer == PLATFORM_RESOLVER_ANSWER_NOT_FOUND) {
            fail(lookup, PLATFORM_RESOLVER_ERROR_NOT_FOUND, N_("there is no such name"));
            return;
        }
    }
    for (int i = 0; i < QUESTIONS; i++) {
        if (lookup->questions[i].answer == PLATFORM_RESOLVER_ANSWER_EMPTY) {
            fail(lookup, PLATFORM_RESOLVER_ERROR_NO_ADDRESS, N_("the name has no address"));
            return;
        }
    }
    if (lookup->server_failed)
        fail(lookup, PLATFORM_RESOLVER_ERROR_FAILED, N_("the name servers cannot tell"));
    else if (lookup->was_sent)
        fail(lookup, PLATFORM_RESOLVER_ERROR_TIMED_OUT, N_("no name server answers"));
    else
        fail(lookup, PLATFORM_RESOLVER_ERROR_NO_SERVERS, N_("no name server can be asked"));
}

static void finish(Lookup *lookup)
{
    GArray *addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));

    for (int i = 0; i < QUESTIONS; i++) {
        const GArray *found = lookup->questions[i].addresses;

        g_array_append_vals(addresses, found->data, found->len);
    }
    if (addresses->len) {
        succeed(lookup, addresses);
        return;
    }
    g_array_unref(addresses);
    fail_by_answers(lookup);
}

static gboolean on_end(gpointer user_data)
{
    finish(user_data);
    return G_SOURCE_REMOVE;
}

static gboolean on_cancelled(GCancellable *cancellable, gpointer user_data)
{
    Lookup *lookup = user_data;

    g_task_return_error_if_cancelled(lookup->task);
    lookup_free(lookup);
    return G_SOURCE_REMOVE;
}

/* ---- asking ---- */

static GSource *start_timer(guint ms, GSourceFunc func, Lookup *lookup)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, func, lookup, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

static void send_question(Lookup *lookup, Question *question, const PlatformResolverServer *server)
{
    int fd = lookup->resolver->fds[server->to.ss_family == AF_INET ? 0 : 1];
    uint8_t query[PLATFORM_RESOLVER_QUERY_MAX];
    size_t n = platform_resolver_build(&question->sent, query);

    if (fd >= 0 && n > 0 &&
        sendto(fd, query, n, MSG_NOSIGNAL, (const struct sockaddr *)&server->to, server->length) ==
            (ssize_t)n)
        lookup->was_sent = TRUE;
}

static void name_question(Question *question, const char *name, gboolean random_case)
{
    uint8_t bits[sizeof question->sent.name];

    g_strlcpy(question->sent.name, name, sizeof question->sent.name);
    platform_random(bits, sizeof bits);
    for (char *p = question->sent.name; *p; p++) {
        *p = g_ascii_tolower(*p);
        if (random_case && bits[p - question->sent.name] & 1)
            *p = g_ascii_toupper(*p);
    }
}

static gboolean on_step(gpointer user_data)
{
    Lookup *lookup = user_data;
    guint round = lookup->step / lookup->servers->len;

    clear_source(&lookup->step_timer);
    lookup->n_failed = 0;
    if (round >= ROUNDS) {
        finish(lookup);
        return G_SOURCE_REMOVE;
    }
    for (int i = 0; i < QUESTIONS; i++) {
        Question *question = &lookup->questions[i];

        if (lookup->step % lookup->servers->len == 0)
            name_question(question, lookup->name, round == 0);
        if (question->answer == PLATFORM_RESOLVER_ANSWER_IGNORED)
            send_question(lookup, question,
                          &g_array_index(lookup->servers, PlatformResolverServer,
                                         lookup->step % lookup->servers->len));
    }
    lookup->step++;
    lookup->step_timer = start_timer((guint)STEP_MS << round, on_step, lookup);
    return G_SOURCE_REMOVE;
}

/* ---- answers ---- */

static gboolean was_asked(const Lookup *lookup, const struct sockaddr_storage *from)
{
    PlatformAddress sender, server;
    uint16_t port, server_port;

    if (!platform_address_from_sockaddr(from, &sender, &port))
        return FALSE;
    for (guint i = 0; i < MIN(lookup->step, lookup->servers->len); i++) {
        const PlatformResolverServer *s =
            &g_array_index(lookup->servers, PlatformResolverServer, i);

        if (platform_address_from_sockaddr(&s->to, &server, &server_port) && port == server_port &&
            platform_address_equal(&server, &sender))
            return TRUE;
    }
    return FALSE;
}

static guint count_open(const Lookup *lookup)
{
    guint n = 0;

    for (int i = 0; i < QUESTIONS; i++)
        n += lookup->questions[i].answer == PLATFORM_RESOLVER_ANSWER_IGNORED;
    return n;
}

static void take_answer(Lookup *lookup, Question *question, PlatformResolverAnswer answer)
{
    if (answer == PLATFORM_RESOLVER_ANSWER_FAILED) {
        lookup->server_failed = TRUE;
        /* No use in waiting for this server. */
        if (++lookup->n_failed >= count_open(lookup))
            on_step(lookup);
        return;
    }
    question->answer = answer;
    gboolean all = TRUE, any = FALSE;

    for (int i = 0; i < QUESTIONS; i++) {
        /* A name that does not exist has no addresses of either family. */
        if (answer == PLATFORM_RESOLVER_ANSWER_NOT_FOUND)
            lookup->questions[i].answer = answer;
        all = all && lookup->questions[i].answer != PLATFORM_RESOLVER_ANSWER_IGNORED;
        any = any || lookup->questions[i].addresses->len;
    }
    if (all) {
        finish(lookup);
    } else if (any) {
        clear_source(&lookup->end_timer);
        lookup->end_timer = start_timer(OTHER_MS, on_end, lookup);
    }
}

/* TRUE when it was an answer to this lookup, which may be gone then. */
static gboolean offer(Lookup *lookup, const struct sockaddr_storage *from, const uint8_t *data,
                      size_t n)
{
    if (!was_asked(lookup, from))
        return FALSE;
    for (int i = 0; i < QUESTIONS; i++) {
        Question *question = &lookup->questions[i];

        if (question->answer != PLATFORM_RESOLVER_ANSWER_IGNORED)
            continue;
        PlatformResolverAnswer answer =
            platform_resolver_parse(&question->sent, data, n, question->addresses);

        if (answer == PLATFORM_RESOLVER_ANSWER_IGNORED)
            continue;
        take_answer(lookup, question, answer);
        return TRUE;
    }
    return FALSE;
}

static gboolean on_datagram(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformResolver *resolver = user_data;
    uint8_t data[PLATFORM_RESOLVER_ANSWER_MAX];
    struct sockaddr_storage from;
    socklen_t from_length = sizeof from;
    ssize_t n =
        recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &from_length);

    for (GList *l = n > 0 ? resolver->lookups : NULL; l; l = l->next) {
        if (offer(l->data, &from, data, (size_t)n))
            break;
    }
    return G_SOURCE_CONTINUE;
}

/* ---- the resolver ---- */

PlatformResolver *platform_resolver_new(int fd4_take, int fd6_take,
                                        const PlatformResolverPaths *paths)
{
    PlatformResolver *resolver = g_new0(PlatformResolver, 1);

    resolver->fds[0] = fd4_take;
    resolver->fds[1] = fd6_take;
    resolver->paths = paths ? *paths : platform_resolver_paths;
    resolver->skip = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));
    for (int i = 0; i < 2; i++) {
        if (resolver->fds[i] < 0)
            continue;
        resolver->sources[i] = g_unix_fd_source_new(resolver->fds[i], G_IO_IN);
        g_source_set_callback(resolver->sources[i], G_SOURCE_FUNC(on_datagram), resolver, NULL);
        g_source_attach(resolver->sources[i], g_main_context_get_thread_default());
    }
    return resolver;
}

void platform_resolver_free(PlatformResolver *resolver)
{
    if (!resolver)
        return;
    while (resolver->lookups) {
        Lookup *lookup = resolver->lookups->data;

        g_task_return_new_error(lookup->task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                "the resolver was closed");
        lookup_free(lookup);
    }
    for (int i = 0; i < 2; i++) {
        clear_source(&resolver->sources[i]);
        if (resolver->fds[i] >= 0)
            close(resolver->fds[i]);
    }
    g_array_unref(resolver->skip);
    g_free(resolver);
}

void platform_resolver_skip_servers(PlatformResolver *resolver, const PlatformAddress *servers,
                                    size_t n)
{
    g_array_set_size(resolver->skip, 0);
    g_array_append_vals(resolver->skip, servers, (guint)n);
}

static uint16_t fresh_id(void)
{
    return (uint16_t)platform_random_u32();
}

static Lookup *lookup_new(GTask *task_take, const char *name)
{
    static const int families[QUESTIONS] = {AF_INET, AF_INET6};
    Lookup *lookup = g_new0(Lookup, 1);

    lookup->task = task_take;
    lookup->name = g_strdup(name);
    for (int i = 0; i < QUESTIONS; i++) {
        lookup->questions[i].sent.family = families[i];
        lookup->questions[i].sent.id = fresh_id();
        lookup->questions[i].addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));
    }
    return lookup;
}

static void ask_servers(PlatformResolver *resolver, Lookup *lookup)
{
    GCancellable *cancellable = g_task_get_cancellable(lookup->task);

    lookup->resolver = resolver;
    resolver->lookups = g_list_append(resolver->lookups, lookup);
    lookup->end_timer = start_timer(LOOKUP_MS, on_end, lookup);
    if (cancellable) {
        lookup->cancel_source = g_cancellable_source_new(cancellable);
        g_source_set_callback(lookup->cancel_source, G_SOURCE_FUNC(on_cancelled), lookup, NULL);
        g_source_attach(lookup->cancel_source, g_main_context_get_thread_default());
    }
    on_step(lookup);
}

/* A literal, or a line of the hosts file. */
static GArray *find_locally(PlatformResolver *resolver, const char *name)
{
    GArray *addresses = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));
    PlatformAddress literal;

    if (platform_address_parse(name, &literal))
        g_array_append_val(addresses, literal);
    else
        platform_resolver_read_hosts(&resolver->paths, name, addresses);
    if (addresses->len)
        return addresses;
    g_array_unref(addresses);
    return NULL;
}

void platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
    g_autofree char *ascii = g_hostname_to_ascii(name);
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    size_t n = ascii ? strlen(ascii) : 0;

    if (n > 1 && ascii[n - 1] == '.')
        ascii[n - 1] = '\0';
    Lookup *lookup = lookup_new(task, ascii ? ascii : name);
    GArray *local = find_locally(resolver, lookup->name);

    if (local) {
        succeed(lookup, local);
        return;
    }
    if (!ascii || !platform_dns_name_is_valid(ascii)) {
        fail(lookup, PLATFORM_RESOLVER_ERROR_INVALID_NAME, N_("this is no host name"));
        return;
    }
    lookup->servers = platform_resolver_read_servers(&resolver->paths, resolver->skip);
    if (lookup->servers->len == 0) {
        fail(lookup, PLATFORM_RESOLVER_ERROR_NO_SERVERS, N_("no name server is configured"));
        return;
    }
    ask_servers(resolver, lookup);
}

GArray *platform_resolver_lookup_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
