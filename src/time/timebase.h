/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TSC to CLOCK_MONOTONIC and CLOCK_REALTIME, ns. Calibrated at start, slope corrected by the cold side.
 * The map is two straight lines that meet at a moment which lies ahead when the map is published: readers of
 * the old map and of the new one then agree on every time before it, so nobody ever sees time step back.
 */
#ifndef FLYBALL_TIME_TIMEBASE_H
#define FLYBALL_TIME_TIMEBASE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "ring/seqlock.h"

struct timebase {
    /* Two copies, written by turns: a reader never waits for a writer that lost its core in the middle. */
    struct seqlock map[2];
    _Atomic uint32_t current;   /* the copy to read */
    int64_t shift_ns;           /* added to both clocks: tests and benches that skip time; 0 in production */
    uint64_t seen_tsc;          /* cold side: the newest comparison with the system clock, for the rate */
    int64_t seen_mono_ns, seen_raw_ns;
    int64_t behind_ns;          /* what the counter has lost against CLOCK_MONOTONIC_RAW by then */
    _Atomic bool synchronised;  /* as the kernel, or whoever knows better, last said */
    _Atomic bool told;          /* somebody knows better */
    const char *clocksource;    /* where the kernel names its clock source; NULL: where it does. For tests */
};

/* setup: measures the TSC for about 20 ms. -ENOTSUP without an invariant TSC, or where the kernel has
 * given it up (then clock_gettime is used throughout, and the base works all the same). */
int timebase_init(struct timebase *base);

/* cold: re-anchors against the system clocks; call about once a second. Monotonic results never fall: an
 * error is slewed away at no more than 500 ppm. Within 100 ms of the last call only realtime is renewed. A
 * TSC that was set back, fell 100 ms behind the raw clock, or that the kernel gave up, is given up for good:
 * the system's clock is used, and a base that was ahead of it stays so far ahead. */
void timebase_discipline(struct timebase *base);

/* rt: one TSC read, no system call. Where the TSC was set back before all that is known, the system's
 * clock, until the next discipline gives the TSC up. */
int64_t timebase_now_ns(const struct timebase *base);

/* any: is the TSC in use? */
bool timebase_has_counter(const struct timebase *base);

/* rt: does anybody (PTP, NTP) keep CLOCK_REALTIME right, as of the last discipline, or as
 * was told? */
bool timebase_is_synchronised(const struct timebase *base);

/* cold: somebody knows better than the kernel; from the first call on its word counts. */
void timebase_tell_synchronised(struct timebase *base, bool synchronised);

/* rt: realtime that corresponds to a monotonic time of this base. */
int64_t timebase_realtime_ns(const struct timebase *base, int64_t mono_ns);

#endif
