/* SPDX-License-Identifier: Apache-2.0 */
/* From samples as they came to volts and amperes of one moment. */
#include "core/measure_inside.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Of a value between `x` 1 and 2, a cubic through the four around it (Lagrange): at 60 Hz and 8 kHz its gain
 * is within 1e-7 of 1. `at` is 0..1 from x[1] on. */
static double between(const double x[4], double at)
{
    double a = at + 1, b = at, c = at - 1, d = at - 2;

    return -b * c * d / 6 * x[0] + a * c * d / 2 * x[1] - a * b * d / 2 * x[2] + a * b * c / 6 * x[3];
}

static void scale(const struct measure_config *config, const struct measure_block *block, uint32_t channel,
                  double *x)
{
    double gain = config->gain[channel], offset = config->offset[channel];

    if (block->row)
        for (uint32_t k = 0; k < block->samples; k++)
            x[k] = block->row[(size_t)k * config->channels + channel] * gain + offset;
    else
        for (uint32_t k = 0; k < block->samples; k++)
            x[k] = (double)block->column[channel][k] * gain + offset;
}

/* Everything is `reach` later than it came; a channel that is late is less so. */
static void move(struct measure_meter *meter, uint32_t channel, double *x, uint32_t n)
{
    double line[MEASURE_SKEW_TAPS + WORK_FILL_MAX + MEASURE_BLOCK_MAX], *tail = meter->tail[channel];
    double back = meter->reach - meter->config.late_ns[channel] / meter->period_ns;
    uint32_t whole = (uint32_t)back;
    double at = 1 - (back - whole);

    memcpy(line, tail, sizeof meter->tail[channel]);
    memcpy(&line[MEASURE_SKEW_TAPS], x, n * sizeof *x);
    for (uint32_t k = 0; k < n; k++)
        x[k] = between(&line[k + MEASURE_SKEW_TAPS - 2 - whole], at);
    memcpy(tail, &line[n], sizeof meter->tail[channel]);
}

/* Up to 1 ms that is missing lies on a straight line between what came on either side: as it came, so that
 * the correction of a delay goes through it as through samples. */
static void fill(double from, double *x, uint32_t missing)
{
    double step = (x[missing] - from) / (missing + 1.0);

    for (uint32_t k = 0; k < missing; k++)
        x[k] = from + step * (k + 1);
}

/* Of samples as they came. Where channels are moved in time, a sample is in the four around where it comes
 * out, and what that is of the next block is told there. */
static void mark(struct measure_meter *meter, struct measure_work *work, uint32_t from, uint32_t to,
                 uint32_t flags)
{
    if (to > work->n) {
        meter->carried = to - work->n > meter->carried ? to - work->n : meter->carried;
        meter->carried_flags |= flags;
        to = work->n;
    }
    if (from <= to)
        measure_work_mark(work, from, to, flags);
}

static void mark_carried(struct measure_meter *meter, struct measure_work *work, uint32_t at)
{
    uint32_t samples = meter->carried, flags = meter->carried_flags;

    meter->carried = meter->carried_flags = 0;
    if (at && samples)
        mark(meter, work, 1, samples, flags);
}

static double as_it_came(const struct measure_block *block, uint32_t channels, uint32_t channel, uint32_t k)
{
    return block->row ? block->row[(size_t)k * channels + channel] : (double)block->column[channel][k];
}

static bool looks_at(const struct measure_config *config, const struct measure_block *block, uint32_t channel)
{
    return measure_uses(config, channel) && !(block->absent >> channel & 1);
}

/* Beside the scaling, so that a meter without a clip level does not pay for it. */
static void look_for_clips(struct measure_meter *meter, const struct measure_block *block,
                           struct measure_work *work, uint32_t at)
{
    const struct measure_config *config = &meter->config;
    uint32_t spread = (uint32_t)(2 * meter->reach);
    uint32_t first = block->samples, last = 0;

    for (uint32_t c = 0; c < config->channels; c++)
        for (uint32_t k = 0; k < block->samples && looks_at(config, block, c); k++)
            if (fabs(as_it_came(block, config->channels, c, k)) >= config->clip) {
                first = k < first ? k : first;
                last = k > last ? k : last;
            }
    if (first < block->samples)
        mark(meter, work, at + first, at + last + spread, MEASURE_CLIPPED);
}

/* One channel, behind x[0], the newest sample there was. One that the meter has not is 0. */
static void correct(struct measure_meter *meter, const struct measure_block *block, uint32_t channel,
                    double *x, uint32_t at)
{
    double *tail = meter->tail[channel];
    uint32_t missing = at ? at - 1 : 0;

    if (!measure_uses(&meter->config, channel)) {
        memset(&x[at], 0, block->samples * sizeof *x);
        memset(x, 0, at * sizeof *x);
        return;
    }
    if (block->absent >> channel & 1)
        memset(&x[at], 0, block->samples * sizeof *x);      /* whatever it says */
    else
        scale(&meter->config, block, channel, &x[at]);
    for (uint32_t tap = 0; !at && tap < MEASURE_SKEW_TAPS; tap++)
        tail[tap] = x[0];
    fill(meter->reach > 0 ? tail[MEASURE_SKEW_TAPS - 1] : x[0], &x[at - missing], missing);
    if (meter->reach > 0)
        move(meter, channel, &x[at - missing], missing + block->samples);
}

void measure_correct(struct measure_meter *meter, const struct measure_block *block,
                     struct measure_work *work, uint32_t at)
{
    const struct measure_config *config = &meter->config;
    uint32_t missing = at ? at - 1 : 0, spread = (uint32_t)(2 * meter->reach);

    for (uint32_t c = 0; c < config->channels; c++)
        correct(meter, block, c, work->x[c], at);
    mark_carried(meter, work, at);
    if (missing)
        mark(meter, work, 1, missing + spread, MEASURE_FILLED);
    if (block->flags)
        mark(meter, work, at, at + block->samples - 1 + spread, block->flags);
    if (config->clip > 0)
        look_for_clips(meter, block, work, at);
}
