/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets that users use and can't read. The administrator relies on a file that others can read
 * being refused, and on no profile taking more than it says it takes.
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/profile/system-secrets.h"
#include "platform/secret-memory.h"

#define SECRETS  "/etc/dialtone/secrets/"
#define PSK_LINE "[Secrets]\nPSK=correct horse\n"
#define ALL_LINES                                                                                  \
    PSK_LINE "User=alice\nPassword=battery staple\nPassphrase=of the key\nPasscode=123456\n"

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static DialtoneProfile *profile_of(const char *more)
{
    g_autofree char *text =
        g_strconcat(GOOD_PROFILE "[Profile]\nName=Office\nUUID=" UUID_A "\n", more, NULL);
    return expect_valid(text);
}

static DialtoneSecrets *get(const StoreKit *kit, const char *more, const char *credentials,
                            GError **error)
{
    const DialtoneSystemSecretsSetup setup = {
        .root = kit->root, .group = getgid(), .credentials = credentials, .memory = &MEMORY};
    g_autoptr(DialtoneSystemSecrets) secrets = dialtone_system_secrets_new(&setup);
    g_autoptr(DialtoneProfile) profile = profile_of(more);

    return dialtone_system_secrets_get(secrets, profile, error);
}

static void expect_failure(const StoreKit *kit, const char *more, DialtoneFailure reason,
                           const char *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = get(kit, more, NULL, &error);

    assert_null(secrets);
    assert_int_equal(dialtone_failure_of(error), reason);
    if (strstr(error->message, said) == NULL)
        fail_msg("'%s' does not say '%s'", error->message, said);
    assert_null(strstr(error->message, "horse"));
}

static void expect_secret(const DialtoneSecret *secret, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(secret->bytes);
        return;
    }
    assert_int_equal(secret->n, strlen(wanted));
    assert_memory_equal(secret->bytes, wanted, secret->n);
}

static const char WANTS_PSK[] = "[Secrets]\nPSK=system\n";

static void test_e9_files_that_others_can_read_or_write_are_refused(void **state)
{
    static const guint modes[] = {0644, 0604, 0660, 0602, 0750, 0641, 0666};
    const StoreKit *kit = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, modes[i]);
        expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, UUID_A ": ");
    }
}

static void test_e9_a_group_that_is_not_the_service_s_is_refused(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneSystemSecretsSetup setup = {
        .root = kit->root, .group = (gid_t)-1, .memory = &MEMORY};
    g_autoptr(DialtoneSystemSecrets) secrets = dialtone_system_secrets_new(&setup);
    g_autoptr(DialtoneProfile) profile = profile_of(WANTS_PSK);
    g_autofree char *path = g_strconcat(kit->path, SECRETS UUID_A, NULL);
    g_autoptr(GError) error = NULL;

    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0640);
    if (chown(path, (uid_t)-1, 4711) != 0)
        skip(); /* only root can give it to any group */
    assert_null(dialtone_system_secrets_get(secrets, profile, &error));
    assert_non_null(strstr(error->message, "chgrp dialtone"));
    assert_int_equal(g_chmod(path, 0600), 0);
    g_autoptr(DialtoneSecrets) strict = dialtone_system_secrets_get(secrets, profile, NULL);
    assert_non_null(strict);
}

static void test_e6_links_and_foreign_files_are_refused(void **state)
{
    StoreKit *kit = *state;
    g_autofree char *path = g_strconcat(kit->path, SECRETS UUID_A, NULL);

    store_kit_put_at(kit, SECRETS "elsewhere", PSK_LINE, 0600);
    assert_int_equal(symlink("elsewhere", path), 0);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, "it is a link");
    g_remove(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, "no regular file");
    g_remove(path);
    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0600);
    kit->root.owner++;
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, "does not belong to");
    kit->root.owner--;
}

static void test_a_folder_that_others_can_write_to_is_refused(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *folder = g_strconcat(kit->path, SECRETS, NULL);

    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0600);
    assert_int_equal(g_chmod(folder, 0777), 0);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, "can write to it");
}

static void test_what_is_not_there_is_missing(void **state)
{
    const StoreKit *kit = *state;

    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_SECRET_MISSING, UUID_A " is not there");
    store_kit_put_at(kit, SECRETS UUID_B, PSK_LINE, 0600);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_SECRET_MISSING, UUID_A " is not there");
    store_kit_put_at(kit, SECRETS UUID_A, "[Secrets]\nUser=alice\n", 0600);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_SECRET_MISSING, "has no PSK=");
    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0600);
    expect_failure(kit, "[Secrets]\nPassword=system\n", DIALTONE_FAILURE_SECRET_MISSING,
                   "has no Password=");
}

static void test_mistakes_are_told_at_their_line(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put_at(kit, SECRETS UUID_A, "[Secrets]\nPKS=correct horse\n", 0600);
    expect_failure(kit, WANTS_PSK, DIALTONE_FAILURE_PROFILE_INVALID, UUID_A ":2: ");
}

static void test_a_profile_takes_no_more_than_it_says(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put_at(kit, SECRETS UUID_A, ALL_LINES, 0640);
    g_autoptr(DialtoneSecrets) psk = get(kit, WANTS_PSK, NULL, NULL);
    g_autoptr(DialtoneSecrets) password = get(kit, "[Secrets]\nPassword=system\n", NULL, NULL);
    assert_non_null(psk);
    assert_non_null(password);
    expect_secret(&psk->psk, "correct horse");
    expect_secret(&psk->password, NULL);
    expect_secret(&psk->user, NULL);
    expect_secret(&psk->passphrase, "of the key");
    expect_secret(&password->psk, NULL);
    expect_secret(&password->password, "battery staple");
    expect_secret(&password->user, "alice");
    assert_int_equal(psk->n_passcodes, 0);
    assert_int_equal(password->n_passcodes, 0);
}

static void test_who_wants_none_is_known(void **state G_GNUC_UNUSED)
{
    g_autoptr(DialtoneProfile) none = profile_of("");
    g_autoptr(DialtoneProfile) psk = profile_of(WANTS_PSK);
    g_autoptr(DialtoneProfile) plain =
        profile_of("[UserAuth]\nXAuth=no\n[Secrets]\nPassword=system\n");

    assert_false(dialtone_profile_wants_system_secrets(none));
    assert_true(dialtone_profile_wants_system_secrets(psk));
    assert_false(dialtone_profile_wants_system_secrets(plain));
}

/* ---- credentials ---- */

static void test_a_credential_is_taken_where_there_is_no_file(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *folder = g_strconcat(kit->path, "/credentials", NULL);

    store_kit_put_at(kit, "/credentials/" UUID_A, "[Secrets]\nPSK=by the unit\n", 0400);
    store_kit_put_at(kit, "/credentials/other", "not for us", 0400);
    g_autoptr(DialtoneSecrets) secrets = get(kit, WANTS_PSK, folder, NULL);
    assert_non_null(secrets);
    expect_secret(&secrets->psk, "by the unit");
    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0640);
    g_autoptr(DialtoneSecrets) file = get(kit, WANTS_PSK, folder, NULL);
    assert_non_null(file);
    expect_secret(&file->psk, "correct horse");
}

/* A file that is too lax was meant; the credential would hide that. */
static void test_a_credential_does_not_stand_in_for_a_bad_file(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *folder = g_strconcat(kit->path, "/credentials", NULL);
    g_autoptr(GError) error = NULL;

    store_kit_put_at(kit, "/credentials/" UUID_A, PSK_LINE, 0400);
    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0644);
    assert_null(get(kit, WANTS_PSK, folder, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
}

static void test_credentials_are_read_at_the_start(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *folder = g_strconcat(kit->path, "/credentials", NULL);
    g_autofree char *file = g_strconcat(folder, "/" UUID_A, NULL);
    const DialtoneSystemSecretsSetup setup = {
        .root = kit->root, .group = getgid(), .credentials = folder, .memory = &MEMORY};
    g_autoptr(DialtoneProfile) profile = profile_of(WANTS_PSK);

    store_kit_put_at(kit, "/credentials/" UUID_A, PSK_LINE, 0400);
    g_autoptr(DialtoneSystemSecrets) secrets = dialtone_system_secrets_new(&setup);
    assert_int_equal(g_remove(file), 0);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(DialtoneSecrets) got = dialtone_system_secrets_get(secrets, profile, NULL);
        assert_non_null(got);
        expect_secret(&got->psk, "correct horse");
    }
}

static void test_a_credential_that_is_too_large_is_refused(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *folder = g_strconcat(kit->path, "/credentials", NULL);
    g_autofree char *file = g_strconcat(folder, "/" UUID_A, NULL);
    g_autoptr(GError) error = NULL;

    store_kit_put_at(kit, "/credentials/" UUID_A, PSK_LINE, 0600);
    assert_int_equal(truncate(file, 10 * 1024 * 1024), 0);
    assert_null(get(kit, WANTS_PSK, folder, &error));
    assert_non_null(strstr(error->message, "could not be read"));
}

/* ---- watching ---- */

static void on_changed(gpointer data)
{
    (*(guint *)data)++;
}

static gboolean on_late(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_REMOVE;
}

static void test_files_are_watched(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneSystemSecretsSetup setup = {
        .root = kit->root, .group = getgid(), .memory = &MEMORY};
    g_autoptr(DialtoneSystemSecrets) secrets = dialtone_system_secrets_new(&setup);
    guint calls = 0;
    g_autoptr(DialtoneFolderWatch) watch =
        dialtone_system_secrets_watch(secrets, on_changed, &calls);
    assert_non_null(watch);
    bool late = false;
    guint timer = g_timeout_add_seconds(20, on_late, &late);

    store_kit_put_at(kit, SECRETS UUID_A, PSK_LINE, 0640);
    while (calls == 0 && !late)
        g_main_context_iteration(NULL, TRUE);
    assert_true(calls > 0);
    if (!late)
        g_source_remove(timer);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_e9_files_that_others_can_read_or_write_are_refused),
        CASE(test_e9_a_group_that_is_not_the_service_s_is_refused),
        CASE(test_e6_links_and_foreign_files_are_refused),
        CASE(test_a_folder_that_others_can_write_to_is_refused),
        CASE(test_what_is_not_there_is_missing),
        CASE(test_mistakes_are_told_at_their_line),
        CASE(test_a_profile_takes_no_more_than_it_says),
        CASE(test_who_wants_none_is_known),
        CASE(test_a_credential_is_taken_where_there_is_no_file),
        CASE(test_a_credential_does_not_stand_in_for_a_bad_file),
        CASE(test_credentials_are_read_at_the_start),
        CASE(test_a_credential_that_is_too_large_is_refused),
        CASE(test_files_are_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
