/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision with everything on, from bytes to bytes: bench/estate, whose hosts want more than its limits
 * carry and change their minds. In rounds of 20 ms every meter reads, a fifth of the hosts report, and an
 * arbitration runs through all its parts; each kind is timed by itself. Two builds that decide alike print
 * the same digest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bytes.h"
#include "bench/estate.h"
#include "bench/report.h"
#include "wire/cap.h"

enum { SEED = 20261121, ROUNDS = 300, WARM_ROUNDS = 60, REPORT_EVERY = 5, ROUND_MS = 20 };

struct work {
    struct hall hall;
    uint32_t random, round;
    int64_t wish_mw[HALL_HOSTS];
    int64_t wish_until_ns[HALL_HOSTS];
    double amperes[ESTATE_METERS];
    uint8_t reading[ESTATE_METERS][1024];
    uint32_t reading_bytes[ESTATE_METERS];
    struct replay_window window[ESTATE_METERS];
    uint8_t report[HALL_HOSTS / REPORT_EVERY][256];
    uint32_t report_bytes[HALL_HOSTS / REPORT_EVERY];
    struct histogram reading_mean, report_mean, tick, part;     /* one mean a round; a tick's sum; a part */
    int64_t readings_ns, reports_ns;
    uint64_t parts, leases, raises, cuts, withheld;     /* counted over the timed rounds */
};

static uint32_t next_random(struct work *work)
{
    work->random = work->random * 1664525u + 1013904223u;
    return work->random >> 8;
}

static void one_reading(struct work *work, uint32_t meter)
{
    struct slot slot = {0};
    if (!bytes_to_slot(&work->hall.model, work->window, meter, work->reading[meter],
                       work->reading_bytes[meter], &slot))
        abort();
    slot.reading.t_arrival_ns = work->hall.t_ns;
    hall_step(&work->hall, &slot);
    bytes_of_leases(&work->hall);
}

static void readings(struct work *work)
{
    estate_amperes(&work->hall, work->amperes);
    for (uint32_t meter = 0; meter < ESTATE_METERS; meter++)
        work->reading_bytes[meter] =
            bytes_of_reading(work->reading[meter], work->hall.model.meter[meter].name, work->round + 1,
                             work->hall.t_ns, work->amperes[meter]);
    int64_t start_ns = bench_now_ns();
    for (uint32_t meter = 0; meter < ESTATE_METERS; meter++)
        one_reading(work, meter);
    int64_t spent_ns = bench_now_ns() - start_ns;
    histogram_record(&work->reading_mean, (uint64_t)spent_ns / ESTATE_METERS);
    work->readings_ns += spent_ns;
}

/* A host wants something else every half to two seconds, and two per cent more or less at every report. */
static void use_power(struct work *work, uint32_t host)
{
    struct report *report = &work->hall.report[host];
    const struct model_host_type *type = &work->hall.model.type[0];
    if (work->hall.t_ns >= work->wish_until_ns[host]) {
        work->wish_mw[host] = 2500000 + next_random(work) % 7300000;
        work->wish_until_ns[host] = work->hall.t_ns + (500 + next_random(work) % 1500) * NS_PER_MS;
    }
    int64_t want_mw = work->wish_mw[host] / 1000 * (980 + next_random(work) % 40);
    int64_t most_mw = report->cap_mw * 100 / 96 + type->base_max_mw;
    report->number++;
    report->flags = want_mw > most_mw ? REPORT_AT_CAP : 0;
    report->draw_mw = want_mw > most_mw ? most_mw : want_mw;
}

static void take_report(const struct work *work, uint32_t i, struct slot *slot)
{
    *slot = (struct slot){.kind = SLOT_REPORT};
    if (report_decode(work->report[i], work->report_bytes[i], &slot->report))
        abort();
    slot->report.host = work->round % REPORT_EVERY + i * REPORT_EVERY;
}

/* As decide does it, a report is decided on while the next one stands in the queue. */
static void reports(struct work *work)
{
    uint32_t first = work->round % REPORT_EVERY, count = HALL_HOSTS / REPORT_EVERY;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t host = first + i * REPORT_EVERY;
        use_power(work, host);
        work->report_bytes[i] =
            report_encode(&work->hall.report[host], work->report[i], sizeof work->report[i]);
    }
    int64_t start_ns = bench_now_ns();
    struct slot slot[2];
    take_report(work, 0, &slot[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + 1 < count) {
            take_report(work, i + 1, &slot[(i + 1) % 2]);
            pipeline_expect(work->hall.core, &slot[(i + 1) % 2]);
        }
        hall_step(&work->hall, &slot[i % 2]);
        bytes_of_leases(&work->hall);
    }
    int64_t spent_ns = bench_now_ns() - start_ns;
    histogram_record(&work->report_mean, (uint64_t)spent_ns / count);
    work->reports_ns += spent_ns;
}

static void tick(struct work *work)
{
    int64_t spent_ns = 0;
    struct slot slot = {.kind = SLOT_TICK};
    do {
        int64_t begin_ns = bench_now_ns();
        hall_step(&work->hall, &slot);
        int64_t part_ns = bench_now_ns() - begin_ns;
        histogram_record(&work->part, (uint64_t)part_ns);
        spent_ns += part_ns;
        work->parts++;
        slot.kind = SLOT_TICK_PART;
    } while (pipeline_tick_open(work->hall.core));
    histogram_record(&work->tick, (uint64_t)spent_ns);
}

static void run(struct work *work, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++, work->round++) {
        readings(work);
        reports(work);
        tick(work);
        work->hall.t_ns += ROUND_MS * NS_PER_MS;
    }
}

/* What warming up took is none of the figures. */
static void forget(struct work *work)
{
    const struct core_counters *count = core_counters(work->hall.core);
    work->reading_mean = work->report_mean = work->tick = work->part = (struct histogram){0};
    work->readings_ns = work->reports_ns = 0;
    work->parts = 0;
    work->leases = count->leases;
    work->raises = count->raises;
    work->cuts = count->cuts;
    work->withheld = count->withheld_s + count->withheld_d;
}

static void print(struct work *work, bool json, int64_t start_ns)
{
    struct bench_report report;
    const struct core_counters *count = core_counters(work->hall.core);
    double report_n = (double)ROUNDS * HALL_HOSTS / REPORT_EVERY;
    bench_begin(&report, json, "ledger");
    bench_text(&report, "driver", "memory");
    bench_count(&report, "seed", SEED);
    bench_count(&report, "n", (uint64_t)ROUNDS * ESTATE_METERS);
    bench_count(&report, "hosts", HALL_HOSTS);
    bench_count(&report, "nodes", ESTATE_NODES);
    bench_count(&report, "contingencies", ESTATE_CONTINGENCIES);
    /* of the middle round: a guest that stands still for 50 ms is in the means */
    bench_number(&report, "ns_per_reading", (double)histogram_quantile(&work->reading_mean, 0.5));
    bench_number(&report, "ns_per_report", (double)histogram_quantile(&work->report_mean, 0.5));
    bench_number(&report, "ns_per_reading_mean", (double)work->readings_ns / ROUNDS / ESTATE_METERS);
    bench_number(&report, "ns_per_report_mean", (double)work->reports_ns / report_n);
    bench_number(&report, "tick_ms_p50", (double)histogram_quantile(&work->tick, 0.5) / 1e6);
    bench_number(&report, "tick_ms_p99", (double)histogram_quantile(&work->tick, 0.99) / 1e6);
    bench_count(&report, "tick_parts", work->parts / ROUNDS);
    bench_number(&report, "tick_part_us_p50", (double)histogram_quantile(&work->part, 0.5) / 1e3);
    bench_number(&report, "tick_part_us_p999", (double)histogram_quantile(&work->part, 0.999) / 1e3);
    bench_number(&report, "memory_mib", (double)core_bytes(&work->hall.model) / 1048576.0);
    bench_count(&report, "invariant_failures", count->invariant_failures);
    bench_number(&report, "leases_per_round", (double)(count->leases - work->leases) / ROUNDS);
    bench_number(&report, "raises_per_round", (double)(count->raises - work->raises) / ROUNDS);
    bench_number(&report, "cuts_per_round", (double)(count->cuts - work->cuts) / ROUNDS);
    bench_number(&report, "withheld_per_round",
                 (double)(count->withheld_s + count->withheld_d - work->withheld) / ROUNDS);
    bench_count(&report, "decisions_digest", work->hall.digest);
    bench_count(&report, "emergencies", count->emergencies);
    bench_count(&report, "recoveries", count->recoveries);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_histogram(&report, "reading_round_mean_ns", &work->reading_mean);
    bench_histogram(&report, "report_round_mean_ns", &work->report_mean);
    bench_histogram(&report, "tick_ns", &work->tick);
    bench_histogram(&report, "tick_part_ns", &work->part);
    bench_end(&report);
}

int main(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else
            return fputs("usage: ledger [--json]\n", stderr), 2;
    }
    static struct work work;
    int64_t start_ns = bench_now_ns();
    work.random = SEED;
    estate_open(&work.hall);
    hall_warm_up(&work.hall);
    run(&work, WARM_ROUNDS);
    forget(&work);
    run(&work, ROUNDS);
    print(&work, json, start_ns);
    bool sound = core_counters(work.hall.core)->invariant_failures == 0;
    hall_close(&work.hall);
    return sound ? 0 : 1;
}
