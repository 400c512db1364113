/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/metering.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

void meter_init(struct meter *meter, const struct model *model, const struct workload *workload,
                uint32_t index)
{
    memset(meter, 0, sizeof(*meter));
    meter->model = &model->meter[index];
    random_init(&meter->random, workload->seed, RANDOM_METER, index);
    /* a stream of its own: how much a voltage jitters changes no current */
    random_init(&meter->volts, workload->seed, RANDOM_METER, UINT64_C(1) << 32 | index);
    /* the declared error covers instrument, transformer and
     * imbalance: half of it for the constant part here */
    double error = 0.5 * (double)meter->model->error_ppm / 1e6;
    meter->current_gain = 1.0 + random_between(&meter->random, -error, error);
    meter->voltage_gain = 1.0 + 0.1 * random_between(&meter->random, -error, error);
    meter->power_gain = meter->current_gain * meter->voltage_gain;
    meter->offset_ns = NS_PER_MS * (int64_t)index % meter->model->period_ns;
    meter->next_ns = meter->model->period_ns + meter->offset_ns;
}

static double load_w(const struct grid_node *node)
{
    return node->power_w[0] + node->power_w[1] + node->power_w[2];
}

void meter_note(struct meter *meter, const struct grid_node *node)
{
    double sum_w = load_w(node);
    meter->most_w = sum_w > meter->most_w ? sum_w : meter->most_w;
}

/* The sums as they stand now: what flows has not been counted for held_s. */
static struct grid_sums sums_now(const struct grid_node *node, double held_s)
{
    struct grid_sums sums = node->sums;
    for (int phase = 0; phase < PHASES; phase++) {
        sums.power_ws[phase] += node->power_w[phase] * held_s;
        sums.reactive_vars[phase] += node->reactive_var[phase] * held_s;
        sums.volts2_s[phase] += node->volts[phase] * node->volts[phase] * held_s;
        sums.amperes2_s[phase] += node->amperes[phase] * node->amperes[phase] * held_s;
    }
    return sums;
}

/* Differences of large sums may miss 0 by rounding. */
static double root_mean(double now, double then, double window_s)
{
    return now > then ? sqrt((now - then) / window_s) : 0;
}

static void read_phase(struct meter *meter, const struct grid_sums *now, int phase, double window_s,
                       double noise, struct upmu_phase *out)
{
    const struct grid_sums *begin = &meter->begin;
    double jitter = 1.0 + noise * random_normal(&meter->random);
    double flicker = 1.0 + 0.1 * noise * random_normal(&meter->volts);
    double power_w = (now->power_ws[phase] - begin->power_ws[phase]) / window_s;
    double reactive_var = (now->reactive_vars[phase] - begin->reactive_vars[phase]) / window_s;
    double volts = root_mean(now->volts2_s[phase], begin->volts2_s[phase], window_s);
    double amperes = root_mean(now->amperes2_s[phase], begin->amperes2_s[phase], window_s);
    out->voltage_rms_v = volts * meter->voltage_gain * flicker;
    out->current_rms_a = amperes * meter->current_gain * jitter;
    out->power_active_w = power_w * meter->power_gain * jitter;
    out->power_reactive_var = reactive_var * meter->power_gain * jitter;
    out->power_apparent_va = sqrt(out->power_active_w * out->power_active_w +
                                  out->power_reactive_var * out->power_reactive_var);
    out->power_factor = out->power_apparent_va > 0 ? out->power_active_w / out->power_apparent_va : 1.0;
}

static void read_features(struct meter *meter, const struct grid *grid, const struct grid_sums *now,
                          double window_s, struct upmu *upmu)
{
    double mean_w = 0, last_w = load_w(&grid->node[meter->model->node]);
    for (int phase = 0; phase < PHASES; phase++)
        mean_w += (now->power_ws[phase] - meter->begin.power_ws[phase]) / window_s;
    double slope = (last_w - meter->first_w) / window_s;
    meter->trend_w_per_s += 0.1 * (slope - meter->trend_w_per_s);
    upmu->dp_dt_mw_per_s = slope / 1e6;
    upmu->peak_factor = grid->crest;
    upmu->load_factor = meter->most_w > 0 ? mean_w / meter->most_w : 0;
    upmu->power_trend = meter->trend_w_per_s / 1e6;  /* MW/s on the wire, like dp_dt */
    meter->first_w = meter->most_w = last_w;
}

/* A single-phase node carries what it carries on one of the three, and its meter shows that one. */
static int first_phase(const struct meter *meter, const struct grid *grid, const struct grid_sums *now)
{
    int first = 0;
    for (int phase = 1; grid->model->node[meter->model->node].phases == 1 && phase < PHASES; phase++) {
        double most = now->amperes2_s[first] - meter->begin.amperes2_s[first];
        first = now->amperes2_s[phase] - meter->begin.amperes2_s[phase] > most ? phase : first;
    }
    return first;
}

void meter_read(struct meter *meter, const struct grid *grid, int64_t t_ns, int64_t timestamp_ns,
                double noise, struct upmu *upmu)
{
    const struct grid_node *node = &grid->node[meter->model->node];
    struct grid_sums now = sums_now(node, grid->held_s);
    double window_s = (double)(t_ns - meter->begin_ns) / 1e9;
    int first = first_phase(meter, grid, &now);
    memset(upmu, 0, offsetof(struct upmu, harmonic_pct));
    upmu->timestamp_ns = timestamp_ns;
    upmu->device_id = meter->model->name;
    upmu->device_id_bytes = (uint32_t)strlen(meter->model->name);
    upmu->phase_count = grid->model->node[meter->model->node].phases == 1 ? 1 : PHASES;
    for (uint32_t i = 0; i < upmu->phase_count; i++)
        read_phase(meter, &now, first + (int)i, window_s, noise, &upmu->phase[i]);
    upmu->thd_voltage_pct = 1.8;
    upmu->thd_current_pct = 6.0;
    upmu->frequency_hz = 60.0;
    upmu->sag_detected = upmu->phase[0].voltage_rms_v < 0.9 * node->nominal_v;
    upmu->swell_detected = upmu->phase[0].voltage_rms_v > 1.1 * node->nominal_v;
    read_features(meter, grid, &now, window_s, upmu);
    meter->begin = now;
    meter->begin_ns = t_ns;
    meter->next_ns += meter->model->period_ns;
}
