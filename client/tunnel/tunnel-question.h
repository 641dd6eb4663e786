/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tunnel asks a person, and what it knows of the answers. A part of Tunnel's inside. */
#pragma once

#include "client/tunnel/tunnel.h"

typedef struct TunnelAsking {
    guint32 asked_n;      /* how many questions were asked */
    bool is_ike;          /* the open one is the core's */
    IkeQuestion last;     /* by the core */
    unsigned unheard;     /* how often the stored password went out since the last success */
    TunnelAnswer *answer; /* what is known of the one that waits for a person */
    TunnelAnswer *sent;   /* last, of each kind */
    TunnelAnswer *typed;  /* to be kept when the gateway accepts it; NULL: nothing is */
    bool keep_typed;
    bool typed_by_person; /* whoever gave the password that was sent last */
    bool by_person;       /* whoever gave the password that is known */
    bool spent;           /* this session was let in for an answer that serves once */
    bool unkept;          /* the gateway wants no password to be kept, and that was said */
} TunnelAsking;

/* True when what the profile needs from the start is known; asks otherwise. */
bool tunnel_question_first(Tunnel *self);
void tunnel_question_from_gateway(Tunnel *self, const IkeQuestion *question);
void tunnel_question_settled(Tunnel *self);
/* The gateway has accepted what the user said. */
void tunnel_question_accepted(Tunnel *self);
/* The gateway's policy: what a person typed is forgotten once it has served. */
void tunnel_question_keep_nothing(Tunnel *self);
/* What it says of the user is not known, for the session is over. */
void tunnel_question_unheard(Tunnel *self);
/* The stored password may go out without being asked for. */
bool tunnel_question_may_give_password(const Tunnel *self);
/* Another Phase 1 would ask a person, or use up a code. */
bool tunnel_question_would_ask(const Tunnel *self);
/* Nothing has been asked or answered for the profile that is in use now. */
void tunnel_question_begin_anew(Tunnel *self);
void tunnel_question_free(Tunnel *self);
