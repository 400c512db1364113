/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be measured of a meter's samples, and how they are corrected. */
#ifndef FLYBALL_MSG_MEASURE_H
#define FLYBALL_MSG_MEASURE_H

#include "msg/samples.h"

enum {
    MEASURE_PHASES = 3,
    MEASURE_CHANNELS_MIN = SAMPLES_IC + 1,      /* without the neutral's */
    MEASURE_CHANNELS = SAMPLES_CHANNELS_MAX,    /* in the order of enum samples_channel */
    MEASURE_RATE_MIN_HZ = 1000,
    MEASURE_RATE_MAX_HZ = 16000,
};

struct measure_config {
    int64_t period_ps;                  /* of a sample; 62,500,000 to 1,000,000,000 */
    uint32_t phases;                    /* 1 to 3 */
    uint32_t channels;                  /* 6 or 8 */
    double nominal_hz;                  /* 50 or 60 */
    double gain[MEASURE_CHANNELS];      /* V or A per unit of a sample; */
    double offset[MEASURE_CHANNELS];    /* in V or A, added after that */
    double late_ns[MEASURE_CHANNELS];   /* a channel is late by this: skew, or phase error at nominal_hz;
                                         * at most one period either way */
    double clip;                        /* a sample of this magnitude, before scaling, is clipped; 0: none */
    double voltage_v;                   /* declared, rms, phase to neutral; 0: no events */
    double current_a;                   /* nominal; below 1 % of it no change is a change; 0: of nothing */
    double sag, swell, interruption, hysteresis;    /* of voltage_v: 0.9, 1.1, 0.05, 0.02 */
    double peak_a;                      /* an event from here, single samples; 0: none */
    double slope_w_per_s;               /* |dP/dt| that is an event; 0: none */
};

#endif
