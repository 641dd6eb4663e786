/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_f9: a group's key lets anybody in the group pose as the gateway. The first gateway is
 * remembered without a word, another one is warned of each time, and a RemoteID of the profile
 * settles it.
 */
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

#include "client/profile/pin.h"

static const DialtonePin GENUINE = {"fqdn:gw.example.com", "Junos", NULL, NULL};

static int make_folder(void **state)
{
    *state = g_dir_make_tmp("dialtone-XXXXXX", NULL);
    return *state == NULL;
}

static int remove_folder(void **state)
{
    g_autofree char *top = *state;
    g_autofree char *folder = g_build_filename(top, "a", "gateways", NULL);
    g_autofree char *between = g_build_filename(top, "a", NULL);
    g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
    const char *name;
    while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_rmdir(between);
    return g_rmdir(top);
}

static char *check(void **state, const DialtonePin *seen, bool proven)
{
    g_autofree char *folder = g_build_filename(*state, "a", "gateways", NULL);
    return dialtone_pin_check(folder, "Office", NULL, seen, proven);
}

static void test_f9_the_first_gateway_is_remembered_and_only_the_user_can_read_it(void **state)
{
    g_autofree char *path = g_build_filename(*state, "a", "gateways", "Office.gateway", NULL);
    struct stat info;
    assert_null(check(state, &GENUINE, false));
    assert_int_equal(g_stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_null(check(state, &GENUINE, false));
}

static void test_f9_another_gateway_is_warned_of_each_time(void **state)
{
    const DialtonePin others[] = {
        {"fqdn:evil.example.com", "Junos", NULL, NULL},
        {"fqdn:gw.example.com", "strongSwan", NULL, NULL},
        {"fqdn:gw.example.com", NULL, NULL, NULL},
        {"fqdn:gw.example.com", "Junos", "00112233445566778899", "CN=CA"},
    };
    assert_null(check(state, &GENUINE, false));
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        for (int again = 0; again < 2; again++) {
            g_autofree char *warning = check(state, &others[i], false);
            assert_non_null(warning);
            assert_non_null(strstr(warning, "it was fqdn:gw.example.com (Junos)"));
            assert_non_null(strstr(warning, others[i].id));
            assert_non_null(strstr(warning, "[Gateway] RemoteID="));
        }
    }
    assert_null(check(state, &GENUINE, false));
}

static void test_f9_what_the_profile_demands_and_was_proven_is_remembered_anew(void **state)
{
    const DialtonePin other = {"fqdn:new.example.com", "FortiGate", NULL, NULL};
    assert_null(check(state, &GENUINE, false));
    assert_null(check(state, &other, true));
    assert_null(check(state, &other, false));
    g_autofree char *warning = check(state, &GENUINE, false);
    assert_non_null(warning);
}

static const DialtonePin SHOWN = {"fqdn:gw.example.com", "Junos", "00112233445566778899",
                                  "CN=Corp CA"};

static void test_f9_a_renewed_certificate_is_noted_once_and_remembered(void **state)
{
    DialtonePin renewed = SHOWN;
    renewed.certificate = "99887766554433221100";
    assert_null(check(state, &SHOWN, true));
    g_autofree char *note = check(state, &renewed, true);
    assert_non_null(note);
    assert_true(g_str_has_prefix(note, "Note: "));
    assert_non_null(strstr(note, "9988776655443322..."));
    assert_non_null(strstr(note, "CN=Corp CA"));
    assert_null(check(state, &renewed, true));
    g_autofree char *back = check(state, &SHOWN, true);
    assert_true(g_str_has_prefix(back, "Note: "));
}

/* Whoever has another authority issue a certificate for the gateway's name has all that the profile
 * demands where it trusts that one, too. */
static void test_f9_a_certificate_of_another_issuer_is_warned_of_each_time(void **state)
{
    DialtonePin other = SHOWN, silent = SHOWN;
    other.certificate = silent.certificate = "99887766554433221100";
    other.issuer = "CN=Somebody";
    silent.issuer = NULL;
    assert_null(check(state, &SHOWN, true));
    for (int again = 0; again < 2; again++) {
        g_autofree char *warning = check(state, &other, true);
        assert_non_null(warning);
        assert_true(g_str_has_prefix(warning, "Warning: "));
        assert_non_null(strstr(warning, "it was CN=Corp CA, and is CN=Somebody now"));
        assert_non_null(strstr(warning, "Office.gateway"));
        g_autofree char *unknown = check(state, &silent, true);
        assert_true(g_str_has_prefix(unknown, "Warning: "));
    }
    assert_null(check(state, &SHOWN, true));
}

static void test_a_pin_from_before_certificates_were_held_gets_one_without_a_word(void **state)
{
    DialtonePin other = SHOWN;
    other.certificate = "99887766554433221100";
    other.issuer = "CN=Somebody";
    assert_null(check(state, &GENUINE, false));
    assert_null(check(state, &SHOWN, true));
    g_autofree char *warning = check(state, &other, true);
    assert_non_null(warning);
}

/* Gateways of a cluster, each with an ID of its own: neither of them is the other one changed. */
static void test_f9_each_gateway_of_a_cluster_is_remembered_for_itself(void **state)
{
    const DialtonePin second = {"ip:192.0.2.9", "Cisco", NULL, NULL};
    const DialtonePin other = {"ip:192.0.2.66", "Cisco", NULL, NULL};
    g_autofree char *folder = g_build_filename(*state, "a", "gateways", NULL);
    assert_null(check(state, &GENUINE, false));
    g_autofree char *note = dialtone_pin_check(folder, "Office", "192.0.2.9", &second, false);
    assert_true(g_str_has_prefix(note, "Note: "));
    assert_non_null(strstr(note, "ip:192.0.2.9 (Cisco)"));
    for (int again = 0; again < 2; again++) {
        assert_null(check(state, &GENUINE, false));
        assert_null(dialtone_pin_check(folder, "Office", "192.0.2.9", &second, false));
    }
    /* What settles it must not keep the first gateway out. */
    g_autofree char *warning = dialtone_pin_check(folder, "Office", "192.0.2.9", &other, false);
    assert_true(g_str_has_prefix(warning, "Warning: "));
    assert_non_null(strstr(warning, "Office@192.0.2.9.gateway"));
    assert_null(strstr(warning, "RemoteID"));
}

/* A name that came by another way than a profile's parser. */
static void test_no_name_leads_out_of_the_folder(void **state)
{
    g_autofree char *folder = g_build_filename(*state, "a", "gateways", NULL);
    g_autofree char *inside = g_build_filename(folder, ".._.._x.gateway", NULL);
    assert_null(dialtone_pin_check(folder, "../../x", NULL, &GENUINE, false));
    assert_int_equal(g_access(inside, F_OK), 0);
    g_autofree char *member = g_build_filename(folder, "Office@.._.._x.gateway", NULL);
    g_autofree char *note = dialtone_pin_check(folder, "Office", "../../x", &GENUINE, false);
    assert_non_null(note);
    assert_int_equal(g_access(member, F_OK), 0);
}

static void test_a_folder_that_can_t_be_made_costs_the_memory_and_nothing_else(void **state)
{
    assert_null(dialtone_pin_check("/proc/nowhere", "Office", NULL, &GENUINE, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
        CASE(test_f9_the_first_gateway_is_remembered_and_only_the_user_can_read_it),
        CASE(test_f9_each_gateway_of_a_cluster_is_remembered_for_itself),
        CASE(test_f9_another_gateway_is_warned_of_each_time),
        CASE(test_f9_what_the_profile_demands_and_was_proven_is_remembered_anew),
        CASE(test_f9_a_renewed_certificate_is_noted_once_and_remembered),
        CASE(test_f9_a_certificate_of_another_issuer_is_warned_of_each_time),
        CASE(test_a_pin_from_before_certificates_were_held_gets_one_without_a_word),
        CASE(test_no_name_leads_out_of_the_folder),
        cmocka_unit_test(test_a_folder_that_can_t_be_made_costs_the_memory_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
