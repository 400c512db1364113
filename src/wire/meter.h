/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the meter protocols have in common: one row each in meter_protocols[] (table.c). A stream is what a
 * receiver remembers of one meter: zeroed at start, of no more use for another protocol.
 */
#ifndef FLYBALL_WIRE_METER_H
#define FLYBALL_WIRE_METER_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/phasors.h"
#include "msg/samples.h"
#include "msg/upmu.h"
#include "wire/c37.h"
#include "wire/meter_refusal.h"
#include "wire/raw.h"
#include "wire/sv.h"

enum meter_kind { METER_NOTHING, METER_SAMPLES, METER_PHASORS, METER_MEASUREMENT };

enum { METER_BLOCKS_MAX = RAW_BLOCKS_MAX };

/* METER_NOTHING: the packet was good and says nothing yet: a configuration, or one held back for its
 * forerunner. */
struct meter_message {
    enum meter_kind kind;
    uint32_t blocks;            /* of samples, oldest first */
    union {
        struct samples samples[METER_BLOCKS_MAX];
        struct phasors phasors;
        struct upmu upmu;       /* device_id points into the packet */
    };
};

union meter_stream {
    struct raw_stream raw;
    struct sv_stream sv;
    struct c37_stream c37;
};

struct meter_protocol {
    const char *name;
    bool ethernet;              /* packets are whole Ethernet frames; else UDP payload */
    uint32_t stream_bytes;      /* of a union meter_stream, all that decode touches */

    /* rt: does this look like the protocol? Cheap, and no promise that it decodes. */
    bool (*match)(const uint8_t *data, uint32_t bytes);

    /* rt: METER_ACCEPTED and `message`, or an enum meter_refusal. `arrival_ns` is of a clock that is never
     * set: of those protocols that say when only within a second it says, with what their stream has beside
     * it (sv_stream.unix_ahead_ns), in which the first one was. */
    int (*decode)(union meter_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
        struct meter_message *message);
};

extern const struct meter_protocol meter_protocols[];
extern const uint32_t meter_protocol_count;

/* any: the protocol of that name, or the first one that matches; NULL if there is none. */
const struct meter_protocol *meter_protocol_named(const char *name);
const struct meter_protocol *meter_protocol_of(const uint8_t *data, uint32_t bytes, bool ethernet);

#endif
