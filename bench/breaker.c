/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaker [--json] [--samples N] [--seed S]: a step of a whole electronic device (thermal image, long-time
 * timer, short-time with memory, instantaneous; three phases) in core/breaker, against the same laws in plain
 * double with exp(), in one process, taking turns: a sample is a batch of steps of one of them, and the next
 * sample is the other's. Each phase draws its own current: quiet is below every pickup, overload 0.75 to 2
 * times Ir, fault
 * 0.5 to 7 times Ir, where every element runs at times.
 * Beside them what the decision asks of a device: the admissible current and the time to trip.
 */
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "bench/report.h"
#include "core/breaker.h"

enum { BATCH = 64, DEVICES = 16, MIXES = 3, LOADS = 1024, SAMPLES = 20000, WARM_UP = 200 };

struct plain_device {           /* the same device in double */
    double pickup_a, heat_s, cool_s, timer_s, short_a, short_s, decay_s, peak_a;
};

struct plain_state { double heat[PHASES], timer[PHASES], stage[PHASES]; };

struct subject {
    struct breaker breaker;
    struct breaker_pace pace;
    struct breaker_curve curve[2];
    struct plain_device plain;
    struct breaker_state state[DEVICES];
    struct plain_state plain_state[DEVICES];
    struct breaker_load load[LOADS];
    int64_t dt_ns[LOADS];
    uint32_t next;
};

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);     /* splitmix64 */

    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* The fast edge of 800 A: 1.05 Ir, 7.2 s at 6 Ir, short-time 4464 A after 90 ms, instantaneous 7200 A. */
static void make_device(struct subject *subject)
{
    double tau_s = 7.2 / log(36 / (36 - 1.1025));
    struct breaker_element *element = subject->breaker.element;

    subject->breaker.element_count = 4;
    element[0] = (struct breaker_element){.law = BREAKER_IMAGE, .pickup_ma = 840000,
        .heat_ns = (int64_t)(tau_s * 0.9e9), .heat_fast_ns = (int64_t)(tau_s * 0.8e9),
        .fast_above_ma = 4800000, .cool_ns = (int64_t)(tau_s * 1.1e9)};
    element[1] = (struct breaker_element){.law = BREAKER_TRAVEL, .pickup_ma = 840000, .unit_ma = 840000,
        .curve = 0, .reset = RESET_AT_ONCE};
    element[2] = (struct breaker_element){.law = BREAKER_TRAVEL, .role = ELEMENT_SHORT_TIME,
        .pickup_ma = 4464000, .unit_ma = 4464000, .curve = 1, .reset = RESET_DECAY,
        .reset_ns = 500 * NS_PER_MS};
    element[3] = (struct breaker_element){.law = BREAKER_PEAK, .role = ELEMENT_INSTANTANEOUS,
        .pickup_ma = 7200000};
    for (int k = 0; k < CURVE_POINTS; k++) {
        double multiple = ldexp(1 + k % CURVE_STEPS / (double)CURVE_STEPS, k / CURVE_STEPS);

        subject->curve[0].rate[k] = (int64_t)(0x1p70 * 1e-9 / 7.2 * pow(multiple * 840 / 4800, 2)) + 1;
        subject->curve[1].rate[k] = (int64_t)(0x1p70 * 1e-9 / 0.09) + 1;
    }
    subject->plain = (struct plain_device){840, tau_s * 0.9, tau_s * 1.1, 7.2, 4464, 0.09, 0.5, 7200};
    breaker_pace(&subject->pace, &subject->breaker);
}

static void make_loads(struct subject *subject, double low_a, double high_a, uint64_t *random)
{
    for (int i = 0; i < LOADS; i++) {
        for (int phase = 0; phase < PHASES; phase++) {
            double share = (double)(next_random(random) >> 11) * 0x1p-53;

            subject->load[i].current_ma[phase] = (int64_t)(1000 * (low_a + share * (high_a - low_a)));
        }
        subject->load[i].crest_milli = 1450;
        subject->dt_ns[i] = 16 * NS_PER_MS + (int64_t)(next_random(random) % 2000) - 1000;
    }
    for (int d = 0; d < DEVICES; d++)
        breaker_rest(&subject->state[d], &subject->breaker, 500000);
    for (int d = 0; d < DEVICES; d++)
        subject->plain_state[d] = (struct plain_state){{0.5, 0.5, 0.5}, {0}, {0}};
}

static int plain_phase(struct plain_state *state, const struct plain_device *device, int phase,
                       double current_a, double dt_s)
{
    double settled = current_a / device->pickup_a * (current_a / device->pickup_a);
    double tau_s = settled > state->heat[phase] ? device->heat_s : device->cool_s;
    double over = current_a / 4800;

    state->heat[phase] = settled + (state->heat[phase] - settled) * exp(-dt_s / tau_s);
    state->timer[phase] = current_a >= device->pickup_a
                              ? state->timer[phase] + dt_s * over * over / device->timer_s : 0;
    if (current_a >= device->short_a)
        state->stage[phase] += dt_s / device->short_s;
    else
        state->stage[phase] *= exp(-dt_s / device->decay_s);

    bool trips = state->heat[phase] >= 1 || state->timer[phase] >= 1 || state->stage[phase] >= 1 ||
                 current_a * 1.45 >= device->peak_a * 1.4142135623730951;

    state->heat[phase] = fmin(state->heat[phase], 1);
    state->timer[phase] = fmin(state->timer[phase], 1);
    state->stage[phase] = fmin(state->stage[phase], 1);
    return trips;
}

/* What is called a batch: returns the nanoseconds of it. */
typedef int64_t batch(struct subject *subject, int64_t *sink);

static int64_t step_batch(struct subject *subject, int64_t *sink)
{
    int64_t start = bench_now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t at = (subject->next + i) % LOADS;

        *sink += breaker_step_paced(&subject->state[i % DEVICES], &subject->breaker, &subject->pace,
                                    subject->curve, &subject->load[at], subject->dt_ns[at]);
    }
    return bench_now_ns() - start;
}

static int64_t unpaced_batch(struct subject *subject, int64_t *sink)
{
    int64_t start = bench_now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t at = (subject->next + i) % LOADS;

        *sink += breaker_step(&subject->state[i % DEVICES], &subject->breaker, subject->curve,
                              &subject->load[at], subject->dt_ns[at]);
    }
    return bench_now_ns() - start;
}

static int64_t plain_batch(struct subject *subject, int64_t *sink)
{
    int64_t start = bench_now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t at = (subject->next + i) % LOADS;

        for (int phase = 0; phase < PHASES; phase++)
            *sink += plain_phase(&subject->plain_state[i % DEVICES], &subject->plain, phase,
                                 (double)subject->load[at].current_ma[phase] * 1e-3,
                                 (double)subject->dt_ns[at] * 1e-9);
    }
    return bench_now_ns() - start;
}

static int64_t admissible_batch(struct subject *subject, int64_t *sink)
{
    int64_t start = bench_now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t element;

        *sink += breaker_admissible_ma(&subject->state[i % DEVICES], &subject->breaker, subject->curve,
                                       2500 * NS_PER_MS, 1450, &element);
    }
    return bench_now_ns() - start;
}

static int64_t time_batch(struct subject *subject, int64_t *sink)
{
    int64_t start = bench_now_ns();

    for (uint32_t i = 0; i < BATCH; i++) {
        struct breaker_verdict verdict;

        breaker_time_to_trip(&subject->state[i % DEVICES], &subject->breaker, subject->curve,
                             &subject->load[(subject->next + i) % LOADS], &verdict);
        *sink += verdict.t_ns;
    }
    return bench_now_ns() - start;
}

enum { STEP, UNPACED, PLAIN, ADMISSIBLE, TIME, KINDS };

static batch *const batches[KINDS] = {step_batch, unpaced_batch, plain_batch, admissible_batch, time_batch};
static const char *const names[KINDS] = {"step", "unpaced", "plain", "admissible", "time_to_trip"};

static void measure(struct subject *subject, uint32_t samples, struct histogram histogram[KINDS],
                    int64_t *sink)
{
    for (uint32_t i = 0; i < WARM_UP + samples; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            int64_t ns = batches[kind](subject, sink);

            if (i >= WARM_UP)
                histogram_record(&histogram[kind], (uint64_t)ns);
        }
        subject->next = (subject->next + 7) % LOADS;
    }
}

static double step_ns(const struct histogram *histogram, double quantile)
{
    return (double)histogram_quantile(histogram, quantile) / BATCH;
}

/* Quantiles are of whole batches, divided by their steps; the histograms are of batches. */
static void report_mix(struct bench_report *report, const char *mix, const struct histogram histogram[KINDS])
{
    char key[64];

    bench_open(report, mix);
    for (int kind = 0; kind < KINDS; kind++) {
        snprintf(key, sizeof key, "%s_ns_p50", names[kind]);
        bench_number(report, key, step_ns(&histogram[kind], 0.5));
        snprintf(key, sizeof key, "%s_ns_p99", names[kind]);
        bench_number(report, key, step_ns(&histogram[kind], 0.99));
        snprintf(key, sizeof key, "%s_ns_p999", names[kind]);
        bench_number(report, key, step_ns(&histogram[kind], 0.999));
    }
    bench_number(report, "ratio", step_ns(&histogram[STEP], 0.5) / step_ns(&histogram[PLAIN], 0.5));
    for (int kind = 0; kind < KINDS && report->json; kind++) {
        snprintf(key, sizeof key, "%s_batch_histogram_ns", names[kind]);
        bench_histogram(report, key, &histogram[kind]);
    }
    bench_close(report);
}

static int run(bool json, uint32_t samples, uint64_t seed)
{
    static const struct mix { const char *name; double low_a, high_a; } mix[MIXES] = {
        {"quiet", 100, 700}, {"overload", 600, 1600}, {"fault", 400, 5600},
    };
    static struct subject subject[MIXES];
    static struct histogram histogram[MIXES][KINDS];
    struct bench_report report;
    uint64_t random = seed;
    int64_t sink = 0, start = bench_now_ns();

    for (int m = 0; m < MIXES; m++) {
        make_device(&subject[m]);
        make_loads(&subject[m], mix[m].low_a, mix[m].high_a, &random);
        measure(&subject[m], samples, histogram[m], &sink);
    }

    bench_begin(&report, json, "breaker");
    bench_count(&report, "n", samples);
    bench_count(&report, "batch", BATCH);
    bench_count(&report, "seed", seed);
    bench_text(&report, "driver", "memory");
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start) * 1e-9);
    for (int m = 0; m < MIXES; m++)
        report_mix(&report, mix[m].name, histogram[m]);
    bench_end(&report);
    return sink == 0;
}

int main(int argc, char **argv)
{
    uint32_t samples = SAMPLES;
    uint64_t seed = 1;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc) {
            samples = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: breaker [--json] [--samples N] [--seed S]\n");
            return 2;
        }
    }
    return run(json, samples, seed);
}
