/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path of one tunnel: TUN <-> ESP <-> UDP, in two threads of its own.
 *
 * The receiving thread is the only reader of the UDP sockets. It runs from datapath_new() on, for
 * IKE comes before there is an interface; IKE datagrams go on to the control thread. The sending
 * thread sleeps until a TUN is attached. All functions here are for the one control thread, but
 * datapath_stats(), datapath_offloads() and the two datapath_last_*(), which any thread may call.
 */
#ifndef CLIENT_TUNNEL_DATAPATH_H
#define CLIENT_TUNNEL_DATAPATH_H

#include <glib.h>

#include "client/common/offload.h"
#include "ike/ike.h"

typedef struct Datapath Datapath;

enum {
    DATAPATH_IKE_MAX = 32768, /* longer IKE datagrams are dropped */
    DATAPATH_IKE_PORT = 500,
};

typedef struct DatapathSetup {
    int udp4, udp6;    /* -1: none, but one of them is there */
    bool raw;          /* the next two count */
    int esp4, esp6;    /* raw sockets for ESP without UDP; -1: none */
    uint16_t ike_port; /* all that comes from it is IKE without a marker; 0: 500 */
    unsigned without;  /* offloads not to be used, a set of DialtoneOffload; SAs have their own */
} DatapathSetup;

/* Takes the descriptors when it succeeds; leaves them to the caller when it fails. */
Datapath *datapath_new(const DatapathSetup *setup, GError **error);
/* Ends both threads within one batch, wipes the SAs, closes the descriptors. Returns NULL. */
Datapath *datapath_free(Datapath *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Datapath, datapath_free)

/* Takes the descriptor of a TUN, in place of a former one. `vnet` says that it was opened with
 * IFF_VNET_HDR (and a header of 10 bytes). -1 detaches. */
void datapath_attach_tun(Datapath *self, int fd, bool vnet);

/* Where ESP goes, and the MTU of the way there (the outer IP packet); port 0: without UDP, by a raw
 * socket. Authentic ESP from another source raises DATAPATH_EVENT_PATH. */
void datapath_set_peer(Datapath *self, const IkeAddress *peer, unsigned path_mtu);
/* What becomes of datagrams that are larger than the way takes. DATAPATH_CUT until it is set. */
typedef enum DatapathSizes {
    DATAPATH_CUT,   /* they are cut into fragments, here or on the way */
    DATAPATH_WHOLE, /* they are lost, or refused once ICMP has said so: EVENT_ERROR, EMSGSIZE */
    DATAPATH_WHOLE_DEAF, /* the same, but what ICMP says does not count */
} DatapathSizes;
void datapath_set_sizes(Datapath *self, DatapathSizes sizes);
/* Whether there is a raw socket for this peer's family. */
bool datapath_has_raw(const Datapath *self, const IkeAddress *peer);
/* The largest inner packet that fits such a path, in UDP unless the peer's port is 0; 0: none fits.
 * For the TUN's MTU. */
unsigned datapath_shape_mtu(EspShape shape, const IkeAddress *peer, unsigned path_mtu);
unsigned datapath_inner_mtu(const EspSa *sa, const IkeAddress *peer, unsigned path_mtu);

/* All four take effect before any packet that comes after the call, in the order of the calls.
 * The SA is taken, and freed and wiped by the thread that used it. set_out replaces the SA of the
 * same two selectors; of several that cover a packet the most specific remote network wins. */
void datapath_add_in(Datapath *self, EspSa *sa_take, const IkeSaInfo *info);
void datapath_set_out(Datapath *self, EspSa *sa_take, const IkeSaInfo *info);
/* ESP packets with this SPI go on to the control thread like IKE, as they came. */
void datapath_hand_over(Datapath *self, uint32_t spi_in);
/* 0: leave that direction. An SPI that is not there any more does no harm. */
void datapath_remove(Datapath *self, uint32_t spi_in, uint32_t spi_out);

/* ---- IKE datagrams ---- */

typedef struct DatapathIke {
    IkeAddress from;
    size_t n;
    uint8_t bytes[DATAPATH_IKE_MAX]; /* as they came: with the marker, where there is one */
} DatapathIke;

/* Readable while datapath_take_ike() has something. */
int datapath_ike_fd(const Datapath *self);
bool datapath_take_ike(Datapath *self, DatapathIke *message);
/* A datagram as it stands: IKE, ESP that was sealed elsewhere, or a NAT keepalive; to port 0
 * without UDP, by the raw socket. 0 or a negative errno. */
int datapath_send(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n);
/* The same with what may not be cut, whatever ICMP has said. */
int datapath_send_whole(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n);

/* ---- what the threads saw ---- */

typedef enum DatapathEventType {
    DATAPATH_EVENT_INBOUND,  /* .spi: the first authentic packet of this inbound SA */
    DATAPATH_EVENT_SILENCE,  /* packets have gone out for over a second and nothing authentic has
                                come back; at most once a second, and only while packets go out */
    DATAPATH_EVENT_USED,     /* packets go out; at most once a minute, not of the first of all */
    DATAPATH_EVENT_RENEW,    /* .spi: an SA has passed its soft limit; once an SA */
    DATAPATH_EVENT_PATH,     /* .path: authentic ESP came from there, not from the peer */
    DATAPATH_EVENT_TUN_GONE, /* the interface was removed or taken down; .error */
    DATAPATH_EVENT_ERROR,    /* .error: the UDP socket refused to send; at most once a second */
    DATAPATH_EVENT_OFFLOAD,  /* .offload is not used, for the kernel or the way out refused it with
                                .error; once an offload */
    DATAPATH_EVENT_TRAFFIC,  /* the first packets since datapath_watch_traffic() */
} DatapathEventType;

typedef struct DatapathEvent {
    DatapathEventType type;
    uint32_t spi; /* host order */
    int error;    /* an errno, positive */
    DialtoneOffload offload;
    IkeAddress path;
} DatapathEvent;

/* Readable while datapath_next_event() has something. */
int datapath_event_fd(const Datapath *self);
bool datapath_next_event(Datapath *self, DatapathEvent *event);

/* CLOCK_BOOTTIME in ns of the last authentic inbound packet and its SPI; 0: none yet. */
uint64_t datapath_last_inbound(const Datapath *self, uint32_t *spi);
/* Likewise of the last datagram that left, ESP or datapath_send(): for NAT keepalives. */
uint64_t datapath_last_sent(const Datapath *self);

typedef enum DatapathDrop {
    DATAPATH_DROP_NO_SA,       /* out: no SA covers the packet; it is not kept for later */
    DATAPATH_DROP_TOO_BIG,     /* out: answered by ICMP */
    DATAPATH_DROP_EXHAUSTED,   /* out: the SA has no sequence number left */
    DATAPATH_DROP_SEND,        /* out: the UDP socket refused it */
    DATAPATH_DROP_UNKNOWN_SPI, /* in */
    DATAPATH_DROP_MALFORMED,
    DATAPATH_DROP_REPLAYED,
    DATAPATH_DROP_FORGED,
    DATAPATH_DROP_SELECTOR, /* in: authentic, but its addresses are not the SA's */
    DATAPATH_DROP_TUN,      /* in: no TUN, or it refused the packet */
    DATAPATH_DROP_IKE,      /* in: the control thread does not keep up */
    DATAPATH_DROPS
} DatapathDrop;

typedef struct DatapathStats {
    uint64_t packets_in, bytes_in; /* inner packets that reached TUN */
    uint64_t packets_out, bytes_out;
    uint64_t dummies, keepalives; /* came in, meant nothing */
    uint64_t drops[DATAPATH_DROPS];
} DatapathStats;
void datapath_stats(const Datapath *self, DatapathStats *stats);
/* Asks for one DATAPATH_EVENT_TRAFFIC. What is read from the counters after this call and what the
 * event follows is all that there is. */
void datapath_watch_traffic(Datapath *self);
/* Those in use, a set of DialtoneOffload. */
unsigned datapath_offloads(const Datapath *self);
/* "no-sa", "replayed", ... */
const char *datapath_drop_name(DatapathDrop drop);

#endif
