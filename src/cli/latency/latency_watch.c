/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_watch.h"

#include <string.h>

#include "msg/limits.h"
#include "record/histogram.h"

static_assert(sizeof(struct histogram) == sizeof(struct latency_row) &&
                  (int)HISTOGRAM_SUB_BITS == (int)LATENCY_SUB_BITS &&
                  (int)HISTOGRAM_BUCKETS == (int)LATENCY_BUCKETS,
              "the kernel's rows are histograms");

static const struct { const char *name, *words; } stages[] = {
#define STAGE_WORDS(symbol, name, what) {name, what},
    LATENCY_STAGES(STAGE_WORDS)
#undef STAGE_WORDS
};

const char *watch_stage_name(uint32_t stage)
{
    return stage < LATENCY_STAGE_COUNT ? stages[stage].name : "unknown";
}

const char *watch_stage_words(uint32_t stage)
{
    return stage < LATENCY_STAGE_COUNT ? stages[stage].words : "unknown";
}

uint64_t watch_quantile_ns(const struct latency_row *row, double q)
{
    struct histogram histogram;
    memcpy(&histogram, row, sizeof histogram);
    return histogram_quantile(&histogram, q);
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
