/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_watch.h"

#include "msg/limits.h"

const char *watch_stage_name(uint32_t stage)
{
    return stage < LATENCY_STAGE_COUNT ? rows_of_stages[stage].name : "unknown";
}

/* A thread that stands still between a probe and the counter behind it has that much under way. */
enum { UNDER_WAY = 2 * BURST_MAX };

static bool between(uint64_t least, uint64_t count, uint64_t most)
{
    return least <= count + UNDER_WAY && count <= most + UNDER_WAY;
}

bool watch_agrees(const struct watch *watch)
{
    const struct own_bounds *own = &watch->own;
    if (!own->before.known || !own->begin.known || !own->end.known || !own->after.known)
        return true;
    return between(own->end.slots - own->begin.slots, watch->seen.slots,
                   own->after.slots - own->before.slots) &&
           between(own->end.sent - own->begin.sent, watch->seen.row[LATENCY_SENT].count,
                   own->after.sent - own->before.sent) &&
           between(own->end.frames - own->begin.frames, watch->seen.frames,
                   own->after.frames - own->before.frames);
}
