/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision in memory, over a hall of 10,000 hosts: a reading and a report from bytes to lease bytes, an
 * arbitration and its parts, and an emergency that comes in the middle of an arbitration against one that
 * comes in quiet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bytes.h"
#include "bench/hall.h"
#include "bench/report.h"
#include "wire/cap.h"

enum { SEED = 20261120, READING_ROUNDS = 200, REPORT_ROUNDS = 40 };

struct work {
    struct hall hall;
    uint32_t random;
    uint8_t (*reading)[1024];           /* a frame per meter */
    uint32_t *reading_bytes;
    struct replay_window *window;
    uint64_t sequence;
    struct histogram reading_mean, report_mean;     /* one sample a round: its mean per reading or report */
    struct histogram tick, part, idle, busy;
};

static uint32_t next_random(struct work *work)
{
    work->random = work->random * 1664525u + 1013904223u;
    return work->random >> 8;
}

static int64_t random_draw(uint32_t host, void *context)
{
    struct work *work = context;
    (void)host;
    return 2500000 + next_random(work) % 7300000;
}

/* Every meter of this hall has the index of its node. */
static uint32_t reading_at(const struct work *work, uint8_t *data, uint32_t meter, uint64_t sequence,
                           int64_t percent)
{
    double amperes = (double)work->hall.model.node[meter].steady_ma / 1000 * (double)percent / 100;
    return bytes_of_reading(data, work->hall.model.meter[meter].name, sequence, NS_PER_S, amperes);
}

static double readings(struct work *work, int rounds)
{
    int64_t spent_ns = 0;
    for (int round = 0; round < rounds; round++) {
        for (uint32_t meter = 0; meter < HALL_METERS; meter++)
            work->reading_bytes[meter] =
                reading_at(work, work->reading[meter], meter, (uint64_t)round + 1, 40 + round % 20);
        int64_t start_ns = bench_now_ns();
        for (uint32_t meter = 0; meter < HALL_METERS; meter++) {
            struct slot slot = {0};
            if (!bytes_to_slot(&work->hall.model, work->window, meter, work->reading[meter],
                               work->reading_bytes[meter], &slot))
                abort();
            hall_step(&work->hall, &slot);
            bytes_of_leases(&work->hall);
        }
        int64_t round_ns = bench_now_ns() - start_ns;
        histogram_record(&work->reading_mean, (uint64_t)round_ns / HALL_METERS);
        spent_ns += round_ns;
        work->hall.t_ns += 16 * NS_PER_MS;
    }
    return (double)spent_ns / rounds / HALL_METERS;
}

static double reports(struct work *work, int rounds)
{
    static uint8_t data[HALL_HOSTS][256];
    static uint32_t bytes[HALL_HOSTS];
    int64_t spent_ns = 0;
    for (int round = 0; round < rounds; round++) {
        for (uint32_t host = 0; host < HALL_HOSTS; host++) {
            work->hall.report[host].number++;
            bytes[host] = report_encode(&work->hall.report[host], data[host], sizeof data[host]);
        }
        int64_t start_ns = bench_now_ns();
        for (uint32_t host = 0; host < HALL_HOSTS; host++) {
            struct slot slot = {.kind = SLOT_REPORT};
            if (report_decode(data[host], bytes[host], &slot.report))
                abort();
            slot.report.host = host;
            hall_step(&work->hall, &slot);
            bytes_of_leases(&work->hall);
        }
        int64_t round_ns = bench_now_ns() - start_ns;
        histogram_record(&work->report_mean, (uint64_t)round_ns / HALL_HOSTS);
        spent_ns += round_ns;
        work->hall.t_ns += 20 * NS_PER_MS;
    }
    return (double)spent_ns / rounds / HALL_HOSTS;
}

static uint32_t ticks(struct work *work, int rounds)
{
    uint32_t parts = 0;
    for (int round = 0; round < rounds; round++) {
        hall_reports(&work->hall, random_draw, work);
        work->hall.t_ns += 20 * NS_PER_MS;
        int64_t begin_ns = bench_now_ns(), spent_ns = 0;
        struct slot slot = {.kind = SLOT_TICK};
        do {
            hall_step(&work->hall, &slot);
            int64_t end_ns = bench_now_ns();
            histogram_record(&work->part, (uint64_t)(end_ns - begin_ns));
            spent_ns += end_ns - begin_ns;
            parts++;
            slot.kind = SLOT_TICK_PART;
            begin_ns = bench_now_ns();
        } while (pipeline_tick_open(work->hall.core));
        histogram_record(&work->tick, (uint64_t)spent_ns);
    }
    return parts / (uint32_t)rounds;
}

static void finish_tick(struct work *work)
{
    struct slot part = {.kind = SLOT_TICK_PART};
    while (pipeline_tick_open(work->hall.core))
        hall_step(&work->hall, &part);
}

static void step_reading(struct work *work, uint32_t meter, const uint8_t *data, uint32_t bytes)
{
    struct slot slot = {0};
    if (!bytes_to_slot(&work->hall.model, work->window, meter, data, bytes, &slot))
        abort();
    hall_step(&work->hall, &slot);
}

/* The reading arrives as a part begins, the worst moment: it waits for that part, then cuts 16 hosts. */
static void emergency_once(struct work *work, uint32_t meter, bool busy)
{
    uint8_t data[1024];
    uint32_t bytes = reading_at(work, data, meter, ++work->sequence, 110);
    struct slot tick = {.kind = SLOT_TICK}, part = {.kind = SLOT_TICK_PART};
    hall_step(&work->hall, &tick);
    for (uint32_t parts = next_random(work) % 1500; parts && pipeline_tick_open(work->hall.core); parts--)
        hall_step(&work->hall, &part);
    if (!busy)
        finish_tick(work);
    int64_t start_ns = bench_now_ns();
    if (pipeline_tick_open(work->hall.core))
        hall_step(&work->hall, &part);
    step_reading(work, meter, data, bytes);
    if (work->hall.outbox.count != HALL_HOSTS / HALL_BRANCHES)
        abort();                /* every host below the branch is cut, in the same slot */
    bytes_of_leases(&work->hall);
    histogram_record(busy ? &work->busy : &work->idle, (uint64_t)(bench_now_ns() - start_ns));
    finish_tick(work);
}

/* Measured low for over a second, every emergency ends; then hosts report and are raised again. */
static void calm_down(struct work *work)
{
    for (int again = 0; again < 2; again++) {
        for (uint32_t meter = HALL_FIRST_BRANCH; meter < HALL_FIRST_BRANCH + HALL_BRANCHES; meter++) {
            uint8_t data[1024];
            uint32_t bytes = reading_at(work, data, meter, ++work->sequence, 30);
            step_reading(work, meter, data, bytes);
        }
        work->hall.t_ns += 1100 * NS_PER_MS;
    }
    for (int round = 0; round < 4; round++) {
        hall_reports(&work->hall, random_draw, work);
        hall_tick(&work->hall);
        work->hall.t_ns += 20 * NS_PER_MS;
    }
}

/* In turn, branch by branch, so that both see the same noise. */
static void emergencies(struct work *work, int rounds)
{
    work->sequence = 1000000;
    for (int round = 0; round < rounds; round++) {
        for (uint32_t branch = 0; branch < HALL_BRANCHES; branch++)
            emergency_once(work, HALL_FIRST_BRANCH + branch, branch % 2);
        calm_down(work);
    }
}

static void open_work(struct work *work, bool curves)
{
    memset(work, 0, sizeof *work);
    work->random = SEED;
    hall_open(&work->hall, curves);
    work->reading = calloc(HALL_METERS, sizeof *work->reading);
    work->reading_bytes = calloc(HALL_METERS, sizeof *work->reading_bytes);
    work->window = calloc(HALL_METERS, sizeof *work->window);
    hall_warm_up(&work->hall);
}

static void close_work(struct work *work)
{
    hall_close(&work->hall);
    free(work->reading);
    free(work->reading_bytes);
    free(work->window);
}

int main(int argc, char **argv)
{
    bool json = false, curves = true;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!strcmp(argv[i], "--no-curves"))
            curves = false;
        else
            return fputs("usage: pipeline [--json] [--no-curves]\n", stderr), 2;
    }
    static struct work work;
    struct bench_report report;
    int64_t start_ns = bench_now_ns();
    open_work(&work, curves);
    double ns_per_reading = readings(&work, READING_ROUNDS), ns_per_report = reports(&work, REPORT_ROUNDS);
    uint32_t parts = ticks(&work, 200);
    emergencies(&work, 16);
    bench_begin(&report, json, PIPELINE_NAME);
    bench_text(&report, "driver", "memory");
    bench_count(&report, "seed", SEED);
    bench_count(&report, "n", READING_ROUNDS * HALL_METERS);
    bench_count(&report, "hosts", HALL_HOSTS);
    bench_count(&report, "meters", HALL_METERS);
    bench_count(&report, "racks", HALL_RACKS);
    bench_count(&report, "curves", curves ? HALL_METERS : 0);
    bench_number(&report, "ns_per_reading", ns_per_reading);
    bench_number(&report, "ns_per_report", ns_per_report);
    bench_count(&report, "tick_n", work.tick.count);
    bench_number(&report, "tick_ms_p50", (double)histogram_quantile(&work.tick, 0.5) / 1e6);
    bench_number(&report, "tick_ms_p99", (double)histogram_quantile(&work.tick, 0.99) / 1e6);
    bench_count(&report, "tick_parts", parts);
    bench_number(&report, "tick_part_us_p50", (double)histogram_quantile(&work.part, 0.5) / 1e3);
    bench_number(&report, "tick_part_us_p999", (double)histogram_quantile(&work.part, 0.999) / 1e3);
    bench_count(&report, "emergency_n", work.busy.count);
    bench_number(&report, "emergency_idle_us_p50", (double)histogram_quantile(&work.idle, 0.5) / 1e3);
    bench_number(&report, "emergency_idle_us_p999", (double)histogram_quantile(&work.idle, 0.999) / 1e3);
    bench_number(&report, "emergency_us_p50", (double)histogram_quantile(&work.busy, 0.5) / 1e3);
    bench_number(&report, "emergency_us_p999", (double)histogram_quantile(&work.busy, 0.999) / 1e3);
    bench_count(&report, "invariant_failures", core_counters(work.hall.core)->invariant_failures);
    bench_number(&report, "core_mib", (double)core_bytes(&work.hall.model) / 1048576.0);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_histogram(&report, "reading_round_mean_ns", &work.reading_mean);
    bench_histogram(&report, "report_round_mean_ns", &work.report_mean);
    bench_histogram(&report, "tick_ns", &work.tick);
    bench_histogram(&report, "tick_part_ns", &work.part);
    bench_histogram(&report, "emergency_idle_ns", &work.idle);
    bench_histogram(&report, "emergency_ns", &work.busy);
    bench_end(&report);
    close_work(&work);
    return 0;
}
