/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure [--json] [--meters N] [--seconds S]: the chain from raw samples to readings and events, 8 kHz by
 * six channels, blocks of 8 and of 64 samples. Every meter has a state of its own, so it is fetched from
 * memory, and blocks of all meters come in turn, as they do on a lane; the samples, too, are read anew.
 * Everything is on: events, ticks, features, heat. A sample is a round over all meters, in time of the
 * processor (a lane has its core for itself); the figure is the median.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/report.h"
#include "core/measure_meter.h"

enum { RATE_HZ = 8000, PACKETS_KEPT = 50, ROUNDS_MAX = 20000, ROUNDS_MIN = 50 };
#define TWO_PI 6.283185307179586

struct subject {
    uint32_t meters, block;
    struct measure_meter *meter;
    struct samples *packet;             /* whole cycles of one meter; all meters have the same */
    struct measure_out *out;
    uint64_t readings, events, ticks;
};

static double wave(uint32_t channel, uint32_t n)
{
    double turn = TWO_PI * (60.0 * n / RATE_HZ - channel % 3 / 3.0);

    if (channel < 3)
        return sqrt(2) * 277.128 * (sin(turn) + 0.02 * sin(5 * turn));
    return sqrt(2) * 600 * (sin(turn - 0.26) + 0.1 * sin(3 * turn) + 0.06 * sin(5 * turn));
}

static bool make(struct subject *subject)
{
    struct measure_config config = {.period_ps = 1000000000000 / RATE_HZ, .phases = 3, .channels = 6,
        .nominal_hz = 60, .voltage_v = 277.128, .sag = 0.9, .swell = 1.1, .interruption = 0.05,
        .hysteresis = 0.02, .peak_a = 2000, .slope_w_per_s = 50e6};

    for (uint32_t c = 0; c < 6; c++)
        config.gain[c] = 1;
    for (uint32_t m = 0; m < subject->meters; m++)
        if (measure_meter_init(&subject->meter[m], &config))
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
        if (measure_meter_samples(&subject->meter[m], packet, subject->out))
            abort();                /* what is measured would be nothing */
        subject->readings += subject->out->cycles_count;
        subject->events += subject->out->events;
        subject->ticks += subject->out->ticks;
    }
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
        int64_t before_ns = now_ns;

        round_of(subject, number);
        now_ns = spent_ns();
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
    subject.packet = calloc(PACKETS_KEPT, sizeof *subject.packet);
    subject.out = calloc(1, sizeof *subject.out);
    if (!subject.meters || !subject.meter || !subject.packet || !subject.out)
        return 1;
    bench_begin(&report, json, "measure");
    bench_count(&report, "meters", subject.meters);
    bench_count(&report, "state_bytes", sizeof *subject.meter);
    for (uint32_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
        subject.block = blocks[k];
        if (!make(&subject))
            return 1;
        measure(&report, &subject, seconds);
    }
    bench_end(&report);
    free(subject.meter);
    free(subject.packet);
    free(subject.out);
    return 0;
}
