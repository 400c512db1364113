/* SPDX-License-Identifier: Apache-2.0 */
/* Records that one thread updates and many read without blocking it: 64 bytes, sequence-locked, copied
 * word by word through release and acquire atomics: no fence, so a race detector sees every order that
 * the code relies on. */
#ifndef FLYBALL_RING_SEQLOCK_H
#define FLYBALL_RING_SEQLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SEQLOCK_WORDS = 7 };

struct seqlock {
    _Alignas(64) _Atomic uint64_t version;  /* odd while being written */
    _Atomic uint64_t word[SEQLOCK_WORDS];
};

/* rt, the one writer */
void seqlock_write(struct seqlock *record, const uint64_t word[SEQLOCK_WORDS]);

/* any: false when the writer got in between more than a few times. */
bool seqlock_read(const struct seqlock *record, uint64_t word[SEQLOCK_WORDS]);

#endif
