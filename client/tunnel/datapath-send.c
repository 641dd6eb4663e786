/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending thread: TUN -> selectors -> ESP -> UDP.
 *
 * A round takes what TUN has, up to a batch, cuts large packets into segments (datapath-split.c),
 * seals runs of packets of one SA in place, and hands all to the kernel (datapath-output.c). When
 * TUN is empty the thread sleeps without end.
 *
 * A command holds for every packet that came after it. So the inbox is looked at between a read of
 * TUN and the search for an SA: if it has something the batch leaves first, what was read waits.
 *
 * A packet that no SA covers is dropped and counted, never kept: SAs replace each other without a
 * gap, and after an outage a retransmission is worth more to its receiver than a stale packet.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/tunnel/datapath-inner.h"
#include "client/tunnel/datapath-output.h"
#include "client/tunnel/datapath-private.h"
#include "client/tunnel/datapath-split.h"

enum {
    SLOTS = DATAPATH_BATCH * DATAPATH_SLOT,
    ROOM = SLOTS + SPLIT_SUPER_MAX,
    READS_MAX = 4 * DATAPATH_BATCH, /* of TUN in one round */
    USE_SECONDS = 60,               /* between two events that say so */
};

typedef struct Outbound {
    EspSa *sa;
    uint32_t spi;
    Selectors selectors;
    unsigned inner_mtu;
} Outbound;

struct DatapathSender {
    Datapath *path;
    DatapathTun *tun;
    bool tun_gone;

    Outbound outs[DATAPATH_SAS]; /* the most specific first */
    size_t outs_n;
    DatapathOutput *output;
    IkeAddress peer;
    bool peer_known;
    unsigned path_mtu;

    uint64_t unanswered_since, silence_said, use_said;

    struct { /* the SA of the packet before: most have the same addresses */
        uint8_t family, addresses[32];
        Outbound *out;
    } memo;

    uint8_t *slots;
    uint8_t *super; /* behind the slots: a packet with its virtio header, */
    Split split;    /* and how much of it has been cut off; or, without such headers, */
    size_t kept;    /* the size of a packet that waits for the commands before it */
    EspPacket packets[DATAPATH_BATCH];
    Outbound *of[DATAPATH_BATCH];
    uint8_t classes[DATAPATH_BATCH]; /* DSCP, for the outer header */
    size_t n;
};

DatapathSender *datapath_sender_new(Datapath *path)
{
    DatapathSender *sender = g_new0(DatapathSender, 1);

    sender->path = path;
    sender->output = datapath_output_new(path);
    sender->slots = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sender->slots == MAP_FAILED) {
        datapath_output_free(sender->output);
        g_free(sender);
        return NULL;
    }
    sender->super = sender->slots + SLOTS;
    return sender;
}

DatapathSender *datapath_sender_free(DatapathSender *sender)
{
    if (sender == NULL)
        return NULL;
    for (size_t i = 0; i < sender->outs_n; i++)
        esp_sa_free(sender->outs[i].sa);
    datapath_tun_release(sender->tun);
    datapath_output_free(sender->output);
    munmap(sender->slots, ROOM);
    g_free(sender);
    return NULL;
}

static void drop(DatapathSender *sender, DatapathDrop cause, size_t n)
{
    datapath_count(&sender->path->send_stats.drops[cause], n);
}

/* ---- commands ---- */

static void renew_mtu(DatapathSender *sender)
{
    unsigned least = 0;

    for (size_t i = 0; i < sender->outs_n; i++) {
        Outbound *out = &sender->outs[i];

        out->inner_mtu = datapath_inner_mtu(out->sa, &sender->peer, sender->path_mtu);
        if (least == 0 || out->inner_mtu < least)
            least = out->inner_mtu;
    }
    __atomic_store_n(&sender->path->inner_mtu, least, __ATOMIC_RELAXED);
}

static void remove_at(DatapathSender *sender, size_t i)
{
    esp_sa_free(sender->outs[i].sa);
    sender->outs_n--;
    memmove(&sender->outs[i], &sender->outs[i + 1], (sender->outs_n - i) * sizeof(sender->outs[0]));
}

static void take_sa(DatapathSender *sender, DatapathCommand *command)
{
    Outbound out = {.sa = command->sa, .spi = command->spi, .selectors = command->selectors};
    size_t at = 0;

    for (size_t i = 0; i < sender->outs_n; i++) {
        if (selectors_equal(&sender->outs[i].selectors, &out.selectors)) {
            remove_at(sender, i);
            break;
        }
    }
    if (sender->outs_n == DATAPATH_SAS)
        return;
    while (at < sender->outs_n && selectors_order(&sender->outs[at].selectors, &out.selectors) <= 0)
        at++;
    memmove(&sender->outs[at + 1], &sender->outs[at],
            (sender->outs_n - at) * sizeof(sender->outs[0]));
    sender->outs[at] = out;
    sender->outs_n++;
    command->sa = NULL;
}

static void remove_spi(DatapathSender *sender, uint32_t spi)
{
    for (size_t i = 0; i < sender->outs_n; i++) {
        if (sender->outs[i].spi == spi) {
            remove_at(sender, i);
            return;
        }
    }
}

static void take_peer(DatapathSender *sender, const DatapathCommand *command)
{
    sender->peer = command->peer;
    sender->path_mtu = command->path_mtu;
    sender->peer_known = datapath_output_set_peer(sender->output, &sender->peer);
}

static void take_command(DatapathSender *sender, DatapathCommand *command)
{
    switch (command->kind) {
    case DATAPATH_COMMAND_SA:
        take_sa(sender, command);
        break;
    case DATAPATH_COMMAND_REMOVE:
        remove_spi(sender, command->spi);
        break;
    case DATAPATH_COMMAND_PEER:
        take_peer(sender, command);
        break;
    case DATAPATH_COMMAND_TUN:
        datapath_tun_release(sender->tun);
        sender->tun = command->tun;
        sender->tun_gone = false;
        sender->split = (Split){0};
        sender->kept = 0;
        command->tun = NULL;
        break;
    }
}

static bool commands_wait(const DatapathSender *sender)
{
    return datapath_inbox_waiting(&sender->path->send_inbox);
}

static bool take_commands(DatapathSender *sender)
{
    DatapathCommand *command;
    bool go_on;

    if (!commands_wait(sender))
        return true;
    go_on = datapath_inbox_take(&sender->path->send_inbox, &command);
    while (command != NULL) {
        take_command(sender, command);
        command = datapath_command_free(command);
    }
    sender->memo.out = NULL;
    renew_mtu(sender);
    return go_on;
}

/* ---- from TUN ---- */

static void answer_too_big(DatapathSender *sender, const uint8_t *packet, size_t n, unsigned mtu)
{
    uint8_t answer[INNER_ANSWER_MAX];
    size_t size = inner_too_big(packet, n, mtu, answer);

    drop(sender, DATAPATH_DROP_TOO_BIG, 1);
    if (size > 0 && datapath_tun_write(sender->tun, answer, size) < 0)
        drop(sender, DATAPATH_DROP_TUN, 1);
}

static Outbound *search_outs(DatapathSender *sender, const PacketAddresses *addresses)
{
    for (size_t i = 0; i < sender->outs_n; i++)
        if (selectors_cover_out(&sender->outs[i].selectors, addresses))
            return &sender->outs[i];
    return NULL;
}

static Outbound *find_out(DatapathSender *sender, const uint8_t *packet, size_t n)
{
    PacketAddresses addresses;
    size_t size;

    if (!selectors_read(packet, n, &addresses))
        return NULL;
    size = addresses.family == 4 ? 8 : 32; /* source and destination stand together */
    if (sender->memo.out != NULL && sender->memo.family == addresses.family &&
        memcmp(sender->memo.addresses, addresses.source, size) == 0)
        return sender->memo.out;
    sender->memo.out = search_outs(sender, &addresses);
    sender->memo.family = addresses.family;
    memcpy(sender->memo.addresses, addresses.source, size);
    return sender->memo.out;
}

/* Puts a packet that stands in the slot of number sender->n into the batch; false: it was dropped.
 * `n` may be more than a slot has room for: then only the beginning is there. */
static bool take_packet(DatapathSender *sender, uint8_t *packet, size_t n)
{
    size_t there = n < DATAPATH_INNER_MAX ? n : DATAPATH_INNER_MAX;
    Outbound *out = find_out(sender, packet, there);

    if (out == NULL || !sender->peer_known) {
        drop(sender, DATAPATH_DROP_NO_SA, 1);
        return false;
    }
    if (n > out->inner_mtu) {
        answer_too_big(sender, packet, there, out->inner_mtu);
        return false;
    }
    inner_clamp_mss(packet, n, out->inner_mtu, true);
    sender->of[sender->n] = out;
    sender->classes[sender->n] = inner_outer_class(packet);
    sender->packets[sender->n++] = (EspPacket){.data = packet, .n = n};
    return true;
}

/* The size of what was read, 0 where there is nothing to read. */
static size_t read_some(DatapathSender *sender, uint8_t *to, size_t room)
{
    ssize_t n = read(sender->tun->fd, to, room);

    if (n > 0) {
        datapath_tun_works(sender->tun);
        return (size_t)n;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        sender->tun_gone = true;
        datapath_tun_lost(sender->path, sender->tun, n == 0 ? EPIPE : errno);
    }
    return 0;
}

static uint8_t *free_slot(const DatapathSender *sender)
{
    return sender->slots + sender->n * DATAPATH_SLOT + ESP_HEAD_ROOM;
}

/* Cuts the next packet off. What befalls one of a large packet befalls all of it. */
static void take_segment(DatapathSender *sender)
{
    size_t size = split_size(&sender->split);
    uint8_t *slot = free_slot(sender);
    bool taken;

    if (size > DATAPATH_INNER_MAX) {
        taken = take_packet(sender, sender->super + SPLIT_VNET_HEADER, size);
    } else {
        split_next(&sender->split, slot);
        taken = take_packet(sender, slot, size);
    }
    if (!taken)
        sender->split = (Split){0};
}

/* Something to cut from; false: TUN is empty. */
static bool read_super(DatapathSender *sender)
{
    size_t n = read_some(sender, sender->super, SPLIT_SUPER_MAX);

    if (n > 0 && !split_begin(&sender->split, sender->super, n)) {
        drop(sender, DATAPATH_DROP_NO_SA, 1);
        sender->split = (Split){0};
    }
    return n > 0;
}

/* Both return true when TUN is empty. They end when a command waits for what was read before it
 * was taken; and after a number of reads, for a flood of packets that are dropped must not keep the
 * thread from its commands. */
static bool read_tun_vnet(DatapathSender *sender)
{
    for (unsigned reads = 0; sender->n < DATAPATH_BATCH && reads < READS_MAX;) {
        if (!split_done(&sender->split)) {
            take_segment(sender);
            continue;
        }
        if (!read_super(sender))
            return true;
        if (commands_wait(sender))
            return false;
        reads++;
    }
    return false;
}

static void take_kept(DatapathSender *sender)
{
    size_t n = sender->kept;

    sender->kept = 0;
    if (n > 0)
        take_packet(sender, memcpy(free_slot(sender), sender->super, n), n);
}

static bool read_tun(DatapathSender *sender)
{
    take_kept(sender);
    for (unsigned reads = 0; sender->n < DATAPATH_BATCH && reads < READS_MAX; reads++) {
        size_t n = read_some(sender, free_slot(sender), DATAPATH_SLOT - ESP_HEAD_ROOM);

        if (n == 0)
            return true;
        if (commands_wait(sender)) {
            memcpy(sender->super, free_slot(sender), n);
            sender->kept = n;
            return false;
        }
        take_packet(sender, free_slot(sender), n);
    }
    return false;
}

/* ---- sealing ---- */

static void count_verdict(DatapathSender *sender, EspVerdict verdict)
{
    drop(sender, verdict == ESP_EXHAUSTED ? DATAPATH_DROP_EXHAUSTED : DATAPATH_DROP_SEND, 1);
}

static void say_renewal(DatapathSender *sender, Outbound *out)
{
    if (esp_sa_wants_renewal(out->sa))
        datapath_raise(sender->path,
                       &(DatapathEvent){.type = DATAPATH_EVENT_RENEW, .spi = out->spi});
}

/* Seals packets i to end - 1, which are of one SA; the good ones move to `good` and on. */
static size_t seal_run(DatapathSender *sender, size_t i, size_t end, size_t good)
{
    DatapathStats *stats = &sender->path->send_stats;
    Outbound *out = sender->of[i];
    EspCounters before = esp_sa_counters(out->sa), after;

    esp_seal(out->sa, sender->packets + i, end - i);
    for (; i < end; i++) {
        if (sender->packets[i].verdict != ESP_OK) {
            count_verdict(sender, sender->packets[i].verdict);
            continue;
        }
        sender->classes[good] = sender->classes[i];
        sender->packets[good++] = sender->packets[i];
    }
    datapath_note_provider(sender->path, esp_sa_provider(out->sa));
    after = esp_sa_counters(out->sa);
    datapath_count(&stats->packets_out, after.packets - before.packets);
    datapath_count(&stats->bytes_out, after.bytes - before.bytes);
    say_renewal(sender, out);
    return good;
}

static void seal(DatapathSender *sender)
{
    size_t good = 0;

    for (size_t i = 0, end; i < sender->n; i = end) {
        for (end = i + 1; end < sender->n && sender->of[end] == sender->of[i];)
            end++;
        good = seal_run(sender, i, end, good);
    }
    sender->n = good;
}

/* ---- silence ---- */

/* Looks at the clock when packets leave, so that an idle tunnel needs none. */
static void note_sent(DatapathSender *sender)
{
    Datapath *path = sender->path;
    uint64_t now = datapath_now();
    uint64_t heard = __atomic_load_n(&path->last_inbound, __ATOMIC_RELAXED);

    __atomic_store_n(&path->last_sent, now, __ATOMIC_RELAXED);
    if (sender->use_said == 0)
        sender->use_said = now;
    if (now - sender->use_said > USE_SECONDS * IKE_SECOND) {
        sender->use_said = now;
        datapath_raise(path, &(DatapathEvent){.type = DATAPATH_EVENT_USED});
    }
    if (sender->unanswered_since == 0 || heard >= sender->unanswered_since) {
        sender->unanswered_since = now;
        return;
    }
    if (now - sender->unanswered_since <= IKE_SECOND || now - sender->silence_said < IKE_SECOND)
        return;
    sender->silence_said = now;
    datapath_raise(path, &(DatapathEvent){.type = DATAPATH_EVENT_SILENCE});
}

/* ---- the thread ---- */

static void wait_for_work(const DatapathSender *sender)
{
    struct pollfd wanted[2] = {
        {.fd = sender->path->send_inbox.wake, .events = POLLIN},
        {.fd = sender->tun != NULL && !sender->tun_gone ? sender->tun->fd : -1, .events = POLLIN},
    };

    (void)poll(wanted, 2, -1);
}

void *datapath_sender_run(void *data)
{
    DatapathSender *sender = data;

    datapath_begin_thread("dialtone-send");
    while (take_commands(sender)) {
        bool empty = true;

        sender->n = 0;
        if (sender->tun != NULL && !sender->tun_gone)
            empty = (sender->tun->vnet ? read_tun_vnet : read_tun)(sender);
        if (sender->n > 0) {
            seal(sender);
            datapath_output_send(sender->output, sender->packets, sender->classes, sender->n);
            note_sent(sender);
        }
        if (sender->tun != NULL)
            datapath_tell_traffic(sender->path);
        if (empty)
            wait_for_work(sender);
    }
    return NULL;
}
