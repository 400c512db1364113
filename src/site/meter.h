/* SPDX-License-Identifier: Apache-2.0 */
/* How a meter speaks, and what is to be made of its samples: what the site file says beside the model. */
#ifndef FLYBALL_SITE_METER_H
#define FLYBALL_SITE_METER_H

#include <stdbool.h>

#include "msg/measure.h"

/* X(symbol, name in the site file) */
#define SITE_PROTOCOLS(X) \
    X(PROTOCOL_UPMU, "upmu") \
    X(PROTOCOL_RAW, "raw") \
    X(PROTOCOL_SV, "sv") \
    X(PROTOCOL_C37118, "c37118")

enum site_protocol {
#define SITE_PROTOCOL(symbol, name) symbol,
    SITE_PROTOCOLS(SITE_PROTOCOL)
#undef SITE_PROTOCOL
    PROTOCOL_COUNT
};

enum { SITE_SVID_BYTES = 35, SITE_PHASOR_BYTES = 17, SITE_PHASORS = 2 * MEASURE_PHASES,
       SITE_APPID_MIN = 0x4000, SITE_APPID_MAX = 0x7FFF };

/* Readings of upmu are what the meter worked out itself; of the others nothing but `protocol` is used there.
 * All bytes are defined: two sites may be compared by them. */
struct site_meter {
    uint8_t protocol;           /* enum site_protocol */
    bool fresh_measured;        /* its T_fresh follows from what was measured on the server */
    uint8_t reserved[2];
    uint32_t number;            /* raw: the meter's; sv: APPID; c37118: ID code of the stream */
    uint32_t pmu;               /* c37118: ID code of the PMU in it */
    uint32_t ipv4;              /* over UDP taken from there alone, host byte order; 0 = from anywhere */
    uint32_t rate_hz;           /* samples a second; 0: whatever comes */
    char svid[SITE_SVID_BYTES + 1];
    char phasor[SITE_PHASORS][SITE_PHASOR_BYTES + 1];   /* c37118: names of VA VB VC IA IB IC */
    struct measure_config measure;      /* period_ps 0 and channels 0: as the packets have them */
};

/* any: without tags: nobody proves who sent its packets. */
static inline bool site_meter_is_bare(const struct site_meter *meter)
{
    return meter->protocol != PROTOCOL_UPMU;
}

/* any: it sends samples, that are measured here. */
static inline bool site_meter_samples(const struct site_meter *meter)
{
    return meter->protocol == PROTOCOL_RAW || meter->protocol == PROTOCOL_SV;
}

extern const char *const site_protocol_names[PROTOCOL_COUNT + 1];   /* ends with NULL */

#endif
