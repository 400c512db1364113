/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "loop/cold.h"
#include "rt/clock.h"
#include "rt/thread.h"

enum { LOOK_MS = 10 };

void watchdog_start(struct watchdog *watchdog, int64_t now_ns)
{
    for (uint32_t i = 0; i < watchdog->hots; i++) {
        watchdog->seen[i] = count_read(&watchdog->hot[i].beat);
        watchdog->since_ns[i] = now_ns;
        watchdog->stalled[i] = false;
    }
}

static void look_at(struct watchdog *watchdog, uint32_t i, int64_t now_ns)
{
    struct hot *hot = &watchdog->hot[i];
    uint64_t beat = count_read(&hot->beat);
    int64_t stall_ns = now_ns - watchdog->since_ns[i];
    if (beat != watchdog->seen[i] || atomic_load_explicit(&hot->state, memory_order_acquire) != HOT_READY) {
        watchdog->seen[i] = beat;
        watchdog->since_ns[i] = now_ns;
        watchdog->stalled[i] = false;
        return;
    }
    if (stall_ns <= watchdog->counted_ns)
        return;
    if (!watchdog->stalled[i])
        count_add(&watchdog->stalls, 1);
    watchdog->stalled[i] = true;
    if ((uint64_t)stall_ns > count_read(&watchdog->longest_ns))
        atomic_store_explicit(&watchdog->longest_ns, (uint64_t)stall_ns, memory_order_relaxed);
    if (stall_ns > watchdog->fatal_ns)
        watchdog->fatal(hot, stall_ns);
}

void watchdog_look(struct watchdog *watchdog, int64_t now_ns)
{
    for (uint32_t i = 0; i < watchdog->hots; i++)
        look_at(watchdog, i, now_ns);
}

void *watchdog_run(void *argument)
{
    struct watchdog *watchdog = argument;
    rt_pin(watchdog->core);
    const struct timespec rest = {.tv_nsec = LOOK_MS * NS_PER_MS};
    int64_t before_ns = clock_monotonic_ns();
    watchdog_start(watchdog, before_ns);
    while (!atomic_load_explicit(&watchdog->stop, memory_order_acquire)) {
        nanosleep(&rest, NULL);
        int64_t now_ns = clock_monotonic_ns();
        /* A watchdog that did not run itself (the whole machine stood still, or a debugger stopped the
         * process) has seen nothing of the others either, and starts again. */
        if (now_ns - before_ns > watchdog->fatal_ns)
            watchdog_start(watchdog, now_ns);
        else
            watchdog_look(watchdog, now_ns);
        before_ns = now_ns;
    }
    return NULL;
}
