/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for the path's MTU, against paths that are played here. Relied on by everybody whose
 * pages would hang without it: a path must be found in a few seconds, a lie of ICMP's must not
 * last, nothing may be sent while nothing is used, and a gateway that answers no such question must
 * be left with what it had.
 */
#include "tunnel-kit.h"

#include <string.h>

#include "client/tunnel/path-mtu.h"

static PathMtu mtu;
static struct {
    uint64_t now;
    unsigned carries; /* by the path; 0: nothing is answered */
    unsigned lose;    /* of the next questions */
    unsigned asked;   /* questions */
    unsigned bytes;
} world;

/* As IKE over UDP has it: the marker, a header, and whole blocks of AES. */
static unsigned block_below(unsigned size)
{
    const unsigned fixed = (mtu.least == PATH_MTU_LEAST6 ? 48 : 28) + 4 + 28;
    return fixed + (size - fixed) / 16 * 16;
}

static void ask(unsigned size)
{
    const unsigned sent = block_below(size);

    world.asked++;
    world.bytes += sent;
    if (world.lose > 0)
        world.lose--;
    else if (sent <= world.carries)
        path_mtu_answered(&mtu, sent);
}

/* Lets time go by until nothing is waited for; returns how long, in ms. */
static unsigned run(void)
{
    const uint64_t begin = world.now;
    unsigned sizes[PATH_MTU_SIZES];

    for (unsigned i = 0; path_mtu_deadline(&mtu) != IKE_NEVER; i++) {
        assert_true(i < 20);
        if (path_mtu_deadline(&mtu) > world.now)
            world.now = path_mtu_deadline(&mtu);
        size_t n = path_mtu_tick(&mtu, world.now, sizes);
        assert_true(n <= PATH_MTU_SIZES);
        for (size_t k = 1; k < n; k++)
            assert_true(sizes[k - 1] < sizes[k]);
        for (size_t k = 0; k < n; k++)
            ask(sizes[k]);
    }
    return (unsigned)((world.now - begin) / IKE_MILLISECOND);
}

static void begin(unsigned family, unsigned link, unsigned carries)
{
    memset(&world, 0, sizeof(world));
    world.now = 1000 * IKE_SECOND;
    world.carries = carries;
    path_mtu_begin(&mtu, family, link);
    path_mtu_search(&mtu, mtu.most, world.now);
}

static void wait_and_use(unsigned seconds)
{
    world.now += seconds * IKE_SECOND;
    path_mtu_used(&mtu, world.now);
    run();
}

/* ---- what is found ---- */

static void a_path_like_its_link_costs_one_question(void **state)
{
    static const unsigned links[] = {1500, 1492, 1400, 1300, 576};

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        begin(4, links[i], links[i]);
        assert_int_equal(mtu.size, links[i]);
        assert_false(mtu.proven);
        assert_int_equal(run(), 0);
        assert_int_equal(mtu.size, links[i]);
        assert_true(mtu.proven);
        assert_int_equal(world.asked, 1);
    }
}

static void a_link_that_says_nothing_or_too_much_or_too_little(void **state)
{
    path_mtu_begin(&mtu, 4, 0);
    assert_int_equal(mtu.size, 1500);
    path_mtu_begin(&mtu, 4, 65536);
    assert_int_equal(mtu.size, 1500);
    path_mtu_begin(&mtu, 4, 68);
    assert_int_equal(mtu.size, 576);
    path_mtu_begin(&mtu, 6, 68);
    assert_int_equal(mtu.size, 1280);
}

/* Whatever a path carries: what is found gets through, and is not much less. */
static void every_path_is_found_when_icmp_is_lost(void **state)
{
    static const unsigned families[] = {4, 6};

    for (size_t f = 0; f < 2; f++) {
        for (unsigned carries = families[f] == 6 ? 1280 : 576; carries < 1480; carries++) {
            begin(families[f], 1500, carries);
            assert_true(run() <= 3000);
            assert_true(mtu.proven);
            assert_true(mtu.size <= carries);
            assert_true(carries < 1280 || mtu.size + 60 > carries);
            assert_true(world.bytes < 50000);
        }
    }
    begin(6, 1500, 1492);
    run();
    assert_int_equal(mtu.size, 1492);
}

static void lost_questions_do_no_harm(void **state)
{
    for (unsigned lose = 1; lose <= 6; lose++) {
        begin(4, 1500, 1500);
        world.lose = lose;
        run();
        assert_int_equal(mtu.size, 1500);
        assert_true(mtu.proven);
    }
}

static void a_gateway_that_answers_nothing_keeps_what_it_had(void **state)
{
    begin(4, 1492, 0);
    assert_true(run() <= 3000);
    assert_int_equal(mtu.size, 1492);
    assert_false(mtu.proven);
    /* It is asked again, but rarely. */
    world.asked = 0;
    for (int i = 0; i < 9; i++)
        wait_and_use(60);
    assert_int_equal(world.asked, 0);
    wait_and_use(120);
    assert_true(world.asked > 0);
    assert_int_equal(mtu.size, 1492);
}

/* ---- what changes ---- */

static void nothing_is_asked_while_nothing_is_used(void **state)
{
    begin(4, 1500, 1400);
    run();
    assert_int_equal(path_mtu_deadline(&mtu), IKE_NEVER);
}

static void a_path_that_shrinks_is_noticed_within_a_minute_and_one_that_grows_in_ten(void **state)
{
    begin(4, 1500, 1500);
    run();
    world.carries = 1400;
    wait_and_use(61);
    assert_in_range(mtu.size, 1380, 1400);
    world.carries = 1500;
    for (int i = 0; i < 9; i++) {
        wait_and_use(60);
        assert_in_range(mtu.size, 1380, 1400);
    }
    wait_and_use(120);
    assert_int_equal(mtu.size, 1500);
    /* A minute costs one question. */
    world.asked = 0;
    wait_and_use(61);
    assert_int_equal(world.asked, 1);
}

static void silence_is_asked_after_sooner(void **state)
{
    begin(4, 1500, 1500);
    run();
    world.carries = 1400;
    world.now += 31 * IKE_SECOND;
    path_mtu_doubt(&mtu, world.now);
    run();
    assert_in_range(mtu.size, 1380, 1400);
    /* And a gateway that is gone leaves it as it is. */
    world.carries = 0;
    world.now += 31 * IKE_SECOND;
    path_mtu_doubt(&mtu, world.now);
    world.asked = 0;
    run();
    path_mtu_doubt(&mtu, world.now);
    run();
    assert_true(world.asked < 40);
    assert_in_range(mtu.size, 1380, 1400);
    assert_true(mtu.proven);
}

/* ---- ICMP ---- */

static void what_icmp_says_counts_at_once_and_to_the_byte(void **state)
{
    begin(4, 1500, 1500);
    run();
    world.carries = 1393;
    assert_true(path_mtu_tell(&mtu, 1393, world.now));
    assert_int_equal(mtu.size, 1393);
    run();
    assert_int_equal(mtu.size, 1393);
    assert_false(mtu.deaf);
    wait_and_use(61);
    assert_int_equal(mtu.size, 1393);
}

static void a_lie_lasts_as_long_as_one_answer_takes(void **state)
{
    begin(4, 1500, 1500);
    run();
    assert_true(path_mtu_tell(&mtu, 600, world.now));
    assert_int_equal(mtu.size, 600);
    assert_int_equal(run(), 0);
    assert_int_equal(mtu.size, 1500);
    assert_true(mtu.deaf);
    /* Nobody is listened to from then on, */
    for (unsigned size = 0; size < 2000; size += 7)
        assert_false(path_mtu_tell(&mtu, size, world.now));
    assert_int_equal(mtu.size, 1500);
    /* not after the next question has been answered either, */
    wait_and_use(61);
    assert_true(mtu.deaf);
    assert_false(path_mtu_tell(&mtu, 600, world.now));
    /* and the truth is found without. */
    world.carries = 1400;
    wait_and_use(61);
    assert_in_range(mtu.size, 1380, 1400);
}

static void icmp_never_raises_nor_goes_below_what_all_networks_carry(void **state)
{
    begin(4, 1500, 0);
    run();
    assert_false(path_mtu_tell(&mtu, 1500, world.now));
    assert_false(path_mtu_tell(&mtu, 70000, world.now));
    assert_true(path_mtu_tell(&mtu, 0, world.now));
    assert_int_equal(mtu.size, 576);
    begin(6, 1500, 0);
    run();
    assert_true(path_mtu_tell(&mtu, 68, world.now));
    assert_int_equal(mtu.size, 1280);
}

static void what_icmp_says_of_a_gateway_that_answers_nothing_stays_for_a_while(void **state)
{
    begin(4, 1500, 0);
    run();
    assert_true(path_mtu_tell(&mtu, 1400, world.now));
    run();
    assert_int_equal(mtu.size, 1400);
    assert_false(mtu.proven);
    wait_and_use(590);
    assert_int_equal(mtu.size, 1400);
    wait_and_use(10);
    assert_int_equal(mtu.size, 1500);
}

static void icmp_in_the_middle_of_a_search_is_one_of_the_sizes(void **state)
{
    unsigned sizes[PATH_MTU_SIZES];

    begin(4, 1500, 1411);
    assert_int_equal(path_mtu_tick(&mtu, world.now, sizes), 1);
    assert_true(path_mtu_tell(&mtu, 1411, world.now));
    run();
    assert_int_equal(mtu.size, 1411);
    assert_true(mtu.proven);
    assert_false(mtu.deaf);
}

static void icmp_that_contradicts_an_answer_in_the_middle_of_a_search_is_asked_about(void **state)
{
    unsigned sizes[PATH_MTU_SIZES];

    for (int lie = 0; lie < 2; lie++) {
        begin(4, 1500, 1400);
        path_mtu_tick(&mtu, world.now, sizes);
        path_mtu_answered(&mtu, 1388);
        world.carries = lie ? 1400 : 1300;
        assert_true(path_mtu_tell(&mtu, 1300, world.now));
        run();
        assert_in_range(mtu.size, lie ? 1380 : 1280, world.carries);
    }
}

static void answers_to_what_was_not_asked_mean_nothing(void **state)
{
    begin(4, 1500, 1400);
    run();
    unsigned size = mtu.size;
    path_mtu_answered(&mtu, 1500);
    assert_int_equal(mtu.size, size);
    path_mtu_search(&mtu, size, world.now);
    path_mtu_answered(&mtu, 9000);
    path_mtu_answered(&mtu, 0);
    run();
    assert_int_equal(mtu.size, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_like_its_link_costs_one_question),
        cmocka_unit_test(a_link_that_says_nothing_or_too_much_or_too_little),
        cmocka_unit_test(every_path_is_found_when_icmp_is_lost),
        cmocka_unit_test(lost_questions_do_no_harm),
        cmocka_unit_test(a_gateway_that_answers_nothing_keeps_what_it_had),
        cmocka_unit_test(nothing_is_asked_while_nothing_is_used),
        cmocka_unit_test(a_path_that_shrinks_is_noticed_within_a_minute_and_one_that_grows_in_ten),
        cmocka_unit_test(silence_is_asked_after_sooner),
        cmocka_unit_test(what_icmp_says_counts_at_once_and_to_the_byte),
        cmocka_unit_test(a_lie_lasts_as_long_as_one_answer_takes),
        cmocka_unit_test(icmp_never_raises_nor_goes_below_what_all_networks_carry),
        cmocka_unit_test(what_icmp_says_of_a_gateway_that_answers_nothing_stays_for_a_while),
        cmocka_unit_test(icmp_in_the_middle_of_a_search_is_one_of_the_sizes),
        cmocka_unit_test(icmp_that_contradicts_an_answer_in_the_middle_of_a_search_is_asked_about),
        cmocka_unit_test(answers_to_what_was_not_asked_mean_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
