/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tunnel's end of org.dialtone.Helper1: asks for sockets, the TUN interface and the state of
 * the network, and hears what the helper wants. Nothing waits: requests are sent at once, in order,
 * and answers arrive in the main context. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "platform/address.h"
#include "platform/killswitch.h"
#include "platform/helper-plan.h"

typedef struct TunnelNetwork TunnelNetwork;

typedef struct TunnelSockets {
    int udp4, udp6;
    int esp4, esp6; /* for ESP without UDP */
} TunnelSockets;

/* Descriptors are handed over with the call; -1 is none. */
typedef struct TunnelNetworkHandlers {
    void (*claimed)(const char *interface, guint32 mark, int state_fd_take, gpointer data);
    void (*sockets)(const TunnelSockets *sockets_take, gpointer data);
    void (*resolver_sockets)(int udp4_take, int udp6_take, gpointer data);
    void (*watch_socket)(int fd_take, gpointer data); /* see platform/network-watch.h */
    void (*tun)(int fd_take, gpointer data);
    /* error NULL: done; warnings may be empty */
    void (*applied)(const char *const *warnings, const GError *error, gpointer data);
    /* or why it can't be */
    void (*kill_switch_set)(const GError *error, gpointer data);
    void (*released)(gpointer data);
    void (*stop_requested)(gpointer data);
    void (*renegotiate_requested)(gpointer data);
    void (*sleep_changed)(bool asleep, gpointer data);
    void (*warned)(const char *warning, gpointer data); /* as one of applied() */
    /* A request that the tunnel can't do without was refused, or the helper is gone. */
    void (*failed)(const GError *error, gpointer data);
} TunnelNetworkHandlers;

/* Authenticates to the helper at the other end of a socket, which it takes also when it fails, and
 * starts GDBus's thread. Nothing is heard before tunnel_network_new(). */
GDBusConnection *tunnel_network_connect(int fd_take, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes the connection, also when it fails. */
TunnelNetwork *tunnel_network_new(GDBusConnection *helper_take,
                                  const TunnelNetworkHandlers *handlers, gpointer data,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No handler is called any more. */
void tunnel_network_free(TunnelNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelNetwork, tunnel_network_free)

typedef struct TunnelNetworkWants {
    const char *label; /* for `dialtone status` */
    bool udp4, udp6;   /* one that could be done without may be missing in the answer */
    bool esp;          /* raw sockets beside those, where the helper has some */
    bool resolver;     /* sockets of both families to resolve names with */
    bool system;       /* the label is that of a profile of the system */
    bool vnet;         /* the TUN with IFF_VNET_HDR, for segments as the kernel has them */
    const PlatformKillSwitch *kill_switch; /* NULL: none */
} TunnelNetworkWants;

/* A slot, the sockets and the TUN, all in one go. Once. */
void tunnel_network_claim(TunnelNetwork *self, const TunnelNetworkWants *wants);
/* Another TUN, as it was wanted, in place of one that is gone. */
void tunnel_network_open_tun(TunnelNetwork *self);
/* Sockets to resolve names with, where the claim asked for none. */
void tunnel_network_open_resolver(TunnelNetwork *self);
void tunnel_network_apply(TunnelNetwork *self, const HelperPlan *plan);
void tunnel_network_set_kill_switch(TunnelNetwork *self, const PlatformKillSwitch *kill_switch);
void tunnel_network_release_kill_switch(TunnelNetwork *self, bool asked);
void tunnel_network_release(TunnelNetwork *self);
/* The helper has ended: nobody is left to ask. */
bool tunnel_network_is_gone(const TunnelNetwork *self) G_GNUC_WARN_UNUSED_RESULT;
