/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration and randomness of ike-pipe.
 */
#ifndef TESTS_SIM_PIPE_CONFIG_H
#define TESTS_SIM_PIPE_CONFIG_H

#include "ike/ike.h"
#include "ike/payload-id.h"

enum { PIPE_BLOBS_MAX = 16, PIPE_BLOBS_SIZE = 65536 };

/* The bytes of certificates and lists of revoked ones, which an IkeBlob points at. */
typedef struct PipeBlobs {
    IkeBlob blobs[3][PIPE_BLOBS_MAX];
    uint8_t bytes[PIPE_BLOBS_SIZE];
    size_t n;
} PipeBlobs;

typedef struct PipeConfig {
    IkeConfig ike;
    PipeBlobs blobs;
    uint64_t seed, drawn;
} PipeConfig;

/* KEY=VALUE words, separated by spaces; the line is cut up. NULL, or what is wrong. */
const char *pipe_config_parse(PipeConfig *config, char *words);
/* At most `size` bytes; the number of bytes. */
size_t pipe_hex(const char *hex, uint8_t *bytes, size_t size);
void pipe_secret(const char *hex, IkeSecret *secret);
/* True if the word is one of credentials and good; a list is DER in hex, separated by commas. */
bool pipe_credential_word(PipeConfig *config, const char *key, char *value);
/* An IkeRandomFn whose context is the PipeConfig. */
int pipe_random(void *context, uint8_t *bytes, size_t n);
/* libcrypto's default and, where it exists, legacy provider (DES). */
void pipe_load_providers(void);
void pipe_unload_providers(void);

#endif
