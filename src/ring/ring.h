/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring: the one total order. Decide alone claims and commits; whoever reads along (tap, view) follows
 * the committed sequence, and finds out when it was overrun. The newest `count` slots stay readable to the
 * owner, `count - 1` to others. A claimed slot is filled in a place of its own and copied in by commit: a
 * follower never meets a half-filled one.
 */
#ifndef FLYBALL_RING_RING_H
#define FLYBALL_RING_RING_H

#include <stdatomic.h>
#include <stddef.h>

#include "msg/slot.h"

struct ring {
    _Alignas(64) _Atomic uint64_t committed;    /* slots so far; the newest has sequence committed */
    _Alignas(64) struct slot *slot;             /* count slots, then the one being filled */
    uint64_t mask;
};

/* setup: count is a power of two. */
size_t ring_bytes(uint32_t count);
int ring_init(struct ring *ring, void *memory, uint32_t count);

/* rt, owner: the slot that will carry sequence committed + 1 (sequence field set); commit makes it the
 * newest. The pointer stays good until the next claim; what is written after commit stays out of the
 * ring. */
struct slot *ring_claim(struct ring *ring);
void ring_commit(struct ring *ring);

/* any, owner thread only: the slot of that sequence while it is still in the ring, else NULL. */
const struct slot *ring_at(const struct ring *ring, uint64_t sequence);

/* any thread: sequence of the newest committed slot, 0 = none yet. */
uint64_t ring_newest(const struct ring *ring);

/* any thread, without blocking the owner: copies the slot of that sequence. 0; -EAGAIN when it is not
 * committed yet; -EOVERFLOW when the owner has passed it (`copy` is then rubbish, and the follower goes
 * on from ring_newest). */
int ring_copy(const struct ring *ring, uint64_t sequence, struct slot *copy);

#endif
