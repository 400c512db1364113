/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "loop/cold.h"
#include "rt/thread.h"

enum { REST_MS = 5, DISCIPLINE_EVERY = 200 };   /* every second */

static void push_journal(struct drain *drain)
{
    struct journal_statistics statistics;
    journal_flush(drain->journal);
    journal_statistics(drain->journal, &statistics);
    atomic_store_explicit(&drain->journal_bytes, statistics.bytes, memory_order_relaxed);
    atomic_store_explicit(&drain->journal_errors, statistics.write_errors, memory_order_relaxed);
}

uint32_t drain_some(struct drain *drain)
{
    uint32_t taken = 0;
    const struct slot *slot;
    while ((slot = spsc_peek(drain->tap)) != NULL) {
        if (drain->journal && !journal_append(drain->journal, slot))
            count_add(&drain->journal_dropped, 1);
        spsc_release(drain->tap);
        taken++;
    }
    count_add(&drain->slots, taken);
    if (drain->journal)
        push_journal(drain);
    return taken;
}

void *drain_run(void *argument)
{
    struct drain *drain = argument;
    /* A core that cannot be had is told by start.c, which tries the same one. */
    rt_pin(drain->core);
    const struct timespec rest = {.tv_nsec = REST_MS * NS_PER_MS};
    for (uint32_t turn = 1; !atomic_load_explicit(&drain->stop, memory_order_acquire); turn++) {
        drain_some(drain);
        if (turn % DISCIPLINE_EVERY == 0)
            timebase_discipline(drain->base);
        nanosleep(&rest, NULL);
    }
    drain_some(drain);
    return NULL;
}
