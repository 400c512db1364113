/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One index, `committed`, serves both purposes: it says up to where slots may be read, and, read again
 * after a copy, whether the owner could have begun to overwrite the place meanwhile. The owner begins to
 * write sequence s + count only after it has stored committed = s + count - 1; a follower that sees at
 * least that throws its copy of s away.
 */
#include "ring/ring.h"

#include <errno.h>
#include <string.h>

enum { SLOT_WORDS = SLOT_BYTES / sizeof(uint64_t) };

/* A slot in the ring is reached as atomic words by other threads, and by the owner as the struct it is. */
typedef _Atomic uint64_t __attribute__((may_alias)) slot_word;
typedef uint64_t __attribute__((may_alias)) plain_word;

static_assert(sizeof(slot_word) == sizeof(uint64_t), "an atomic word has no extra bytes");

static struct slot *filling(const struct ring *ring)
{
    return ring->slot + ring->mask + 1;
}

size_t ring_bytes(uint32_t count)
{
    return ((size_t)count + 1) * sizeof(struct slot);
}

int ring_init(struct ring *ring, void *memory, uint32_t count)
{
    if (!memory || (uintptr_t)memory % 64 != 0 || count < 2 || (count & (count - 1)) != 0)
        return -EINVAL;
    memset(memory, 0, ring_bytes(count));
    atomic_init(&ring->committed, 0);
    ring->slot = memory;
    ring->mask = count - 1;
    return 0;
}

struct slot *ring_claim(struct ring *ring)
{
    struct slot *slot = filling(ring);

    /* Relaxed: this thread alone writes committed. */
    slot->sequence = atomic_load_explicit(&ring->committed, memory_order_relaxed) + 1;
    return slot;
}

void ring_commit(struct ring *ring)
{
    uint64_t sequence = atomic_load_explicit(&ring->committed, memory_order_relaxed) + 1;
    const plain_word *from = (const plain_word *)filling(ring);
    slot_word *to = (slot_word *)(ring->slot + (sequence & ring->mask));

    /* Release, partner: the acquire of the same word in ring_copy. Whoever meets a new word also sees
     * committed = sequence - 1, stored earlier by this thread, and so knows that the old slot is going.
     * Free on x86. */
    for (uint32_t i = 0; i < SLOT_WORDS; i++)
        atomic_store_explicit(&to[i], from[i], memory_order_release);
    /* Release, partner: the acquire of committed in ring_copy and ring_newest. The words come before the
     * index. */
    atomic_store_explicit(&ring->committed, sequence, memory_order_release);
}

const struct slot *ring_at(const struct ring *ring, uint64_t sequence)
{
    /* Relaxed: only the owner calls this, and it alone writes committed. */
    uint64_t committed = atomic_load_explicit(&ring->committed, memory_order_relaxed);

    if (sequence == 0 || sequence > committed || committed - sequence > ring->mask)
        return NULL;
    return ring->slot + (sequence & ring->mask);
}

uint64_t ring_newest(const struct ring *ring)
{
    /* Acquire, partner: the release of committed in ring_commit. */
    return atomic_load_explicit(&ring->committed, memory_order_acquire);
}

int ring_copy(const struct ring *ring, uint64_t sequence, struct slot *copy)
{
    uint64_t committed = ring_newest(ring);

    if (sequence == 0 || sequence > committed)
        return -EAGAIN;
    if (committed - sequence >= ring->mask)
        return -EOVERFLOW;

    const slot_word *from = (const slot_word *)(ring->slot + (sequence & ring->mask));
    plain_word *to = (plain_word *)copy;

    /* Acquire, partner: the release of each word in ring_commit, see there. */
    for (uint32_t i = 0; i < SLOT_WORDS; i++)
        to[i] = atomic_load_explicit(&from[i], memory_order_acquire);
    /* Relaxed: ordered after the words by their acquire; the value alone is wanted. */
    committed = atomic_load_explicit(&ring->committed, memory_order_relaxed);
    return committed - sequence >= ring->mask ? -EOVERFLOW : 0;
}
