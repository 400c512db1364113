/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram that one hot thread fills and one cold thread may ask a copy of: the owner copies a piece
 * each turn. */
#ifndef FLYBALL_LOOP_LATENCY_H
#define FLYBALL_LOOP_LATENCY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "record/histogram.h"

enum { LATENCY_PIECE_BYTES = 512 };

struct latency {
    struct histogram live;          /* the owner's */
    uint32_t copied_bytes;          /* the owner's */
    struct histogram copy;          /* the owner's while asked != answered, then the asker's */
    _Alignas(64) _Atomic uint32_t asked;
    _Alignas(64) _Atomic uint32_t answered;
};

/* rt, owner: once a turn. Returns true while a copy is under way. */
bool latency_serve(struct latency *latency);

/* cold, the one asker: asks for a copy, unless one is under way. */
void latency_ask(struct latency *latency);

/* cold, the one asker: true and the copy when it is complete. Buckets are copied over several turns, so
 * `count` is made from them again. */
bool latency_take(struct latency *latency, struct histogram *into);

#endif
