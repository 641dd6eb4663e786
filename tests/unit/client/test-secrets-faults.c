/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are read while the kernel is in a bad mood: reads that are short, interrupted or
 * fail, and a stat that fails. The linker sends the calls of the code under test through here.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/common/failure.h"
#include "client/profile/store.h"
#include "client/profile/secrets.h"
#include "platform/secret-memory.h"

static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};

/* ---- the mood ---- */

static struct {
    size_t at_most;    /* bytes a read gives; 0: as asked */
    guint interrupted; /* reads that end with EINTR before each that works */
    int fails_with;    /* errno, after `works` reads */
    guint works;
    bool stat_fails;
    guint reads;
} mood;

ssize_t __real_read(int fd, void *buffer, size_t n);
ssize_t __wrap_read(int fd, void *buffer, size_t n);
/* fstat() is called by this name where file offsets have 64 bits. */
int __real_fstat64(int fd, struct stat *info);
int __wrap_fstat64(int fd, struct stat *info);

ssize_t __wrap_read(int fd, void *buffer, size_t n)
{
    mood.reads++;
    if (mood.interrupted > 0 && mood.reads % (mood.interrupted + 1) != 0) {
        errno = EINTR;
        return -1;
    }
    if (mood.fails_with != 0 && mood.reads > mood.works) {
        errno = mood.fails_with;
        return -1;
    }
    return __real_read(fd, buffer, mood.at_most != 0 ? MIN(mood.at_most, n) : n);
}

/* What a read becomes where the compiler knows the buffer's size and can't prove that it fits. */
ssize_t __wrap___read_chk(int fd, void *buffer, size_t n, size_t size);
ssize_t __wrap___read_chk(int fd, void *buffer, size_t n, size_t size)
{
    assert_true(n <= size);
    return __wrap_read(fd, buffer, n);
}

int __wrap_fstat64(int fd, struct stat *info)
{
    if (mood.stat_fails) {
        errno = EOVERFLOW;
        return -1;
    }
    return __real_fstat64(fd, info);
}

/* ---- files ---- */

static const char SECRETS[] = "[Secrets]\nPSK=correct horse battery staple\n";
static const char PROFILE[] = "[Gateway]\nAddress=a.example\n[Identity]\nID=a@b.c\nAuth=psk\n";

static char *make_file(const char *text)
{
    char *path = g_strdup("/tmp/test-faults-XXXXXX");
    int fd = g_mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, 0600), 0);
    close(fd);
    return path;
}

static guint open_descriptors(void)
{
    guint n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static DialtoneSecrets *load_secrets(GError **error)
{
    g_autofree char *path = make_file(SECRETS);
    DialtoneSecrets *secrets = NULL;
    int fd = dialtone_secrets_open(path, geteuid(), error);

    if (fd >= 0) {
        secrets = dialtone_secrets_read(fd, path, &memory, error);
        close(fd);
    }
    g_unlink(path);
    return secrets;
}

static DialtoneFound *load_profile(GError **error)
{
    const DialtoneStore nobody_s = {.root = {.path = "/nonexistent"}};
    g_autofree char *path = make_file(PROFILE);
    DialtoneFound *found = dialtone_store_load(&nobody_s, path, false, error);

    g_unlink(path);
    return found;
}

static void expect_both_work(void)
{
    g_autoptr(DialtoneSecrets) secrets = load_secrets(NULL);
    g_autoptr(DialtoneFound) found = load_profile(NULL);

    assert_true(secrets != NULL && secrets->psk.n == 28);
    assert_true(found != NULL && strcmp(found->profile->id.value, "a@b.c") == 0);
}

static void expect_both_fail(int number)
{
    g_autoptr(GError) one = NULL, two = NULL;
    guint before = open_descriptors();

    mood.reads = 0;
    assert_null(load_secrets(&one));
    mood.reads = 0;
    assert_null(load_profile(&two));
    assert_int_equal(dialtone_failure_of(one), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_int_equal(dialtone_failure_of(two), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_non_null(strstr(one->message, g_strerror(number)));
    assert_non_null(strstr(two->message, g_strerror(number)));
    assert_int_equal(open_descriptors(), before);
}

static int calm(void **state)
{
    memset(&mood, 0, sizeof(mood));
    return 0;
}

/* ---- cases ---- */

static void test_one_byte_a_read_is_enough(void **state)
{
    mood.at_most = 1;
    expect_both_work();
}

static void test_interrupted_reads_are_taken_up_again(void **state)
{
    mood.interrupted = 3;
    mood.at_most = 7;
    expect_both_work();
}

static void test_a_read_that_fails_at_once_is_an_error(void **state)
{
    mood.fails_with = EIO;
    expect_both_fail(EIO);
}

static void test_a_read_that_fails_in_the_middle_is_an_error(void **state)
{
    mood.fails_with = ESTALE;
    mood.at_most = 10;
    mood.works = 2;
    expect_both_fail(ESTALE);
}

static void test_a_stat_that_fails_is_an_error(void **state)
{
    mood.stat_fails = true;
    expect_both_fail(EOVERFLOW);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_byte_a_read_is_enough, calm, calm),
        cmocka_unit_test_setup_teardown(test_interrupted_reads_are_taken_up_again, calm, calm),
        cmocka_unit_test_setup_teardown(test_a_read_that_fails_at_once_is_an_error, calm, calm),
        cmocka_unit_test_setup_teardown(test_a_read_that_fails_in_the_middle_is_an_error, calm,
                                        calm),
        cmocka_unit_test_setup_teardown(test_a_stat_that_fails_is_an_error, calm, calm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
