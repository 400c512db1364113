/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's own noise on one core, as a thread of ordinary scheduling sees it: what bench/wire, which
 * watches a loop without real-time priority, takes off its worst moments before it asks who took the rest.
 * usage: gaps CORE SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "rt/hiccup.h"
#include "rt/thread.h"

enum { GAPS_MAX = 1 << 21, SECONDS_MAX = 3600, CORES_MAX = 4096 };

static long number(const char *text, long least, long most)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && value >= least && value <= most ? value : -1;
}

static void print(struct hiccups *hiccups)
{
    static struct histogram gaps;
    struct bench_report report;
    for (uint32_t i = 0; i < hiccups->count; i++)
        histogram_record(&gaps, hiccups->gap_ns[i]);
    bench_begin(&report, true, "gaps");
    bench_count(&report, "n", hiccups->seen);
    bench_number(&report, "span_s", (double)hiccups->span_ns / 1e9);
    bench_number(&report, "lost_share", (double)hiccups->lost_ns / (double)hiccups->span_ns);
    bench_number(&report, "wait_us_p50", (double)hiccup_wait_ns(hiccups, 0.5) / 1e3);
    bench_number(&report, "wait_us_p99", (double)hiccup_wait_ns(hiccups, 0.99) / 1e3);
    bench_number(&report, "wait_us_p999", (double)hiccup_wait_ns(hiccups, 0.999) / 1e3);
    bench_number(&report, "max_us", (double)hiccups->longest_ns / 1e3);
    bench_histogram(&report, "gap_ns", &gaps);
    bench_end(&report);
}

int main(int argc, char **argv)
{
    static uint32_t gap_ns[GAPS_MAX];
    struct hiccups hiccups = {.gap_ns = gap_ns, .room = GAPS_MAX};
    long core = argc == 3 ? number(argv[1], 0, CORES_MAX) : -1;
    long seconds = argc == 3 ? number(argv[2], 1, SECONDS_MAX) : -1;
    if (core < 0 || seconds < 0)
        return fputs("usage: gaps CORE SECONDS\n", stderr), 2;
    int error = rt_pin((int)core);
    if (error)
        return fprintf(stderr, "gaps: core %ld: %s\n", core, strerror(-error)), 3;
    memset(gap_ns, 1, sizeof gap_ns);   /* touched */
    hiccup_run(&hiccups, seconds * NS_PER_S);
    print(&hiccups);
    return 0;
}
