/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's breakers against the vectors of domain.md 1.3 and 1.5:
 * BR800, nominal tolerance unless said otherwise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim/tripunit.h"

static const struct tripunit_settings br800 = {
    .long_time_a = 800, .long_time_s = 8, .short_time_a = 4800, .short_time_s = 0.10, .instantaneous_a = 8000,
};

/* Seconds until the element trips at a steady current, INFINITY beyond `limit_s`. */
static double time_to_trip(const struct tripunit_settings *settings, double amperes, double limit_s,
                           enum trip_element *element)
{
    struct tripunit unit;
    const double current_a[PHASES] = {amperes, 0, 0};
    tripunit_init(&unit, settings, NULL);
    for (int64_t step = 1; (double)step * 1e-3 <= limit_s; step++) {
        *element = tripunit_step(&unit, current_a, sqrt(2.0), 1e-3);
        if (*element != TRIP_NONE)
            return (double)step * 1e-3;
    }
    return INFINITY;
}

static void assert_within(double seconds, double expected, double tolerance)
{
    if (fabs(seconds - expected) > tolerance)
        fail_msg("%.4f s, expected %.4f s", seconds, expected);
}

static void thermal_image_trips_at_the_times_of_the_vectors(void **state)
{
    static const struct { double x, heat, seconds; } vector[] = {
        {1.2, 0, 471.9}, {1.2, 0.64, 340.5}, {1.2, 1.0, 206.9}, {1.5, 0, 184.8}, {1.5, 0.64, 110.0},
        {1.5, 1.0, 53.40}, {2, 0, 85.03}, {2, 0.64, 46.06}, {2, 1.0, 20.72}, {3, 0, 33.88},
        {3, 1.0, 7.548}, {6, 0, 8.000}, {6, 1.0, 1.703},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(vector) / sizeof(vector[0]); i++) {
        struct tripunit_settings settings = br800;
        enum trip_element element;
        settings.short_time_a = settings.instantaneous_a = 0;
        settings.initial_heat = vector[i].heat;
        double seconds = time_to_trip(&settings, vector[i].x * 800, 600, &element);
        assert_within(seconds, vector[i].seconds, 0.0006 * vector[i].seconds + 0.001);
        assert_int_equal(element, TRIP_LONG_TIME);
    }
}

static void a_current_below_the_asymptote_never_trips(void **state)
{
    enum trip_element element;
    (void)state;
    assert_true(isinf(time_to_trip(&br800, 1.1 * 800, 3000, &element)));
}

static void short_time_and_instantaneous_trip_after_their_delays(void **state)
{
    enum trip_element element;
    (void)state;
    assert_within(time_to_trip(&br800, 4800, 10, &element), 0.100, 0.0005);
    assert_int_equal(element, TRIP_SHORT_TIME);
    assert_within(time_to_trip(&br800, 6000, 10, &element), 0.100, 0.0005);
    assert_within(time_to_trip(&br800, 8000, 10, &element), 0.030, 0.0005);
    assert_int_equal(element, TRIP_INSTANTANEOUS);
}

/* 1 Hz square wave 1280 / 400 A, theta0 = 0.64: 378.465 s by exact 1 ms steps (domain.md 1.5). */
static void pulses_heat_the_image_as_the_vector_says(void **state)
{
    struct tripunit_settings settings = br800;
    struct tripunit unit;
    int64_t step = 0;
    (void)state;
    settings.initial_heat = 0.64;
    tripunit_init(&unit, &settings, NULL);
    for (;; step++) {
        double amperes = step % 1000 < 500 ? 1280 : 400;
        if (tripunit_step(&unit, (const double[PHASES]){amperes, amperes, amperes}, sqrt(2.0),
                          1e-3) != TRIP_NONE)
            break;
        assert_true(step < 500000);
    }
    assert_within((double)(step + 1) * 1e-3, 378.465, 0.01);
}

/* 5000 A for 60 ms of every 200 ms: the memory trips in the second pulse, at 0.255 s. */
static void short_time_memory_adds_up_pulses(void **state)
{
    struct tripunit unit;
    int64_t step = 0;
    (void)state;
    tripunit_init(&unit, &br800, NULL);
    for (;; step++) {
        double amperes = step % 200 < 60 ? 5000 : 0;
        if (tripunit_step(&unit, (const double[PHASES]){0, amperes, 0}, sqrt(2.0), 1e-3) == TRIP_SHORT_TIME)
            break;
        assert_true(step < 1000);
    }
    assert_within((double)(step + 1) * 1e-3, 0.255, 0.002);
}

/* 1000 devices: every one inside the band of domain.md 1.3, and both edges of it in use. */
static void drawn_devices_fill_the_tolerance_band(void **state)
{
    double least = INFINITY, most = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        struct tripunit unit;
        struct random random;
        random_init(&random, 7, RANDOM_TRIPUNIT, i);
        tripunit_init(&unit, &br800, &random);
        double pickup = sqrt(unit.theta_trip);
        least = fmin(least, pickup);
        most = fmax(most, pickup);
        assert_true(pickup >= 1.05 && pickup <= 1.20);
        double at_six_s = unit.tau_s * log(36.0 / (36.0 - unit.theta_trip));
        assert_true(at_six_s >= 7.2 && at_six_s <= 8.8);
    }
    assert_true(least < 1.052 && most > 1.198);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thermal_image_trips_at_the_times_of_the_vectors),
        cmocka_unit_test(a_current_below_the_asymptote_never_trips),
        cmocka_unit_test(short_time_and_instantaneous_trip_after_their_delays),
        cmocka_unit_test(pulses_heat_the_image_as_the_vector_says),
        cmocka_unit_test(short_time_memory_adds_up_pulses),
        cmocka_unit_test(drawn_devices_fill_the_tolerance_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
