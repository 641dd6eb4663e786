/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way out of the sending thread: sealed packets to the peer, through UDP or raw ESP. */
#ifndef CLIENT_TUNNEL_DATAPATH_OUTPUT_H
#define CLIENT_TUNNEL_DATAPATH_OUTPUT_H

#include "client/tunnel/datapath-private.h"

typedef struct DatapathOutput DatapathOutput;

DatapathOutput *datapath_output_new(Datapath *path);
void datapath_output_free(DatapathOutput *output);

/* Where to, and that what was refused on another way, or at another MTU, is tried again. False:
 * that is no address. */
bool datapath_output_set_peer(DatapathOutput *output,
                              const IkeAddress *peer) G_GNUC_WARN_UNUSED_RESULT;

/* Sends @n packets, DATAPATH_BATCH at most, each with its class (DSCP) in the outer header. Those
 * that the socket refuses are dropped and counted. */
void datapath_output_send(DatapathOutput *output, const EspPacket *packets, const uint8_t *classes,
                          size_t n);

#endif
