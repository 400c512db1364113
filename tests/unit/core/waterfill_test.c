/* SPDX-License-Identifier: Apache-2.0 */
/* Weighted max-min by hand: sum clamp(weight x level, low, high) = budget, whole units to the largest
 * fractions, in visits of any number. domain.md 4.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/waterfill.h"

enum { CLAIMS = 4 };

struct share_case {
    int64_t budget;
    struct claim claim[CLAIMS];     /* weight 0 ends them; share is what is expected */
};

static const struct share_case cases[] = {
    {12, {{0, 100, 6, 1}, {0, 100, 6, 1}}},
    {12, {{0, 100, 4, 1}, {0, 100, 8, 2}}},
    {12, {{0, 3, 3, 1}, {0, 100, 9, 1}}},
    {12, {{7, 100, 7, 1}, {0, 100, 5, 1}}},
    {12, {{8, 100, 8, 1}, {8, 100, 8, 1}}},                         /* below the lows: the lows */
    {16, {{8, 100, 8, 1}, {8, 100, 8, 1}}},
    {17, {{8, 100, 9, 1}, {8, 100, 8, 1}}},
    {50, {{0, 10, 10, 1}, {0, 20, 20, 7}}},                         /* above the highs: the highs */
    {30, {{0, 10, 10, 1}, {0, 20, 20, 7}}},
    {29, {{0, 10, 9, 1}, {0, 20, 20, 7}}},
    {0, {{0, 10, 0, 1}, {0, 10, 0, 1}}},
    {-5, {{0, 10, 0, 1}, {2, 10, 2, 1}}},
    {1, {{0, 10, 1, 1}, {0, 10, 0, 1}}},                            /* ties to the lowest index */
    {2, {{0, 10, 1, 1}, {0, 10, 1, 1}, {0, 10, 0, 1}}},
    {7, {{0, 10, 3, 1}, {0, 10, 2, 1}, {0, 10, 2, 1}}},
    {2, {{0, 10, 1, 665}, {0, 10, 0, 665}, {0, 10, 1, 670}}},       /* 0.670 before 0.665 */
    {10, {{1, 2, 2, 1}, {3, 4, 4, 1}, {0, 100, 4, 1}}},
    {5, {{5, 5, 5, 3}}},
    {9, {{2, 2, 2, 9}, {0, 100, 7, 1}}},
    {1000000, {{0, 1, 1, 1048576}, {0, 1000000, 999999, 1}}},
};

static uint32_t fill_by(const struct share_case *test, struct claim claim[CLAIMS], uint32_t first_count,
                        uint32_t items_each)
{
    struct waterfill fill;
    uint32_t count = 0, steps = 1;
    memcpy(claim, test->claim, sizeof test->claim);
    while (count < CLAIMS && claim[count].weight)
        claim[count++].share = -7;
    first_count = first_count < count ? first_count : count;
    memset(&fill, 0x5A, sizeof fill);
    waterfill_begin(&fill, test->budget, claim, count);
    for (; steps < 10000; steps++) {
        uint32_t items = items_each;
        bool done = waterfill_step(&fill, &items);
        assert_true(items <= items_each);
        assert_true(done || items == 0);
        if (done)
            break;
    }
    assert_true(steps < 10000);
    return count;
}

static void shares_are_as_worked_out_by_hand_in_visits_of_any_number_and_runs_of_any_length(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t items = 1; items < 20; items += 3) {
            for (uint32_t first = 0; first <= CLAIMS; first++) {
                struct claim claim[CLAIMS];
                uint32_t count = fill_by(&cases[i], claim, first, items);
                for (uint32_t c = 0; c < count; c++)
                    assert_int_equal(claim[c].share, cases[i].claim[c].share);
            }
        }
    }
}

static void every_visit_is_taken_off_and_no_more(void **state)
{
    (void)state;
    struct waterfill fill;
    struct claim claim[2] = {{0, 3, 0, 1}, {0, 4, 0, 1}};
    uint32_t items = 1;
    waterfill_begin(&fill, -1, claim, 2);
    assert_false(waterfill_step(&fill, &items));
    assert_int_equal(items, 0);
    items = 5;
    assert_true(waterfill_step(&fill, &items));     /* below the lows one pass is all */
    assert_int_equal(items, 4);
    assert_true(waterfill_step(&fill, &items));
    assert_int_equal(items, 4);
}

static void nobody_to_share_with_is_done_at_once(void **state)
{
    (void)state;
    struct waterfill fill;
    uint32_t items = 3;
    waterfill_begin(&fill, 100, NULL, 0);
    assert_true(waterfill_step(&fill, &items));
    assert_int_equal(items, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_as_worked_out_by_hand_in_visits_of_any_number_and_runs_of_any_length),
        cmocka_unit_test(every_visit_is_taken_off_and_no_more),
        cmocka_unit_test(nobody_to_share_with_is_done_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
