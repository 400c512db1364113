/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/lane_road.h"

#include "core/measure_quality.h"
#include "loop/spectra.h"

/* TAI - UTC since 2017; the next leap second would be told years ahead. */
#define TAI_AHEAD_NS (37 * NS_PER_S)
#define PS_PER_S INT64_C(1000000000000)
#define CYCLE_LONGEST 1.01      /* of the nominal cycle */
enum { RATE_OFF_PPM = 10 };     /* periods are whole picoseconds, and clocks are read in ns */

/* The rate that the site file says, where it says one. */
static bool fits_rate(const struct site_meter *site, uint32_t period_ps)
{
    int64_t off_ps = (int64_t)period_ps * site->rate_hz - PS_PER_S, most_ps = PS_PER_S / PPM * RATE_OFF_PPM;
    return !site->rate_hz || (off_ps <= most_ps && off_ps >= -most_ps);
}

/* The chain is made for one shape of samples: another begins it anew. */
static int set_up(struct lane_road *road, const struct samples *samples)
{
    struct measure_config config = road->site->measure;
    bool same = road->measuring && road->measure->config.channels == samples->channels &&
                road->measure->config.period_ps == samples->period_ps;
    if (same)
        return ACCEPTED;
    if (!fits_rate(road->site, samples->period_ps))
        return REFUSED_CONFIG_CHANGED;
    road->measuring = false;
    config.period_ps = samples->period_ps;
    config.channels = samples->channels;
    if (measure_meter_init(road->measure, &config))
        return REFUSED_SHAPE;
    road->gather = (struct measure_gather){0};
    road->last = (struct measure_values){0};
    road->measuring = true;
    return ACCEPTED;
}

static int pass(struct lane *lane, uint32_t meter, const struct samples *samples,
                const struct measure_values *values, int64_t t_receive_ns)
{
    struct reading reading = {.meter = meter, .sequence = samples->sequence};
    int refused = measure_convert(values, lane->meters->road[meter].node, &reading);
    count_add(&lane->counters.unsure, !refused && values->flags & READING_UNSURE);
    return refused ? refused : lane_reading(lane, &reading, t_receive_ns);
}

/* Decisions count a reading's window as long as the nominal cycle: what is longer began earlier than they
 * believe, and understates what pulses heat. */
static bool is_long(const struct measure_values *values, int64_t period_ns)
{
    return values->frequency_hz * (double)period_ns * CYCLE_LONGEST < (double)NS_PER_S;
}

/* One reading of a cycle. */
static int pass_cycle(struct lane *lane, uint32_t meter, const struct samples *samples,
                      struct measure_values *values, int64_t t_receive_ns)
{
    struct lane_road *road = &lane->meters->road[meter];
    if (samples->flags & SAMPLES_TAI)
        values->t_ns -= TAI_AHEAD_NS;
    if (road->repeats.doubted) {
        road->repeats.doubted--;
        values->flags |= READING_UNSURE;
    }
    if (is_long(values, lane->model->meter[meter].period_ns))
        values->flags |= READING_UNSURE;
    road->last = *values;
    int refused = pass(lane, meter, samples, values, t_receive_ns);
    road->stale = refused == REFUSED_STALE;
    return refused;
}

/* 10 or 12 cycles, where there are some: for alerts, and to be shown. Like its readings, where these are too
 * old or repeat themselves it tells nothing. */
static void pass_quality(struct lane *lane, uint32_t meter, const struct samples *samples,
                         int64_t t_receive_ns)
{
    const struct lane_road *road = &lane->meters->road[meter];
    const struct measure_out *out = &lane->work->out;
    for (uint32_t i = 0; i < out->cycles_count && !road->stale && !road->repeats.doubted; i++) {
        struct quality quality = {.meter = meter};
        struct slot *slot = NULL;
        if (measure_quality(&out->cycles[i], road->measure->config.phases, &quality))
            slot = lane_admit(lane, CLASS_DETAIL);
        if (!slot)
            continue;
        if (samples->flags & SAMPLES_TAI)
            quality.t_meter_ns -= TAI_AHEAD_NS;
        slot->kind = SLOT_QUALITY;
        slot->quality = quality;
        lane_publish(lane, slot, 0, t_receive_ns);     /* no frame is its alone */
    }
}

/* Into what the reading before had: its time too, for its volts and amperes are no younger. */
static void cross(struct measure_values *values, const struct measure_event *event)
{
    double most_a = 0;
    for (uint32_t p = 0; p < values->phases; p++)
        most_a = values->phase[p].current_a > most_a ? values->phase[p].current_a : most_a;
    if (event->kind == MEASURE_PEAK && most_a > 0 && event->value < 1000 * most_a) {
        values->crest = event->value / most_a > values->crest ? event->value / most_a : values->crest;
        values->flags |= READING_PEAK;
    }
    if (event->kind == MEASURE_EDGE || event->kind == MEASURE_RAMP) {
        values->slope_w_per_s = event->value;
        values->flags |= READING_EDGE;
    }
}

/* A peak or a slope that passes its threshold is not kept until the cycle has ended: what has to be cut for
 * it is cut a cycle earlier. */
static int pass_crossings(struct lane *lane, uint32_t meter, const struct samples *samples,
                          int64_t t_receive_ns)
{
    const struct lane_road *road = &lane->meters->road[meter];
    const struct measure_out *out = &lane->work->out;
    struct measure_values values = road->last;
    values.flags |= READING_UNSURE;
    for (uint32_t i = 0; i < out->events; i++)
        if (!out->event[i].over)
            cross(&values, &out->event[i]);
    if (!road->last.t_ns || !(values.flags & (READING_PEAK | READING_EDGE)))
        return ACCEPTED;
    count_add(&lane->counters.crossings, 1);
    return pass(lane, meter, samples, &values, t_receive_ns);
}

/* What looks at the waveform itself looks here: the block is whole, in order, and in volts and amperes. */
static int measure_block(struct lane *lane, uint32_t meter, struct samples *samples)
{
    struct lane_road *road = &lane->meters->road[meter];
    samples->meter = meter;
    if (samples->flags & SAMPLES_SIMULATED)
        return REFUSED_SIMULATED;
    int refused = set_up(road, samples);
    if (!refused && measure_meter_samples(road->measure, samples, &lane->work->out)) {
        road->measuring = false;    /* its times lead nowhere: the next block begins anew */
        refused = REFUSED_MALFORMED;
    }
    if (refused)
        return refused;
    bool left_out = measure_meter_left_out(road->measure);
    count_add(&lane->counters.blocks, !left_out);
    count_add(&lane->counters.invalid_blocks, left_out);
    count_add(&lane->counters.no_room, lane->work->out.lost);
    count_add(&lane->counters.repeated, lane_repeats_take(&road->repeats, samples));
    return ACCEPTED;
}

static int take_block(struct lane *lane, uint32_t meter, struct samples *samples, int64_t t_receive_ns)
{
    struct lane_road *road = &lane->meters->road[meter];
    struct lane_work *work = lane->work;
    if (samples->flags & SAMPLES_SET)
        age_set_anew(&lane->age[meter], t_receive_ns);
    if (lane->meters->wave)
        spectra_desk_expect(&lane->meters->wave[meter], samples);
    int refused = measure_block(lane, meter, samples);
    if (refused)
        return refused;
    if (lane->meters->wave)
        spectra_desk_hear(&lane->meters->wave[meter], samples, road->measure);
    uint32_t count = measure_gather(&road->gather, road->measure, &work->out, work->values);
    for (uint32_t i = 0; i < count; i++) {
        int last = pass_cycle(lane, meter, samples, &work->values[i], t_receive_ns);
        refused = last ? last : refused;
    }
    pass_quality(lane, meter, samples, t_receive_ns);
    int last = pass_crossings(lane, meter, samples, t_receive_ns);
    return last ? last : refused;
}

int lane_road_samples(struct lane *lane, uint32_t meter, int64_t t_receive_ns)
{
    struct meter_message *message = &lane->work->message;
    int refused = ACCEPTED;
    for (uint32_t b = 0; b < message->blocks; b++) {
        int last = take_block(lane, meter, &message->samples[b], t_receive_ns);
        refused = last ? last : refused;
    }
    return refused;
}
