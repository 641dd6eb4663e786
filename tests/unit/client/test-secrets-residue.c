/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What remains of a secret in memory: nothing, once it was given back, and nothing outside of
 * locked memory before. Everything this process can write to is searched for a planted secret.
 *
 * The secret is never whole in this program: it is made byte by byte out of a masked copy, written
 * to the file one byte at a time, and searched for through the same mask.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/profile/secrets.h"
#include "platform/secret-memory.h"

enum { SECRET_SIZE = 24, MASK = 0x5a };

static guint8 masked[SECRET_SIZE];

static char secret_byte(gsize i)
{
    return (char)(masked[i] ^ MASK);
}

/* ---- memory ---- */

/* Sanitizers guard what was freed, which is just where to look. */
#define UNGUARDED __attribute__((no_sanitize("address")))

/* No region of this program is so large, but the shadow that sanitizers keep is. */
enum { REGION_MAX = 1 << 30 };

UNGUARDED static bool is_here(const volatile guint8 *at)
{
    for (gsize i = 0; i < SECRET_SIZE; i++)
        if ((at[i] ^ MASK) != masked[i])
            return false;
    return true;
}

UNGUARDED static guint count_in(const guint8 *start, const guint8 *end)
{
    guint n = 0;

    for (const guint8 *p = start; p + SECRET_SIZE <= end; p++)
        n += *p == (guint8)secret_byte(0) && is_here(p);
    return n;
}

/* How often the secret stands in memory that can be written to. */
static guint count_in_memory(void)
{
    char line[512], rights[8];
    guint n = 0;
    unsigned long start, end;
    FILE *maps = fopen("/proc/self/maps", "re");

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 && rights[0] == 'r' &&
            rights[1] == 'w' && end - start <= REGION_MAX)
            n += count_in((const guint8 *)start, (const guint8 *)end);
    fclose(maps);
    return n;
}

/* ---- the file ---- */

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void put_secret(int fd)
{
    for (gsize i = 0; i < SECRET_SIZE; i++) {
        char byte = secret_byte(i);
        assert_int_equal(write(fd, &byte, 1), 1);
    }
}

/* @after follows the secret on its line and below. */
static char *make_file(const char *before, const char *after)
{
    char *path = g_strdup("/tmp/test-residue-XXXXXX");
    int fd = g_mkstemp(path);

    assert_true(fd >= 0);
    put(fd, before);
    put_secret(fd);
    put(fd, after);
    assert_int_equal(fchmod(fd, 0600), 0);
    close(fd);
    return path;
}

static DialtoneSecrets *load(const char *path, GError **error)
{
    static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};
    int fd = dialtone_secrets_open(path, geteuid(), error);

    assert_true(fd >= 0);
    DialtoneSecrets *secrets = dialtone_secrets_read(fd, path, &memory, error);
    close(fd);
    g_unlink(path);
    return secrets;
}

/* ---- cases ---- */

static int setup(void **state)
{
    for (gsize i = 0; i < SECRET_SIZE; i++)
        masked[i] = (guint8)(g_random_int_range('a', 'z' + 1) ^ MASK);
    return 0;
}

static void test_the_search_finds_what_is_there(void **state)
{
    g_autofree char *plain = g_malloc0(SECRET_SIZE);

    assert_int_equal(count_in_memory(), 0);
    for (gsize i = 0; i < SECRET_SIZE; i++)
        plain[i] = secret_byte(i);
    assert_int_equal(count_in_memory(), 1);
    platform_secret_wipe(plain, SECRET_SIZE);
    assert_int_equal(count_in_memory(), 0);
}

static void test_e14_a_secret_is_in_memory_once_and_then_not_at_all(void **state)
{
    g_autofree char *path = make_file("[Secrets]\nPSK=", "\nUser=alice\n");
    DialtoneSecrets *secrets = load(path, NULL);

    assert_non_null(secrets);
    assert_int_equal(secrets->psk.n, SECRET_SIZE);
    assert_int_equal(count_in_memory(), 1);
    assert_true(count_in(secrets->psk.bytes, secrets->psk.bytes + SECRET_SIZE) == 1);
    dialtone_secrets_free(secrets);
    assert_int_equal(count_in_memory(), 0);
}

static void test_e14_a_refused_file_leaves_nothing_behind(void **state)
{
    static const char *const around[][2] = {
        {"[Secrets]\nPSK=", "\nPSK=again\n"},
        {"[Secrets]\nPSK=0x", "\n"},
        {"[Secrets]\n", "\n"},
        {"[Secrets]\nPassword=", "\nNonsense=x\n"},
        {"PSK=", "\n"},
        {"[Secrets]\nUser=", "\x01\n"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(around); i++) {
        g_autofree char *path = make_file(around[i][0], around[i][1]);
        g_autoptr(GError) error = NULL;
        assert_null(load(path, &error));
        assert_non_null(error);
        assert_int_equal(count_in_memory(), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_search_finds_what_is_there, setup),
        cmocka_unit_test_setup(test_e14_a_secret_is_in_memory_once_and_then_not_at_all, setup),
        cmocka_unit_test_setup(test_e14_a_refused_file_leaves_nothing_behind, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
