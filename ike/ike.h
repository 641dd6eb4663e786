/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol core, seen from outside: IKEv1 as an initiator of aggressive mode, sans I/O.
 *
 * A session is one relation with one gateway address: Phase 1 (one attempt a Diffie-Hellman
 * group), user authentication, mode config, Quick Modes, and then their renewal until it is
 * stopped, refused or lost. It knows no clock, socket or file: the caller passes datagrams and the
 * time in, and takes packets and events out of two queues after each call.
 *
 * Times are nanoseconds of a clock that never steps back and counts suspend (CLOCK_BOOTTIME).
 * Durations that users set are seconds. Functions that can fail return 0 or a negative errno; such
 * an error is a fault of this machine (memory, libcrypto), never of what the network sent.
 *
 * Ownership: configuration is copied; what an event points to belongs to the session and lives
 * until the next call into it, except ESP SAs, which the receiver of the event owns.
 */
#ifndef IKE_IKE_H
#define IKE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/dh.h"
#include "ike/ike-config.h"
#include "ike/ike-event.h"
#include "ike/ike-outcome.h"

typedef struct IkeSession IkeSession;

/* Fills n bytes with cryptographic randomness; 0 or a negative errno. */
typedef int (*IkeRandomFn)(void *context, uint8_t *bytes, size_t n);

typedef struct IkePacket {
    IkeAddress to;
    const uint8_t *bytes; /* with the non-ESP marker where `to` speaks UDP encapsulation, or ESP of
                             the session's own; port 0: without UDP */
    size_t n;
    bool whole; /* it asks whether one of its size gets through: nobody may cut it */
} IkePacket;

/* `random` is called for cookies, nonces, keys, IVs and jitter as long as the session lives.
 * -EINVAL for a configuration that makes no sense, -EBADMSG for a certificate or CRL in it that
 * can't be read, -EKEYREJECTED for a key of ours that is too weak or of a kind that no method signs
 * with. */
int ike_session_new(IkeSession **sessionp, const IkeConfig *config, IkeRandomFn random,
                    void *context);
IkeSession *ike_session_free(IkeSession *session);

/* A pair that nobody has used, made while something else was waited for: the first Phase 1 of its
 * group takes it. NULL: none. Before the start. */
void ike_session_give_dh(IkeSession *session, IkeDh *dh_take);
int ike_session_start(IkeSession *session, uint64_t now);
/* A datagram from the gateway; one from its UDP encapsulation port has the non-ESP marker, or is an
 * ESP packet of an SA that was announced without .esp. */
int ike_session_receive(IkeSession *session, const uint8_t *bytes, size_t n, IkeAddress from,
                        uint64_t now);
/* To be called when ike_session_deadline() has come; earlier and later calls do no harm. */
int ike_session_tick(IkeSession *session, uint64_t now);
/* NULL: nobody could answer. */
int ike_session_answer(IkeSession *session, uint32_t id, const IkeAnswer *answer, uint64_t now);
/* The configured password is not given again: whoever wants one leads to a question. */
void ike_session_forget_password(IkeSession *session);
/* NULL: nobody can sign. */
int ike_session_answer_signature(IkeSession *session, uint32_t id, const uint8_t *signature,
                                 size_t n, uint64_t now);
/* What the data path saw: the time of the last authentic inbound ESP packet (0: none), and on
 * which inbound SPI. Call it before a tick, and when packets go out and none come back. */
void ike_session_traffic(IkeSession *session, uint32_t spi_in, uint64_t last_inbound);
/* The data path says that an SA nears its kilobytes or its sequence numbers. */
int ike_session_renew_sa(IkeSession *session, uint32_t spi, uint64_t now);
/* Answers have stopped: ask the gateway now whether it is there, unless it is being asked. */
int ike_session_probe(IkeSession *session, uint64_t now);
/* The same on another way: what was asked on the former one, and not answered, does not count. */
int ike_session_network_changed(IkeSession *session, uint64_t now);
/* Asks whether a UDP datagram of `size` bytes gets there, or one that is shorter by less than a
 * cipher's block: IKE_EVENT_CARRIED is the answer. Nobody asks again where none comes, and the
 * tunnel is not given up for it. Nothing, where the gateway has not offered DPD. */
int ike_session_probe_size(IkeSession *session, size_t size, uint64_t now);
/* When an authentic message came last; 0: none yet. What the data path hears is its to tell. */
uint64_t ike_session_last_heard(const IkeSession *session);
/* A new Phase 1 now; the tunnel stays. */
int ike_session_renegotiate(IkeSession *session, uint64_t now);
/* Ends with STOPPED, whatever the gateway does meanwhile: at once, or where a lease is given back,
 * within half a second of ticks; a second call does not wait for that. It is given back where the
 * tunnel stands and no Quick Mode is under way. */
int ike_session_stop(IkeSession *session, uint64_t now);

uint64_t ike_session_deadline(const IkeSession *session);
bool ike_session_next_packet(IkeSession *session, IkePacket *packet);
bool ike_session_next_event(IkeSession *session, IkeEvent *event);

#endif
