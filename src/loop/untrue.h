/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that say they are of a host and whose tag does not prove it, by host: a host with a wrong key, or
 * somebody who speaks as it. One record a host, shared by the lanes, whatever comes: it tells the two apart
 * no more than the tag does, and no decision looks at it.
 */
#ifndef FLYBALL_LOOP_UNTRUE_H
#define FLYBALL_LOOP_UNTRUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "msg/frame.h"

struct untrue {
    _Atomic uint64_t count;     /* since the start */
    _Atomic int64_t t_ns;       /* of the newest, monotonic */
    _Atomic uint32_t refused;   /* the newest: enum refusal */
};

/* any: is it the tag that this refusal is about? */
static inline bool untrue_is(int refused)
{
    return refused == REFUSED_KEY || refused == REFUSED_KEY_ENDED || refused == REFUSED_BARE ||
           refused == REFUSED_TAG;
}

/* rt: one more. Relaxed: its members need not fit each other, and the next one mends that. */
static inline void untrue_note(struct untrue *untrue, int refused, int64_t t_ns)
{
    atomic_fetch_add_explicit(&untrue->count, 1, memory_order_relaxed);
    atomic_store_explicit(&untrue->t_ns, t_ns, memory_order_relaxed);
    atomic_store_explicit(&untrue->refused, (uint32_t)refused, memory_order_relaxed);
}

#endif
