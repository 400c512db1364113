/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of ring.c: `begun` says which numbers may be being overwritten, before the first of their words
 * is stored; the head, a sequence-locked record, says which are there, after the last one is.
 */
#include "ring/wave.h"

#include <errno.h>
#include <string.h>

static_assert(sizeof(struct wave_pair) == sizeof(uint64_t), "a pair is one word");
static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "an atomic word has no extra bytes");

size_t wave_bytes(uint32_t channels, uint32_t samples)
{
    return (size_t)samples * (channels / 2) * sizeof(uint64_t);
}

int wave_init(struct wave *wave, void *memory, uint32_t channels, uint32_t samples)
{
    if (!memory || (uintptr_t)memory % 64 != 0 || (channels != 6 && channels != SAMPLES_CHANNELS_MAX) ||
        samples < 2 * SAMPLES_MAX || (samples & (samples - 1)) != 0)
        return -EINVAL;
    memset(wave, 0, sizeof *wave);
    memset(memory, 0, wave_bytes(channels, samples));
    wave->word = memory;
    wave->mask = samples - 1;
    wave->pairs = channels / 2;
    return 0;
}

static uint64_t word_of(float voltage_v, float current_a)
{
    struct wave_pair pair = {voltage_v, current_a};
    uint64_t word;

    memcpy(&word, &pair, sizeof word);
    return word;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Of `count` samples from the block's `from` on, which lie behind each other in memory. */
static void write_run(_Atomic uint64_t *to, const struct samples *block, uint32_t pairs, uint32_t from,
                      uint32_t count)
{
    const float (*value)[SAMPLES_MAX] = block->value;

    /* Release, partner: the acquire of the same word in wave_read. Whoever meets a new word also sees `begun`
     * as it was stored before, and so knows that the old sample is gone. Free on x86. */
    for (uint32_t k = from; k < from + count; k++, to += pairs) {
        atomic_store_explicit(&to[0], word_of(value[SAMPLES_VA][k], value[SAMPLES_IA][k]),
                              memory_order_release);
        atomic_store_explicit(&to[1], word_of(value[SAMPLES_VB][k], value[SAMPLES_IB][k]),
                              memory_order_release);
        atomic_store_explicit(&to[2], word_of(value[SAMPLES_VC][k], value[SAMPLES_IC][k]),
                              memory_order_release);
        if (pairs > 3)
            atomic_store_explicit(&to[3], word_of(value[SAMPLES_VN][k], value[SAMPLES_IN][k]),
                                  memory_order_release);
    }
}

static void write_samples(struct wave *wave, const struct samples *block)
{
    uint32_t at = (uint32_t)wave->samples & wave->mask, room = wave->mask + 1 - at;
    uint32_t before = block->count < room ? block->count : room;

    write_run(&wave->word[(size_t)at * wave->pairs], block, wave->pairs, 0, before);
    write_run(wave->word, block, wave->pairs, before, block->count - before);
}

void wave_expect(const struct wave *wave, uint32_t samples)
{
    uint32_t at = (uint32_t)wave->samples & wave->mask, room = wave->mask + 1 - at;
    uint32_t words = (samples < room ? samples : room) * wave->pairs;

    for (uint32_t word = 0; word < words; word += CACHE_LINE / sizeof(uint64_t))
        __builtin_prefetch(&wave->word[(size_t)at * wave->pairs + word], 1);
}

void wave_write(struct wave *wave, const struct samples *block, double turn, double cycles)
{
    static const uint32_t broken = SAMPLES_GAP, bad = SAMPLES_FILLED | SAMPLES_INVALID;
    uint64_t after = wave->samples + block->count;

    if (block->channels < 2 * wave->pairs || !block->count || block->count > SAMPLES_MAX) {
        wave->since = wave->samples;
        return;
    }
    if (block->flags & broken || block->period_ps != wave->period_ps)
        wave->since = wave->samples;
    wave->period_ps = block->period_ps;
    if (block->flags & SAMPLES_CLIPPED)
        wave->doubtful = after;
    if (block->flags & bad)
        wave->since = after;
    /* Relaxed: made visible before any new word by the release of that word. */
    atomic_store_explicit(&wave->begun, after, memory_order_relaxed);
    write_samples(wave, block);
    wave->samples = after;
    int64_t newest_ns = block->t0_ns + (int64_t)(block->count - 1) * block->period_ps / 1000;
    /* its own stores are releases: the words come before the head that covers them */
    seqlock_write(&wave->head, (uint64_t[SEQLOCK_WORDS]){after, wave->since, wave->doubtful,
                                                         (uint64_t)newest_ns, block->period_ps,
                                                         bits_of(turn), bits_of(cycles)});
}

bool wave_head(const struct wave *wave, struct wave_head *head)
{
    uint64_t word[SEQLOCK_WORDS];

    if (!seqlock_read(&wave->head, word) || !word[0])
        return false;
    *head = (struct wave_head){.samples = word[0], .since = word[1], .doubtful = word[2],
                               .t_ns = (int64_t)word[3], .period_ps = (uint32_t)word[4],
                               .turn = of_bits(word[5]), .cycles = of_bits(word[6])};
    return true;
}

int wave_read(const struct wave *wave, uint64_t first, uint32_t count, struct wave_pair *pair)
{
    uint64_t rows = (uint64_t)wave->mask + 1, word[SEQLOCK_WORDS];

    if (!seqlock_read(&wave->head, word) || word[0] < count || first > word[0] - count)
        return -EAGAIN;
    /* Relaxed: an early way out, nothing else. */
    if (count > rows || atomic_load_explicit(&wave->begun, memory_order_relaxed) - first > rows)
        return -EOVERFLOW;
    for (uint32_t k = 0; k < count; k++) {
        const _Atomic uint64_t *from = &wave->word[((first + k) & wave->mask) * wave->pairs];

        /* Acquire, partner: the release of each word in write_run, see there. */
        for (uint32_t p = 0; p < wave->pairs; p++) {
            uint64_t bits = atomic_load_explicit(&from[p], memory_order_acquire);

            memcpy(&pair[(size_t)k * wave->pairs + p], &bits, sizeof bits);
        }
    }
    /* Relaxed: ordered after the words by their acquire; the value alone is wanted. */
    return atomic_load_explicit(&wave->begun, memory_order_relaxed) - first > rows ? -EOVERFLOW : 0;
}
