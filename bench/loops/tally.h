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

/* The histogram of one block, the buckets that hold something. */
struct block_counts {
    uint32_t buckets;
    struct bucket_count { uint16_t bucket, count; } *row;
};

struct tally {
    struct histogram part[PARTS];
    uint64_t sent;              /* = n + warm + lost */
    uint64_t warm, lost;        /* answered at the start of a block, and not measured; not answered in time */
    uint64_t emergencies;       /* of n: how many were one, */
    uint64_t cut, not_raised;   /* lowered the cap of each host; found one that had nothing to be cut from */
    uint32_t blocks;
    uint32_t median_ns[PARTS][ROUNDS_MAX];      /* by round; 0: nothing was measured in it */
    struct block_counts counts[PARTS][ROUNDS_MAX];
};

/* One block under way. */
struct block_samples {
    uint32_t count[PARTS];
    uint32_t ns[PARTS][BLOCK_SAMPLES_MAX];
};

/* any: samples beyond the room count in the histogram alone. Values from 1 ns. */
void tally_add(struct tally *tally, struct block_samples *samples, enum tally_part part, int64_t ns);

/* any: the block ends; samples are empty afterwards. Without memory its tail is in no interval. */
void tally_close_block(struct tally *tally, struct block_samples *samples, uint32_t round);

/* Of a against b: the median of the ratios of their medians, block by block, with the interval that holds it
 * in 95 of 100 cases (sign test); of p99 and p99.9 over all blocks, p99 with the interval in which 95 of 100
 * lie that are made of as many rounds, drawn from these with repetition (bootstrap, always the same dice). */
struct ratio {
    uint32_t pairs;             /* 0: the rest says nothing */
    bool has_interval;          /* of six pairs and more */
    bool has_tail;              /* of ten pairs and more: p99_low and p99_high */
    double p50, p50_low, p50_high, p99, p99_low, p99_high, p999;
};

/* any */
struct ratio tally_ratio(const struct tally *a, const struct tally *b, enum tally_part part);

/* any: of a against b, over that of c against d: medians alone, round by round of all four. */
struct ratio tally_ratio_of_ratios(const struct tally *a, const struct tally *b, const struct tally *c,
                                   const struct tally *d, enum tally_part part);

/* What blocks kept of themselves goes. */
void tally_close(struct tally *tally);

#endif
