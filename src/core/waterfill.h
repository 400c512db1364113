/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weighted max-min sharing of one budget (domain.md 4.6): find the level lambda with
 * sum clamp(weight * lambda, low, high) = budget. Exact in integers, and resumable: a step visits a bounded
 * number of claims.
 */
#ifndef FLYBALL_CORE_WATERFILL_H
#define FLYBALL_CORE_WATERFILL_H

#include <stdbool.h>

#include "msg/limits.h"

/* What the level's 2^-20 units and 64 bits leave room for: 4.4 GW in mW, and the weights of a full site. */
#define WATERFILL_QUANTITY_MAX (INT64_C(1) << 42)
#define WATERFILL_WEIGHT_MAX (UINT32_C(1) << 20)
static_assert(HOSTS_MAX * WEIGHT_MAX < WATERFILL_WEIGHT_MAX,
              "the weights of all hosts together are one claim at the root");

/* 0 <= low <= high <= WATERFILL_QUANTITY_MAX; 1 <= weight <= WATERFILL_WEIGHT_MAX; any one unit. */
struct claim {
    int64_t low, high;
    int64_t share;              /* the result */
    uint32_t weight;
};

enum { WATERFILL_BINS = 256 };

struct waterfill {
    struct claim *claim;
    uint32_t count;
    int64_t budget;
    int64_t highest, lightest;  /* of their highs, of their weights */
    int64_t lows, highs;        /* their sums */
    int64_t rough;              /* so much of the budget may be left over; 0 = to the last unit */
    bool whole;                 /* units that the floors of shares leave over are handed out one by one */
    int64_t start;              /* a level likely near the one that is sought: claims are taken at it */
    int64_t level, level_low, level_high;   /* lambda in 2^-20 units, and its bracket */
    uint32_t cursor;            /* next claim of this pass */
    uint8_t pass;               /* enum inside waterfill.c */
    int64_t sum;                /* of this pass */
    int64_t free_weight;        /* of claims that would take more at a higher level */
    int64_t fractions;          /* what the floors of their shares cut off, 2^-20 units */
    int64_t left, left_before;  /* units still to hand out, now and before this pass */
    bool all;                   /* every free claim gets one, not only the largest fractional parts */
    uint32_t threshold;         /* bin of fractional part above which a claim gets one of them */
    uint32_t at_threshold;      /* and how many at the threshold itself, lowest index first */
    uint32_t bin[WATERFILL_BINS];
};

/* rt: begins with no claims yet. The search will begin at level `start` (0 = none known) and end `rough`
 * units short of the budget at most (0 = to the last unit). */
void waterfill_open(struct waterfill *fill, int64_t start, int64_t rough);

/* rt: takes this many further claims, which lie behind those taken before; visits each once. */
void waterfill_take(struct waterfill *fill, struct claim *claim, uint32_t count);

/* rt: all claims are taken: what they share, from `claim` on. A budget below the sum of the lows gives
 * everyone its low; above the sum of the highs, its high. */
void waterfill_close(struct waterfill *fill, int64_t budget, struct claim *claim);

/* rt: open, take and close; visits every claim. */
void waterfill_begin(struct waterfill *fill, int64_t budget, struct claim *claim, uint32_t count);

/* rt: after that: visits at most *items claims, takes them off *items; true when every share stands. */
bool waterfill_step(struct waterfill *fill, uint32_t *items);

#endif
