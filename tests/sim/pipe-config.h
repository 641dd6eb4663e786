/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration and randomness of ike-pipe.
 */
#ifndef TESTS_SIM_PIPE_CONFIG_H
#define TESTS_SIM_PIPE_CONFIG_H

#include "ike/ike.h"
#include "ike/payload-id.h"

typedef struct PipeConfig {
    IkeConfig ike;
    uint64_t seed, drawn;
} PipeConfig;

/* KEY=VALUE words, separated by spaces; the line is cut up. NULL, or what is wrong. */
const char *pipe_config_parse(PipeConfig *config, char *words);
/* At most `size` bytes; the number of bytes. */
size_t pipe_hex(const char *hex, uint8_t *bytes, size_t size);
void pipe_secret(const char *hex, IkeSecret *secret);
/* An IkeRandomFn whose context is the PipeConfig. */
int pipe_random(void *context, uint8_t *bytes, size_t n);
/* libcrypto's default and, where it exists, legacy provider (DES). */
void pipe_load_providers(void);
void pipe_unload_providers(void);

#endif
