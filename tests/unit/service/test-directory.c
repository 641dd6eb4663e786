/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of users that does not answer keeps nobody waiting but who asks it, and those not
 * for ever; what it says is remembered. The lookup is one of this test's own. */
#include "service-kit.h"

#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/profile/parse.h"
#include "client/service/directory-process.h"
#include "client/service/directory.h"

enum { FRIEND = 1000, STRANGER = 1001, STALLS = 1002, CRASHES = 1003, MEMBER = 1004, GROUP = 77 };

static DialtoneProfile *profile;
static ServiceDirectory *directory;
static guint answered;
static ServiceNamed said[64];

/* In processes of its own. */
static bool lookup(const GPtrArray *users, const GPtrArray *groups, const DialtoneSubject *subject)
{
    if (users->len != 2 || groups->len != 1 || strcmp(users->pdata[1], "bob") != 0 ||
        strcmp(groups->pdata[0], "staff") != 0)
        return false;
    if (subject->uid == STALLS)
        for (;;)
            (void)pause();
    if (subject->uid == CRASHES)
        (void)raise(SIGKILL);
    for (gsize i = 0; i < subject->gids_n; i++)
        if (subject->gids[i] == GROUP)
            return true;
    return subject->uid == FRIEND;
}

static int set_up_for(guint seconds)
{
    static const char text[] =
        "[Gateway]\nAddress=vpn.example.com\n[Identity]\nID=a@example.com\nAuth=psk\n"
        "[Access]\nUsers=alice;bob\nGroups=staff\n";
    profile = dialtone_profile_parse_with_psk(text, strlen(text), "x", NULL);
    answered = 0;
    directory = service_directory_new(service_directory_start(lookup), seconds);
    return profile == NULL;
}

/* Longer than a busy machine takes for a process. */
static int set_up(void **state)
{
    return set_up_for(60);
}

static int set_up_for_stalls(void **state)
{
    return set_up_for(6);
}

static int set_up_for_stalls_alone(void **state)
{
    return set_up_for(1);
}

static int tear_down(void **state)
{
    service_directory_free(directory);
    dialtone_profile_free(profile);
    return 0;
}

static void on_answer(ServiceNamed named, gpointer data)
{
    assert_true(answered < G_N_ELEMENTS(said));
    said[answered++] = named;
}

static void ask(uid_t uid, gid_t gid)
{
    const DialtoneSubject subject = {.uid = uid, .gids = &gid, .gids_n = 1};
    service_directory_ask(directory, profile, &subject, on_answer, NULL);
}

static ServiceNamed wait_for(guint n)
{
    while (answered < n)
        g_main_context_iteration(NULL, TRUE);
    return said[n - 1];
}

static void who_stalls_it_or_breaks_it_keeps_nobody_else_waiting(void **state)
{
    ask(STALLS, 1);
    ask(CRASHES, 1);
    assert_int_equal(answered, 0);
    ask(FRIEND, 1);
    assert_int_equal(wait_for(1), SERVICE_NAMED);
    ask(STRANGER, 1);
    assert_int_equal(wait_for(2), SERVICE_NAMED_NOT);
    assert_int_equal(wait_for(3), SERVICE_NAMED_UNKNOWN);
    assert_int_equal(wait_for(4), SERVICE_NAMED_UNKNOWN);
}

static void more_stalls_than_it_has_processes_end_too(void **state)
{
    for (gid_t gid = 0; gid < 40; gid++)
        ask(STALLS, 1000 + gid);
    assert_int_equal(wait_for(40), SERVICE_NAMED_UNKNOWN);
}

static void without_the_process_nobody_is_known(void **state)
{
    service_directory_free(directory);
    directory = service_directory_new(-1, 1);
    ask(FRIEND, 1);
    assert_int_equal(answered, 1);
    assert_int_equal(said[0], SERVICE_NAMED_UNKNOWN);
}

static void a_process_that_ends_answers_nobody(void **state)
{
    int ends[2];
    service_directory_free(directory);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    directory = service_directory_new(ends[0], 60);
    ask(FRIEND, 1);
    ask(STRANGER, 1);
    close(ends[1]);
    assert_int_equal(wait_for(2), SERVICE_NAMED_UNKNOWN);
    ask(FRIEND, 1);
    assert_int_equal(wait_for(3), SERVICE_NAMED_UNKNOWN);
}

static void what_is_no_question_gets_a_no(void **state)
{
    static const char bytes[64];
    const gsize lengths[] = {4, 5, 23, 24, 25, 64};
    DirectoryAnswer answer;
    int fd = service_directory_start(lookup);
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        guint8 question[64];
        memcpy(question, bytes, sizeof(question));
        /* Counts that lie about what follows. */
        memset(question + 8, 0xff, sizeof(question) - 8);
        assert_int_equal(send(fd, question, lengths[i], 0), lengths[i]);
        assert_int_equal(recv(fd, &answer, sizeof(answer), 0), sizeof(answer));
        assert_int_equal(answer.named, 0);
    }
    close(fd);
}

static void an_answer_is_remembered_for_who_asks_the_same(void **state)
{
    ask(MEMBER, GROUP);
    assert_int_equal(wait_for(1), SERVICE_NAMED);
    ask(MEMBER, GROUP);
    assert_int_equal(answered, 2);
    /* Another's groups are another question. */
    ask(MEMBER, GROUP + 1);
    assert_int_equal(wait_for(3), SERVICE_NAMED_NOT);
}

static void who_asks_the_same_at_a_time_is_answered_together(void **state)
{
    for (int i = 0; i < 3; i++)
        ask(FRIEND, 1);
    assert_int_equal(wait_for(3), SERVICE_NAMED);
}

/* The test is the process: it answers when the first has given up. */
static void an_answer_that_is_late_for_one_is_for_who_asked_the_same_later(void **state)
{
    int ends[2];
    guint8 question[256];
    DirectoryAnswer answer = {.named = 1};
    service_directory_free(directory);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    directory = service_directory_new(ends[0], 3);
    ask(FRIEND, 1);
    const gint64 then = g_get_monotonic_time() + G_USEC_PER_SEC;
    while (g_get_monotonic_time() < then)
        g_usleep(10000);
    ask(FRIEND, 1);
    assert_int_equal(wait_for(1), SERVICE_NAMED_UNKNOWN);
    assert_int_equal(answered, 1);
    assert_true(recv(ends[1], question, sizeof(question), MSG_DONTWAIT) >
                (ssize_t)sizeof(answer.id));
    memcpy(&answer.id, question, sizeof(answer.id));
    assert_int_equal(send(ends[1], &answer, sizeof(answer), 0), sizeof(answer));
    assert_int_equal(wait_for(2), SERVICE_NAMED);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_stalls_it_or_breaks_it_keeps_nobody_else_waiting,
                                        set_up_for_stalls, tear_down),
        cmocka_unit_test_setup_teardown(more_stalls_than_it_has_processes_end_too,
                                        set_up_for_stalls_alone, tear_down),
        cmocka_unit_test_setup_teardown(without_the_process_nobody_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_ends_answers_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_question_gets_a_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_remembered_for_who_asks_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_asks_the_same_at_a_time_is_answered_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            an_answer_that_is_late_for_one_is_for_who_asked_the_same_later, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("service directory", tests, NULL, NULL);
}
