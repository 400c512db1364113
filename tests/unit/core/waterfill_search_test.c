/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the level: where it begins, when it may stop short, and how many visits it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/waterfill.h"

#define UNIT (INT64_C(1) << 20)     /* of a level */

static uint32_t visits;

/* From a level, to `rough`; the shares stand in `claim`. Counts the visits after the first. */
static void search(struct waterfill *fill, int64_t start, int64_t rough, bool whole, int64_t budget,
                   struct claim *claim, uint32_t count)
{
    uint32_t items = 1000;
    memset(fill, 0x5A, sizeof *fill);
    waterfill_open(fill, start, rough);
    fill->whole = whole;
    waterfill_take(fill, claim, count);
    waterfill_close(fill, budget, claim);
    assert_true(waterfill_step(fill, &items));
    visits = 1000 - items;
}

static void nothing_of_a_former_search_is_left(void **state)
{
    (void)state;
    struct waterfill fill;
    for (int junk = 0; junk < 256; junk += 0x55) {
        memset(&fill, junk, sizeof fill);
        waterfill_open(&fill, 5 * UNIT, 7);
        assert_null(fill.claim);
        assert_int_equal(fill.count, 0);
        assert_int_equal(fill.budget, 0);
        assert_int_equal(fill.highest, 0);
        assert_int_equal(fill.lightest, WATERFILL_WEIGHT_MAX);
        assert_int_equal(fill.lows, 0);
        assert_int_equal(fill.highs, 0);
        assert_int_equal(fill.rough, 7);
        assert_true(fill.whole);
        assert_int_equal(fill.start, 5 * UNIT);
        assert_int_equal(fill.level, 5 * UNIT);
        assert_int_equal(fill.level_low, 0);
        assert_int_equal(fill.level_high, 0);
        assert_int_equal(fill.left, 0);
        assert_int_equal(fill.left_before, 0);
        assert_false(fill.all);
        assert_int_equal(fill.cursor, 0);
        assert_int_equal(fill.sum, 0);
        assert_int_equal(fill.free_weight, 0);
        assert_int_equal(fill.fractions, 0);
        uint32_t items = 3;
        waterfill_close(&fill, 0, NULL);    /* nobody: nothing to visit */
        assert_true(waterfill_step(&fill, &items));
        assert_int_equal(items, 3);
    }
}

static void begin_knows_no_level_and_stops_at_the_last_unit(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 10, 0, 1}, {5, 10, 0, 1}};
    memset(&fill, 0x5A, sizeof fill);
    waterfill_begin(&fill, 12, claim, 2);
    assert_int_equal(fill.start, 0);
    assert_int_equal(fill.rough, 0);
    assert_int_equal(fill.lows, 5);
    assert_int_equal(fill.highs, 20);
    assert_int_equal(fill.highest, 10);
    assert_int_equal(fill.lightest, 1);
    assert_int_equal(fill.level_high, 10 * UNIT);
    assert_int_equal(fill.level, 10 * UNIT * (12 - 5) / (20 - 5));
}

static void the_highest_level_is_rounded_up(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 10, 0, 3}, {0, 1, 0, 7}};
    waterfill_begin(&fill, 5, claim, 2);
    assert_int_equal(fill.level_high, (10 * UNIT + 2) / 3);
    struct claim even[] = {{0, 9, 0, 3}, {0, 1, 0, 7}};
    waterfill_begin(&fill, 5, even, 2);
    assert_int_equal(fill.level_high, 3 * UNIT);
}

static void a_search_that_begins_at_its_level_visits_nobody_again(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 100, 0, 1}, {0, 100, 0, 1}};
    search(&fill, 6 * UNIT, 0, true, 12, claim, 2);
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 6);
    assert_int_equal(claim[1].share, 6);
    search(&fill, 4 * UNIT, 0, true, 12, claim, 2);     /* one Newton step */
    assert_int_equal(visits, 2);
    assert_int_equal(claim[0].share, 6);
    search(&fill, UNIT, 0, true, 12, claim, 2);
    assert_int_equal(visits, 2);
    search(&fill, 1, 0, true, 12, claim, 2);
    assert_int_equal(visits, 2);
    search(&fill, 100 * UNIT, 0, true, 12, claim, 2);   /* not below the highest: counts as unknown */
    assert_int_equal(visits, 2);
    search(&fill, 101 * UNIT, 0, true, 12, claim, 2);
    assert_int_equal(visits, 2);
    search(&fill, 100 * UNIT - 1, 0, true, 12, claim, 2);
    assert_int_equal(visits, 2);
    assert_int_equal(claim[0].share, 6);
}

/* A level is told by what is left over, not by where it began. */
static void a_level_known_stands_in_for_the_interpolation(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 4, 0, 1}, {0, 100, 0, 1}};
    search(&fill, 0, 0, true, 12, claim, 2);            /* 100 x 12 / 104, too high by 3.5: one step */
    assert_int_equal(visits, 2 * 2);
    assert_int_equal(claim[1].share, 8);
    search(&fill, 8 * UNIT, 0, true, 12, claim, 2);
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 4);
    assert_int_equal(claim[1].share, 8);
}

static void a_rough_search_stops_short_of_its_budget_and_never_beyond(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 100, 0, 1}, {0, 100, 0, 1}};
    search(&fill, 4 * UNIT, 4, true, 12, claim, 2);     /* 8 of 12 */
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 4);
    search(&fill, 4 * UNIT, 3, true, 12, claim, 2);
    assert_int_equal(claim[0].share, 6);
    search(&fill, 5 * UNIT, 1, true, 11, claim, 2);
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 5);
    assert_int_equal(claim[1].share, 5);
    search(&fill, 6 * UNIT + UNIT / 2, 1, true, 12, claim, 2);      /* the whole budget */
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 6);
    search(&fill, 7 * UNIT, 4, true, 12, claim, 2);     /* 14 is none of 12 */
    assert_int_equal(claim[0].share, 6);
    assert_int_equal(claim[1].share, 6);
}

static void without_whole_units_what_floors_leave_over_is_left(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{0, 100, 0, 1}, {0, 100, 0, 1}};
    search(&fill, 6 * UNIT + UNIT / 2, 0, false, 13, claim, 2);
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, 6);
    assert_int_equal(claim[1].share, 6);
    assert_int_equal(fill.left, 1);
    search(&fill, 6 * UNIT + UNIT / 2, 0, true, 13, claim, 2);      /* fractions, then handed out */
    assert_int_equal(visits, 4);
    assert_int_equal(claim[0].share, 7);
    assert_int_equal(claim[1].share, 6);
    assert_int_equal(fill.left, 0);
}

static void plenty_and_dearth_are_settled_in_one_pass(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[] = {{3, 10, 0, 1}, {2, 20, 0, 1}};
    search(&fill, 7 * UNIT, 0, true, 30, claim, 2);
    assert_int_equal(visits, 2);
    assert_int_equal(fill.level, 20 * UNIT);
    assert_int_equal(claim[0].share, 10);
    assert_int_equal(claim[1].share, 20);
    search(&fill, 7 * UNIT, 0, true, 5, claim, 2);
    assert_int_equal(visits, 2);
    assert_int_equal(claim[0].share, 3);
    assert_int_equal(claim[1].share, 2);
    search(&fill, 7 * UNIT, 0, true, 29, claim, 2);
    assert_int_equal(claim[0].share + claim[1].share, 29);
}

/* Products beyond 64 bits: the same claims a million times heavier share alike. */
static void heavy_claims_share_as_light_ones_do(void **state)
{
    (void)state;
    struct waterfill fill;
    const int64_t most = WATERFILL_QUANTITY_MAX;
    struct claim claim[] = {{0, most, 0, 1}, {0, most, 0, 3}, {0, most, 0, WATERFILL_WEIGHT_MAX}};
    const int64_t start = most / 2 * UNIT;      /* the two light ones pass their highs above it */
    search(&fill, start, 0, true, most / 2 + 2 * most, claim, 3);
    assert_int_equal(visits, 0);
    assert_int_equal(claim[0].share, most / 2);
    assert_int_equal(claim[1].share, most);
    assert_int_equal(claim[2].share, most);
    struct claim pair[] = {{0, most, 0, 1}, {0, most, 0, 1}};
    search(&fill, 0, 0, true, most / 2, pair, 2);
    assert_int_equal(pair[0].share, most / 4);
    assert_int_equal(pair[1].share, most / 4);
}

/*
 * Weights a little below the largest: from level 2, where each has 1 and 1 - 2^-19 more, to 3 they move by 2
 * units less a trace, so three may be left for two. A second turn hands out what the first did not, and
 * nobody has more than its highest: what no one can take is left.
 */
static void what_is_left_for_a_second_turn_stops_at_the_highest(void **state)
{
    (void)state;
    struct waterfill fill;
    const uint32_t weight = WATERFILL_WEIGHT_MAX - 1;
    struct claim free[] = {{0, 100, 0, weight}, {0, 100, 0, weight}};
    search(&fill, 2, 0, true, 5, free, 2);
    assert_int_equal(free[0].share, 3);
    assert_int_equal(free[1].share, 2);
    struct claim uneven[] = {{0, 100, 0, weight}, {0, 100, 0, WATERFILL_WEIGHT_MAX / 2}};
    search(&fill, 2, 0, true, 4, uneven, 2);    /* no second one before all have had their first */
    assert_int_equal(uneven[0].share, 2);
    assert_int_equal(uneven[1].share, 2);
    struct claim bounded[] = {{0, 2, 0, weight}, {0, 100, 0, weight}};
    search(&fill, 2, 0, true, 5, bounded, 2);
    assert_int_equal(bounded[0].share, 2);
    assert_int_equal(bounded[1].share, 3);
    struct claim full[] = {{0, 2, 0, weight}, {0, 2, 0, weight}, {10, 100, 0, 1}};
    search(&fill, 2, 0, true, 15, full, 3);
    assert_int_equal(full[0].share, 2);
    assert_int_equal(full[1].share, 2);
    assert_in_range(full[2].share, 10, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_former_search_is_left),
        cmocka_unit_test(begin_knows_no_level_and_stops_at_the_last_unit),
        cmocka_unit_test(the_highest_level_is_rounded_up),
        cmocka_unit_test(a_search_that_begins_at_its_level_visits_nobody_again),
        cmocka_unit_test(a_level_known_stands_in_for_the_interpolation),
        cmocka_unit_test(a_rough_search_stops_short_of_its_budget_and_never_beyond),
        cmocka_unit_test(without_whole_units_what_floors_leave_over_is_left),
        cmocka_unit_test(plenty_and_dearth_are_settled_in_one_pass),
        cmocka_unit_test(heavy_claims_share_as_light_ones_do),
        cmocka_unit_test(what_is_left_for_a_second_turn_stops_at_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
