/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCHED_DEADLINE: the kernel gives a thread its runtime in each period, before every thread of another
 * policy. A thread that spins is stopped for the rest of each period, which is short; the fair server of
 * Linux 6.12 and newer and RT throttling stop one of SCHED_FIFO for 50 ms at a time.
 *
 * The kernel takes such a thread with an affinity of its own only where it does not account for them (RT
 * throttling is lifted), or where the affinity holds all cores of its root domain (an exclusive cpuset).
 */
#ifndef FLYBALL_RT_DEADLINE_H
#define FLYBALL_RT_DEADLINE_H

#include <stdint.h>

struct rt_deadline {
    int64_t runtime_ns, period_ns;      /* 0 < runtime < period */
};

/* setup: the calling thread becomes SCHED_DEADLINE, on the cores where it may run now; what it forks is not.
 * 0; -EPERM: not permitted, or its affinity is too narrow; -EBUSY: the kernel has given so much to others;
 * -EINVAL: beyond the kernel's limits of a period; -ENOSYS: a kernel without it. */
int rt_deadline(const struct rt_deadline *deadline);

/* setup: the same on one core (-1: any), and where the kernel does not take it there, on all that the process
 * may use. 0: it is on the core. 1: it is not pinned. -errno, of the last attempt: neither, and the thread is
 * pinned where it was asked to be, with the policy that it had. */
int rt_deadline_on(int core, const struct rt_deadline *deadline);

#endif
