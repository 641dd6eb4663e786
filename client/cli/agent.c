/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent: what acts for a user towards a tunnel. It reads secrets and certificates, hands them
 * to the tunnel, and keeps none but a private key, with which it signs. Then it shows what the
 * tunnel reports and asks what the tunnel wants to know, until the tunnel says how it ended.
 */
#include "client/cli/agent.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/localize.h"
#include "client/profile/parse.h"
#include "client/profile/pin.h"
#include "client/profile/secrets.h"
#include "client/profile/store.h"
#include "client/profile/strength.h"
#include "platform/secret-memory.h"

enum { SECRETS_FILE_MAX = 64 * 1024, LAST_WORD_MS = 5000 };

/* What a tunnel was set up with, while it is not known whether it can be with another. */
typedef struct AgentFormer {
    DialtoneFound *found;
    const DialtoneProfile *profile;
    const char *path;
    DialtoneCredential *credential;
} AgentFormer;

struct Agent {
    AgentSetup setup;
    StandaloneWait wait;
    const DialtoneProfile *profile; /* NULL: not known yet */
    const char *path;               /* of its file; or what it is called */
    DialtoneFound *found;           /* what was read again, and has these two; NULL: nothing */
    AgentFormer *former;            /* what was in use before that; NULL: it is settled */
    char *pins;                     /* the folder of gateways that were seen; NULL: there is none */
    char *gateway;                  /* the one that was compared last */
    DialtoneCredential *credential; /* signs; NULL: nothing to sign with */
    TunnelFrame asked;              /* a question that nobody was asked yet */
    bool asking;                    /* one is open */
    bool reloads;                   /* the profile is to be read again */
    bool ended;                     /* END has come */
    bool gone;                      /* nothing more will */
    bool connected;                 /* now */
    bool idle;                      /* likewise */
    bool reported;                  /* a `failed` was shown */
    bool hinted;                    /* how it ends was told */
    bool late;                      /* nothing came for too long */
    gint64 shown_us;                /* the time of the last report; 0: none */
    int code;
};

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static bool is_interrupted(const Agent *agent)
{
    return agent->setup.interrupted != NULL && *agent->setup.interrupted != 0;
}

/* ---- secrets ---- */

/* Reads to the end, but no longer than the tunnel lives. -1: it ended, or errno. */
static gssize read_secrets_text(Agent *agent, char *text)
{
    gsize n = 0;
    while (n < SECRETS_FILE_MAX) {
        if (standalone_wait(&agent->wait, agent->setup.secrets_fd, -1) !=
            STANDALONE_PROMPT_ANSWERED) {
            errno = ECANCELED;
            return -1;
        }
        gssize got = read(agent->setup.secrets_fd, text + n, SECRETS_FILE_MAX - n);
        if (got <= 0)
            return got == 0 ? (gssize)n : -1;
        n += (gsize)got;
    }
    errno = EFBIG;
    return -1;
}

static DialtoneSecrets *read_secrets(Agent *agent, GError **error)
{
    const char *file = agent->setup.secrets;
    char *text = platform_secret_alloc(SECRETS_FILE_MAX + 1);
    if (text == NULL)
        errno = ENOMEM;
    gssize n = text != NULL ? read_secrets_text(agent, text) : -1;
    DialtoneSecrets *secrets = NULL;
    if (n >= 0)
        secrets = dialtone_secrets_parse(text, (gsize)n, file, &MEMORY, error);
    else
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                             _("%s: can't be read: %s"), file, g_strerror(errno));
    platform_secret_free(text);
    return secrets;
}

/* Said once a connect, and only of a key that the user gave just now: it never holds the key. */
static void warn_of_weak_psk(const IkeSecret *psk)
{
    g_autofree char *warning = psk->known ? dialtone_strength_warning(psk->bytes, psk->n) : NULL;
    if (warning != NULL)
        standalone_print_notice(warning);
}

/* A profile that names no key needs one in the file. */
static bool check_psk(Agent *agent, const TunnelSecrets *secrets, GError **error)
{
    const bool has_been_given = agent->former != NULL;
    if (secrets->psk.known || agent->setup.secrets == NULL || agent->path == NULL || has_been_given)
        return true;
    g_autoptr(DialtoneStore) store = dialtone_store_new(agent->setup.caller);
    g_autoptr(DialtoneFound) strict = dialtone_store_load(store, agent->setup.name, false, error);
    return strict != NULL;
}

/* What ends this wait is heard behind it. */
static bool ask_for_key(const DialtoneKeyQuestion *question, char *line, gsize size, gpointer data)
{
    const Agent *agent = data;
    const StandaloneWait wait = {.tunnel = agent->setup.fd, .terminal = -1};
    if (question->keypad) {
        standalone_print_notice(question->hint);
        return true;
    }
    if (question->again)
        standalone_prompt_show(question->hint);
    return standalone_prompt(question->prompt, false, &wait, line, size) ==
           STANDALONE_PROMPT_ANSWERED;
}

static void tell(const char *line, gpointer data)
{
    standalone_print_notice(line);
}

static bool load_credential(Agent *agent, const DialtoneSecrets *secrets, GError **error)
{
    const StandaloneCredentialSetup setup = {
        .profile = agent->profile,
        .path = agent->path,
        .caller = agent->setup.caller,
        .memory = &MEMORY,
        .passphrase = secrets != NULL ? &secrets->passphrase : NULL,
        .tunnel_fd = agent->setup.fd,
        .without_own = agent->setup.without_own,
        .without_authorities = agent->setup.without_authorities,
        .ask = ask_for_key,
        .tell = tell,
        .data = agent,
    };
    return standalone_credential_load(&setup, &agent->credential, error);
}

static bool send_secrets(Agent *agent, GError **error)
{
    g_autoptr(DialtoneSecrets) read = g_steal_pointer(&agent->setup.system);
    bool from_user = read == NULL;
    g_autoptr(TunnelSecrets) secrets = tunnel_secrets_new();
    if (read != NULL && !tunnel_secrets_take_file(secrets, read, error))
        return false;
    if (agent->setup.secrets_fd >= 0) {
        g_clear_pointer(&read, dialtone_secrets_free);
        read = read_secrets(agent, error);
        if (read == NULL || !tunnel_secrets_take_file(secrets, read, error))
            return false;
    }
    if (!check_psk(agent, secrets, error) || !load_credential(agent, read, error))
        return false;
    standalone_keyring_fill(agent->profile, agent->setup.fd, secrets);
    /* A secrets file may hold a key that this profile has no use for. */
    if (agent->profile->auth == DIALTONE_AUTH_PSK && from_user)
        warn_of_weak_psk(&secrets->psk);
    int result = tunnel_frame_send_secrets(agent->setup.fd, secrets);
    if (result == 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                         _("The secrets could not be handed over: %s"), g_strerror(-result));
    return false;
}

/* ---- once more ---- */

/* A file that the user may not read was opened before root was given up, and is read as it stands
 * there. What came through a pipe does not come again: the tunnel has it still. */
static bool open_secrets_again(Agent *agent, GError **error)
{
    const char *file = agent->setup.secrets;
    if (file == NULL)
        return true;
    if (strcmp(file, "-") != 0 && access(file, R_OK) == 0) {
        int fd = dialtone_secrets_open(file, agent->setup.caller, error);
        if (fd >= 0 && agent->setup.secrets_fd >= 0)
            close(agent->setup.secrets_fd);
        if (fd >= 0)
            agent->setup.secrets_fd = fd;
        return fd >= 0;
    }
    if (agent->setup.secrets_fd >= 0 && lseek(agent->setup.secrets_fd, 0, SEEK_SET) < 0) {
        close(agent->setup.secrets_fd);
        agent->setup.secrets_fd = -1;
    }
    return true;
}

static void drop(Agent *agent)
{
    g_clear_pointer(&agent->credential, dialtone_credential_free);
    g_clear_pointer(&agent->found, dialtone_found_free);
}

/* Of several changes that came one upon the other, none but the first was in use before. */
static void take(Agent *agent, DialtoneFound *found_take)
{
    if (agent->former != NULL) {
        drop(agent);
    } else {
        agent->former = g_new0(AgentFormer, 1);
        *agent->former =
            (AgentFormer){agent->found, agent->profile, agent->path, agent->credential};
    }
    agent->found = found_take;
    agent->profile = found_take->profile;
    agent->path = found_take->entry->path;
    agent->credential = NULL;
}

static void former_free(AgentFormer *former)
{
    if (former == NULL)
        return;
    dialtone_credential_free(former->credential);
    dialtone_found_free(former->found);
    g_free(former);
}

static void settle(Agent *agent, bool taken)
{
    g_autofree AgentFormer *former = NULL;
    if (taken || agent->former == NULL) {
        g_clear_pointer(&agent->former, former_free);
        return;
    }
    drop(agent);
    former = g_steal_pointer(&agent->former);
    agent->found = former->found;
    agent->profile = former->profile;
    agent->path = former->path;
    agent->credential = former->credential;
}

static bool is_in_use(const Agent *agent, const DialtoneProfile *profile)
{
    g_autofree char *text = dialtone_profile_to_text(profile, true);
    g_autofree char *used = dialtone_profile_to_text(agent->profile, true);
    return strcmp(text, used) == 0;
}

static bool hand_over_again(Agent *agent, DialtoneFound *found_take, GError **error)
{
    take(agent, found_take);
    return open_secrets_again(agent, error) &&
           standalone_send_profile(agent->setup.fd, agent->found, error) &&
           send_secrets(agent, error);
}

static void reload(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneFound) found = agent->setup.reload(agent->setup.data, &error);
    bool changed = found != NULL && !is_in_use(agent, found->profile);
    agent->reloads = false;
    if (changed && hand_over_again(agent, g_steal_pointer(&found), &error))
        return;
    if (changed)
        settle(agent, false);
    if (tunnel_frame_send_keep(agent->setup.fd, error) < 0)
        g_debug("the tunnel does not read");
}

/* ---- the conversation ---- */

static void on_question(Agent *agent, const TunnelFrame *frame)
{
    g_auto(TunnelQuestion) question = {0};
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    const StandaloneAsker asker = {
        .profile = agent->profile->name, .command = agent->setup.ask_command, .wait = &agent->wait};
    if (!tunnel_frame_read_question(frame, &question) || tunnel_question_opens_key(&question))
        return;
    /* What interrupted it is the end, or a new question, which is asked next. */
    agent->asking = true;
    bool answered = answer != NULL && standalone_question(&asker, &question, answer);
    agent->asking = false;
    if (answered)
        warn_of_weak_psk(&answer->given[TUNNEL_ASK_PSK]);
    if (!is_interrupted(agent) &&
        tunnel_frame_send_answer(agent->setup.fd, question.id, answered ? answer : NULL) < 0)
        g_debug("an answer found nobody to take it");
}

/* Once a connection, before a password is asked for, and again when another gateway answers. */
static void check_gateway(Agent *agent, const DialtoneReport *report)
{
    const DialtoneCertificateReport *certificate = &report->gateway_certificate;
    const DialtonePin seen = {.id = report->remote_id,
                              .vendor = report->vendor,
                              .certificate = certificate->fingerprint,
                              .issuer = certificate->issuer};
    if (seen.id == NULL || agent->pins == NULL)
        return;
    char *gateway =
        g_strdup_printf("%s %s %s", seen.id, seen.certificate != NULL ? seen.certificate : "",
                        report->member != NULL ? report->member : "");
    bool known = g_strcmp0(agent->gateway, gateway) == 0;
    g_free(agent->gateway);
    agent->gateway = gateway;
    if (known)
        return;
    bool proven = agent->profile->remote_id.kind != DIALTONE_ID_ANY;
    g_autofree char *warning =
        dialtone_pin_check(agent->pins, agent->profile->name, report->member, &seen, proven);
    if (warning != NULL)
        standalone_print_notice(warning);
}

static void on_report(Agent *agent, const TunnelFrame *frame)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneReport) report =
        dialtone_report_from_json((const char *)frame->bytes, frame->n, &error);
    if (report == NULL) {
        g_debug("a report that can't be read: %s", error->message);
        return;
    }
    cli_report_localize(report);
    check_gateway(agent, report);
    agent->reported |= report->state == DIALTONE_STATE_FAILED;
    agent->connected = report->state == DIALTONE_STATE_CONNECTED;
    agent->idle = report->state == DIALTONE_STATE_IDLE;
    standalone_print(report, agent->setup.json);
    agent->shown_us = report->time_us;
    bool stays = agent->setup.stay == AGENT_STAYS && agent->wait.terminal >= 0;
    if (agent->connected && stays && !agent->hinted) {
        standalone_print_notice(_("(Ctrl-C ends the tunnel.)"));
        agent->hinted = true;
    }
}

static void on_notice(const TunnelFrame *frame)
{
    g_autofree char *text = dialtone_localize((const char *)frame->bytes);
    standalone_print_notice(text);
}

static void on_sign(const Agent *agent, const TunnelFrame *frame)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hint =
        agent->credential != NULL ? dialtone_credential_keypad(agent->credential) : NULL;
    if (hint != NULL)
        standalone_print_notice(hint);
    standalone_credential_sign(agent->credential, agent->setup.fd, frame, &error);
    if (error != NULL)
        standalone_print_notice(error->message);
}

static void on_frame(Agent *agent, const TunnelFrame *frame)
{
    switch (frame->type) {
    case TUNNEL_FRAME_REPORT:
        on_report(agent, frame);
        break;
    case TUNNEL_FRAME_QUESTION:
        on_question(agent, frame);
        break;
    case TUNNEL_FRAME_SIGN:
        on_sign(agent, frame);
        break;
    case TUNNEL_FRAME_NOTICE:
        on_notice(frame);
        break;
    case TUNNEL_FRAME_END:
        agent->ended = true;
        agent->code = frame->n > 0 ? frame->bytes[0] : DIALTONE_FAILURE_INTERNAL;
        break;
    case TUNNEL_FRAME_RELOAD:
        agent->reloads = agent->setup.reload != NULL;
        break;
    case TUNNEL_FRAME_CHANGED:
        settle(agent, frame->n > 0 && frame->bytes[0] == 1);
        break;
    case TUNNEL_FRAME_KEEP:
    case TUNNEL_FRAME_PROFILE:
    case TUNNEL_FRAME_SECRETS:
    case TUNNEL_FRAME_ANSWER:
    case TUNNEL_FRAME_CREDENTIALS:
    case TUNNEL_FRAME_SIGNATURE:
        break;
    }
}

static bool is_done(const Agent *agent)
{
    return agent->ended || (agent->connected && agent->setup.stay != AGENT_STAYS);
}

/* While something is waited for, a person's answer as well, what the tunnel tells is dealt with at
 * once. Only its end, or a new question, is a reason to wait no longer. */
static bool hear(gpointer data)
{
    Agent *agent = data;
    g_auto(TunnelFrame) frame = {0};
    int result = tunnel_frame_receive(agent->setup.fd, 0, &frame);
    if (result != 1) {
        agent->gone = result != -EAGAIN && result != -EINTR;
        return !agent->gone;
    }
    if (frame.type == TUNNEL_FRAME_QUESTION) {
        tunnel_frame_clear(&agent->asked);
        agent->asked = frame;
        frame = (TunnelFrame){0};
        return false;
    }
    on_frame(agent, &frame);
    return !is_done(agent) && (agent->asking || !agent->reloads);
}

static void tunnel_vanished(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    if (is_interrupted(agent))
        return;
    agent->code = DIALTONE_FAILURE_INTERNAL;
    if (agent->reported)
        return;
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                         _("Connect again; if it happens again, send a report."),
                         _("The process that carried the tunnel has ended unexpectedly."));
    standalone_print_failure(agent->setup.name, error, agent->setup.json);
}

/* A person's time to answer does not count: it begins anew behind each question. */
static StandalonePrompt wait_for_word(Agent *agent)
{
    gint64 patience = agent->setup.patience_us;
    return standalone_wait(&agent->wait, -1, patience > 0 ? g_get_monotonic_time() + patience : -1);
}

static void converse(Agent *agent)
{
    while (!is_done(agent) && !agent->gone && !agent->late) {
        if (agent->asked.bytes == NULL && !agent->reloads)
            agent->late = wait_for_word(agent) == STANDALONE_PROMPT_NOBODY;
        g_auto(TunnelFrame) question = agent->asked;
        agent->asked = (TunnelFrame){0};
        if (question.bytes != NULL)
            on_frame(agent, &question);
        else if (agent->reloads)
            reload(agent);
    }
    if (agent->gone && !is_done(agent))
        tunnel_vanished(agent);
}

/* What has come, and what comes in time, to its end. */
static void hear_out(Agent *agent, int timeout_ms)
{
    g_auto(TunnelFrame) frame = {0};
    while (!agent->ended && tunnel_frame_receive(agent->setup.fd, timeout_ms, &frame) == 1) {
        on_frame(agent, &frame);
        tunnel_frame_clear(&frame);
    }
}

/* The service lets the connection fail with it, and asks no other agent. It is waited for: what it
 * has not read yet would be lost with this end. */
int agent_fail(Agent *agent, const GError *error)
{
    hear_out(agent, 0);
    if (agent->ended || is_interrupted(agent))
        return agent->code;
    if (agent->setup.of_service && tunnel_frame_send_keep(agent->setup.fd, error) == 0)
        hear_out(agent, LAST_WORD_MS);
    const char *name = agent->profile != NULL ? agent->profile->name : agent->setup.name;
    if (!agent->reported)
        standalone_print_failure(name, error, agent->setup.json);
    return (int)dialtone_failure_of(error);
}

/* ---- life ---- */

int agent_run(Agent *agent, const DialtoneProfile *profile, const char *path)
{
    g_autoptr(GError) error = NULL;
    agent->profile = profile;
    agent->path = path;
    if (!send_secrets(agent, &error))
        return agent_fail(agent, error);
    if (agent->setup.stay != AGENT_LEAVES_AT_ONCE)
        converse(agent);
    return agent->code;
}

bool agent_ran_out_of_patience(const Agent *agent)
{
    return agent->late;
}

bool agent_shown_idle(const Agent *agent)
{
    return agent->idle;
}

gint64 agent_shown_until(const Agent *agent)
{
    return agent->shown_us;
}

Agent *agent_new(const AgentSetup *setup)
{
    Agent *agent = g_new0(Agent, 1);
    agent->setup = *setup;
    agent->wait = (StandaloneWait){.tunnel = setup->fd,
                                   .terminal = isatty(STDERR_FILENO) ? STDERR_FILENO : -1,
                                   .hear = hear,
                                   .data = agent};
    agent->pins = dialtone_pin_folder(setup->caller);
    return agent;
}

void agent_free(Agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->setup.secrets_fd >= 0)
        close(agent->setup.secrets_fd);
    dialtone_secrets_free(agent->setup.system);
    drop(agent);
    former_free(agent->former);
    tunnel_frame_clear(&agent->asked);
    g_free(agent->pins);
    g_free(agent->gateway);
    g_free(agent);
}
