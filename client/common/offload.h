/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the data path leaves to the kernel or does in batches where it can, by name: in profiles,
 * in reports and in the log. */
#pragma once

#include <glib.h>

/* Sets are sums of these. */
typedef enum {
    DIALTONE_OFFLOAD_VNET_HDR = 1 << 0, /* TCP crosses TUN in large packets (IFF_VNET_HDR, TSO) */
    DIALTONE_OFFLOAD_USO = 1 << 1,      /* UDP too; needs the former */
    DIALTONE_OFFLOAD_GSO = 1 << 2,      /* datagrams leave in trains (UDP_SEGMENT) */
    DIALTONE_OFFLOAD_GRO = 1 << 3,      /* and arrive in trains (UDP_GRO) */
    DIALTONE_OFFLOAD_MULTI_BUFFER = 1 << 4, /* the processor encrypts several packets at once */
} DialtoneOffload;

enum { DIALTONE_OFFLOADS_ALL = (1 << 5) - 1 };

/* NULL at the end; the place of a name is its bit. */
extern const char *const dialtone_offload_names[];

/* Of one offload. */
const char *dialtone_offload_name(DialtoneOffload offload) G_GNUC_WARN_UNUSED_RESULT;
/* 0: there is none of that name. */
guint dialtone_offload_from_name(const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* The names of a set. */
char **dialtone_offload_list(guint set) G_GNUC_WARN_UNUSED_RESULT;
