/* SPDX-License-Identifier: Apache-2.0 */
/* One frame of synchrophasors (IEEE C37.118.2), in plain numbers. */
#ifndef FLYBALL_MSG_PHASORS_H
#define FLYBALL_MSG_PHASORS_H

#include <stdbool.h>

#include "msg/limits.h"

/* One phasor as it was sent: without the C library there is no way from one form to the other. */
struct phasor {
    double first;               /* magnitude in V or A; rectangular: the real part */
    double second;              /* angle in radians; rectangular: the imaginary part */
};

/* Bits of `stat`. */
enum phasors_stat {
    PHASORS_ERROR_SHIFT = 14,   /* two bits: 0 good, 1 PMU error, 2 test, 3 do not use */
    PHASORS_UNSYNCED = 1 << 13,
    PHASORS_BY_ARRIVAL = 1 << 12,
    PHASORS_TRIGGERED = 1 << 11,
    PHASORS_CONFIG_PENDING = 1 << 10,
    PHASORS_MODIFIED = 1 << 9,
    /* three bits: 1 below 100 ns, 2 1 us ... 6 10 ms, 7 more or unknown; 0 not said */
    PHASORS_QUALITY_SHIFT = 6,
    PHASORS_UNLOCKED_SHIFT = 4, /* two bits: below 10, 100, 1000 s, and more */
    PHASORS_REASON_MASK = 15,
};

/* What is not there is NaN, and counted in `missing`. */
struct phasors_pmu {
    uint16_t id;
    uint16_t stat;              /* enum phasors_stat */
    bool polar;
    uint8_t phasors, analogs, digitals;
    uint16_t missing;
    double frequency_hz;
    double rocof_hz_per_s;
    struct phasor phasor[PHASORS_MAX];
    double analog[PHASORS_ANALOGS_MAX];     /* whole ones as counted, but scaled where CFG-3 says how */
    uint16_t digital[PHASORS_DIGITALS_MAX];
};

struct phasors {
    uint16_t id;                /* of the stream */
    /* bits 3-0: 0 locked, 1 .. 11: 1 ns .. 10 s, 15 failed; bits 6-4: leap second */
    uint8_t time_quality;
    uint8_t pmus;
    int64_t t_ns;               /* Unix epoch, UTC */
    struct phasors_pmu pmu[PHASORS_PMUS_MAX];
};

#endif
