/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spectra by kissfft out of a meter's wave: the printed vectors, the correlation that core has for the same
 * (measure_harmonics_bins), and what slides along against what is taken at once.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "spectra/spectra_inside.h"
#include "unit/core/waves.h"

enum { BLOCK = 64, SAMPLES_KEPT = 16384 };
#define TWO_PI 6.28318530717958647693

/* A wave that is written from a formula, and what was read from it. */
struct stand {
    double rate_hz, frequency_hz;
    double (*value)(const struct stand *stand, uint32_t channel, double n);
    const struct waves *waves;
    struct spectra_plan plan;
    struct spectra_work work;
    struct spectra_meter meter;
    struct wave wave;
    struct samples block;
    void *memory;
    uint64_t next;
    uint32_t cycles, windows;
    struct spectra_distortion distortion;
    struct spectra_window window;
};

static bool near(double value, double wanted, double relative)
{
    if (fabs(value - wanted) <= relative * fabs(wanted))
        return true;
    print_error("%.10g where %.10g is wanted\n", value, wanted);
    return false;
}

static void open_stand(struct stand *stand, double nominal_hz)
{
    struct spectra_config config = {.phases = 3, .voltage_v = 277, .current_a = 600, .gain_v = {1, 1, 1},
                                    .gain_a = {1, 1, 1}};

    assert_int_equal(spectra_plan_open(&stand->plan, stand->rate_hz, nominal_hz), 0);
    assert_int_equal(spectra_work_open(&stand->work), 0);
    assert_int_equal(spectra_meter_init(&stand->meter, &config), 0);
    uint32_t samples = spectra_plan_samples(&stand->plan);
    stand->memory = aligned_alloc(64, wave_bytes(6, samples));
    assert_int_equal(wave_init(&stand->wave, stand->memory, 6, samples), 0);
    stand->block = (struct samples){.channels = 6, .count = BLOCK,
                                    .period_ps = (uint32_t)(1e12 / stand->rate_hz + 0.5)};
}

static void close_stand(struct stand *stand)
{
    free(stand->memory);
    spectra_work_close(&stand->work);
    spectra_plan_close(&stand->plan);
}

static void write_block(struct stand *stand, uint32_t flags)
{
    double cycles = stand->frequency_hz / stand->rate_hz, newest = (double)(stand->next + BLOCK - 1);
    double turn = newest * cycles;

    stand->block.flags = flags;
    stand->block.t0_ns = (int64_t)((double)stand->next * 1e9 / stand->rate_hz);
    for (uint32_t c = 0; c < 6; c++)
        for (uint32_t k = 0; k < BLOCK; k++)
            stand->block.value[c][k] = (float)stand->value(stand, c, (double)(stand->next + k));
    wave_write(&stand->wave, &stand->block, turn - floor(turn), cycles);
    stand->next += BLOCK;
}

static void read_all(struct stand *stand)
{
    uint32_t done;

    while ((done = spectra_meter_next(&stand->meter, &stand->plan, &stand->work, &stand->wave,
                                      &stand->distortion, &stand->window)) != 0) {
        stand->cycles++;
        stand->windows += (done & SPECTRA_WINDOW) != 0;
    }
}

static void run(struct stand *stand, double seconds)
{
    for (double end = (double)stand->next + seconds * stand->rate_hz; (double)stand->next < end;) {
        write_block(stand, 0);
        read_all(stand);
    }
}

static double parts_value(const struct stand *stand, uint32_t channel, double n)
{
    static const double part[][2] = {{50, 230}, {225, 3.0}, {240, 4.6}, {250, 11.5}, {255, 2.3}, {275, 2.0},
                                     {345, 1.0}, {350, 6.9}};
    double x = 0, size = channel < 3 ? 1 : 2;

    for (uint32_t k = 0; k < sizeof part / sizeof *part; k++)
        x += sqrt(2) * part[k][1] * size * cos(TWO_PI * part[k][0] * n / stand->rate_hz + k);
    return x;
}

static void groups_and_subgroups_are_the_printed_ones(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 50, .value = parts_value};

    open_stand(&stand, 50);
    run(&stand, 0.65);
    assert_true(stand.windows >= 2);
    for (uint32_t p = 0; p < 3; p++)
        for (uint32_t current = 0; current < 2; current++) {
            const struct measure_harmonics *h =
                current ? &stand.window.phase[p].a : &stand.window.phase[p].v;
            double size = current ? 2 : 1;

            assert_int_equal(h->orders, 50);
            assert_true(near(h->subgroup[5], size * 11.7277449, 2e-6));
            assert_true(near(h->group[5], size * 12.8530152, 2e-6));
            assert_true(near(h->between[4], size * 5.4918121, 2e-6));
            assert_true(near(h->between[5], size * 2.0, 2e-6));
            assert_true(near(h->subgroup[7], size * 6.9720872, 2e-6));
            assert_true(near(h->group[7], size * 6.9720872, 2e-6));
            assert_true(near(h->harmonic[1], size * 230, 2e-6));
            assert_true(h->harmonic[2] < 2e-3 && h->harmonic[50] < 2e-3 && h->between[20] < 2e-3);
        }
    close_stand(&stand);
}

static double vector_value(const struct stand *stand, uint32_t channel, double n)
{
    return waves_value(stand->waves, channel, n / stand->rate_hz);
}

/* The printed waveform, at 60 Hz and where a window is no whole number of samples. */
static void factors_of_a_waveform_are_the_printed_ones(void **state)
{
    (void)state;
    static const double hertz[] = {60, 60.37, 57.3, 66.6};

    for (uint32_t k = 0; k < sizeof hertz / sizeof *hertz; k++)
        for (double rate_hz = 8000; rate_hz <= 16000; rate_hz += 4800) {
            struct waves waves = waves_vector();
            struct stand stand = {.rate_hz = rate_hz, .frequency_hz = hertz[k], .value = vector_value,
                                  .waves = &waves};

            waves.rate_hz = rate_hz;
            waves.frequency_hz = hertz[k];
            open_stand(&stand, 60);
            run(&stand, 0.7);
            assert_true(stand.windows >= 2);
            for (uint32_t p = 0; p < 3; p++) {
                const struct measure_harmonics *v = &stand.window.phase[p].v, *a = &stand.window.phase[p].a;

                assert_true(near(v->thd, 0.02236068, 2e-5));
                assert_true(near(a->thd, 0.12529964, 2e-5));
                assert_true(near(a->k_factor, 1.303239, 2e-5));
                assert_true(near(a->factor_k, 1.008706, 2e-5));
                assert_true(near(a->harmonic[3], 60, 2e-5));
                assert_true(near(a->harmonic[13], 6, 4e-5));
                assert_true(near(v->harmonic[1], 277.128129, 2e-6));
                assert_true(a->harmonic[2] < 5e-3 && a->harmonic[50] < 5e-3 && a->between[6] < 5e-3);
                assert_true(near(stand.distortion.thd_v[p], 0.02236068, 2e-5));
                assert_true(near(stand.distortion.thd_a[p], 0.12529964, 2e-5));
                assert_true(near(stand.distortion.fundamental_a[p], 600, 2e-5));
            }
            assert_true(near(stand.window.frequency_hz, hertz[k], 1e-9));
            close_stand(&stand);
        }
}

/* Harmonics that fall with their order, what lies between them, and something above the 50th. */
static double rich_value(const struct stand *stand, uint32_t channel, double n)
{
    double t = stand->frequency_hz * n / stand->rate_hz, size = channel < 3 ? 325 : 800;
    double x = sin(TWO_PI * t);

    for (uint32_t h = 2; h <= 50; h++)
        x += 0.2 / h * sin(TWO_PI * fmod(h * t, 1) + h * h + channel);
    for (uint32_t k = 5; k < 600; k += 31)
        x += 0.002 * sin(TWO_PI * fmod(k * t / stand->plan.per, 1) + k * 0.7 * (channel + 1));
    return size * (x + 0.01 * sin(TWO_PI * fmod(62.5 * t, 1)));
}

/* Bins of the newest window by correlation over the very samples that were written. */
static void correlate(const struct stand *stand, uint32_t channel, double first, double samples,
                      uint32_t bins, double *rms)
{
    uint32_t whole = (uint32_t)samples + 2;
    double *x = calloc(whole, sizeof *x);

    assert_non_null(x);
    for (uint32_t n = 0; n < whole; n++)
        x[n] = stand->value(stand, channel, first + n);
    measure_harmonics_bins(x, samples, bins, rms);
    free(x);
}

/* Equal to some millionths of the first harmonic where a window is a whole number of samples. Where it is
 * not, the correlation itself is wrong by up to 0.05 % of it. */
static void spectra_are_those_by_correlation(void **state)
{
    (void)state;
    static const struct { double rate_hz, frequency_hz, nominal_hz, within; } row[] = {
        {8000, 60, 60, 2e-5}, {8000, 50, 50, 2e-5}, {16000, 60, 60, 2e-5}, {8000, 59.2, 60, 6e-4},
        {8000, 50.7, 50, 6e-4}, {2400, 60, 60, 4e-5}};

    for (uint32_t r = 0; r < sizeof row / sizeof *row; r++) {
        struct stand stand = {.rate_hz = row[r].rate_hz, .frequency_hz = row[r].frequency_hz,
                              .value = rich_value};
        double rms[HARMONICS_BINS_MAX], worst = 0;
        struct measure_harmonics wanted;

        open_stand(&stand, row[r].nominal_hz);
        run(&stand, 0.45);
        assert_true(stand.windows >= 1);
        double samples = stand.plan.per * row[r].rate_hz / row[r].frequency_hz;
        uint32_t bins = 50 * stand.plan.per + stand.plan.per / 2 + 1;

        bins = bins < samples / 2 ? bins : (uint32_t)(samples / 2);
        for (uint32_t c = 0; c < 6; c++) {
            const struct spectra_phase *phase = &stand.window.phase[c % 3];
            const struct measure_harmonics *h = c < 3 ? &phase->v : &phase->a;

            correlate(&stand, c, (double)stand.window.first, samples, bins, rms);
            measure_harmonics_of(rms, bins, stand.plan.per, &wanted);
            assert_int_equal(h->orders, wanted.orders);
            for (uint32_t k = 1; k <= h->orders; k++) {
                worst = fmax(worst, fabs(h->harmonic[k] - wanted.harmonic[k]) / wanted.harmonic[1]);
                worst = fmax(worst, fabs(h->group[k] - wanted.group[k]) / wanted.harmonic[1]);
                worst = fmax(worst, fabs(h->subgroup[k] - wanted.subgroup[k]) / wanted.harmonic[1]);
                worst = fmax(worst, fabs(h->between[k - 1] - wanted.between[k - 1]) / wanted.harmonic[1]);
            }
            worst = fmax(worst, fabs(h->thd - wanted.thd));
        }
        print_message("%g Hz at %g Hz: %.2g of the first\n", row[r].frequency_hz, row[r].rate_hz, worst);
        assert_true(worst < row[r].within);
        close_stand(&stand);
    }
}

/* Windows begin wherever the wave was first heard; after the last cycle of one both cover the same. */
static void what_slides_along_is_what_is_taken_at_once(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 59.8, .value = rich_value};
    uint32_t windows = 0;

    open_stand(&stand, 60);
    for (uint32_t block = 0; block < 400; block++) {
        write_block(&stand, 0);
        read_all(&stand);
        if (stand.windows == windows)
            continue;
        windows = stand.windows;
        assert_int_equal(stand.distortion.flags, 0);
        assert_int_equal(stand.distortion.t_ns, stand.window.t_ns);
        for (uint32_t p = 0; p < 3; p++) {
            assert_true(near(stand.distortion.thd_v[p], stand.window.phase[p].v.thd, 1e-4));
            assert_true(near(stand.distortion.thd_a[p], stand.window.phase[p].a.thd, 1e-4));
        }
    }
    assert_true(windows >= 14);
    assert_int_equal(stand.cycles, stand.windows * 12 + stand.meter.filled);
    close_stand(&stand);
}

static double stepping_value(const struct stand *stand, uint32_t channel, double n)
{
    double t = stand->frequency_hz * n / stand->rate_hz, fifth = t >= 60 ? 0.1 : 0.02;

    (void)channel;
    return 325 * (sin(TWO_PI * t) + fifth * sin(TWO_PI * fmod(5 * t, 1)));
}

/* A fifth that grows from 2 to 10 % is told cycle by cycle, and wholly after 12. */
static void distortion_is_told_cycle_by_cycle(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 60, .value = stepping_value};
    double before = 0;
    uint32_t risen = 0, cycles = 0;

    open_stand(&stand, 60);
    for (uint32_t block = 0; block < 170; block++) {
        write_block(&stand, 0);
        read_all(&stand);
        if (stand.cycles == cycles || stand.distortion.flags & SPECTRA_YOUNG)
            continue;
        cycles = stand.cycles;
        risen += stand.distortion.thd_v[0] > before + 0.005;
        before = stand.distortion.thd_v[0];
    }
    assert_true(risen >= 12 && risen <= 13);
    assert_true(near(before, 0.1, 1e-4));
    close_stand(&stand);
}

static void what_is_broken_starts_anew(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 60, .value = rich_value};

    open_stand(&stand, 60);
    run(&stand, 0.45);
    assert_int_equal(stand.meter.breaks, 0);
    assert_int_equal(stand.window.flags, 0);
    uint32_t windows = stand.windows;

    stand.next += 40;                           /* 40 samples that were lost */
    write_block(&stand, SAMPLES_GAP);
    read_all(&stand);
    run(&stand, 0.19);
    assert_int_equal(stand.meter.breaks, 1);
    assert_int_equal(stand.windows, windows);   /* not one of what was before and what was behind */
    assert_int_equal(stand.distortion.flags, SPECTRA_YOUNG);
    run(&stand, 0.2);
    assert_int_equal(stand.windows, windows + 1);
    write_block(&stand, SAMPLES_CLIPPED);
    run(&stand, 0.2);
    assert_int_equal(stand.window.flags, SPECTRA_CLIPPED);
    assert_true(stand.distortion.flags & SPECTRA_CLIPPED);
    run(&stand, 0.4);
    assert_int_equal(stand.window.flags, 0);
    assert_int_equal(stand.distortion.flags, 0);
    stand.frequency_hz = 44;                    /* nobody's mains: 60 by more than 1.2 */
    windows = stand.windows;
    run(&stand, 0.5);
    assert_int_equal(stand.windows, windows);
    close_stand(&stand);
}

/* A reader that looks too seldom reads nothing of another lap: it says so, and goes on from the newest. */
static void a_reader_that_was_overtaken_says_so(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 60, .value = rich_value};

    open_stand(&stand, 60);
    run(&stand, 0.3);
    assert_int_equal(stand.meter.overtaken, 0);
    for (uint32_t block = 0; block < 200; block++)
        write_block(&stand, 0);                 /* 1.6 s unread, of 0.5 s that are kept */
    read_all(&stand);
    assert_int_equal(stand.meter.overtaken, 1);
    uint32_t windows = stand.windows;

    run(&stand, 0.5);
    assert_true(stand.windows > windows);
    assert_int_equal(stand.meter.overtaken, 1);
    assert_int_equal(stand.window.flags, 0);
    close_stand(&stand);
}

/* So little before a sample that its part of one, as a float, is 1: nothing beyond the table is read. */
static void a_place_that_rounds_to_the_next_sample_is_that_sample(void **state)
{
    (void)state;
    struct stand stand = {.rate_hz = 8000, .frequency_hz = 60, .value = rich_value};
    struct spectra_row row[10], even[2];

    open_stand(&stand, 60);
    memset(&stand.plan.weight[SPECTRA_PARTS + 1], 0xFF, sizeof *stand.plan.weight);     /* NaN */
    for (uint32_t k = 0; k < 10; k++)
        for (uint32_t v = 0; v < 4; v++)
            row[k].ab[v] = row[k].cn[v] = (float)(k * k + v);
    spectra_resample(&stand.plan, row, 4 - 1e-9, 1e-9, 2, even);
    for (uint32_t v = 0; v < 4; v++) {
        assert_true(fabsf(even[0].ab[v] - even[1].ab[v]) < 1e-5F);
        assert_true(fabsf(even[0].cn[v] - even[1].cn[v]) < 1e-5F);
    }
    close_stand(&stand);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const double row[][2] = {{900, 60}, {17000, 60}, {8000, 44}, {8000, 66}, {NAN, 60}, {8000, NAN}};
    struct spectra_plan plan;
    struct spectra_meter meter;
    struct spectra_config config = {.phases = 0};

    for (uint32_t r = 0; r < sizeof row / sizeof *row; r++)
        assert_int_equal(spectra_plan_open(&plan, row[r][0], row[r][1]), -EINVAL);
    assert_int_equal(spectra_meter_init(&meter, &config), -EINVAL);
    config.phases = 4;
    assert_int_equal(spectra_meter_init(&meter, &config), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_subgroups_are_the_printed_ones),
        cmocka_unit_test(factors_of_a_waveform_are_the_printed_ones),
        cmocka_unit_test(spectra_are_those_by_correlation),
        cmocka_unit_test(what_slides_along_is_what_is_taken_at_once),
        cmocka_unit_test(distortion_is_told_cycle_by_cycle),
        cmocka_unit_test(what_is_broken_starts_anew),
        cmocka_unit_test(a_reader_that_was_overtaken_says_so),
        cmocka_unit_test(a_place_that_rounds_to_the_next_sample_is_that_sample),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
