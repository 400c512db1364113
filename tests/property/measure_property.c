/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random waveforms (1.6 to 16 kHz, 45 to 65 Hz, up to 10 % of harmonics, power factor from 0.92, unbalance,
 * some with 2 % of noise, some with a step of load of 65 % in 8 ms) through a meter: classes 0.1 for volts,
 * 0.2 for amperes, 0.5 for watts hold, against the formula of the waveform in long double, and against sums
 * over the very samples. No window that holds both sides of the step goes without a flag.
 */
#include <math.h>
#include <stdlib.h>

#include "chance.h"
#include "core/measure_meter.h"
#include "run.h"

enum { ORDERS = 13, CHANNELS = 6, SAMPLES_ALL = 32000 };
#define TWO_PI 6.283185307179586476925286766559L
#define SECONDS 1.6
#define CLASS_V 0.001L
#define CLASS_A 0.002L
#define CLASS_W 0.005L
#define FINE 1.5e-4L            /* without noise, from 8 kHz */
#define STEP_S 0.8
#define STEP_TOOK_S 0.008

struct part { long double rms, turn; };     /* turn in cycles */

struct world {
    uint64_t seed;
    double rate_hz, mains_hz, noise, low;   /* low: of the load before the step; 1: no step */
    uint32_t samples, block;
    struct part part[CHANNELS][ORDERS + 1];
    double (*row)[CHANNELS];
};

static uint64_t failures;
static long double worst[3];                /* shares of the class that were used up */
static uint64_t readings, mixed;

static double between(struct chance *chance, double low, double high)
{
    return low + (high - low) * ((double)(chance_next(chance) >> 11) * 0x1p-53);
}

static void broken(const struct world *world, const char *what, double value, double wanted)
{
    failures++;
    printf("--seed %llu --cases 1: %s: %.9g, wanted %.9g (%g Hz at %g Hz, noise %g, from %g)\n",
           (unsigned long long)world->seed, what, value, wanted, world->mains_hz, world->rate_hz,
           world->noise, world->low);
}

static void draw(struct world *world, struct chance *chance)
{
    static const double rates[] = {1600, 3200, 4000, 4800, 6400, 8000, 9600, 12800, 14400, 16000};

    world->rate_hz = rates[chance_range(chance, 0, 9)];
    world->mains_hz = between(chance, 45, 65);
    world->noise = chance_hit(chance, 0.5) ? 0.02 : 0;
    world->low = chance_hit(chance, 0.5) ? 0.35 : 1;
    world->block = (uint32_t)chance_range(chance, 8, 128);
    world->samples = (uint32_t)(SECONDS * world->rate_hz);
    double start = between(chance, 0, 1), lag = between(chance, -0.06, 0.06);   /* 0.92 is 0.064 cycles */

    for (uint32_t c = 0; c < CHANNELS; c++) {
        struct part *part = world->part[c];
        double left = between(chance, 0, 0.1);

        memset(part, 0, sizeof world->part[c]);
        part[1] = (struct part){c < 3 ? between(chance, 270, 285) : between(chance, 100, 140),
                                start - c % 3 / 3.0L - (c < 3 ? 0 : lag)};
        for (uint32_t h = 2; h <= ORDERS && h * world->mains_hz < 0.3 * world->rate_hz; h++) {
            double share = between(chance, 0, left);

            part[h] = (struct part){part[1].rms * share, between(chance, 0, 1)};
            left = sqrt(left * left - share * share);
        }
    }
}

/* The load, not the voltage, goes up. */
static long double load_at(const struct world *world, uint32_t channel, double t_s)
{
    double risen = (t_s - STEP_S) / STEP_TOOK_S;

    if (channel < 3 || world->low >= 1)
        return 1;
    return world->low + (1 - world->low) * (risen < 0 ? 0 : risen > 1 ? 1 : risen);
}

static void make_samples(struct world *world, struct chance *chance)
{
    for (uint32_t n = 0; n < world->samples; n++)
        for (uint32_t c = 0; c < CHANNELS; c++) {
            long double turn = fmodl((long double)world->mains_hz * n / world->rate_hz, 1), sum = 0;

            for (uint32_t h = 1; h <= ORDERS; h++)
                if (world->part[c][h].rms > 0)
                    sum += world->part[c][h].rms * sinl(TWO_PI * (h * turn + world->part[c][h].turn));
            sum *= sqrtl(2) * load_at(world, c, n / world->rate_hz);
            if (world->noise > 0)       /* even over a width of sqrt(12) deviations */
                sum += world->part[c][1].rms * world->noise * between(chance, -1.7320508, 1.7320508);
            world->row[n][c] = (double)sum;
        }
}

static long double product(const struct world *world, uint32_t n, uint32_t a, uint32_t b)
{
    return (long double)world->row[n][a] * world->row[n][b];
}

/* From the first sample to `at`: straight lines between products. */
static long double integral(const struct world *world, long double at, uint32_t a, uint32_t b)
{
    uint32_t whole = (uint32_t)at;
    long double part = at - whole, sum = 0;

    for (uint32_t n = 0; n < whole; n++)
        sum += (product(world, n, a, b) + product(world, n + 1, a, b)) / 2;
    if (whole + 1 < world->samples)
        sum += part * product(world, whole, a, b) +
               part * part * (product(world, whole + 1, a, b) - product(world, whole, a, b)) / 2;
    return sum;
}

static long double mean(const struct world *world, const struct measure_cycles *reading, uint32_t a,
                        uint32_t b)
{
    long double from = reading->from_ns * 1e-9L * world->rate_hz, to = reading->t_ns * 1e-9L * world->rate_hz;

    return (integral(world, to, a, b) - integral(world, from, a, b)) / (to - from);
}

static void hold(const struct world *world, const char *what, uint32_t kind, double value, long double wanted,
                 long double most)
{
    long double error = fabsl(value - wanted) / fabsl(wanted);

    worst[kind] = error / most > worst[kind] ? error / most : worst[kind];
    if (!(error <= most))
        broken(world, what, value, (double)wanted);
}

/* By the samples of the first phase, whose window the reading's times are. */
static void by_samples(const struct world *world, const struct measure_cycles *reading)
{
    const struct measure_phase *phase = &reading->phase[0];

    hold(world, "volts by samples", 0, phase->voltage_v, sqrtl(mean(world, reading, 0, 0)), CLASS_V);
    hold(world, "amperes by samples", 1, phase->current_a, sqrtl(mean(world, reading, 3, 3)), CLASS_A);
    hold(world, "watts by samples", 2, phase->active_w, mean(world, reading, 0, 3), CLASS_W);
}

/* By the formula, where there is no noise. */
static void by_formula(const struct world *world, const struct measure_cycles *reading, long double load)
{
    bool fine = world->rate_hz >= 8000;

    for (uint32_t p = 0; p < 3; p++) {
        long double v2 = 0, i2 = 0, w = 0;
        const struct part *v = world->part[p], *i = world->part[3 + p];

        for (uint32_t h = 1; h <= ORDERS; h++) {
            v2 += v[h].rms * v[h].rms;
            i2 += i[h].rms * i[h].rms * load * load;
            w += v[h].rms * i[h].rms * load * cosl(TWO_PI * (v[h].turn - i[h].turn));
        }
        hold(world, "volts", 0, reading->phase[p].voltage_v, sqrtl(v2), fine ? FINE : CLASS_V);
        hold(world, "amperes", 1, reading->phase[p].current_a, sqrtl(i2), fine ? FINE : CLASS_A);
        hold(world, "watts", 2, reading->phase[p].active_w, w, fine ? 2 * FINE : CLASS_W);
    }
}

static void judge(const struct world *world, const struct measure_cycles *reading, uint32_t *clean)
{
    double from_s = (double)reading->from_ns * 1e-9, to_s = (double)reading->t_ns * 1e-9,
           cycle_s = 1 / world->mains_hz;
    bool before = to_s <= STEP_S || world->low >= 1, after = from_s - cycle_s >= STEP_S + STEP_TOOK_S;

    if (reading->flags & (MEASURE_SETTLING | MEASURE_FREE))
        return;
    readings++;
    by_samples(world, reading);
    if (reading->flags & MEASURE_CHANGING) {
        mixed++;
        return;
    }
    if (reading->flags)
        broken(world, "flags", reading->flags, 0);
    ++*clean;
    if (from_s < STEP_S && to_s > STEP_S + STEP_TOOK_S && world->low < 1)
        broken(world, "a step inside a window without a flag, which ends at", to_s, 0);
    if (fabs(reading->frequency_hz - world->mains_hz) > (world->noise > 0 ? 0.02 : 0.002))
        broken(world, "frequency", reading->frequency_hz, world->mains_hz);
    if (!(world->noise > 0) && (before || after))
        by_formula(world, reading, before ? world->low : 1);
}

static void one_case(uint64_t seed, struct measure_meter *meter, struct measure_out *out, struct world *world)
{
    struct chance chance = {seed};
    uint32_t clean = 0;

    world->seed = seed;
    draw(world, &chance);
    make_samples(world, &chance);
    struct measure_config config = {.period_ps = llround(1e12 / world->rate_hz),
                                    .phases = 3,
                                    .channels = 6,
                                    .nominal_hz = world->mains_hz < 55 ? 50 : 60,
                                    .voltage_v = 277,
                                    .current_a = 120,
                                    .sag = 0.9,
                                    .swell = 1.1,
                                    .interruption = 0.05,
                                    .hysteresis = 0.02};

    for (uint32_t c = 0; c < CHANNELS; c++)
        config.gain[c] = 1;
    if (measure_meter_init(meter, &config)) {
        broken(world, "configuration", 0, 0);
        return;
    }
    for (uint32_t n = 0; n < world->samples; n += world->block) {
        uint32_t count = world->samples - n < world->block ? world->samples - n : world->block;
        struct measure_block block = {.row = world->row[n], .samples = count, .first = n,
                                      .t_ns = llround(n * 1e9 / world->rate_hz)};

        if (measure_meter_block(meter, &block, out) || out->lost)
            broken(world, "a block", out->lost, 0);
        for (uint32_t k = 0; k < out->cycles_count; k++)
            judge(world, &out->cycles[k], &clean);
    }
    if (clean < 1)
        broken(world, "readings without a flag", clean, 1);
}

int main(int argc, char **argv)
{
    struct run run = run_begin("measure_property", 60, 5000);
    struct measure_meter *meter = malloc(sizeof *meter);
    struct measure_out *out = malloc(sizeof *out);
    struct world *world = calloc(1, sizeof *world);

    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    if (world)
        world->row = malloc(SAMPLES_ALL * sizeof *world->row);
    if (!meter || !out || !world || !world->row)
        return 1;
    for (uint64_t i = 0; i < run.cases; i++)
        one_case(run.seed + i, meter, out, world);
    printf("%llu readings, %llu of them mixed; used up of what is allowed: V %.2Lf, A %.2Lf, W %.2Lf\n",
           (unsigned long long)readings, (unsigned long long)mixed, worst[0], worst[1], worst[2]);
    if (run.cases >= 60 && mixed < run.cases / 4)
        broken(world, "windows with the step in them", (double)mixed, (double)run.cases / 4);
    run_end(&run, failures);
    free(world->row);
    free(world);
    free(meter);
    free(out);
    return failures ? 1 : 0;
}
