/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that a profile's [Rules] want or refuse: looked at when the networks that this
 * machine has joined change, and when the profile, its connection or somebody to connect it for
 * comes or goes. NetworkManager says which networks those are, and is asked only while some profile
 * has a rule; what nobody knows is not guessed.
 *
 * A user's own hand wins: what is disconnected by hand stays so until the network is another one,
 * and so does what failed for a reason that time does not mend (a password tried again and again
 * locks an account). A rule connects for somebody: of a user's profile its owner, of a system
 * profile whoever it names and has an agent, else root, as Autoconnect does, where the secrets are
 * the machine's. polkit is asked as if that agent had asked for the connection, but nobody for a
 * password.
 */
#include "client/service/rules.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/service/holds.h"
#include "client/service/log.h"

static void on_networks(gpointer data);

static bool has_rules(const DialtoneProfile *profile)
{
    return profile->rule != DIALTONE_RULE_MANUAL || profile->never->len > 0;
}

static void watch(ServiceManager *self)
{
    if (self->where.joined == NULL)
        self->where.joined = platform_joined_watch_new(self->bus, on_networks, self);
}

static const GPtrArray *joined(const ServiceManager *self)
{
    return self->where.joined != NULL ? platform_joined_networks(self->where.joined) : NULL;
}

static void log_profile(const ServiceProfile *profile, const char *what)
{
    service_log(profile->owner, profile->profile->name, "rule: %s", what);
}

/* ---- by whom ---- */

/* Who is to connect, one agent after the other. */
typedef struct Search {
    ServiceManager *manager;
    char *path; /* of the profile */
    GArray *tried;
    ServiceCaller *caller;
    bool asks_again; /* for the directory of users did not say who that is */
} Search;

static void search_free(Search *search)
{
    g_array_unref(search->tried);
    service_caller_free(search->caller);
    g_free(search->path);
    g_free(search);
}

static void search_next(Search *search);
static ServiceRuleAct judge(ServiceManager *self, ServiceProfile *profile);

/* What has become of it meanwhile; NULL: nobody wants it connected any more. Ends the search then.
 */
static ServiceProfile *still_wanted(Search *search)
{
    ServiceProfile *profile = service_manager_profile(search->manager, search->path, NULL);
    if (profile != NULL)
        profile->rule.searching = false;
    if (profile != NULL && !search->manager->stopping &&
        judge(search->manager, profile) == SERVICE_RULE_CONNECT) {
        profile->rule.searching = true;
        return profile;
    }
    search_free(search);
    return NULL;
}

static void connect_for(Search *search, ServiceProfile *profile)
{
    ServiceManager *self = search->manager;
    ServiceConnection *failed = service_manager_connection_of(self, profile);
    const ServiceCaller *caller = search->caller;
    const ServiceWish wish = {.owner = caller != NULL ? caller->uid : 0,
                              .agent = caller != NULL ? caller->bus_name : NULL,
                              .by_rule = true};
    profile->rule.searching = false;
    if (wish.owner != 0 && service_manager_count(self, wish.owner) >= SERVICE_CONNECTIONS_MAX) {
        log_profile(profile, "its user has too many connections already");
        search_free(search);
        return;
    }
    if (failed != NULL)
        service_connection_stop(failed, NULL);
    log_profile(profile, "connects, for this network is not trusted");
    (void)service_manager_connect(self, profile, &wish);
    search_free(search);
}

static void on_allowed(ServiceAnswer answer, gpointer data)
{
    Search *search = data;
    ServiceProfile *profile = still_wanted(search);
    if (profile == NULL)
        return;
    if (answer == SERVICE_YES) {
        connect_for(search, profile);
        return;
    }
    service_log(search->caller->uid, profile->profile->name,
                "rule: polkit does not let uid %u connect by itself",
                (unsigned)search->caller->uid);
    search_next(search);
}

static void ask_authority(Search *search, const ServiceProfile *profile)
{
    ServiceAction action = service_profile_is_system(profile) ? SERVICE_ACTION_CONNECT_SYSTEM
                                                              : SERVICE_ACTION_CONNECT_OWN;
    service_authority_check(search->caller, action, false, on_allowed, search);
}

static void on_named(ServiceNamed named, gpointer data)
{
    Search *search = data;
    ServiceProfile *profile = still_wanted(search);
    if (profile == NULL)
        return;
    if (named == SERVICE_NAMED) {
        ask_authority(search, profile);
        return;
    }
    /* Nothing tells when that can be known. */
    search->asks_again = search->asks_again || named == SERVICE_NAMED_UNKNOWN;
    search_next(search);
}

static bool is_others(const ServiceProfile *profile, const ServiceCaller *caller)
{
    return !service_profile_is_system(profile) && caller->uid != 0 && caller->uid != profile->owner;
}

static void on_caller(GObject *source, GAsyncResult *result, gpointer data)
{
    Search *search = data;
    g_clear_pointer(&search->caller, service_caller_free);
    search->caller = service_caller_ask_finish(result, NULL);
    const ServiceProfile *profile = still_wanted(search);
    if (profile == NULL)
        return;
    /* A kill switch that stays takes somebody who is asked. */
    const bool blocks = !service_profile_is_system(profile) &&
                        profile->profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT;
    if (search->caller == NULL || blocks || is_others(profile, search->caller))
        search_next(search);
    else if (service_profile_names_users(profile) && search->caller->uid != 0)
        service_caller_ask_named(search->caller, search->manager->directory, profile->profile,
                                 on_named, search);
    else
        ask_authority(search, profile);
}

static void search_next(Search *search)
{
    ServiceProfile *profile = still_wanted(search);
    if (profile == NULL)
        return;
    bool is_system = service_profile_is_system(profile);
    const ServiceAgent *agent =
        is_system
            ? service_agents_newest(search->manager->agents, search->tried)
            : service_agents_pick(search->manager->agents, profile->owner, NULL, search->tried);
    if (agent != NULL) {
        g_array_append_val(search->tried, agent->serial);
        service_caller_ask(search->manager->bus, agent->bus_name, NULL, on_caller, search);
        return;
    }
    g_clear_pointer(&search->caller, service_caller_free);
    if (is_system && dialtone_profile_wants_system_secrets(profile->profile)) {
        connect_for(search, profile);
        return;
    }
    profile->rule.searching = false;
    log_profile(profile, search->asks_again ? "the directory of users gives no answer"
                                            : "nobody is there to connect for");
    if (search->asks_again)
        service_always_again(search->manager, profile);
    search_free(search);
}

static void begin_search(ServiceManager *self, ServiceProfile *profile)
{
    g_autoptr(GError) error = NULL;
    /* It blocks everybody at this computer: that takes somebody who asks for it. */
    if (!service_profile_is_system(profile) &&
        profile->profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT) {
        log_profile(profile, "its kill switch would stay, so it is connected by hand only");
        return;
    }
    if (!service_policy_allows(self, profile->profile, profile->layer, &error)) {
        log_profile(profile, error->message);
        return;
    }
    Search *search = g_new0(Search, 1);
    *search = (Search){.manager = self,
                       .path = g_strdup(profile->path),
                       .tried = g_array_new(FALSE, FALSE, sizeof(guint64))};
    profile->rule.searching = true;
    search_next(search);
}

/* ---- what a rule says ---- */

/* What is connected by hand has the rules that it was connected with; a user may have changed them.
 */
static const DialtoneProfile *rules_of(ServiceManager *self, const ServiceProfile *profile)
{
    const ServiceConnection *current = service_manager_connection_of(self, profile);
    bool by_hand =
        current != NULL && !service_connection_has_failed(current) && !profile->rule.by_rule;
    return by_hand ? service_connection_profile(current) : profile->profile;
}

static ServiceRuleAct judge(ServiceManager *self, ServiceProfile *profile)
{
    const ServiceConnection *current = service_manager_connection_of(self, profile);
    const DialtonePlace *by = NULL;
    const ServiceRuleFacts facts = {
        .rule = profile->profile->rule,
        .place = service_rule_place(rules_of(self, profile), joined(self), &by),
        .wanted = current != NULL && !service_connection_has_failed(current),
        .by_rule = profile->rule.by_rule,
        .held = profile->rule.held || profile->refused || profile->rule.searching ||
                profile->retry != 0};
    return service_rule_decide(&facts);
}

/* Once for each place that the machine comes to. */
static void note(ServiceManager *self, ServiceProfile *profile)
{
    const DialtonePlace *by = NULL;
    ServicePlace place = service_rule_place(rules_of(self, profile), joined(self), &by);
    if (profile->rule.judged && profile->rule.place == place)
        return;
    profile->rule.judged = true;
    profile->rule.place = place;
    dialtone_bus_profile_set_rule(profile->skeleton, service_place_name(place));
    switch (place) {
    case SERVICE_PLACE_UNKNOWN:
        log_profile(profile,
                    "can't be judged, for NetworkManager does not say which network this is");
        break;
    case SERVICE_PLACE_NOWHERE:
        log_profile(profile, "no network leads out of this computer");
        break;
    case SERVICE_PLACE_UNTRUSTED:
        log_profile(profile, "this network is none of those that it names");
        break;
    case SERVICE_PLACE_TRUSTED:
    case SERVICE_PLACE_NEVER:
        service_log(profile->owner, profile->profile->name, "rule: this network is %s of %s",
                    by->written, place == SERVICE_PLACE_TRUSTED ? "Trusted" : "Never");
        break;
    }
}

static void set_refusal(const DialtoneProfile *profile, const DialtonePlace *by, GError **error)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_POLICY,
                         _("Join another network; or change Never= in [Rules] of the profile."),
                         _("The profile \"%s\" is never connected on this network (Never=%s)."),
                         profile->name, by->written);
}

bool service_rules_allow(ServiceManager *self, const DialtoneProfile *profile, GError **error)
{
    const DialtonePlace *by = NULL;
    if (profile->never->len == 0)
        return true;
    watch(self);
    if (service_rule_place(profile, joined(self), &by) != SERVICE_PLACE_NEVER)
        return true;
    set_refusal(profile, by, error);
    return false;
}

bool service_rules_let_connect(ServiceManager *self, const ServiceProfile *profile)
{
    const DialtonePlace *by = NULL;
    if (profile->profile->never->len == 0)
        return true;
    watch(self);
    ServicePlace place = service_rule_place(profile->profile, joined(self), &by);
    return place != SERVICE_PLACE_UNKNOWN && place != SERVICE_PLACE_NEVER;
}

static void act(ServiceManager *self, ServiceProfile *profile)
{
    ServiceConnection *current = service_manager_connection_of(self, profile);
    g_autoptr(GError) error = NULL;
    switch (judge(self, profile)) {
    case SERVICE_RULE_LEAVE:
        break;
    case SERVICE_RULE_CONNECT:
        begin_search(self, profile);
        break;
    case SERVICE_RULE_DISCONNECT:
        log_profile(profile, "disconnects");
        profile->rule.ending = true;
        service_connection_stop(current, NULL);
        break;
    case SERVICE_RULE_REFUSE:
        if (!service_rules_allow(self, service_connection_profile(current), &error))
            service_connection_refuse(current, error);
        break;
    }
}

void service_rules_look(ServiceManager *self, ServiceProfile *profile)
{
    if (self->stopping || !has_rules(rules_of(self, profile)))
        return;
    watch(self);
    if (!self->where.told)
        return;
    note(self, profile);
    act(self, profile);
}

/* ---- holding ---- */

void service_rules_hold(ServiceManager *self, ServiceProfile *profile)
{
    if (profile->profile->rule != DIALTONE_RULE_MANUAL && !profile->rule.held)
        log_profile(profile, "does not connect again on this network");
    profile->rule.held = true;
    service_hold_keep(self, profile);
}

void service_rules_release(ServiceManager *self, ServiceProfile *profile)
{
    profile->rule.held = false;
    profile->pause = 0;
    g_clear_handle_id(&profile->retry, g_source_remove);
    service_hold_keep(self, profile);
}

void service_rules_take_over(ServiceProfile *from, ServiceProfile *by)
{
    by->rule.held = from->rule.held;
    by->rule.by_rule = from->rule.by_rule;
    by->rule.ending = from->rule.ending;
}

static bool mends_itself(DialtoneFailure failure)
{
    return failure == DIALTONE_FAILURE_UNREACHABLE || failure == DIALTONE_FAILURE_TUNNEL_LOST ||
           failure == DIALTONE_FAILURE_INTERNAL;
}

bool service_rules_failed(ServiceManager *self, ServiceProfile *profile,
                          const ServiceConnection *connection)
{
    if (profile->profile->rule == DIALTONE_RULE_MANUAL)
        return false;
    /* What the machine lacks may come; a person who was asked has answered. */
    if (service_connection_owner(connection) == 0 ||
        mends_itself(service_connection_failure(connection)))
        service_always_again(self, profile);
    else
        service_rules_hold(self, profile);
    return true;
}

void service_rules_gone(ServiceManager *self, ServiceProfile *profile)
{
    /* The end of the service is nobody's word about the connection. */
    if (!profile->rule.ending && !self->stopping)
        service_rules_hold(self, profile);
    profile->rule.ending = profile->rule.by_rule = false;
    service_rules_look(self, profile);
}

/* ---- the networks ---- */

static GPtrArray *with_rules(ServiceManager *self)
{
    GPtrArray *all = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *profile = value;
        if (has_rules(rules_of(self, profile)))
            g_ptr_array_add(all, profile);
    }
    return all;
}

/* The network as it was last, while there was one: who comes back to it has not left it. The first
 * one that is told of is where we are already. */
static bool has_moved(ServiceManager *self)
{
    g_autofree char *network = service_rule_network(joined(self));
    if (network == NULL || g_strcmp0(network, self->where.network) == 0)
        return false;
    const bool first = self->where.network == NULL;
    g_free(self->where.network);
    self->where.network = g_steal_pointer(&network);
    return !first;
}

static void on_networks(gpointer data)
{
    ServiceManager *self = data;
    g_autoptr(GPtrArray) all = with_rules(self);
    bool moved = has_moved(self);
    self->where.told = true;
    for (guint i = 0; i < all->len; i++) {
        ServiceProfile *profile = all->pdata[i];
        if (moved)
            service_rules_release(self, profile);
        else if (profile->rule.held)
            service_hold_keep(self, profile);
        service_rules_look(self, profile);
        if (service_profile_is_system(profile) && !profile->rule.held)
            service_always_profile(self, profile);
    }
    if (all->len == 0)
        service_rules_end(self);
}

void service_rules_agent_came(ServiceManager *self)
{
    g_autoptr(GPtrArray) all = with_rules(self);
    for (guint i = 0; i < all->len; i++)
        service_rules_look(self, all->pdata[i]);
}

void service_rules_end(ServiceManager *self)
{
    g_clear_pointer(&self->where.joined, platform_joined_watch_free);
    g_clear_pointer(&self->where.network, g_free);
    self->where.told = false;
}
