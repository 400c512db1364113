/* SPDX-License-Identifier: Apache-2.0 */
/* Samples at another rate: what passes does so unharmed, what would fold does not come back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/resample.h"

enum { SAMPLES = 2048, PLACES = 300 };

#define PI 3.14159265358979323846

/* Worst of what comes out beside a cosine of so many Hz; with `gone`, beside nothing. */
static double worst(double from_hz, double to_hz, double hertz, int gone)
{
    static struct resample resample;
    static double x[SAMPLES];
    double most = 0;

    assert_int_equal(resample_init(&resample, from_hz, to_hz), 0);
    for (uint32_t n = 0; n < SAMPLES; n++)
        x[n] = cos(2 * PI * hertz * n / from_hz + 0.3);
    for (uint32_t k = 0; k < PLACES; k++) {
        double place = resample.reach + k * from_hz / to_hz;

        if (place + resample.reach + 1 >= SAMPLES)
            break;
        double wanted = gone ? 0 : cos(2 * PI * hertz * place / from_hz + 0.3);
        double off = fabs(resample_at(&resample, x, 1, place) - wanted);

        most = off > most ? off : most;
    }
    return most;
}

static const double rate[][2] = {
    {30707.244140625, 15353.6220703125}, {30707.244140625, 8000}, {16000, 4800}, {8000, 4800},
    {8000, 14400}, {3200, 8000}, {128000, 8000}, {8000, 8000},
};

static void what_lies_below_two_fifths_of_the_lower_rate_passes(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof rate / sizeof *rate; k++) {
        double low = fmin(rate[k][0], rate[k][1]);

        for (int part = 0; part <= 40; part++)
            assert_true(worst(rate[k][0], rate[k][1], low * part / 100, 0) < 3e-5);
    }
}

static void what_would_fold_onto_it_is_100_db_down(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof rate / sizeof *rate; k++) {
        double low = fmin(rate[k][0], rate[k][1]);

        for (double hertz = 0.6 * low; hertz <= rate[k][0] / 2; hertz += 0.01 * low)
            assert_true(worst(rate[k][0], rate[k][1], hertz, 1) < 2e-5);
    }
}

static void rates_that_fall_too_far_are_refused(void **state)
{
    (void)state;
    static struct resample resample;

    assert_int_equal(resample_init(&resample, 16000, 1000), 0);
    assert_int_equal(resample_init(&resample, 16001, 1000), -1);
    assert_int_equal(resample_init(&resample, 0, 1000), -1);
    assert_int_equal(resample_init(&resample, NAN, 1000), -1);
    assert_int_equal(resample_init(&resample, 1000, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_below_two_fifths_of_the_lower_rate_passes),
        cmocka_unit_test(what_would_fold_onto_it_is_100_db_down),
        cmocka_unit_test(rates_that_fall_too_far_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
