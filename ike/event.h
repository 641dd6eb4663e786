/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two queues out of a session: packets and events. An element that was taken lives until the
 * next is taken or the queue is cleared.
 */
#ifndef IKE_EVENT_H
#define IKE_EVENT_H

#include "ike/ike.h"
#include "ike/reader.h"

typedef struct IkeQueueItem IkeQueueItem;

typedef struct IkeQueue {
    IkeQueueItem *first, *last, *taken;
} IkeQueue;

/* Copies the bytes. 0 or -ENOMEM. */
int ike_queue_packet(IkeQueue *queue, const IkePacket *packet);
int ike_queue_event(IkeQueue *queue, const IkeEvent *event);
bool ike_queue_take_packet(IkeQueue *queue, IkePacket *packet);
bool ike_queue_take_event(IkeQueue *queue, IkeEvent *event);
/* Frees all, ESP SAs in events that nobody took included. */
void ike_queue_clear(IkeQueue *queue);

#endif
