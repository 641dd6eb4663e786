/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replay window, adversary first, and then against a model that remembers every number.
 * The data path relies on it for all that a captured packet could do.
 * REPLAY_STEPS in the environment sets how many numbers each random run tries.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/replay.h"

enum { WINDOW = IKE_REPLAY_WINDOW };

static bool both(IkeReplay *window, uint32_t sequence)
{
    IkeReplay before = *window;
    bool checked = ike_replay_check(window, sequence);

    assert_memory_equal(window, &before, sizeof(before));
    assert_int_equal(ike_replay_take(window, sequence), checked);
    if (!checked)
        assert_memory_equal(window, &before, sizeof(before));
    return checked;
}

static void test_d1_number_zero_is_refused(void **state)
{
    IkeReplay window = {0};

    assert_false(both(&window, 0));
    assert_true(both(&window, 1));
    assert_false(both(&window, 0));
    assert_true(both(&window, 5000));
    assert_false(both(&window, 0));
}

static void test_d1_first_packet_is_taken_once(void **state)
{
    IkeReplay window = {0};

    assert_true(both(&window, 1));
    assert_false(both(&window, 1));
}

/* openconnect and vpnc took the latest packet again. */
static void test_d1_latest_packet_is_taken_once(void **state)
{
    IkeReplay window = {0};

    for (uint32_t n = 1; n < 4 * WINDOW; n++) {
        assert_true(both(&window, n));
        assert_false(both(&window, n));
        if (n > 1)
            assert_false(both(&window, n - 1));
    }
}

static void test_d1_edge_of_the_window(void **state)
{
    for (uint32_t n = WINDOW + 1; n < WINDOW + 200; n++) {
        IkeReplay window = {0};

        assert_true(both(&window, n));
        assert_false(both(&window, n - WINDOW - 1));
        assert_false(both(&window, n - WINDOW));
        assert_true(both(&window, n - WINDOW + 1));
        assert_false(both(&window, n - WINDOW + 1));
        assert_false(both(&window, n));
    }
}

static void test_d4_all_of_a_window_backwards(void **state)
{
    IkeReplay window = {0};

    assert_true(both(&window, 3 * WINDOW));
    for (uint32_t i = 1; i < WINDOW; i++)
        assert_true(both(&window, 3 * WINDOW - i));
    for (uint32_t i = 0; i <= 3 * WINDOW; i++)
        assert_false(both(&window, i));
}

/* Bits of numbers long ago stand in the ring; a jump must not let them speak for new numbers. */
static void test_d2_jumps_forget_old_bits(void **state)
{
    for (uint32_t jump = 1; jump < 5 * WINDOW; jump += 13) {
        IkeReplay window = {0};

        for (uint32_t n = 1; n <= 2 * WINDOW; n++)
            assert_true(both(&window, n));
        assert_true(both(&window, 2 * WINDOW + jump));
        for (uint32_t n = 2 * WINDOW + 1; n < 2 * WINDOW + jump; n++)
            assert_int_equal(both(&window, n), n + WINDOW > 2 * WINDOW + jump);
    }
}

static void test_d2_highest_number_does_not_wrap(void **state)
{
    IkeReplay window = {0};

    assert_true(both(&window, UINT32_MAX));
    assert_false(both(&window, UINT32_MAX));
    assert_false(both(&window, 0));
    assert_false(both(&window, 1));
    assert_false(both(&window, WINDOW));
    assert_true(both(&window, UINT32_MAX - WINDOW + 1));
    assert_false(both(&window, UINT32_MAX - WINDOW));
    assert_true(both(&window, UINT32_MAX - 1));
}

/* A number that was only checked, not taken, leaves no trace: forged packets move nothing. */
static void test_d3_checks_alone_move_nothing(void **state)
{
    IkeReplay window = {0}, fresh = {0};

    for (uint32_t n = 0; n < 3 * WINDOW; n++)
        ike_replay_check(&window, n);
    ike_replay_check(&window, UINT32_MAX);
    assert_memory_equal(&window, &fresh, sizeof(fresh));
}

/* ---- the model: a set of all numbers that were taken, from `base` on ---- */

enum { MODEL = 1 << 22 };

typedef struct Model {
    uint32_t base, last;
    uint8_t *taken; /* one byte a number */
} Model;

static bool model_take(Model *model, uint32_t n)
{
    uint32_t at = n - model->base;

    assert_true(at < MODEL);
    if (n == 0 || model->taken[at] || (uint64_t)n + WINDOW <= model->last)
        return false;
    model->taken[at] = 1;
    if (n > model->last)
        model->last = n;
    return true;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Mostly near the head, now and then a jump ahead, an old number, or one at the very edge. */
static uint32_t next_number(const Model *model, uint64_t *seed)
{
    uint64_t r = next_random(seed), n;

    if (r % 16 < 9)
        n = (uint64_t)model->last + (r >> 8) % 4;
    else if (r % 16 < 13)
        n = (uint64_t)model->last - (r >> 8) % (WINDOW + 8);
    else if (r % 16 < 14)
        n = (uint64_t)model->last - WINDOW - 2 + (r >> 8) % 5;
    else if (r % 16 < 15)
        n = (uint64_t)model->last + (r >> 8) % 40;
    else
        n = (r >> 8) % 64 == 0 ? model->last + (r >> 16) % (4 * WINDOW) : model->last;
    if (n < model->base || n > UINT64_MAX / 2)
        return model->base;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Returns the last number taken. */
static uint32_t compare(uint32_t base, size_t steps, uint64_t seed)
{
    Model model = {.base = base, .last = base, .taken = calloc(1, MODEL)};
    IkeReplay window = {0};
    size_t good = 0;

    assert_non_null(model.taken);
    if (base != 0)
        assert_true(model_take(&model, base) && both(&window, base));
    for (size_t i = 0; i < steps; i++) {
        uint32_t n = next_number(&model, &seed);
        bool want = model_take(&model, n);

        assert_int_equal(both(&window, n), want);
        good += want;
    }
    assert_true(good > steps / 100 && good < steps);
    free(model.taken);
    return model.last;
}

static size_t steps_wanted(void)
{
    const char *text = getenv("REPLAY_STEPS"), *full = getenv("DIALTONE_FULL");

    if (text != NULL)
        return strtoul(text, NULL, 10);
    return full != NULL && strcmp(full, "yes") == 0 ? 10000000 : 1000000;
}

static void test_d2_agrees_with_a_set_from_the_start(void **state)
{
    for (size_t left = steps_wanted(), run = 1; left > 0; run++) {
        size_t steps = left < 500000 ? left : 500000;

        compare(0, steps, UINT64_C(0x9e3779b97f4a7c15) * run);
        left -= steps;
    }
}

/* The run comes to the very last number, and goes on trying there. */
static void test_d2_agrees_with_a_set_near_the_end(void **state)
{
    for (size_t left = steps_wanted(), run = 1; left > 0; run++) {
        size_t steps = left < 500000 ? left : 500000;

        uint32_t last =
            compare(UINT32_MAX - (uint32_t)steps * 3, steps, UINT64_C(0xbf58476d1ce4e5b9) * run);
        assert_int_equal(last, UINT32_MAX);
        left -= steps;
    }
}

/* Word boundaries and the sign bit of 32 bits are where shifts and differences go wrong. */
static void test_d2_agrees_with_a_set_around_the_sign_bit(void **state)
{
    compare(UINT32_C(0x80000000) - 200, 300000, 99);
    compare(UINT32_C(0x7fffffff) - 2 * WINDOW, 300000, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_d1_number_zero_is_refused),
        cmocka_unit_test(test_d1_first_packet_is_taken_once),
        cmocka_unit_test(test_d1_latest_packet_is_taken_once),
        cmocka_unit_test(test_d1_edge_of_the_window),
        cmocka_unit_test(test_d4_all_of_a_window_backwards),
        cmocka_unit_test(test_d2_jumps_forget_old_bits),
        cmocka_unit_test(test_d2_highest_number_does_not_wrap),
        cmocka_unit_test(test_d3_checks_alone_move_nothing),
        cmocka_unit_test(test_d2_agrees_with_a_set_from_the_start),
        cmocka_unit_test(test_d2_agrees_with_a_set_near_the_end),
        cmocka_unit_test(test_d2_agrees_with_a_set_around_the_sign_bit),
    };

    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
