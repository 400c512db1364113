/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of domain.md 1.7. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "breaker_stock.h"

static struct breaker_risk risk_of(const struct stock *stock, double current_a, int64_t respond_us)
{
    struct breaker_step_ahead ahead = {NS_PER_MS, stock_load(current_a)};
    struct breaker_risk risk;

    breaker_risk_parts(&stock->state, &stock->breaker, stock->curve, &ahead, 1, respond_us * NS_PER_US,
                       &risk);
    return risk;
}

/* domain.md 1.7, rounded up to a millionth. */
static void risk_has_the_printed_values(void **state)
{
    struct stock paper = {0}, less_ten = {0}, br800;

    (void)state;
    stock_peak(&paper, 850);
    assert_int_equal(risk_of(&paper, 722.5, 1000).level_ppm, 700000);
    assert_int_equal(risk_of(&paper, 850, 1000).level_ppm, PPM);
    assert_int_equal(risk_of(&paper, 1850, 1000).level_ppm, PPM);
    assert_int_equal(risk_of(&paper, 425, 1000).level_ppm, 0);
    assert_int_equal(risk_of(&paper, 425, 1000).sag_ppm, 111112);       /* 425 / 0.9 = 472.2 A */
    assert_int_equal(risk_of(&paper, 765, 1000).sag_ppm, PPM);
    stock_peak(&less_ten, 765);
    assert_int_equal(risk_of(&less_ten, 722.5, 1000).level_ppm, 888889);

    stock_br800(&br800, true, STOCK_IMAGE);
    breaker_rest(&br800.state, &br800.breaker, 580499);
    assert_int_equal(risk_of(&br800, 4500, 50500).time_ppm, 561112);    /* 50.5 / 90 */
    assert_int_equal(risk_of(&br800, 4500, 65200).time_ppm, 724445);
    assert_int_equal(risk_of(&br800, 4500, 70000).time_ppm, 777778);
    assert_int_equal(risk_of(&br800, 0, 70000).time_ppm, 0);
    assert_int_equal(risk_of(&br800, 0, 70000).heat_ppm, 0);
    br800.breaker.element[0].heat_ns = br800.breaker.element[0].cool_ns = INT64_C(223530000000);

    int64_t time_ppm = risk_of(&br800, 1600, 65200).time_ppm;           /* 33.1 s */

    assert_true(time_ppm >= 1969 && time_ppm <= 1971);
    breaker_rest(&br800.state, &br800.breaker, 900000);
    assert_true(llabs(risk_of(&br800, 797, 1).heat_ppm - 761622) < 10); /* 797 A settle at 0.9 */
}

static void risk_is_the_largest_part(void **state)
{
    struct breaker_step_ahead ahead[2] = {{NS_PER_MS, stock_load(0)}, {NS_PER_MS, stock_load(0)}};
    struct stock stock;

    (void)state;
    stock_br800(&stock, true, STOCK_IMAGE);
    breaker_rest(&stock.state, &stock.breaker, 580499);
    assert_int_equal(breaker_risk_ppm(&stock.state, &stock.breaker, stock.curve, ahead, 2, NS_PER_S), 0);
    ahead[0].load = stock_load(4400);           /* below short-time: 4400 / 0.9 / 7200 = 0.679 */
    assert_int_equal(breaker_risk_ppm(&stock.state, &stock.breaker, stock.curve, ahead, 2, 1), 358025);
    ahead[0].load = stock_load(4500);           /* 90 ms, rounded down */
    assert_int_equal(breaker_risk_ppm(&stock.state, &stock.breaker, stock.curve, ahead, 1, 81 * NS_PER_MS),
                     900001);
    ahead[0].dt_ns = 90 * NS_PER_MS;            /* trips within the forecast */
    assert_int_equal(breaker_risk_ppm(&stock.state, &stock.breaker, stock.curve, ahead, 2, 1), PPM);
    stock.state.part[1][0] = HEAT_ONE / 4 * 3;
    ahead[0] = (struct breaker_step_ahead){NS_PER_MS, stock_load(0)};
    stock.breaker.element[1].reset = RESET_NEVER;
    assert_int_equal(breaker_risk_ppm(&stock.state, &stock.breaker, stock.curve, ahead, 1, 1), 750000);
}

/* A trip in 999,999 ns: a nanosecond is a millionth of it and a little, which is two; none is none. Without a
 * current nothing is reached, however small the pickup. */
static void risk_is_rounded_up_to_the_millionth_and_no_further(void **state)
{
    struct breaker_step_ahead ahead = {0, stock_load(5000)};
    struct breaker_risk risk;
    struct stock stage = {0}, peak = {0};

    (void)state;
    stock_definite(&stage, ELEMENT_SHORT_TIME, 4464, 0.09);
    for (int point = 0; point < CURVE_POINTS; point++)
        stage.curve[0].rate[point] = INT64_C(1) << 40;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stage.state.part[0][phase] = HEAT_ONE - ((INT64_C(999999) << 10) + 1);
    breaker_risk_parts(&stage.state, &stage.breaker, stage.curve, &ahead, 1, 1, &risk);
    assert_int_equal(risk.time_ppm, 2);
    breaker_risk_parts(&stage.state, &stage.breaker, stage.curve, &ahead, 1, 0, &risk);
    assert_int_equal(risk.time_ppm, 0);
    stock_peak(&peak, 0.001);
    assert_int_equal(risk_of(&peak, 0, 1).level_ppm, 0);
    assert_int_equal(risk_of(&peak, 0, 1).sag_ppm, 0);
    assert_int_equal(risk_of(&peak, 0.001, 1).level_ppm, PPM);
    assert_int_equal(risk_of(&peak, 1, 0).time_ppm, PPM);       /* at once: nothing answers before that */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(risk_is_rounded_up_to_the_millionth_and_no_further),
        cmocka_unit_test(risk_has_the_printed_values),
        cmocka_unit_test(risk_is_the_largest_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
