/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four looks stand for all states, for nobody tells more of them apart at a glance; the sentence
 * beside them says the rest. Attention is what goes on only when a person does something.
 */
#include "gui/state-look.h"

#include "client/common/i18n.h"

DialtoneLook dialtone_look_of(DialtoneItem *item)
{
    if (dialtone_item_get_error(item) != NULL)
        return DIALTONE_LOOK_ATTENTION;
    switch (dialtone_item_get_state(item)) {
    case DIALTONE_STATE_CONNECTED:
        return DIALTONE_LOOK_CONNECTED;
    case DIALTONE_STATE_NEEDS_SECRETS:
    case DIALTONE_STATE_FAILED:
        return DIALTONE_LOOK_ATTENTION;
    case DIALTONE_STATE_RESOLVING:
    case DIALTONE_STATE_PHASE1:
    case DIALTONE_STATE_USER_AUTH:
    case DIALTONE_STATE_CONFIG:
    case DIALTONE_STATE_PHASE2:
    case DIALTONE_STATE_RECONNECTING:
    case DIALTONE_STATE_DISCONNECTING:
        return DIALTONE_LOOK_CONNECTING;
    case DIALTONE_STATE_IDLE:
    case DIALTONE_STATE_N:
        break;
    }
    return dialtone_item_get_mistakes(item) != NULL ? DIALTONE_LOOK_ATTENTION
                                                    : DIALTONE_LOOK_DISCONNECTED;
}

const char *dialtone_look_icon(DialtoneLook look)
{
    static const char *const ICONS[] = {
        [DIALTONE_LOOK_DISCONNECTED] = "dialtone-disconnected-symbolic",
        [DIALTONE_LOOK_CONNECTING] = "dialtone-connecting-symbolic",
        [DIALTONE_LOOK_CONNECTED] = "dialtone-connected-symbolic",
        [DIALTONE_LOOK_ATTENTION] = "dialtone-attention-symbolic",
    };
    return ICONS[look];
}

static const char *sentence_of(DialtoneState state)
{
    static const char *const SENTENCES[DIALTONE_STATE_N] = {
        [DIALTONE_STATE_IDLE] = N_("Not connected"),
        [DIALTONE_STATE_RESOLVING] = N_("Looking for the gateway…"),
        [DIALTONE_STATE_PHASE1] = N_("Agreeing on keys…"),
        [DIALTONE_STATE_USER_AUTH] = N_("Signing in…"),
        [DIALTONE_STATE_CONFIG] = N_("Asking for an address…"),
        [DIALTONE_STATE_PHASE2] = N_("Opening the tunnel…"),
        [DIALTONE_STATE_CONNECTED] = N_("Connected"),
        [DIALTONE_STATE_RECONNECTING] = N_("Connection lost, trying again…"),
        [DIALTONE_STATE_NEEDS_SECRETS] = N_("Waiting for your answer"),
        [DIALTONE_STATE_DISCONNECTING] = N_("Disconnecting…"),
        [DIALTONE_STATE_FAILED] = N_("Could not connect"),
    };
    return _(SENTENCES[state]);
}

/* NULL: for nobody, or for what the service asks. */
static const char *sentence_of_wait(DialtoneWait wait)
{
    switch (wait) {
    case DIALTONE_WAIT_PASSPHRASE:
        return _("Waiting for the passphrase");
    case DIALTONE_WAIT_PIN:
        return _("Waiting for the PIN");
    case DIALTONE_WAIT_KEYPAD:
        return _("Waiting for the PIN on the reader’s keypad");
    case DIALTONE_WAIT_NONE:
        break;
    }
    return NULL;
}

char *dialtone_look_sentence(DialtoneItem *item)
{
    if (dialtone_item_is_others(item))
        return g_strdup(_("In use by another user"));
    if (dialtone_item_get_error(item) != NULL)
        return g_strdup(_("Could not be done"));
    DialtoneState state = dialtone_item_get_state(item);
    if (state == DIALTONE_STATE_IDLE && dialtone_item_get_mistakes(item) != NULL)
        return g_strdup(_("Has mistakes"));
    const char *wait = sentence_of_wait(dialtone_item_get_wait(item));
    return g_strdup(state == DIALTONE_STATE_NEEDS_SECRETS && wait != NULL ? wait
                                                                          : sentence_of(state));
}
