/* SPDX-License-Identifier: Apache-2.0 */
/* Spectra against their definitions, worked out anew: bins by the plain sum, groups by their neighbours
 * one by one, weights of eddy losses by the power, limits cell by cell. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/measure_harmonics.h"

#define TWO_PI 6.28318530717958647693
enum { MOST = 2000 };

static double dice(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));      /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static void near(double value, double wanted, const char *what, uint32_t k)
{
    if (!(fabs(value - wanted) <= 1e-10 * (1 + fabs(wanted))))
        fail_msg("%s %u: %.15g where %.15g is wanted", what, k, value, wanted);
}

/* Straight lines between y[n] from 0 to `to`. */
static double complex straight(const double complex *y, double to)
{
    double complex sum = 0;
    uint32_t whole = (uint32_t)to;

    for (uint32_t n = 0; n < whole; n++)
        sum += (y[n] + y[n + 1]) / 2;
    double part = to - whole;

    return sum + (part > 0 ? part * (y[whole] + part * (y[whole + 1] - y[whole]) / 2) : 0);
}

static void bins_are_the_plain_sum(void **state)
{
    (void)state;
    static const double window[] = {1600, 1589.25, 960.5, 3};
    static double x[MOST], rms[HARMONICS_BINS_MAX];
    static double complex turned[MOST];
    uint64_t seed = 4;

    for (uint32_t n = 0; n < MOST; n++)
        x[n] = dice(&seed) - 0.3;
    for (uint32_t w = 0; w < 4; w++) {
        uint32_t bins = w < 2 ? 64 : 5;

        measure_harmonics_bins(x, window[w], bins, rms);
        for (uint32_t k = 0; k < bins; k++) {
            for (uint32_t n = 0; n < MOST; n++)
                turned[n] = x[n] * cexp(TWO_PI * I * fmod(k * n / window[w], 1));
            near(rms[k], cabs(straight(turned, window[w])) / window[w] * (k ? sqrt(2) : 1), "bin", k);
        }
    }
}

/* Where the window ends with a sample, what stands behind it is not there. */
static void nothing_behind_a_whole_window_is_looked_at(void **state)
{
    (void)state;
    double rms[2], x[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    double *exact = malloc(sizeof x);

    assert_non_null(exact);
    for (uint32_t n = 0; n < 9; n++)
        exact[n] = x[n];
    measure_harmonics_bins(exact, 8, 2, rms);
    near(rms[0], 1, "mean", 0);
    near(rms[1], 0, "swing", 0);
    free(exact);
}

static double bin(const double *rms, uint32_t bins, int64_t k)
{
    return k < bins ? rms[k] * rms[k] : 0;
}

static void groups_are_their_neighbours(void **state)
{
    (void)state;
    static const struct { uint32_t bins, per, orders; } row[] = {
        {HARMONICS_BINS_MAX, 12, 50}, {506, 10, 50}, {101, 10, 9}, {102, 10, 10}, {64, 12, 5}, {11, 10, 0}};
    uint64_t seed = 9;

    for (uint32_t r = 0; r < sizeof row / sizeof *row; r++) {
        uint32_t bins = row[r].bins, per = row[r].per, half = per / 2;
        double *rms = malloc(bins * sizeof *rms);
        struct measure_harmonics h;

        assert_non_null(rms);
        for (uint32_t k = 0; k < bins; k++)
            rms[k] = dice(&seed);
        measure_harmonics_of(rms, bins, per, &h);
        assert_int_equal(h.orders, row[r].orders);
        for (uint32_t n = 1; n <= h.orders; n++) {
            int64_t at = (int64_t)n * per;
            double group = 0.5 * (bin(rms, bins, at - half) + bin(rms, bins, at + half));

            for (int64_t k = at - half + 1; k < at + half; k++)
                group += bin(rms, bins, k);
            near(h.harmonic[n], rms[at], "harmonic", n);
            near(h.group[n], sqrt(group), "group", n);
            near(h.subgroup[n],
                 sqrt(bin(rms, bins, at - 1) + bin(rms, bins, at) + bin(rms, bins, at + 1)), "subgroup", n);
        }
        for (uint32_t n = 0; n <= HARMONICS_HIGHEST; n++) {
            double between = 0;

            for (int64_t k = (int64_t)n * per + 2; k <= (int64_t)(n + 1) * per - 2; k++)
                between += bin(rms, bins, k);
            near(h.between[n], n < HARMONICS_HIGHEST && (n + 1) * per < bins ? sqrt(between) : 0, "between",
                 n);
        }
        free(rms);
    }
}

static void ratios_are_those_of_all_orders(void **state)
{
    (void)state;
    static double rms[HARMONICS_BINS_MAX];
    struct measure_harmonics h;
    double all = 0, groups = 0, subgroups = 0, weighted = 0, eddy = 0;
    uint64_t seed = 3;

    for (uint32_t k = 0; k < HARMONICS_BINS_MAX; k++)
        rms[k] = dice(&seed) + (k == 12 ? 5 : 0);
    measure_harmonics_of(rms, HARMONICS_BINS_MAX, 12, &h);
    double first2 = rms[12] * rms[12];

    for (uint32_t n = 2; n <= 50; n++) {
        double square = rms[12 * n] * rms[12 * n];

        all += square;
        groups += h.group[n] * h.group[n];
        subgroups += h.subgroup[n] * h.subgroup[n];
        weighted += square * n * n;
        eddy += square * pow(n, 1.7);
    }
    near(h.thd, sqrt(all) / rms[12], "THD", 0);
    near(h.thd_group, sqrt(groups) / h.group[1], "THDG", 0);
    near(h.thd_subgroup, sqrt(subgroups) / h.subgroup[1], "THDS", 0);
    near(h.k_factor, (first2 + weighted) / (first2 + all), "K", 0);
    near(h.factor_k, sqrt(1 + 0.1 / 1.1 * eddy / (first2 + all)), "factor K", 0);
}

/* Nothing but one order: what it weighs is its power of 1.7. */
static void eddy_losses_grow_with_the_power_of_1_7(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 50; n++) {
        double rms[HARMONICS_BINS_MAX] = {0};
        struct measure_harmonics h;

        rms[12 * n] = 1;
        measure_harmonics_of(rms, HARMONICS_BINS_MAX, 12, &h);
        near((h.factor_k * h.factor_k - 1) * 11, pow(n, 1.7), "weight", n);
        near(h.k_factor, n * n, "K", n);
        assert_true(h.thd == 0);                    /* of a first order that is nought there is no share */
    }
}

/* Row by row and column by column; even orders a quarter. */
static void every_cell_of_the_limits_is_the_printed_one(void **state)
{
    (void)state;
    static const double ratio[5][2] = {{0, 19.99}, {20, 49.99}, {50, 99.99}, {100, 999.9}, {1000, 1e9}};
    static const uint32_t order[5][2] = {{2, 10}, {11, 16}, {17, 22}, {23, 34}, {35, 50}};
    static const double percent[5][6] = {{4, 2, 1.5, 0.6, 0.3, 5}, {7, 3.5, 2.5, 1, 0.5, 8},
                                         {10, 4.5, 4, 1.5, 0.7, 12}, {12, 5.5, 5, 2, 1, 15},
                                         {15, 7, 6, 2.5, 1.4, 20}};

    for (uint32_t r = 0; r < 5; r++)
        for (uint32_t edge = 0; edge < 2; edge++) {
            near(measure_harmonics_limit(ratio[r][edge], 0), percent[r][5] / 100, "total", r);
            for (uint32_t c = 0; c < 5; c++)
                for (uint32_t n = order[c][0]; n <= order[c][1]; n++)
                    near(measure_harmonics_limit(ratio[r][edge], n), percent[r][c] / 100 * (n % 2 ? 1 : 0.25),
                         "limit", n);
        }
}

/* 40 values a second for one second: bins lie at whole hertz, the last at half of the rate. */
static void the_envelope_is_the_plain_sum(void **state)
{
    (void)state;
    static const struct { double low_hz, high_hz; uint32_t first, last; } row[] = {
        {0, 20, 1, 20}, {0.5, 3, 1, 3}, {2, 5, 2, 5}, {2.001, 4.999, 3, 4}, {7, 7, 7, 7}, {19, 100, 19, 20},
        {20, 20, 20, 20}, {3.4, 3.6, 9, 3}};
    double value[40], mean = 0, variance = 0;
    uint64_t seed = 8;

    for (uint32_t n = 0; n < 40; n++)
        mean += (value[n] = 3 + dice(&seed)) / 40;
    for (uint32_t n = 0; n < 40; n++)
        variance += (value[n] - mean) * (value[n] - mean) / 40;
    for (uint32_t r = 0; r < sizeof row / sizeof *row; r++) {
        struct measure_envelope got =
            measure_harmonics_envelope(value, 40, 0.025, row[r].low_hz, row[r].high_hz);
        double band = 0;

        for (uint32_t k = row[r].first; k <= row[r].last; k++) {
            double complex sum = 0;

            for (uint32_t n = 0; n < 40; n++)
                sum += value[n] * cexp(TWO_PI * I * k * n / 40);
            band += (k == 20 ? 1 : 2) * creal(sum * conj(sum)) / 1600;
        }
        near(got.ratio, band / variance, "share", r);
        near(got.rms, sqrt(band), "rms", r);
    }
    near(measure_harmonics_envelope(value, 40, 0.025, 0, 20).ratio, 1, "all", 0);      /* Parseval */
    /* a load that stands still but for roundings has no swing to share out; of one in 10^8 there is one */
    for (uint32_t n = 0; n < 40; n++)
        value[n] = 3;
    assert_true(measure_harmonics_envelope(value, 40, 0.025, 0, 20).ratio == 0);
    for (uint32_t n = 0; n < 40; n++)
        value[n] = 3 + 3e-8 * cos(TWO_PI * 4 * n / 40);
    assert_true(fabs(measure_harmonics_envelope(value, 40, 0.025, 3, 5).ratio - 1) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_the_plain_sum),
        cmocka_unit_test(nothing_behind_a_whole_window_is_looked_at),
        cmocka_unit_test(groups_are_their_neighbours),
        cmocka_unit_test(ratios_are_those_of_all_orders),
        cmocka_unit_test(eddy_losses_grow_with_the_power_of_1_7),
        cmocka_unit_test(every_cell_of_the_limits_is_the_printed_one),
        cmocka_unit_test(the_envelope_is_the_plain_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
