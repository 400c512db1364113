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
    double line[MEASURE_SKEW_TAPS + MEASURE_BLOCK_MAX], *tail = meter->tail[channel];
    double back = meter->reach - meter->config.late_ns[channel] / meter->period_ns;
    uint32_t whole = (uint32_t)back;
    double at = 1 - (back - whole);

    memcpy(line, tail, sizeof meter->tail[channel]);
    memcpy(&line[MEASURE_SKEW_TAPS], x, n * sizeof *x);
    for (uint32_t k = 0; k < n; k++)
        x[k] = between(&line[k + MEASURE_SKEW_TAPS - 2 - whole], at);
    memcpy(tail, &line[n], sizeof meter->tail[channel]);
}

static double as_it_came(const struct measure_block *block, uint32_t channels, uint32_t channel, uint32_t k)
{
    return block->row ? block->row[(size_t)k * channels + channel] : (double)block->column[channel][k];
}

/* Beside the scaling, so that a meter without a clip level does not pay for it. */
static void look_for_clips(const struct measure_config *config, const struct measure_block *block,
                           struct measure_work *work, uint32_t at)
{
    uint32_t first = block->samples, last = 0;

    for (uint32_t c = 0; c < config->channels; c++)
        for (uint32_t k = 0; k < block->samples; k++)
            if (fabs(as_it_came(block, config->channels, c, k)) >= config->clip) {
                first = k < first ? k : first;
                last = k > last ? k : last;
            }
    if (first < block->samples)
        measure_work_mark(work, at + first, at + last, MEASURE_CLIPPED);
}

void measure_correct(struct measure_meter *meter, const struct measure_block *block,
                     struct measure_work *work, uint32_t at)
{
    const struct measure_config *config = &meter->config;

    for (uint32_t c = 0; c < config->channels; c++) {
        double *x = &work->x[c][at];

        scale(config, block, c, x);
        if (meter->reach > 0) {
            for (uint32_t tap = 0; !at && tap < MEASURE_SKEW_TAPS; tap++)
                meter->tail[c][tap] = x[0];
            move(meter, c, x, block->samples);
        }
    }
    if (block->flags)
        measure_work_mark(work, at, at + block->samples - 1, block->flags);
    if (config->clip > 0)
        look_for_clips(config, block, work, at);
}
