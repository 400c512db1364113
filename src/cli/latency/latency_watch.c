/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_watch.h"

#include "msg/frame.h"
#include "msg/slot.h"

static_assert((int)KIND_READING == SLOT_READING && (int)KIND_REPORT == SLOT_REPORT &&
                  (int)KIND_TICK == SLOT_TICK && (int)KIND_TICK_PART == SLOT_TICK_PART &&
                  (int)WIRE_MEASUREMENT == FRAME_MEASUREMENT && (int)WIRE_REPORT == FRAME_REPORT &&
                  (int)WIRE_LEASE == FRAME_LEASE && (int)WIRE_CLAIM == FRAME_CLAIM,
              "programs in the kernel know the kinds of slots and frames");

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
