/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of ike-pipe's "new" command that are about certificates.
 */
#include "tests/sim/pipe-config.h"

#include <stdlib.h>
#include <string.h>

static bool parse_auth(IkeConfig *config, const char *value)
{
    if (strcmp(value, "psk") == 0)
        config->auth = IKE_AUTH_PSK;
    else if (strcmp(value, "certificate") == 0)
        config->auth = IKE_AUTH_CERTIFICATE;
    else if (strcmp(value, "hybrid") == 0)
        config->auth = IKE_AUTH_HYBRID;
    else
        return false;
    return true;
}

/* Fills one of the three lists; the number of its blobs, or 0 where they don't fit. */
static size_t parse_blobs(PipeBlobs *all, IkeBlob *list, char *value)
{
    char *save = NULL;
    size_t count = 0;

    for (char *hex = strtok_r(value, ",", &save); hex != NULL; hex = strtok_r(NULL, ",", &save)) {
        uint8_t *bytes = all->bytes + all->n;
        if (count == PIPE_BLOBS_MAX || strlen(hex) / 2 > sizeof(all->bytes) - all->n)
            return 0;
        size_t n = pipe_hex(hex, bytes, sizeof(all->bytes) - all->n);
        all->n += n;
        list[count++] = (IkeBlob){.bytes = bytes, .n = n};
    }
    return count;
}

bool pipe_credential_word(PipeConfig *config, const char *key, char *value)
{
    IkeCredentials *c = &config->ike.credentials;
    PipeBlobs *blobs = &config->blobs;

    if (strcmp(key, "auth") == 0)
        return parse_auth(&config->ike, value);
    if (strcmp(key, "wall") == 0)
        return (c->wall_offset = strtoll(value, NULL, 10)) != 0;
    if (strcmp(key, "requirecrl") == 0)
        return (c->require_crl = strcmp(value, "yes") == 0) || strcmp(value, "no") == 0;
    if (strcmp(key, "chain") == 0)
        return (c->chain_n = parse_blobs(blobs, blobs->blobs[0], value)) > 0 &&
               (c->chain = blobs->blobs[0]) != NULL;
    if (strcmp(key, "anchors") == 0)
        return (c->anchors_n = parse_blobs(blobs, blobs->blobs[1], value)) > 0 &&
               (c->anchors = blobs->blobs[1]) != NULL;
    if (strcmp(key, "crls") == 0)
        return (c->crls_n = parse_blobs(blobs, blobs->blobs[2], value)) > 0 &&
               (c->crls = blobs->blobs[2]) != NULL;
    return false;
}
