/* SPDX-License-Identifier: Apache-2.0 */
/* After Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012): the words
 * themselves carry the order (release on writing, acquire on reading) instead of fences, which race
 * detectors do not follow. */
#include "ring/seqlock.h"

enum { READ_ATTEMPTS = 8 };

void seqlock_write(struct seqlock *record, const uint64_t word[SEQLOCK_WORDS])
{
    /* Relaxed: one writer. */
    uint64_t version = atomic_load_explicit(&record->version, memory_order_relaxed);

    /* Relaxed: made visible before any new word by the release of that word. */
    atomic_store_explicit(&record->version, version + 1, memory_order_relaxed);
    /* Release, partner: the acquire of the same word in read_once: a reader that met a new word sees the
     * odd version. */
    for (uint32_t i = 0; i < SEQLOCK_WORDS; i++)
        atomic_store_explicit(&record->word[i], word[i], memory_order_release);
    /* Release, partner: the first load of version in read_once: an even version covers all its words. */
    atomic_store_explicit(&record->version, version + 2, memory_order_release);
}

static bool read_once(const struct seqlock *record, uint64_t word[SEQLOCK_WORDS])
{
    /* Acquire, partner: the last store of version in seqlock_write. */
    uint64_t before = atomic_load_explicit(&record->version, memory_order_acquire);

    if (before & 1)
        return false;
    /* Acquire, partner: the release of each word in seqlock_write. */
    for (uint32_t i = 0; i < SEQLOCK_WORDS; i++)
        word[i] = atomic_load_explicit(&record->word[i], memory_order_acquire);
    /* Relaxed: ordered after the words by their acquire. */
    return atomic_load_explicit(&record->version, memory_order_relaxed) == before;
}

bool seqlock_read(const struct seqlock *record, uint64_t word[SEQLOCK_WORDS])
{
    for (uint32_t attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        if (read_once(record, word))
            return true;
    }
    return false;
}
