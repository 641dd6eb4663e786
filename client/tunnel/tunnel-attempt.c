/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which address of the gateway is tried when.
 *
 * A round goes over the profile's addresses in order; a name is resolved when its turn comes. The
 * first round tries each address once and fails with what the gateway said, or with silence. After
 * the tunnel has been up, rounds are repeated with growing pauses for as long as the profile says
 * (RetryFor), and begin with the address that worked last, for names may not resolve while the
 * network comes back. Only a refused user or the lack of an answer to a question ends that earlier:
 * what else a gateway refuses may be a gateway that is still starting, or somebody in its place.
 *
 * In rounds after a loss the servers that the gateway has named for that case (Unity's
 * BACKUP_SERVERS) come behind the profile's addresses. What they must prove is what the gateway had
 * to that was connected last: who else may speak for it is the profile's to say, not the gateway's.
 *
 * A gateway that was authenticated may send us on to another one, which must prove itself as the
 * first would have, by the same RemoteID. That is followed a few times a round, and nowhere twice.
 */
#include "client/tunnel/tunnel-killswitch.h"
#include "client/tunnel/tunnel-private.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/tunnel/config.h"
#include "client/tunnel/failure.h"
#include "client/tunnel/memory.h"
#include "platform/dns.h"
#include "platform/random.h"

static void next_address(Tunnel *self);

/* ---- the end of a round ---- */

static bool is_final_while_reconnecting(DialtoneFailure reason)
{
    return reason == DIALTONE_FAILURE_USER_AUTHENTICATION ||
           reason == DIALTONE_FAILURE_SECRET_MISSING || reason == DIALTONE_FAILURE_INTERNAL ||
           reason == DIALTONE_FAILURE_PROFILE_INVALID || reason == DIALTONE_FAILURE_POLICY;
}

/* Lists are fetched and read when connecting. Once one is out of date RequireCRL is met by no
 * gateway, and only who connects again gets a new one. What the gateway sends is not enough to end
 * a tunnel for: somebody in its place can have a certificate of whichever issuer he likes. */
static bool needs_new_lists(const Tunnel *self, const IkeFailure *failure)
{
    return failure->detail == IKE_DETAIL_CERT_NO_CRL && self->credentials != NULL &&
           tunnel_credentials_have_old_list(self->credentials);
}

static GError *lost_for_good(Tunnel *self)
{
    GError *error = NULL;
    const char *last = self->round_error != NULL ? self->round_error->message : "";
    const char *advice = dialtone_failure_advice(self->round_error);
    dialtone_failure_set(&error, DIALTONE_FAILURE_TUNNEL_LOST,
                         advice != NULL ? advice : _("Check your Internet connection."),
                         _("The tunnel was lost and did not come back in the time of [Network] "
                           "RetryFor. %s"),
                         last);
    dialtone_failure_set_remedy(error, dialtone_failure_remedy(self->round_error));
    return error;
}

static void schedule_retry(Tunnel *self)
{
    uint64_t when = 0;
    if (self->roam.offline)
        return;
    if (!tunnel_backoff_next(&self->backoff, platform_clock_now(), platform_random_u32(), &when)) {
        tunnel_end(self, lost_for_good(self));
        return;
    }
    self->retry_at = when;
    tunnel_rearm(self);
}

/* What is tried anew ends with its first failure. */
static bool is_sought(const Tunnel *self)
{
    return tunnel_is_wanted_back(self) && !tunnel_change_is_tried(self);
}

static void round_is_over(Tunnel *self)
{
    if (is_sought(self)) {
        tunnel_backoff_begin(&self->backoff, platform_clock_now());
        schedule_retry(self);
        return;
    }
    GError *error = g_steal_pointer(&self->round_error);
    if (error == NULL)
        dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, _("Check [Gateway] Address."),
                             _("The gateway has no address."));
    tunnel_end(self, error);
}

static void keep_error(Tunnel *self, GError *error_take)
{
    g_clear_error(&self->round_error);
    self->round_error = error_take;
}

/* ---- names ---- */

static bool is_same(const IkeAddress *a, const IkeAddress *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void add_candidate(Tunnel *self, const IkeAddress *address)
{
    if (address->family == 6 ? self->lacks6 : self->lacks4)
        return;
    if (is_same(&self->tried, address))
        return;
    for (GList *l = self->candidates.head; l != NULL; l = l->next)
        if (is_same(l->data, address))
            return;
    g_queue_push_tail(&self->candidates, g_memdup2(address, sizeof(*address)));
}

static GError *explain_resolver(const GError *why, const char *host)
{
    GError *error = NULL;
    if (g_error_matches(why, PLATFORM_RESOLVER_ERROR, PLATFORM_RESOLVER_ERROR_NOT_FOUND) ||
        g_error_matches(why, PLATFORM_RESOLVER_ERROR, PLATFORM_RESOLVER_ERROR_NO_ADDRESS))
        dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE,
                             _("Check the spelling of [Gateway] Address."),
                             _("There is no computer with the name %s."), host);
    else
        dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE,
                             _("Check your Internet connection, or write the gateway's IP address "
                               "into [Gateway] Address."),
                             _("The gateway's name could not be looked up: %s."), why->message);
    return error;
}

static void add_found(Tunnel *self, const PlatformAddress *found)
{
    IkeAddress address = tunnel_address_to_ike(found, self->port);
    add_candidate(self, &address);
    if (self->found->len < TUNNEL_FOUND_MAX)
        g_array_append_val(self->found, address);
}

static void on_resolved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) addresses = platform_resolver_lookup_finish(result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    Tunnel *self = data;
    g_clear_object(&self->resolving);
    if (addresses == NULL)
        keep_error(self, explain_resolver(error, self->backup != NULL ? self->backup : self->host));
    for (guint i = 0; addresses != NULL && i < addresses->len; i++)
        add_found(self, &g_array_index(addresses, PlatformAddress, i));
    next_address(self);
}

/* A literal address is a candidate at once. */
static void find(Tunnel *self, const char *host)
{
    PlatformAddress literal;
    g_array_set_size(self->found, 0);
    if (platform_address_parse(host, &literal)) {
        add_found(self, &literal);
        next_address(self);
        return;
    }
    if (!tunnel_is_wanted_back(self) && self->state != DIALTONE_STATE_RESOLVING)
        tunnel_set_state(self, DIALTONE_STATE_RESOLVING);
    self->resolving = g_cancellable_new();
    platform_resolver_lookup(self->resolver, host, self->resolving, on_resolved, self);
}

static void take_endpoint(Tunnel *self)
{
    const DialtoneEndpoint *endpoint =
        &g_array_index(self->profile->gateways, DialtoneEndpoint, self->next_endpoint);
    self->next_endpoint++;
    g_clear_pointer(&self->backup, g_free);
    g_free(self->host);
    self->host = g_strdup(endpoint->host);
    self->port = endpoint->port != 0 ? endpoint->port : IKE_PORT;
    find(self, self->host);
}

/* ---- servers that the gateway has named ---- */

/* One name or address; whatever else it is, nobody is called for it. */
static bool is_server(const Tunnel *self, const char *text)
{
    PlatformAddress literal;
    if (platform_address_parse(text, &literal))
        return platform_address_is_unicast(&literal);
    return self->resolver != NULL && platform_dns_name_is_valid(text);
}

static bool is_backup(const Tunnel *self, const char *text)
{
    for (guint i = 0; self->backups != NULL && i < self->backups->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(self->backups, i), text) == 0)
            return true;
    return false;
}

/* They stay known when a gateway that takes over names none. */
void tunnel_attempt_take_backups(Tunnel *self, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " ,;\t\r\n", -1);
    if (text[0] == '\0')
        return;
    g_clear_pointer(&self->backups, g_ptr_array_unref);
    self->backups = g_ptr_array_new_with_free_func(g_free);
    for (char **word = words; *word != NULL && self->backups->len < TUNNEL_BACKUPS_MAX; word++)
        if (is_server(self, *word) && !is_backup(self, *word))
            g_ptr_array_add(self->backups, g_strdup(*word));
}

/* False when there is none left in this round. */
static bool take_backup(Tunnel *self)
{
    guint i = self->next_endpoint - self->profile->gateways->len;
    if (!self->was_connected || self->backups == NULL || i >= self->backups->len)
        return false;
    self->next_endpoint++;
    g_free(self->backup);
    self->backup = g_strdup(g_ptr_array_index(self->backups, i));
    g_free(self->host);
    self->host = g_strdup(self->good_host);
    self->port = IKE_PORT;
    find(self, self->backup);
    return true;
}

/* ---- addresses ---- */

void tunnel_attempt_may_call(Tunnel *self, const IkeAddress *address)
{
    GError *error = NULL;
    if (!tunnel_session_start(self, address, &error)) {
        tunnel_end(self, error);
        return;
    }
    tunnel_session_pump(self);
    tunnel_rearm(self);
}

static void pass_over(Tunnel *self, const IkeAddress *address)
{
    g_autofree char *text = tunnel_host_text(address);
    GError *error = NULL;
    dialtone_failure_set(&error, DIALTONE_FAILURE_UNREACHABLE, _("Check your Internet connection."),
                         _("This network has no way to the gateway's address %s."), text);
    keep_error(self, error);
}

/* NULL: there is none left. Without any network nothing is tried: see tunnel-roam.c. At first
 * connect each is tried: what it fails with tells more. */
static IkeAddress *next_candidate(Tunnel *self)
{
    IkeAddress *address;
    while ((address = g_queue_pop_head(&self->candidates)) != NULL) {
        if (!self->was_connected || tunnel_roam_has_way(self, address))
            break;
        pass_over(self, address);
        g_free(address);
    }
    return address;
}

static void call(Tunnel *self, const IkeAddress *address)
{
    const bool stands = tunnel_kill_switch_is_wanted(self) ||
                        tunnel_change_kill_switch(self) != DIALTONE_KILL_SWITCH_NO;
    if (!stands || is_same(&self->let_pass, address))
        tunnel_attempt_may_call(self, address);
    else
        tunnel_kill_switch_let_pass(self, address);
}

static void next_address(Tunnel *self)
{
    if (self->end != TUNNEL_END_NOT)
        return;
    g_autofree IkeAddress *address = next_candidate(self);
    if (address == NULL && self->next_endpoint < self->profile->gateways->len) {
        take_endpoint(self);
        return;
    }
    if (address == NULL && take_backup(self))
        return;
    if (address == NULL) {
        round_is_over(self);
        return;
    }
    self->sender = (IkeAddress){0};
    g_free(self->member);
    self->member = g_strdup(self->backup);
    call(self, address);
}

static void begin_round(Tunnel *self)
{
    g_queue_clear_full(&self->candidates, g_free);
    self->next_endpoint = self->redirects_n = 0;
    g_clear_pointer(&self->backup, g_free);
    self->retry_at = 0;
    if (self->change.begins) /* when all that it needs is there: see tunnel_attempt_begin() */
        return;
    g_array_set_size(self->found, 0);
    memset(&self->tried, 0, sizeof(self->tried));
    if (tunnel_is_wanted_back(self) && self->good.family != 0) {
        add_candidate(self, &self->good);
        for (guint i = 0; i < self->good_found->len; i++)
            add_candidate(self, &g_array_index(self->good_found, IkeAddress, i));
        self->tried = self->good;
        g_free(self->host);
        self->host = g_strdup(self->good_host);
        self->backup = g_strdup(self->good_backup);
    }
    next_address(self);
}

/* Of the addresses that a name had, those that were not needed are kept beside the one that worked:
 * the next network may have another family only, and no name server yet. */
void tunnel_attempt_keep_found(Tunnel *self)
{
    if (self->found->len == 0)
        return;
    GArray *former = self->good_found;
    self->good_found = self->found;
    self->found = former;
    g_array_set_size(self->found, 0);
}

void tunnel_attempt_begin(Tunnel *self)
{
    bool busy =
        self->session != NULL || self->resolving != NULL || self->retry_at != 0 || self->passing;
    bool was_begun = self->was_connected && !self->change.begins;
    if (busy || self->end != TUNNEL_END_NOT || was_begun)
        return;
    if (self->interface == NULL) /* it is not known yet whether this system may */
        return;
    if (self->secrets == NULL || !tunnel_question_first(self))
        return;
    if (self->datapath == NULL || !self->resolver_ready)
        return;
    self->change.begins = false;
    begin_round(self);
}

/* ---- what becomes of a session ---- */

TunnelFailureContext tunnel_attempt_context(const Tunnel *self)
{
    bool known = self->profile->user != NULL || self->secrets->user.known;
    DialtoneXauth xauth = self->profile->xauth;
    return (TunnelFailureContext){.profile = self->profile,
                                  .gateway = self->member != NULL ? self->member : self->host,
                                  .port = self->trying.port,
                                  .with_user = xauth == DIALTONE_XAUTH_REQUIRED ||
                                               (xauth == DIALTONE_XAUTH_AUTO && known)};
}

static bool was_called(const Tunnel *self, const IkeAddress *address)
{
    if (is_same(address, &self->sender) || is_same(address, &self->trying))
        return true;
    for (guint i = 0; i < self->redirects_n; i++)
        if (is_same(address, &self->redirects[i]))
            return true;
    return false;
}

/* False where nobody sends us anywhere, or where that is not to be followed. */
static bool follow(Tunnel *self, const IkeFailure *failure)
{
    const IkeAddress elsewhere = failure->elsewhere;
    if (failure->detail != IKE_DETAIL_REDIRECTED || self->redirects_n == TUNNEL_REDIRECTS_MAX ||
        was_called(self, &elsewhere))
        return false;
    self->redirects[self->redirects_n++] = elsewhere;
    if (self->sender.family == 0)
        self->sender = self->trying;
    g_free(self->member);
    self->member = tunnel_host_text(&elsewhere);
    g_debug("the gateway sends us on to %s", self->member);
    tunnel_session_drop(self);
    call(self, &elsewhere);
    return true;
}

static void fail_address(Tunnel *self, const IkeFailure *failure)
{
    if (follow(self, failure))
        return;
    const TunnelFailureContext context = tunnel_attempt_context(self);
    GError *error = NULL;
    tunnel_failure_explain(failure, &context, &error);
    g_autofree char *log = tunnel_failure_log_text(failure);
    g_debug("address failed: %s", log);
    DialtoneFailure reason = tunnel_failure_reason(failure);
    bool final = is_sought(self)
                     ? is_final_while_reconnecting(reason) || needs_new_lists(self, failure)
                     : !tunnel_failure_is_transient(failure);
    tunnel_session_drop(self);
    if (final) {
        tunnel_end(self, error);
        return;
    }
    keep_error(self, error);
    next_address(self);
}

/* The network stays as it is: what the tunnel carried goes nowhere until it is back. */
static void tunnel_is_lost(Tunnel *self, const IkeFailure *failure)
{
    DialtoneFailure reason = tunnel_failure_reason(failure);
    const TunnelFailureContext context = tunnel_attempt_context(self);
    GError *error = NULL;
    tunnel_failure_explain(failure, &context, &error);
    tunnel_session_drop(self);
    if (is_final_while_reconnecting(reason) || needs_new_lists(self, failure)) {
        tunnel_end(self, error);
        return;
    }
    tunnel_attempt_away(self, error);
    schedule_retry(self);
}

void tunnel_attempt_away(Tunnel *self, GError *why_take)
{
    keep_error(self, why_take);
    if (self->state == DIALTONE_STATE_CONNECTED || self->backoff.lost_at == 0)
        self->began = platform_clock_now();
    tunnel_backoff_begin(&self->backoff, self->began);
    if (self->question != 0)
        self->before_question = DIALTONE_STATE_RECONNECTING;
    else
        tunnel_set_state(self, DIALTONE_STATE_RECONNECTING);
}

void tunnel_attempt_again(Tunnel *self, GError *why_take)
{
    tunnel_attempt_cancel(self);
    tunnel_session_drop(self);
    tunnel_attempt_away(self, why_take);
    self->backoff.attempts = 0;
    begin_round(self);
}

void tunnel_attempt_session_over(Tunnel *self)
{
    const IkeFailure failure = self->over;
    if (self->end != TUNNEL_END_NOT) {
        tunnel_rearm(self);
        return;
    }
    bool lost = self->state == DIALTONE_STATE_CONNECTED || self->roam.held ||
                (self->state == DIALTONE_STATE_NEEDS_SECRETS &&
                 self->before_question == DIALTONE_STATE_CONNECTED);
    if (lost)
        tunnel_is_lost(self, &failure);
    else
        fail_address(self, &failure);
}

/* ---- time ---- */

guint64 tunnel_attempt_deadline(const Tunnel *self)
{
    if (self->roam.asleep)
        return G_MAXUINT64;
    guint64 deadline = self->retry_at != 0 ? self->retry_at : G_MAXUINT64;
    return MIN(deadline, tunnel_backoff_deadline(&self->backoff));
}

void tunnel_attempt_tick(Tunnel *self, guint64 now)
{
    if (self->roam.asleep)
        return;
    if (now >= tunnel_backoff_deadline(&self->backoff)) {
        tunnel_end(self, lost_for_good(self));
        return;
    }
    if (self->retry_at != 0 && now >= self->retry_at)
        begin_round(self);
}

void tunnel_attempt_cancel(Tunnel *self)
{
    if (self->resolving != NULL)
        g_cancellable_cancel(self->resolving);
    g_clear_object(&self->resolving);
    self->retry_at = 0;
}
