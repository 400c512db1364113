/* SPDX-License-Identifier: Apache-2.0 */
/* Published figures of inverse curves and of two trip units, to the digits that are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "curve_devices.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NEVER INFINITY

static void near(double got, double want, double within, const char *what, double at)
{
    if (isinf(want) ? got != want : !(fabs(got - want) <= within))
        fail_msg("%s at %g: %.9g, not %.9g", what, at, got, want);
}

/* To as many digits as are printed: four, or whole numbers beyond. */
static void printed(double got, double want, const char *what, double at)
{
    double digit = want == 0 ? 1e-9 : pow(10, floor(log10(want)) - 3);

    near(got, want, 0.5001 * digit, what, at);
}

static const double multiples[] = {1.1, 1.5, 2, 3, 5, 10, 20};
static const double relay_times[RELAY_CURVE_COUNT][COUNT(multiples)] = {
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

static void inverse_curves_meet_their_table(void **state)
{
    (void)state;
    for (int c = 0; c < RELAY_CURVE_COUNT; c++) {
        for (size_t i = 0; i < COUNT(multiples); i++)
            near(curve_relay_s((enum relay_curve)c, multiples[i]), relay_times[c][i], 1e-4,
                 curve_constants((enum relay_curve)c)->name, multiples[i]);
        assert_true(curve_relay_s((enum relay_curve)c, 1) == NEVER);
        assert_true(curve_relay_s((enum relay_curve)c, 0) == NEVER);
        /* held at 20 */
        assert_true(curve_relay_s((enum relay_curve)c, 25) == curve_relay_s((enum relay_curve)c, 20));
        assert_true(isnan(curve_relay_s((enum relay_curve)c, -0.5)));
        assert_true(isnan(curve_relay_s((enum relay_curve)c, NAN)));
        assert_true(isnan(curve_relay_reset_s((enum relay_curve)c, NAN)));
    }
}

static void a_disk_returns_as_long_as_tabled(void **state)
{
    static const struct { enum relay_curve curve; double at_0, at_half, at_0_9; } row[] = {
        {RELAY_IEEE_MI, 4.85, 6.467, 25.526},
        {RELAY_IEEE_VI, 21.6, 28.8, 113.684},
        {RELAY_IEEE_EI, 29.1, 38.8, 153.158},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        near(curve_relay_reset_s(row[i].curve, 0), row[i].at_0, 5e-4, "reset", 0);
        near(curve_relay_reset_s(row[i].curve, 0.5), row[i].at_half, 5e-4, "reset", 0.5);
        near(curve_relay_reset_s(row[i].curve, 0.9), row[i].at_0_9, 5e-4, "reset", 0.9);
        assert_true(curve_relay_reset_s(row[i].curve, 1) == NEVER);
    }
    assert_true(curve_relay_reset_s(RELAY_IEC_LTI, 0) == NEVER);
}

struct row { double amperes, fast, nominal, slow; };

static const struct row br800_rows[] = {
    {839, NEVER, NEVER, NEVER}, {840, 235.1, NEVER, NEVER}, {900, 204.8, 227.6, NEVER},
    {960, 180.0, 200.0, 220.0}, {1200, 115.2, 128.0, 140.8}, {1600, 64.8, 72.0, 79.2},
    {4000, 10.37, 11.52, 12.67}, {4464, 0.09, 9.250, 10.17}, {4800, 0.09, 0.10, 8.80},
    {6000, 0.09, 0.10, 0.11}, {7200, 0, 0.10, 0.11}, {8000, 0, 0.03, 0.11}, {8800, 0, 0.03, 0.08},
};
static const struct row mn3000_rows[] = {
    {3000, NEVER, NEVER, NEVER}, {3150, 352.7, NEVER, NEVER}, {3375, 307.2, 341.3, NEVER},
    {3600, 270.0, 300.0, 330.0}, {6000, 97.2, 108.0, 118.8}, {9000, 43.2, 48.0, 52.8},
    {11160, 1.843, 31.22, 34.34}, {12000, 1.594, 1.875, 29.70}, {12840, 1.392, 1.638, 1.883},
    {18000, 0.7083, 0.8333, 0.9583}, {30000, 0.24, 0.30, 0.36}, {36000, 0, 0.03, 0.36},
    {39600, 0, 0.03, 0.08},
};

static void rows_hold(const struct site_device *device, const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printed(curve_time_s(device, EDGE_FAST, row[i].amperes), row[i].fast, "fast", row[i].amperes);
        printed(curve_time_s(device, EDGE_NOMINAL, row[i].amperes), row[i].nominal, "nominal",
                row[i].amperes);
        printed(curve_time_s(device, EDGE_SLOW, row[i].amperes), row[i].slow, "slow", row[i].amperes);
    }
}

static void trip_units_meet_their_tables(void **state)
{
    (void)state;
    rows_hold(&br800, br800_rows, COUNT(br800_rows));
    rows_hold(&mn3000, mn3000_rows, COUNT(mn3000_rows));
}

static void ground_stage_meets_its_row(void **state)
{
    (void)state;
    assert_true(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_FAST, 1115) == NEVER);
    printed(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_FAST, 1116), 0.27, "fast", 1116);
    assert_true(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_NOMINAL, 1199) == NEVER);
    printed(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_NOMINAL, 1200), 0.30, "nominal", 1200);
    assert_true(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_SLOW, 1283) == NEVER);
    printed(curve_element_s(&mn3000, ELEMENT_GROUND, EDGE_SLOW, 1284), 0.33, "slow", 1284);
    /* it looks at the residual: phases do not race against it */
    assert_true(curve_time_s(&mn3000, EDGE_FAST, 1300) == NEVER);
}

static void clearing_and_racing_times_are_those_of_the_selectivity_table(void **state)
{
    static const struct { double amperes, clears, races; } row[] = {
        {4000, 12.72, 218.7}, {4800, 8.85, 151.9}, {8000, 0.16, 54.68}, {8800, 0.08, 45.19},
        {12000, 0.08, 1.594}, {20000, 0.08, 0.54}, {30000, 0.08, 0.24}, {32400, 0.08, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        printed(curve_clearing_s(&br800, row[i].amperes), row[i].clears, "clearing", row[i].amperes);
        printed(curve_time_s(&mn3000, EDGE_FAST, row[i].amperes), row[i].races, "racing", row[i].amperes);
    }
    assert_true(curve_time_s(&mn3000, EDGE_FAST, 32399) > 0.08);
}

static void thermal_images_meet_their_table(void **state)
{
    static const struct { const struct site_device *device; double x, cold, warm, hot; } row[] = {
        {&br800, 1.1, NEVER, NEVER, NEVER}, {&br800, 1.2, 471.9, 340.5, 206.9},
        {&br800, 1.5, 184.8, 110.0, 53.40}, {&br800, 2, 85.03, 46.06, 20.72},
        {&br800, 3, 33.88, 17.39, 7.548}, {&br800, 6, 8.000, 3.990, 1.703},
        {&br800, 8, 4.465, 2.218, 0.9445}, {&mn3000, 1.5, 277.2, 165.0, 80.10},
        {&mn3000, 2, 127.5, 69.08, 31.09}, {&mn3000, 6, 12.0, 5.986, 2.554},
    };

    (void)state;
    near(curve_image_tau_s(&br800), 223.5317, 5e-5, "tau", 800);
    near(curve_image_tau_s(&mn3000), 335.2975, 5e-5, "tau", 3000);
    near(curve_image_trip(&br800, EDGE_FAST), 1.1025, 1e-12, "trip", 0);
    near(curve_image_trip(&br800, EDGE_NOMINAL), 1.265625, 1e-12, "trip", 1);
    near(curve_image_trip(&br800, EDGE_SLOW), 1.44, 1e-12, "trip", 2);
    for (size_t i = 0; i < COUNT(row); i++) {
        double amperes = row[i].x * (double)row[i].device->long_time_ma / 1000;

        printed(curve_image_s(row[i].device, EDGE_NOMINAL, 0, amperes), row[i].cold, "cold", amperes);
        printed(curve_image_s(row[i].device, EDGE_NOMINAL, 0.64, amperes), row[i].warm, "0.64", amperes);
        printed(curve_image_s(row[i].device, EDGE_NOMINAL, 1, amperes), row[i].hot, "1.0", amperes);
    }
    /* domain.md 1.7: BR800 at 1600 A from 0.64 on the fast edge */
    near(curve_image_s(&br800, EDGE_FAST, 0.64, 1600), 33.1, 0.05, "fast", 1600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverse_curves_meet_their_table),
        cmocka_unit_test(a_disk_returns_as_long_as_tabled),
        cmocka_unit_test(trip_units_meet_their_tables),
        cmocka_unit_test(ground_stage_meets_its_row),
        cmocka_unit_test(clearing_and_racing_times_are_those_of_the_selectivity_table),
        cmocka_unit_test(thermal_images_meet_their_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
