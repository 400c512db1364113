/* SPDX-License-Identifier: Apache-2.0 */
/* Times to trip: vectors of domain.md 1.3, 1.5 and 1.6. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "breaker_asserts.h"

struct row { double current_a, fast_s, nominal_s, rounding_s; };

static void assert_rows(struct stock *fast, struct stock *nominal, const struct row *row, size_t count,
                        double share)
{
    for (size_t i = 0; i < count; i++) {
        assert_time(seconds(time_at(fast, row[i].current_a).t_ns), row[i].fast_s, row[i].rounding_s, share);
        assert_time(seconds(time_at(nominal, row[i].current_a).t_ns), row[i].nominal_s, row[i].rounding_s,
                    CHORD);
    }
}

/* domain.md 1.3; a step of MN3000's table holds the seam at 18 kA, and one the corner at 30 kA. */
static void trip_times_of_br800_are_the_printed_ones(void **state)
{
    static const struct row rows[] = {
        {839, INFINITY, INFINITY, 0}, {840, 235.1, INFINITY, 0.1}, {900, 204.8, 227.6, 0.1},
        {960, 180.0, 200.0, 0.1}, {1200, 115.2, 128.0, 0.1}, {1600, 64.8, 72.0, 0.1},
        {4000, 10.37, 11.52, 0.01}, {4464, 0.09, 9.250, 0.001}, {4800, 0.09, 0.10, 0}, {6000, 0.09, 0.10, 0},
        {7200, 0, 0.10, 0}, {8000, 0, 0, 0}, {8800, 0, 0, 0},
    };
    struct stock fast, nominal;

    (void)state;
    stock_br800(&fast, true, STOCK_TIMER);
    stock_br800(&nominal, false, STOCK_TIMER);
    assert_rows(&fast, &nominal, rows, sizeof rows / sizeof rows[0], CHORD);
}

static void trip_times_of_mn3000_are_the_printed_ones(void **state)
{
    static const struct row rows[] = {
        {3000, INFINITY, INFINITY, 0}, {3150, 352.7, INFINITY, 0.1}, {3375, 307.2, 341.3, 0.1},
        {3600, 270.0, 300.0, 0.1}, {6000, 97.2, 108.0, 0.1}, {9000, 43.2, 48.0, 0.1},
        {11160, 1.843, 31.22, 0.01}, {12000, 1.594, 1.875, 0.001}, {12840, 1.392, 1.638, 0.001},
        {36000, 0, 0, 0}, {39600, 0, 0, 0},
    };
    static const struct row at_a_seam[] = {{18000, 0.7083, 0.8333, 0.001}, {30000, 0.24, 0.30, 0.001}};
    struct stock fast, nominal;

    (void)state;
    stock_mn3000(&fast, true, STOCK_TIMER);
    stock_mn3000(&nominal, false, STOCK_TIMER);
    assert_rows(&fast, &nominal, rows, sizeof rows / sizeof rows[0], CHORD);
    assert_rows(&fast, &nominal, at_a_seam, sizeof at_a_seam / sizeof at_a_seam[0], 0.065);
}

/* domain.md 1.5: (x; theta0 = 0, 0.64, 1.0), theta in Ir^2. */
struct heat_row { double x, t_s[3]; };

static void assert_heat_rows(struct stock *stock, double rated_a, const struct heat_row *row, size_t count)
{
    static const double start[] = {0, 0.64, 1.0};

    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 3; k++) {
            breaker_rest(&stock->state, &stock->breaker, llround(start[k] / 1.265625 * 1e6));
            assert_time(seconds(time_at(stock, row[i].x * rated_a).t_ns), row[i].t_s[k],
                        row[i].t_s[k] > 100 ? 0.1 : row[i].t_s[k] > 10 ? 0.01 : 0.001, EXACT);
        }
}

static void an_image_trips_at_the_printed_times(void **state)
{
    static const struct heat_row br800[] = {
        {1.1, {INFINITY, INFINITY, INFINITY}}, {1.2, {471.9, 340.5, 206.9}}, {1.5, {184.8, 110.0, 53.40}},
        {2, {85.03, 46.06, 20.72}}, {3, {33.88, 17.39, 7.548}}, {6, {8.000, 3.990, 1.703}},
        {8, {4.465, 2.218, 0.9445}},
    };
    static const struct heat_row mn3000[] = {
        {1.5, {277.2, 165.0, 80.10}}, {2, {127.5, 69.08, 31.09}}, {6, {12.0, 5.986, 2.554}},
    };
    struct stock stock = {0};

    (void)state;
    stock_image(&stock, 900, 223.5317);
    assert_heat_rows(&stock, 800, br800, sizeof br800 / sizeof br800[0]);
    stock = (struct stock){0};
    stock_image(&stock, 3375, 335.2975);
    assert_heat_rows(&stock, 3000, mn3000, sizeof mn3000 / sizeof mn3000[0]);
}

/* A short-time stage lies ahead, then the last load for ever: by closed form as by stepping. */
static void a_forecast_agrees_with_stepping(void **state)
{
    struct breaker_step_ahead ahead[] = {{2 * NS_PER_S, stock_load(600)}, {3 * NS_PER_S, stock_load(3000)},
                                         {NS_PER_S, stock_load(1300)}};
    struct breaker_verdict verdict;
    struct breaker_state end;
    struct stock stock;
    int64_t t_ns = 6 * NS_PER_S;

    (void)state;
    stock_br800(&stock, true, STOCK_IMAGE);
    breaker_rest(&stock.state, &stock.breaker, 500000);
    breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 3, &verdict, &end);
    for (int k = 0; k < 3; k++)
        assert_int_equal(
            breaker_step(&stock.state, &stock.breaker, stock.curve, &ahead[k].load, ahead[k].dt_ns), -1);
    assert_memory_equal(&end, &stock.state, sizeof end);
    while (step(&stock, 1300, 1e-3) < 0 && t_ns < 1000 * NS_PER_S)
        t_ns += NS_PER_MS;
    assert_true(verdict.t_ns <= t_ns + NS_PER_MS && verdict.t_ns >= t_ns - NS_PER_MS);
    assert_int_equal(verdict.element, 0);

    ahead[1].load = stock_load(4500);           /* short-time after 0.09 s of it */
    breaker_rest(&stock.state, &stock.breaker, 500000);
    breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 3, &verdict, &end);
    assert_time(seconds(verdict.t_ns), 2.09, 0, EXACT);
    assert_int_equal(stock.breaker.element[verdict.element].role, ELEMENT_SHORT_TIME);
    assert_true(end.part[verdict.element][verdict.phase] == HEAT_ONE);
    step(&stock, 600, 2);                       /* as hot as at the trip, not as before or after it */
    step(&stock, 4500, 0.09);
    for (int phase = 0; phase < PHASES; phase++)
        assert_true(llabs(end.part[0][phase] - stock.state.part[0][phase]) < HEAT_ONE / 1000000);

    breaker_forecast(&stock.state, &stock.breaker, stock.curve, ahead, 0, &verdict, NULL);
    assert_true(verdict.t_ns == BREAKER_NEVER_NS && verdict.element == UINT32_MAX);
}

/* Above fast_above_ma the shorter time constant: more current never trips later. */
static void no_seam_lets_more_current_trip_later(void **state)
{
    struct stock stock;
    int64_t before_ns = BREAKER_NEVER_NS;

    (void)state;
    stock_br800(&stock, true, STOCK_TIMER | STOCK_IMAGE);
    stock.breaker.element[1].fast_above_ma = 4000000;
    stock.breaker.element[1].heat_fast_ns = stock.breaker.element[1].heat_ns / 9 * 8;
    for (int current_a = 800; current_a < 60000; current_a += current_a / 200) {
        int64_t t_ns = time_at(&stock, current_a).t_ns;

        assert_true(t_ns <= before_ns);
        before_ns = t_ns;
    }
    stock = (struct stock){0};
    stock_image(&stock, 900, 200)->fast_above_ma = 2000000;
    stock.breaker.element[0].heat_fast_ns = 100 * NS_PER_S;
    assert_true(fabs(seconds(time_at(&stock, 2000).t_ns) - 200 * log(1 / (1 - 0.2025))) < 1e-6);
    assert_true(fabs(seconds(time_at(&stock, 2000.001).t_ns) - 100 * log(1 / (1 - 0.2025))) < 1e-4);
    step(&stock, 2000, 10);
    assert_part(&stock, (1 - exp(-0.05)) / 0.2025, 1e-9);
    step(&stock, 2000.001, 10);
    assert_part(&stock, (1 - exp(-0.15)) / 0.2025, 1e-5);
}

/* A step that trips ends within itself, though the closed form, rounded another way, may put the trip a
 * little later. Steps of the closed form's time and up to `off_ns` less; some of them trip already. */
static void a_step_that_trips_does_so_before_its_end(void **state)
{
    static const int64_t off_ns[] = {0, 1, 2, 5, 20, 100, 1000};
    uint32_t early = 0;

    (void)state;
    for (int current_a = 910; current_a < 60000; current_a += current_a / 50)
        for (uint32_t i = 0; i < sizeof off_ns / sizeof off_ns[0]; i++) {
            struct stock stock = {0};
            stock_image(&stock, 900, 223.5317);
            int64_t trip_ns = time_at(&stock, current_a).t_ns;
            struct breaker_step_ahead ahead = {trip_ns - off_ns[i], stock_load(current_a)};
            struct breaker_state after = stock.state;
            struct breaker_verdict verdict;
            if (breaker_step(&after, &stock.breaker, NULL, &ahead.load, ahead.dt_ns) < 0)
                continue;
            early += ahead.dt_ns < trip_ns;
            breaker_forecast(&stock.state, &stock.breaker, NULL, &ahead, 1, &verdict, NULL);
            assert_true(verdict.t_ns <= ahead.dt_ns);
        }
    assert_true(early > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trip_times_of_br800_are_the_printed_ones),
        cmocka_unit_test(trip_times_of_mn3000_are_the_printed_ones),
        cmocka_unit_test(an_image_trips_at_the_printed_times),
        cmocka_unit_test(a_forecast_agrees_with_stepping),
        cmocka_unit_test(no_seam_lets_more_current_trip_later),
        cmocka_unit_test(a_step_that_trips_does_so_before_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
