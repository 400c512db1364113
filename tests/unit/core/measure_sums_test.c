/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over runs of any length are, bit for bit, those of eight lanes written out one value at a time, and
 * what lies behind a run is nothing to them, be it no number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure_inside.h"

enum { LONGEST = 40, LANES = 8 };

static struct measure_work work;

/* Numbers whose sum depends on its order. */
static double value(uint32_t seed, uint32_t k)
{
    uint64_t z = (seed * UINT64_C(1000) + k + 1) * UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return ((double)(z >> 11) * 0x1p-53 - 0.5) * (k % 3 ? 1e3 : 1e-4);
}

static double by_lanes(const double *a, const double *b, uint32_t n)
{
    double lane[LANES] = {0};

    for (uint32_t k = 0; k < n; k++)
        lane[k % LANES] += b ? a[k] * b[k] : a[k];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* `n` samples behind index `after`; all that is not among them is NaN. */
static void lay(uint32_t after, uint32_t n)
{
    double *line[] = {work.x[SAMPLES_VB], work.x[SAMPLES_IB], work.cosine, work.sine};

    for (uint32_t l = 0; l < sizeof line / sizeof *line; l++)
        for (uint32_t k = 0; k < WORK_SAMPLES; k++)
            line[l][k] = k > after && k <= after + n ? value(l, k) : NAN;
}

static void is(double sum, double wanted)
{
    assert_memory_equal(&sum, &wanted, sizeof sum);
}

static void a_phase_is_summed_in_eight_lanes(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= LONGEST; n++)
        for (uint32_t after = 0; after < 3; after++) {
            const double *v = &work.x[SAMPLES_VB][after + 1], *i = &work.x[SAMPLES_IB][after + 1];
            const double *c = &work.cosine[after + 1], *s = &work.sine[after + 1];
            double sum[MEASURE_SUMS] = {0};

            lay(after, n);
            /* as measure_sums_turn leaves it: numbers behind the newest sample */
            for (uint32_t k = after + n + 1; k < WORK_SAMPLES; k++)
                work.cosine[k] = work.sine[k] = 1e9;
            measure_sums_phase(&work, 1, after, after + n, sum);
            is(sum[SUM_VV], by_lanes(v, v, n));
            is(sum[SUM_II], by_lanes(i, i, n));
            is(sum[SUM_VI], by_lanes(v, i, n));
            is(sum[SUM_VC], by_lanes(v, c, n));
            is(sum[SUM_VS], by_lanes(v, s, n));
            is(sum[SUM_IC], by_lanes(i, c, n));
            is(sum[SUM_IS], by_lanes(i, s, n));
        }
}

static void a_run_of_nothing_adds_nothing(void **state)
{
    (void)state;
    double sum[MEASURE_SUMS] = {1, 2, 3, 4, 5, 6, 7};

    lay(0, 0);
    measure_sums_phase(&work, 1, 7, 7, sum);
    for (uint32_t s = 0; s < MEASURE_SUMS; s++)
        is(sum[s], s + 1.0);
}

static void squares_and_values_are_summed_in_eight_lanes(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= LONGEST; n++) {
        const double *x = &work.x[SAMPLES_IB][2];

        lay(1, n);
        is(measure_sums_square(x, n), by_lanes(x, x, n));
        is(measure_sums_plain(x, n), by_lanes(x, NULL, n));
    }
}

static void a_peak_is_found_wherever_it_is(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= LONGEST; n++)
        for (uint32_t at = 0; at < n; at++)
            for (int sign = -1; sign <= 1; sign += 2) {
                double *x = &work.x[SAMPLES_IB][2];

                lay(1, n);
                x[at] = sign * 5000.0;
                x[n] = 6000;                            /* the next one */
                is(measure_sums_peak(x, n), 5000);
            }
}

/* Whatever was there before: sums take eight at once. */
static void what_is_behind_the_newest_sample_is_zero(void **state)
{
    (void)state;
    lay(0, WORK_SAMPLES);
    work.n = 20;
    work.channels = 8;
    measure_sums_power(&work);
    measure_sums_turn(&work, 0.2, 0.0075);
    for (uint32_t k = work.n + 1; k < work.n + LANES; k++) {
        is(work.x[SAMPLES_VB][k], 0);
        is(work.zero_v[k], 0);
        assert_true(fabs(hypot(work.cosine[k], work.sine[k]) - 1) < 1e-12);
    }
    for (uint32_t k = 0; k <= work.n; k++) {
        assert_true(fabs(work.cosine[k] - cos(2 * 3.14159265358979323846 * (0.2 + 0.0075 * k))) < 1e-14);
        assert_true(fabs(work.sine[k] - sin(2 * 3.14159265358979323846 * (0.2 + 0.0075 * k))) < 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_is_summed_in_eight_lanes),
        cmocka_unit_test(a_run_of_nothing_adds_nothing),
        cmocka_unit_test(squares_and_values_are_summed_in_eight_lanes),
        cmocka_unit_test(a_peak_is_found_wherever_it_is),
        cmocka_unit_test(what_is_behind_the_newest_sample_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
