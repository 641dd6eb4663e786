/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a profile of the system: below two folders, through no link, written by their owner
 * alone, and a private key read by nobody but the service. */
#include "credential-kit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"

static KitPair root, alice;
static char *place; /* before /etc */
static DialtoneRoot system_root;

static void put(const char *path, const char *from, mode_t mode)
{
    g_autofree char *to = g_strconcat(place, path, NULL), *above = g_path_get_dirname(to);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    assert_int_equal(g_mkdir_with_parents(above, 0755), 0);
    assert_true(g_file_get_contents(from, &bytes, &n, NULL));
    assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
    assert_int_equal(g_chmod(to, mode), 0);
}

static int begin(void **state)
{
    X509 *const authorities[] = {root.certificate, NULL}, *const own[] = {alice.certificate, NULL};
    assert_int_equal(kit_setup(state), 0);
    place = kit_path("root");
    system_root = (DialtoneRoot){.path = place, .owner = getuid()};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    g_autofree char *key = kit_write_pem("key.pem", alice.key, own, NULL);
    put("/etc/dialtone/ca.pem", ca, 0644);
    put("/etc/dialtone/keys/alice.pem", key, 0600);
    put("/etc/ssl/alice.pem", key, 0600);
    put("/etc/elsewhere/alice.pem", key, 0600);
    return 0;
}

static int end(void **state)
{
    g_clear_pointer(&place, g_free);
    return kit_teardown(state);
}

static int make_pairs(void **state)
{
    root = kit_pair("P-256", "Root", NULL, NULL);
    alice = kit_pair("P-256", "Alice", "email:alice@example.com", &root);
    return 0;
}

static int free_pairs(void **state)
{
    kit_pair_clear(&root);
    kit_pair_clear(&alice);
    return 0;
}

static DialtoneCredentialAccess service(void)
{
    DialtoneCredentialAccess access = kit_access();
    access.system = &system_root;
    access.group = (gid_t)-1;
    return access;
}

static DialtoneProfile *profile_of(const char *certificate)
{
    g_autofree char *line = g_strdup_printf("Certificate=file:%s", certificate);
    return kit_profile("/etc/dialtone/ca.pem", line);
}

static void expect_refused(const char *certificate, const char *said)
{
    const DialtoneCredentialAccess access = service();
    g_autoptr(DialtoneProfile) profile = profile_of(certificate);
    kit_expect_refused(profile, &access, said);
}

static void change(const char *path, mode_t mode)
{
    g_autofree char *to = g_strconcat(place, path, NULL);
    assert_int_equal(g_chmod(to, mode), 0);
}

static void nothing_outside_is_opened(void **state)
{
    static const char *const paths[] = {
        "/etc/elsewhere/alice.pem",
        "/etc/dialtone/../elsewhere/alice.pem",
        "/etc/dialtone/keys/../../elsewhere/alice.pem",
        "/etc/dialtone//keys/alice.pem",
        "/etc/dialtone/./keys/alice.pem",
        "/etc/dialtonekeys/alice.pem",
        "/etc/dialtone",
        "/etc/ssl",
        "/proc/self/environ",
        "/",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        expect_refused(paths[i], "[Identity] Certificate");
}

static void no_link_is_followed(void **state)
{
    g_autofree char *file = g_strconcat(place, "/etc/dialtone/link.pem", NULL);
    g_autofree char *folder = g_strconcat(place, "/etc/dialtone/linked", NULL);
    assert_int_equal(symlink("keys/alice.pem", file), 0);
    assert_int_equal(symlink("keys", folder), 0);
    expect_refused("/etc/dialtone/link.pem", "it is a link");
    expect_refused("/etc/dialtone/linked/alice.pem", "is a link");
}

static void what_others_can_write_is_refused(void **state)
{
    static const mode_t modes[] = {0620, 0602, 0660, 0666};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        change("/etc/dialtone/keys/alice.pem", modes[i]);
        expect_refused("/etc/dialtone/keys/alice.pem", "others than its owner can write");
    }
    change("/etc/dialtone/keys/alice.pem", 0600);
    change("/etc/dialtone/keys", 0775);
    expect_refused("/etc/dialtone/keys/alice.pem", "others than its owner can write");
    change("/etc/dialtone/keys", 0755);
    change("/etc/dialtone", 0777);
    expect_refused("/etc/dialtone/keys/alice.pem", "others than its owner can write");
}

static void what_belongs_to_another_is_refused(void **state)
{
    system_root.owner = getuid() + 1;
    expect_refused("/etc/dialtone/keys/alice.pem", "does not belong to");
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = {0604, 0644, 0700, 0610};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        change("/etc/dialtone/keys/alice.pem", modes[i]);
        expect_refused("/etc/dialtone/keys/alice.pem", "chmod 0640");
    }
}

static void a_key_is_for_the_group_of_the_service(void **state)
{
    const gid_t groups[] = {(gid_t)-1, getgid() + 1};
    g_autoptr(DialtoneProfile) profile = profile_of("/etc/dialtone/keys/alice.pem");
    DialtoneCredentialAccess access = service();
    g_autofree char *path = g_strconcat(place, "/etc/dialtone/keys/alice.pem", NULL);
    change("/etc/dialtone/keys/alice.pem", 0640);
    /* The group of root is nobody else's. */
    if (getgid() == 0)
        assert_int_equal(chown(path, (uid_t)-1, 4242), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        access.group = groups[i];
        kit_expect_refused(profile, &access, "chgrp dialtone");
    }
    access.group = getgid() == 0 ? 4242 : getgid();
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
}

static void no_device_and_no_pipe_is_waited_for(void **state)
{
    g_autofree char *path = g_strconcat(place, "/etc/dialtone/pipe", NULL);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused("/etc/dialtone/pipe", "no regular file");
    expect_refused("/etc/dialtone/keys", "it is a directory");
    expect_refused("/etc/dialtone/none.pem", "it is not there");
}

static void authorities_are_the_administrators_too(void **state)
{
    const DialtoneCredentialAccess access = service();
    g_autoptr(DialtoneProfile) file =
        kit_profile("/etc/elsewhere/alice.pem", "Certificate=file:/etc/ssl/alice.pem");
    kit_expect_refused(file, &access, "[Identity] CA");
    g_autoptr(DialtoneProfile) folder =
        kit_profile("/etc/dialtone/ca.pem",
                    "Certificate=file:/etc/ssl/alice.pem\nCRL=directory:/etc/elsewhere");
    kit_expect_refused(folder, &access, "[Identity] CRL");
}

static void what_is_in_its_place_is_taken_and_parts_are_left_out(void **state)
{
    static const char *const paths[] = {"/etc/dialtone/keys/alice.pem", "/etc/ssl/alice.pem"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        DialtoneCredentialAccess access = service();
        g_autoptr(DialtoneProfile) profile = profile_of(paths[i]);
        g_autoptr(DialtoneCredential) all = kit_expect_loaded(profile, &access);
        assert_int_equal(dialtone_credential_chain(all)->len, 1);
        assert_int_equal(dialtone_credential_anchors(all)->len, 1);
        access.without_own = true;
        g_autoptr(DialtoneCredential) others = kit_expect_loaded(profile, &access);
        assert_int_equal(dialtone_credential_chain(others)->len, 0);
        assert_null(dialtone_credential_certificate(others));
        access.without_own = false;
        access.without_authorities = true;
        g_autoptr(DialtoneCredential) own = kit_expect_loaded(profile, &access);
        assert_int_equal(dialtone_credential_chain(own)->len, 1);
        assert_int_equal(dialtone_credential_anchors(own)->len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_outside_is_opened, begin, end),
        cmocka_unit_test_setup_teardown(no_link_is_followed, begin, end),
        cmocka_unit_test_setup_teardown(what_others_can_write_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_belongs_to_another_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_others_can_read_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_key_is_for_the_group_of_the_service, begin, end),
        cmocka_unit_test_setup_teardown(no_device_and_no_pipe_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(authorities_are_the_administrators_too, begin, end),
        cmocka_unit_test_setup_teardown(what_is_in_its_place_is_taken_and_parts_are_left_out, begin,
                                        end),
    };
    return cmocka_run_group_tests_name("credential place", tests, make_pairs, free_pairs);
}
