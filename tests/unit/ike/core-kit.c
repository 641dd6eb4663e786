/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the protocol core share. A kit that can't do its work ends the program: a test
 * that goes on without its bytes would pass for the wrong reason.
 */
#undef NDEBUG
#include "core-kit.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *kit_exact(const uint8_t *bytes, size_t n)
{
    void *copy = NULL;
    int r = posix_memalign(&copy, sizeof(void *), n); /* some tests make malloc() fail */

    assert(r == 0);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

static unsigned digit(char c)
{
    assert(isxdigit((unsigned char)c));
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

void kit_unhex(const char *hex, KitBytes *out)
{
    out->n = 0;
    for (; isxdigit((unsigned char)hex[0]); hex += 2)
        kit_append_u8(out, digit(hex[0]) << 4 | digit(hex[1]));
}

void kit_append(KitBytes *b, const void *bytes, size_t n)
{
    assert(n <= sizeof(b->bytes) - b->n);
    if (n > 0)
        memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

void kit_append_u8(KitBytes *b, unsigned value)
{
    const uint8_t byte = (uint8_t)value;

    kit_append(b, &byte, 1);
}

void kit_append_u16(KitBytes *b, unsigned value)
{
    kit_append_u8(b, value >> 8);
    kit_append_u8(b, value);
}

void kit_append_u32(KitBytes *b, uint32_t value)
{
    kit_append_u16(b, value >> 16);
    kit_append_u16(b, value & 0xffff);
}

int kit_random(void *context, uint8_t *bytes, size_t n)
{
    KitDice *dice = context;

    if (++dice->calls == dice->fail_at)
        return -5;
    for (size_t i = 0; i < n; i++) {
        dice->state ^= dice->state << 13;
        dice->state ^= dice->state >> 7;
        dice->state ^= dice->state << 17;
        bytes[i] = (uint8_t)(dice->state >> 24);
    }
    return 0;
}

void kit_secret(IkeSecret *secret, const char *text)
{
    secret->known = true;
    secret->n = (uint16_t)strlen(text);
    memcpy(secret->bytes, text, secret->n);
}

IkePhase1Proposal kit_p1(const char *cipher, const char *hash, const char *group)
{
    IkePhase1Proposal p = {ike_cipher_by_name(cipher), ike_hash_by_name(hash),
                           ike_group_by_name(group)};

    assert(p.cipher != NULL && p.hash != NULL && p.group != NULL);
    return p;
}

IkePhase2Proposal kit_p2(const char *cipher, const char *hash, const char *group)
{
    IkePhase2Proposal p = {ike_cipher_by_name(cipher), hash != NULL ? ike_hash_by_name(hash) : NULL,
                           group != NULL ? ike_group_by_name(group) : NULL};

    assert(p.cipher != NULL && (hash == NULL) == (p.integrity == NULL));
    assert((group == NULL) == (p.pfs == NULL));
    return p;
}

IkeConfig kit_config(void)
{
    static const char id[] = "alice@example.com";
    IkeConfig config = {
        .gateway = {4, {192, 0, 2, 1}, 500},
        .id = {.type = IKE_ID_USER_FQDN, .n = sizeof(id) - 1},
        .phase1 = {kit_p1("aes128", "sha256", "curve25519")},
        .phase1_n = 1,
        .phase1_lifetime = 28800,
        .phase2 = {kit_p2("aes128gcm16", NULL, NULL)},
        .phase2_n = 1,
        .phase2_lifetime = 3600,
        .xauth = IKE_XAUTH_NO,
        .config = IKE_CONFIG_NONE,
        .address = {4, {10, 1, 2, 3}, 0},
        .natt = IKE_NATT_FORCE,
    };

    memcpy(config.id.bytes, id, sizeof(id) - 1);
    kit_secret(&config.psk, "correct horse battery staple");
    return config;
}

/* ---- captured exchanges: `key = hex` lines, a case begins with `case = name` ---- */

static FILE *open_captured(void)
{
    FILE *file = fopen(KIT_VECTORS "/aggressive-captured.txt", "r");

    assert(file != NULL);
    return file;
}

/* The value of a line `key = value`, or NULL. */
static char *value_of(char *line, const char *key)
{
    size_t n = strlen(key);

    line[strcspn(line, "\n")] = '\0';
    return strncmp(line, key, n) == 0 && strncmp(line + n, " = ", 3) == 0 ? line + n + 3 : NULL;
}

size_t kit_captured_cases(char names[KIT_CAPTURED_MAX][64])
{
    FILE *file = open_captured();
    char *line = NULL;
    size_t size = 0, n = 0;

    while (getline(&line, &size, file) >= 0) {
        const char *name = value_of(line, "case");
        if (name == NULL)
            continue;
        assert(n < KIT_CAPTURED_MAX && strlen(name) < 64);
        strcpy(names[n++], name);
    }
    free(line);
    fclose(file);
    return n;
}

bool kit_captured(const char *name, const char *key, size_t nth, KitBytes *out)
{
    FILE *file = open_captured();
    char *line = NULL;
    size_t size = 0;
    bool here = false, found = false;

    while (!found && getline(&line, &size, file) >= 0) {
        const char *begins = value_of(line, "case");
        if (begins != NULL)
            here = strcmp(begins, name) == 0;
        const char *value = here ? value_of(line, key) : NULL;
        if (value == NULL || nth-- > 0)
            continue;
        kit_unhex(value, out);
        found = true;
    }
    free(line);
    fclose(file);
    return found;
}
