/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/link.h"

#include <time.h>

#include "loop/losses.h"
#include "rt/clock.h"
#include "rt/thread.h"

enum { REST_MS = 10 };

void link_watch_start(struct link_watch *watch, struct port *port, uint32_t ports)
{
    *watch = (struct link_watch){.port = port, .ports = ports};
    for (uint32_t i = 0; i < ports; i++)
        atomic_store_explicit(&watch->state[i], 1, memory_order_relaxed);
}

static void look_at(struct link_watch *watch, uint32_t i)
{
    uint64_t state = atomic_load_explicit(&watch->state[i], memory_order_relaxed);
    int link = port_link(&watch->port[i]);
    if (link < 0 || (uint64_t)link == (state & 1))
        return;
    /* release: pairs with the acquire of the port's ip layer */
    atomic_store_explicit(&watch->state[i], ((state >> 1) + 1) << 1 | (uint64_t)link, memory_order_release);
}

void link_watch_look(struct link_watch *watch, int64_t now_ns)
{
    if (now_ns < watch->t_next_ns)
        return;
    if (now_ns != INT64_MAX)
        watch->t_next_ns = now_ns + LINK_LOOK_NS;
    for (uint32_t i = 0; i < watch->ports; i++)
        look_at(watch, i);
}

void *link_watch_run(void *argument)
{
    struct link_watch *watch = argument;
    rt_pin(watch->core);
    const struct timespec rest = {.tv_nsec = REST_MS * NS_PER_MS};
    while (!atomic_load_explicit(&watch->stop, memory_order_acquire)) {
        link_watch_look(watch, clock_monotonic_ns());
        if (watch->losses)
            losses_look(watch->losses, clock_monotonic_ns());
        nanosleep(&rest, NULL);
    }
    return NULL;
}
