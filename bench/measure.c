/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure [--json] [--meters N] [--seconds S]: the chain from raw samples to readings and events, 8 kHz by
 * six channels, blocks of 8 and of 64 samples. Every meter has a state of its own, so it is fetched from
 * memory, and blocks of all meters come in turn, as they do on a lane; the samples, too, are read anew.
 * Everything is on: events, ticks, features, heat, and raw samples into the meter's wave, from which a second
 * thread works out spectra meanwhile: distortion of each cycle, and all of each window. It has to keep up, so
 * the first one waits for it, which does not count. A figure of the first is the median of rounds over all
 * meters, in time of its processor (a lane has its core for itself); of the second its processor's time by
 * windows.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/report.h"
#include "core/measure_meter.h"
#include "spectra/spectra.h"

enum { RATE_HZ = 8000, PACKETS_KEPT = 50, ROUNDS_MAX = 20000, ROUNDS_MIN = 50, AHEAD_SAMPLES = 512,
       WAVE_SAMPLES = 4096 };
#define TWO_PI 6.283185307179586

struct subject {
    uint32_t meters, block;
    struct measure_meter *meter;
    struct samples *packet;             /* whole cycles of one meter; all meters have the same */
    struct measure_out *out;
    uint64_t readings, events, ticks;
    struct wave *wave;
    struct spectra_meter *spectra;
    struct spectra_plan plan;
    struct spectra_work work;
    _Atomic uint64_t rounds, seen;      /* written; and read by the second thread */
    _Atomic bool stop;
    uint64_t cycles, windows, spectra_ns;
};

static double wave(uint32_t channel, uint32_t n)
{
    double turn = TWO_PI * (60.0 * n / RATE_HZ - channel % 3 / 3.0);

    if (channel < 3)
        return sqrt(2) * 277.128 * (sin(turn) + 0.02 * sin(5 * turn));
    return sqrt(2) * 600 * (sin(turn - 0.26) + 0.1 * sin(3 * turn) + 0.06 * sin(5 * turn));
}

static bool make_wave(struct subject *subject, uint32_t m)
{
    static const struct spectra_config config = {.phases = 3, .gain_v = {1, 1, 1}, .gain_a = {1, 1, 1},
                                                 .voltage_v = 277.128, .current_a = 600};
    size_t bytes = wave_bytes(6, WAVE_SAMPLES);
    void *memory = subject->wave[m].word ? subject->wave[m].word : aligned_alloc(64, bytes);

    return memory && !wave_init(&subject->wave[m], memory, 6, WAVE_SAMPLES) &&
           !spectra_meter_init(&subject->spectra[m], &config);
}

static bool make(struct subject *subject)
{
    struct measure_config config = {.period_ps = 1000000000000 / RATE_HZ, .phases = 3, .channels = 6,
        .nominal_hz = 60, .voltage_v = 277.128, .sag = 0.9, .swell = 1.1, .interruption = 0.05,
        .hysteresis = 0.02, .peak_a = 2000, .slope_w_per_s = 50e6};

    for (uint32_t c = 0; c < 6; c++)
        config.gain[c] = 1;
    for (uint32_t m = 0; m < subject->meters; m++)
        if (measure_meter_init(&subject->meter[m], &config) || !make_wave(subject, m))
            return false;
    for (uint32_t k = 0; k < PACKETS_KEPT; k++) {
        struct samples *packet = &subject->packet[k];

        *packet = (struct samples){.period_ps = 1000000000000 / RATE_HZ, .channels = 6,
                                   .count = (uint16_t)subject->block};
        for (uint32_t c = 0; c < 6; c++)
            for (uint32_t n = 0; n < subject->block; n++)
                packet->value[c][n] = (float)wave(c, k * subject->block + n);
    }
    return true;
}

/* Of this thread: a machine that is busy with other things does not change it by more than its caches. */
static int64_t spent_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One block for every meter. */
static void round_of(struct subject *subject, uint64_t number)
{
    struct samples *packet = &subject->packet[number % PACKETS_KEPT];

    packet->t0_ns = (int64_t)(number * subject->block * (1000000000 / RATE_HZ));
    for (uint32_t m = 0; m < subject->meters; m++) {
        wave_expect(&subject->wave[m], packet->count);  /* as a lane does */
        if (measure_meter_samples(&subject->meter[m], packet, subject->out))
            abort();                /* what is measured would be nothing */
        double turn, cycles;

        measure_meter_turn(&subject->meter[m], &turn, &cycles);
        wave_write(&subject->wave[m], packet, turn, cycles);
        subject->readings += subject->out->cycles_count;
        subject->events += subject->out->events;
        subject->ticks += subject->out->ticks;
    }
}

/* The second thread: one pass over all meters after the other, as long as there is something new. */
static void *work_out(void *argument)
{
    struct subject *subject = argument;
    struct spectra_distortion distortion;
    struct spectra_window window;

    while (!atomic_load(&subject->stop)) {
        uint64_t written = atomic_load(&subject->rounds);
        int64_t before_ns = spent_ns();

        if (written == atomic_load(&subject->seen)) {
            sched_yield();
            continue;
        }
        for (uint32_t m = 0; m < subject->meters; m++)
            for (uint32_t done = 1; done;) {
                done = spectra_meter_next(&subject->spectra[m], &subject->plan, &subject->work,
                                          &subject->wave[m], &distortion, &window);
                subject->cycles += done & SPECTRA_CYCLE;
                subject->windows += (done & SPECTRA_WINDOW) != 0;
            }
        subject->spectra_ns += (uint64_t)(spent_ns() - before_ns);
        atomic_store(&subject->seen, written);
    }
    return NULL;
}

static void wait_for_second(const struct subject *subject)
{
    while ((atomic_load(&subject->rounds) - atomic_load(&subject->seen)) * subject->block > AHEAD_SAMPLES)
        sched_yield();
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct bench_report *report, struct subject *subject, double seconds)
{
    static double took_ns[ROUNDS_MAX];
    uint32_t rounds = 0;
    char name[32];
    int64_t begun_ns = spent_ns(), now_ns = begun_ns;

    subject->readings = subject->events = subject->ticks = 0;
    for (uint64_t number = 0; rounds < ROUNDS_MAX; number++) {
        wait_for_second(subject);
        int64_t before_ns = spent_ns();

        round_of(subject, number);
        now_ns = spent_ns();
        atomic_store(&subject->rounds, number + 1);
        took_ns[rounds++] = (double)(now_ns - before_ns) / subject->meters;
        if (rounds >= ROUNDS_MIN && (double)(now_ns - begun_ns) > seconds * 1e9)
            break;
    }
    qsort(took_ns, rounds, sizeof *took_ns, by_size);
    double median_ns = took_ns[rounds / 2], packets_per_s = (double)RATE_HZ / subject->block;

    snprintf(name, sizeof name, "block_%u", subject->block);
    bench_open(report, name);
    bench_number(report, "ns_per_packet", median_ns);
    bench_number(report, "ns_per_packet_p10", took_ns[rounds / 10]);
    bench_number(report, "ns_per_packet_p90", took_ns[rounds * 9 / 10]);
    bench_number(report, "ns_per_sample", median_ns / subject->block);
    bench_number(report, "meters_per_core", 1e9 / (median_ns * packets_per_s));
    bench_count(report, "rounds", rounds);
    bench_count(report, "ticks", subject->ticks);
    bench_count(report, "readings", subject->readings);
    bench_count(report, "events", subject->events);
    bench_close(report);
}

static void report_spectra(struct bench_report *report, const struct subject *subject)
{
    double us = (double)subject->spectra_ns * 1e-3 / (double)subject->windows;
    uint64_t overtaken = 0;

    for (uint32_t m = 0; m < subject->meters; m++)
        overtaken += subject->spectra[m].overtaken;
    bench_open(report, subject->block == 8 ? "spectra_block_8" : "spectra_block_64");
    bench_number(report, "us_per_window", us);
    bench_number(report, "meters_per_core", 0.2e6 / us);
    bench_count(report, "cycles", subject->cycles);
    bench_count(report, "windows", subject->windows);
    bench_count(report, "overtaken", overtaken);
    bench_count(report, "state_bytes", sizeof *subject->spectra);
    bench_count(report, "wave_bytes", wave_bytes(6, WAVE_SAMPLES));
    bench_close(report);
}

static bool measure_beside(struct bench_report *report, struct subject *subject, double seconds)
{
    pthread_t second;

    subject->cycles = subject->windows = subject->spectra_ns = 0;
    atomic_store(&subject->rounds, 0);
    atomic_store(&subject->seen, 0);
    atomic_store(&subject->stop, false);
    if (pthread_create(&second, NULL, work_out, subject))
        return false;
    measure(report, subject, seconds);
    atomic_store(&subject->stop, true);
    pthread_join(second, NULL);
    report_spectra(report, subject);
    return true;
}

int main(int argc, char **argv)
{
    static const uint32_t blocks[] = {8, 64};
    struct subject subject = {.meters = 1000};
    struct bench_report report;
    double seconds = 2;
    bool json = false;

    for (int k = 1; k < argc; k++)
        if (!strcmp(argv[k], "--json")) {
            json = true;
        } else if (k + 1 < argc && !strcmp(argv[k], "--meters")) {
            subject.meters = (uint32_t)strtoul(argv[++k], NULL, 10);
        } else if (k + 1 < argc && !strcmp(argv[k], "--seconds")) {
            seconds = strtod(argv[++k], NULL);
        } else {
            fprintf(stderr, "usage: measure [--json] [--meters N] [--seconds S]\n");
            return 2;
        }
    subject.meter = calloc(subject.meters, sizeof *subject.meter);
    subject.wave = aligned_alloc(64, subject.meters * sizeof *subject.wave);
    subject.spectra = calloc(subject.meters, sizeof *subject.spectra);
    subject.packet = calloc(PACKETS_KEPT, sizeof *subject.packet);
    subject.out = calloc(1, sizeof *subject.out);
    if (!subject.meters || !subject.meter || !subject.packet || !subject.out || !subject.wave ||
        !subject.spectra || spectra_plan_open(&subject.plan, RATE_HZ, 60) || spectra_work_open(&subject.work))
        return 1;
    memset(subject.wave, 0, subject.meters * sizeof *subject.wave);
    bench_begin(&report, json, "measure");
    bench_count(&report, "meters", subject.meters);
    bench_count(&report, "state_bytes", sizeof *subject.meter);
    for (uint32_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
        subject.block = blocks[k];
        if (!make(&subject) || !measure_beside(&report, &subject, seconds))
            return 1;
    }
    bench_end(&report);
    for (uint32_t m = 0; m < subject.meters; m++)
        free(subject.wave[m].word);
    free(subject.wave);
    free(subject.spectra);
    spectra_work_close(&subject.work);
    spectra_plan_close(&subject.plan);
    free(subject.meter);
    free(subject.packet);
    free(subject.out);
    return 0;
}
