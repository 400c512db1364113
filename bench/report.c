/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "bench_commit.h"

static void start_key(struct bench_report *report, const char *key)
{
    if (report->json)
        printf("%s\"%s\": ", report->first ? "" : ", ", key);
    else
        printf("%-28s ", key);
    report->first = false;
}

void bench_begin(struct bench_report *report, bool json, const char *name)
{
    *report = (struct bench_report){.json = json, .first = true};
    if (json)
        putchar('{');
    bench_text(report, "bench", name);
    bench_text(report, "commit", BENCH_COMMIT);
}

void bench_text(struct bench_report *report, const char *key, const char *value)
{
    start_key(report, key);
    printf(report->json ? "\"%s\"" : "%s\n", value);
}

void bench_number(struct bench_report *report, const char *key, double value)
{
    start_key(report, key);
    printf(report->json ? "%.6g" : "%.6g\n", value);
}

void bench_count(struct bench_report *report, const char *key, uint64_t value)
{
    start_key(report, key);
    printf(report->json ? "%" PRIu64 : "%" PRIu64 "\n", value);
}

void bench_flag(struct bench_report *report, const char *key, bool value)
{
    start_key(report, key);
    printf(report->json ? "%s" : "%s\n", value ? "true" : "false");
}

void bench_open(struct bench_report *report, const char *key)
{
    start_key(report, key);
    fputs(report->json ? "{" : "\n", stdout);
    report->first = true;
}

void bench_close(struct bench_report *report)
{
    if (report->json)
        putchar('}');
    report->first = false;
}

void bench_histogram(struct bench_report *report, const char *key, const struct histogram *histogram)
{
    const char *comma = "";
    if (!report->json)
        return;
    start_key(report, key);
    putchar('[');
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!histogram->bucket[i])
            continue;
        printf("%s[%" PRIu64 ", %" PRIu64 "]", comma, histogram_bucket_floor(i), histogram->bucket[i]);
        comma = ", ";
    }
    putchar(']');
}

void bench_end(struct bench_report *report)
{
    if (report->json)
        puts("}");
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
