/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent (which reads files and asks the user) and the tunnel (which speaks IKE) say to
 * each other in `dialtone connect --standalone`, over a socket pair of the kind SOCK_SEQPACKET: the
 * kernel keeps the boundaries, a frame arrives whole or not at all, and neither end waits for the
 * other's second half. The end of the connection is the end of both: an agent that shuts down its
 * half alone asks for that on its user's behalf, and hears how it went; one that is gone asks for
 * nothing, so the kill switch of a tunnel that was up stays.
 *
 *   first byte  from    rest of the frame
 *   PROFILE     agent   1 byte: TUNNEL_PROFILE_*; the profile in its normal form
 *   CREDENTIALS agent   8 bytes: when our certificate ends; 2 bytes: length of its subject, the
 *                       subject; chain, authorities, revocation lists, each 2 bytes: how many, and
 *                       for each 4 bytes: length, the DER
 *   SECRETS     agent   three secrets: PSK, user, password; 1 byte: how many codes; those
 *   ANSWER      agent   4 bytes: number of the question; 1 byte: 1 = a program answered, else 0; a
 *                       secret for each kind that a tunnel can ask for; what opens a key, behind
 *                       them, only when that was asked for; or nothing: nobody answered
 *   REPORT      tunnel  a report as JSON (client/common/report.h)
 *   QUESTION    tunnel  4 bytes: its number; 1 byte: asked again; 1 byte: how many are asked for;
 *                       each 1 byte of kind and 1 byte of TUNNEL_ASKED_*; the user's name, the
 *                       challenge and the gateway's words, each 2 bytes of length and the text
 *   SIGN        tunnel  4 bytes: its number; 1 byte: 1 = ECDSA, 0 = RSA; what is to be signed
 *   SIGNATURE   agent   4 bytes: number of the request; the signature, or nothing: nobody signed
 *   NOTICE      tunnel  a line for the terminal
 *   END         tunnel  1 byte: the exit code; the last frame
 *   RELOAD      tunnel  nothing: the profile is to be read again, for it may have been changed
 *   KEEP        agent   in answer: nothing: it is as it was; or 1 byte of reason, why it can't be
 *                       used, a NUL, and advice. The service takes such a reason in place of
 *                       CREDENTIALS and SECRETS, and lets the connection fail with it
 *   CHANGED     tunnel  1 byte: 1 = what was handed over again is in use, 0 = the former is again
 *
 * A secret is 1 byte (1 = known), 2 bytes of length, and its bytes. Numbers stand in network order.
 * The agent sends PROFILE, CREDENTIALS (unless Auth=psk) and SECRETS once each, in this order; and
 * again in answer to a RELOAD, which may end with KEEP at any of them. The service asks for none.
 *
 * The window's agent lets `dialtone-certificate sign` open and use the key. To that it is what the
 * tunnel is to an agent the other way round: it sends PROFILE once, hears CREDENTIALS or KEEP,
 * which it passes on, and NOTICE; answers QUESTION, by which that asks for a passphrase or PIN
 * (`message` is that program's own); and passes SIGN and SIGNATURE. What is typed on the keypad of
 * a card's reader is no answer of the window's: it shows the question until another frame comes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/tunnel/credentials.h"
#include "client/tunnel/tunnel.h"

typedef enum TunnelFrameType {
    TUNNEL_FRAME_PROFILE = 1,
    TUNNEL_FRAME_SECRETS,
    TUNNEL_FRAME_ANSWER,
    TUNNEL_FRAME_REPORT,
    TUNNEL_FRAME_QUESTION,
    TUNNEL_FRAME_NOTICE,
    TUNNEL_FRAME_END,
    TUNNEL_FRAME_CREDENTIALS,
    TUNNEL_FRAME_SIGN,
    TUNNEL_FRAME_SIGNATURE,
    TUNNEL_FRAME_RELOAD,
    TUNNEL_FRAME_KEEP,
    TUNNEL_FRAME_CHANGED,
} TunnelFrameType;

/* A sum of these. */
enum {
    TUNNEL_PROFILE_ALWAYS = 1,
    TUNNEL_PROFILE_LEGACY = 2, /* names an algorithm of libcrypto's legacy provider */
    TUNNEL_PROFILE_SYSTEM = 4, /* is the system's */
};

enum { TUNNEL_ASKED_SECRET = 1, TUNNEL_ASKED_ONCE = 2, TUNNEL_ASKED_KEYPAD = 4 };

/* A frame that has arrived, without its first byte. `bytes` has a NUL behind its end, and lies in
 * locked memory when the frame holds secrets. */
typedef struct TunnelFrame {
    TunnelFrameType type;
    guint8 *bytes;
    gsize n;
} TunnelFrame;

void tunnel_frame_clear(TunnelFrame *frame);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TunnelFrame, tunnel_frame_clear)

/* Two ends that send what is as large as frames are, as far as the system lets them. The
 * descriptors are closed by exec. 0 or a negative errno. */
int tunnel_frame_pair(int ends[2]) G_GNUC_WARN_UNUSED_RESULT;

/* 1: a frame; 0: the other end is gone; -EAGAIN: nothing there; another negative errno. Waits at
 * most @timeout_ms; 0 does not wait, -1 waits for ever. */
int tunnel_frame_receive(int fd, int timeout_ms, TunnelFrame *frame) G_GNUC_WARN_UNUSED_RESULT;

/* 0 or a negative errno. Never waits: -EAGAIN when the other end does not read. */
int tunnel_frame_send(int fd, TunnelFrameType type, const void *bytes,
                      gsize n) G_GNUC_WARN_UNUSED_RESULT;
int tunnel_frame_send_profile(int fd, const char *text, unsigned flags) G_GNUC_WARN_UNUSED_RESULT;
int tunnel_frame_send_secrets(int fd, const TunnelSecrets *secrets) G_GNUC_WARN_UNUSED_RESULT;
/* NULL: nobody answered. */
int tunnel_frame_send_answer(int fd, guint32 id,
                             const TunnelAnswer *answer) G_GNUC_WARN_UNUSED_RESULT;
int tunnel_frame_send_question(int fd, const TunnelQuestion *question) G_GNUC_WARN_UNUSED_RESULT;

/* False when the frame is not what it should be. */
bool tunnel_frame_read_secrets(const TunnelFrame *frame,
                               TunnelSecrets *secrets) G_GNUC_WARN_UNUSED_RESULT;
/* *answeredp false: nobody answered. */
bool tunnel_frame_read_answer(const TunnelFrame *frame, guint32 *idp, TunnelAnswer *answer,
                              bool *answeredp) G_GNUC_WARN_UNUSED_RESULT;
/* Its strings are to be freed by tunnel_question_clear(). */
bool tunnel_frame_read_question(const TunnelFrame *frame,
                                TunnelQuestion *question) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_question_clear(TunnelQuestion *question);
/* It is a reader's keypad that answers. */
bool tunnel_question_is_for_keypad(const TunnelQuestion *question) G_GNUC_WARN_UNUSED_RESULT;
/* It asks for what opens a private key, which nobody but who opens it has any business with. */
bool tunnel_question_opens_key(const TunnelQuestion *question) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TunnelQuestion, tunnel_question_clear)

/* NULL: the profile is as it was. */
int tunnel_frame_send_keep(int fd, const GError *why) G_GNUC_WARN_UNUSED_RESULT;
/* *whyp NULL: it is as it was. */
bool tunnel_frame_read_keep(const TunnelFrame *frame, GError **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* ---- frames-credentials.c ---- */

int tunnel_frame_send_credentials(int fd,
                                  const TunnelCredentials *credentials) G_GNUC_WARN_UNUSED_RESULT;
/* NULL when the frame is not what it should be. */
TunnelCredentials *
tunnel_frame_read_credentials(const TunnelFrame *frame) G_GNUC_WARN_UNUSED_RESULT;
int tunnel_frame_send_signing(int fd, const TunnelSigning *signing) G_GNUC_WARN_UNUSED_RESULT;
bool tunnel_frame_read_signing(const TunnelFrame *frame,
                               TunnelSigning *signing) G_GNUC_WARN_UNUSED_RESULT;
/* @n 0: nobody signed. */
int tunnel_frame_send_signature(int fd, guint32 id, const guint8 *signature,
                                gsize n) G_GNUC_WARN_UNUSED_RESULT;
/* The signature points into the frame; NULL: nobody signed. */
bool tunnel_frame_read_signature(const TunnelFrame *frame, guint32 *idp, const guint8 **signaturep,
                                 gsize *np) G_GNUC_WARN_UNUSED_RESULT;
