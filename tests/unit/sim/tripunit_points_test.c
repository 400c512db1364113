/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's fuses and point lists: domain.md 1.2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "specimen.h"

static struct site_device fuse(void)
{
    return (struct site_device){
        .kind = DEVICE_FUSE, .min_count = 3, .max_count = 2,
        .min = {{100000, 1000 * NS_PER_S}, {400000, 10 * NS_PER_S}, {1600000, 100 * NS_PER_MS}},
        .max = {{120000, 4000 * NS_PER_S}, {1600000, 400 * NS_PER_MS}},
    };
}

/* Halfway between two points on the logarithmic paper lie the geometric means. */
static void lines_are_straight_in_log_log(void **state)
{
    struct site_device device = fuse();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_FAST);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 99.9, 2000, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, 100, 2000, &element), 1000, 0.01);
    specimen_within(specimen_steady_s(&setup, 200, 2000, &element), 100, 0.002);
    specimen_within(specimen_steady_s(&setup, 800, 2000, &element), 1, 0.0011);
    assert_int_equal(element, TRIP_FUSE);
    specimen_within(specimen_steady_s(&setup, 1600, 2000, &element), 0.1, 0.0011);
    specimen_within(specimen_steady_s(&setup, 9999, 2000, &element), 0.1, 0.0011);
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 119.9, 5000, &element), INFINITY, 0);
    specimen_within(specimen_steady_s(&setup, sqrt(120.0 * 1600), 100, &element), 40, 0.0011);
}

/* Nominal: halfway between both lists; pickup sqrt(100 x 120), at 1600 A sqrt(0.1 x 0.4). */
static void the_middle_lies_halfway_between_both_lists(void **state)
{
    struct site_device device = fuse();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_NOMINAL);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_steady_s(&setup, 109.5, 5000, &element), INFINITY, 0);
    assert_true(isfinite(specimen_steady_s(&setup, 109.6, 5000, &element)));
    specimen_within(specimen_steady_s(&setup, 1600, 10, &element), 0.2, 0.0011);
    /* below the first point of the upper list its first time stands: sqrt(1000 x 1.1^-3.321928 x 4000) */
    specimen_within(specimen_steady_s(&setup, 110, 5000, &element), 1707.18, 0.01);
}

static void one_list_moves_along_the_current_by_its_tolerance(void **state)
{
    struct site_device device = fuse();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_FAST);
    enum trip_element element;
    (void)state;
    device.max_count = 0;
    specimen_within(specimen_steady_s(&setup, 90, 2000, &element), 1000, 0.01);
    specimen_within(specimen_steady_s(&setup, 360, 2000, &element), 10, 0.0011);
    device.points_tolerance_ppm = 250000;
    specimen_within(specimen_steady_s(&setup, 300, 2000, &element), 10, 0.0011);
    setup.truth = TRUTH_SLOW;
    specimen_within(specimen_steady_s(&setup, 500, 2000, &element), 10, 0.0011);
}

static double pulses_400(double t_s)
{
    return fmod(t_s, 2.0) < 1.0 ? 400 : 50;
}

/* Ten seconds at 400 A in ten pulses melt a fuse; a list that forgets starts over each time. */
static void a_fuse_never_forgets_and_a_list_may(void **state)
{
    struct site_device device = fuse();
    struct tripunit_setup setup = specimen_setup(&device, TRUTH_FAST);
    enum trip_element element;
    (void)state;
    specimen_within(specimen_trip_s(&setup, pulses_400, 1e-3, 60, &element), 19, 0.0015);
    device.kind = DEVICE_POINTS;
    specimen_within(specimen_trip_s(&setup, pulses_400, 1e-3, 60, &element), 19, 0.0015);
    assert_int_equal(element, TRIP_POINTS);
    setup.truth = TRUTH_SLOW;
    device.max_count = 0;
    specimen_within(specimen_trip_s(&setup, pulses_400, 1e-3, 60, &element), INFINITY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_straight_in_log_log),
        cmocka_unit_test(the_middle_lies_halfway_between_both_lists),
        cmocka_unit_test(one_list_moves_along_the_current_by_its_tolerance),
        cmocka_unit_test(a_fuse_never_forgets_and_a_list_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
