/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A meter against its definition. Samples are noise, the voltage is far below what is declared, so the
 * oscillator runs at nominal frequency and every boundary is known; each value is worked out anew here, over
 * the whole record at once: straight lines between samples for cycles and the notch, samples that stand until
 * the next for milliseconds. Blocks are of any size.
 */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/measure_meter.h"
#include "waves.h"

#define TWO_PI 6.28318530717958647693
enum { CHANNELS = 8, MOST = 12000, START = 1000 };

struct record {
    int64_t period_ps;
    double nominal_hz;
    uint32_t samples;
    double x[CHANNELS][MOST];
    double product[MOST];               /* scratch */
    struct waves_result result;
    double cycle_a[4096][3];            /* rms of the newest cycle, when a feature came out */
};

static uint64_t dice(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));      /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void fill(struct record *record, uint64_t *state)
{
    for (uint32_t c = 0; c < CHANNELS; c++)
        for (uint32_t n = 0; n < record->samples; n++)
            record->x[c][n] = (double)(dice(state) >> 11) * 0x1p-53 - 0.5 + (c == 4 ? 2 : 0);
}

static struct record *measured(int64_t period_ps, double nominal_hz, uint32_t samples, uint32_t most)
{
    struct record *record = calloc(1, sizeof *record);
    struct measure_config config = {.period_ps = period_ps, .phases = 3, .channels = CHANNELS,
                                    .nominal_hz = nominal_hz, .voltage_v = 1e6, .swell = 1};
    struct measure_meter meter;
    struct measure_out out;
    double row[MEASURE_BLOCK_MAX][CHANNELS], cycle_a[3] = {0};
    uint64_t state = (uint64_t)period_ps + most;

    assert_non_null(record);
    record->period_ps = period_ps;
    record->nominal_hz = nominal_hz;
    record->samples = samples;
    fill(record, &state);
    for (uint32_t c = 0; c < CHANNELS; c++)
        config.gain[c] = 1;
    assert_int_equal(measure_meter_init(&meter, &config), 0);
    for (uint32_t n = 0, block; n < samples; n += block) {
        block = 1 + (uint32_t)(dice(&state) % most);
        block = block < samples - n ? block : samples - n;
        for (uint32_t k = 0; k < block; k++)
            for (uint32_t c = 0; c < CHANNELS; c++)
                row[k][c] = record->x[c][n + k];
        struct measure_block now = {.row = row[0], .samples = block, .first = n,
                                    .t_ns = START + (int64_t)llround((double)n * (double)period_ps * 1e-3)};

        assert_int_equal(measure_meter_block(&meter, &now, &out), 0);
        for (uint32_t k = 0; k < out.features; k++)
            for (uint32_t p = 0; p < 3; p++)
                record->cycle_a[record->result.features + k][p] = cycle_a[p];
        for (uint32_t k = 0; k < out.halves; k++)
            cycle_a[out.half[k].phase] = out.half[k].current_a;
        waves_collect(&record->result, &out);
    }
    return record;
}

static void near(double value, double wanted, double scale, const char *what, uint32_t k)
{
    if (!(fabs(value - wanted) <= 1e-9 * scale))
        fail_msg("%s %u: %.15g where %.15g is wanted", what, k, value, wanted);
}

static void at_time(const struct record *record, int64_t t_ns, double samples)
{
    double wanted_ns = START + samples * (double)record->period_ps * 1e-3;

    if (fabs((double)t_ns - wanted_ns) > 2)
        fail_msg("%lld ns where %.1f is wanted", (long long)t_ns, wanted_ns);
}

/* Straight lines between y[n], from one place to another. */
static double straight(const double *y, double from, double to)
{
    double sum = 0;

    for (uint32_t n = (uint32_t)from; n < to; n++) {
        double a = n < from ? from - n : 0, b = n + 1 > to ? to - n : 1;
        double low = y[n] + a * (y[n + 1] - y[n]), high = y[n] + b * (y[n + 1] - y[n]);

        sum += b > a ? (b - a) * (low + high) / 2 : 0;
    }
    return sum;
}

/* y[n] from n to n + 1. */
static double held(const double *y, double from, double to)
{
    double sum = 0;

    for (uint32_t n = (uint32_t)from; n < to; n++)
        sum += y[n] * ((n + 1 > to ? to : n + 1) - (n < from ? from : n));
    return sum;
}

static const double *product(struct record *record, const double *a, const double *b)
{
    for (uint32_t n = 0; n < record->samples; n++)
        record->product[n] = a[n] * b[n];
    return record->product;
}

static const double *power(struct record *record)
{
    double (*x)[MOST] = record->x;

    for (uint32_t n = 0; n < record->samples; n++)
        record->product[n] = x[0][n] * x[3][n] + x[1][n] * x[4][n] + x[2][n] * x[5][n];
    return record->product;
}

/* ---- 1, 16 and 20 ms ---- */

static double slope_of(const double five[5])
{
    return (2 * five[4] + five[3] - five[1] - 2 * five[0]) / 10 * 1000;
}

static double peak_of(const double *x, double from, double to)
{
    double most = 0;

    for (uint32_t n = from > 0 ? (uint32_t)from : 0; n < to; n++)
        most = fmax(most, fabs(x[n]));
    return most;
}

/* A sample on a boundary is on either side of it. */
static void at_peak(double peak, const double *x, double from, double to, uint32_t k)
{
    double least = peak_of(x, from + 1e-9, to - 1e-9), most = peak_of(x, from - 1e-9, to + 1e-9);

    near(peak, peak > least ? most : least, 1, "peak", k);
}

static void check_ticks(struct record *record)
{
    double per = 1e9 / (double)record->period_ps,
           half = 0.5e12 / (double)record->period_ps / record->nominal_hz;
    double raw[5] = {0}, calm[5] = {0}, slope = 0;
    uint32_t calms = 0;
    const double *power_w = power(record);

    assert_int_equal(record->result.ticks, (uint32_t)(record->samples / per + 1e-9));
    for (uint32_t k = 0; k < record->result.ticks; k++) {
        const struct measure_tick *tick = &record->result.tick[k];
        double end = (k + 1) * per;

        for (uint32_t i = 0; i < 4; i++)
            raw[i] = raw[i + 1];
        raw[4] = held(power_w, k * per, end) / per;
        near(tick->power_w, raw[4], 1, "power of tick", k);
        near(tick->slope_fast_w_per_s, k < 4 ? 0 : slope_of(raw), 1000, "fast slope of tick", k);
        if (end - 1 >= half) {
            for (uint32_t i = 0; i < 4; i++)
                calm[i] = calm[i + 1];
            calm[4] = straight(power_w, end - 1 - half, end - 1) / half;
            slope = ++calms < 5 ? 0 : slope_of(calm);
        }
        near(tick->slope_w_per_s, slope, 1000, "slope of tick", k);
        at_time(record, tick->t_ns, end - 0.5);
        for (uint32_t p = 0; p < 3; p++)
            at_peak(tick->peak_a[p], record->x[3 + p], k * per, end, k);
    }
}

static void check_features(struct record *record)
{
    double per = 16e9 / (double)record->period_ps;
    const double *power_w = power(record);

    assert_int_equal(record->result.features, record->result.ticks / 16);
    for (uint32_t k = 0; k < record->result.features; k++) {
        const struct measure_feature *feature = &record->result.feature[k];
        double factor = 0;

        near(feature->power_w, held(power_w, k * per, (k + 1) * per) / per, 1, "power of feature", k);
        near(feature->slope_w_per_s, record->result.tick[k * 16 + 15].slope_w_per_s, 1, "slope of feature",
             k);
        assert_int_equal(feature->t_ns, record->result.tick[k * 16 + 15].t_ns);
        for (uint32_t p = 0; p < 3; p++) {
            at_peak(feature->peak_a[p], record->x[3 + p], k * per, (k + 1) * per, k);
            if (record->cycle_a[k][p] > 0)
                factor = fmax(factor, feature->peak_a[p] / record->cycle_a[k][p]);
        }
        near(feature->peak_factor, factor, 1, "peak factor of feature", k);
    }
}

static void check_heats(struct record *record)
{
    double per = 20e9 / (double)record->period_ps;

    assert_int_equal(record->result.heats, record->result.ticks / 20);
    for (uint32_t p = 0; p < 3; p++) {
        const double *square = product(record, record->x[3 + p], record->x[3 + p]);

        for (uint32_t k = 0; k < record->result.heats; k++) {
            const struct measure_heat *heat = &record->result.heat[k];

            near(heat->current_a[p], sqrt(held(square, k * per, (k + 1) * per) / per), 1, "heat", k);
            assert_true(heat->worst_a >= heat->current_a[p]);
            assert_true(heat->worst_a == heat->current_a[0] || heat->worst_a == heat->current_a[1] ||
                        heat->worst_a == heat->current_a[2]);
            assert_int_equal(heat->t_ns, record->result.tick[k * 20 + 19].t_ns);
        }
    }
}

static const struct { int64_t period_ps; double nominal_hz; uint32_t most; } kind[] = {
    {125000000, 60, 128}, {208333333, 50, 40}, {62500000, 60, 128}, {1000000000, 50, 5}, {78125000, 50, 1}};
enum { KINDS = sizeof kind / sizeof *kind };

static void fixed_times_are_what_their_definition_says(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < KINDS; k++) {
        struct record *record = measured(kind[k].period_ps, kind[k].nominal_hz, 6000, kind[k].most);

        check_ticks(record);
        check_features(record);
        check_heats(record);
        free(record);
    }
}

/* ---- cycles ---- */

/* In samples: where half cycle `k` of a phase begins. The first phase's first one begins with the record. */
static double boundary(const struct record *record, uint32_t phase, uint32_t k)
{
    static const double first[3] = {0, 1.0 / 3, 1.0 / 6};

    return (first[phase] + 0.5 * k) * 1e12 / (double)record->period_ps / record->nominal_hz;
}

static double mean_square(struct record *record, const double *x, double from, double to)
{
    return straight(product(record, x, x), from, to) / (to - from);
}

/* The newest half cycle against the same half of the cycle before, by a tenth. */
static bool changes(struct record *record, const double *x, uint32_t phase, uint32_t k)
{
    double now, before;

    if (!k)
        return false;
    now = mean_square(record, x, boundary(record, phase, k + 1), boundary(record, phase, k + 2));
    before = mean_square(record, x, boundary(record, phase, k - 1), boundary(record, phase, k));
    return fabs(now - before) > 0.1 * fmax(now, before);
}

static void check_halves(struct record *record)
{
    uint32_t seen[3] = {0};

    for (uint32_t k = 0; k < record->result.halves; k++) {
        const struct measure_half *half = &record->result.half[k];
        const double *v = record->x[half->phase], *i = record->x[3 + half->phase];
        uint32_t half_cycle = seen[half->phase]++;
        double from = boundary(record, half->phase, half_cycle);
        double to = boundary(record, half->phase, half_cycle + 2), over = 1 / (to - from);

        at_time(record, half->t_ns, to);
        near(half->voltage_v, sqrt(straight(product(record, v, v), from, to) * over), 1, "volts", k);
        near(half->current_a, sqrt(straight(product(record, i, i), from, to) * over), 1, "amperes", k);
        near(half->active_w, straight(product(record, v, i), from, to) * over, 1, "watts", k);
        /* before the first cycle ends nobody knows whether there are mains */
        uint32_t is_free = k < 6 ? half->flags & MEASURE_FREE : MEASURE_FREE;

        assert_int_equal(half->flags, MEASURE_SETTLING | is_free |
                         (changes(record, i, half->phase, half_cycle) ? MEASURE_CHANGING : 0));
    }
    for (uint32_t p = 0; p < 3; p++)
        assert_true(boundary(record, p, seen[p] + 2) >= record->samples - 1);
}

/* The fundamental: rms, at an angle against the oscillator. */
static double complex fundamental(struct record *record, const double *x, double from, double to)
{
    double turn = record->nominal_hz * (double)record->period_ps * 1e-12 * TWO_PI, real, imaginary;

    for (uint32_t n = 0; n < record->samples; n++)
        record->product[n] = x[n] * cos(turn * n);
    real = straight(record->product, from, to);
    for (uint32_t n = 0; n < record->samples; n++)
        record->product[n] = x[n] * sin(turn * n);
    imaginary = straight(record->product, from, to);
    return (real - imaginary * I) * sqrt(2) / (to - from);
}

/* Half cycles that end behind the reading before and no later than this one: the second and third phase's are
 * others than the first's. */
static void window(const struct record *record, uint32_t phase, uint32_t reading, double *from, double *to)
{
    uint32_t halves = record->nominal_hz > 55 ? 24 : 20, low = 0;
    double begin = boundary(record, 0, halves * reading), end = boundary(record, 0, halves * (reading + 1));

    while (boundary(record, phase, low + 1) <= begin + 1e-6)
        low++;
    *from = boundary(record, phase, low);
    while (boundary(record, phase, low + 1) <= end + 1e-6)
        low++;
    *to = boundary(record, phase, low);
}

static void check_phase(struct record *record, const struct measure_cycles *reading, uint32_t k, uint32_t p)
{
    const struct measure_phase *phase = &reading->phase[p];
    const double *v = record->x[p], *i = record->x[3 + p];
    double from, to, zero_from, zero_to;

    window(record, p, k, &from, &to);
    window(record, 0, k, &zero_from, &zero_to);
    double complex v1 = fundamental(record, v, from, to), i1 = fundamental(record, i, from, to);
    double complex zero = fundamental(record, record->x[0], zero_from, zero_to), s1 = v1 * conj(i1);
    double volts = sqrt(mean_square(record, v, from, to)), amperes = sqrt(mean_square(record, i, from, to));
    double watts = straight(product(record, v, i), from, to) / (to - from);

    near(phase->voltage_v, volts, 1, "volts of reading", k);
    near(phase->current_a, amperes, 1, "amperes of reading", k);
    near(phase->active_w, watts, 1, "watts of reading", k);
    near(phase->apparent_va, volts * amperes, 1, "VA of reading", k);
    near(phase->power_factor, watts / (volts * amperes), 1, "power factor of reading", k);
    near(phase->fundamental_v, cabs(v1), 1, "fundamental volts", k);
    near(phase->fundamental_a, cabs(i1), 1, "fundamental amperes", k);
    near(phase->fundamental_w, creal(s1), 1, "fundamental watts", k);
    near(phase->reactive_var, cimag(s1), 1, "var", k);
    near(phase->displacement, creal(s1) / cabs(s1), 1, "displacement", k);
    near(cos(TWO_PI * phase->angle_v), creal(v1 / zero) / cabs(v1 / zero), 100, "angle of volts", k);
    near(sin(TWO_PI * phase->angle_a), cimag(i1 / zero) / cabs(i1 / zero), 100, "angle of amperes", k);
    assert_true(fabs(phase->angle_v) <= 0.5 && fabs(phase->angle_a) <= 0.5);
    near(phase->harmonic_w, watts - creal(s1), 1, "harmonic watts", k);
    near(phase->thd_a, sqrt(amperes * amperes / creal(i1 * conj(i1)) - 1), 1e3, "THD", k);
    if (!p)
        near(phase->peak_a, peak_of(i, floor(from) + 1, floor(to) + 1), 1, "peak of reading", k);
    near(phase->crest, phase->peak_a / amperes, 10, "crest", k);
}

/* Fortescue, with the cube root of one. */
static void check_sequences(struct record *record, const struct measure_cycles *reading, uint32_t k)
{
    const double complex a = cexp(TWO_PI / 3 * I);
    const double *told[2] = {reading->sequence_v, reading->sequence_a};

    for (uint32_t of = 0; of < 2; of++) {
        double complex x[3], by[3] = {1, a, a * a};

        for (uint32_t p = 0; p < 3; p++) {
            double from, to;

            window(record, p, k, &from, &to);
            x[p] = fundamental(record, record->x[3 * of + p], from, to);
        }
        for (uint32_t s = 0; s < 3; s++)
            near(told[of][s], cabs(x[0] + by[s] * x[1] + by[s] * by[s] * x[2]) / 3, 1, "sequence", k);
    }
    near(reading->unbalance_v, reading->sequence_v[2] / reading->sequence_v[1], 1, "unbalance", k);
    near(reading->unbalance_zero_v, reading->sequence_v[0] / reading->sequence_v[1], 1, "zero", k);
    near(reading->unbalance_a, reading->sequence_a[2] / reading->sequence_a[1], 1, "unbalance of A", k);
}

/* Ve and Ie of four wires by the sums of IEEE 1459: phase to phase, and the neutral. */
static void check_total(struct record *record, const struct measure_cycles *reading, uint32_t k)
{
    double from, to, phases2 = 0, amperes2 = 0, watts = 0, vars = 0, apparent = 0, zero[MOST];

    window(record, 0, k, &from, &to);
    for (uint32_t n = 0; n < record->samples; n++)
        zero[n] = record->x[0][n] + record->x[1][n] + record->x[2][n];
    for (uint32_t p = 0; p < 3; p++) {
        const struct measure_phase *phase = &reading->phase[p];

        phases2 += phase->voltage_v * phase->voltage_v;
        amperes2 += phase->current_a * phase->current_a;
        watts += phase->active_w;
        vars += phase->reactive_var;
        apparent += phase->apparent_va;
    }
    double lines2 = 3 * phases2 - mean_square(record, zero, from, to);
    double neutral2 = mean_square(record, record->x[7], from, to);
    double volts = sqrt((3 * phases2 + lines2) / 18), amperes = sqrt((amperes2 + neutral2) / 3);

    near(reading->neutral_a, sqrt(neutral2), 1, "neutral amperes", k);
    near(reading->neutral_v, sqrt(mean_square(record, record->x[6], from, to)), 1, "neutral volts", k);
    near(reading->effective_v, volts, 1, "effective volts", k);
    near(reading->effective_a, amperes, 1, "effective amperes", k);
    near(reading->effective_va, 3 * volts * amperes, 1, "effective VA", k);
    near(reading->active_w, watts, 1, "watts in all", k);
    near(reading->reactive_var, vars, 1, "var in all", k);
    near(reading->apparent_va, apparent, 1, "VA in all", k);
    near(reading->power_factor, watts / (3 * volts * amperes), 1, "power factor in all", k);
    near(reading->frequency_hz, record->nominal_hz, 1, "frequency", k);
    assert_int_equal(reading->cycles, record->nominal_hz > 55 ? 12 : 10);
    at_time(record, reading->from_ns, from);
    at_time(record, reading->t_ns, to);
}

static void cycles_are_what_their_definition_says(void **state)
{
    (void)state;
    for (uint32_t r = 0; r < KINDS; r++) {
        struct record *record =
            measured(kind[r].period_ps, kind[r].nominal_hz, r == 2 ? MOST : 6000, kind[r].most);
        double per = (double)record->period_ps * 1e-12 * record->nominal_hz;

        check_halves(record);
        assert_int_equal(record->result.cycles,
                         (uint32_t)((record->samples - 1) * per / (record->nominal_hz > 55 ? 12 : 10)));
        for (uint32_t k = 0; k < record->result.cycles && k < 6; k++) {
            for (uint32_t p = 0; p < 3; p++)
                check_phase(record, &record->result.cycle[k], k, p);
            check_sequences(record, &record->result.cycle[k], k);
            check_total(record, &record->result.cycle[k], k);
        }
        free(record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_times_are_what_their_definition_says),
        cmocka_unit_test(cycles_are_what_their_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
