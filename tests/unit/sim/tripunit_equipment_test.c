/* SPDX-License-Identifier: Apache-2.0 */
/* Thermal-magnetic breakers of the plant (domain.md 1.4), and what stands beside a device. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "specimen.h"

/* 400 A, 12 min at 2 In, magnetic 4 kA. */
static struct site_device moulded_case(void)
{
    return (struct site_device){
        .kind = DEVICE_THERMAL_MAGNETIC, .rating_ma = 400000, .long_time_ma = 400000,
        .long_time_ns = 720 * NS_PER_S, .long_time_at_ppm = 2 * PPM,
        .instantaneous = {.pickup_ma = 4000000, .tolerance_ppm = -1},
    };
}

/* IEC 60947-2: 1.05 In does not trip any specimen, 1.30 In trips one of its middle; UL 489: 1.35 trips all.
 * At 2 In from cold the delay as set, +-20 %; from there by t = tau ln(x^2 / (x^2 - p^2)), worked out by hand
 * for p = 1.175: tau = 720 / ln(4 / (4 - 1.380625)) = 1700.69 s. */
static void a_bimetal_trips_between_its_conventional_currents(void **state)
{
    struct site_device device = moulded_case();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 800, 2000, &element), 720, 0.0015);
    assert_int_equal(element, TRIP_THERMAL);
    specimen_within(specimen_steady_s(&setup, 1200, 2000, &element), 283.216, 0.002);
    specimen_within(specimen_steady_s(&setup, 520, 4000, &element), 2887.645, 0.002);
    setup.truth = TRUTH_FAST;
    specimen_within(specimen_steady_s(&setup, 800, 2000, &element), 576, 0.0015);
    specimen_within(specimen_steady_s(&setup, 419.9, 20000, &element), INFINITY, 0);
    assert_true(specimen_steady_s(&setup, 421, 30000, &element) < 30000);
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 800, 2000, &element), 864, 0.0015);
    specimen_within(specimen_steady_s(&setup, 539.9, 20000, &element), INFINITY, 0);
    assert_true(specimen_steady_s(&setup, 541, 30000, &element) < 30000);
}

static void the_magnetic_element_lies_within_twenty_per_cent(void **state)
{
    struct site_device device = moulded_case();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_FAST);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 3200, 1, &element), 0.001, 1e-9);
    assert_int_equal(element, TRIP_MAGNETIC);
    specimen_within(specimen_steady_s(&setup, 3199, 1, &element), INFINITY, 0);
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 4800, 1, &element), 0.030, 1e-9);
    specimen_within(specimen_steady_s(&setup, 4799, 1, &element), INFINITY, 0);
    device.instantaneous.tolerance_ppm = 100000;
    specimen_within(specimen_steady_s(&setup, 4400, 1, &element), 0.030, 1e-9);
}

/* Hot surroundings take a tenth: what stood at 1.05 In trips the fast edge from 0.945 In. */
static void a_hot_cabinet_takes_from_a_thermal_pickup(void **state)
{
    struct site_device device = moulded_case();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_FAST);
    enum trip_element element;
    (void)state;
    device.ambient_ppm = 900000;
    specimen_within(specimen_steady_s(&setup, 377.9, 20000, &element), INFINITY, 0);
    assert_true(specimen_steady_s(&setup, 379, 30000, &element) < 30000);
    specimen_within(specimen_steady_s(&setup, 720, 2000, &element), 576, 0.0015);
}

/* 1 MVA at 480 V is 1202.8 A; conductor 560 A. Their heat settles at 0.9 of what they bear when they carry
 * their rating: twice the rating from cold takes tau ln(4 / (4 - 1 / 0.9)). */
static void transformer_and_conductor_heat_with_their_own_time_constants(void **state)
{
    struct site_device none = {.kind = DEVICE_NONE};
    struct site_equipment equipment = {.transformer_mva = 1000000000, .transformer_ns = 7200 * NS_PER_S};
    struct tripunit_setup setup = specimen_setup(&none, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    setup.equipment = &equipment;
    specimen_within(specimen_steady_s(&setup, 1202.814, 40000, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, 2 * 1202.814, 4000, &element), 2343.041, 0.002);
    assert_int_equal(element, TRIP_TRANSFORMER);
    equipment = (struct site_equipment){.conductor_ma = 560000, .conductor_ns = 600 * NS_PER_S};
    specimen_within(specimen_steady_s(&setup, 1120, 4000, &element), 195.253, 0.002);
    assert_int_equal(element, TRIP_CONDUCTOR);
    setup.initial_heat = 1;
    specimen_within(specimen_steady_s(&setup, 560, 4000, &element), INFINITY, 0);
    /* 600 ln((4 - 1) / (4 - 1 / 0.9)) */
    specimen_within(specimen_steady_s(&setup, 1120, 4000, &element), 22.644, 0.002);
    /* the slow edge bears 1.5 times what the rating settles at: 600 ln(4 / 2.5) from cold */
    setup.initial_heat = 0;
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 1120, 4000, &element), 282.002, 0.002);
}

static double pulses_ups(double t_s)
{
    return fmod(t_s, 120) < 60 ? 700 : 0;
}

/* 500 kVA, 450 kW at 480 V: 541.3 A. 110 % for an hour, 125 % for 10 min, 150 % for 1 min, else at once. */
static void a_ups_carries_its_steps(void **state)
{
    struct site_device none = {.kind = DEVICE_NONE};
    struct site_equipment equipment = {
        .ups_mva = 500000000, .ups_mw = 450000000, .overload_count = 3,
        .overload = {{1100000, 3600 * NS_PER_S}, {1250000, 600 * NS_PER_S}, {1500000, 60 * NS_PER_S}},
    };
    struct tripunit_setup setup = specimen_setup(&none, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    setup.equipment = &equipment;
    specimen_within(specimen_steady_s(&setup, 541.2, 5000, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, 541.4, 5000, &element), 3600, 0.002);
    assert_int_equal(element, TRIP_UPS);
    specimen_within(specimen_steady_s(&setup, 595.3, 5000, &element), 3600, 0.002);
    specimen_within(specimen_steady_s(&setup, 600, 5000, &element), 600, 0.002);
    specimen_within(specimen_steady_s(&setup, 700, 5000, &element), 60, 0.002);
    specimen_within(specimen_steady_s(&setup, 812, 5000, &element), 0.001, 1e-9);
    /* the longest step ten times over to recover: a minute gives back 1 / 600. Ten pulses of a tenth less ten
     * of those leave 10 s for the eleventh. */
    equipment.overload[2].ns = 600 * NS_PER_S;
    specimen_within(specimen_trip_s(&setup, pulses_ups, 1e-3, 2000, &element), 1210, 0.002);
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 600, 5000, &element), 720, 0.002);
    /* between two phases: 100 kVA at 480 V are 208.33 A */
    setup.truth = TRUTH_NOMINAL;
    setup.phases = 1;
    equipment = (struct site_equipment){.ups_mva = 100000000, .overload_count = 1,
                                        .overload = {{1100000, 60 * NS_PER_S}}};
    specimen_within(specimen_steady_s(&setup, 208.3, 100, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, 208.4, 100, &element), 60, 0.002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bimetal_trips_between_its_conventional_currents),
        cmocka_unit_test(the_magnetic_element_lies_within_twenty_per_cent),
        cmocka_unit_test(a_hot_cabinet_takes_from_a_thermal_pickup),
        cmocka_unit_test(transformer_and_conductor_heat_with_their_own_time_constants),
        cmocka_unit_test(a_ups_carries_its_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
