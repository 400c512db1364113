/* SPDX-License-Identifier: Apache-2.0 */
/* What may be drawn, with figures by hand: safety.md section 5. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "breaker_stock.h"

static int64_t admitted(const struct stock *stock, int64_t hold_ms, int32_t crest, uint32_t *element)
{
    return breaker_admissible_ma(&stock->state, &stock->breaker, stock->curve, hold_ms * NS_PER_MS, crest,
                                 element);
}

static void assert_admits(const struct stock *stock, int64_t hold_ms, double current_a)
{
    uint32_t element;
    double found_a = (double)admitted(stock, hold_ms, 0, &element) / 1000;

    if (!(found_a <= current_a && found_a >= current_a * (1 - 1e-8) - 0.002))
        fail_msg("%.6f A, expected %.6f A", found_a, current_a);
    assert_int_equal(element, 0);
}

/* x^2 = theta + (0.9 - theta) / (1 - e^(-hold / tau)), tau 223.5317 s */
static void an_image_is_filled_to_nine_tenths(void **state)
{
    struct stock stock = {0};

    (void)state;
    stock_image(&stock, 900, 223.5317);
    assert_admits(&stock, 2500, 8096.111607);
    assert_admits(&stock, 1000000, 858.726217);
    breaker_rest(&stock.state, &stock.breaker, 500000);
    assert_admits(&stock, 2500, 5434.796251);
    breaker_rest(&stock.state, &stock.breaker, 800000);
    assert_admits(&stock, 60000, 996.030846);
    stock.state.part[0][0] = stock.state.part[0][2] = 0;    /* the hottest phase decides */
    assert_admits(&stock, 60000, 996.030846);
}

/* Above 0.9 no current brings heat below it at once: what settles at 0.9 lets it fall. */
static void a_hot_image_is_left_to_cool(void **state)
{
    static const int64_t hot_ppm[] = {900000, 950000, 1000000};
    struct stock stock = {0};

    (void)state;
    stock_image(&stock, 900, 223.5317);
    for (int i = 0; i < 3; i++) {
        breaker_rest(&stock.state, &stock.breaker, hot_ppm[i]);
        assert_admits(&stock, 2500, 853.814968);
        assert_admits(&stock, 1, 853.814968);

        struct breaker_load load = stock_load(853.814);
        int64_t before = stock.state.part[0][1];

        assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, 10 * NS_PER_S), -1);
        assert_true(stock.state.part[0][1] <= before);
    }
}

/* tau 200 s up to 2 kA, 160 s above: 900 sqrt(0.9 / (1 - e^(-hold / tau))) */
static void a_shorter_time_constant_above_holds_back_what_passes_it(void **state)
{
    struct stock stock = {0};

    (void)state;
    stock_image(&stock, 900, 200)->fast_above_ma = 2000000;
    stock.breaker.element[0].heat_fast_ns = 160 * NS_PER_S;
    assert_admits(&stock, 20000, 2490.801432);
    assert_admits(&stock, 30000, 2064.917123);
    assert_admits(&stock, 35000, 2000);
    assert_admits(&stock, 40000, 2000);
    assert_admits(&stock, 45000, 1902.145428);
}

static void a_stage_that_could_trip_ends_at_95_percent_of_pickup(void **state)
{
    struct stock stock = {0};
    uint32_t element;

    (void)state;
    stock_definite(&stock, ELEMENT_SHORT_TIME, 4464, 0.09);
    assert_int_equal(admitted(&stock, 2500, 0, &element), 4240799);
    assert_int_equal(admitted(&stock, 90, 0, &element), 4240799);
    assert_int_equal(admitted(&stock, 70, 0, &element), INT64_MAX);     /* 0.78 of the way */
    assert_int_equal(element, UINT32_MAX);
    assert_int_equal(admitted(&stock, 85, 0, &element), 4463999);       /* 0.94 of it, and no trip */
    assert_int_equal(element, 0);
    stock.state.part[0][1] = HEAT_ONE / 2;
    assert_int_equal(admitted(&stock, 30, 0, &element), INT64_MAX);     /* 0.83 */
    assert_int_equal(admitted(&stock, 40, 0, &element), 4463999);       /* 0.94 */
    assert_int_equal(admitted(&stock, 46, 0, &element), 4240799);       /* 1.01 */
    stock.state.part[0][1] = HEAT_ONE / 100 * 95;
    assert_int_equal(admitted(&stock, 1, 0, &element), 4463999);
    stock.state.part[0][1] = HEAT_ONE;
    assert_int_equal(admitted(&stock, 1, 0, &element), 4240799);
    assert_int_equal(admitted(&stock, 0, 0, &element), 4240799);
    assert_int_equal(admitted(&stock, -1, 0, &element), 4240799);
}

/* 7.2 s at 4800 A: 0.9 of the way in 2.5 s at 4800 sqrt(0.9 x 7.2 / 2.5) A; from 0.6 of the way, 0.3 in 20
 * s. */
static void an_inverse_element_may_run(void **state)
{
    const struct stock_square square = {840, 7.2L, 4800, 0, 0, 0};
    struct stock stock = {0};
    uint32_t element;

    (void)state;
    stock_travel(&stock, ELEMENT_LONG_TIME, 840, 840, stock_square_s, &square);

    double found_a = (double)admitted(&stock, 2500, 0, &element) / 1000;

    assert_true(found_a <= 7727.871 && found_a > 7727.871 * (1 - 2.5e-4));
    stock.state.part[0][0] = HEAT_ONE / 10 * 6;
    found_a = (double)admitted(&stock, 20000, 0, &element) / 1000;
    assert_true(found_a <= 1577.440 && found_a > 1577.440 * (1 - 2.5e-4));
    assert_int_equal(admitted(&stock, 80000, 0, &element), 839999);     /* 0.35 already at pickup, no trip */
    assert_int_equal(admitted(&stock, 200000, 0, &element), 797999);    /* 0.88: 0.95 x 839.999 */
}

static void a_peak_ends_at_95_percent_over_crest(void **state)
{
    struct stock stock = {0};
    uint32_t element;

    (void)state;
    stock_peak(&stock, 7200);
    assert_int_equal(admitted(&stock, 2500, 0, &element), 6839999);
    assert_int_equal(admitted(&stock, 1, 1414, &element), 6839999);
    assert_int_equal(admitted(&stock, 2500, 1600, &element), 6044849);
    stock.breaker.element[0].pickup_ma = 0;
    assert_int_equal(admitted(&stock, 2500, 1600, &element), 0);
    stock.breaker.element_count = 0;
    assert_int_equal(admitted(&stock, 2500, 1600, &element), INT64_MAX);
    assert_int_equal(element, UINT32_MAX);
}

static void the_least_of_all_elements_rules(void **state)
{
    struct stock stock;
    uint32_t element;

    (void)state;
    stock_br800(&stock, true, STOCK_TIMER | STOCK_IMAGE);
    assert_int_equal(admitted(&stock, 2500, 1414, &element), 4240799);
    assert_int_equal(stock.breaker.element[element].role, ELEMENT_SHORT_TIME);
    assert_int_equal(admitted(&stock, 2500, 2600, &element), 3719907);
    assert_int_equal(stock.breaker.element[element].role, ELEMENT_INSTANTANEOUS);
    breaker_rest(&stock.state, &stock.breaker, 899000);
    assert_true(admitted(&stock, 60000, 1414, &element) < 860000);
    assert_int_equal(stock.breaker.element[element].law, BREAKER_IMAGE);
    stock_mn3000(&stock, true, STOCK_TIMER);
    stock.state.part[3][0] = HEAT_ONE;          /* ground: no current of the phases */
    assert_true(admitted(&stock, 10, 1414, &element) > 20000000);
}

/* Heat or travel after `current_ma` was held for so long from the stock's state; the forward formula. */
static int64_t held(const struct stock *stock, int64_t current_ma, int64_t hold_ns)
{
    struct stock after = *stock;
    struct breaker_load load = {.current_ma = {current_ma, current_ma, current_ma}};

    breaker_step(&after.state, &after.breaker, after.curve, &load, hold_ns);
    return after.state.part[0][0];
}

/* "The largest P such that ... heat stays <= 0.9": at most that, and a hundred millionth more is too much.
 * From 1 ms to 20 min in steps of a tenth, where what is admitted lies above pickup and below `most_ma`. */
static void assert_largest(const struct stock *stock, int64_t pickup_ma, int64_t most_ma, int32_t least_seen)
{
    const int64_t operate = HEAT_ONE / 10 * 9 + HEAT_ONE % 10 * 9 / 10;
    int32_t seen = 0;

    for (int64_t hold_ns = NS_PER_MS; hold_ns < 1200 * NS_PER_S; hold_ns += hold_ns / 10) {
        uint32_t element;
        int64_t found_ma = breaker_admissible_ma(&stock->state, &stock->breaker, stock->curve, hold_ns, 0,
                                                 &element);

        if (found_ma < pickup_ma || found_ma > most_ma)
            continue;
        assert_true(held(stock, found_ma, hold_ns) <= operate);
        assert_true(held(stock, found_ma + found_ma / 100000000 + 3, hold_ns) > operate);
        seen++;
    }
    assert_true(seen >= least_seen);
}

/* The image of a 900 A and of a 6,300 A device, cold and half warm, down to hundreds of times its pickup. */
static void what_an_image_admits_is_the_largest_current(void **state)
{
    static const double pickup_a[] = {900, 6300, 37.5};
    static const int64_t heat_ppm[] = {0, 500000, 890000};

    (void)state;
    for (uint32_t i = 0; i < 9; i++) {
        struct stock stock = {0};
        stock_image(&stock, pickup_a[i % 3], 223.5317);
        breaker_rest(&stock.state, &stock.breaker, heat_ppm[i / 3]);
        assert_largest(&stock, 0, INT64_MAX / 2, 80);
    }
}

/* Elements that run: to 64 times pickup by the square; C37.112 very inverse from M = 6.3, below which 0.95 of
 * what trips is less, to 20, where it is held. */
static void what_an_inverse_element_admits_is_the_largest_current(void **state)
{
    const struct stock_square square = {840, 7.2L, 4800, 0, 0, 0};
    const struct stock_inverse inverse = {19.61L, 0.491L, 2, 0.5L};

    (void)state;
    for (int64_t tenths = 0; tenths < 9; tenths += 3) {
        struct stock stock = {0};
        stock_travel(&stock, ELEMENT_LONG_TIME, 840, 840, stock_square_s, &square);
        for (uint32_t phase = 0; phase < PHASES; phase++)
            stock.state.part[0][phase] = HEAT_ONE / 10 * tenths;
        assert_largest(&stock, 840000, INT64_MAX / 2, 85);
        stock = (struct stock){0};
        stock_travel(&stock, ELEMENT_LONG_TIME, 660, 600, stock_inverse_s, &inverse);
        for (uint32_t phase = 0; phase < PHASES; phase++)
            stock.state.part[0][phase] = HEAT_ONE / 10 * tenths;
        assert_largest(&stock, 3800000, 11900000, 5);
    }
}

/* A stage without a curve moves at one rate. What comes to 0.9 to the last unit is nothing it forbids. */
static void a_stage_that_comes_to_nine_tenths_exactly_forbids_nothing(void **state)
{
    struct stock stock = {0};
    uint32_t element;
    const int64_t hold_ns = 16 * NS_PER_MS;

    (void)state;
    stock_definite(&stock, ELEMENT_SHORT_TIME, 4464, 0.09);
    int64_t moves = held(&stock, 5000000, hold_ns);
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stock.state.part[0][phase] = HEAT_ONE / 10 * 9 + HEAT_ONE % 10 * 9 / 10 - moves;
    assert_int_equal(admitted(&stock, 16, 0, &element), INT64_MAX);
    stock.state.part[0][1]++;
    assert_int_equal(admitted(&stock, 16, 0, &element), 4463999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_filled_to_nine_tenths),
        cmocka_unit_test(a_hot_image_is_left_to_cool),
        cmocka_unit_test(a_shorter_time_constant_above_holds_back_what_passes_it),
        cmocka_unit_test(a_stage_that_could_trip_ends_at_95_percent_of_pickup),
        cmocka_unit_test(an_inverse_element_may_run),
        cmocka_unit_test(a_peak_ends_at_95_percent_over_crest),
        cmocka_unit_test(what_an_image_admits_is_the_largest_current),
        cmocka_unit_test(what_an_inverse_element_admits_is_the_largest_current),
        cmocka_unit_test(a_stage_that_comes_to_nine_tenths_exactly_forbids_nothing),
        cmocka_unit_test(the_least_of_all_elements_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
