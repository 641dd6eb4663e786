/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this system may do. FIPS mode is refused before a packet leaves, from the kernel's flag as
 * from OpenSSL's configuration; an algorithm that is switched off is named with its setting.
 *
 * OpenSSL reads its configuration once a process, so each of its cases is a process of its own:
 * this program again, with OPENSSL_CONF and the case's name.
 */
#include "tunnel-kit.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/tunnel/provider.h"

#define NO_FLAG "/nonexistent/fips_enabled"

static const char *program;

static char *write_file(const char *text)
{
    char *path = NULL;
    int fd = g_file_open_tmp("dialtone-XXXXXX", &path, NULL);
    assert_true(fd >= 0 && g_close(fd, NULL) && g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void remove_file(char *path)
{
    g_unlink(path);
    g_free(path);
}

static void the_kernel_s_flag_refuses_with_the_reason(void **state)
{
    g_autoptr(DialtoneProfile) profile = kit_profile("");
    g_autoptr(GError) error = NULL;
    char *flag = write_file("1\n");
    assert_false(tunnel_provider_check(profile, flag, &error));
    remove_file(flag);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_POLICY);
    assert_non_null(strstr(error->message, "FIPS mode (the kernel's flag fips_enabled)"));
    assert_non_null(strstr(dialtone_failure_advice(error), "aggressive mode"));
}

static void a_flag_that_is_off_or_missing_allows(void **state)
{
    g_autoptr(DialtoneProfile) profile = kit_profile("");
    char *flag = write_file("0\n");
    assert_true(tunnel_provider_check(profile, flag, NULL));
    remove_file(flag);
    assert_true(tunnel_provider_check(profile, NO_FLAG, NULL));
    assert_true(tunnel_provider_check(profile, "/", NULL));
}

/* In the child: what the check says of a profile with all that is weak. */
static int tell(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneProfile) profile = kit_profile_of(
        "[Profile]\nName=a\n[Gateway]\nAddress=192.0.2.1\n[Identity]\nID=a.example\nAuth=psk\n"
        "[Phase1]\nProposals=aes128-sha1-modp1024\n[Phase2]\nProposals=des-md5\n");
    bool good = tunnel_provider_check(profile, NO_FLAG, &error);
    printf("%s\n", good ? "good" : error->message);
    return 0;
}

static char *ask(const char *configuration)
{
    char *path = write_file(configuration), *said = NULL;
    const char *argv[] = {program, "--tell", NULL};
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "OPENSSL_CONF", path, TRUE);
    int status = 0;
    assert_true(g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &said,
                             NULL, &status, NULL));
    remove_file(path);
    assert_int_equal(status, 0);
    return said;
}

#define CONFIGURATION(sections) "openssl_conf = init\n[init]\n" sections

static void openssl_in_fips_mode_refuses_with_the_reason(void **state)
{
    g_autofree char *said =
        ask(CONFIGURATION("alg_section = algs\n[algs]\ndefault_properties = fips=yes\n"));
    assert_non_null(strstr(said, "FIPS mode (OpenSSL's configuration)"));
}

/* des lives in the legacy provider, which nobody loaded here. */
static void an_algorithm_that_is_missing_is_named_with_its_setting(void **state)
{
    g_autofree char *said = ask(CONFIGURATION(""));
    assert_string_equal(said, "This computer's OpenSSL does not offer des, which [Phase2] "
                              "Proposals names.\n");
}

/* The base provider has no algorithms at all. */
static void without_a_provider_every_algorithm_is_missing_and_nothing_crashes(void **state)
{
    g_autofree char *said = ask(CONFIGURATION(
        "providers = list\n[list]\nbase = base_section\n[base_section]\nactivate = 1\n"));
    assert_non_null(strstr(said, "does not offer aes128, which [Phase1] Proposals names"));
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1)
        return tell();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_s_flag_refuses_with_the_reason),
        cmocka_unit_test(a_flag_that_is_off_or_missing_allows),
        cmocka_unit_test(openssl_in_fips_mode_refuses_with_the_reason),
        cmocka_unit_test(an_algorithm_that_is_missing_is_named_with_its_setting),
        cmocka_unit_test(without_a_provider_every_algorithm_is_missing_and_nothing_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
