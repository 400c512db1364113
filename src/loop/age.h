/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How old a reading is where no common clock is known (safety.md section 5): the growth of (arrival - meter
 * stamp) over its least value of the last 60 s. A constant offset between the clocks, however large, counts
 * for nothing.
 */
#ifndef FLYBALL_LOOP_AGE_H
#define FLYBALL_LOOP_AGE_H

#include <stdint.h>

enum { AGE_BUCKETS = 12 };
#define AGE_BUCKET_NS INT64_C(5000000000)   /* 12 x 5 s = the 60 s of the rule */

struct age {
    int64_t least[AGE_BUCKETS]; /* of arrival - stamp, in each 5 s */
    int64_t floor;              /* least of them all */
    int64_t bucket;             /* number of the newest bucket, 0 = never heard */
};

/* rt: takes one reading and says how old it is, ns, never negative. Times in one clock, stamp_ns >= 0. A
 * reading that waited (the receiver stood still) is as old as it waited, and leaves the floor where it
 * was. */
int64_t age_observe(struct age *age, int64_t arrival_ns, int64_t stamp_ns);

#endif
