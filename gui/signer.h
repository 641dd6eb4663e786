/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that has the private key of one connection, dialtone-certificate: this one neither
 * reads nor holds a key. What the two say to each other stands in client/tunnel/frames.h. */
#pragma once

#include <gio/gio.h>

#include "client/tunnel/frames.h"

typedef struct DialtoneSigner DialtoneSigner;

typedef struct DialtoneSignerSetup {
    const char *profile;                       /* its text */
    gboolean without_own, without_authorities; /* the service has them */
    /* The signer may be freed in either. */
    void (*heard)(const TunnelFrame *frame, gpointer data);
    void (*ended)(gboolean was_late, gpointer data); /* the last call */
    gpointer data;
} DialtoneSignerSetup;

/* Begins to open the key. NULL: it can't be run. */
DialtoneSigner *dialtone_signer_new(const DialtoneSignerSetup *setup) G_GNUC_WARN_UNUSED_RESULT;
/* Ends the program, too. */
void dialtone_signer_free(DialtoneSigner *self);

/* To its question. */
void dialtone_signer_answer(DialtoneSigner *self, guint32 id, const TunnelAnswer *answer);
/* A frame SIGN of the service's. */
void dialtone_signer_sign(DialtoneSigner *self, const TunnelFrame *frame);
