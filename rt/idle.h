/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleep of idle cores. A core that sleeps deeply wakes up late: a thread on it that waits comes back later by
 * tens to hundreds of microseconds. The kernel keeps all cores from sleeping deeper than somebody allows, for
 * as long as he holds a file open; when he ends, for whatever reason, it forgets him.
 */
#ifndef FLYBALL_RT_IDLE_H
#define FLYBALL_RT_IDLE_H

#include <stdint.h>

#define RT_IDLE_FILE "/dev/cpu_dma_latency"

/* setup: no core sleeps in a state that takes longer than exit_us to leave, until the descriptor that this
 * returns is closed; 0 keeps them awake. `file` is RT_IDLE_FILE but in tests. The descriptor, or -errno. */
int rt_idle_hold(const char *file, int32_t exit_us);

/* setup: gives it back; harmless below 0. */
void rt_idle_release(int descriptor);

#endif
