/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's clock for cold threads and for measuring; hot threads read the TSC (time/timebase.h). */
#ifndef FLYBALL_RT_CLOCK_H
#define FLYBALL_RT_CLOCK_H

#include <time.h>

#include "msg/limits.h"

/* any: CLOCK_MONOTONIC. */
static inline int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

#endif
