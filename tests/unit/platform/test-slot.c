// SPDX-License-Identifier: GPL-2.0-or-later
/* Slots: who holds which, however the holder ended, and the state that readers see. */
#include "kit.h"

#include "platform/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;

static int set_up(void **state)
{
    dir = kit_make_dir();
    return chmod(dir, 0755);
}

static int tear_down(void **state)
{
    kit_remove_dir(dir);
    return 0;
}

static PlatformSlot *claim(void)
{
    PlatformSlot *slot = NULL;

    assert_int_equal(platform_slot_claim(dir, 0, &slot), 0);
    g_strlcpy(platform_slot_info(slot)->label, "office", PLATFORM_SLOT_LABEL);
    assert_int_equal(platform_slot_publish(slot), 0);
    return slot;
}

static void test_each_claim_takes_the_first_free_slot(void **state)
{
    PlatformSlot *a = claim(), *b = claim();

    assert_int_equal(platform_slot_info(a)->number, 0);
    assert_int_equal(platform_slot_info(b)->number, 1);
    assert_string_equal(platform_slot_info(b)->interface, "dialtone1");
    assert_int_equal(platform_slot_info(b)->table, PLATFORM_SLOT_TABLE_BASE + 1);
    assert_int_equal(platform_slot_info(b)->mark & PLATFORM_SLOT_MARK_MASK,
                     PLATFORM_SLOT_MARK_BASE);
    platform_slot_release(a);
    a = claim();
    assert_int_equal(platform_slot_info(a)->number, 0);
    platform_slot_release(a);
    platform_slot_release(b);
}

static void test_there_are_64_slots_and_no_more(void **state)
{
    PlatformSlot *slots[PLATFORM_SLOT_COUNT], *more = NULL;

    for (int i = 0; i < PLATFORM_SLOT_COUNT; i++)
        slots[i] = claim();
    assert_int_equal(platform_slot_claim(dir, 0, &more), -ENOSPC);
    assert_null(more);
    assert_int_equal(platform_slot_lock(dir, 63, &more), -EBUSY);
    assert_int_equal(platform_slot_lock(dir, 64, &more), -EINVAL);
    for (int i = 0; i < PLATFORM_SLOT_COUNT; i++)
        platform_slot_release(slots[i]);
}

/* Claims in a child, and waits there; returns its pid once it has the slot. */
static pid_t holder(void)
{
    int fds[2];
    char byte;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();

    if (pid == 0) {
        PlatformSlot *slot = NULL;

        if (platform_slot_claim(dir, 0, &slot) < 0)
            _exit(1);
        g_strlcpy(platform_slot_info(slot)->label, "child", PLATFORM_SLOT_LABEL);
        if (platform_slot_publish(slot) < 0 || write(fds[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_a_killed_holder_s_slot_is_free_and_not_listed(void **state)
{
    pid_t pid = holder();
    PlatformSlot *slot = NULL;

    assert_int_equal(platform_slot_lock(dir, 0, &slot), -EBUSY);
    g_autoptr(GArray) alive = platform_slot_list(dir);

    assert_int_equal(alive->len, 1);
    assert_string_equal(g_array_index(alive, PlatformSlotInfo, 0).label, "child");
    assert_int_equal(g_array_index(alive, PlatformSlotInfo, 0).pid, pid);
    end(pid);
    g_autoptr(GArray) dead = platform_slot_list(dir);

    assert_int_equal(dead->len, 0);
    assert_int_equal(platform_slot_lock(dir, 0, &slot), 0);
    platform_slot_release(slot);
}

/* Whoever puts a dead one's network back has its lock meanwhile. */
static void test_a_slot_that_was_left_is_known_though_somebody_locks_it(void **state)
{
    PlatformSlot *slot = NULL;

    assert_false(platform_slot_is_left(dir, 0));
    pid_t pid = holder();

    assert_false(platform_slot_is_left(dir, 0));
    kill(pid, SIGKILL);
    /* Dead, and nobody has waited for it. */
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(platform_slot_is_left(dir, 0));
    assert_int_equal(platform_slot_lock(dir, 0, &slot), 0);
    assert_true(platform_slot_is_left(dir, 0));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(platform_slot_is_left(dir, 0));
    platform_slot_release(slot);
    assert_false(platform_slot_is_left(dir, 0));
    assert_false(platform_slot_is_left(dir, PLATFORM_SLOT_COUNT - 1));
}

/* Who may not open the lock file judges by pid and start time. */
static void test_a_stranger_sees_which_slots_are_alive(void **state)
{
    if (geteuid() != 0)
        skip();
    pid_t live = holder();
    g_autofree char *info = kit_path(dir, "1.slot");
    g_autofree char *text =
        g_strdup_printf("[Slot]\nLabel=recycled\nPid=%d\nPidStart=1\nUid=0\n", live);

    kit_write(info, text);
    assert_int_equal(chmod(info, 0644), 0);
    pid_t stranger = fork();

    if (stranger == 0) {
        if (setgid(12345) < 0 || setuid(12345) < 0)
            _exit(2);
        GArray *slots = platform_slot_list(dir);

        _exit(slots->len == 1 && g_array_index(slots, PlatformSlotInfo, 0).number == 0 ? 0 : 1);
    }
    int status;

    assert_int_equal(waitpid(stranger, &status, 0), stranger);
    end(live);
    assert_int_equal(status, 0);
}

static void test_only_names_of_slots_count_as_traces(void **state)
{
    static const char *const others[] = {"64.slot", "99.slot", "100.slot", "a.slot", ".slot",
                                         "7",       "7slot",   "-1.slot",  " 9.slot"};
    static const char *const ours[] = {"0.lock", "5.4026531840.journal", "63.state"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *path = kit_path(dir, others[i]);
        kit_write(path, "");
    }
    assert_int_equal(platform_slot_numbers(dir), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
        g_autofree char *path = kit_path(dir, ours[i]);
        kit_write(path, "");
    }
    assert_true(platform_slot_numbers(dir) == (UINT64_C(1) | UINT64_C(1) << 5 | UINT64_C(1) << 63));
    assert_int_equal(platform_slot_numbers("/nonexistent"), 0);
}

static void test_only_root_s_own_files_can_be_locked_by_others(void **state)
{
    PlatformSlot *slot = claim();
    g_autofree char *lock = kit_path(dir, "0.lock");
    struct stat status;

    assert_int_equal(stat(lock, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    platform_slot_release(slot);
}

static void test_a_released_slot_leaves_no_file(void **state)
{
    PlatformSlot *slot = claim();

    assert_int_equal(platform_slot_publish(slot), 0);
    platform_slot_release(slot);
    g_autoptr(GDir) left = g_dir_open(dir, 0, NULL);
    assert_null(g_dir_read_name(left));
}

/* Whoever opened the file before its holder removed it holds the lock of a file without a name,
 * and nobody else heeds that. */
static void test_the_lock_of_a_removed_file_is_no_slot(void **state)
{
    PlatformSlot *first = claim();
    g_autofree char *lock = kit_path(dir, "0.lock");
    int old = open(lock, O_RDWR | O_CLOEXEC);

    platform_slot_release(first);
    assert_int_equal(flock(old, LOCK_EX | LOCK_NB), 0);
    PlatformSlot *second = claim();
    PlatformSlot *more = NULL;

    assert_int_equal(platform_slot_info(second)->number, 0);
    assert_int_equal(platform_slot_lock(dir, 0, &more), -EBUSY);
    platform_slot_release(second);
    close(old);
}

static void test_what_is_published_comes_back(void **state)
{
    PlatformSlot *slot = claim();
    PlatformSlotInfo *info = platform_slot_info(slot);

    g_strlcpy(info->label, "a \"b\"; [x]\\=#\xc3\xa9", sizeof info->label);
    info->uid = 4242;
    info->n_routes = 2;
    info->routes = g_new0(PlatformPrefix, 2);
    platform_prefix_parse("10.0.0.0/8", &info->routes[0]);
    platform_prefix_parse("2001:db8::/32", &info->routes[1]);
    assert_int_equal(platform_slot_publish(slot), 0);
    g_autoptr(GArray) slots = platform_slot_list(dir);
    const PlatformSlotInfo *read = &g_array_index(slots, PlatformSlotInfo, 0);

    assert_int_equal(slots->len, 1);
    assert_string_equal(read->label, info->label);
    assert_int_equal(read->uid, 4242);
    assert_int_equal(read->pid, getpid());
    assert_int_equal(read->n_routes, 2);
    assert_true(platform_prefix_equal(&read->routes[1], &info->routes[1]));
    platform_slot_release(slot);
}

static void test_hostile_slot_files_are_passed_over(void **state)
{
    static const char *const texts[] = {
        "",
        "\xff\xfe",
        "[Slot]\n",
        "[Slot]\nLabel=x\n",
        "[Slot]\nLabel=x\nPid=-1\n",
        "[Slot]\nLabel=x\nPid=99999999999999999999\n",
        "[Other]\nLabel=x\nPid=1\n",
        "Pid=1\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *path = kit_path(dir, "5.slot");

        kit_write(path, texts[i]);
        g_autoptr(GArray) slots = platform_slot_list(dir);

        assert_int_equal(slots->len, 0);
    }
}

static void test_e6_a_directory_that_others_can_write_is_refused(void **state)
{
    PlatformSlot *slot = NULL;
    g_autofree char *link = g_strconcat(dir, "/link", NULL);

    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(platform_slot_claim(dir, 0, &slot), -EPERM);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(symlink(dir, link), 0);
    assert_true(platform_slot_claim(link, 0, &slot) < 0);
    assert_null(slot);
}

/* ---- state ---- */

static void test_a_state_is_read_as_it_was_written_last(void **state)
{
    PlatformSlot *slot = claim();
    int fd = -1;

    assert_int_equal(platform_slot_open_state(slot, getuid(), getgid(), &fd), 0);
    assert_null(platform_slot_read_state(dir, 0));
    assert_int_equal(errno, ENODATA);
    static const char *const states[] = {"{\"state\":\"connected\",\"long\":\"xxxxxxxxxxxx\"}",
                                         "{}", "{\"state\":\"idle\"}", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        assert_int_equal(platform_slot_write_state(fd, states[i]), 0);
        g_autofree char *json = platform_slot_read_state(dir, 0);

        assert_non_null(json);
        assert_string_equal(json, states[i]);
    }
    close(fd);
    platform_slot_release(slot);
    assert_null(platform_slot_read_state(dir, 0));
    assert_int_equal(errno, ENOENT);
}

static void test_a_state_that_is_too_long_is_refused_and_the_old_one_stays(void **state)
{
    PlatformSlot *slot = claim();
    int fd = -1;
    g_autofree char *huge = g_strnfill(PLATFORM_SLOT_STATE_MAX, 'x');

    assert_int_equal(platform_slot_open_state(slot, getuid(), getgid(), &fd), 0);
    assert_int_equal(platform_slot_write_state(fd, "{}"), 0);
    assert_int_equal(platform_slot_write_state(fd, huge), -EMSGSIZE);
    g_autofree char *json = platform_slot_read_state(dir, 0);

    assert_string_equal(json, "{}");
    close(fd);
    platform_slot_release(slot);
}

static void test_a_torn_or_forged_state_is_never_given_out(void **state)
{
    static const char *const texts[] = {
        "00000002 00000000\n{}", "ffffffff 00000000\n{}", "00000002",
        "00000002 00000000",     "-0000002 00000000\n{}", "{}",
        "00000003 811c9dc5\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *path = kit_path(dir, "3.state");

        kit_write(path, texts[i]);
        assert_null(platform_slot_read_state(dir, 3));
    }
}

static void test_a_reader_beside_a_writer_never_sees_half_a_state(void **state)
{
    PlatformSlot *slot = claim();
    int fd = -1, status;

    assert_int_equal(platform_slot_open_state(slot, getuid(), getgid(), &fd), 0);
    assert_int_equal(platform_slot_write_state(fd, "a"), 0);
    pid_t pid = fork();

    if (pid == 0) {
        for (int i = 0; i < 3000; i++) {
            g_autofree char *text = g_strnfill((gsize)(i % 61) * 997 + 1, 'a' + i % 26);

            if (platform_slot_write_state(fd, text) < 0)
                _exit(1);
        }
        _exit(0);
    }
    unsigned reads = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        g_autofree char *text = platform_slot_read_state(dir, 0);

        if (!text)
            continue;
        assert_int_equal(strspn(text, (char[]){text[0], '\0'}), strlen(text));
        reads++;
    }
    assert_int_equal(status, 0);
    assert_true(reads > 0);
    close(fd);
    platform_slot_release(slot);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_each_claim_takes_the_first_free_slot),
        CASE(test_there_are_64_slots_and_no_more),
        CASE(test_a_killed_holder_s_slot_is_free_and_not_listed),
        CASE(test_a_slot_that_was_left_is_known_though_somebody_locks_it),
        CASE(test_a_stranger_sees_which_slots_are_alive),
        CASE(test_only_names_of_slots_count_as_traces),
        CASE(test_only_root_s_own_files_can_be_locked_by_others),
        CASE(test_a_released_slot_leaves_no_file),
        CASE(test_the_lock_of_a_removed_file_is_no_slot),
        CASE(test_what_is_published_comes_back),
        CASE(test_hostile_slot_files_are_passed_over),
        CASE(test_e6_a_directory_that_others_can_write_is_refused),
        CASE(test_a_state_is_read_as_it_was_written_last),
        CASE(test_a_state_that_is_too_long_is_refused_and_the_old_one_stays),
        CASE(test_a_torn_or_forged_state_is_never_given_out),
        CASE(test_a_reader_beside_a_writer_never_sees_half_a_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
