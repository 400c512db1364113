/* SPDX-License-Identifier: Apache-2.0 */
/* What a hundred meters send a lane, protocol by protocol. */
#ifndef FLYBALL_BENCH_LANE_PACKETS_H
#define FLYBALL_BENCH_LANE_PACKETS_H

#include <stdbool.h>

#include "../tests/unit/loop/frames.h"
#include "loop/lane_meter.h"

enum { PACKETS_METERS = 100, PACKETS_ROOM = 2048 };
#define PACKETS_START_NS (INT64_C(1751538645) * NS_PER_S)

struct packets_kind {
    const char *name;
    uint32_t protocol;                  /* enum site_protocol */
    uint32_t rate_hz, samples;          /* of samples: a second, in a packet; else of packets a second, 1 */
    /* a frame of meter m, the `number`th; samples are of the same moment for all meters */
    struct port_frame (*make)(const struct packets_kind *kind, const struct samples *samples, uint32_t m,
                              uint32_t number, uint8_t *room);
};

enum { PACKETS_KINDS = 6 };
extern const struct packets_kind packets_kind[PACKETS_KINDS];

/* What the site file says of a meter of that kind. */
void packets_said(const struct packets_kind *kind, uint32_t m, struct site_meter *said);

/* The configuration of a meter's synchrophasors. */
struct port_frame packets_config(uint32_t m, uint8_t *room);

/* Nanoseconds since the start at which the `number`th packet begins. */
int64_t packets_at_ns(const struct packets_kind *kind, uint32_t number);

/* The samples of a packet, 60 Hz with something that no two cycles have in common. */
void packets_samples(const struct packets_kind *kind, uint32_t number, struct samples *samples);

#endif
