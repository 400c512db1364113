/* SPDX-License-Identifier: Apache-2.0 */
/* TSC to CLOCK_MONOTONIC and CLOCK_REALTIME, ns. Calibrated at start, slope corrected by the cold side. */
#ifndef FLYBALL_TIME_TIMEBASE_H
#define FLYBALL_TIME_TIMEBASE_H

#include "ring/seqlock.h"

struct timebase {
    struct seqlock map;         /* tsc0, mono0_ns, real0_ns, mult (ns << 32 per tick) */
    int64_t shift_ns;           /* added to the monotonic result: tests and benches that skip time; 0 in production */
};

/* setup: measures the TSC for about 20 ms. -ENOTSUP without an invariant TSC (then clock_gettime is used throughout). */
int timebase_init(struct timebase *base);

/* cold: re-anchors against the system clocks; call about once a second. Monotonic results never fall. */
void timebase_discipline(struct timebase *base);

/* rt: one TSC read, no system call. */
int64_t timebase_now_ns(const struct timebase *base);

/* rt: realtime that corresponds to a monotonic time of this base. */
int64_t timebase_realtime_ns(const struct timebase *base, int64_t mono_ns);

#endif
