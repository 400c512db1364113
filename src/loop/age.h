/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How old a reading is where no common clock is known (safety.md section 5): the growth of (arrival - meter
 * stamp) over its least value of the last 60 s. A constant offset between the clocks, however large, counts
 * for nothing.
 *
 * A stamp far ahead of the line would pull the least value down and make every later reading look old for 60
 * s. So a step ahead is believed only when readings in a row confirm it; until then they count as too old.
 * The first AGE_YOUNG readings are not yet a line: a receiver that starts late hears a backlog first, and
 * recovers with the first prompt reading.
 */
#ifndef FLYBALL_LOOP_AGE_H
#define FLYBALL_LOOP_AGE_H

#include <stdbool.h>
#include <stdint.h>

enum { AGE_BUCKETS = 12, AGE_CONFIRMATIONS = 4, AGE_YOUNG = 64 };
/* more than this below the floor is a step of the meter's clock */
#define AGE_STEP_NS INT64_C(50000000)
#define AGE_AGREE_NS INT64_C(20000000)      /* readings after a step agree to within this */
#define AGE_BUCKET_NS INT64_C(5000000000)   /* 12 x 5 s = the 60 s of the rule */

#define AGE_FORGETS_NS (AGE_BUCKETS * AGE_BUCKET_NS)

struct age {
    int64_t least[AGE_BUCKETS]; /* of arrival - stamp, in each 5 s */
    int64_t floor;              /* least of them all */
    int64_t bucket;             /* number of the newest bucket, 0 = never heard */
    int64_t ahead_ns;           /* arrival - stamp of the readings that claim a step ahead */
    uint32_t ahead;             /* how many in a row, and agree */
    uint32_t seen;              /* readings of this line, up to AGE_YOUNG */
    bool stepped;               /* a step was confirmed; whoever counts it clears this */
    int64_t doubted_until_ns;   /* by arrival: until the time before the newest step is forgotten */
};

/* rt: takes one reading and says how old it is, ns, never negative; INT64_MAX while a step ahead is not
 * confirmed. Times in one clock, both >= 0. A reading that waited (the receiver stood still) is as old
 * as it waited, and leaves the floor where it was. */
int64_t age_observe(struct age *age, int64_t arrival_ns, int64_t stamp_ns);

/* rt: the least of (arrival - stamp) in the newest 5 s, after a reading. */
static inline int64_t age_lag_ns(const struct age *age)
{
    return age->least[age->bucket % AGE_BUCKETS];
}

/* setup: before the first reading: the floor that somebody else knew goes on for 60 s from now. */
void age_resume(struct age *age, int64_t floor, int64_t now_ns);

#endif
