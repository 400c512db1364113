/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/metering.h"

#include <math.h>
#include <string.h>

static void clear_window(struct meter *meter)
{
    meter->samples = 0;
    memset(meter->power_ws, 0, sizeof(meter->power_ws));
    memset(meter->reactive_vars, 0, sizeof(meter->reactive_vars));
    memset(meter->volts2, 0, sizeof(meter->volts2));
    memset(meter->amperes2, 0, sizeof(meter->amperes2));
    meter->most_w = 0;
}

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

bool meter_step(struct meter *meter, const struct grid_node *node, int64_t t_ns)
{
    double sum_w = 0;
    for (int phase = 0; phase < PHASES; phase++) {
        meter->power_ws[phase] += node->power_w[phase];
        meter->reactive_vars[phase] += node->reactive_var[phase];
        meter->volts2[phase] += node->volts[phase] * node->volts[phase];
        meter->amperes2[phase] += node->amperes[phase] * node->amperes[phase];
        sum_w += node->power_w[phase];
    }
    if (!meter->samples)
        meter->first_w = sum_w;
    meter->samples++;
    meter->last_w = sum_w;
    meter->most_w = fmax(meter->most_w, sum_w);
    return t_ns >= meter->next_ns;
}

static void read_phase(struct meter *meter, int phase, double noise, struct upmu_phase *out)
{
    double n = meter->samples;
    double jitter = 1.0 + noise * random_normal(&meter->random);
    double flicker = 1.0 + 0.1 * noise * random_normal(&meter->volts);
    out->voltage_rms_v = sqrt(meter->volts2[phase] / n) * meter->voltage_gain * flicker;
    out->current_rms_a = sqrt(meter->amperes2[phase] / n) * meter->current_gain * jitter;
    out->power_active_w = meter->power_ws[phase] / n * meter->power_gain * jitter;
    out->power_reactive_var = meter->reactive_vars[phase] / n * meter->power_gain * jitter;
    out->power_apparent_va = hypot(out->power_active_w, out->power_reactive_var);
    out->power_factor = out->power_apparent_va > 0 ? out->power_active_w / out->power_apparent_va : 1.0;
}

static void read_features(struct meter *meter, const struct grid *grid, struct upmu *upmu)
{
    double window_s = (double)meter->model->period_ns / 1e9, mean_w = 0;
    for (int phase = 0; phase < PHASES; phase++)
        mean_w += meter->power_ws[phase] / meter->samples;
    double slope = (meter->last_w - meter->first_w) / window_s;
    meter->trend_w_per_s += 0.1 * (slope - meter->trend_w_per_s);
    upmu->dp_dt_mw_per_s = slope / 1e6;
    upmu->peak_factor = grid->crest;
    upmu->load_factor = meter->most_w > 0 ? mean_w / meter->most_w : 0;
    upmu->power_trend = meter->trend_w_per_s;
}

void meter_read(struct meter *meter, const struct grid *grid, int64_t timestamp_ns, double noise,
                struct upmu *upmu)
{
    const struct grid_node *node = &grid->node[meter->model->node];
    memset(upmu, 0, sizeof(*upmu));
    upmu->timestamp_ns = timestamp_ns;
    upmu->device_id = meter->model->name;
    upmu->device_id_bytes = (uint32_t)strlen(meter->model->name);
    upmu->phase_count = grid->model->node[meter->model->node].phases == 1 ? 1 : PHASES;
    for (uint32_t phase = 0; phase < upmu->phase_count; phase++)
        read_phase(meter, (int)phase, noise, &upmu->phase[phase]);
    upmu->thd_voltage_pct = 1.8;
    upmu->thd_current_pct = 6.0;
    upmu->frequency_hz = 60.0;
    upmu->sag_detected = upmu->phase[0].voltage_rms_v < 0.9 * node->nominal_v;
    upmu->swell_detected = upmu->phase[0].voltage_rms_v > 1.1 * node->nominal_v;
    read_features(meter, grid, upmu);
    clear_window(meter);
    meter->next_ns += meter->model->period_ns;
}
