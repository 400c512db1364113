/* SPDX-License-Identifier: Apache-2.0 */
/* How a bench speaks: one JSON object with stable keys and raw histograms, or the same as lines of text. */
#ifndef FLYBALL_BENCH_REPORT_H
#define FLYBALL_BENCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "record/histogram.h"

struct bench_report {
    bool json;
    bool first;
};

void bench_begin(struct bench_report *report, bool json, const char *name);
void bench_text(struct bench_report *report, const char *key, const char *value);
void bench_number(struct bench_report *report, const char *key, double value);
/* A whole number, every digit of it. */
void bench_count(struct bench_report *report, const char *key, uint64_t value);
void bench_flag(struct bench_report *report, const char *key, bool value);
/* A nested object. */
void bench_open(struct bench_report *report, const char *key);
void bench_close(struct bench_report *report);
/* Raw buckets as [[lower edge in ns, count], ...]; only in JSON. */
void bench_histogram(struct bench_report *report, const char *key, const struct histogram *histogram);
void bench_end(struct bench_report *report);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t bench_now_ns(void);

#endif
