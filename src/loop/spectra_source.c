/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/spectra_source.h"

#include <errno.h>
#include <stdlib.h>

enum { FAST_HZ = 8000, PHASE_CHANNELS = 6 };

static void fill(struct spectra_source *source, const struct site_meter *meter,
                 const struct site_equipment *equipment)
{
    const struct measure_config *measure = &meter->measure;
    if (!site_meter_samples(meter))
        return;
    *source = (struct spectra_source){.nominal_hz = measure->nominal_hz, .fast = meter->rate_hz > FAST_HZ,
                                      .channels = PHASE_CHANNELS};
    source->demand_a = (double)equipment->demand_ma / 1e3;
    source->fault_a = (double)equipment->fault_ma / 1e3;
    source->config.phases = measure->phases;
    source->config.voltage_v = measure->voltage_v;
    source->config.current_a = measure->current_a;
    for (uint32_t p = 0; p < SPECTRA_PHASES; p++) {
        source->config.gain_v[p] = measure->gain[SAMPLES_VA + p];
        source->config.gain_a[p] = measure->gain[SAMPLES_IA + p];
    }
}

int spectra_source_open(struct loop *loop)
{
    const struct model *model = &loop->site->model;
    struct spectra_source *source = calloc(model->meter_count + 1, sizeof *source);
    if (!source)
        return -ENOMEM;
    for (uint32_t i = 0; loop->site->meter && i < model->meter_count; i++)
        fill(&source[i], &loop->site->meter[i], &loop->site->equipment[model->meter[i].node]);
    int error = spectra_desk_open(&loop->spectra, model, &loop->base, source);
    loop->meters.wave = loop->spectra.wave;
    free(source);
    return error;
}
