/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure.h"

#include <stdbool.h>

#include "msg/frame.h"

/* Bounds of sense: 1 MV, 1 MA, 1 GW. NaN fails every comparison and so is out of every range. */
#define VOLTS_MAX 1e6
#define AMPERES_MAX 1e6
#define WATTS_MAX 1e9

static bool within(double value, double low, double high)
{
    return value >= low && value <= high;
}

/* To thousandths, rounded half away from zero. */
static int64_t to_milli(double value)
{
    return (int64_t)(value * 1000.0 + (value < 0 ? -0.5 : 0.5));
}

static bool phase_makes_sense(const struct upmu_phase *phase)
{
    return within(phase->voltage_rms_v, 0, VOLTS_MAX) && within(phase->current_rms_a, 0, AMPERES_MAX) &&
           within(phase->power_active_w, -WATTS_MAX, WATTS_MAX);
}

static bool features_make_sense(const struct upmu *upmu)
{
    return within(upmu->dp_dt_mw_per_s, -1e6, 1e6) && within(upmu->peak_factor, 0, 1000) &&
           within(upmu->frequency_hz, 0, 1000);
}

int measure_reading(const struct upmu *upmu, const struct model_node *node, struct reading *reading)
{
    if (upmu->phase_count < node->phases || upmu->timestamp_ns <= 0 || !features_make_sense(upmu))
        return REFUSED_MALFORMED;
    for (uint32_t i = 0; i < node->phases; i++) {
        const struct upmu_phase *phase = &upmu->phase[i];
        if (!phase_makes_sense(phase))
            return REFUSED_MALFORMED;
        reading->voltage_mv[i] = to_milli(phase->voltage_rms_v);
        reading->current_ma[i] = to_milli(phase->current_rms_a);
        reading->power_mw[i] = to_milli(phase->power_active_w);
    }
    for (uint32_t i = node->phases; i < PHASES; i++)
        reading->voltage_mv[i] = reading->current_ma[i] = reading->power_mw[i] = 0;
    reading->flags = (upmu->sag_detected ? READING_SAG : 0) | (upmu->swell_detected ? READING_SWELL : 0);
    reading->t_meter_ns = upmu->timestamp_ns;
    reading->dp_dt_w_per_s = to_milli(upmu->dp_dt_mw_per_s * 1000.0);
    reading->crest_milli = (int32_t)to_milli(upmu->peak_factor);
    reading->frequency_mhz = (int32_t)to_milli(upmu->frequency_hz);
    return ACCEPTED;
}
