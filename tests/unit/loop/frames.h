/* SPDX-License-Identifier: Apache-2.0 */
/* Whole Ethernet frames as meters and hosts send them. */
#ifndef FLYBALL_TESTS_UNIT_LOOP_FRAMES_H
#define FLYBALL_TESTS_UNIT_LOOP_FRAMES_H

#include "port/ip/udp.h"

struct frames_from {
    struct endpoint from, to;
    uint64_t sequence;          /* of the frame */
};

/* The frame made in `room`, which has 2048 bytes. */
struct port_frame frames_measurement(uint8_t *room, const struct frames_from *from, const char *name,
                                     int64_t stamp_ns);
struct port_frame frames_report(uint8_t *room, const struct frames_from *from, uint32_t host,
                                uint64_t number);
struct port_frame frames_token_request(uint8_t *room, const struct frames_from *from, uint32_t host,
                                       uint64_t request);
/* One device, asked for 700 W, and no more. */
struct port_frame frames_detail(uint8_t *room, const struct frames_from *from, uint32_t host);

#endif
