/* SPDX-License-Identifier: Apache-2.0 */
/* Spectra by the printed vectors: groups and subgroups, the factors of transformers, the envelope of
 * power. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/measure_harmonics.h"
#include "waves.h"

#define TWO_PI 6.28318530717958647693

static bool near(double value, double wanted, double relative)
{
    if (fabs(value - wanted) <= relative * fabs(wanted))
        return true;
    print_error("%.10g where %.10g is wanted\n", value, wanted);
    return false;
}

static void groups_and_subgroups_are_the_printed_ones(void **state)
{
    (void)state;
    static const double part[][2] = {{50, 230}, {225, 3.0}, {240, 4.6}, {250, 11.5}, {255, 2.3}, {275, 2.0},
                                     {345, 1.0}, {350, 6.9}};
    double x[1602], rms[HARMONICS_BINS_MAX];
    struct measure_harmonics h;

    for (int n = 0; n < 1602; n++) {
        x[n] = 0;
        for (uint32_t k = 0; k < sizeof part / sizeof *part; k++)
            x[n] += sqrt(2) * part[k][1] * cos(TWO_PI * part[k][0] * n / 8000 + k);
    }
    measure_harmonics_bins(x, 1600, 506, rms);
    measure_harmonics_of(rms, 506, 10, &h);
    assert_int_equal(h.orders, 50);
    assert_true(near(h.subgroup[5], 11.7277449, 1e-8));
    assert_true(near(h.group[5], 12.8530152, 1e-8));
    assert_true(near(h.between[4], 5.4918121, 1e-8));
    assert_true(near(h.between[5], 2.0, 1e-8));
    assert_true(near(h.subgroup[7], 6.9720872, 1e-8));
    assert_true(near(h.group[7], 6.9720872, 1e-8));
    assert_true(near(h.harmonic[1], 230, 1e-9));
}

/* The printed waveform at 60 Hz, and at 60.37, where 12 cycles are no whole number of samples. */
static void factors_of_a_waveform_are_the_printed_ones(void **state)
{
    (void)state;
    static const double hertz[] = {60, 60.37};

    for (int w = 0; w < 2; w++) {
        struct waves waves = waves_vector();
        double x[1602], rms[HARMONICS_BINS_MAX], window = 8000 * 12 / hertz[w], accuracy = w ? 2e-3 : 1e-6;
        struct measure_harmonics h;

        waves.frequency_hz = hertz[w];
        for (uint32_t n = 0; n < 1602; n++)
            x[n] = waves_value(&waves, 3, n / 8000.0);
        measure_harmonics_bins(x, window, HARMONICS_BINS_MAX, rms);
        measure_harmonics_of(rms, HARMONICS_BINS_MAX, 12, &h);
        assert_true(near(h.k_factor, 1.303239, accuracy));
        assert_true(near(h.factor_k, 1.008706, accuracy));
        assert_true(near(h.thd, 0.12529964, accuracy));
        assert_true(near(h.harmonic[3], 60, accuracy));
        assert_true(near(h.harmonic[13], 6, accuracy));
        /* where the window ends between samples, orders that are not there read up to 0.05 % of the first */
        double floor_a = w ? 0.3 : 1e-6;

        assert_true(h.harmonic[2] < floor_a && h.harmonic[50] < floor_a && h.between[6] < floor_a);
    }
}

static double swing(int kind, int n)
{
    double t_s = n * 0.016;

    switch (kind) {
    case 0: return 10 + sin(TWO_PI * t_s) + 0.5 * sin(TWO_PI * 25 * t_s);
    case 1: return 10 + 1.5 * (n % 125 < 62.5 ? 1 : -1);        /* 0.5 Hz */
    default: return 10 + sin(TWO_PI * 0.05 * t_s) + sin(TWO_PI * 2 * t_s);
    }
}

static void the_envelope_has_the_printed_shares(void **state)
{
    (void)state;
    static const struct { int kind; double low_hz, high_hz, share; } row[] = {
        {0, 0.1, 20, 0.8}, {1, 0.1, 20, 0.993621}, {1, 0.2, 3, 0.933628}, {1, 0.499, 0.501, 0.810664},
        {2, 0.1, 20, 0.5}};
    static double value[3750];

    for (uint32_t r = 0; r < sizeof row / sizeof *row; r++) {
        for (int n = 0; n < 3750; n++)
            value[n] = swing(row[r].kind, n);
        struct measure_envelope envelope = measure_harmonics_envelope(value, 3750, 0.016, row[r].low_hz,
                                                                      row[r].high_hz);

        assert_true(near(envelope.ratio, row[r].share, 3e-5));
        if (row[r].kind == 0)
            assert_true(near(envelope.rms, sqrt(0.5), 1e-6));
    }
}

static void limits_are_those_of_the_table(void **state)
{
    (void)state;
    assert_true(near(measure_harmonics_limit(10, 5), 0.04, 1e-12));
    assert_true(near(measure_harmonics_limit(20, 11), 0.035, 1e-12));
    assert_true(near(measure_harmonics_limit(99, 17), 0.04, 1e-12));
    assert_true(near(measure_harmonics_limit(100, 34), 0.005, 1e-12));  /* even: a quarter */
    assert_true(near(measure_harmonics_limit(5000, 49), 0.014, 1e-12));
    assert_true(near(measure_harmonics_limit(5000, 0), 0.2, 1e-12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_subgroups_are_the_printed_ones),
        cmocka_unit_test(factors_of_a_waveform_are_the_printed_ones),
        cmocka_unit_test(the_envelope_has_the_printed_shares),
        cmocka_unit_test(limits_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
