/* SPDX-License-Identifier: Apache-2.0 */
/* What bench/loops makes of its blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/loops/tally.h"

enum { SAMPLES = 200 };

struct four {
    struct tally a, b, c, d;
    struct block_samples samples;
};

static struct four *four_of(void **state)
{
    return *state;
}

static int open_four(void **state)
{
    *state = test_calloc(1, sizeof(struct four));
    return *state ? 0 : -1;
}

static int close_four(void **state)
{
    struct four *four = four_of(state);
    tally_close(&four->a);
    tally_close(&four->b);
    tally_close(&four->c);
    tally_close(&four->d);
    test_free(four);
    return 0;
}

static void near(double value, double wanted, double apart)
{
    assert_true(value >= wanted - apart && value <= wanted + apart);
}

/* A block in which two of a hundred take `tail_ns`. */
static void block(struct four *four, struct tally *tally, uint32_t round, int64_t ns, int64_t tail_ns)
{
    for (uint32_t i = 0; i < SAMPLES; i++)
        tally_add(tally, &four->samples, PART_FIRST, i % 50 ? ns : tail_ns);
    tally_close_block(tally, &four->samples, round);
}

static void the_median_of_ratios_of_rounds_is_told_with_its_interval(void **state)
{
    struct four *four = four_of(state);
    for (uint32_t i = 0; i < 12; i++) {     /* all of a round drifts alike */
        block(four, &four->a, i, 2000 * (1 + i), 2000 * (1 + i));
        block(four, &four->b, i, 1000 * (1 + i), 1000 * (1 + i));
    }
    struct ratio ratio = tally_ratio(&four->a, &four->b, PART_FIRST);
    assert_int_equal(ratio.pairs, 12);
    assert_true(ratio.has_interval && ratio.has_tail);
    near(ratio.p50, 2, 0.001);
    near(ratio.p50_low, 2, 0.001);
    near(ratio.p50_high, 2, 0.001);
    near(ratio.p99_low, 2, 0.1);
    near(ratio.p99_high, 2, 0.1);
}

static void few_rounds_have_no_interval(void **state)
{
    struct four *four = four_of(state);
    for (uint32_t i = 0; i < 9; i++) {
        block(four, &four->a, i, 2000, 2000);
        if (i < 5)
            block(four, &four->b, i, 1000, 1000);
    }
    struct ratio ratio = tally_ratio(&four->a, &four->b, PART_FIRST);
    assert_int_equal(ratio.pairs, 5);
    assert_false(ratio.has_interval || ratio.has_tail);
    near(ratio.p50, 2, 0.001);
}

static void a_tail_that_one_round_made_has_a_wide_interval(void **state)
{
    struct four *four = four_of(state);
    for (uint32_t i = 0; i < 20; i++) {     /* in all rounds of a against b, in one of c */
        block(four, &four->a, i, 1000, 5000);
        block(four, &four->b, i, 1000, 1000);
        block(four, &four->c, i, i == 7 ? 5000 : 1000, 5000 - 4000 * (i != 7));
    }
    struct ratio each = tally_ratio(&four->a, &four->b, PART_FIRST);
    struct ratio once = tally_ratio(&four->c, &four->b, PART_FIRST);
    near(each.p99_low, 5, 0.2);
    near(each.p99_high, 5, 0.2);
    near(once.p50, 1, 0.001);
    near(once.p99_low, 1, 0.1);      /* not drawn at all: one time in three */
    near(once.p99_high, 5, 0.2);
}

static void a_ratio_of_ratios_takes_rounds_that_all_four_have(void **state)
{
    struct four *four = four_of(state);
    for (uint32_t i = 0; i < 10; i++) {
        block(four, &four->a, i, 3000, 3000);
        block(four, &four->b, i, 1000, 1000);
        block(four, &four->c, i, 8000 + 1000 * i, 8000);
        if (i % 2)
            block(four, &four->d, i, 4000 + 500 * i, 4000);
    }
    struct ratio ratio = tally_ratio_of_ratios(&four->a, &four->b, &four->c, &four->d, PART_FIRST);
    assert_int_equal(ratio.pairs, 5);
    near(ratio.p50, 1.5, 0.001);
    assert_true(ratio.p99 <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_median_of_ratios_of_rounds_is_told_with_its_interval, open_four,
                                        close_four),
        cmocka_unit_test_setup_teardown(few_rounds_have_no_interval, open_four, close_four),
        cmocka_unit_test_setup_teardown(a_tail_that_one_round_made_has_a_wide_interval, open_four,
                                        close_four),
        cmocka_unit_test_setup_teardown(a_ratio_of_ratios_takes_rounds_that_all_four_have, open_four,
                                        close_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
