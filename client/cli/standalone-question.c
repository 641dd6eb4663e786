/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who answers a question of the tunnel's: the user's program where there is one, else whoever sits
 * at the terminal. The gateway's words were cleaned by the tunnel, and are cleaned again here, for
 * the tunnel is the process that talks to strangers.
 */
#include "client/cli/standalone.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/secrets.h"
#include "platform/secret-memory.h"

enum { TRIES = 3 };

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

/* ---- the terminal ---- */

static char *clean(const char *text)
{
    return dialtone_text_clean(text, strlen(text), IKE_TEXT_MAX, DIALTONE_TEXT_LINES);
}

static void show(const TunnelQuestion *question)
{
    g_autofree char *message = clean(question->message), *challenge = clean(question->challenge);
    if (*message != '\0')
        standalone_prompt_show(message);
    else if (question->again)
        standalone_prompt_show(_("The gateway did not accept that."));
    if (*challenge != '\0') {
        g_autofree char *line = g_strdup_printf(_("Challenge: %s"), challenge);
        standalone_prompt_show(line);
    }
}

static char *password_prompt(const TunnelQuestion *question, const TunnelAsked *asked)
{
    g_autofree char *user = clean(question->user_name);
    if (asked->once)
        return g_strdup(_("One-time code: "));
    return *user != '\0' ? g_strdup_printf(_("Password of %s: "), user) : g_strdup(_("Password: "));
}

static char *prompt_of(const char *profile, const TunnelQuestion *question,
                       const TunnelAsked *asked)
{
    switch (asked->kind) {
    case TUNNEL_ASK_PSK:
        return g_strdup_printf(_("Preshared key of %s: "), profile);
    case IKE_ASK_USER:
        return g_strdup(_("User name: "));
    case IKE_ASK_PASSWORD:
        return password_prompt(question, asked);
    case IKE_ASK_PASSCODE:
        return g_strdup(_("Passcode: "));
    case IKE_ASK_NEXT_PIN:
        return g_strdup(_("New PIN: "));
    case IKE_ASK_DOMAIN:
        return g_strdup(_("Domain (may be empty): "));
    default:
        return g_strdup(_("Answer: "));
    }
}

static StandalonePrompt ask_terminal(const StandaloneAsker *asker, const TunnelQuestion *question,
                                     const TunnelAsked *asked, char *line, gsize size)
{
    g_autofree char *text = prompt_of(asker->profile, question, asked);
    StandalonePrompt result = standalone_prompt(text, !asked->secret, asker->wait, line, size);
    if (result == STANDALONE_PROMPT_EMPTY)
        result =
            asked->kind == IKE_ASK_DOMAIN ? STANDALONE_PROMPT_ANSWERED : STANDALONE_PROMPT_NOBODY;
    return result;
}

/* ---- answers ---- */

bool standalone_interpret_psk(IkeSecret *psk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) typed =
        dialtone_secrets_typed_psk((const char *)psk->bytes, psk->n, &MEMORY, &error);
    if (typed == NULL) {
        standalone_print_notice(error->message);
        return false;
    }
    return tunnel_secret_set(psk, typed->psk.bytes, typed->psk.n);
}

static StandalonePrompt ask_once(const StandaloneAsker *asker, const TunnelQuestion *question,
                                 const TunnelAsked *asked, char *line)
{
    const gsize size = IKE_SECRET_MAX + 1;
    return asker->command != NULL ? standalone_command(asker, question, asked, line, size)
                                  : ask_terminal(asker, question, asked, line, size);
}

/* A program that does not know how to write a key won't learn it; a person may have mistyped. */
static StandalonePrompt ask(const StandaloneAsker *asker, const TunnelQuestion *question,
                            const TunnelAsked *asked, IkeSecret *into)
{
    char *line = platform_secret_alloc(IKE_SECRET_MAX + 1);
    StandalonePrompt result = STANDALONE_PROMPT_NOBODY;
    bool set = false;
    for (int i = 0; line != NULL && i < TRIES && !set; i++) {
        result = ask_once(asker, question, asked, line);
        if (result != STANDALONE_PROMPT_ANSWERED)
            break;
        set = tunnel_secret_set(into, line, strlen(line)) &&
              (asked->kind != TUNNEL_ASK_PSK || standalone_interpret_psk(into));
        if (!set && asker->command != NULL)
            break;
    }
    platform_secret_free(line);
    return set || result != STANDALONE_PROMPT_ANSWERED ? result : STANDALONE_PROMPT_NOBODY;
}

bool standalone_question(const StandaloneAsker *asker, const TunnelQuestion *question,
                         TunnelAnswer *answer)
{
    StandalonePrompt result = STANDALONE_PROMPT_ANSWERED;
    answer->by_program = asker->command != NULL;
    if (asker->command == NULL)
        show(question);
    for (gsize i = 0; i < question->asked_n && result == STANDALONE_PROMPT_ANSWERED; i++) {
        const TunnelAsked *asked = &question->asked[i];
        result = ask(asker, question, asked, &answer->given[asked->kind]);
    }
    return result == STANDALONE_PROMPT_ANSWERED;
}
