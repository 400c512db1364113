/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's point lists on published curves: those that come with OpenDSS and pandapower. Skipped where the
 * folder with them, the one argument, is not there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "specimen.h"

enum { SKIPPED = 77 };

static const char *folder;

static FILE *open_data(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fopen(path, "re");
}

/* A device drawn through one curve of a file trips at each of its points when stepped. */
static void assert_curve(const struct site_device *device, const double *amperes, const double *seconds)
{
    struct tripunit_setup setup = specimen_setup(device, TRUTH_NOMINAL);
    for (uint32_t i = 0; i < device->min_count; i++) {
        struct tripunit unit;
        tripunit_init(&unit, &setup);
        specimen_step(&unit, amperes[i], 1e-5);
        specimen_within(1e-5 / unit.part[1], seconds[i], 1e-4 * seconds[i]);
        if (!i)
            continue;
        tripunit_init(&unit, &setup);
        specimen_step(&unit, sqrt(amperes[i] * amperes[i - 1]), 1e-5);
        double between_s = sqrt(seconds[i] * seconds[i - 1]);
        specimen_within(1e-5 / unit.part[1], between_s, 1e-4 * between_s);
    }
}

static void assert_file(const char *name, double unit_a, uint32_t points_expected)
{
    FILE *file = open_data(name);
    assert_non_null(file);
    struct site_device device = {.kind = DEVICE_FUSE};
    double amperes[DEVICE_POINTS_MAX], seconds[DEVICE_POINTS_MAX], multiple, time_s;
    char line[256], curve[64], last[64] = "";
    uint32_t points = 0;
    assert_non_null(fgets(line, sizeof(line), file));
    while (fgets(line, sizeof(line), file)) {
        assert_int_equal(sscanf(line, "%63[^,],%lf,%lf", curve, &multiple, &time_s), 3);
        if (strcmp(curve, last) && device.min_count) {
            assert_curve(&device, amperes, seconds);
            device.min_count = 0;
        }
        strcpy(last, curve);
        assert_true(device.min_count < DEVICE_POINTS_MAX);
        amperes[device.min_count] = multiple * unit_a;
        seconds[device.min_count] = time_s;
        device.min[device.min_count++] =
            (struct device_point){llround(multiple * unit_a * 1e3), llround(time_s * 1e9)};
        points++;
    }
    assert_curve(&device, amperes, seconds);
    fclose(file);
    assert_int_equal(points, points_expected);
}

static void the_default_curves_of_opendss_are_kept(void **state)
{
    (void)state;
    assert_file("opendss_default_tcc.csv", 100, 75);
}

static void the_fuses_of_pandapower_are_kept(void **state)
{
    (void)state;
    assert_file("pandapower_fuse_points.csv", 1, 37);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_curves_of_opendss_are_kept),
        cmocka_unit_test(the_fuses_of_pandapower_are_kept),
    };
    folder = argc > 1 ? argv[1] : ".";
    FILE *there = open_data("opendss_default_tcc.csv");
    if (!there) {
        printf("skipped: no published curves in %s\n", folder);
        return SKIPPED;
    }
    fclose(there);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
