/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_meter.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/measure_inside.h"

#define CLOCK_NS 20000          /* blocks may be this much beside where the one before said */
#define SCALE_MAX 1e9
enum { FORGET_NS = 1000000000, NEUTRAL_CHANNELS = 1 << SAMPLES_VN | 1 << SAMPLES_IN };
/* times and numbers of samples whose differences are numbers too: until the year 2116 */
#define FAR_MAX (INT64_C(1) << 62)
#define FAR_MIN (-(INT64_C(1) << 61))

static bool within(double value, double low, double high)
{
    return value >= low && value <= high;       /* NaN is not */
}

static bool channels_make_sense(const struct measure_config *config)
{
    double period_ns = (double)config->period_ps * 1e-3;

    for (uint32_t c = 0; c < config->channels; c++)
        if (!within(config->gain[c], -SCALE_MAX, SCALE_MAX) || config->gain[c] == 0 ||
            !within(config->offset[c], -SCALE_MAX, SCALE_MAX) ||
            !within(config->late_ns[c], -period_ns, period_ns))
            return false;
    return true;
}

static bool makes_sense(const struct measure_config *config)
{
    return within((double)config->period_ps, 1e12 / MEASURE_RATE_MAX_HZ, 1e12 / MEASURE_RATE_MIN_HZ) &&
           within(config->phases, 1, MEASURE_PHASES) &&
           (config->channels == MEASURE_CHANNELS_MIN || config->channels == MEASURE_CHANNELS) &&
           within(config->nominal_hz, 45, 65) && within(config->clip, 0, SCALE_MAX) &&
           within(config->voltage_v, 0, SCALE_MAX) && within(config->current_a, 0, SCALE_MAX) &&
           within(config->sag, 0, 1) && within(config->swell, 1, 10) && within(config->interruption, 0, 1) &&
           within(config->hysteresis, 0, 1) && within(config->peak_a, 0, SCALE_MAX) &&
           within(config->slope_w_per_s, 0, SCALE_MAX * SCALE_MAX) && channels_make_sense(config);
}

int measure_meter_init(struct measure_meter *meter, const struct measure_config *config)
{
    if (!makes_sense(config))
        return -EINVAL;
    memset(meter, 0, sizeof *meter);
    meter->config = *config;
    meter->period_ns = (double)config->period_ps * 1e-3;
    meter->rate_hz = 1e9 / meter->period_ns;
    meter->samples_per_tick = 1e9 / (double)config->period_ps;
    for (uint32_t c = 0; c < config->channels; c++)
        if (config->late_ns[c] != 0)
            meter->reach = 2;
    measure_track_start(meter);
    measure_tick_start(meter);
    return 0;
}

static void lose(struct measure_meter *meter, const struct measure_block *block, uint64_t missing,
                 struct measure_out *out)
{
    if ((double)missing * meter->period_ns > FORGET_NS)
        meter->track.locked = 0;
    measure_grid_gap(meter, (double)(missing + 1) * meter->track.cycles, block->t_ns, out);
    measure_track_lost(meter);
    measure_tick_gap(meter);
}

/* Lays the block behind what was there before; returns whether anything connects. */
static void lay(struct measure_meter *meter, const struct measure_block *block, struct measure_work *work,
                uint64_t missing, bool joins)
{
    double expected_ns = (double)missing * meter->period_ns, reach_ns = meter->reach * meter->period_ns;
    double moved_ns = (double)(block->t_ns - meter->next_t_ns) - expected_ns;

    work->channels = meter->config.channels;
    work->period_ns = meter->period_ns;
    work->fresh = joins;
    work->n = joins ? (uint32_t)missing + block->samples : block->samples - 1;
    work->t_ns = block->t_ns - (int64_t)((work->n + 1 - block->samples) * meter->period_ns + reach_ns + 0.5);
    for (uint32_t c = 0; joins && c < meter->config.channels; c++)
        work->x[c][0] = meter->last[c];
    measure_correct(meter, block, work, work->n + 1 - block->samples);
    meter->absent |= block->absent;             /* between the blocks lies a line that has of both */
    meter->absent_whole |= meter->absent;
    if (meter->started && (moved_ns > CLOCK_NS || moved_ns < -CLOCK_NS))
        measure_work_mark(work, joins, joins, MEASURE_CLOCK);
}

/* What the block leaves for the next one. */
static void leave(struct measure_meter *meter, const struct measure_block *block,
                  const struct measure_work *work)
{
    struct measure_track *track = &meter->track;

    for (uint32_t c = 0; c < meter->config.channels; c++)
        meter->last[c] = work->x[c][work->n];
    track->turn += track->cycles * work->n;
    track->turn -= (double)(int64_t)track->turn;
    if (track->jump != 0) {
        track->turn += track->jump + 1;
        track->turn -= (double)(int64_t)track->turn;
        track->jump = 0;
        track->jumps++;
        measure_track_lost(meter);
        measure_grid_jump(meter);
    }
    track->cycles = track->frequency * (1 + track->pull);
    meter->next_first = block->first + block->samples;
    meter->next_t_ns = block->t_ns + (int64_t)(block->samples * meter->period_ns + 0.5);
    meter->absent = block->absent;
    meter->started = 1;
    meter->omitted = 0;
}

static void nothing(struct measure_out *out)
{
    out->ticks = out->halves = out->events = out->features = out->heats = out->cycles_count = out->lost = 0;
}

int measure_meter_block(struct measure_meter *meter, const struct measure_block *block,
                        struct measure_out *out)
{
    struct measure_work work;

    nothing(out);
    if (block->t_ns < FAR_MIN || block->t_ns >= FAR_MAX || block->first < FAR_MIN || block->first >= FAR_MAX)
        return -EINVAL;
    if (!block->samples || block->samples > MEASURE_BLOCK_MAX || !block->row == !block->column ||
        block->absent & ~(uint32_t)NEUTRAL_CHANNELS ||
        (meter->started && block->first < meter->next_first))
        return -EINVAL;
    uint64_t missing = meter->started ? (uint64_t)block->first - (uint64_t)meter->next_first : 0;
    bool joins = meter->started && (double)missing <= meter->samples_per_tick;

    work.marks = 0;
    if (meter->started && !joins)
        lose(meter, block, missing, out);
    lay(meter, block, &work, missing, joins);
    measure_sums_power(&work);
    measure_sums_turn(&work, meter->track.turn, meter->track.cycles);
    if (!meter->started)
        measure_grid_start(meter, &work);
    measure_tick_run(meter, &work, out);
    measure_grid_run(meter, &work, out);
    leave(meter, block, &work);
    return 0;
}

/* A channel that nobody measures may be invalid, and the neutral; where none is named, all are. */
static bool is_invalid(const struct measure_config *config, const struct samples *samples)
{
    bool any = !samples->invalid;

    for (uint32_t c = 0; c <= SAMPLES_IC; c++)
        any |= measure_uses(config, c) && (samples->invalid >> c & 1);
    return samples->flags & SAMPLES_INVALID && any;
}

/* Samples that are missing before a block that says so. A clock that does not say how many leaves a gap of
 * unknown length, longer than what is filled. */
static int64_t missing_before(const struct measure_meter *meter, int64_t t_ns)
{
    int64_t late_ns;

    if (__builtin_sub_overflow(t_ns, meter->next_t_ns, &late_ns))
        late_ns = 0;
    int64_t missing = late_ns > 0 ? (int64_t)((double)late_ns / meter->period_ns + 0.5) : 0;

    return missing ? missing : (int64_t)meter->samples_per_tick + 2;
}

bool measure_meter_left_out(const struct measure_meter *meter)
{
    return meter->omitted;
}

uint32_t measure_meter_open(const struct measure_meter *meter,
                            struct measure_event open[MEASURE_EVENT_KINDS])
{
    uint32_t count = 0;

    for (uint32_t kind = 0; kind < MEASURE_EVENT_KINDS; kind++)
        if (meter->watch.on >> kind & 1)
            open[count++] = meter->watch.event[kind];
    return count;
}

int measure_meter_samples(struct measure_meter *meter, const struct samples *samples, struct measure_out *out)
{
    struct measure_block block = {.column = samples->value, .samples = samples->count,
                                  .first = meter->next_first, .t_ns = samples->t0_ns};

    nothing(out);
    if (samples->channels != meter->config.channels || samples->period_ps != meter->config.period_ps)
        return -EINVAL;
    if (is_invalid(&meter->config, samples)) {
        meter->omitted = 1;
        return 0;
    }
    block.absent = samples->flags & SAMPLES_INVALID ? samples->invalid & NEUTRAL_CHANNELS : 0;
    if (meter->started && (samples->flags & SAMPLES_GAP || meter->omitted))
        block.first += missing_before(meter, samples->t0_ns);
    bool clipped = !samples->clipped || samples->clipped & ~block.absent;

    block.flags = (samples->flags & SAMPLES_CLIPPED && clipped ? MEASURE_CLIPPED : 0) |
                  (samples->flags & SAMPLES_FILLED ? MEASURE_FILLED : 0);
    return measure_meter_block(meter, &block, out);
}
