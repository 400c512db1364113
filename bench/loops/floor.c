/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/floor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt/clock.h"

enum { GAPS_MAX = 1 << 21, CYCLE_US = 200, LATEST_US = 60000 };

static int open_gaps(struct floor_gaps *gaps)
{
    struct hiccups *hiccups = &gaps->hiccups;
    *hiccups = (struct hiccups){.room = GAPS_MAX, .gap_ns = calloc(GAPS_MAX, sizeof *hiccups->gap_ns)};
    if (!hiccups->gap_ns)
        return -ENOMEM;
    memset(hiccups->gap_ns, 1, GAPS_MAX * sizeof *hiccups->gap_ns);
    return 0;
}

int floor_open(struct floor *floor)
{
    *floor = (struct floor){0};
    int error = open_gaps(&floor->alone);
    return error ? error : open_gaps(&floor->beside);
}

void floor_close(struct floor *floor)
{
    free(floor->alone.hiccups.gap_ns);
    free(floor->beside.hiccups.gap_ns);
}

struct gap_job {
    struct hiccups *hiccups;
    int64_t span_ns;
};

static void meter(struct worker *worker, void *argument)
{
    const struct gap_job *job = argument;
    (void)worker;
    hiccup_run(job->hiccups, job->span_ns);
}

static void rest(int64_t span_ns)
{
    const struct timespec span = {.tv_sec = span_ns / NS_PER_S, .tv_nsec = span_ns % NS_PER_S};
    nanosleep(&span, NULL);
}

void floor_hiccups(struct floor_gaps *gaps, struct worker *worker, int64_t span_ns)
{
    struct gap_job job = {.hiccups = &gaps->hiccups, .span_ns = span_ns};
    uint32_t before = gaps->hiccups.count;
    worker_begin(worker, meter, &job);
    rest(span_ns);
    while (!worker_end(worker))
        continue;
    for (uint32_t i = before; i < gaps->hiccups.count; i++)
        histogram_record(&gaps->gaps, gaps->hiccups.gap_ns[i]);
}

/* "000012 000034": 34 wake-ups came 12 us late. What is later than the histogram has room for is told in
 * "# Max Latencies" and "# Histogram Overflows". */
static uint64_t read_cyclictest(struct floor *floor, FILE *from)
{
    char line[4096];
    unsigned long us, count, longest = 0, over = 0;
    uint64_t seen = 0;
    while (fgets(line, sizeof line, from)) {
        if (sscanf(line, "# Max Latencies: %lu", &longest) == 1 ||
            sscanf(line, "# Histogram Overflows: %lu", &over) == 1 || line[0] == '#' ||
            sscanf(line, "%lu %lu", &us, &count) != 2)
            continue;
        for (seen += count; count; count--)
            histogram_record(&floor->late, us * 1000);
    }
    for (seen += over; over; over--)
        histogram_record(&floor->late, longest * 1000);
    return seen;
}

void floor_cyclictest(struct floor *floor, int64_t span_ns)
{
    char command[256];
    if (floor->why[0])
        return;
    snprintf(command, sizeof command, "chrt -o 0 cyclictest -q -m -p%d -a%d -t1 -i%d -l%lld -h%d 2>/dev/null",
             RECEIVING_PRIORITY, RECEIVING_CORE, CYCLE_US, (long long)(span_ns / (CYCLE_US * NS_PER_US)),
             LATEST_US);
    FILE *from = popen(command, "re");
    uint64_t seen = from ? read_cyclictest(floor, from) : 0;
    int status = from ? pclose(from) : -1;
    if (status || !seen)
        snprintf(floor->why, sizeof floor->why, "cyclictest (Debian package rt-tests) is not there or may "
                 "not run: exit status %d", status);
    floor->cyclictest_blocks += seen != 0;
}

static void print_waits(struct hiccups *hiccups, struct bench_report *report)
{
    bench_number(report, "p50_us", (double)hiccup_wait_ns(hiccups, 0.5) / 1e3);
    bench_number(report, "p99_us", (double)hiccup_wait_ns(hiccups, 0.99) / 1e3);
    bench_number(report, "p999_us", (double)hiccup_wait_ns(hiccups, 0.999) / 1e3);
    bench_number(report, "max_us", (double)hiccups->longest_ns / 1e3);
}

static void print_hiccups(struct floor_gaps *gaps, const char *key, struct bench_report *report)
{
    struct hiccups *hiccups = &gaps->hiccups;
    double span_ns = hiccups->span_ns ? (double)hiccups->span_ns : 1;
    bench_open(report, key);
    bench_text(report, "what", "what an event must wait that comes at a random moment: gaps of a busy poll");
    bench_count(report, "n", hiccups->seen);
    bench_number(report, "span_s", span_ns / 1e9);
    bench_number(report, "lost_share", (double)hiccups->lost_ns / span_ns);
    print_waits(hiccups, report);
    bench_histogram(report, "gap_ns", &gaps->gaps);
    bench_close(report);
}

static void print_cyclictest(const struct floor *floor, struct bench_report *report)
{
    const struct histogram *late = &floor->late;
    bench_open(report, "cyclictest");
    if (floor->why[0])
        bench_text(report, "why", floor->why);
    bench_text(report, "what", "how late a sleeping thread comes back; whole microseconds");
    bench_count(report, "n", late->count);
    bench_number(report, "p50_us", (double)histogram_quantile(late, 0.5) / 1e3);
    bench_number(report, "p99_us", (double)histogram_quantile(late, 0.99) / 1e3);
    bench_number(report, "p999_us", (double)histogram_quantile(late, 0.999) / 1e3);
    bench_number(report, "max_us", (double)late->max_ns / 1e3);
    bench_histogram(report, "ns", late);
    bench_close(report);
}

void floor_print(struct floor *floor, struct bench_report *report)
{
    bench_open(report, "floor");
    print_hiccups(&floor->alone, "hiccup", report);
    print_hiccups(&floor->beside, "hiccup_neighbour", report);
    print_cyclictest(floor, report);
    bench_close(report);
}
