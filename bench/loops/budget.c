/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/budget.h"

#include <string.h>

/* domain.md 0.1. The software part ends where the GPU's own time begins. */
static const struct { const char *key; double ms; } paper[] = {
    {"detection_ms", 2.3}, {"edge_ms", 1.8}, {"rack_ms", 12.5}, {"cluster_ms", 18.7},
};
#define GPU_MS 15.2
#define TIMES_UNDER 300

static const char measured_row[] = "flyball-af_packet-auth";

static double us(const struct histogram *histogram, double q)
{
    return (double)histogram_quantile(histogram, q) / 1e3;
}

static double print_paper(struct bench_report *report)
{
    double sum_ms = 0;
    bench_open(report, "budget");
    for (size_t i = 0; i < sizeof paper / sizeof paper[0]; i++) {
        bench_number(report, paper[i].key, paper[i].ms);
        sum_ms += paper[i].ms;
    }
    bench_number(report, "software_ms", sum_ms);
    bench_number(report, "gpu_ms", GPU_MS);
    bench_close(report);
    return sum_ms;
}

static void print_software(struct bench_report *report, const struct tally *tally, double paper_ms)
{
    double first_us = us(&tally->part[PART_FIRST], 0.999), last_us = us(&tally->part[PART_LAST], 0.999);
    bench_open(report, "software");
    bench_text(report, "what",
               "frame in to cap frame out at p99.9, as an upper bound: from the client's send to "
               "its recv, noise, the client's calls and the wire both ways included");
    bench_count(report, "n", tally->part[PART_FIRST].count);
    bench_number(report, "bar_us", paper_ms * 1e3 / TIMES_UNDER);
    bench_number(report, "first_p999_us", first_us);
    bench_number(report, "last_p999_us", last_us);
    bench_number(report, "first_times_under", first_us > 0 ? paper_ms * 1e3 / first_us : 0);
    bench_number(report, "last_times_under", last_us > 0 ? paper_ms * 1e3 / last_us : 0);
    bench_close(report);
}

/* Of one contender's blocks alone: its name stands beside. */
static void print_stages(struct bench_report *report, const struct contender *contender)
{
    bench_text(report, "stage_of", contender->kind->name);
    bench_open(report, "stage");
    for (uint32_t i = 0; i < STAGES; i++)
        bench_histogram(report, stage_name(i), &contender->stages.took[i]);
    bench_close(report);
}

static void print_row(struct bench_report *report, const struct contender *contender, double paper_ms)
{
    print_software(report, &contender->tally, paper_ms);
    print_stages(report, contender);
}

void budget_print(struct bench_report *report, const struct harness *harness)
{
    double paper_ms = print_paper(report);
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (!strcmp(harness->contender[i].kind->name, measured_row) && harness->contender[i].tally.blocks)
            print_row(report, &harness->contender[i], paper_ms);
}
