/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol core behind a line protocol on stdin and stdout, so that a simulator in another
 * language can own the clock, the network and the gateway. Each command is a line, and is answered
 * by any number of lines and a line with a single dot.
 *
 *   new KEY=VALUE ...            a new session in place of any former one
 *   start|tick|stop|netchange|renegotiate T
 *   receive T PORT HEX           a datagram from the gateway's port
 *   answer T ID user=HEX password=HEX
 *   sign T ID HEX                our signature, - where nobody can sign
 *   seal T HEX, open T HEX       an inner packet out, an ESP packet in
 *
 * Randomness is a counter hashed with the seed, so that a run can be repeated; Diffie-Hellman keys
 * are libcrypto's own.
 */
#include "tests/sim/pipe-config.h"
#include "tests/sim/pipe-names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 1 << 18, SAS_MAX = 256 };

typedef struct PipeSa {
    EspSa *esp;
    IkeSaInfo info;
    bool inbound;
} PipeSa;

typedef struct Pipe {
    PipeConfig config;
    IkeSession *session;
    PipeSa sas[SAS_MAX];
    uint32_t heard_spi;
    uint64_t heard_at;
} Pipe;

/* ---- output ---- */

static void print_hex(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    if (n == 0)
        putchar('-');
}

static void print_text(const char *key, const char *text)
{
    printf("\"%s\":\"", key);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\' || *c < 0x20 || *c >= 0x7f)
            printf("\\u%04x", *c);
        else
            putchar(*c);
    }
    putchar('"');
}

static void print_address(const char *key, const IkeAddress *a)
{
    printf("\"%s\":\"%u.%u.%u.%u:%u\"", key, a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3],
           a->port);
}

static void print_network(const char *key, const IkeNetwork *n)
{
    printf("\"%s\":\"%u.%u.%u.%u/%u\"", key, n->bytes[0], n->bytes[1], n->bytes[2], n->bytes[3],
           n->prefix);
}

static void print_failure(const char *name, const IkeFailure *failure)
{
    printf("event %s {\"reason\":\"%s\",\"detail\":\"%s\",\"notify\":%u,\"error\":%d,", name,
           pipe_reason_name(failure->reason), pipe_detail_name(failure->detail), failure->notify,
           failure->error);
    print_text("text", failure->text);
    putchar(',');
    print_address("elsewhere", &failure->elsewhere);
    printf("}\n");
}

static void print_phase1(const IkePhase1Info *info)
{
    printf("event established {\"auth\":\"%s\",\"not_after\":%lld,", pipe_auth_name(info->auth),
           (long long)info->certificate.not_after);
    print_text("subject", info->certificate.subject);
    printf(",\"fingerprint\":\"");
    print_hex(info->certificate.fingerprint, sizeof(info->certificate.fingerprint));
    printf("\",\"encryption\":\"%s\",\"hash\":\"%s\",\"group\":\"%s\","
           "\"xauth\":%s,\"fallback\":%s,\"natt\":%s,\"nat_detected\":%s,\"lifetime\":%u}\n",
           info->chosen.cipher->name, info->chosen.hash->name, info->chosen.group->name,
           info->xauth ? "true" : "false", info->fallback ? "true" : "false",
           info->natt ? "true" : "false", info->nat_detected ? "true" : "false", info->lifetime);
}

static void print_inner(const IkeInnerConfig *inner)
{
    printf("event config {");
    print_address("address", &inner->address);
    printf(",\"dns\":[");
    for (size_t i = 0; i < inner->dns_n; i++)
        printf("%s\"%u.%u.%u.%u\"", i > 0 ? "," : "", inner->dns[i].bytes[0],
               inner->dns[i].bytes[1], inner->dns[i].bytes[2], inner->dns[i].bytes[3]);
    printf("],\"networks\":[");
    for (size_t i = 0; i < inner->networks_n; i++) {
        printf("%s{", i > 0 ? "," : "");
        print_network("network", &inner->networks[i]);
        printf("}");
    }
    printf("],\"local_lans\":[");
    for (size_t i = 0; i < inner->local_lans_n; i++) {
        printf("%s{", i > 0 ? "," : "");
        print_network("network", &inner->local_lans[i]);
        printf("}");
    }
    printf("],\"expires\":%u,\"password_unkept\":%s,", inner->expires,
           inner->password_unkept ? "true" : "false");
    print_text("banner", inner->banner);
    putchar(',');
    print_text("domain", inner->domain);
    putchar(',');
    print_text("split_dns", inner->split_dns);
    putchar(',');
    print_text("backup_servers", inner->backup_servers);
    printf("}\n");
}

static const char *const ASKED[IKE_ASK_KINDS] = {
    [IKE_ASK_USER] = "user",         [IKE_ASK_PASSWORD] = "password",
    [IKE_ASK_PASSCODE] = "passcode", [IKE_ASK_NEXT_PIN] = "next-pin",
    [IKE_ASK_ANSWER] = "answer",     [IKE_ASK_DOMAIN] = "domain",
};

static void print_question(const IkeQuestion *question)
{
    printf("event question {\"id\":%u,\"again\":%s,\"asked\":[", question->id,
           question->again ? "true" : "false");
    for (size_t i = 0; i < question->asked_n; i++)
        printf("%s\"%s%s\"", i > 0 ? "," : "", question->asked[i].once ? "once " : "",
               ASKED[question->asked[i].kind]);
    printf("],");
    print_text("message", question->message);
    putchar(',');
    print_text("challenge", question->challenge);
    printf("}\n");
}

static void print_sa(const char *direction, const IkeSaInfo *sa)
{
    printf("event sa {\"direction\":\"%s\",\"spi_in\":%u,\"spi_out\":%u,\"cipher\":\"%s\","
           "\"integrity\":\"%s\",\"pfs\":\"%s\",\"lifetime\":%u,",
           direction, sa->spi_in, sa->spi_out,
           sa->chosen.cipher != NULL ? sa->chosen.cipher->name : "",
           sa->chosen.integrity != NULL ? sa->chosen.integrity->name : "",
           sa->chosen.pfs != NULL ? sa->chosen.pfs->name : "", sa->lifetime);
    print_network("local", &sa->local);
    putchar(',');
    print_network("remote", &sa->remote);
    printf("}\n");
}

/* ---- the SAs that the data path would have ---- */

static void drop_sas(Pipe *pipe, uint32_t spi_in, uint32_t spi_out, bool all)
{
    for (size_t i = 0; i < SAS_MAX; i++) {
        PipeSa *sa = &pipe->sas[i];
        if (sa->esp == NULL)
            continue;
        if (all || (sa->info.spi_in == spi_in && sa->info.spi_out == spi_out))
            sa->esp = esp_sa_free(sa->esp);
    }
}

static void take_sa(Pipe *pipe, const IkeEvent *event, bool inbound)
{
    if (event->esp == NULL)
        return; /* the session's own */
    for (size_t i = 0; i < SAS_MAX; i++) {
        PipeSa *sa = &pipe->sas[i];
        bool same_selector = sa->esp != NULL && !sa->inbound && !inbound &&
                             memcmp(&sa->info.remote, &event->sa.remote, sizeof(IkeNetwork)) == 0;
        if (same_selector)
            sa->esp = esp_sa_free(sa->esp);
    }
    for (size_t i = 0; i < SAS_MAX; i++) {
        if (pipe->sas[i].esp != NULL)
            continue;
        pipe->sas[i] = (PipeSa){event->esp, event->sa, inbound};
        return;
    }
    esp_sa_free(event->esp);
}

static void print_event(Pipe *pipe, const IkeEvent *event)
{
    switch (event->type) {
    case IKE_EVENT_STATE:
        printf("event state {\"state\":\"%s\"}\n", pipe_state_name(event->state));
        return;
    case IKE_EVENT_PHASE1:
        print_phase1(&event->phase1);
        return;
    case IKE_EVENT_QUESTION:
        print_question(&event->question);
        return;
    case IKE_EVENT_MESSAGE:
        printf("event message {");
        print_text("message", event->message);
        printf("}\n");
        return;
    case IKE_EVENT_USER:
        printf("event user {}\n");
        return;
    case IKE_EVENT_SIGN:
        printf("event sign {\"id\":%u,\"ecdsa\":%s,\"bytes\":\"", event->signing.id,
               event->signing.ecdsa ? "true" : "false");
        print_hex(event->signing.bytes, event->signing.n);
        printf("\"}\n");
        return;
    case IKE_EVENT_CONFIG:
        print_inner(&event->config);
        return;
    case IKE_EVENT_SA_IN:
        print_sa("in", &event->sa);
        take_sa(pipe, event, true);
        return;
    case IKE_EVENT_SA_OUT:
        print_sa("out", &event->sa);
        take_sa(pipe, event, false);
        return;
    case IKE_EVENT_SA_GONE:
        print_sa("gone", &event->sa);
        drop_sas(pipe, event->sa.spi_in, event->sa.spi_out, false);
        return;
    case IKE_EVENT_CONNECTED:
        printf("event connected {}\n");
        return;
    case IKE_EVENT_PATH:
        printf("event path {");
        print_address("path", &event->path);
        printf("}\n");
        return;
    case IKE_EVENT_CARRIED:
        printf("event carried {\"bytes\": %zu}\n", event->carried);
        return;
    case IKE_EVENT_NOTICE:
        print_failure("notice", &event->failure);
        return;
    case IKE_EVENT_FAILED:
        print_failure("failed", &event->failure);
        return;
    case IKE_EVENT_LOST:
        print_failure("lost", &event->failure);
        return;
    case IKE_EVENT_STOPPED:
        printf("event stopped {}\n");
        return;
    }
}

static void flush_session(Pipe *pipe)
{
    IkePacket packet;
    IkeEvent event;

    while (ike_session_next_packet(pipe->session, &packet)) {
        printf("packet %u ", packet.to.port);
        print_hex(packet.bytes, packet.n);
        putchar('\n');
    }
    while (ike_session_next_event(pipe->session, &event))
        print_event(pipe, &event);
    uint64_t deadline = ike_session_deadline(pipe->session);
    if (deadline == IKE_NEVER)
        printf("deadline never\n");
    else
        printf("deadline %llu\n", (unsigned long long)deadline);
}

/* ---- ESP ---- */

/* A line of hex as bytes, with room for ESP before and behind; freed by the caller. */
static uint8_t *packet_of(const char *hex, EspPacket *packet)
{
    size_t n = strlen(hex) / 2;
    uint8_t *buffer = calloc(1, ESP_HEAD_ROOM + n + ESP_TAIL_ROOM);

    if (buffer == NULL)
        abort();
    *packet = (EspPacket){.data = buffer + ESP_HEAD_ROOM};
    packet->n = pipe_hex(hex, packet->data, n);
    return buffer;
}

static const PipeSa *outbound_for(const Pipe *pipe, const EspPacket *packet)
{
    const PipeSa *best = NULL;
    IkeNetwork destination = {.family = 4, .prefix = 32};

    if (packet->n < 20)
        return NULL;
    memcpy(destination.bytes, packet->data + 16, 4);
    for (size_t i = 0; i < SAS_MAX; i++) {
        const PipeSa *sa = &pipe->sas[i];
        if (sa->esp == NULL || sa->inbound || !ike_network_contains(&sa->info.remote, &destination))
            continue;
        if (best == NULL || sa->info.remote.prefix > best->info.remote.prefix)
            best = sa;
    }
    return best;
}

static void seal(Pipe *pipe, const char *hex)
{
    EspPacket packet;
    uint8_t *buffer = packet_of(hex, &packet);
    const PipeSa *sa = outbound_for(pipe, &packet);

    packet.next_header = 4;
    if (sa != NULL && esp_seal(sa->esp, &packet, 1) == 1) {
        printf("esp %u ", sa->info.spi_out);
        print_hex(packet.data, packet.n);
        putchar('\n');
    } else {
        printf("none\n");
    }
    free(buffer);
}

static void open_esp(Pipe *pipe, uint64_t now, const char *hex)
{
    static const char *const causes[] = {"ok",    "malformed", "replayed", "forged",
                                         "dummy", "exhausted", "fault"};
    EspPacket packet;
    uint8_t *buffer = packet_of(hex, &packet);
    uint32_t spi = 0;
    const PipeSa *found = NULL;

    for (size_t i = 0; i < 4 && packet.n >= 4; i++)
        spi = spi << 8 | packet.data[i];
    for (size_t i = 0; i < SAS_MAX; i++)
        if (pipe->sas[i].esp != NULL && pipe->sas[i].inbound && pipe->sas[i].info.spi_in == spi)
            found = &pipe->sas[i];
    if (found == NULL) {
        printf("drop unknown\n");
    } else if (esp_open(found->esp, &packet, 1) == 1) {
        pipe->heard_spi = spi;
        pipe->heard_at = now;
        printf("inner ");
        print_hex(packet.data, packet.n);
        putchar('\n');
    } else {
        printf("drop %s\n", causes[packet.verdict]);
    }
    free(buffer);
}

/* ---- commands ---- */

static IkeAddress gateway_port(const Pipe *pipe, unsigned port)
{
    IkeAddress from = pipe->config.ike.gateway;

    from.port = (uint16_t)port;
    return from;
}

static void command_new(Pipe *pipe, char *rest)
{
    if (pipe->session != NULL)
        drop_sas(pipe, 0, 0, true);
    pipe->session = ike_session_free(pipe->session);
    pipe->heard_at = 0;
    const char *error = pipe_config_parse(&pipe->config, rest);
    int r = error == NULL
                ? ike_session_new(&pipe->session, &pipe->config.ike, pipe_random, &pipe->config)
                : -1;
    if (error != NULL || r < 0)
        printf("error %s %d\n", error != NULL ? error : "session", r);
}

static void command_receive(Pipe *pipe, uint64_t now, const char *rest)
{
    char *end = NULL;
    unsigned port = (unsigned)strtoul(rest, &end, 10);
    const char *hex = end + strspn(end, " ");
    size_t n = strlen(hex) / 2;
    /* Exactly as large as the datagram: the sanitizer sees a read beyond it. */
    uint8_t *bytes = malloc(n > 0 ? n : 1);

    if (bytes == NULL)
        abort();
    n = pipe_hex(hex, bytes, n);
    (void)ike_session_receive(pipe->session, bytes, n, gateway_port(pipe, port), now);
    free(bytes);
}

static void command_answer(Pipe *pipe, uint64_t now, char *rest)
{
    IkeAnswer answer = {0};
    uint32_t id = (uint32_t)strtoul(rest, &rest, 10);
    bool any = false;

    for (char *word = strtok(rest, " "); word != NULL; word = strtok(NULL, " ")) {
        size_t n = strcspn(word, "=");
        for (size_t i = 0; word[n] == '=' && i < IKE_ASK_KINDS; i++)
            if (strlen(ASKED[i]) == n && strncmp(word, ASKED[i], n) == 0) {
                pipe_secret(word + n + 1, &answer.given[i]);
                any = true;
            }
    }
    (void)ike_session_answer(pipe->session, id, any ? &answer : NULL, now);
}

static void command_sign(Pipe *pipe, uint64_t now, char *rest)
{
    uint8_t signature[IKE_SIGNATURE_MAX];
    uint32_t id = (uint32_t)strtoul(rest, &rest, 10);
    const char *hex = rest + strspn(rest, " ");
    size_t n = pipe_hex(hex, signature, sizeof(signature));

    (void)ike_session_answer_signature(pipe->session, id, *hex == '-' ? NULL : signature, n, now);
}

/* What the data path would tell the session: an SA has passed its soft limit. */
static bool tell_renewals(Pipe *pipe, uint64_t now)
{
    bool any = false;

    for (size_t i = 0; i < SAS_MAX; i++) {
        if (pipe->sas[i].esp == NULL || !esp_sa_wants_renewal(pipe->sas[i].esp))
            continue;
        (void)ike_session_renew_sa(pipe->session, pipe->sas[i].info.spi_in, now);
        any = true;
    }
    return any;
}

static void run_session_command(Pipe *pipe, const char *verb, uint64_t now, char *rest)
{
    ike_session_traffic(pipe->session, pipe->heard_spi, pipe->heard_at);
    if (strcmp(verb, "start") == 0)
        (void)ike_session_start(pipe->session, now);
    else if (strcmp(verb, "tick") == 0)
        (void)ike_session_tick(pipe->session, now);
    else if (strcmp(verb, "stop") == 0)
        (void)ike_session_stop(pipe->session, now);
    else if (strcmp(verb, "netchange") == 0)
        (void)ike_session_network_changed(pipe->session, now);
    else if (strcmp(verb, "renegotiate") == 0)
        (void)ike_session_renegotiate(pipe->session, now);
    else if (strcmp(verb, "receive") == 0)
        command_receive(pipe, now, rest);
    else if (strcmp(verb, "answer") == 0)
        command_answer(pipe, now, rest);
    else if (strcmp(verb, "sign") == 0)
        command_sign(pipe, now, rest);
    else
        printf("error unknown command\n");
}

static void run_command(Pipe *pipe, char *line)
{
    char *rest = line + strcspn(line, " ");
    const char *verb = line;

    if (*rest != '\0')
        *rest++ = '\0';
    if (strcmp(verb, "new") == 0) {
        command_new(pipe, rest);
        if (pipe->session != NULL)
            flush_session(pipe);
        return;
    }
    if (pipe->session == NULL) {
        printf("error no session\n");
        return;
    }
    uint64_t now = strtoull(rest, &rest, 10);
    rest += strspn(rest, " ");
    bool esp = strcmp(verb, "seal") == 0 || strcmp(verb, "open") == 0;
    if (esp && *verb == 's')
        seal(pipe, rest);
    else if (esp)
        open_esp(pipe, now, rest);
    if (esp && !tell_renewals(pipe, now))
        return;
    if (esp) {
        flush_session(pipe);
        return;
    }
    run_session_command(pipe, verb, now, rest);
    flush_session(pipe);
}

int main(void)
{
    static char line[LINE_MAX_SIZE];
    static Pipe pipe;

    pipe_load_providers();
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        run_command(&pipe, line);
        printf(".\n");
        fflush(stdout);
    }
    drop_sas(&pipe, 0, 0, true);
    ike_session_free(pipe.session);
    pipe_unload_providers();
    return 0;
}
