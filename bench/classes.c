/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes [--json]: worst errors of volts, amperes and watts at 8 kHz, from 45 to 65 Hz, power factors 0.92
 * to 1 behind and ahead, four phase angles each: of sines, with 2 % of noise, with 10 % of THD in the current
 * and 5 % in the voltage, and through a step of the load by 65 % in 8 ms. Against the formula; with noise,
 * and of windows with the step in them, against the sums over the very samples: noise is in what there is to
 * measure, and how far it takes a window from the formula is told beside. Exit code 1 where class 0.1, 0.2 or
 * 0.5 is not kept, or a reading with the step in it has no flag.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "core/measure_meter.h"

enum { RATE_HZ = 8000, SECONDS = 2, SAMPLES = RATE_HZ * SECONDS, BLOCK = 64, CHANNELS = 6, KINDS = 3 };
enum condition { PLAIN, NOISE, HARMONICS, STEP, CONDITIONS };

#define TWO_PI 6.283185307179586
#define STEP_S 0.9
#define STEP_TOOK_S 0.008
#define STEP_TO 1.65

static const char *const condition_name[CONDITIONS] = {"sine", "noise_2", "thd_10", "step_65"};
static const double class_of[KINDS] = {0.1, 0.2, 0.5};

struct part {
    uint32_t order;
    double share_v, share_a, turn;
};

/* Shares of the current: their squares sum up to 10 %; turns as they came to mind. */
static const struct part parts[] = {{1, 1, 1, 0}, {3, 0.01, 0.06, 0.1}, {5, 0.04, 0.06, 0.37},
                                    {7, 0.025, 0.045, 0.81}, {11, 0.01, 0.02, 0.55},
                                    {13, 0.005, 0.0166, 0.2}};

struct trial {
    enum condition condition;
    double hertz, lag, start;           /* cycles */
    uint64_t dice;
    double (*row)[CHANNELS];
};

struct tally {
    double clean[KINDS], mixed[KINDS], formula[KINDS];  /* percent */
    uint64_t readings, mixed_readings, unflagged;
};

static double drawn(uint64_t *dice)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(uint32_t)(*dice >> 33) * 0x1p-31;
}

static double normal(uint64_t *dice)
{
    double radius = sqrt(-2 * log(drawn(dice) + 0x1p-33));

    return radius * cos(TWO_PI * drawn(dice));
}

static uint32_t parts_of(const struct trial *trial)
{
    return trial->condition == HARMONICS ? sizeof parts / sizeof *parts : 1;
}

static double load_at(const struct trial *trial, double t_s)
{
    double risen = (t_s - STEP_S) / STEP_TOOK_S;

    return trial->condition != STEP ? 1 : 1 + (STEP_TO - 1) * (risen < 0 ? 0 : risen > 1 ? 1 : risen);
}

static void make(struct trial *trial)
{
    for (uint32_t n = 0; n < SAMPLES; n++)
        for (uint32_t c = 0; c < CHANNELS; c++) {
            bool current = c >= 3;
            double ahead = trial->start - c % 3 / 3.0 - (current ? trial->lag : 0);
            double turn = trial->hertz * n / RATE_HZ + ahead;
            double rms = current ? 600 * load_at(trial, (double)n / RATE_HZ) : 277.128, sum = 0;

            for (uint32_t k = 0; k < parts_of(trial); k++)
                sum += (current ? parts[k].share_a : parts[k].share_v) * sqrt(2) *
                       sin(TWO_PI * (parts[k].order * turn + parts[k].turn));
            if (trial->condition == NOISE)
                sum += 0.02 * normal(&trial->dice);
            trial->row[n][c] = rms * sum;
        }
}

/* What the formula says of one phase: volts, amperes, watts. */
static void by_formula(const struct trial *trial, double load, double wanted[KINDS])
{
    double v2 = 0, i2 = 0, w = 0;

    for (uint32_t k = 0; k < parts_of(trial); k++) {
        v2 += parts[k].share_v * parts[k].share_v;
        i2 += parts[k].share_a * parts[k].share_a;
        w += parts[k].share_v * parts[k].share_a * cos(TWO_PI * parts[k].order * trial->lag);
    }
    wanted[0] = 277.128 * sqrt(v2);
    wanted[1] = 600 * load * sqrt(i2);
    wanted[2] = 277.128 * 600 * load * w;
}

static double integral(const struct trial *trial, double at, uint32_t a, uint32_t b)
{
    uint32_t whole = (uint32_t)at;
    double part = at - whole, sum = 0;

    for (uint32_t n = 0; n <= whole && n + 1 < SAMPLES; n++) {
        double here = trial->row[n][a] * trial->row[n][b], next = trial->row[n + 1][a] * trial->row[n + 1][b];

        sum += n < whole ? (here + next) / 2 : part * here + part * part * (next - here) / 2;
    }
    return sum;
}

static double mean(const struct trial *trial, const struct measure_cycles *reading, uint32_t a, uint32_t b)
{
    double from = (double)reading->from_ns * 1e-9 * RATE_HZ, to = (double)reading->t_ns * 1e-9 * RATE_HZ;

    return (integral(trial, to, a, b) - integral(trial, from, a, b)) / (to - from);
}

static void note(const struct measure_phase *phase, const double wanted[KINDS], double worst[KINDS])
{
    const double got[KINDS] = {phase->voltage_v, phase->current_a, phase->active_w};

    for (uint32_t k = 0; k < KINDS; k++)
        worst[k] = fmax(worst[k], 100 * fabs(got[k] / wanted[k] - 1));
}

static void by_samples(const struct trial *trial, const struct measure_cycles *reading, double wanted[KINDS])
{
    wanted[0] = sqrt(mean(trial, reading, 0, 0));
    wanted[1] = sqrt(mean(trial, reading, 3, 3));
    wanted[2] = mean(trial, reading, 0, 3);
}

static void judge(const struct trial *trial, const struct measure_cycles *reading, struct tally *tally)
{
    double from_s = (double)reading->from_ns * 1e-9, to_s = (double)reading->t_ns * 1e-9, wanted[KINDS];
    double cycle_s = 1 / trial->hertz;
    bool stepped = trial->condition == STEP && to_s > STEP_S && from_s < STEP_S + STEP_TOOK_S;

    if (reading->flags & MEASURE_SETTLING)
        return;
    if (stepped) {
        by_samples(trial, reading, wanted);
        note(&reading->phase[0], wanted, tally->mixed);
        tally->mixed_readings++;
        /* a step that only the last cycle has in it is seen with the next one */
        tally->unflagged += !reading->flags && to_s > STEP_S + STEP_TOOK_S + cycle_s;
        return;
    }
    by_formula(trial, load_at(trial, from_s), wanted);
    tally->readings++;
    for (uint32_t p = 0; p < 3 && !(reading->flags & MEASURE_CHANGING); p++)
        note(&reading->phase[p], wanted, trial->condition == NOISE ? tally->formula : tally->clean);
    if (trial->condition != NOISE)
        return;
    by_samples(trial, reading, wanted);
    note(&reading->phase[0], wanted, tally->clean);
}

static bool run(struct trial *trial, struct measure_meter *meter, struct measure_out *out,
                struct tally *tally)
{
    struct measure_config config = {
        .period_ps = 1000000000000 / RATE_HZ, .phases = 3, .channels = CHANNELS,
        .nominal_hz = trial->hertz < 55 ? 50 : 60, .voltage_v = 277.128, .current_a = 600, .sag = 0.9,
        .swell = 1.1, .interruption = 0.05, .hysteresis = 0.02};

    for (uint32_t c = 0; c < CHANNELS; c++)
        config.gain[c] = 1;
    make(trial);
    if (measure_meter_init(meter, &config))
        return false;
    for (uint32_t n = 0; n < SAMPLES; n += BLOCK) {
        struct measure_block block = {.row = trial->row[n], .samples = BLOCK, .first = n,
                                      .t_ns = n * (INT64_C(1000000000) / RATE_HZ)};

        if (measure_meter_block(meter, &block, out))
            return false;
        for (uint32_t k = 0; k < out->cycles_count; k++)
            judge(trial, &out->cycles[k], tally);
    }
    return true;
}

static void tell(struct bench_report *report, const char *name, const double worst[KINDS])
{
    static const char *const kind[KINDS] = {"voltage_percent", "current_percent", "power_percent"};

    bench_open(report, name);
    for (uint32_t k = 0; k < KINDS; k++)
        bench_number(report, kind[k], worst[k]);
    bench_close(report);
}

/* All power factors and angles of one condition and frequency; whether the classes hold. */
static bool cell(struct bench_report *report, struct trial *trial, struct measure_meter *meter,
                 struct measure_out *out)
{
    static const double power_factor[] = {0.92, 0.96, 1, -0.96, -0.92};     /* negative: ahead */
    struct tally tally = {0};
    bool good = true;
    char name[32];

    for (uint32_t k = 0; good && k < 20; k++) {
        double pf = power_factor[k / 4], lag = acos(fabs(pf)) / TWO_PI;

        trial->lag = pf < 0 ? -lag : lag;
        trial->start = k % 4 * 0.13;
        trial->dice = k + 1;
        good = run(trial, meter, out, &tally);
    }
    snprintf(name, sizeof name, "%g_hz", trial->hertz);
    bench_open(report, name);
    bench_count(report, "readings", tally.readings);
    tell(report, "worst", tally.clean);
    if (trial->condition == NOISE)
        tell(report, "worst_beside_the_formula", tally.formula);
    if (trial->condition == STEP) {
        bench_count(report, "readings_with_the_step", tally.mixed_readings);
        bench_count(report, "unflagged", tally.unflagged);
        tell(report, "worst_with_the_step", tally.mixed);
    }
    bench_close(report);
    for (uint32_t k = 0; k < KINDS; k++)
        good = good && tally.clean[k] <= class_of[k] && tally.mixed[k] <= class_of[k];
    return good && tally.readings && !tally.unflagged && (trial->condition != STEP || tally.mixed_readings);
}

int main(int argc, char **argv)
{
    static const double hertz[] = {45, 47.5, 50, 52.5, 55, 57.5, 60, 62.5, 65};
    struct trial trial = {.row = malloc(SAMPLES * sizeof *trial.row)};
    struct measure_meter *meter = malloc(sizeof *meter);
    struct measure_out *out = malloc(sizeof *out);
    struct bench_report report;
    bool good = trial.row && meter && out;

    bench_begin(&report, argc > 1 && !strcmp(argv[1], "--json"), "classes");
    for (int c = 0; trial.row && meter && out && c < CONDITIONS; c++) {
        trial.condition = (enum condition)c;
        bench_open(&report, condition_name[c]);
        for (uint32_t k = 0; k < sizeof hertz / sizeof *hertz; k++) {
            trial.hertz = hertz[k];
            good = cell(&report, &trial, meter, out) && good;
        }
        bench_close(&report);
    }
    bench_text(&report, "classes", good ? "held" : "not held");
    bench_end(&report);
    free(trial.row);
    free(meter);
    free(out);
    return good ? 0 : 1;
}
