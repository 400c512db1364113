/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hiccup meter: a thread that does nothing but read the clock sees every moment in which the machine did
 * not let it run. What it misses is what a receive loop on that core would miss.
 */
#ifndef FLYBALL_RT_HICCUP_H
#define FLYBALL_RT_HICCUP_H

#include <stdint.h>

#include "msg/limits.h"

#define HICCUP_LEAST_NS (1 * NS_PER_US)     /* two reads of the clock that are nearer together are no gap */

struct hiccups {
    /* the caller's: set before the run */
    uint32_t *gap_ns;       /* room for that many gaps of HICCUP_LEAST_NS and more, saturating at 2^32-1 */
    uint32_t room;
    /* result */
    uint32_t count;         /* kept in gap_ns */
    uint64_t seen;          /* gaps found, kept or not */
    uint64_t over_10us, over_100us, over_1ms;
    uint64_t reads;         /* of the clock */
    int64_t span_ns;        /* whole run */
    int64_t lost_ns;        /* sum of all gaps */
    int64_t longest_ns;
};

/* setup: spins for span_ns on the calling thread, which has its core and priority already. Gap memory must
 * have been touched. */
void hiccup_run(struct hiccups *hiccups, int64_t span_ns);

/* rt: one look at the clock; the gap since the look before. hiccup_run is made of these. */
void hiccup_note(struct hiccups *hiccups, int64_t gap_ns);

/* any: what an event that arrives at a random moment of the run must wait at most, in the share q (0..1) of
 * cases: 0.999 gives the p99.9. Sorts gap_ns. Of gaps that found no room the sum is known: they count as if
 * that time had been lost in gaps as long as the longest, so that what is told is rather too high. */
int64_t hiccup_wait_ns(struct hiccups *hiccups, double q);

#endif
