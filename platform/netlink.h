/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links, addresses, routes and policy rules. Adding what is there and removing what is not there
   both succeed, so that every step can be repeated and undone. Functions return 0 or a negative
   errno, and wait for the kernel's answer at most a few seconds. */
#pragma once

#include "platform/address.h"

typedef struct PlatformNetlink PlatformNetlink;

typedef enum PlatformRouteType {
    PLATFORM_ROUTE_LINK,        /* to the interface */
    PLATFORM_ROUTE_THROW,       /* leave the table: the next rule decides */
    PLATFORM_ROUTE_UNREACHABLE, /* answered by ICMP */
} PlatformRouteType;

typedef struct PlatformRoute {
    PlatformPrefix prefix;
    PlatformRouteType type;
    uint32_t table;
    int ifindex; /* LINK only */
} PlatformRoute;

typedef struct PlatformRule {
    int family;
    uint32_t priority;
    uint32_t table;
    uint32_t mark, mask; /* mask 0: any mark */
    bool invert;         /* packets that have NOT this mark */
    bool to_set;
    PlatformPrefix to;
    uint8_t ip_protocol;                    /* 0: any */
    uint16_t source_port, destination_port; /* 0: any */
} PlatformRule;

bool platform_route_equal(const PlatformRoute *a, const PlatformRoute *b);
bool platform_rule_equal(const PlatformRule *a, const PlatformRule *b);

typedef void (*PlatformSubnetFunc)(const PlatformPrefix *subnet, int ifindex, void *user_data);

__attribute__((warn_unused_result)) int platform_netlink_new(PlatformNetlink **netlinkp);
PlatformNetlink *platform_netlink_free(PlatformNetlink *netlink);

/* 0 for no such link. */
int platform_netlink_ifindex(PlatformNetlink *netlink, const char *name);
/* txqueuelen 0: leave. Up. */
int platform_netlink_link_set(PlatformNetlink *netlink, int ifindex, unsigned mtu,
                              unsigned txqueuelen);
/* No IPv6 address that the kernel makes up, so no solicitations into the tunnel. */
int platform_netlink_link_quiet(PlatformNetlink *netlink, int ifindex);
int platform_netlink_link_delete(PlatformNetlink *netlink, int ifindex);
/* Without a connected route, and without duplicate address detection. */
int platform_netlink_address_add(PlatformNetlink *netlink, int ifindex, const PlatformPrefix *a);
int platform_netlink_address_remove(PlatformNetlink *netlink, int ifindex, const PlatformPrefix *a);
/* Every address of the link but IPv6's link-local ones. */
int platform_netlink_addresses_clear(PlatformNetlink *netlink, int ifindex);
int platform_netlink_route_add(PlatformNetlink *netlink, const PlatformRoute *route);
int platform_netlink_route_remove(PlatformNetlink *netlink, const PlatformRoute *route);
int platform_netlink_rule_add(PlatformNetlink *netlink, const PlatformRule *rule);
int platform_netlink_rule_remove(PlatformNetlink *netlink, const PlatformRule *rule);
/* Every route of the table, and every rule that looks it up, of both families. */
int platform_netlink_table_clear(PlatformNetlink *netlink, uint32_t table);
/* Every rule of this priority. */
int platform_netlink_rules_remove(PlatformNetlink *netlink, int family, uint32_t priority);
/* How many routes and rules the table has. */
int platform_netlink_table_count(PlatformNetlink *netlink, uint32_t table, unsigned *countp);
/* Calls func for each network that is directly connected (table main, other links than skip), an
   IPv4 one only where an address of ours lies in it. */
int platform_netlink_local_subnets(PlatformNetlink *netlink, int skip, PlatformSubnetFunc func,
                                   void *user_data);
/* What the kernel calls its socket; notifications of a change name who has made it. */
uint32_t platform_netlink_port(const PlatformNetlink *netlink);
/* The link by which a packet of this mark would leave; -ENETUNREACH and the like for none. */
int platform_netlink_route_get(PlatformNetlink *netlink, const PlatformAddress *to, uint32_t mark,
                               int *ifindexp);

/* A socket that becomes readable when routes or rules change; for any main loop. */
__attribute__((warn_unused_result)) int platform_netlink_watch_open(int *fdp);
/* Reads all that is there. True when a rule was removed, or a route of this table, by anybody but
   the socket of the port @own, or when so much happened that something was missed. */
bool platform_netlink_watch_read(int fd, uint32_t table, uint32_t own);
