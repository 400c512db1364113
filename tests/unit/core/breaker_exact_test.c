/* SPDX-License-Identifier: Apache-2.0 */
/* What core/breaker answers to the last unit: devices far larger than any, whose currents are finer than heat
 * is counted in; curves that bend at every point; and what comes to a limit exactly. */
#include <stdlib.h>

#include "breaker_asserts.h"
#include "chance.h"

static const int64_t operate = HEAT_ONE / 10 * 9 + HEAT_ONE % 10 * 9 / 10;

static int64_t admitted_ma(const struct stock *stock, int64_t hold_ns)
{
    uint32_t element;

    return breaker_admissible_ma(&stock->state, &stock->breaker, stock->curve, hold_ns, 0, &element);
}

static int64_t held(const struct stock *stock, int64_t current_ma, int64_t hold_ns)
{
    struct stock after = *stock;
    struct breaker_load load = {.current_ma = {current_ma, current_ma, current_ma}};

    breaker_step(&after.state, &after.breaker, after.curve, &load, hold_ns);
    return after.state.part[0][0];
}

static void set_part(struct stock *stock, int64_t part)
{
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stock->state.part[0][phase] = part;
}

/* theta + (x^2 - theta)(1 - e^(-hold / tau)) = 0.9, or x^2 = 0.9 from above that; tau is 200 s. */
static double largest_of(const struct breaker_element *image, int64_t heat, int64_t hold_ns)
{
    double nine_tenths = (double)operate, from = fmin((double)heat, nine_tenths);
    double settled = from + (nine_tenths - from) / -expm1(-(double)hold_ns / 200e9);

    return (double)image->pickup_ma * sqrt(settled / (double)HEAT_ONE);
}

/* Some mA either way are as fine as the rounding: what is admitted stays within 0.9 all the same, and lies
 * below the largest by 2^-29 of it at most. */
static void an_image_of_any_size_stays_within_nine_tenths(void **state)
{
    struct chance chance = {11};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct stock stock = {0};
        struct breaker_element *image = stock_image(&stock, 900, 200);
        image->pickup_ma = image->unit_ma = 1 + (int64_t)(chance_next(&chance) >> (31 + i % 33));
        set_part(&stock, i % 3 ? chance_range(&chance, 0, operate) : HEAT_ONE);

        int64_t hold_ns = chance_range(&chance, NS_PER_MS, 100 * NS_PER_S);
        int64_t found_ma = admitted_ma(&stock, hold_ns);
        double largest_ma = largest_of(image, stock.state.part[0][0], hold_ns);

        assert_true(held(&stock, found_ma, hold_ns) <= (i % 3 ? operate : HEAT_ONE));
        if (!((double)found_ma <= largest_ma * (1 + 1e-12) &&
              (double)found_ma >= largest_ma * (1 - 0x1p-29) - 4))
            fail_msg("pickup %lld mA: %lld mA, at most %.3f", (long long)image->pickup_ma,
                     (long long)found_ma, largest_ma);
    }
}

/* From 1024 times its pickup on an image is taken for tripped; however short a time is asked about, less
 * than that is admitted, and not much less. */
static void no_time_is_so_short_that_an_image_admits_what_trips_at_once(void **state)
{
    struct stock stock = {0};

    (void)state;
    stock_image(&stock, 900, 86400);
    for (int64_t hold_ns = 1; hold_ns < NS_PER_MS; hold_ns *= 10) {
        int64_t found_ma = admitted_ma(&stock, hold_ns);

        assert_true(found_ma >= 950 * 900000 && found_ma < 1024 * 900000);
        assert_true(held(&stock, found_ma, hold_ns) <= operate);
    }
}

/* A curve whose pieces are steep and shallow by turns, `first` saying which begins; the last is steep, so
 * that a current beyond the next to last point is far from what lies there. */
static void bend(struct breaker_curve *curve, int first)
{
    int64_t rate = 1000000;

    for (int point = 0; point < CURVE_POINTS; point++) {
        curve->rate[point] = rate;
        rate += (point + first) % 2 ? 20000000 : 70000;
    }
}

/* Rates of every piece of the curve: the largest current that moves no further than 0.9 in 2^30 ns, by
 * looking at every milliampere about it. */
static void every_piece_of_a_curve_admits_its_largest_current(void **state)
{
    struct chance chance = {12};

    (void)state;
    for (int i = 0; i < 2 * (CURVE_POINTS - 1) * 4; i++) {
        struct stock stock = {0};
        struct breaker_element *element = stock_definite(&stock, ELEMENT_INVERSE, 0.5, 1);
        int piece = i / 8;
        element->pickup_ma = element->unit_ma = i & 4 ? 100000 : 7000000;
        bend(&stock.curve[0], i & 1);

        int64_t low = stock.curve[0].rate[piece], high = stock.curve[0].rate[piece + 1];
        int64_t rate = i & 2 ? chance_range(&chance, low, high - 1) : low + (high - low) * 15 / 16;
        set_part(&stock, operate - rate);

        int64_t found_ma = admitted_ma(&stock, INT64_C(1) << 30);
        double within = (double)(rate - low) / (double)(high - low) + piece % CURVE_STEPS;
        double true_ma = ldexp(1 + within / CURVE_STEPS, piece / CURVE_STEPS) * (double)element->unit_ma;

        if (found_ma >= element->pickup_ma)
            assert_true(held(&stock, found_ma, INT64_C(1) << 30) <= operate);
        if (fabs((double)found_ma - true_ma) > 2 + 1e-6 * true_ma)
            fail_msg("piece %d: %lld mA, the curve has %.3f", piece, (long long)found_ma, true_ma);
    }
}

/* The same where a milliampere is finer than the rate. */
static void an_inverse_element_of_any_size_stays_within_nine_tenths(void **state)
{
    const struct stock_square square = {840, 7.2L, 4800, 0, 0, 0};
    struct chance chance = {13};
    struct stock stock = {0};

    (void)state;
    struct breaker_element *element =
        stock_travel(&stock, ELEMENT_LONG_TIME, 840, 840, stock_square_s, &square);

    for (int i = 0; i < 3000; i++) {
        int64_t hold_ns = chance_range(&chance, NS_PER_MS, 20 * NS_PER_S);
        element->pickup_ma = element->unit_ma = INT64_C(1) << (20 + i % 15);
        set_part(&stock, chance_range(&chance, 0, operate));

        int64_t found_ma = admitted_ma(&stock, hold_ns);

        if (found_ma < INT64_MAX && found_ma >= element->pickup_ma)
            assert_true(held(&stock, found_ma, hold_ns) <= operate);
    }
}

/* A curve may begin flat: what moves no further than that is admitted up to where the curve rises. */
static void a_flat_beginning_is_admitted_to_its_end(void **state)
{
    struct stock stock = {0};

    (void)state;
    struct breaker_element *element = stock_definite(&stock, ELEMENT_INVERSE, 100, 1);
    for (int point = 0; point < CURVE_POINTS; point++)
        stock.curve[0].rate[point] = 5000000 + 1000000 * (point < CURVE_STEPS ? 0 : point - CURVE_STEPS);
    set_part(&stock, operate - 5000000);
    assert_true(llabs(admitted_ma(&stock, INT64_C(1) << 30) - 2 * element->unit_ma) <= 2);
    set_part(&stock, operate - 5000000 + 1);
    assert_int_equal(admitted_ma(&stock, INT64_C(1) << 30), element->pickup_ma - 1);
}

/* A stage that moves by `rate` in 2^30 ns: 0.9 to the unit forbids nothing, nor does a unit less than the
 * trip put the margin of 5 % on what lies below pickup. */
static void a_stage_is_judged_to_the_unit(void **state)
{
    const int64_t hold_ns = INT64_C(1) << 30, rate = HEAT_ONE / 16;
    struct stock stock = {0};

    (void)state;
    stock_definite(&stock, ELEMENT_SHORT_TIME, 4464, 0.09);
    for (int point = 0; point < CURVE_POINTS; point++)
        stock.curve[0].rate[point] = rate;
    set_part(&stock, operate - rate);
    assert_int_equal(admitted_ma(&stock, hold_ns), INT64_MAX);
    set_part(&stock, operate - rate + 1);
    assert_int_equal(admitted_ma(&stock, hold_ns), 4463999);
    set_part(&stock, HEAT_ONE - 1 - rate);
    assert_int_equal(held(&stock, 5000000, hold_ns), HEAT_ONE - 1);
    assert_int_equal(admitted_ma(&stock, hold_ns), 4463999);
    set_part(&stock, HEAT_ONE - rate);
    assert_int_equal(held(&stock, 5000000, hold_ns), HEAT_ONE);
    assert_int_equal(admitted_ma(&stock, hold_ns), 4240799);
}

/* One that moves by 2^32 a nanosecond may do so for one, not for two. */
static void a_hold_of_a_nanosecond_is_one(void **state)
{
    struct stock stock = {0};

    (void)state;
    stock_definite(&stock, ELEMENT_SHORT_TIME, 4464, 0.09);
    for (int point = 0; point < CURVE_POINTS; point++)
        stock.curve[0].rate[point] = INT64_C(1) << 62;
    set_part(&stock, operate - (INT64_C(1) << 32));
    assert_int_equal(admitted_ma(&stock, 0), INT64_MAX);
    assert_int_equal(admitted_ma(&stock, 1), INT64_MAX);
    assert_int_equal(admitted_ma(&stock, 2), 4463999);
}

/* What has tripped takes no more time, whatever heats or moves it. */
static void what_has_tripped_takes_no_time(void **state)
{
    const struct stock_square square = {840, 7.2L, 4800, 0, 0, 0};
    struct stock image = {0}, travel = {0};

    (void)state;
    stock_image(&image, 900, 200);
    stock_travel(&travel, ELEMENT_LONG_TIME, 840, 840, stock_square_s, &square);
    set_part(&image, HEAT_ONE);
    set_part(&travel, HEAT_ONE);
    for (double current_a = 901; current_a < 20000; current_a *= 1.1) {
        assert_int_equal(time_at(&image, current_a).t_ns, 0);
        assert_int_equal(time_at(&travel, current_a).t_ns, 0);
    }
    set_part(&image, 0);
    assert_int_equal(time_at(&image, 900 * 1024).t_ns, 0);
    set_part(&image, 2 * HEAT_ONE);     /* no state that a step leaves, and no longer for that */
    assert_int_equal(time_at(&image, 1000).t_ns, 0);
    set_part(&image, 0);
    image.breaker.element[0].heat_ns = -5;
    assert_int_equal(time_at(&image, 1000).t_ns, 0);
    image.breaker.element[0].heat_ns = 1000;
    assert_int_equal(time_at(&image, 900 * sqrt(2)).t_ns, 693);     /* ln 2 of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_of_any_size_stays_within_nine_tenths),
        cmocka_unit_test(no_time_is_so_short_that_an_image_admits_what_trips_at_once),
        cmocka_unit_test(every_piece_of_a_curve_admits_its_largest_current),
        cmocka_unit_test(an_inverse_element_of_any_size_stays_within_nine_tenths),
        cmocka_unit_test(a_flat_beginning_is_admitted_to_its_end),
        cmocka_unit_test(a_stage_is_judged_to_the_unit),
        cmocka_unit_test(a_hold_of_a_nanosecond_is_one),
        cmocka_unit_test(what_has_tripped_takes_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
