/* SPDX-License-Identifier: Apache-2.0 */
/* Each side keeps the other side's index as last seen, and looks again only when that says full or
 * empty: in steady flow the two cache lines change owner once per lap or per emptied queue instead of
 * once per record. */
#include "ring/spsc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_power_of_two(uint32_t count)
{
    return count != 0 && (count & (count - 1)) == 0;
}

static uint8_t *place(const struct spsc *queue, uint64_t index)
{
    return queue->record + (index & (queue->count - 1)) * queue->record_bytes;
}

size_t spsc_bytes(uint32_t record_bytes, uint32_t count)
{
    return (size_t)record_bytes * count;
}

int spsc_init(struct spsc *queue, void *memory, uint32_t record_bytes, uint32_t count)
{
    if (!memory || (uintptr_t)memory % 64 != 0 || record_bytes == 0 || !is_power_of_two(count))
        return -EINVAL;
    memset(queue, 0, sizeof(*queue));
    queue->record = memory;
    queue->record_bytes = record_bytes;
    queue->count = count;
    return 0;
}

void *spsc_claim(struct spsc *queue)
{
    /* Relaxed: this thread alone writes tail. */
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);

    if (tail - queue->head_seen == queue->count) {
        /* Acquire, partner: the release of head in spsc_release. The consumer's reads of the place are
         * then over before this thread writes it again; nothing else is shared through head, so acquire
         * is enough. */
        queue->head_seen = atomic_load_explicit(&queue->head, memory_order_acquire);
        if (tail - queue->head_seen == queue->count)
            return NULL;
    }
    return place(queue, tail);
}

void spsc_publish(struct spsc *queue)
{
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);

    /* Release, partner: the acquire of tail in spsc_peek. The record's bytes are visible before the
     * index that covers them. */
    atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
}

const void *spsc_peek(struct spsc *queue)
{
    /* Relaxed: this thread alone writes head. */
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);

    if (head == queue->tail_seen) {
        /* Acquire, partner: the release of tail in spsc_publish. */
        queue->tail_seen = atomic_load_explicit(&queue->tail, memory_order_acquire);
        if (head == queue->tail_seen)
            return NULL;
    }
    return place(queue, head);
}

void spsc_release(struct spsc *queue)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);

    /* Release, partner: the acquire of head in spsc_claim. This thread's reads of the record come before
     * it. */
    atomic_store_explicit(&queue->head, head + 1, memory_order_release);
}

uint32_t spsc_depth(const struct spsc *queue)
{
    /* Acquire, partner: the release of head in spsc_release, whose thread had seen a tail at least as
     * large; so the tail read after it is never below this head. It may be more than a lap ahead of a
     * stale head, hence the bound. */
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    uint64_t depth = atomic_load_explicit(&queue->tail, memory_order_relaxed) - head;

    return depth > queue->count ? queue->count : (uint32_t)depth;
}
