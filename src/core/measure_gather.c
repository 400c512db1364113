/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_gather.h"

#include <math.h>
#include <string.h>

enum { CYCLE = 2, LOST = 2 * CYCLE };   /* half cycles */

/* The highest peak was there, whatever is lost behind it. */
static void restart(struct measure_gather *gather)
{
    double peak_a = gather->peak_a;

    memset(gather, 0, sizeof *gather);
    gather->peak_a = peak_a;
}

/* Fast features stand at fixed times: those that a block completed count for the reading that comes next. */
static void take_ticks(struct measure_gather *gather, const struct measure_meter *meter,
                       const struct measure_out *out)
{
    for (uint32_t i = 0; i < out->ticks; i++) {
        const struct measure_tick *tick = &out->tick[i];

        for (uint32_t p = 0; p < meter->config.phases; p++)
            gather->peak_a = tick->peak_a[p] > gather->peak_a ? tick->peak_a[p] : gather->peak_a;
        if (!(tick->flags & MEASURE_GAP) && fabs(tick->slope_w_per_s) > fabs(gather->slope_w_per_s))
            gather->slope_w_per_s = tick->slope_w_per_s;
    }
}

/* Over less than their second they would tell of its beginning alone. */
static void take_features(struct measure_gather *gather, const struct measure_meter *meter,
                          const struct measure_out *out)
{
    bool whole = meter->trend.count == MEASURE_TREND;

    if (!out->features)
        return;
    const struct measure_feature *newest = &out->feature[out->features - 1];

    gather->load_factor = !whole ? 0 : newest->load_factor < 1 ? newest->load_factor : 1;
    gather->trend_w_per_s = whole ? newest->trend_w_per_s : 0;
}

static bool has_gap(const struct measure_out *out)
{
    for (uint32_t i = 0; i < out->cycles_count; i++)
        if (out->cycles[i].flags & MEASURE_GAP)
            return true;
    return false;
}

/* The half cycle that makes the cycle whole is the one that counts; one more belongs to the next cycle. */
static void take_half(struct measure_gather *gather, const struct measure_half *half)
{
    uint32_t p = half->phase;

    if (++gather->phase[p].halves != CYCLE)
        return;
    gather->flags |= half->flags;
    gather->phase[p].voltage_v = half->voltage_v;
    gather->phase[p].current_a = half->current_a;
    gather->phase[p].active_w = half->active_w;
    gather->phase[p].t_ns = half->t_ns;
}

static bool is_whole(const struct measure_gather *gather, uint32_t phases)
{
    for (uint32_t p = 0; p < phases; p++)
        if (gather->phase[p].halves < CYCLE)
            return false;
    return true;
}

/* A phase that closes no cycles while another closes two has lost some: all begin anew. */
static bool is_torn(const struct measure_gather *gather, uint32_t phases)
{
    for (uint32_t p = 0; p < phases; p++)
        if (gather->phase[p].halves >= LOST)
            return true;
    return false;
}

/* Against the largest of the phases' currents: that times the crest is the peak that was there. */
static double crest_of(const struct measure_gather *gather, uint32_t phases)
{
    double most_a = 0;

    for (uint32_t p = 0; p < phases; p++)
        most_a = gather->phase[p].current_a > most_a ? gather->phase[p].current_a : most_a;
    return most_a > 0 && gather->peak_a < 1000 * most_a ? gather->peak_a / most_a : 0;
}

static uint32_t dips(const struct measure_gather *gather, const struct measure_meter *meter, uint32_t phases)
{
    const struct measure_config *config = &meter->config;
    uint32_t flags = 0;

    for (uint32_t p = 0; p < phases && gather->flags & MEASURE_DURING; p++)
        flags |= gather->phase[p].voltage_v < config->voltage_v ? READING_SAG : READING_SWELL;
    return flags;
}

static void make(struct measure_gather *gather, const struct measure_meter *meter,
                 struct measure_values *values)
{
    uint32_t phases = meter->config.phases;

    *values = (struct measure_values){.t_ns = INT64_MAX, .phases = phases,
        .slope_w_per_s = gather->slope_w_per_s, .crest = crest_of(gather, phases),
        .frequency_hz = measure_meter_frequency_hz(meter),
        .load_factor = gather->load_factor, .trend_w_per_s = gather->trend_w_per_s,
        .flags = dips(gather, meter, phases) | (gather->flags & MEASURE_UNSURE ? READING_UNSURE : 0U)};
    for (uint32_t p = 0; p < phases; p++) {
        values->phase[p].voltage_v = gather->phase[p].voltage_v;
        values->phase[p].current_a = gather->phase[p].current_a;
        values->phase[p].active_w = gather->phase[p].active_w;
        values->t_ns = gather->phase[p].t_ns < values->t_ns ? gather->phase[p].t_ns : values->t_ns;
        gather->phase[p].halves -= CYCLE;
    }
    gather->flags = 0;
    gather->peak_a = gather->slope_w_per_s = 0;
}

uint32_t measure_gather(struct measure_gather *gather, const struct measure_meter *meter,
                        const struct measure_out *out, struct measure_values values[MEASURE_READINGS_MAX])
{
    uint32_t phases = meter->config.phases, count = 0;

    if (has_gap(out))
        restart(gather);
    take_ticks(gather, meter, out);
    take_features(gather, meter, out);
    for (uint32_t i = 0; i < out->halves; i++) {
        take_half(gather, &out->half[i]);
        if (is_torn(gather, phases))
            restart(gather);
        else if (is_whole(gather, phases))
            make(gather, meter, &values[count++]);
    }
    return count;
}
