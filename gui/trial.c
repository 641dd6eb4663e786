/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection is one like any other: the service makes it, the agent answers for it, and its
 * item tells what becomes of it. What was connected before the trial is left alone, for its keys
 * were agreed on with the profile as it was.
 */
#include "gui/trial.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "gui/state-look.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneTrial {
    GObject parent_instance;
    DialtoneCatalog *catalog;
    DialtoneItem *item;
    gboolean begun;  /* the item has been wanted since */
    gboolean was_up; /* somebody had it before */
    DialtoneTrialState state;
    char *result; /* NULL while it is under way */
};

G_DEFINE_TYPE(DialtoneTrial, dialtone_trial, G_TYPE_OBJECT)

static void end(DialtoneTrial *self, DialtoneTrialState state, char *result_take)
{
    self->state = state;
    self->result = result_take;
    g_signal_handlers_disconnect_by_data(self->item, self);
    if (!self->was_up)
        dialtone_catalog_disconnect_item(self->catalog, self->item);
}

static char *with_advice(const char *message, const char *advice)
{
    return g_strdup_printf("%s%s%s", message, advice != NULL && *advice != '\0' ? "\n" : "",
                           advice != NULL ? advice : "");
}

static gboolean take_failure(DialtoneTrial *self)
{
    const GError *error = dialtone_item_get_error(self->item);
    const DialtoneReport *report = dialtone_item_get_report(self->item);
    if (error != NULL) {
        end(self, DIALTONE_TRIAL_BAD, with_advice(error->message, dialtone_failure_advice(error)));
        return TRUE;
    }
    if (!self->begun || dialtone_item_get_state(self->item) != DIALTONE_STATE_FAILED ||
        report == NULL || report->state != DIALTONE_STATE_FAILED)
        return FALSE;
    end(self, DIALTONE_TRIAL_BAD, with_advice(report->message, report->advice));
    return TRUE;
}

static void on_item(DialtoneItem *item, gpointer data)
{
    g_autoptr(DialtoneTrial) self = g_object_ref(data);
    if (self->result != NULL)
        return;
    self->begun |= dialtone_item_is_wanted(item);
    if (!take_failure(self) && self->begun) {
        if (dialtone_item_get_state(item) == DIALTONE_STATE_CONNECTED)
            end(self, DIALTONE_TRIAL_GOOD, g_strdup(_("The connection works. It is ended again.")));
        else if (dialtone_item_get_state(item) == DIALTONE_STATE_IDLE)
            end(self, DIALTONE_TRIAL_BAD, g_strdup(_("The connection was ended.")));
    } else if (self->result == NULL && dialtone_item_get_state(item) == DIALTONE_STATE_IDLE) {
        /* What was there before has ended only now. */
        dialtone_catalog_connect_item(self->catalog, item, FALSE);
    }
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

DialtoneTrialState dialtone_trial_get_state(DialtoneTrial *self)
{
    return self->state;
}

char *dialtone_trial_dup_text(DialtoneTrial *self)
{
    return self->result != NULL ? g_strdup(self->result) : dialtone_look_sentence(self->item);
}

static void dialtone_trial_dispose(GObject *object)
{
    DialtoneTrial *self = DIALTONE_TRIAL(object);
    if (self->item != NULL && self->result == NULL)
        end(self, DIALTONE_TRIAL_BAD, g_strdup(""));
    g_clear_object(&self->item);
    g_clear_object(&self->catalog);
    G_OBJECT_CLASS(dialtone_trial_parent_class)->dispose(object);
}

static void dialtone_trial_finalize(GObject *object)
{
    g_free(DIALTONE_TRIAL(object)->result);
    G_OBJECT_CLASS(dialtone_trial_parent_class)->finalize(object);
}

static void dialtone_trial_class_init(DialtoneTrialClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_trial_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_trial_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_trial_init(DialtoneTrial *self)
{
}

DialtoneTrial *dialtone_trial_new(DialtoneCatalog *catalog, DialtoneItem *item)
{
    DialtoneTrial *self = g_object_new(DIALTONE_TYPE_TRIAL, NULL);
    self->catalog = g_object_ref(catalog);
    self->item = g_object_ref(item);
    self->was_up = dialtone_item_is_wanted(item);
    if (self->was_up) {
        end(self, DIALTONE_TRIAL_BAD,
            g_strdup(_("It is connected already, with the settings it had then. Disconnect it, "
                       "and test again.")));
        return self;
    }
    g_signal_connect(item, "changed", G_CALLBACK(on_item), self);
    dialtone_catalog_connect_item(catalog, item, FALSE);
    return self;
}
