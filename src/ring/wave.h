/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw samples of one meter, in a ring that its lane overwrites and never waits for: what is lost under
 * pressure is the oldest. Readers find samples by their number, and find out when they were overtaken.
 * Voltage and current of a phase are one word, so a reader never meets halves of two.
 */
#ifndef FLYBALL_RING_WAVE_H
#define FLYBALL_RING_WAVE_H

#include <stddef.h>

#include "msg/samples.h"
#include "ring/seqlock.h"

enum { WAVE_PAIRS_MAX = SAMPLES_CHANNELS_MAX / 2 };

/* Voltage and current of phase A, B, C, and of the neutral where it is sent, at one moment. */
struct wave_pair { float voltage_v, current_a; };

/* How far it has got. Samples count from 0; what is missing before one does not count. */
struct wave_head {
    uint64_t samples;           /* written so far: the newest has number samples - 1 */
    /* from this number on nothing is missing, filled or invalid, and time has not stepped */
    uint64_t since;
    uint64_t doubtful;          /* up to this number, exclusive, one stood at the end of its scale */
    int64_t t_ns;               /* of the newest sample */
    uint32_t period_ps;
    /* of the meter's oscillator: its phase at the newest sample, in cycles from where the first voltage
     * crosses zero upward, and cycles a sample; 0 while that is not known */
    double turn, cycles;
};

struct wave {
    _Alignas(64) _Atomic uint64_t begun;    /* numbers below are written, or are being written */
    struct seqlock head;
    /* constant after init */
    _Atomic uint64_t *word;
    uint32_t mask, pairs;
    /* the writer's own */
    uint64_t samples, since, doubtful;
    uint32_t period_ps;
};

/* setup: `samples` is a power of two, at least 2 * SAMPLES_MAX; `channels` 6 or 8; memory is aligned to 64.
 * 0 or -EINVAL. */
size_t wave_bytes(uint32_t channels, uint32_t samples);
int wave_init(struct wave *wave, void *memory, uint32_t channels, uint32_t samples);

/* rt, the one writer. A block of fewer channels than the wave's is left out, and time has stepped then, as
 * it has where the rate is another; of one of more, the neutral is left out. */
void wave_write(struct wave *wave, const struct samples *block, double turn, double cycles);

/* rt, the one writer: so many samples come soon. Nothing changes, but the writing does not wait for memory:
 * a wave is 98 KB, so what is overwritten has long left every cache. */
void wave_expect(const struct wave *wave, uint32_t samples);

/* any: false when nothing was written yet, or the writer got in between more than a few times. */
bool wave_head(const struct wave *wave, struct wave_head *head);

/* any: `count` samples from number `first` on, wave->pairs of each: pair[k * pairs + phase]. 0; -EAGAIN when
 * the last of them is not written yet; -EOVERFLOW when the writer has passed the first (`pair` is then
 * rubbish). */
int wave_read(const struct wave *wave, uint64_t first, uint32_t count, struct wave_pair *pair);

#endif
