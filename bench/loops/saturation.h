/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest rate that a contender holds: an open loop at rising rates, each for a block, until one is not
 * held in any of three tries; then once more between the last that was and that one. Held: nothing is lost,
 * and p99 from when datagrams were due is within a bound.
 */
#ifndef FLYBALL_BENCH_LOOPS_SATURATION_H
#define FLYBALL_BENCH_LOOPS_SATURATION_H

#include <stdint.h>

#include "bench/report.h"

enum { STEPS_MAX = 16 };

struct harness;
struct contender;

struct saturation {
    struct saturation_step {
        uint32_t tries, held;
        uint32_t late_senders;      /* tries in which p99 of the sender alone was beyond the bound */
        uint64_t sent, lost;
        /* from when it was due: to its answer, and until it was sent */
        struct histogram scheduled, sender;
    } step[STEPS_MAX];
    uint32_t searches;
    uint32_t highest[STEPS_MAX];    /* searches that ended there */
};

/* setup: rates of steps, datagrams a second, ascending. */
uint32_t saturation_rate(uint32_t step);

/* One search; the contender's tally takes the samples of the highest rate that was held. */
void block_saturation(struct harness *harness, struct contender *contender, int64_t end_ns);

/* Of all contenders that searched. */
void saturation_print(struct bench_report *report, const struct harness *harness);

#endif
