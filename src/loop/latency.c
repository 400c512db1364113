/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/latency.h"

#include <string.h>

bool latency_serve(struct latency *latency)
{
    /* acquire: pairs with the release in latency_ask, after which the asker leaves `copy` alone */
    uint32_t asked = atomic_load_explicit(&latency->asked, memory_order_acquire);
    if (asked == atomic_load_explicit(&latency->answered, memory_order_relaxed))
        return false;
    uint32_t at = latency->copied_bytes;
    uint32_t left = (uint32_t)sizeof latency->live - at;
    uint32_t piece = left < LATENCY_PIECE_BYTES ? left : LATENCY_PIECE_BYTES;
    memcpy((uint8_t *)&latency->copy + at, (const uint8_t *)&latency->live + at, piece);
    latency->copied_bytes = at + piece;
    if (piece < left)
        return true;
    latency->copied_bytes = 0;
    /* release: hands the finished copy to latency_take */
    atomic_store_explicit(&latency->answered, asked, memory_order_release);
    return false;
}

void latency_ask(struct latency *latency)
{
    uint32_t asked = atomic_load_explicit(&latency->asked, memory_order_relaxed);
    if (asked == atomic_load_explicit(&latency->answered, memory_order_acquire))
        atomic_store_explicit(&latency->asked, asked + 1, memory_order_release);
}

bool latency_take(struct latency *latency, struct histogram *into)
{
    uint32_t asked = atomic_load_explicit(&latency->asked, memory_order_relaxed);
    if (asked != atomic_load_explicit(&latency->answered, memory_order_acquire))
        return false;
    *into = latency->copy;
    into->count = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->count += into->bucket[i];
    return true;
}
