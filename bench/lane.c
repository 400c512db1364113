/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane [--json] [--seconds N] [--check]: from a meter's packet to its readings in the lane's queue, for each
 * protocol: a hundred meters, a state of their own for each, samples also into their waves. A round is a
 * packet of every meter, made beforehand; a figure is the median of rounds, in time of this processor. In
 * every run each packet has to be accepted, and readings have to come as they are due; --check plays two
 * seconds of each protocol for that alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tests/unit/loop/rig.h"
#include "bench/lane_packets.h"
#include "bench/report.h"

enum { PLACES = 1024, WAVE_SAMPLES = 4096, ROUNDS_MAX = 100000, SETTLE_S = 1,
       LATE_NS = 200000 };

struct bed {
    struct site whole;
    struct model_node node[PACKETS_METERS];
    struct model_meter meter[PACKETS_METERS];
    struct site_meter said[PACKETS_METERS];
    struct timebase base;
    struct view view;
    struct seqlock shown[PACKETS_METERS], stale[PACKETS_METERS];
    struct sender sender[PACKETS_METERS];
    struct replay_window window[PACKETS_METERS];
    struct age age[PACKETS_METERS];
    struct meter_names names;
    void *places;
    struct lane lane;
    struct lane_meters meters;
    struct lane_work work;
    struct wave wave[PACKETS_METERS];
    void *memory;
    struct port_frame frame[PACKETS_METERS];
    uint8_t room[PACKETS_METERS][PACKETS_ROOM];
    double took_ns[ROUNDS_MAX];
    uint32_t rounds;
    uint64_t sent, accepted, readings, unsure;
};

static int64_t spent_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void make_model(struct bed *bed)
{
    bed->whole.model = (struct model){.mode = MODE_ENFORCE, .node_count = PACKETS_METERS,
                                      .meter_count = PACKETS_METERS, .node = bed->node, .meter = bed->meter};
    bed->whole.meter = bed->said;
    for (uint32_t m = 0; m < PACKETS_METERS; m++) {
        snprintf(bed->meter[m].name, NAME_BYTES, "m-%u", m);
        bed->node[m].phases = PHASES;
        bed->meter[m].node = (uint16_t)m;
        bed->meter[m].period_ns = NS_PER_S / 60 + 1;
        bed->meter[m].fresh_ns = 100 * NS_PER_MS;
    }
}

static bool make_waves(struct bed *bed)
{
    for (uint32_t m = 0; m < PACKETS_METERS; m++) {
        void *memory = aligned_alloc(CACHE_LINE, wave_bytes(6, WAVE_SAMPLES));

        if (!memory || wave_init(&bed->wave[m], memory, 6, WAVE_SAMPLES))
            return false;
    }
    return true;
}

static bool begin(struct bed *bed, const struct packets_kind *kind)
{
    make_model(bed);
    for (uint32_t m = 0; m < PACKETS_METERS; m++)
        packets_said(kind, m, &bed->said[m]);
    rig_clock_init(&bed->base, PACKETS_START_NS);
    bed->places = calloc(1, meter_names_bytes(&bed->whole.model));
    if (!bed->places)
        return false;
    meter_names_init(&bed->names, bed->places, &bed->whole.model);
    bed->view.meter = bed->shown;
    bed->view.stale = bed->stale;
    bed->lane = (struct lane){
        .model = &bed->whole.model, .base = &bed->base, .names = &bed->names, .view = &bed->view,
        .local = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001},
        .kinds = 1U << FRAME_MEASUREMENT, .out = rig_queue(SLOT_BYTES, PLACES), .age = bed->age,
        .meter_sender = bed->sender, .meter_window = bed->window};
    size_t bytes = lane_meters_bytes(&bed->whole);

    if (!bytes)
        return true;
    bed->memory = aligned_alloc(CACHE_LINE, (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (!bed->memory || !make_waves(bed))
        return false;
    lane_meters_init(&bed->meters, bed->memory, &bed->whole);
    bed->meters.wave = bed->wave;
    bed->lane.meters = &bed->meters;
    bed->lane.work = &bed->work;
    return true;
}

static void end(struct bed *bed)
{
    rig_queue_drop(bed->lane.out);
    for (uint32_t m = 0; m < PACKETS_METERS; m++)
        free(bed->wave[m].word);
    free(bed->places);
    free(bed->memory);
    free(bed);
}

static void drain(struct bed *bed, bool counts)
{
    for (const struct slot *slot; (slot = spsc_peek(bed->lane.out)) != NULL; spsc_release(bed->lane.out)) {
        bool reading = counts && slot->kind == SLOT_READING;

        bed->readings += reading;
        bed->unsure += reading && slot->reading.flags & READING_UNSURE;
    }
    bed->lane.depth = 0;
}

static void configure(struct bed *bed)
{
    rig_clock_set(&bed->base, PACKETS_START_NS);
    for (uint32_t m = 0; m < PACKETS_METERS; m++) {
        struct port_frame frame = packets_config(m, bed->room[m]);

        bed->accepted += lane_frame(&bed->lane, &frame, PACKETS_START_NS) == ACCEPTED;
        bed->sent++;
    }
}

/* A packet of every meter; they come 0.2 ms behind their last sample. */
static void round_of(struct bed *bed, const struct packets_kind *kind, uint32_t number, bool counts)
{
    struct samples samples;
    int64_t t_ns = PACKETS_START_NS + packets_at_ns(kind, number + 1) + LATE_NS;

    packets_samples(kind, number, &samples);
    for (uint32_t m = 0; m < PACKETS_METERS; m++)
        bed->frame[m] = kind->make(kind, &samples, m, number, bed->room[m]);
    rig_clock_set(&bed->base, t_ns);
    int64_t before_ns = spent_ns();

    for (uint32_t m = 0; m < PACKETS_METERS; m++)
        bed->accepted += lane_frame(&bed->lane, &bed->frame[m], t_ns) == ACCEPTED;
    if (counts && bed->rounds < ROUNDS_MAX)
        bed->took_ns[bed->rounds++] = (double)(spent_ns() - before_ns) / PACKETS_METERS;
    bed->sent += PACKETS_METERS;
    drain(bed, counts);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of samples a reading each cycle, give or take one; of others one each packet. None is unsure. */
static bool is_as_due(const struct bed *bed, const struct packets_kind *kind, uint32_t seconds)
{
    uint64_t each = (uint64_t)(kind->samples > 1 ? 60 : kind->rate_hz) * seconds;
    uint64_t least = (each - 1) * PACKETS_METERS, most = (each + 1) * PACKETS_METERS;
    bool due = bed->accepted == bed->sent && !bed->unsure && bed->readings >= least && bed->readings <= most;

    if (!due)
        fprintf(stderr, "lane: %s: %" PRIu64 " of %" PRIu64 " packets accepted, %" PRIu64 " readings (%"
                PRIu64 " to %" PRIu64 "), %" PRIu64 " unsure\n",
                kind->name, bed->accepted, bed->sent, bed->readings, least, most, bed->unsure);
    return due;
}

static void report_kind(struct bench_report *report, struct bed *bed, const struct packets_kind *kind)
{
    qsort(bed->took_ns, bed->rounds, sizeof *bed->took_ns, by_size);
    double median_ns = bed->took_ns[bed->rounds / 2];

    bench_open(report, kind->name);
    bench_number(report, "ns_per_packet", median_ns);
    bench_number(report, "ns_per_packet_p10", bed->took_ns[bed->rounds / 10]);
    bench_number(report, "ns_per_packet_p90", bed->took_ns[bed->rounds * 9ULL / 10]);
    bench_number(report, "meters_per_core", 1e9 * kind->samples / (median_ns * kind->rate_hz));
    bench_count(report, "rounds", bed->rounds);
    bench_count(report, "readings", bed->readings);
    bench_close(report);
}

static bool measure(struct bench_report *report, const struct packets_kind *kind, uint32_t seconds)
{
    struct bed *bed = calloc(1, sizeof *bed);
    uint32_t settled = SETTLE_S * kind->rate_hz / kind->samples;

    if (!bed || !begin(bed, kind))
        return false;
    if (kind->protocol == PROTOCOL_C37118)
        configure(bed);
    for (uint32_t n = 0; n < settled + seconds * kind->rate_hz / kind->samples; n++)
        round_of(bed, kind, n, n >= settled);
    bool due = is_as_due(bed, kind, seconds);

    report_kind(report, bed, kind);
    end(bed);
    return due;
}

int main(int argc, char **argv)
{
    struct bench_report report;
    uint32_t seconds = 10;
    bool json = false, good = true;

    for (int k = 1; k < argc; k++)
        if (!strcmp(argv[k], "--json")) {
            json = true;
        } else if (!strcmp(argv[k], "--check")) {
            seconds = 1;
        } else if (k + 1 < argc && !strcmp(argv[k], "--seconds") && atoi(argv[k + 1]) > 0) {
            seconds = (uint32_t)atoi(argv[++k]);
        } else {
            fprintf(stderr, "usage: lane [--json] [--seconds N] [--check]\n");
            return 2;
        }
    bench_begin(&report, json, "lane");
    bench_count(&report, "meters", PACKETS_METERS);
    for (uint32_t k = 0; k < PACKETS_KINDS; k++)
        good &= measure(&report, &packets_kind[k], seconds);
    bench_end(&report);
    return good ? 0 : 1;
}
