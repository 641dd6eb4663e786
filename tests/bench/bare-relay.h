/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TUN - UDP - TUN with every offload and nothing else: the most that a tunnel in user space could
 * do. */
#ifndef TESTS_BENCH_BARE_RELAY_H
#define TESTS_BENCH_BARE_RELAY_H

/* Relays between a TUN with IFF_VNET_HDR and a connected UDP socket until the process ends.
 * 0 or a negative errno. */
int bare_relay_start(int tun, int udp);

#endif
