/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single-producer single-consumer queue of fixed-size records in memory the caller owns. Records are
 * written and read in place: claim, fill, publish; peek, use, release. Neither side ever waits.
 */
#ifndef FLYBALL_RING_SPSC_H
#define FLYBALL_RING_SPSC_H

#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>

struct spsc {
    /* written by the producer */
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t head_seen;
    /* written by the consumer */
    _Alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen;
    /* constant after spsc_init */
    _Alignas(64) uint8_t *record;
    uint32_t record_bytes;
    uint32_t count;             /* power of two */
};

/* setup: memory for `count` records (a power of two); 64-byte aligned by the caller. */
size_t spsc_bytes(uint32_t record_bytes, uint32_t count);
int spsc_init(struct spsc *queue, void *memory, uint32_t record_bytes, uint32_t count);

/* rt, producer: the next record to fill, NULL when full. Claiming twice without publish gives the same
 * record. */
void *spsc_claim(struct spsc *queue);
void spsc_publish(struct spsc *queue);

/* rt, consumer: the oldest record, NULL when empty; release makes its place free. */
const void *spsc_peek(struct spsc *queue);
void spsc_release(struct spsc *queue);

/* any: records waiting, a snapshot. */
uint32_t spsc_depth(const struct spsc *queue);

#endif
