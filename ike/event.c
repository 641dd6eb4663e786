/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues out of a session, as linked lists: a session sends a handful of messages a minute.
 */
#include "ike/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct IkeQueueItem {
    IkeQueueItem *next;
    IkeAddress to;
    IkeEvent event;
    bool is_event, whole;
    size_t n;
    uint8_t bytes[];
};

static void append(IkeQueue *queue, IkeQueueItem *item)
{
    if (queue->last != NULL)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
}

int ike_queue_packet(IkeQueue *queue, const IkePacket *packet)
{
    IkeQueueItem *item = calloc(1, sizeof(*item) + packet->n);

    if (item == NULL)
        return -ENOMEM;
    item->to = packet->to;
    item->n = packet->n;
    item->whole = packet->whole;
    memcpy(item->bytes, packet->bytes, packet->n);
    append(queue, item);
    return 0;
}

int ike_queue_event(IkeQueue *queue, const IkeEvent *event)
{
    IkeQueueItem *item = calloc(1, sizeof(*item));

    if (item == NULL)
        return -ENOMEM;
    item->event = *event;
    item->is_event = true;
    append(queue, item);
    return 0;
}

static IkeQueueItem *take(IkeQueue *queue)
{
    IkeQueueItem *item = queue->first;

    free(queue->taken);
    queue->taken = item;
    if (item != NULL) {
        queue->first = item->next;
        if (queue->first == NULL)
            queue->last = NULL;
    }
    return item;
}

bool ike_queue_take_packet(IkeQueue *queue, IkePacket *packet)
{
    IkeQueueItem *item = take(queue);

    if (item == NULL)
        return false;
    *packet = (IkePacket){.to = item->to, .bytes = item->bytes, .n = item->n, .whole = item->whole};
    return true;
}

bool ike_queue_take_event(IkeQueue *queue, IkeEvent *event)
{
    IkeQueueItem *item = take(queue);

    if (item == NULL)
        return false;
    *event = item->event;
    return true;
}

static bool owns_esp(const IkeQueueItem *item)
{
    return item->is_event &&
           (item->event.type == IKE_EVENT_SA_IN || item->event.type == IKE_EVENT_SA_OUT);
}

void ike_queue_clear(IkeQueue *queue)
{
    for (IkeQueueItem *item = queue->first, *next; item != NULL; item = next) {
        next = item->next;
        if (owns_esp(item))
            esp_sa_free(item->event.esp);
        free(item);
    }
    free(queue->taken);
    *queue = (IkeQueue){0};
}
