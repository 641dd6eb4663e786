// SPDX-License-Identifier: GPL-2.0-or-later
/* When two routes or two rules are one and the same for the kernel. */
#include "platform/netlink.h"

bool platform_route_equal(const PlatformRoute *a, const PlatformRoute *b)
{
    return a->type == b->type && a->table == b->table && a->ifindex == b->ifindex &&
           platform_prefix_equal(&a->prefix, &b->prefix);
}

bool platform_rule_equal(const PlatformRule *a, const PlatformRule *b)
{
    return a->family == b->family && a->priority == b->priority && a->table == b->table &&
           a->mark == b->mark && a->mask == b->mask && a->invert == b->invert &&
           a->to_set == b->to_set && platform_prefix_equal(&a->to, &b->to) &&
           a->ip_protocol == b->ip_protocol && a->source_port == b->source_port &&
           a->destination_port == b->destination_port;
}
