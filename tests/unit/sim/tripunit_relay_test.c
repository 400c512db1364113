/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's relays against the tables and the dynamic vector of domain.md 1.1 and 1.2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "specimen.h"

static const double multiple[] = {1.1, 1.5, 2, 3, 5, 10, 20};
enum { MULTIPLES = 7 };

static const double table[RELAY_CURVE_COUNT][MULTIPLES] = {
    [RELAY_IEC_SI] = {73.3744, 17.1942, 10.0290, 6.3019, 4.2797, 2.9706, 2.2674},
    [RELAY_IEC_VI] = {135.0000, 27.0000, 13.5000, 6.7500, 3.3750, 1.5000, 0.7105},
    [RELAY_IEC_EI] = {380.9524, 64.0000, 26.6667, 10.0000, 3.3333, 0.8081, 0.2005},
    [RELAY_IEC_LTI] = {1200.0, 240.0, 120.0, 60.0, 30.0, 13.3333, 6.3158},
    [RELAY_IEC_STI] = {13.0901, 3.0579, 1.7785, 1.1130, 0.7519, 0.5183, 0.3928},
    [RELAY_IEEE_MI] = {27.1053, 6.4390, 3.8032, 2.4322, 1.6883, 1.2068, 0.9481},
    [RELAY_IEEE_VI] = {93.8720, 16.1790, 7.0277, 2.9423, 1.3081, 0.6891, 0.5401},
    [RELAY_IEEE_EI] = {134.4074, 22.6817, 9.5217, 3.6467, 1.2967, 0.4065, 0.1924},
    [RELAY_U1] = {5.4733, 1.2999, 0.7676, 0.4907, 0.3405, 0.2433, 0.1910},
    [RELAY_U2] = {28.5133, 4.9400, 2.1633, 0.9238, 0.4279, 0.2401, 0.1949},
    [RELAY_U3] = {18.5725, 3.2003, 1.3896, 0.5813, 0.2580, 0.1355, 0.1060},
    [RELAY_U4] = {27.0352, 4.5712, 1.9252, 0.7440, 0.2714, 0.0925, 0.0494},
    [RELAY_U5] = {1.7951, 0.4227, 0.2476, 0.1566, 0.1072, 0.0752, 0.0580},
};

/* A step shows the rate, which gives the time to 1e-4 s; then it is stepped to its trip at 1 ms. */
static void every_curve_trips_at_the_times_of_the_tables(void **state)
{
    (void)state;
    for (int curve = 0; curve < RELAY_CURVE_COUNT; curve++) {
        struct site_device device = specimen_relay((enum relay_curve)curve, 1);
        struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
        for (int m = 0; m < MULTIPLES; m++) {
            struct tripunit unit;
            enum trip_element element;
            tripunit_init(&unit, &setup);
            specimen_step(&unit, 100 * multiple[m], 1e-3);
            specimen_within(1e-3 / unit.part[1], table[curve][m], 1e-4);
            double seconds = specimen_steady_s(&setup, 100 * multiple[m], 1300, &element);
            specimen_within(seconds, table[curve][m], 0.0011);
            assert_int_equal(element, TRIP_INVERSE);
        }
    }
}

static void nothing_runs_at_or_below_the_pickup_and_nothing_is_quicker_than_at_twenty(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEC_EI, 1);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 100, 500, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, 9000, 10, &element), 0.2005, 0.0011);
}

static void the_dial_scales_all_times(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEC_VI, 0.25);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 300, 10, &element), 1.6875, 0.0011);
}

/* 1 s at 3, 1 s at 0.5, then 3. */
static double three_half_three(double t_s)
{
    return t_s > 1 && t_s < 2 ? 50 : 300;
}

static void the_disk_falls_back_as_the_dynamic_vector_says(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEEE_VI, 0.5);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    struct tripunit unit;
    (void)state;
    tripunit_init(&unit, &setup);
    for (int step = 0; step < 1000; step++)
        specimen_step(&unit, 300, 1e-3);
    assert_true(fabs(unit.part[1] - 0.679752) < 1e-6);
    for (int step = 0; step < 1000; step++)
        specimen_step(&unit, 50, 1e-3);
    assert_true(fabs(unit.part[1] - 0.610307) < 1e-6);
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-3, 10, &element), 2.57328, 0.001);
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-4, 10, &element), 2.57328, 0.0001);
    device.relay.reset = RELAY_RESET_AT_ONCE;
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-3, 10, &element), 3.471125, 0.001);
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-4, 10, &element), 3.471125, 0.0001);
}

/* Held for longer than the second below: 1.471125 s of running in all. Held for less: from anew. */
static void a_definite_reset_holds_and_then_forgets(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEEE_VI, 0.5);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    device.relay.reset = RELAY_RESET_DEFINITE;
    device.relay.reset_ns = 1500 * NS_PER_MS;
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-3, 10, &element), 2.471125, 0.001);
    device.relay.reset_ns = 500 * NS_PER_MS;
    specimen_within(specimen_trip_s(&setup, three_half_three, 1e-3, 10, &element), 3.471125, 0.001);
}

/* Half a second at 3, one at rest, and so on. */
static double half_and_rest(double t_s)
{
    return fmod(t_s, 1.5) < 0.5 ? 300 : 50;
}

/* Rests of 1 s do not add up to the 1.5 s after which it forgets: 1.471125 s of running end at 4.471125 -
 * 1. */
static void every_rest_counts_from_its_own_start(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEEE_VI, 0.5);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    device.relay.reset = RELAY_RESET_DEFINITE;
    device.relay.reset_ns = 1500 * NS_PER_MS;
    specimen_within(specimen_trip_s(&setup, half_and_rest, 1e-3, 20, &element), 3.471125, 0.001);
}

/* +-5 %: what is quick to trip is slow to forget. */
static void the_fast_edge_falls_back_slowly(void **state)
{
    static const double seconds[] = {[TRUTH_NOMINAL] = 4.85, [TRUTH_FAST] = 5.0925, [TRUTH_SLOW] = 4.6075};
    struct site_device device = specimen_relay(RELAY_IEEE_MI, 1);
    (void)state;
    for (int truth = TRUTH_NOMINAL; truth <= TRUTH_SLOW; truth++) {
        struct tripunit_setup setup = specimen_setup(&device, (enum trip_truth)truth);
        struct tripunit unit;
        tripunit_init(&unit, &setup);
        unit.part[1] = 0.5;
        specimen_step(&unit, 0, 1e-3);
        specimen_within(1e-3 / (0.5 - unit.part[1]), seconds[truth], 1e-6);
    }
}

/* From full travel, at rest: t_r / (1 - M^2), domain.md 1.2: seconds at M = 0, 0.5, 0.9, dial 1. */
static void full_travel_takes_the_time_of_the_table_to_fall_back(void **state)
{
    static const struct { enum relay_curve curve; double seconds[3]; } row[] = {
        {RELAY_IEEE_MI, {4.85, 6.467, 25.526}}, {RELAY_IEEE_VI, {21.6, 28.8, 113.684}},
        {RELAY_IEEE_EI, {29.1, 38.8, 153.158}}, {RELAY_U5, {0.323, 0.430667, 1.7}},
    };
    static const double below[3] = {0, 0.5, 0.9};
    (void)state;
    for (size_t i = 0; i < 3 * sizeof(row) / sizeof(row[0]); i++) {
        struct site_device device = specimen_relay(row[i / 3].curve, 1);
        struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
        struct tripunit unit;
        int64_t steps = 0;
        tripunit_init(&unit, &setup);
        for (unit.part[1] = 1 - 1e-6; unit.part[1] > 0; steps++)
            specimen_step(&unit, 100 * below[i % 3], 1e-3);
        specimen_within((double)steps * 1e-3, row[i / 3].seconds[i % 3], 0.002);
    }
}

/* Alstom/GE P24: VI reset 50.92 / (1 - M^2.4): at M = 0.5 it is 62.83 s. */
static void a_maker_may_have_its_own_reset(void **state)
{
    struct site_device device = specimen_relay(RELAY_IEC_VI, 1);
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    struct tripunit unit;
    (void)state;
    device.relay.reset_ns = 50920 * NS_PER_MS;
    device.relay.reset_exponent_ppm = 2400000;
    tripunit_init(&unit, &setup);
    unit.part[1] = 0.5;
    for (int step = 0; step < 10000; step++)
        specimen_step(&unit, 50, 1e-3);
    assert_true(fabs(unit.part[1] - (0.5 - 10 / 62.8287)) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_curve_trips_at_the_times_of_the_tables),
        cmocka_unit_test(nothing_runs_at_or_below_the_pickup_and_nothing_is_quicker_than_at_twenty),
        cmocka_unit_test(the_dial_scales_all_times),
        cmocka_unit_test(the_disk_falls_back_as_the_dynamic_vector_says),
        cmocka_unit_test(a_definite_reset_holds_and_then_forgets),
        cmocka_unit_test(every_rest_counts_from_its_own_start),
        cmocka_unit_test(the_fast_edge_falls_back_slowly),
        cmocka_unit_test(full_travel_takes_the_time_of_the_table_to_fall_back),
        cmocka_unit_test(a_maker_may_have_its_own_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
