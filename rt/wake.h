/* SPDX-License-Identifier: Apache-2.0 */
/* How late a sleeping thread comes back: by a timer, and by another thread's eventfd. */
#ifndef FLYBALL_RT_WAKE_H
#define FLYBALL_RT_WAKE_H

#include <stdint.h>

struct wake {
    /* the caller's: set before the run */
    uint32_t *late_ns;      /* room for that many */
    uint32_t room;
    /* result */
    uint32_t count;         /* samples in late_ns, saturating at 2^32-1 */
};

/* setup: sleeps until moments period_ns apart for span_ns, or until the room is full, on the calling thread;
 * a sample is the time by which it came back late. 0 or -errno. */
int wake_sleep_run(struct wake *wake, int64_t period_ns, int64_t span_ns);

/* setup: a thread pinned to waker_core (-1: anywhere) writes an eventfd every period_ns; a sample is the time
 * from before the write to after the calling thread's read. 0 or -errno. */
int wake_event_run(struct wake *wake, int waker_core, int64_t period_ns, int64_t span_ns);

/* any: the value that a share q (0..1) of the samples does not pass; 1 gives the largest. Sorts late_ns. 0
 * without samples. */
int64_t wake_quantile_ns(struct wake *wake, double q);

#endif
