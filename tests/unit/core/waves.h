/* SPDX-License-Identifier: Apache-2.0 */
/* Three-phase waveforms by their formula, fed to a meter in blocks, and what came out of it. */
#ifndef FLYBALL_TESTS_WAVES_H
#define FLYBALL_TESTS_WAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/measure_meter.h"

enum { WAVES_PARTS = 12, WAVES_OUT = 4096, WAVES_TICKS = 32768 };

/* sqrt(2) * rms * cos(order * (w t + rotation) + angle) */
struct wave_part { double order, rms, degrees; };

struct waves;
/* What samples are multiplied by at a time, of a channel; NULL: 1 */
typedef double waves_shape(const struct waves *waves, uint32_t channel, double t_s);

struct waves {
    double rate_hz, frequency_hz, degrees;      /* degrees: of all phases at t = 0 */
    struct wave_part v[WAVES_PARTS], i[WAVES_PARTS];    /* of the first phase; up to order 0 */
    uint32_t phases;                            /* 3, or 1: the others are 0 */
    bool backward;                              /* phases go A C B */
    double noise;                               /* rms, of the first part's */
    uint64_t seed;
    waves_shape *shape;
    double from_s, to_s, depth;                 /* for the shape */
};

struct waves_result {
    uint32_t ticks, halves, events, features, heats, cycles;
    struct measure_tick tick[WAVES_TICKS];
    struct measure_half half[WAVES_OUT];
    struct measure_event event[WAVES_OUT];
    struct measure_feature feature[WAVES_OUT];
    struct measure_heat heat[WAVES_OUT];
    struct measure_cycles cycle[WAVES_OUT];
};

/* H1 of the printed vectors: 277.128 V and 600 A with harmonics */
struct waves waves_vector(void);
/* Sines of `volts` and `amperes` that lag by `degrees`; the first phase's voltage crosses zero upwards at
 * 0. */
struct waves waves_sine(double frequency_hz, double volts, double amperes, double degrees);
/* One sample of one channel without noise. */
double waves_value(const struct waves *waves, uint32_t channel, double t_s);

/* For 6 channels of V and A at the rate of the waves, events by 277.128 V, classes as IEC 61000-4-30 */
struct measure_config waves_config(const struct waves *waves);

/* A meter through `samples` samples in blocks of `block`; the result is the caller's to free. */
struct waves_result *waves_run(const struct waves *waves, const struct measure_config *config,
                               uint32_t samples, uint32_t block);
void waves_collect(struct waves_result *result, const struct measure_out *out);

#endif
