/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a contender has shown: all of it in histograms, and the median of each block of its own. Contenders
 * run in rotating short blocks, so two of them are compared block by block of the same round: what the
 * machine does to one round it does to both.
 */
#ifndef FLYBALL_BENCH_LOOPS_TALLY_H
#define FLYBALL_BENCH_LOOPS_TALLY_H

#include <stdbool.h>

#include "record/histogram.h"

enum { BLOCK_SAMPLES_MAX = 16384, ROUNDS_MAX = 2048 };

/* From the send to the first answer and to the last one; from the moment it was due to the last one. */
enum tally_part { PART_FIRST, PART_LAST, PART_SCHEDULED, PARTS };

struct tally {
    struct histogram part[PARTS];
    uint64_t sent;              /* = n + warm + lost */
    uint64_t warm, lost;        /* answered at the start of a block, and not measured; not answered in time */
    uint64_t emergencies;       /* of n: how many were one, */
    uint64_t cut, not_raised;   /* lowered the cap of each host; found one that had nothing to be cut from */
    uint32_t blocks;
    uint32_t median_ns[PARTS][ROUNDS_MAX];      /* by round; 0: nothing was measured in it */
};

/* One block under way. */
struct block_samples {
    uint32_t count[PARTS];
    uint32_t ns[PARTS][BLOCK_SAMPLES_MAX];
};

/* any: samples beyond the room count in the histogram alone. Values from 1 ns. */
void tally_add(struct tally *tally, struct block_samples *samples, enum tally_part part, int64_t ns);

/* any: the block ends; samples are empty afterwards. */
void tally_close_block(struct tally *tally, struct block_samples *samples, uint32_t round);

/* Of a against b: the median of the ratios of their medians, block by block, with the interval that holds it
 * in 95 of 100 cases (sign test); of p99 and p99.9 over all blocks. */
struct ratio {
    uint32_t pairs;             /* 0: the rest says nothing */
    bool has_interval;          /* of six pairs and more */
    double p50, p50_low, p50_high, p99, p999;
};

/* any */
struct ratio tally_ratio(const struct tally *a, const struct tally *b, enum tally_part part);

#endif
