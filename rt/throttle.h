/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RT throttling: by default Linux stops a spinning SCHED_FIFO thread for 50 ms in every second, a whole
 * control budget. It is lifted while the daemon runs; a keeper puts the old value back (rt/keeper.h).
 */
#ifndef FLYBALL_RT_THROTTLE_H
#define FLYBALL_RT_THROTTLE_H

#include "rt/keeper.h"

#define RT_THROTTLE_FILE "/proc/sys/kernel/sched_rt_runtime_us"

/* Starts as zeros. */
struct rt_throttle {
    struct rt_keeper keeper;
    long runtime_us;    /* what will be put back */
};

/* setup, before any other thread exists (forks). `file` is RT_THROTTLE_FILE but in tests.
 * 1: lifted. 0: nothing was throttled. -errno: not permitted, or the keeper could not start; nothing
 * changed. */
int rt_throttle_lift(struct rt_throttle *throttle, const char *file);

/* setup: puts the old value back and waits until it stands. 0 or -errno. Harmless where nothing was
 * lifted. */
int rt_throttle_restore(struct rt_throttle *throttle);

#endif
