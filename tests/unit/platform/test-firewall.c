// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tables of a slot are made of, and the record of what stands. */
#include "kit.h"

#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const PlatformSlotInfo slot = {.number = 3, .interface = "dialtone3", .mark = 0x0d1a0003};

/* ---- the record ---- */

static int open_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static char *record_path(const char *dir)
{
    g_autofree char *name =
        g_strdup_printf("3.%" G_GUINT64_FORMAT ".firewall", (guint64)platform_slot_namespace());

    return kit_path(dir, name);
}

static void test_a_record_that_nobody_understands_is_the_strongest(void **state)
{
    static const char *const odd[] = {"kill",    "kill-switchx\nOffice\n", "", "\n\n", "addresses ",
                                      "\xff\xfe"};
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir);
    int fd = open_dir(dir);

    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        kit_write(path, odd[i]);
        assert_int_equal(firewall_record_load(fd, 3).standing, FIREWALL_PERSISTENT);
    }
    close(fd);
    kit_remove_dir(dir);
}

static void test_e6_a_record_that_is_a_link_is_not_followed(void **state)
{
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir), *other = kit_path(dir, "other");
    int fd = open_dir(dir);

    kit_write(other, "kill-switch\nOffice\n");
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(firewall_record_load(fd, 3).standing, FIREWALL_NOTHING);
    const FirewallRecord record = {.standing = FIREWALL_ADDRESSES, .label = "Home"};
    g_autofree char *before = kit_read(other);

    assert_int_equal(firewall_record_save(fd, 3, &record), 0);
    g_autofree char *after = kit_read(other);

    assert_string_equal(before, after);
    assert_int_equal(firewall_record_load(fd, 3).standing, FIREWALL_ADDRESSES);
    close(fd);
    kit_remove_dir(dir);
}

static void test_a_record_comes_back_whole(void **state)
{
    char *dir = kit_make_dir();
    int fd = open_dir(dir);

    assert_int_equal(firewall_record_load(fd, 3).standing, FIREWALL_NOTHING);
    for (int i = FIREWALL_PERSISTENT; i >= FIREWALL_NOTHING; i--) {
        FirewallRecord record = {.standing = (FirewallStanding)i};

        memset(record.label, 'x', sizeof record.label - 1);
        assert_int_equal(firewall_record_save(fd, 3, &record), 0);
        const FirewallRecord loaded = firewall_record_load(fd, 3);

        assert_int_equal(loaded.standing, i);
        if (i != FIREWALL_NOTHING)
            assert_string_equal(loaded.label, record.label);
        assert_int_equal(firewall_record_load(fd, 4).standing, FIREWALL_NOTHING);
    }
    g_autofree char *path = record_path(dir);

    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    close(fd);
    kit_remove_dir(dir);
}

/* ---- what was left ---- */

static void leave(const char *dir, unsigned number, const char *text)
{
    g_autofree char *name = g_strdup_printf("%u.%" G_GUINT64_FORMAT ".firewall", number,
                                            (guint64)platform_slot_namespace());
    g_autofree char *path = kit_path(dir, name);

    kit_write(path, text);
}

static void test_kill_switches_are_left_where_nobody_holds_the_slot(void **state)
{
    char *dir = kit_make_dir();
    PlatformSlot *held = NULL;

    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(platform_slot_claim(dir, 0, &held), 0);
    assert_int_equal(platform_slot_publish(held), 0);
    leave(dir, 0, "kill-switch\nHeld\n");
    leave(dir, 1, "addresses\nOffice\n");
    leave(dir, 2, "kill-switch\nOffice\n");
    leave(dir, 63, "kill-switch-persistent\nHome\n");
    /* Another network's, and no slot of ours. */
    g_autofree char *others = kit_path(dir, "5.1.firewall"), *none = kit_path(dir, "64.1.firewall");

    kit_write(others, "kill-switch\nOthers\n");
    kit_write(none, "kill-switch\nOthers\n");
    g_autoptr(GArray) left = platform_firewall_left(dir);

    assert_int_equal(left->len, 2);
    assert_string_equal(g_array_index(left, PlatformFirewallLeft, 0).label, "Office");
    assert_false(g_array_index(left, PlatformFirewallLeft, 0).persistent);
    assert_string_equal(g_array_index(left, PlatformFirewallLeft, 1).label, "Home");
    assert_int_equal(g_array_index(left, PlatformFirewallLeft, 1).slot, 63);
    assert_true(g_array_index(left, PlatformFirewallLeft, 1).persistent);
    platform_slot_release(held);
    g_autoptr(GArray) then = platform_firewall_left(dir);

    assert_int_equal(then->len, 3);
    kit_remove_dir(dir);
}

static void test_a_record_can_be_read_whatever_the_umask(void **state)
{
    const FirewallRecord record = {.standing = FIREWALL_KILL_SWITCH, .label = "Office"};
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir);
    int fd = open_dir(dir);
    mode_t before = umask(077);
    struct stat status;

    assert_int_equal(firewall_record_save(fd, 3, &record), 0);
    umask(before);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    close(fd);
    kit_remove_dir(dir);
}

/* ---- the tables ---- */

static char *text_of(const char *address)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    PlatformPrefix prefix;

    assert_true(platform_prefix_parse(address, &prefix));
    g_array_append_val(addresses, prefix);
    return platform_firewall_text(&slot, addresses, NULL);
}

static void test_f3_f4_the_tunnel_s_address_is_nobody_s_business(void **state)
{
    g_autofree char *text = text_of("10.20.1.5/32");

    assert_non_null(
        strstr(text, "arriving iifname != { \"lo\", \"dialtone3\" } ip daddr 10.20.1.5 drop\n"));
    assert_non_null(
        strstr(text, "leaving oifname != { \"lo\", \"dialtone3\" } ip saddr 10.20.1.5 drop\n"));
    assert_non_null(strstr(text, "add rule arp dialtone3 asked arp daddr ip 10.20.1.5 drop\n"));
    assert_non_null(strstr(text, "add rule arp dialtone3 asking arp saddr ip 10.20.1.5 drop\n"));
    assert_null(strstr(text, "beside"));
}

static void test_f3_an_address_of_ipv6_is_nobody_s_business_either(void **state)
{
    g_autofree char *text = text_of("fd00:20::5/128");

    assert_non_null(strstr(text, "ip6 daddr fd00:20::5 drop\n"));
    assert_null(strstr(text, "add rule arp"));
}

static void test_an_address_that_another_link_has_is_left_alone(void **state)
{
    g_autofree char *text = text_of("127.0.0.1/32");

    assert_null(strstr(text, "127.0.0.1"));
}

static void test_a_table_takes_the_place_of_the_former(void **state)
{
    g_autofree char *text = text_of("10.20.1.5/32");

    assert_true(g_str_has_prefix(text, "add table inet dialtone3\ndelete table inet dialtone3\n"
                                       "add table inet dialtone3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_that_nobody_understands_is_the_strongest),
        cmocka_unit_test(test_e6_a_record_that_is_a_link_is_not_followed),
        cmocka_unit_test(test_a_record_comes_back_whole),
        cmocka_unit_test(test_kill_switches_are_left_where_nobody_holds_the_slot),
        cmocka_unit_test(test_a_record_can_be_read_whatever_the_umask),
        cmocka_unit_test(test_f3_f4_the_tunnel_s_address_is_nobody_s_business),
        cmocka_unit_test(test_f3_an_address_of_ipv6_is_nobody_s_business_either),
        cmocka_unit_test(test_an_address_that_another_link_has_is_left_alone),
        cmocka_unit_test(test_a_table_takes_the_place_of_the_former),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
