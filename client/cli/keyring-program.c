/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone-keyring: one secret in or out of the keyring of the user's session, for the other
 * programs. The secret comes by standard input and leaves by standard output; the exit code is a
 * PlatformKeyringResult. It runs as the user, is not dumpable, and is killed by who started it when
 * the keyring does not answer.
 *
 *   dialtone-keyring lookup PROFILE KIND
 *   dialtone-keyring store PROFILE KIND LABEL
 *   dialtone-keyring forget PROFILE KIND
 *   dialtone-keyring unlock PROFILE KIND
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "platform/keyring.h"
#include "platform/sandbox.h"
#include "platform/secret-memory.h"

enum { SECRET_MAX = 64 * 1024, EXIT_USAGE = 64 };

static PlatformKeyringResult write_secret(const char *secret)
{
    gsize n = strlen(secret);
    while (n > 0) {
        gssize written = write(STDOUT_FILENO, secret, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return PLATFORM_KEYRING_FAILED;
        secret += written;
        n -= (gsize)written;
    }
    return PLATFORM_KEYRING_DONE;
}

static PlatformKeyringResult lookup(const PlatformKeyringName *name, GError **error)
{
    char *secret = NULL;
    PlatformKeyringResult result = platform_keyring_lookup(name, &secret, error);
    if (result == PLATFORM_KEYRING_DONE) {
        result = write_secret(secret);
        platform_secret_wipe(secret, strlen(secret));
    }
    return result;
}

static PlatformKeyringResult store(const PlatformKeyringName *name, const char *label,
                                   GError **error)
{
    PlatformKeyringResult result = PLATFORM_KEYRING_FAILED;
    char *secret = platform_secret_alloc(SECRET_MAX + 1);
    gsize n = 0;
    gssize got = 0;
    while (secret != NULL && n < SECRET_MAX &&
           (got = read(STDIN_FILENO, secret + n, SECRET_MAX - n)) > 0)
        n += (gsize)got;
    if (secret != NULL && got == 0 && memchr(secret, '\0', n) == NULL)
        result = platform_keyring_store(name, label, secret, error);
    platform_secret_free(secret);
    return result;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc < 4 || platform_sandbox_harden() < 0)
        return EXIT_USAGE;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const PlatformKeyringName name = {.profile = argv[2], .kind = argv[3]};
    PlatformKeyringResult result;
    if (argc == 4 && strcmp(argv[1], "lookup") == 0)
        result = lookup(&name, &error);
    else if (argc == 5 && strcmp(argv[1], "store") == 0)
        result = store(&name, argv[4], &error);
    else if (argc == 4 && strcmp(argv[1], "forget") == 0)
        result = platform_keyring_forget(&name, &error);
    else if (argc == 4 && strcmp(argv[1], "unlock") == 0)
        result = platform_keyring_unlock(&name, &error);
    else
        return EXIT_USAGE;
    if (result == PLATFORM_KEYRING_FAILED)
        fprintf(stderr, "dialtone-keyring: %s\n", error != NULL ? error->message : "no memory");
    return (int)result;
}
