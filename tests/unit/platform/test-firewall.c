// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tables of a slot are made of, and the record of what stands. */
#include "kit.h"

#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody's tables are touched. */
gboolean __wrap_platform_nft_run(const char *text, GError **error);
gboolean __wrap_platform_nft_run(const char *text, GError **error)
{
    return TRUE;
}

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
        FirewallRecord record = {.standing = (FirewallStanding)i, .owner = 1000 + (uid_t)i};

        memset(record.label, 'x', sizeof record.label - 1);
        assert_int_equal(firewall_record_save(fd, 3, &record), 0);
        const FirewallRecord loaded = firewall_record_load(fd, 3);

        assert_int_equal(loaded.standing, i);
        if (i != FIREWALL_NOTHING)
            assert_string_equal(loaded.label, record.label);
        assert_int_equal(loaded.owner, i != FIREWALL_NOTHING ? record.owner : FIREWALL_NOBODY);
        assert_int_equal(firewall_record_load(fd, 4).standing, FIREWALL_NOTHING);
    }
    g_autofree char *path = record_path(dir);

    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    close(fd);
    kit_remove_dir(dir);
}

static void test_a_record_without_a_user_is_nobody_s(void **state)
{
    static const char *const odd[] = {
        "kill-switch\nOffice\n",     "kill-switch\nOffice\n1000",
        "kill-switch\nOffice\n-1\n", "kill-switch\nOffice\n4294967295\n",
        "kill-switch\nOffice\n\n",   "kill-switch\nOffice\n0x0\n"};
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir);
    int fd = open_dir(dir);

    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        kit_write(path, odd[i]);
        assert_int_equal(firewall_record_load(fd, 3).owner, FIREWALL_NOBODY);
        assert_string_equal(firewall_record_load(fd, 3).label, "Office");
    }
    kit_write(path, "kill-switch\nOffice\n0\n");
    assert_int_equal(firewall_record_load(fd, 3).owner, 0);
    close(fd);
    kit_remove_dir(dir);
}

/* ---- what was left ---- */

enum { ALICE = 1000, BOB = 1001 };

static void test_who_may_let_a_kill_switch_go(void **state)
{
    static const struct {
        const char *text;
        PlatformFirewallWord word;
        bool may;
    } rows[] = {
        {"kill-switch\nOffice\n1000\n", {.owner = BOB}, false},
        {"kill-switch\nOffice\n1000\n", {.owner = BOB, .taken_over = "Office"}, false},
        {"kill-switch\nOffice\n1000\n", {.owner = 0}, false},
        {"kill-switch\nOffice\n1000\n", {.owner = ALICE, .label = "Home"}, false},
        {"kill-switch\nOffice\n", {.owner = FIREWALL_NOBODY}, false},
        {"kill-switch-boot\nOffice\n0\n", {.owner = 0}, false},
        {"kill-switch-boot\nOffice\n0\n", {.owner = 0, .taken_over = "Home"}, false},
        {"kill-switch-persistent\nOffice\n1000\n", {.owner = ALICE}, false},
        {"?\nOffice\n1000\n", {.owner = ALICE}, false},
        {"kill-switch-persistent\nOffice\n1000\n", {.of_root = true, .label = "Home"}, false},
        {"kill-switch\nOffice\n1000\n", {.owner = ALICE}, true},
        {"kill-switch\nOffice\n1000\n", {.owner = ALICE, .label = "Office"}, true},
        {"kill-switch-boot\nOffice\n0\n", {.owner = BOB, .taken_over = "Office"}, false},
        {"kill-switch-persistent\nOffice\n1000\n", {.owner = BOB, .taken_over = "Office"}, false},
        {"kill-switch-persistent\nOffice\n1000\n", {.owner = BOB, .shared = true}, false},
        {"kill-switch\nOffice\n1000\n",
         {.owner = BOB, .taken_over = "Office", .shared = true},
         false},
        {"kill-switch-boot\nOffice\n0\n",
         {.owner = BOB, .taken_over = "Office", .shared = true},
         true},
        {"kill-switch-persistent\nOffice\n1000\n",
         {.owner = BOB, .taken_over = "Office", .shared = true},
         true},
        {"kill-switch-persistent\nOffice\n1000\n", {.owner = ALICE, .taken_over = "Office"}, true},
        {"kill-switch-persistent\nOffice\n1000\n", {.of_root = true}, true},
        {"kill-switch\nOffice\n", {.of_root = true, .label = "Office"}, true},
    };
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        kit_write(path, rows[i].text);
        g_autoptr(GArray) left = platform_firewall_left(dir);

        assert_int_equal(left->len, 1);
        if (platform_firewall_may_go(&g_array_index(left, PlatformFirewallLeft, 0),
                                     &rows[i].word) != rows[i].may)
            fail_msg("row %zu", i);
    }
    kit_remove_dir(dir);
}

static void test_a_slot_where_another_s_kill_switch_stands_is_not_for_oneself(void **state)
{
    static const struct {
        const char *text;
        bool for_alice, for_root;
    } rows[] = {
        {"kill-switch\nOffice\n1000\n", true, false},
        {"kill-switch\nOffice\n", false, false},
        {"kill-switch-boot\nOffice\n0\n", false, false},
        {"kill-switch-persistent\nOffice\n0\n", false, true},
        {"addresses\nOffice\n0\n", true, true},
    };
    char *dir = kit_make_dir();
    g_autofree char *path = record_path(dir);
    PlatformSlot *held = NULL;

    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(platform_slot_lock(dir, 3, &held), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        kit_write(path, rows[i].text);
        PlatformFirewall *firewall = platform_firewall_new(held, dir);

        assert_int_equal(platform_firewall_is_for(firewall, 1000), rows[i].for_alice);
        assert_int_equal(platform_firewall_is_for(firewall, 0), rows[i].for_root);
        platform_firewall_free(firewall);
    }
    platform_slot_release(held);
    kit_remove_dir(dir);
}

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

/* ---- a connection ---- */

static FirewallStanding standing(const char *dir, unsigned number)
{
    int fd = open_dir(dir);
    FirewallStanding found = firewall_record_load(fd, number).standing;

    close(fd);
    return found;
}

static PlatformSlot *hold(const char *dir, unsigned number, uid_t owner, const char *label)
{
    PlatformSlot *held = NULL;

    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(platform_slot_lock(dir, number, &held), 0);
    platform_slot_info(held)->uid = owner;
    g_strlcpy(platform_slot_info(held)->label, label, PLATFORM_SLOT_LABEL + 1);
    return held;
}

static void arm(PlatformFirewall *firewall, bool persistent)
{
    PlatformKillSwitch *kill_switch = platform_kill_switch_new();

    kill_switch->persistent = persistent;
    assert_true(platform_firewall_arm(firewall, kill_switch, NULL));
}

static void test_what_is_to_persist_is_opened_by_no_connection(void **state)
{
    static const char left[] = "kill-switch-persistent\nWork\n1000\n";
    static const struct {
        const char *own, *other; /* what stands in its slot, and in another; NULL: nothing */
        uid_t owner;
        bool shared;
        bool refused;
        FirewallStanding own_then, other_then; /* after the user has ended it */
    } rows[] = {
        {NULL, NULL, ALICE, false, false, FIREWALL_NOTHING, FIREWALL_NOTHING},
        {NULL, left, BOB, false, true, FIREWALL_NOTHING, FIREWALL_PERSISTENT},
        {NULL, left, BOB, true, false, FIREWALL_PERSISTENT, FIREWALL_NOTHING},
        {NULL, left, ALICE, false, false, FIREWALL_PERSISTENT, FIREWALL_NOTHING},
        {left, NULL, ALICE, false, false, FIREWALL_PERSISTENT, FIREWALL_NOTHING},
        {NULL, "kill-switch-persistent\nHome\n1000\n", ALICE, true, true, FIREWALL_NOTHING,
         FIREWALL_PERSISTENT},
        {"kill-switch-persistent\nHome\n1000\n", NULL, ALICE, true, true, FIREWALL_PERSISTENT,
         FIREWALL_NOTHING},
        {NULL, "kill-switch\nWork\n1000\n", ALICE, false, false, FIREWALL_NOTHING,
         FIREWALL_NOTHING},
        {NULL, "kill-switch-boot\nWork\n0\n", BOB, false, false, FIREWALL_NOTHING, FIREWALL_BOOT},
        {NULL, "kill-switch-boot\nWork\n0\n", BOB, true, false, FIREWALL_NOTHING, FIREWALL_NOTHING},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const PlatformFirewallClaim claim = {.kill_switch = TRUE, .shared = rows[i].shared};
        char *dir = kit_make_dir();

        if (rows[i].own)
            leave(dir, 3, rows[i].own);
        if (rows[i].other)
            leave(dir, 5, rows[i].other);
        PlatformSlot *held = hold(dir, 3, rows[i].owner, "Work");
        PlatformFirewall *firewall = platform_firewall_new(held, dir);
        g_autoptr(GError) error = NULL;
        bool begun = platform_firewall_begin(firewall, &claim, &error);

        if (begun) {
            arm(firewall, false);
            assert_true(platform_firewall_release(firewall, TRUE, NULL));
        }
        if (begun == rows[i].refused || standing(dir, 3) != rows[i].own_then ||
            standing(dir, 5) != rows[i].other_then)
            fail_msg("row %zu: %d %d %d", i, begun, standing(dir, 3), standing(dir, 5));
        if (!begun)
            assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED));
        platform_firewall_free(firewall);
        platform_slot_release(held);
        kit_remove_dir(dir);
    }
}

static void test_what_is_to_persist_does_with_another_profile_too(void **state)
{
    const PlatformFirewallClaim claim = {.kill_switch = TRUE};
    char *dir = kit_make_dir();
    PlatformSlot *held = hold(dir, 3, ALICE, "Work");
    PlatformFirewall *firewall = platform_firewall_new(held, dir);

    assert_true(platform_firewall_begin(firewall, &claim, NULL));
    arm(firewall, true);
    arm(firewall, false);
    assert_true(platform_firewall_release(firewall, TRUE, NULL));
    assert_int_equal(standing(dir, 3), FIREWALL_PERSISTENT);
    platform_firewall_free(firewall);
    platform_slot_release(held);
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
        cmocka_unit_test(test_a_record_without_a_user_is_nobody_s),
        cmocka_unit_test(test_who_may_let_a_kill_switch_go),
        cmocka_unit_test(test_a_slot_where_another_s_kill_switch_stands_is_not_for_oneself),
        cmocka_unit_test(test_kill_switches_are_left_where_nobody_holds_the_slot),
        cmocka_unit_test(test_a_record_can_be_read_whatever_the_umask),
        cmocka_unit_test(test_what_is_to_persist_is_opened_by_no_connection),
        cmocka_unit_test(test_what_is_to_persist_does_with_another_profile_too),
        cmocka_unit_test(test_f3_f4_the_tunnel_s_address_is_nobody_s_business),
        cmocka_unit_test(test_f3_an_address_of_ipv6_is_nobody_s_business_either),
        cmocka_unit_test(test_an_address_that_another_link_has_is_left_alone),
        cmocka_unit_test(test_a_table_takes_the_place_of_the_former),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
