/* SPDX-License-Identifier: Apache-2.0 */
/* Waveforms that are made: a table of one cycle per channel, and what happens to it over time. The value at
 * a time depends on nothing but the settings, so any order of asking gives the same. */
#ifndef FLYBALL_CLI_METER_WAVE_H
#define FLYBALL_CLI_METER_WAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/samples.h"

enum { METER_WAVE_PARTS_MAX = 64, METER_WAVE_EVENTS_MAX = 16, METER_WAVE_TABLE = 16384 };

/* One harmonic: sqrt(2) X cos(h (wt + rot) + angle). */
struct meter_wave_part {
    bool current;
    uint32_t order;
    double share;               /* of the fundamental */
    double angle_deg;
};

/* Volts at `share` of what they were, from `at_s` for `for_s`. */
struct meter_wave_sag {
    double at_s, for_s, share;
    uint32_t phases;            /* bit 0: the first */
};

/* Amperes go to `factor` of what was declared, in a straight line over `over_s`. */
struct meter_wave_step {
    double at_s, factor, over_s;
};

struct meter_wave {
    double voltage_v, current_a;        /* rms of the fundamental, phase to neutral */
    double frequency_hz;
    double lag_deg;                     /* of current behind voltage */
    double noise;                       /* sigma, share of the rms */
    /* magnitudes of phases b and c: lower and higher by this share */
    double unbalance;
    double swing_hz, swing_share;       /* of the current: a sine, by so much of it either way */
    uint64_t seed;
    uint32_t parts, sags, steps;
    struct meter_wave_part part[METER_WAVE_PARTS_MAX];
    struct meter_wave_sag sag[METER_WAVE_EVENTS_MAX];
    struct meter_wave_step step[METER_WAVE_EVENTS_MAX];
    double (*table)[METER_WAVE_TABLE + 1];      /* by channel, up to SAMPLES_IC */
};

/* setup: 0 or -ENOMEM; fills the table from the rest. */
int meter_wave_init(struct meter_wave *wave);
void meter_wave_finish(struct meter_wave *wave);

/* any: volts and amperes of a meter at `t_s` since the start; sample `n` is whose noise it is. The neutral's
 * current is the sum of the phases', its voltage 0. `load` is a factor of the current. */
void meter_wave_row(const struct meter_wave *wave, uint32_t meter, uint64_t n, double t_s, double load,
                    double row[SAMPLES_CHANNELS_MAX]);

#endif
