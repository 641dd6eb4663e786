/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secrets file: whose it must be, what its bytes mean, and that none of them gets into a
 * message or stays behind in memory. The allocator here counts, fills and checks, so that a value
 * that was not given back to it, or not taken from it, fails a case.
 */
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
#include "client/profile/secrets.h"

/* ---- memory that watches ---- */

static guint living;
static gint fail_after = -1; /* how many allocations succeed; -1: all */

static void *watch_alloc(size_t n)
{
    if (fail_after == 0)
        return NULL;
    fail_after -= fail_after > 0;
    size_t *memory = g_malloc0(sizeof(size_t) + n);
    *memory = n;
    living++;
    return memory + 1;
}

static void *watch_free(void *given)
{
    if (given == NULL)
        return NULL;
    size_t *memory = (size_t *)given - 1;
    memset(given, 0xee, *memory);
    g_free(memory);
    living--;
    return NULL;
}

static const DialtoneSecretMemory watched = {watch_alloc, watch_free};

static int setup(void **state)
{
    living = 0;
    fail_after = -1;
    return 0;
}

static int teardown(void **state)
{
    return living == 0 ? 0 : -1;
}

/* ---- helpers ---- */

static DialtoneSecrets *parse(const char *text, gsize n, GError **error)
{
    g_autofree char *exact = g_memdup2(text, n); /* nothing behind it: ASan sees overreads */

    return dialtone_secrets_parse(exact, n, "F", &watched, error);
}

static DialtoneSecrets *expect_secrets(const char *text, gsize n)
{
    g_autoptr(GError) error = NULL;
    DialtoneSecrets *secrets = parse(text, n, &error);

    if (secrets == NULL)
        fail_msg("refused: %s", error->message);
    return secrets;
}

static void assert_secret(const DialtoneSecret *secret, const void *bytes, gsize n)
{
    /* The compiler does not know that an assertion ends a case. */
    if (secret == NULL || secret->bytes == NULL)
        fail_msg("there is none");
    else if (secret->n != n)
        fail_msg("it has %zu bytes, not %zu", (size_t)secret->n, (size_t)n);
    else
        assert_memory_equal(secret->bytes, bytes, n);
}

static void expect_refused(const char *text, gsize n, const char *where, const char *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = parse(text, n, &error);

    assert_null(secrets);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_non_null(dialtone_failure_advice(error));
    if (!g_str_has_prefix(error->message, where) || strstr(error->message, said) == NULL)
        fail_msg("'%s' does not begin '%s' and say '%s'", error->message, where, said);
}

#define EXPECT_REFUSED(text, where, said) expect_refused(text, sizeof(text) - 1, where, said)

/* ---- values, byte for byte ---- */

static void test_the_sample_is_read(void **state)
{
    g_autofree char *path = g_build_filename(DIALTONE_SOURCE_DIR, "docs/sample.secrets", NULL);
    g_autofree char *text = NULL;
    gsize n = 0;

    assert_true(g_file_get_contents(path, &text, &n, NULL));
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, n);
    assert_secret(&secrets->psk, "correct horse battery staple", 28);
    assert_secret(&secrets->user, "alice", 5);
    assert_secret(&secrets->password, "...", 3);
    assert_secret(&secrets->passphrase, "...", 3);
}

static void test_values_are_literal_to_the_end_of_the_line(void **state)
{
    static const char *const passwords[] = {
        "plain",
        " leading and trailing ",
        "  ",
        "\t",
        "\"quoted\"",
        "'",
        "a # b",
        "#",
        ";a;b;",
        "a=b=c",
        "=",
        "\\",
        "\\n\\s\\t",
        "C:\\new",
        "münchen Straße",
        "日本語",
        "\xff\xfe\x80",
        "$HOME `id` $(id) %s%n",
        "[Secrets]",
        "[x",
        "<b>&amp;",
        "0X1",
        "00",
        "Text:x",
        " 0x1",
        " text:x",
        "\x01\x7f",
        "\r",
        "x\r",
        "PSK=x",
        "a,b",
        "~!@#$%^&*()_+{}|:\"<>?",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(passwords); i++) {
        g_autofree char *text = g_strdup_printf("[Secrets]\nPSK=%s\nPassword=%s\nPassphrase=%s",
                                                passwords[i], passwords[i], passwords[i]);
        g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, strlen(text));
        assert_secret(&secrets->psk, passwords[i], strlen(passwords[i]));
        assert_secret(&secrets->password, passwords[i], strlen(passwords[i]));
        assert_secret(&secrets->passphrase, passwords[i], strlen(passwords[i]));
    }
}

static void test_every_byte_but_nul_and_lf_is_literal(void **state)
{
    for (guint byte = 1; byte < 256; byte++) {
        if (byte == '\n')
            continue;
        g_autofree char *text =
            g_strdup_printf("[Secrets]\nPSK=a%cb\nPassword=%c%c\n", byte, byte, byte);
        const guint8 psk[3] = {'a', (guint8)byte, 'b'}, password[2] = {(guint8)byte, (guint8)byte};
        g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, strlen(text));
        assert_secret(&secrets->psk, psk, 3);
        assert_secret(&secrets->password, password, 2);
    }
}

static void test_0x_is_bytes(void **state)
{
    static const char text[] = "[Secrets]\nPSK=0x00ff10Ab\nPassword=0x0a0d00\n";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_secret(&secrets->psk, "\x00\xff\x10\xab", 4);
    assert_secret(&secrets->password, "\n\r\0", 3);
}

static void test_text_forces_literal(void **state)
{
    static const char text[] = "[Secrets]\nPSK=text:0x00ff\nUser=text:text:x\nPassword=text:\n"
                               "Passphrase=text: \n";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_secret(&secrets->psk, "0x00ff", 6);
    assert_secret(&secrets->user, "text:x", 6);
    assert_secret(&secrets->password, "", 0);
    assert_secret(&secrets->passphrase, " ", 1);
}

static void test_what_is_not_there_is_null(void **state)
{
    static const char text[] = "[Secrets]\nPSK=x\n";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_null(secrets->user.bytes);
    assert_null(secrets->password.bytes);
    assert_null(secrets->passphrase.bytes);
}

static void test_comments_blank_lines_and_a_mark_are_skipped(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf\n# a comment = x\n\n  [Secrets]  \n\t# PSK=y\n  PSK =x\n\n";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_secret(&secrets->psk, "x", 1);
}

static void test_a_crlf_file_has_no_cr_in_its_secrets(void **state)
{
    static const char text[] = "# from Windows\r\n[Secrets]\r\nPSK=key \r\nPassword=x\r\r\nUser=a";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_secret(&secrets->psk, "key ", 4);
    assert_secret(&secrets->password, "x\r", 2);
    assert_secret(&secrets->user, "a", 1);
}

static void test_a_cr_in_an_lf_file_is_literal(void **state)
{
    static const char text[] = "[Secrets]\nPSK=key\r\n";
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text, sizeof(text) - 1);

    assert_secret(&secrets->psk, "key\r", 4);
}

static void test_a_secret_may_have_4096_bytes_and_not_one_more(void **state)
{
    for (gsize n = 4096; n <= 4097; n++) {
        g_autofree char *value = g_strnfill(n, 'x');
        g_autofree char *text = g_strconcat("[Secrets]\nPSK=", value, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneSecrets) secrets = parse(text, strlen(text), &error);
        assert_int_equal(secrets != NULL, n == 4096);
    }
}

/* ---- what is refused ---- */

static void test_half_a_byte_is_refused(void **state)
{
    EXPECT_REFUSED("[Secrets]\nPSK=0x123\n", "F:2: [Secrets] PSK: ", "even number");
    EXPECT_REFUSED("[Secrets]\nPSK=0x\n", "F:2: [Secrets] PSK: ", "even number");
}

static void test_no_hex_behind_0x_is_refused(void **state)
{
    EXPECT_REFUSED("[Secrets]\n\nPassword=0x12zz\n", "F:3: [Secrets] Password: ", "text:");
    EXPECT_REFUSED("[Secrets]\nPSK=0x12 34\n", "F:2: [Secrets] PSK: ", "even number");
    EXPECT_REFUSED("[Secrets]\nPSK=0x 1234 \n", "F:2: [Secrets] PSK: ", "text:");
    EXPECT_REFUSED("[Secrets]\nPSK=0x12\xc3\xa9\n", "F:2: [Secrets] PSK: ", "text:");
}

static void test_no_secret_is_refused(void **state)
{
    EXPECT_REFUSED("", "F:1: [Secrets]: ", "holds no secret");
    EXPECT_REFUSED("[Secrets]\n", "F:1: [Secrets]: ", "holds no secret");
    EXPECT_REFUSED("[Secrets]\nPSK=\n", "F:2: [Secrets] PSK: ", "nothing stands behind");
    EXPECT_REFUSED("[Secrets]\nPSK=text:\n", "F:2: [Secrets] PSK: ", "nothing stands behind");
    EXPECT_REFUSED("[Secrets]\nPassword=\n", "F:2: [Secrets] Password: ", "nothing stands behind");
}

static void test_wrong_lines_are_refused(void **state)
{
    EXPECT_REFUSED("PSK=x\n", "F:1: [Secrets]: ", "begin the file with [Secrets]");
    EXPECT_REFUSED("[Secrets]\njust a password\n", "F:2: [Secrets]: ", "no key");
    EXPECT_REFUSED("[Secrets]\n=x\n", "F:2: [Secrets]: ", "no key");
    EXPECT_REFUSED("[Secret]\nPSK=x\n", "F:1: [Secrets]: ", "only group");
    EXPECT_REFUSED("[Secrets]\nPSK=x\n[Secrets]\n", "F:3: [Secrets]: ", "twice");
    EXPECT_REFUSED("[Secrets]\nPSK=x\nPSK=y\n", "F:3: [Secrets] PSK: ", "twice");
    EXPECT_REFUSED("[Secrets]\nPassphrse=x\n", "F:2: [Secrets]: ", "did you mean Passphrase?");
    EXPECT_REFUSED("[Secrets]\npsk=x\n", "F:2: [Secrets]: ", "did you mean PSK?");
    EXPECT_REFUSED("[Secrets]\nPSK=a\0b\n", "F:2: [Secrets]: ", "NUL");
}

static void test_e1_control_characters_in_a_user_are_refused(void **state)
{
    EXPECT_REFUSED("[Secrets]\nUser=a\x01\n", "F:2: [Secrets] User: ", "control characters");
    EXPECT_REFUSED("[Secrets]\nUser=0x610a62\n", "F:2: [Secrets] User: ", "control characters");
}

static void test_all_mistakes_are_listed(void **state)
{
    static const char text[] = "[Secrets]\nPSK=0x1\nFoo=x\nPassword=\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = parse(text, sizeof(text) - 1, &error);
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);

    assert_null(secrets);
    assert_int_equal(g_strv_length(lines), 3);
}

static void test_no_message_quotes_a_secret(void **state)
{
    static const char *const texts[] = {
        "[Secrets]\nPSK=0xhunter2\n",
        "[Secrets]\nhunter2\n",
        "[Secrets]\nhunter2=x\n",
        "hunter2\n",
        "[hunter2]\n",
        "[Secrets]\nPSK=hunter2\nPSK=hunter2\n",
        "[Secrets]\nPsk=hunter2\n",
        "[Secrets]\nUser=hunter2\x01\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneSecrets) secrets = parse(texts[i], strlen(texts[i]), &error);
        assert_null(secrets);
        assert_null(strstr(error->message, "hunter2"));
        assert_null(strstr(dialtone_failure_advice(error), "hunter2"));
    }
}

static void test_codes_stand_in_their_order_and_are_bounded(void **state)
{
    g_autoptr(GString) text = g_string_new("[Secrets]\n");

    for (int i = 0; i < DIALTONE_PASSCODES_MAX; i++)
        g_string_append_printf(text, "Passcode=%d\n", i);
    g_autoptr(DialtoneSecrets) secrets = expect_secrets(text->str, text->len);
    assert_int_equal(secrets->n_passcodes, DIALTONE_PASSCODES_MAX);
    assert_memory_equal(secrets->passcodes[0].bytes, "0", 1);
    assert_memory_equal(secrets->passcodes[DIALTONE_PASSCODES_MAX - 1].bytes, "7", 1);
    g_string_append(text, "Passcode=one too many\n");
    expect_refused(text->str, text->len, "F:10: [Secrets] Passcode: ", "more than 8 codes");
    EXPECT_REFUSED("[Secrets]\nPasscode=\n", "F:2: [Secrets] Passcode: ", "nothing stands behind");
}

static void test_a_typed_key_follows_the_rules_of_the_file(void **state)
{
    static const char *const wrong[] = {"0x1", "0xzz", "", "text:"};
    g_autoptr(DialtoneSecrets) hex = dialtone_secrets_typed_psk("0x00ff", 6, &watched, NULL);
    g_autoptr(DialtoneSecrets) text = dialtone_secrets_typed_psk("text:0x1 ", 9, &watched, NULL);

    assert_memory_equal(hex->psk.bytes, "\0\xff", 2);
    assert_int_equal(hex->psk.n, 2);
    assert_memory_equal(text->psk.bytes, "0x1 ", 4);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(dialtone_secrets_typed_psk(wrong[i], strlen(wrong[i]), &watched, &error));
        assert_true(g_str_has_prefix(error->message, "That is no preshared key: "));
    }
}

static void test_no_memory_is_an_error_and_loses_nothing(void **state)
{
    static const char text[] = "[Secrets]\nPSK=x\nUser=y\nPassword=z\nPassphrase=w\n";

    for (gint n = 0; n < 4; n++) {
        g_autoptr(GError) error = NULL;
        fail_after = n;
        g_autoptr(DialtoneSecrets) secrets = parse(text, sizeof(text) - 1, &error);
        assert_null(secrets);
        assert_non_null(error);
        assert_int_equal(living, 0);
    }
}

static void test_every_truncation_is_secrets_or_an_error(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf# c\r\n[Secrets]\r\nPSK=0xaabb\r\nUser=text:a\r\nPassword=\\\r\n";

    for (gsize n = 0; n < sizeof(text); n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneSecrets) secrets = parse(text, n, &error);
        assert_int_equal(secrets == NULL, error != NULL);
    }
}

/* ---- the file ---- */

static char *make_file(const char *text, mode_t mode)
{
    char *path = g_strdup("/tmp/test-secrets-XXXXXX");
    int fd = g_mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static DialtoneSecrets *load(const char *path, uid_t caller, GError **error)
{
    int fd = dialtone_secrets_open(path, caller, error);
    if (fd < 0)
        return NULL;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    DialtoneSecrets *secrets = dialtone_secrets_read(fd, path, &watched, error);
    close(fd);
    return secrets;
}

static void test_only_modes_0600_and_0400_are_accepted(void **state)
{
    for (mode_t mode = 0; mode <= 0777; mode++) {
        if (geteuid() != 0 && !(mode & 0400))
            continue; /* can't be opened to begin with */
        g_autofree char *path = make_file("[Secrets]\nPSK=x\n", mode);
        g_autoptr(GError) error = NULL;
        g_autoptr(DialtoneSecrets) secrets = load(path, geteuid(), &error);
        g_unlink(path);
        assert_int_equal(secrets != NULL, mode == 0600 || mode == 0400);
        if (secrets == NULL) {
            assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
            assert_non_null(strstr(dialtone_failure_advice(error), "chmod 600"));
        }
    }
}

static void test_e5_a_file_of_another_user_is_refused(void **state)
{
    g_autofree char *path = make_file("[Secrets]\nPSK=x\n", 0600);
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) mine = load(path, geteuid(), NULL);

    assert_non_null(mine);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 4343, 4343), 0);
    /* As another caller, where the file can't be given away. */
    g_autoptr(DialtoneSecrets) theirs = load(path, geteuid() == 0 ? 0 : 1, &error);
    g_unlink(path);
    assert_null(theirs);
    assert_non_null(strstr(error->message, "belongs to another user"));
}

static void test_a_file_of_root_is_accepted_for_any_caller(void **state)
{
    if (geteuid() != 0)
        skip();
    g_autofree char *path = make_file("[Secrets]\nPSK=x\n", 0400);
    g_autoptr(DialtoneSecrets) secrets = load(path, 4242, NULL);

    g_unlink(path);
    assert_non_null(secrets);
}

/* The name says nothing about the file: the open file is asked. */
static void test_e5_a_link_to_a_file_of_another_user_is_refused(void **state)
{
    if (geteuid() != 0)
        skip();
    g_autofree char *path = make_file("[Secrets]\nPSK=x\n", 0600);
    g_autofree char *link = g_strconcat(path, ".link", NULL);
    assert_int_equal(chown(path, 4343, 4343), 0);
    assert_int_equal(symlink(path, link), 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = load(link, 0, &error);

    g_unlink(link);
    g_unlink(path);
    assert_null(secrets);
    assert_non_null(strstr(error->message, "belongs to another user"));
}

static void test_directories_devices_and_nothing_are_refused(void **state)
{
    static const char *const paths[] = {"/tmp", "/dev/zero", "/tmp/no-such-secrets-file", ""};

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(dialtone_secrets_open(paths[i], 0, &error), -1);
        assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    }
}

static void test_a_fifo_without_a_writer_does_not_hang(void **state)
{
    g_autofree char *path = g_strdup_printf("/tmp/test-secrets-fifo-%d", (int)getpid());
    g_autoptr(GError) error = NULL;

    assert_int_equal(mkfifo(path, 0600), 0);
    g_autoptr(DialtoneSecrets) secrets = load(path, geteuid(), &error);
    g_unlink(path);
    assert_null(secrets);
    assert_non_null(strstr(error->message, "holds no secret"));
}

static void test_a_large_file_is_refused(void **state)
{
    g_autofree char *comment = g_strnfill(70 * 1024, '#');
    g_autofree char *path = make_file(comment, 0600);
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = load(path, geteuid(), &error);

    g_unlink(path);
    assert_null(secrets);
    assert_non_null(strstr(error->message, "too large"));
}

static void test_standard_input_is_read(void **state)
{
    int ends[2], saved = dup(STDIN_FILENO);
    static const char text[] = "[Secrets]\nPSK= a b \n";

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof(text) - 1), sizeof(text) - 1);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    g_autoptr(DialtoneSecrets) secrets = load("-", 4242, NULL);
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_non_null(secrets);
    assert_secret(&secrets->psk, " a b ", 5);
}

static void test_standard_input_is_named_in_messages(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = dialtone_secrets_parse("x", 1, "-", &watched, &error);

    assert_null(secrets);
    assert_true(g_str_has_prefix(error->message, "standard input:1: "));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_the_sample_is_read),
        CASE(test_values_are_literal_to_the_end_of_the_line),
        CASE(test_every_byte_but_nul_and_lf_is_literal),
        CASE(test_0x_is_bytes),
        CASE(test_text_forces_literal),
        CASE(test_what_is_not_there_is_null),
        CASE(test_comments_blank_lines_and_a_mark_are_skipped),
        CASE(test_a_crlf_file_has_no_cr_in_its_secrets),
        CASE(test_a_cr_in_an_lf_file_is_literal),
        CASE(test_a_secret_may_have_4096_bytes_and_not_one_more),
        CASE(test_half_a_byte_is_refused),
        CASE(test_no_hex_behind_0x_is_refused),
        CASE(test_no_secret_is_refused),
        CASE(test_wrong_lines_are_refused),
        CASE(test_e1_control_characters_in_a_user_are_refused),
        CASE(test_all_mistakes_are_listed),
        CASE(test_no_message_quotes_a_secret),
        CASE(test_codes_stand_in_their_order_and_are_bounded),
        CASE(test_a_typed_key_follows_the_rules_of_the_file),
        CASE(test_no_memory_is_an_error_and_loses_nothing),
        CASE(test_every_truncation_is_secrets_or_an_error),
        CASE(test_only_modes_0600_and_0400_are_accepted),
        CASE(test_e5_a_file_of_another_user_is_refused),
        CASE(test_a_file_of_root_is_accepted_for_any_caller),
        CASE(test_e5_a_link_to_a_file_of_another_user_is_refused),
        CASE(test_directories_devices_and_nothing_are_refused),
        CASE(test_a_fifo_without_a_writer_does_not_hang),
        CASE(test_a_large_file_is_refused),
        CASE(test_standard_input_is_read),
        CASE(test_standard_input_is_named_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
