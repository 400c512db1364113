/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the decision as the lanes and egress have them: frames to slots, leases to frames. */
#ifndef FLYBALL_BENCH_BYTES_H
#define FLYBALL_BENCH_BYTES_H

#include "bench/hall.h"
#include "wire/frame.h"

/* A frame of a meter, its phases alike; returns its bytes, at most 1024. */
uint32_t bytes_of_reading(uint8_t *data, const char *meter, uint64_t sequence, int64_t t_ns, double amperes);

/* As the lane does it: header, window (by meter), body, sense, slot. */
bool bytes_to_slot(const struct model *model, struct replay_window *window, uint32_t meter,
                   const uint8_t *data, uint32_t bytes, struct slot *slot);

/* As egress does it: every lease of the outbox becomes a frame. */
void bytes_of_leases(const struct hall *hall);

#endif
