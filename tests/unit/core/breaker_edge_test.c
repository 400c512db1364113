/* SPDX-License-Identifier: Apache-2.0 */
/* A device with as many elements as one may have, one with none, steps of no time, and what lies behind the
 * last step of a forecast. */
#include <stdlib.h>
#include <string.h>

#include "breaker_asserts.h"

/* Four images and four peaks; they differ, the last binds. */
static void open_full(struct stock *stock)
{
    memset(stock, 0, sizeof *stock);
    for (uint32_t e = 0; e < BREAKER_ELEMENTS_MAX; e++)
        if (e % 2)
            stock_peak(stock, 4000 - 100.0 * e);
        else
            stock_image(stock, 800 - 10.0 * e, 600 + 60.0 * e);
    assert_int_equal(stock->breaker.element_count, BREAKER_ELEMENTS_MAX);
}

static void eight_elements_are_looked_at_and_no_ninth(void **state)
{
    (void)state;
    struct stock stock;
    uint32_t element;
    open_full(&stock);
    breaker_rest(&stock.state, &stock.breaker, 500000);
    assert_int_equal(breaker_heat_ppm(&stock.state, &stock.breaker), 500000);
    assert_int_equal(breaker_travel_ppm(&stock.state, &stock.breaker), 0);
    assert_true(breaker_admissible_ma(&stock.state, &stock.breaker, stock.curve, NS_PER_S, 0, &element) > 0);
    assert_int_equal(element, 7);
    assert_int_equal(step(&stock, 3300.0 * 1.01, 0.001), stock.breaker.element[7].role);
    struct breaker_verdict verdict = time_at(&stock, 790);
    assert_true(verdict.t_ns < BREAKER_NEVER_NS);
    verdict = time_at(&stock, 100);
    assert_int_equal(verdict.t_ns, BREAKER_NEVER_NS);
    assert_int_equal(verdict.element, UINT32_MAX);
    assert_int_equal(verdict.phase, 0);
    struct breaker_step_ahead ahead = {NS_PER_MS, stock_load(650)};
    struct breaker_risk risk;
    breaker_risk_parts(&stock.state, &stock.breaker, stock.curve, &ahead, 1, NS_PER_S, &risk);
    assert_int_equal(risk.level_ppm, 0);
    breaker_start(&stock.state, &stock.breaker, NULL);
    for (uint32_t e = 0; e < BREAKER_ELEMENTS_MAX; e++)
        for (uint32_t phase = 0; phase < PHASES; phase++)
            assert_true(e % 2 ? stock.state.part[e][phase] == 0
                              : llabs(stock.state.part[e][phase] - HEAT_ONE / 10 * 9) < 10);
}

static void a_device_of_nothing_has_a_state_of_nothing(void **state)
{
    (void)state;
    static const struct breaker none;
    static const struct breaker_state nothing;
    struct breaker_state started, rested;
    memset(&started, 0x5A, sizeof started);
    memset(&rested, 0x5A, sizeof rested);
    breaker_start(&started, &none, NULL);
    breaker_rest(&rested, &none, 700000);
    assert_memory_equal(&started, &nothing, sizeof nothing);
    assert_memory_equal(&rested, &nothing, sizeof nothing);
}

static void a_rest_is_between_cold_and_tripped(void **state)
{
    (void)state;
    static const struct {
        int64_t ppm, part;
    } row[] = {{-1, 0}, {0, 0}, {1, 1099512}, {PPM - 1, HEAT_ONE - 1099511}, {PPM, HEAT_ONE},
               {PPM + 1, HEAT_ONE}};
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct stock stock = {0};
        stock_image(&stock, 100, 600);
        memset(&stock.state, 0x5A, sizeof stock.state);
        breaker_rest(&stock.state, &stock.breaker, row[i].ppm);
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            assert_int_equal(stock.state.part[0][phase], row[i].part);
            assert_int_equal(stock.state.below_ns[0][phase], 0);
            assert_int_equal(stock.state.part[1][phase], 0);
        }
    }
}

/* The load of the last step is held for ever; what stands behind it in memory is nobody's. */
static void a_forecast_ends_with_its_last_step(void **state)
{
    (void)state;
    struct stock stock = {0};
    stock_image(&stock, 100, 600);
    stock_peak(&stock, 1000);
    breaker_rest(&stock.state, &stock.breaker, 0);
    struct breaker_step_ahead ahead[3] = {{0, stock_load(120)}, {-5, stock_load(120)},
                                          {NS_PER_S, stock_load(5000)}};
    struct breaker_verdict verdict, held = time_at(&stock, 120);
    breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 2, &verdict, NULL);
    assert_int_equal(verdict.t_ns, held.t_ns);      /* steps of no time pass no time */
    assert_int_equal(verdict.element, 0);
    struct breaker_risk risk;
    breaker_risk_parts(&stock.state, &stock.breaker, stock.curve, ahead, 2, NS_PER_S, &risk);
    assert_int_equal(risk.level_ppm, 0);
    breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 3, &verdict, NULL);
    assert_int_equal(verdict.element, 1);
    breaker_risk_parts(&stock.state, &stock.breaker, stock.curve, ahead, 3, NS_PER_S, &risk);
    assert_int_equal(risk.level_ppm, PPM);
}

/* A peak trips in a step of no time, after no time. */
static void a_peak_in_a_step_of_no_time_trips_at_once(void **state)
{
    (void)state;
    for (int64_t dt_ns = -5; dt_ns <= 5; dt_ns += 5) {
        struct stock stock = {0};
        struct breaker_state end;
        stock_peak(&stock, 1000);
        breaker_rest(&stock.state, &stock.breaker, 0);
        struct breaker_step_ahead ahead[2] = {{10, stock_load(100)}, {dt_ns, stock_load(5000)}};
        struct breaker_verdict verdict;
        breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 2, &verdict, &end);
        assert_true(verdict.t_ns >= 10 && verdict.t_ns <= 10 + (dt_ns > 0 ? dt_ns : 0));
        assert_int_equal(verdict.element, 0);
        breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead + 1, 1, &verdict, &end);
        assert_int_equal(verdict.t_ns, 0);
    }
}

static void a_hold_of_no_time_is_a_nanosecond(void **state)
{
    (void)state;
    struct stock stock = {0};
    uint32_t element;
    stock_image(&stock, 100, 600);
    stock_definite(&stock, ELEMENT_SHORT_TIME, 1000, 0.1);
    breaker_rest(&stock.state, &stock.breaker, 0);
    int64_t one_ma = breaker_admissible_ma(&stock.state, &stock.breaker, stock.curve, 1, 0, &element);
    assert_true(one_ma > 0);
    for (int64_t hold_ns = -2; hold_ns < 1; hold_ns++)
        assert_int_equal(
            breaker_admissible_ma(&stock.state, &stock.breaker, stock.curve, hold_ns, 0, &element), one_ma);
}

/* 95 % of 1 mA is none, of 2 mA one; a pickup of nothing admits nothing. */
static void a_peak_admits_whole_milliamperes_below_its_margin(void **state)
{
    (void)state;
    for (int64_t pickup_ma = 0; pickup_ma < 4; pickup_ma++) {
        struct stock stock = {0};
        uint32_t element;
        stock_peak(&stock, 1000)->pickup_ma = pickup_ma;
        assert_int_equal(
            breaker_admissible_ma(&stock.state, &stock.breaker, stock.curve, NS_PER_S, 0, &element),
            pickup_ma ? pickup_ma - 1 : 0);
        assert_int_equal(element, 0);
    }
}

static void any_phase_may_be_the_one_at_its_peak(void **state)
{
    (void)state;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        struct stock stock = {0};
        stock_peak(&stock, 1000);
        struct breaker_step_ahead ahead = {NS_PER_MS, {.current_ma = {0}}};
        ahead.load.current_ma[phase] = 5000000;
        struct breaker_risk risk;
        breaker_risk_parts(&stock.state, &stock.breaker, stock.curve, &ahead, 1, NS_PER_S, &risk);
        assert_int_equal(risk.level_ppm, PPM);
        breaker_rest(&stock.state, &stock.breaker, 0);
        assert_int_equal(breaker_step(&stock.state, &stock.breaker, stock.curve, &ahead.load, NS_PER_MS),
                         ELEMENT_INSTANTANEOUS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_elements_are_looked_at_and_no_ninth),
        cmocka_unit_test(a_device_of_nothing_has_a_state_of_nothing),
        cmocka_unit_test(a_rest_is_between_cold_and_tripped),
        cmocka_unit_test(a_forecast_ends_with_its_last_step),
        cmocka_unit_test(a_peak_in_a_step_of_no_time_trips_at_once),
        cmocka_unit_test(any_phase_may_be_the_one_at_its_peak),
        cmocka_unit_test(a_hold_of_no_time_is_a_nanosecond),
        cmocka_unit_test(a_peak_admits_whole_milliamperes_below_its_margin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
