/* SPDX-License-Identifier: Apache-2.0 */
/* The time stamp counter of x86: whether it may be trusted, and its value beside the system clocks. */
#ifndef FLYBALL_TIME_TSC_H
#define FLYBALL_TIME_TSC_H

#include <stdbool.h>
#include <stdint.h>

struct tsc_pair {
    uint64_t tsc;
    int64_t mono_ns;
    int64_t real_ns;
    int64_t raw_ns;             /* CLOCK_MONOTONIC_RAW, which nobody slews */
};

/* any: CPUID says that it runs at one rate in every power state (Intel SDM vol. 3, 18.17.1). */
bool tsc_is_invariant(void);

#define TSC_CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* cold: the kernel's clock source, as that file names it, is one that it takes only where it has found the
 * counter unstable. No such file: it has not. */
bool tsc_is_given_up(const char *path);

/* cold: reads counter and clocks as one moment, the best of a few tries. Without an invariant counter
 * `tsc` is 0. */
void tsc_pair(struct tsc_pair *pair, bool invariant);

#endif
