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
#define HARMONIC_MAX_PCT 655.0
#define SLOPE_MAX 1e12

static bool within(double value, double low, double high)
{
    return value >= low && value <= high;
}

/* Rounded half away from zero. */
static int64_t whole(double value)
{
    return (int64_t)(value + (value < 0 ? -0.5 : 0.5));
}

static int64_t to_milli(double value)
{
    return whole(value * 1000.0);
}

static bool phase_makes_sense(const struct measure_values *values, uint32_t phase)
{
    return within(values->phase[phase].voltage_v, 0, VOLTS_MAX) &&
           within(values->phase[phase].current_a, 0, AMPERES_MAX) &&
           within(values->phase[phase].active_w, -WATTS_MAX, WATTS_MAX);
}

static bool features_make_sense(const struct measure_values *values)
{
    return within(values->slope_w_per_s, -SLOPE_MAX, SLOPE_MAX) && within(values->crest, 0, 1000) &&
           within(values->frequency_hz, 0, 1000);
}

/* A field that was not sent is 0, and so is nothing that a meter measures here. */
static uint32_t share_ppm(double percent)
{
    return percent > 0 && percent <= DISTORTION_MAX_PCT ? (uint32_t)(percent * 1e4 + 0.5) : 0;
}

/* What nothing but alerts needs: where it makes no sense it is left out, and the reading stands. */
static void take_extras(const struct measure_values *values, struct reading *reading)
{
    double var = values->reactive_var;
    bool reactive = within(var, -WATTS_MAX, WATTS_MAX) && (var > 0 || var < 0);
    bool features = values->load_factor > 0 && values->load_factor <= 1 &&
                    within(values->trend_w_per_s, -SLOPE_MAX, SLOPE_MAX);
    reading->reactive_mvar = reactive ? to_milli(var) : 0;
    reading->load_factor_ppm = features ? (uint32_t)(values->load_factor * 1e6 + 0.5) : 0;
    reading->trend_w_per_s = features ? whole(values->trend_w_per_s) : 0;
    reading->thd_voltage_ppm = share_ppm(values->thd_voltage_pct);
    reading->thd_current_ppm = share_ppm(values->thd_current_pct);
    reading->known = (reactive ? READING_REACTIVE : 0U) | (features ? READING_FEATURES : 0U) |
                     (reading->thd_voltage_ppm ? READING_THD_VOLTAGE : 0U) |
                     (reading->thd_current_ppm ? READING_THD_CURRENT : 0U);
    for (uint32_t i = 0; i < READING_HARMONIC_COUNT; i++) {
        double percent = within(values->harmonic_pct[i], 0, HARMONIC_MAX_PCT) ? values->harmonic_pct[i] : 0;
        reading->harmonic_pct100[i] = (uint16_t)(percent * 100 + 0.5);
    }
}

int measure_convert(const struct measure_values *values, const struct model_node *node,
                    struct reading *reading)
{
    if (values->phases < node->phases || values->t_ns <= 0 || !features_make_sense(values))
        return REFUSED_MALFORMED;
    for (uint32_t i = 0; i < node->phases; i++) {
        if (!phase_makes_sense(values, i))
            return REFUSED_MALFORMED;
        reading->voltage_mv[i] = to_milli(values->phase[i].voltage_v);
        reading->current_ma[i] = to_milli(values->phase[i].current_a);
        reading->power_mw[i] = to_milli(values->phase[i].active_w);
    }
    for (uint32_t i = node->phases; i < PHASES; i++)
        reading->voltage_mv[i] = reading->current_ma[i] = reading->power_mw[i] = 0;
    reading->flags = values->flags;
    reading->t_meter_ns = values->t_ns;
    reading->dp_dt_w_per_s = whole(values->slope_w_per_s);
    reading->crest_milli = (int32_t)to_milli(values->crest);
    reading->frequency_mhz = (int32_t)to_milli(values->frequency_hz);
    take_extras(values, reading);
    return ACCEPTED;
}

/* What a measurement tells beside what decisions are made of. */
static void add_extras(const struct upmu *upmu, const struct model_node *node, struct measure_values *values)
{
    static const uint8_t order[READING_HARMONIC_COUNT] = {
#define ORDER(order, place) [place] = order,
        READING_HARMONICS(ORDER)
#undef ORDER
    };
    for (uint32_t i = 0; i < upmu->phase_count && i < node->phases; i++)
        values->reactive_var += upmu->phase[i].power_reactive_var;
    values->thd_voltage_pct = upmu->thd_voltage_pct;
    values->thd_current_pct = upmu->thd_current_pct;
    values->load_factor = upmu->load_factor;
    values->trend_w_per_s = upmu->power_trend * 1e6;
    for (uint32_t i = 0; i < READING_HARMONIC_COUNT; i++)
        values->harmonic_pct[i] = order[i] <= upmu->harmonic_count ? upmu->harmonic_pct[order[i] - 1] : 0;
}

int measure_reading(const struct upmu *upmu, const struct model_node *node, struct reading *reading)
{
    struct measure_values values = {
        .t_ns = upmu->timestamp_ns, .phases = upmu->phase_count,
        .flags = (upmu->sag_detected ? READING_SAG : 0U) | (upmu->swell_detected ? READING_SWELL : 0U),
        .slope_w_per_s = upmu->dp_dt_mw_per_s * 1000.0 * 1000.0, .crest = upmu->peak_factor,
        .frequency_hz = upmu->frequency_hz};

    for (uint32_t i = 0; i < upmu->phase_count && i < PHASES; i++) {
        values.phase[i].voltage_v = upmu->phase[i].voltage_rms_v;
        values.phase[i].current_a = upmu->phase[i].current_rms_a;
        values.phase[i].active_w = upmu->phase[i].power_active_w;
    }
    add_extras(upmu, node, &values);
    return measure_convert(&values, node, reading);
}
