/* SPDX-License-Identifier: Apache-2.0 */
/* Steps and resets: vectors of domain.md 1.2, 1.5, 1.6 and 1.8. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "breaker_asserts.h"

/* IEEE very inverse, time dial 0.5, t_r 21.6 s: domain.md 1.2. */
static void very_inverse(struct stock *stock, enum breaker_reset reset, double reset_s)
{
    static const struct stock_inverse ieee_vi = {19.61L, 0.4910L, 2, 0.5L};

    memset(stock, 0, sizeof *stock);

    struct breaker_element *relay = stock_travel(stock, ELEMENT_INVERSE, 100, 100, stock_inverse_s, &ieee_vi);

    relay->reset = (uint8_t)reset;
    relay->reset_ns = llround(reset_s * 1e9);
}

static void a_disk_runs_back_by_its_reset_time(void **state)
{
    struct stock stock;

    (void)state;
    very_inverse(&stock, RESET_TRAVEL, 0.5 * 21.6);
    assert_int_equal(step(&stock, 300, 1), -1);
    assert_part(&stock, 1 / 1.471125, 1e-9);
    assert_int_equal(step(&stock, 50, 1), -1);
    assert_part(&stock, 1 / 1.471125 - 0.75 / 10.8, 1e-9);
    assert_time(2 + seconds(time_at(&stock, 300).t_ns), 2.57328, 2e-5, EXACT);
    assert_int_equal(step(&stock, 300, 0.5732), -1);
    assert_int_equal(step(&stock, 300, 0.0001), ELEMENT_INVERSE);
    assert_part(&stock, 1, 0);
    step(&stock, 100 - 1e-3, 1000);             /* M a hair below 1: 10.8 s / (1 - M^2) is six days */
    assert_true(stock.state.part[0][0] > HEAT_ONE / 100 * 99);
    step(&stock, 0, 10.7);
    assert_true(stock.state.part[0][0] > 0);
    step(&stock, 0, 0.2);
    assert_part(&stock, 0, 0);
}

static void other_relays_forget_at_once_or_after_a_while(void **state)
{
    struct stock stock;

    (void)state;
    very_inverse(&stock, RESET_AT_ONCE, 0);
    step(&stock, 300, 1);
    step(&stock, 50, 1);
    assert_part(&stock, 0, 0);
    assert_time(2 + seconds(time_at(&stock, 300).t_ns), 3.471125, 1e-6, EXACT);

    very_inverse(&stock, RESET_HOLD, 1.5);
    step(&stock, 300, 1);
    step(&stock, 50, 1);
    assert_time(2 + seconds(time_at(&stock, 300).t_ns), 2.471125, 1e-6, EXACT);
    step(&stock, 100, 0.001);                   /* above pickup: the while begins anew */
    step(&stock, 50, 1.499);
    assert_true(stock.state.part[0][0] > HEAT_ONE / 100 * 67);
    step(&stock, 50, 0.0005);
    assert_true(stock.state.part[0][0] > 0);
    step(&stock, 50, 0.0005);
    assert_part(&stock, 0, 0);

    very_inverse(&stock, RESET_NEVER, 0);
    step(&stock, 300, 1);
    step(&stock, 0, 3600);
    assert_part(&stock, 1 / 1.471125, 1e-9);
}

/* domain.md 1.5, pulse vectors: model A, model B. */
static void a_square_wave_trips_an_image_and_no_timer(void **state)
{
    struct stock image = {0}, timer = {0};
    const struct stock_square square = {900, 8, 4800, 0, 0, 0};
    double t_s = 0;

    (void)state;
    stock_image(&image, 900, 223.5317);
    stock_travel(&timer, ELEMENT_LONG_TIME, 900, 900, stock_square_s, &square);
    breaker_rest(&image.state, &image.breaker, llround(0.64 / 1.265625 * 1e6));
    for (; seconds(time_at(&image, 1280).t_ns) > 0.5 && t_s < 1000; t_s += 1) {
        assert_int_equal(step(&image, 1280, 0.5), -1);
        assert_int_equal(step(&image, 400, 0.5), -1);
        assert_int_equal(step(&timer, 1280, 0.5), -1);
        assert_part(&timer, 0.5 / 8 * (1280.0 * 1280) / (4800.0 * 4800), 1e-5);
        assert_int_equal(step(&timer, 400, 0.5), -1);
    }
    assert_time(t_s + seconds(time_at(&image, 1280).t_ns), 378.465, 0.002, 1e-5);
}

static void a_mild_square_wave_never_trips(void **state)
{
    struct stock image = {0};

    (void)state;
    stock_image(&image, 900, 223.5317);
    breaker_rest(&image.state, &image.breaker, llround(0.64 / 1.265625 * 1e6));
    for (int second = 0; second < 3000; second++) {
        assert_int_equal(step(&image, 400, 0.5), -1);
        assert_int_equal(step(&image, 1120, 0.5), -1);
    }
    assert_part(&image, 1.1045 / 1.265625, 0.0015);     /* 1.105 and half a ripple of 0.002 */
}

static void short_time_memory_adds_pulses_up(void **state)
{
    struct stock stock = {0};

    (void)state;
    stock_definite(&stock, ELEMENT_SHORT_TIME, 4800, 0.1);
    for (int pulse = 0; pulse < 1000; pulse++) {
        assert_int_equal(step(&stock, 5000, 0.06), -1);
        assert_int_equal(step(&stock, 0, 0.14), -1);
    }
    stock.breaker.element[0].reset = RESET_DECAY;
    stock.breaker.element[0].reset_ns = 500 * NS_PER_MS;
    assert_int_equal(step(&stock, 5000, 0.06), -1);
    assert_int_equal(step(&stock, 0, 0.14), -1);
    assert_part(&stock, 0.6 * exp(-0.28), 1e-9);
    assert_time(0.2 + seconds(time_at(&stock, 5000).t_ns), 0.255, 0.001, EXACT);
    assert_int_equal(step(&stock, 5000, 0.055), ELEMENT_SHORT_TIME);
}

/* domain.md 1.6: 680 A rms with crest 1.6 has a peak of 1088 A, and 850 A less 10 % trips at 1081.9 A. */
static void a_peak_trips_at_once(void **state)
{
    static const struct { double current_a; int32_t crest; bool trips; } cases[] = {
        {680, 1600, true}, {680, 1591, true}, {680, 1590, false}, {765, 0, true}, {765, 1414, true},
        {764.999, 1000, false}, {765, 1000, true}, {0, 30000, false}, {-1000, 1414, false},
    };
    struct stock stock = {0};

    (void)state;
    stock_peak(&stock, 765);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct breaker_load load = stock_load(cases[i].current_a);
        struct breaker_verdict verdict;

        load.crest_milli = cases[i].crest;
        breaker_time_to_trip(&stock.state, &stock.breaker, NULL, &load, &verdict);
        assert_true(verdict.t_ns == (cases[i].trips ? 0 : BREAKER_NEVER_NS));
        assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, 0),
                         cases[i].trips ? ELEMENT_INSTANTANEOUS : -1);
        assert_part(&stock, cases[i].trips, 0);
    }
}

/* The last phase alone, and the residual current alone. */
static void each_phase_and_the_residual_current_stand_alone(void **state)
{
    struct stock stock;
    struct breaker_load load = {.current_ma = {0, 0, 9000000}, .residual_ma = 0};
    struct breaker_verdict verdict;

    (void)state;
    stock_mn3000(&stock, true, STOCK_TIMER | STOCK_IMAGE);
    breaker_time_to_trip(&stock.state, &stock.breaker, stock.curve, &load, &verdict);
    assert_int_equal(verdict.phase, 2);
    assert_int_equal(stock.breaker.element[verdict.element].role, ELEMENT_LONG_TIME);
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, stock.curve, &load, NS_PER_S), -1);
    for (int e = 0; e < 2; e++) {
        assert_int_equal(stock.state.part[e][0], 0);
        assert_int_equal(stock.state.part[e][1], 0);
        assert_true(stock.state.part[e][2] > HEAT_ONE / 50);
    }
    load = (struct breaker_load){.current_ma = {0, 0, 0}, .residual_ma = 1115999};
    breaker_time_to_trip(&stock.state, &stock.breaker, stock.curve, &load, &verdict);
    assert_true(verdict.t_ns == BREAKER_NEVER_NS && verdict.element == UINT32_MAX);
    load.residual_ma = 1116000;
    breaker_time_to_trip(&stock.state, &stock.breaker, stock.curve, &load, &verdict);
    assert_time(seconds(verdict.t_ns), 0.27, 0, EXACT);
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, stock.curve, &load, 270 * NS_PER_MS),
                     ELEMENT_GROUND);
    assert_true(stock.state.part[4][0] == HEAT_ONE && stock.state.part[4][1] == 0);
}

/* domain.md 1.8: dt of 1 ms against 10 ms and 1 s, here to a millionth. */
static void the_size_of_a_step_makes_no_difference(void **state)
{
    static const int64_t dt_ms[] = {1, 10, 1000};
    int64_t heat[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct stock stock;

        stock_br800(&stock, true, STOCK_IMAGE);
        for (int64_t t_ms = 0; t_ms < 120000; t_ms += dt_ms[i])
            step(&stock, t_ms / 1000 % 4 < 3 ? 1000 : 200, (double)dt_ms[i] * 1e-3);
        heat[i] = stock.state.part[0][0];
    }
    for (int i = 1; i < 3; i++)
        assert_true(llabs(heat[i] - heat[0]) < heat[0] / 1000000);
}

/* What makes no sense errs toward a trip and does no harm. */
static void odd_figures_are_taken_for_the_worse(void **state)
{
    struct stock stock = {0};
    struct breaker_load load = {.current_ma = {INT64_MAX, INT64_MIN, -1}, .residual_ma = INT64_MIN};

    (void)state;
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, NS_PER_S), -1);
    stock_image(&stock, 900, 200);
    breaker_rest(&stock.state, &stock.breaker, 500000);
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, 0), -1);
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, -5), -1);
    assert_part(&stock, 0.5, 1e-9);
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, 1), ELEMENT_LONG_TIME);
    assert_true(stock.state.part[0][0] == HEAT_ONE);
    assert_true(stock.state.part[0][1] <= HEAT_ONE / 2 && stock.state.part[0][1] > HEAT_ONE / 2 - 10);
    load.current_ma[1] = 1000000;                       /* phase 0 is beyond all measure, phase 1 is not */
    assert_int_equal(breaker_step(&stock.state, &stock.breaker, NULL, &load, NS_PER_S), ELEMENT_LONG_TIME);
    assert_true(stock.state.part[0][1] > HEAT_ONE / 1000 * 503 &&
                stock.state.part[0][1] < HEAT_ONE / 1000 * 504);
    assert_int_equal(step(&stock, 0, 1), -1);           /* it cools: no trip any more */
    assert_int_equal(step(&stock, 0, 9e9), -1);         /* 285 years */
    assert_part(&stock, 0, 1e-9);
    stock.breaker.element[0].heat_ns = 0;
    assert_int_equal(step(&stock, 901, 1e-9), ELEMENT_LONG_TIME);
    stock.breaker.element[0].cool_ns = 0;
    step(&stock, 0, 1e6);
    assert_true(stock.state.part[0][0] == HEAT_ONE);
    assert_true(time_at(&stock, 901).t_ns == 0);
    assert_true(time_at(&stock, 899).t_ns == BREAKER_NEVER_NS);
}

/* Reciprocals that heat are above the exact ones and those that cool below, each by less than a unit. */
static void reciprocals_err_toward_a_trip(void **state)
{
    static const int64_t tau_ns[] = {1,      1000,    524287,         524288,
                                     524289, 1000003, 200 * NS_PER_S, 86400 * NS_PER_S};
    const long double whole = 0x1p81L;
    struct breaker breaker = {.element_count = 2};
    struct breaker_pace pace;

    (void)state;
    for (size_t i = 0; i < sizeof tau_ns / sizeof tau_ns[0]; i++) {
        breaker.element[0] = (struct breaker_element){.law = BREAKER_IMAGE, .pickup_ma = tau_ns[i],
            .unit_ma = 7, .heat_ns = tau_ns[i], .heat_fast_ns = tau_ns[i], .cool_ns = tau_ns[i]};
        breaker.element[1] = (struct breaker_element){.law = BREAKER_TRAVEL, .pickup_ma = 7,
            .unit_ma = tau_ns[i], .heat_ns = 5 * NS_PER_S, .cool_ns = 7, .reset_ns = tau_ns[i]};
        breaker_pace(&pace, &breaker);

        long double tau = tau_ns[i], held = fmaxl(tau, 524288);
        const struct breaker_pace_element *image = &pace.element[0];

        assert_true(image->heat == image->heat_fast && (image->heat == 0) == (tau_ns[i] <= 524288));
        if (image->heat)
            assert_true(image->heat > whole / tau && (long double)(image->heat - 1) <= whole / tau);
        assert_true(pace.element[1].heat == 0 && pace.element[1].heat_fast == 0);
        for (int e = 0; e < 2; e++) {
            assert_true(pace.element[e].fall <= whole / held && pace.element[e].fall + 1 > whole / held);
            assert_true(pace.element[e].unit_ma == tau_ns[i]);
            assert_true(pace.element[e].unit > 0x1p63L / tau && pace.element[e].unit - 1 <= 0x1p63L / tau);
        }
    }
    breaker.element[0].cool_ns = 0;
    breaker.element[0].pickup_ma = -7;
    breaker.element[0].heat_ns = -1;
    breaker_pace(&pace, &breaker);
    assert_true(pace.element[0].fall == 0 && pace.element[0].heat == 0 && pace.element[0].unit_ma == 1);
}

/* What a step rounds, it rounds up: the least of currents heats by a unit, and one unit short of a trip, the
 * least time above pickup trips. */
static void the_least_heat_is_not_lost(void **state)
{
    struct stock image = {0}, relay = {0};
    struct breaker_load load = {.current_ma = {1, 0, 0}};

    (void)state;
    stock_image(&image, 2000, 200);
    assert_int_equal(breaker_step(&image.state, &image.breaker, NULL, &load, 16 * NS_PER_MS), -1);
    assert_true(image.state.part[0][0] == 1 && image.state.part[0][1] == 0);
    image.state.part[0][0] = HEAT_ONE - 1;
    image.state.part[0][1] = HEAT_ONE - 1;
    image.state.part[0][2] = HEAT_ONE - 1;
    assert_int_equal(step(&image, 2000 - 0.001, 1e-9), -1);
    assert_true(image.state.part[0][0] == HEAT_ONE - 1);
    assert_int_equal(step(&image, 2001, 1e-9), ELEMENT_LONG_TIME);
    assert_true(image.state.part[0][0] == HEAT_ONE);

    stock_definite(&relay, ELEMENT_INVERSE, 110, 1e6);
    relay.breaker.element[0].unit_ma = 100000;
    relay.breaker.element[0].reset = RESET_TRAVEL;
    relay.breaker.element[0].reset_ns = NS_PER_S;
    assert_int_equal(step(&relay, 110, 1e-9), -1);
    assert_true(relay.state.part[0][0] == 2 || relay.state.part[0][0] == 1);
    relay.state.part[0][0] = HEAT_ONE - 1;
    step(&relay, 105, 1e6);                     /* between its unit and its pickup it stays */
    assert_true(relay.state.part[0][0] == HEAT_ONE - 1);
    assert_int_equal(step(&relay, 110, 1e-9), ELEMENT_INVERSE);
}

/* A current above all of them, once: each of three images and timers moves by its own figures. */
static void a_step_reaches_every_element_and_names_the_first_that_trips(void **state)
{
    struct stock stock = {0};

    (void)state;
    for (int e = 0; e < 3; e++)
        stock_image(&stock, 1000, 100 * (e + 1));
    stock_definite(&stock, ELEMENT_SHORT_TIME, 1500, 2);
    stock_definite(&stock, ELEMENT_FUSE, 1500, 1);
    assert_int_equal(step(&stock, 2000, 0.5), -1);
    for (int e = 0; e < 3; e++)
        assert_true(fabs((double)stock.state.part[e][1] / (double)HEAT_ONE - 4 * -expm1(-0.005 / (e + 1))) <
                    1e-9);
    assert_true(llabs(stock.state.part[3][2] - HEAT_ONE / 4) < 1000);
    assert_true(llabs(stock.state.part[4][2] - HEAT_ONE / 2) < 1000);
    assert_int_equal(step(&stock, 2000, 0.6), ELEMENT_FUSE);
    assert_int_equal(step(&stock, 2000, 1), ELEMENT_SHORT_TIME);
    assert_int_equal(step(&stock, 1600, 1000), ELEMENT_LONG_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_runs_back_by_its_reset_time),
        cmocka_unit_test(other_relays_forget_at_once_or_after_a_while),
        cmocka_unit_test(a_square_wave_trips_an_image_and_no_timer),
        cmocka_unit_test(a_mild_square_wave_never_trips),
        cmocka_unit_test(short_time_memory_adds_pulses_up),
        cmocka_unit_test(a_peak_trips_at_once),
        cmocka_unit_test(each_phase_and_the_residual_current_stand_alone),
        cmocka_unit_test(the_size_of_a_step_makes_no_difference),
        cmocka_unit_test(odd_figures_are_taken_for_the_worse),
        cmocka_unit_test(reciprocals_err_toward_a_trip),
        cmocka_unit_test(the_least_heat_is_not_lost),
        cmocka_unit_test(a_step_reaches_every_element_and_names_the_first_that_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
