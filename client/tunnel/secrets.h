/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secrets of a connection in locked memory, wiped when they are freed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/secrets.h"
#include "ike/ike.h"

enum { TUNNEL_CODES_MAX = 8 };

/* In the shape the protocol core takes them. */
typedef struct TunnelSecrets {
    IkeSecret psk, user, password;
    IkeSecret codes[TUNNEL_CODES_MAX]; /* one-time codes, each to be used once, in this order */
    unsigned codes_n;
} TunnelSecrets;

/* What a person can be asked for: each IkeAskKind, what Phase 1 needs, and what opens a private
 * key, which is no tunnel's to know. */
enum {
    TUNNEL_ASK_PSK = IKE_ASK_KINDS,
    TUNNEL_ASK_PASSPHRASE,
    TUNNEL_ASK_PIN,
    TUNNEL_ASK_KINDS,
};

typedef struct TunnelAnswer {
    IkeSecret given[TUNNEL_ASK_KINDS]; /* known: answered */
    bool by_program;                   /* no person has looked at it */
} TunnelAnswer;

/* NULL when there is no memory. */
TunnelSecrets *tunnel_secrets_new(void) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_secrets_free(TunnelSecrets *secrets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelSecrets, tunnel_secrets_free)

/* Copies what a secrets file had. False with PROFILE_INVALID: one of them is too long. */
bool tunnel_secrets_take_file(TunnelSecrets *into, const DialtoneSecrets *from,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL when there is no memory. */
TunnelAnswer *tunnel_answer_new(void) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_answer_free(TunnelAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelAnswer, tunnel_answer_free)

/* Copies; false, and nothing written, when it is too long. */
bool tunnel_secret_set(IkeSecret *secret, const void *bytes, gsize n) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_secret_wipe(IkeSecret *secret);

/* A configuration holds copies of the secrets, so it lives in locked memory too. */
IkeConfig *tunnel_ike_config_new(void) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_ike_config_free(IkeConfig *config);
