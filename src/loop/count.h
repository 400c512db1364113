/* SPDX-License-Identifier: Apache-2.0 */
/* Counters with one writing thread and any number of readers: relaxed, so a read may be a little old,
 * never torn. */
#ifndef FLYBALL_LOOP_COUNT_H
#define FLYBALL_LOOP_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t count_t;

/* rt, the one writer: a plain load, add and store; no locked instruction is needed. */
static inline void count_add(count_t *count, uint64_t more)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* rt, the one writer: a high-water mark. */
static inline void count_most(count_t *count, uint64_t value)
{
    if (value > atomic_load_explicit(count, memory_order_relaxed))
        atomic_store_explicit(count, value, memory_order_relaxed);
}

/* any */
static inline uint64_t count_read(const count_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

#endif
