/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_quality.h"

#include <math.h>

#include "core/measure_gather.h"

#define VOLTS_MAX 1e6
#define AMPERES_MAX 1e6
#define VARS_MAX (VOLTS_MAX * AMPERES_MAX)
#define RATIO_MAX 1000.0        /* of something that is nearly nothing: it says no more than that */

static bool within(double value, double most)
{
    return value >= -most && value <= most;
}

/* Rounded half away from zero. */
static int64_t whole(double value, double scale)
{
    return (int64_t)(value * scale + (value < 0 ? -0.5 : 0.5));
}

static uint32_t ratio_ppm(double ratio)
{
    return ratio > RATIO_MAX ? (uint32_t)(RATIO_MAX * PPM) : (uint32_t)whole(ratio, PPM);
}

static bool makes_sense(const struct measure_cycles *cycles, uint32_t phases)
{
    if (!within(cycles->effective_va, 9 * VARS_MAX) || !within(cycles->neutral_a, 3 * AMPERES_MAX) ||
        !within(cycles->frequency_hz, 1000) || !within(cycles->rocof_hz_per_s, 1e6) ||
        !(cycles->frequency_hz > 0))
        return false;
    for (uint32_t p = 0; p < phases; p++) {
        const struct measure_phase *phase = &cycles->phase[p];

        if (!within(phase->voltage_v, VOLTS_MAX) || !within(phase->current_a, AMPERES_MAX) ||
            !within(phase->reactive_var, 2 * VARS_MAX))
            return false;
    }
    return true;
}

static double of_fundamentals(double active_w, double reactive_var)
{
    double apparent_va = sqrt(active_w * active_w + reactive_var * reactive_var);

    return apparent_va > 0 ? active_w / apparent_va : 0;
}

static void take_phases(const struct measure_cycles *cycles, struct quality *quality)
{
    double fundamental_w = 0, reactive_var = 0;

    for (uint32_t p = 0; p < quality->phases; p++) {
        const struct measure_phase *phase = &cycles->phase[p];

        quality->reactive_mvar[p] = whole(phase->reactive_var, 1000);
        quality->apparent_mva[p] = whole(phase->apparent_va, 1000);
        quality->power_factor_ppm[p] = (int32_t)whole(phase->power_factor, PPM);
        quality->displacement_ppm[p] = (int32_t)whole(phase->displacement, PPM);
        fundamental_w += phase->fundamental_w;
        reactive_var += phase->reactive_var;
    }
    quality->displacement_all_ppm = (int32_t)whole(of_fundamentals(fundamental_w, reactive_var), PPM);
}

bool measure_quality(const struct measure_cycles *cycles, uint32_t phases, struct quality *quality)
{
    uint32_t changing = MEASURE_CHANGING | MEASURE_DURING;

    if (cycles->flags & (MEASURE_UNSURE | MEASURE_FREE) || !makes_sense(cycles, phases))
        return false;
    *quality = (struct quality){.meter = quality->meter, .phases = (uint8_t)phases,
        .cycles = (uint8_t)cycles->cycles, .t_meter_ns = cycles->t_ns,
        .flags = (uint16_t)((cycles->flags & MEASURE_NEUTRAL ? QUALITY_NO_NEUTRAL : 0U) |
                            (cycles->flags & changing ? QUALITY_CHANGING : 0U)),
        .effective_mva = whole(cycles->effective_va, 1000), .neutral_ma = whole(cycles->neutral_a, 1000),
        .power_factor_all_ppm = (int32_t)whole(cycles->power_factor, PPM),
        .unbalance_v_ppm = ratio_ppm(cycles->unbalance_v),
        .unbalance_zero_v_ppm = ratio_ppm(cycles->unbalance_zero_v),
        .unbalance_a_ppm = ratio_ppm(cycles->unbalance_a),
        .frequency_mhz = (uint32_t)whole(cycles->frequency_hz, 1000),
        .rocof_mhz_per_s = (int32_t)whole(cycles->rocof_hz_per_s, 1000)};
    take_phases(cycles, quality);
    return true;
}
