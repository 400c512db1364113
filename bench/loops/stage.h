/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's own stages in the blocks of one contender alone: what its histograms hold more behind a block
 * than before it. */
#ifndef FLYBALL_BENCH_LOOPS_STAGE_H
#define FLYBALL_BENCH_LOOPS_STAGE_H

#include "bench/report.h"
#include "bench/rtt_stand.h"

enum { STAGES = 3 };

struct stages {
    struct histogram took[STAGES];
};

/* The stand stands still: what its histograms hold now. */
void stage_copy(struct stages *stages, const struct rtt_stand *stand);
/* Likewise: what they hold more by now is added. */
void stage_add(struct stages *sum, const struct stages *before, const struct rtt_stand *stand);

const char *stage_name(uint32_t stage);

/* n, quantiles and raw buckets of each, where there is anything. */
void stage_print(struct bench_report *report, const struct stages *stages);

#endif
