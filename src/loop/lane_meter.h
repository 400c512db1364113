/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters that send packets of their own protocols: raw samples and synchrophasors in datagrams to the port's
 * own UDP port, sampled values in Ethernet frames. A packet is told by its first bytes, its meter by what the
 * site file says of it; samples go through the meter's own chain (core/measure_meter.h), and a cycle of them
 * becomes one reading, which goes on like any other.
 *
 * Nothing proves who sent such a packet. Where the site asks meters for tags, it has to say of each of these
 * that it is taken without (site/read/protocol.c).
 */
#ifndef FLYBALL_LOOP_LANE_METER_H
#define FLYBALL_LOOP_LANE_METER_H

#include "core/measure_gather.h"
#include "port/ip/udp.h"
#include "ring/wave.h"
#include "site/site.h"
#include "wire/meter.h"

struct lane;

enum { LANE_PRINTS = 32, LANE_STRETCH_SAMPLES = 32 };

/* Samples that repeat themselves, bit by bit, while current flows: a meter that works has noise. By prints of
 * the last stretches, each a packet or more of samples. */
struct lane_repeats {
    uint64_t print, before[LANE_PRINTS];
    uint32_t samples, count;    /* in `print`; stretches so far */
    bool flows;
    uint32_t doubted;           /* readings to come that repeat what was there */
};

/* One meter: what the site file says, and what is remembered of it. Whichever lane has the meter in hand. */
struct lane_road {
    const struct site_meter *site;
    const struct model_node *node;
    union meter_stream *stream; /* of c37118: one for all PMUs of the stream, the first meter's */
    struct measure_meter *measure;      /* NULL: it sends no samples */
    struct measure_gather gather;
    uint32_t next;              /* the next meter of the same stream, or INDEX_NONE */
    struct measure_values last; /* the newest reading; t_ns 0: none since the samples changed shape */
    struct lane_repeats repeats;
    bool measuring;             /* `measure` is set up for the samples that come */
    bool stale;                 /* the newest reading was too old to be admitted */
    /* c37118: the meter that has the stream, names of VA .. IC as c37_name_print has them, and of the newest
     * reading its time and power; the largest currents since */
    uint32_t first;
    uint64_t phasor[SITE_PHASORS];
    int64_t newest_ns;
    double power_w, most_a[PHASES];
};

/* All of them, shared by the lanes. */
struct lane_meters {
    struct lane_road *road;     /* by meter index */
    uint32_t count;             /* of them, meters of the site */
    uint32_t *place;            /* what names a meter in its packets -> index + 1, 0 = empty */
    uint32_t mask;
    struct wave *wave;          /* by meter, for spectra; NULL: nobody asks for samples */
    const struct meter_protocol *protocol[PROTOCOL_COUNT];     /* NULL: upmu, in frames */
};

/* One block's or frame's worth, of each lane: too large for a stack. */
struct lane_work {
    struct meter_message message;
    struct measure_out out;
    struct measure_values values[MEASURE_READINGS_MAX];
};

/* setup: memory for the meters of a site; 0 where none of them has a protocol of its own. */
size_t lane_meters_bytes(const struct site *site);
void lane_meters_init(struct lane_meters *meters, void *memory, const struct site *site);

/* rt: does the meter speak a protocol of its own? */
static inline bool lane_meter_speaks(const struct lane_meters *meters, uint32_t meter)
{
    return site_meter_is_bare(meters->road[meter].site);
}

/* rt: does the frame look like sampled values, or the payload like raw samples or synchrophasors? */
bool lane_meter_is_ethernet(const struct port_frame *frame);
bool lane_meter_is_bare(const struct lane_meters *meters, const struct udp_datagram *datagram);

/* rt, receiving thread: such a packet, found by the poll at t_receive_ns. ACCEPTED or enum refusal. */
int lane_meter_ethernet(struct lane *lane, const struct port_frame *frame, int64_t t_receive_ns);
int lane_meter_datagram(struct lane *lane, const struct udp_datagram *datagram, int64_t t_receive_ns);

#endif
