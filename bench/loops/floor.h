/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine itself does to a thread on the receiving core: the gaps that a busy poll sees, and how
 * late a sleeping thread comes back (cyclictest). */
#ifndef FLYBALL_BENCH_LOOPS_FLOOR_H
#define FLYBALL_BENCH_LOOPS_FLOOR_H

#include "bench/loops/worker.h"
#include "bench/report.h"
#include "rt/hiccup.h"

struct floor_gaps {
    struct hiccups hiccups;
    struct histogram gaps;
};

struct floor {
    struct floor_gaps alone, beside;    /* beside a process that computes on each of the two cores */
    struct histogram late;      /* of cyclictest, whole microseconds */
    char why[160];              /* there is no cyclictest, "" */
    uint64_t cyclictest_blocks;
};

/* setup: 0 or -ENOMEM. */
int floor_open(struct floor *floor);
void floor_close(struct floor *floor);

/* One block each. */
void floor_hiccups(struct floor_gaps *gaps, struct worker *worker, int64_t span_ns);
void floor_cyclictest(struct floor *floor, int64_t span_ns);

void floor_print(struct floor *floor, struct bench_report *report);

#endif
