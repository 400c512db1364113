/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether each port's link is up, asked by a cold thread, read by anybody. The thread is one of its own: a
 * card's driver may take its time over an answer, and neither the watchdog nor the tap may wait for that.
 */
#ifndef FLYBALL_LOOP_LINK_H
#define FLYBALL_LOOP_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "port/port.h"

struct losses;

struct link_watch {
    struct losses *losses;                  /* what else is slow to look at; NULL = nothing */
    struct port *port;
    uint32_t ports;
    int64_t t_next_ns;
    _Atomic uint64_t state[LANES_MAX];      /* bit 0: up; the rest counts changes */
    int core;                               /* of the thread */
    pthread_t thread;
    _Atomic bool stop;
};

/* setup: all links count as up until they are looked at. */
void link_watch_start(struct link_watch *watch, struct port *port, uint32_t ports);

/* cold, one thread: asks every port, LINK_LOOK_NS after it last did, or at once with now_ns = INT64_MAX. A
 * link of which nothing can be told stays as it was. */
void link_watch_look(struct link_watch *watch, int64_t now_ns);

/* cold: the thread's body. */
void *link_watch_run(void *watch);

/* any */
static inline bool link_up(const struct link_watch *watch, uint32_t port)
{
    return atomic_load_explicit(&watch->state[port], memory_order_relaxed) & 1;
}

static inline uint64_t link_changes(const struct link_watch *watch, uint32_t port)
{
    return atomic_load_explicit(&watch->state[port], memory_order_relaxed) >> 1;
}

#endif
