/* SPDX-License-Identifier: Apache-2.0 */
#include "core/detect.h"

#include <stdbool.h>

/* Upper threshold with hysteresis: on above high, off below low. Values and thresholds in ppm of a
 * reference, or as they are. */
static bool above(bool was, int64_t value, const struct model_threshold *threshold)
{
    if (!threshold->high)
        return false;
    return was ? value >= threshold->low : value > threshold->high;
}

/* Lower threshold: on below high, off above low (a sag starts under 90 % and ends over 92 %). */
static bool below(bool was, int64_t value, const struct model_threshold *threshold)
{
    if (!threshold->high)
        return false;
    return was ? value <= threshold->low : value < threshold->high;
}

static int64_t ppm_of(int64_t value, int64_t reference)
{
    return reference > 0 ? value * PPM / reference : 0;
}

struct extremes {
    int64_t power_mw, current_ma, low_mv, high_mv;
};

static struct extremes extremes_of(const struct reading *reading, uint32_t phases)
{
    struct extremes e = {0, 0, INT64_MAX, 0};
    for (uint32_t phase = 0; phase < phases; phase++) {
        e.power_mw += reading->power_mw[phase];
        e.current_ma = reading->current_ma[phase] > e.current_ma ? reading->current_ma[phase] : e.current_ma;
        e.low_mv = reading->voltage_mv[phase] < e.low_mv ? reading->voltage_mv[phase] : e.low_mv;
        e.high_mv = reading->voltage_mv[phase] > e.high_mv ? reading->voltage_mv[phase] : e.high_mv;
    }
    return e;
}

uint32_t detect_reading(struct detect *detect, const struct model *model, const struct reading *reading,
                        int64_t t_ns)
{
    const struct model_policy *policy = &model->policy;
    const struct model_node *node = &model->node[model->meter[reading->meter].node];
    struct extremes e = extremes_of(reading, node->phases);
    int64_t steady_mw = node->steady_ma * node->volts_ln_mv / 1000 * node->phases;
    uint32_t was = detect->active, is = 0;

    is |= above(was & DETECT_POWER, ppm_of(e.power_mw, steady_mw), &policy->power_pct) ? DETECT_POWER : 0;
    is |= above(was & DETECT_CURRENT, ppm_of(e.current_ma, node->steady_ma), &policy->current_pct)
              ? DETECT_CURRENT
              : 0;
    is |= below(was & DETECT_SAG, ppm_of(e.low_mv, node->volts_ln_mv), &policy->sag_pct) ? DETECT_SAG : 0;
    is |= above(was & DETECT_SWELL, ppm_of(e.high_mv, node->volts_ln_mv), &policy->swell_pct) ? DETECT_SWELL
                                                                                              : 0;
    is |= above(was & DETECT_DP_DT, reading->dp_dt_w_per_s, &policy->dp_dt_w_per_s) ? DETECT_DP_DT : 0;
    detect->active = is;
    detect->measured_mw = e.power_mw;
    detect->reading_t_ns = t_ns;
    return is & ~was;
}
