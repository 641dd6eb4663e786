/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secrets file of headless use. Values are bytes, never strings: they may hold anything, and
 * live only in memory of the allocator that the caller gives. No message ever quotes one. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* alloc() gives zeroed memory that is neither swapped nor dumped, or NULL. free() wipes it, takes
 * NULL and returns NULL. platform/secret-memory.h has the pair. */
typedef struct {
    void *(*alloc)(size_t n);
    void *(*free)(void *memory);
} DialtoneSecretMemory;

typedef struct {
    guint8 *bytes; /* NULL: the file has no such key */
    gsize n;       /* may be 0 with bytes set: an empty passphrase */
} DialtoneSecret;

enum { DIALTONE_PASSCODES_MAX = 8 };

typedef struct {
    DialtoneSecret psk;
    DialtoneSecret user;
    DialtoneSecret password;
    DialtoneSecret passphrase;
    DialtoneSecret passcodes[DIALTONE_PASSCODES_MAX]; /* one-time codes, in the file's order */
    gsize n_passcodes;
    const DialtoneSecretMemory *memory;
} DialtoneSecrets;

void dialtone_secrets_free(DialtoneSecrets *secrets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneSecrets, dialtone_secrets_free)

/* Opens @path, or duplicates standard input for "-". The open file must be a regular file or a
 * pipe, belong to @caller or root, and give nobody else any right; standard input may be anything.
 * The caller closes it. -1 and an error (PROFILE_INVALID) otherwise. A program that drops its
 * privileges may open first and read later. */
int dialtone_secrets_open(const char *path, uid_t caller, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads to the end of @fd and parses; @file names it in messages ("-" reads "standard input"). */
DialtoneSecrets *dialtone_secrets_read(int fd, const char *file, const DialtoneSecretMemory *memory,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A preshared key that was typed, by the rules of the file: 0x begins bytes. The error's message is
 * for whoever typed it. */
DialtoneSecrets *dialtone_secrets_typed_psk(const char *bytes, gsize n,
                                            const DialtoneSecretMemory *memory,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from memory, which stays the caller's to wipe. */
DialtoneSecrets *dialtone_secrets_parse(const char *bytes, gsize n, const char *file,
                                        const DialtoneSecretMemory *memory,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
