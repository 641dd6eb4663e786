/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile as a person sees it: what it is called, what becomes of it, and the switch. */
#pragma once

#include <gio/gio.h>

#include "client/common/report.h"
#include "dialtone-dialtone1.h"

#define DIALTONE_TYPE_ITEM (dialtone_item_get_type())
G_DECLARE_FINAL_TYPE(DialtoneItem, dialtone_item, DIALTONE, ITEM, GObject)

/* What a person is waited for, where this program knows it and not the service. */
typedef enum {
    DIALTONE_WAIT_NONE,
    DIALTONE_WAIT_PASSPHRASE,
    DIALTONE_WAIT_PIN,
    DIALTONE_WAIT_KEYPAD, /* of a card's reader, where the PIN is typed */
} DialtoneWait;

/* @key tells it from others as long as it lives. Signal "changed": anything of it has. */
DialtoneItem *dialtone_item_new(const char *key, const char *name);

const char *dialtone_item_get_key(DialtoneItem *self);
const char *dialtone_item_get_name(DialtoneItem *self);
/* Empty where the profile has none. */
const char *dialtone_item_get_description(DialtoneItem *self);
/* The user's own file; NULL: it is not one. */
const char *dialtone_item_get_path(DialtoneItem *self);
/* NULL: it has none. */
const char *dialtone_item_get_uuid(DialtoneItem *self);
/* Why it can't be used: a line each; NULL: it can. */
const char *dialtone_item_get_mistakes(DialtoneItem *self);
/* While it waits for somebody it needs secrets, whatever the service says. */
DialtoneState dialtone_item_get_state(DialtoneItem *self);
DialtoneWait dialtone_item_get_wait(DialtoneItem *self);
/* The last report; NULL: nothing is known, or it is not the user's to read. */
const DialtoneReport *dialtone_item_get_report(DialtoneItem *self);
/* What is on the bus of it; NULL: nothing, or it is another user's. Owned by @self. */
DialtoneBusConnection *dialtone_item_get_connection(DialtoneItem *self);
/* Why the last thing that the user wanted could not be done; NULL. */
const GError *dialtone_item_get_error(DialtoneItem *self);
/* What is to be known of it beside: a line; NULL. */
const char *dialtone_item_get_notice(DialtoneItem *self);
/* Microseconds since 1970; 0: it is not connected. */
gint64 dialtone_item_get_since(DialtoneItem *self);
/* Somebody wants it to be connected. */
gboolean dialtone_item_is_wanted(DialtoneItem *self);
/* ... and it is another user. */
gboolean dialtone_item_is_others(DialtoneItem *self);
gboolean dialtone_item_is_object(DialtoneItem *self, const char *connection);

/* What the service needs for it: the text of a user's own profile, or what the user has changed in
 * one of the system; NULL. */
typedef struct DialtoneItemSource {
    const char *description;
    const char *path;
    const char *uuid;
    const char *mistakes;
    const char *text;
    const char *override;
} DialtoneItemSource;

void dialtone_item_set_source(DialtoneItem *self, const DialtoneItemSource *source);
/* Both may be NULL. */
void dialtone_item_set_objects(DialtoneItem *self, DialtoneBusProfile *profile,
                               DialtoneBusConnection *connection);
/* Until the connection has another object on the bus. */
void dialtone_item_set_wait(DialtoneItem *self, DialtoneWait wait);
/* Behind those that are shown already, unless it is one of them. */
void dialtone_item_add_notice(DialtoneItem *self, const char *notice);
/* The service is there again, so why it could not be told what was wanted is past. */
void dialtone_item_forget_error(DialtoneItem *self);

/* @manager NULL: the service is not there, which is an error of the item. */
void dialtone_item_connect(DialtoneItem *self, DialtoneBusManager *manager, gboolean take_over);
void dialtone_item_disconnect(DialtoneItem *self);
/* Its file says another name now, by which the service is given it again. */
void dialtone_item_renamed(DialtoneItem *self);
/* Its file is gone, and the service is not to keep what it was given of it. */
void dialtone_item_remove(DialtoneItem *self);
