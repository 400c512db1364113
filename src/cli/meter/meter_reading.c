/* SPDX-License-Identifier: Apache-2.0 */
/* Meters that send what they computed: the very chain that flyball measures with, and a frame. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/meter/meter_pack.h"
#include "wire/frame.h"
#include "wire/upmu.h"

/* The newest of each kind. */
struct meter_newest {
    uint32_t phases;                    /* bit: that phase has a cycle */
    bool cycled;
    struct measure_half half[MEASURE_PHASES];
    struct measure_tick tick;
    struct measure_feature feature;
    struct measure_cycles cycles;
    bool sag, swell;
};

int meter_reading_begin(struct meter_pack *pack)
{
    struct measure_config config = {
        .period_ps = pack->period_ps, .phases = MEASURE_PHASES, .channels = MEASURE_CHANNELS_MIN,
        .nominal_hz = pack->ask.nominal_hz, .voltage_v = pack->ask.declared_v, .sag = 0.9, .swell = 1.1,
        .interruption = 0.05, .hysteresis = 0.02};
    int rc = 0;

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    pack->measure = calloc(pack->ask.meters, sizeof *pack->measure);
    pack->newest = calloc(pack->ask.meters, sizeof *pack->newest);
    pack->out = calloc(1, sizeof *pack->out);
    if (!pack->measure || !pack->newest || !pack->out)
        return -ENOMEM;
    for (uint32_t m = 0; !rc && m < pack->ask.meters; m++)
        rc = measure_meter_init(&pack->measure[m], &config);
    return rc;
}

static void keep(struct meter_newest *newest, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->halves; k++) {
        newest->half[out->half[k].phase] = out->half[k];
        newest->phases |= 1u << out->half[k].phase;
    }
    for (uint32_t k = 0; k < out->events; k++) {
        if (out->event[k].kind == MEASURE_SAG)
            newest->sag = !out->event[k].over;
        if (out->event[k].kind == MEASURE_SWELL)
            newest->swell = !out->event[k].over;
    }
    if (out->ticks)
        newest->tick = out->tick[out->ticks - 1];
    if (out->features)
        newest->feature = out->feature[out->features - 1];
    if (out->cycles_count) {
        newest->cycles = out->cycles[out->cycles_count - 1];
        newest->cycled = true;
    }
}

static void measure(struct meter_pack *pack, uint32_t meter, const struct meter_block *block)
{
    double row[MEASURE_BLOCK_MAX * MEASURE_CHANNELS_MIN];

    for (uint32_t at = 0; at < block->count;) {
        uint32_t n = block->count - at < MEASURE_BLOCK_MAX ? block->count - at : MEASURE_BLOCK_MAX;

        for (uint32_t k = 0; k < n; k++)
            memcpy(&row[k * MEASURE_CHANNELS_MIN], block->row[at + k], MEASURE_CHANNELS_MIN * sizeof *row);
        struct measure_block now = {.row = row, .samples = n, .first = (int64_t)(block->first + at),
            .t_ns = block->t_ns + llround(at * (double)pack->period_ps * 1e-3)};

        if (!measure_meter_block(&pack->measure[meter], &now, pack->out))
            keep(&pack->newest[meter], pack->out);
        at += n;
    }
}

/* Of the newest cycle; reactive power of the fundamental, over the newest 10 or 12. */
static void fill_phase(const struct meter_newest *newest, uint32_t p, struct upmu_phase *phase)
{
    const struct measure_half *half = &newest->half[p];
    double apparent = half->voltage_v * half->current_a;

    *phase = (struct upmu_phase){
        .voltage_rms_v = half->voltage_v, .current_rms_a = half->current_a, .power_active_w = half->active_w,
        .power_reactive_var = newest->cycles.phase[p].reactive_var, .power_apparent_va = apparent,
        .power_factor = apparent > 0 ? half->active_w / apparent : 0};
}

static void fill(const struct meter_pack *pack, uint32_t meter, struct upmu *upmu)
{
    const struct meter_newest *newest = &pack->newest[meter];

    upmu->phase_count = MEASURE_PHASES;
    for (uint32_t p = 0; p < MEASURE_PHASES; p++)
        fill_phase(newest, p, &upmu->phase[p]);
    upmu->thd_voltage_pct = 100 * newest->cycles.phase[0].thd_v;
    upmu->thd_current_pct = 100 * newest->cycles.phase[0].thd_a;
    upmu->frequency_hz = measure_meter_frequency_hz(&pack->measure[meter]);
    upmu->harmonic_count = pack->ask.harmonics;
    memcpy(upmu->harmonic_pct, pack->ask.harmonic_pct, pack->ask.harmonics * sizeof *upmu->harmonic_pct);
    upmu->sag_detected = newest->sag;
    upmu->swell_detected = newest->swell;
    upmu->dp_dt_mw_per_s = newest->tick.slope_w_per_s * 1e-6;
    upmu->peak_factor = newest->feature.peak_factor;
    upmu->load_factor = newest->feature.load_factor;
    upmu->power_trend = newest->feature.trend_w_per_s * 1e-6;
}

uint32_t meter_reading_take(struct meter_pack *pack, uint32_t meter, const struct meter_block *block,
                            struct meter_packet *out)
{
    char name[METER_NAME_BYTES];
    uint8_t *body = out->data + FRAME_HEADER_BYTES;
    struct upmu upmu = {.device_id = name};

    measure(pack, meter, block);
    if (pack->newest[meter].phases != (1u << MEASURE_PHASES) - 1 || !pack->newest[meter].cycled)
        return 0;
    upmu.timestamp_ns = block->t_ns + llround(block->count * (double)pack->period_ps * 1e-3);
    upmu.device_id_bytes = meter_pack_name(pack, meter, name);
    fill(pack, meter, &upmu);
    /* microseconds: above all that this meter sent before, in another run, too */
    struct frame frame = {.kind = FRAME_MEASUREMENT, .body = body,
                          .sequence = (uint64_t)upmu.timestamp_ns / NS_PER_US,
                          .body_bytes = upmu_encode(&upmu, body, DATAGRAM_MAX - FRAME_HEADER_BYTES)};

    out->bytes = frame.body_bytes ? frame_encode(out->data, &frame) : 0;
    pack->unmade += !out->bytes;
    return out->bytes > 0;
}
