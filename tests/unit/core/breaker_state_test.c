/* SPDX-License-Identifier: Apache-2.0 */
/* How a state begins and is shown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "breaker_stock.h"

static void an_unknown_history_starts_at_its_worst(void **state)
{
    struct breaker_load load = {.current_ma = {800000, 839999, 5000000}, .residual_ma = 0};
    struct stock stock;

    (void)state;
    stock_mn3000(&stock, true, STOCK_TIMER | STOCK_IMAGE);
    memset(&stock.state, 0x55, sizeof stock.state);
    breaker_start(&stock.state, &stock.breaker, NULL);
    for (int phase = 0; phase < PHASES; phase++) {
        assert_true(llabs(stock.state.part[0][phase] - HEAT_ONE / 10 * 9) < 10);    /* timer */
        assert_true(llabs(stock.state.part[1][phase] - HEAT_ONE / 10 * 9) < 10);    /* image */
        assert_true(stock.state.part[2][phase] == HEAT_ONE - 1);                    /* short-time */
        assert_true(stock.state.part[3][phase] == 0);                               /* instantaneous */
        assert_true(stock.state.part[4][phase] == (phase ? 0 : HEAT_ONE - 1));      /* ground */
    }
    for (int e = 0; e < BREAKER_ELEMENTS_MAX; e++)
        assert_int_equal(stock.state.below_ns[e][0], 0);
    assert_int_equal(breaker_heat_ppm(&stock.state, &stock.breaker), 900000);
    assert_int_equal(breaker_travel_ppm(&stock.state, &stock.breaker), PPM);

    stock_br800(&stock, true, STOCK_IMAGE);
    breaker_start(&stock.state, &stock.breaker, &load);
    assert_true(llabs(stock.state.part[0][0] - (int64_t)(0.907029478L * HEAT_ONE)) < HEAT_ONE / 1000000);
    assert_true(stock.state.part[0][1] < HEAT_ONE && stock.state.part[0][1] > HEAT_ONE / 1000 * 999);
    assert_true(stock.state.part[0][2] == HEAT_ONE - 1);
}

static void a_state_at_rest_has_the_heat_it_was_given(void **state)
{
    static const int64_t ppm[][2] = {{0, 0}, {1, 2}, {640000, 640001}, {PPM, PPM}, {-5, 0}, {PPM + 5, PPM}};
    struct stock stock;

    (void)state;                                /* rounded up on the way in and on the way out */
    stock_br800(&stock, true, STOCK_TIMER | STOCK_IMAGE);
    for (size_t i = 0; i < sizeof ppm / sizeof ppm[0]; i++) {
        memset(&stock.state, 0x55, sizeof stock.state);
        breaker_rest(&stock.state, &stock.breaker, ppm[i][0]);
        assert_int_equal(breaker_heat_ppm(&stock.state, &stock.breaker), ppm[i][1]);
        assert_int_equal(breaker_travel_ppm(&stock.state, &stock.breaker), 0);
    }
    breaker_rest(&stock.state, &stock.breaker, 0);
    stock.state.part[0][1] = 1;                 /* rounded up: a timer is no heat */
    assert_int_equal(breaker_travel_ppm(&stock.state, &stock.breaker), 1);
    assert_int_equal(breaker_heat_ppm(&stock.state, &stock.breaker), 0);
    stock.state.part[1][2] = HEAT_ONE / 2;
    assert_int_equal(breaker_heat_ppm(&stock.state, &stock.breaker), 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_history_starts_at_its_worst),
        cmocka_unit_test(a_state_at_rest_has_the_heat_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
