/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where no driver holds a floor: a filler draws power beside the host's devices, so that the host's draw does
 * not fall below the floor of its lease at once. Off unless the configuration asks for it.
 *
 * What it may draw is taken from the lease before the devices get theirs (agent_fill_mw), so both together
 * never pass its cap, however fast the devices' draw comes back. It lets go by itself: when it has not been
 * told anew for BALLAST_HOLD_NS it does nothing, so that no hang of the loop keeps it up.
 *
 * What it draws at full turn is measured where packages count their energy (ballast_meter.h): where that is
 * more than the configuration says, it turns less.
 *
 * The one filler here burns processor time, one thread for each processor; another kind has the same four
 * calls.
 */
#ifndef FLYBALL_AGENT_BALLAST_H
#define FLYBALL_AGENT_BALLAST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "msg/limits.h"

enum { BALLAST_THREADS_MAX = 64 };
#define BALLAST_HOLD_NS (300 * NS_PER_MS)

struct ballast;

struct ballast_thread {
    struct ballast *ballast;
    pthread_t thread;
};

struct ballast {
    int64_t most_mw;                /* what all threads draw at full turn */
    uint32_t threads;
    struct ballast_thread thread[BALLAST_THREADS_MAX];
    _Atomic int64_t level_ppm;      /* of the time that each turns */
    _Atomic int64_t until_ns;       /* MONOTONIC: it lets go then */
    _Atomic int64_t full_mw;        /* at full turn, as measured; 0 = not known */
    atomic_bool stop;
};

/* setup: 0 or -errno; most_mw 0 starts nothing. stop: also of one that never started. */
int ballast_start(struct ballast *ballast, int64_t most_mw, uint32_t threads);
void ballast_stop(struct ballast *ballast);

/* rt: draw so much from now on, at most what it can, for BALLAST_HOLD_NS, and not past the deadline. */
void ballast_set(struct ballast *ballast, int64_t fill_mw, int64_t now_ns, int64_t deadline_ns);

/* any, between start and stop: processor time that all threads have burnt. */
int64_t ballast_burnt_ns(const struct ballast *ballast);

/* any: the part of each turn that is to be spent by then, ppm. */
int64_t ballast_level_ppm(const struct ballast *ballast, int64_t now_ns);

#endif
