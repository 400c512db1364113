/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several lanes share of one meter or host: its sequence window, its age, its place in the view. A
 * sender mostly stays on one queue, but a new source port may move it to another, and then two threads could
 * be at work on it at once. So a lane takes the sender while it works on a frame of it. Nobody waits: a lane
 * that finds it taken refuses its frame, as the network might have lost it.
 *
 * Taking a sender also carries its newest stamp from lane to lane: the slot that comes later by the sender's
 * count gets the later stamp, so the one total order keeps each sender's own.
 *
 * Where one thread polls all lanes there is no table of senders, and nothing of this costs anything.
 */
#ifndef FLYBALL_LOOP_SENDER_H
#define FLYBALL_LOOP_SENDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SENDER_TAKEN INT64_MIN

/* Zeroed at start: free, and nothing came yet. */
struct sender {
    _Atomic int64_t newest_ns;      /* stamp of its newest slot; SENDER_TAKEN while a lane has it */
};

/* rt, receiving thread: false when another lane has it now. Else `newest_ns` is given back by
 * sender_leave. */
static inline bool sender_take(struct sender *sender, int64_t *newest_ns)
{
    int64_t newest = atomic_load_explicit(&sender->newest_ns, memory_order_relaxed);
    *newest_ns = newest;
    /* acquire: pairs with the release in sender_leave; what the other lane wrote for this sender, and the
     * slot it published, come before whatever this one does */
    return newest != SENDER_TAKEN &&
           atomic_compare_exchange_strong_explicit(&sender->newest_ns, &newest, SENDER_TAKEN,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* rt, receiving thread: the one that took it. */
static inline void sender_leave(struct sender *sender, int64_t newest_ns)
{
    atomic_store_explicit(&sender->newest_ns, newest_ns, memory_order_release);
}

#endif
