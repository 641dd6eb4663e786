/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS messages: one question out, one answer in. */
#pragma once

#include "platform/address.h"

#include <glib.h>

enum {
    PLATFORM_RESOLVER_QUERY_MAX = 512,
    PLATFORM_RESOLVER_ANSWER_MAX = 4096,
    PLATFORM_RESOLVER_PAYLOAD = 1232, /* what we say we take: fits any path unfragmented */
};

typedef enum PlatformResolverAnswer {
    PLATFORM_RESOLVER_ANSWER_IGNORED, /* not to our question, or malformed: as if never received */
    PLATFORM_RESOLVER_ANSWER_ADDRESSES,
    PLATFORM_RESOLVER_ANSWER_EMPTY,     /* the name exists, without such addresses */
    PLATFORM_RESOLVER_ANSWER_NOT_FOUND, /* NXDOMAIN */
    PLATFORM_RESOLVER_ANSWER_FAILED,    /* this server can't tell */
} PlatformResolverAnswer;

typedef struct PlatformResolverQuestion {
    char name[256]; /* with the random case in which it was asked */
    int family;
    uint16_t id;
} PlatformResolverQuestion;

/* Length, or 0 for a name that can't be asked. */
size_t platform_resolver_build(const PlatformResolverQuestion *question,
                               uint8_t query[PLATFORM_RESOLVER_QUERY_MAX]);
/* Appends to addresses (PlatformAddress) what the answer has for the name, aliases followed. */
PlatformResolverAnswer platform_resolver_parse(const PlatformResolverQuestion *question,
                                               const uint8_t *answer, size_t n, GArray *addresses);
