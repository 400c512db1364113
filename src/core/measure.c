/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure.h"

#include <stdbool.h>

#include "msg/frame.h"

/* Bounds of sense: 1 MV, 1 MA, 1 GW. NaN fails every comparison and so is out of every range. */
#define VOLTS_MAX 1e6
#define AMPERES_MAX 1e6
#define WATTS_MAX 1e9
/* And of what nothing but alerts is made of: beyond them it counts as not given. */
#define DISTORTION_MAX_PCT 1000.0
#define TREND_MAX_MW_PER_S 1e6

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

/* A field that was not sent is 0, and so is nothing that a meter measures here. */
static uint32_t share_ppm(double percent)
{
    return percent > 0 && percent <= DISTORTION_MAX_PCT ? (uint32_t)(percent * 1e4 + 0.5) : 0;
}

static void take_distortion(const struct upmu *upmu, struct reading *reading)
{
    static const uint8_t order[READING_HARMONIC_COUNT] = {
#define ORDER(order, place) [place] = order,
        READING_HARMONICS(ORDER)
#undef ORDER
    };
    reading->thd_voltage_ppm = share_ppm(upmu->thd_voltage_pct);
    reading->thd_current_ppm = share_ppm(upmu->thd_current_pct);
    reading->known |= (reading->thd_voltage_ppm ? READING_THD_VOLTAGE : 0) |
                      (reading->thd_current_ppm ? READING_THD_CURRENT : 0);
    for (uint32_t i = 0; i < READING_HARMONIC_COUNT; i++) {
        double percent = order[i] <= upmu->harmonic_count ? upmu->harmonic_pct[order[i] - 1] : 0;
        reading->harmonic_pct100[i] = within(percent, 0, 655.0) ? (uint16_t)(percent * 100 + 0.5) : 0;
    }
}

/* What nothing but alerts needs: where it makes no sense it is left out, and the reading stands. */
static void take_extras(const struct upmu *upmu, uint32_t phases, struct reading *reading)
{
    double reactive_var = 0;
    for (uint32_t i = 0; i < phases; i++)
        reactive_var += upmu->phase[i].power_reactive_var;
    bool reactive = within(reactive_var, -WATTS_MAX, WATTS_MAX) && (reactive_var > 0 || reactive_var < 0);
    bool features = upmu->load_factor > 0 && upmu->load_factor <= 1 &&
                    within(upmu->power_trend, -TREND_MAX_MW_PER_S, TREND_MAX_MW_PER_S);
    reading->known = (reactive ? READING_REACTIVE : 0) | (features ? READING_FEATURES : 0);
    reading->reactive_mvar = reactive ? to_milli(reactive_var) : 0;
    reading->load_factor_ppm = features ? (uint32_t)(upmu->load_factor * 1e6 + 0.5) : 0;
    reading->trend_w_per_s = features ? to_milli(upmu->power_trend * 1000.0) : 0;
    take_distortion(upmu, reading);
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
    take_extras(upmu, node->phases, reading);
    return ACCEPTED;
}
