/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Along the wave of one meter, from one zero crossing of its oscillator to the next. Positions count in
 * samples from `base`, a number near them, so that they are exact however long the meter has been heard.
 */
#include "spectra/spectra_inside.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FAR_OFF 1.2             /* from 50 to 72 Hz where 60 is nominal */
#define BESIDE 0.01             /* of a cycle: a boundary that is further off is of another oscillator */

int spectra_meter_init(struct spectra_meter *meter, const struct spectra_config *config)
{
    if (config->phases < 1 || config->phases > SPECTRA_PHASES)
        return -EINVAL;
    memset(meter, 0, sizeof *meter);
    meter->config = *config;
    meter->like = config->voltage_v > 0 && config->current_a > 0 ? config->voltage_v / config->current_a : 1;
    return 0;
}

static void begin(struct spectra_meter *meter, uint64_t base, double at)
{
    meter->going = true;
    meter->base = base;
    meter->at = meter->window_at = at;
    meter->cycles = meter->next = meter->filled = 0;
    memset(meter->sum, 0, sizeof meter->sum);
}

static void stop(struct spectra_meter *meter)
{
    meter->breaks += meter->going;
    meter->going = false;
}

/* The zero crossing nearest to `at`, both counted from base. */
static double crossing(const struct spectra_meter *meter, const struct wave_head *head, double at)
{
    double newest = (double)(int64_t)(head->samples - 1 - meter->base);

    return newest - (rint((newest - at) * head->cycles - head->turn) + head->turn) / head->cycles;
}

/* As far from the nominal frequency as there are enough points for. */
static bool is_wanted(const struct spectra_plan *plan, const struct wave_head *head)
{
    double frequency_hz = head->cycles * plan->rate_hz;

    return frequency_hz * FAR_OFF >= plan->nominal_hz && frequency_hz <= plan->nominal_hz * FAR_OFF;
}

/* At the first zero crossing behind what is broken, or of the last two cycles, if that was earlier. */
static void start_at(struct spectra_meter *meter, const struct wave_head *head)
{
    double period = 1 / head->cycles;
    uint64_t earliest = head->samples - (uint64_t)fmin(2 * period + SPECTRA_REACH, (double)head->samples);

    earliest = earliest < head->since ? head->since : earliest;
    begin(meter, earliest, 0);
    double at = crossing(meter, head, SPECTRA_REACH + 0.5 * period);

    while (at < SPECTRA_REACH)
        at += period;
    begin(meter, earliest, at);
}

/* Rows of `wave` around `from` to `to`, in V and A; where the first one stands. Or an error. */
static int fetch(const struct spectra_meter *meter, struct spectra_work *work, const struct wave *wave,
                 double from, double to, uint32_t *first)
{
    uint32_t begin_at = (uint32_t)from - (SPECTRA_REACH - 1);
    uint32_t count = (uint32_t)to + SPECTRA_REACH + 1 - begin_at;
    int error = wave_read(wave, meter->base + begin_at, count, work->pair);
    float gain_v[SPECTRA_PHASES] = {0}, gain_a[SPECTRA_PHASES] = {0};

    if (error)
        return error;
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        gain_v[p] = (float)meter->config.gain_v[p];
        gain_a[p] = (float)(meter->config.gain_a[p] * meter->like);
    }
    spectra_four scale_ab = {gain_v[0], gain_a[0], gain_v[1], gain_a[1]}, scale_cn = {gain_v[2], gain_a[2]};

    for (uint32_t k = 0; k < count; k++) {
        const struct wave_pair *pair = &work->pair[(size_t)k * wave->pairs];

        memcpy(&work->row[k].ab, pair, sizeof work->row[k].ab);
        work->row[k].ab *= scale_ab;
        work->row[k].cn = (spectra_four){pair[2].voltage_v, pair[2].current_a} * scale_cn;
    }
    *first = begin_at;
    return 0;
}

/* `cycles` of them, from one boundary to another, evenly spread in work->even. -ERANGE where they are longer
 * than any that are followed; or as wave_read. */
static int spread(const struct spectra_meter *meter, const struct spectra_plan *plan,
                  struct spectra_work *work, const struct wave *wave, double from, double to, uint32_t cycles)
{
    uint32_t points = plan->points * cycles, first;
    int error = to - from > plan->rows ? -ERANGE : fetch(meter, work, wave, from, to, &first);

    if (!error)
        spectra_resample(plan, work->row, from - first, (to - from) / points, points, work->even);
    return error;
}

static int64_t time_of(const struct spectra_meter *meter, const struct wave_head *head, double at)
{
    double newest = (double)(int64_t)(head->samples - 1 - meter->base);

    return head->t_ns - (int64_t)((newest - at) * head->period_ps * 1e-3);
}

static bool is_clipped(const struct spectra_meter *meter, const struct wave_head *head, double since)
{
    return (double)(int64_t)(head->doubtful - meter->base) > since;
}

static void finish_window(struct spectra_meter *meter, const struct spectra_plan *plan,
                          struct spectra_work *work, const struct wave_head *head,
                          struct spectra_window *window)
{
    double samples = meter->at - meter->window_at;

    spectra_window_take(meter, plan, work, samples, window);
    window->first = meter->base + (uint64_t)meter->window_at;
    window->from_ns = time_of(meter, head, meter->window_at);
    window->t_ns = time_of(meter, head, meter->at);
    window->frequency_hz = plan->per * plan->rate_hz / samples;
    window->flags = is_clipped(meter, head, meter->window_at) ? SPECTRA_CLIPPED : 0;
}

/* Positions begin anew from where the window begins, so that they stay small. */
static void move_base(struct spectra_meter *meter)
{
    uint64_t by = (uint64_t)meter->window_at;

    by = by > SPECTRA_REACH ? by - SPECTRA_REACH : 0;
    meter->base += by;
    meter->at -= (double)by;
    meter->window_at -= (double)by;
}

/* The end of the cycle that begins at meter->at; 0 where it has not come, < 0 where there is none. */
static double end_of(const struct spectra_meter *meter, const struct wave_head *head)
{
    double period = 1 / head->cycles, wanted = meter->at + period, to = crossing(meter, head, wanted);

    if (fabs(to - wanted) > BESIDE * period)
        return -1;
    return meter->base + (uint64_t)to + SPECTRA_REACH + 1 > head->samples ? 0 : to;
}

/* -EAGAIN: the writer got in between, nothing is lost. */
static bool lose(struct spectra_meter *meter, int error)
{
    if (error == -EAGAIN)
        return false;
    meter->overtaken += error == -EOVERFLOW;
    meter->breaks += error != -EOVERFLOW;
    meter->going = false;
    return false;
}

static bool take_cycle(struct spectra_meter *meter, const struct spectra_plan *plan,
                       struct spectra_work *work, const struct wave *wave, double to)
{
    int error = spread(meter, plan, work, wave, meter->at, to, 1);

    if (error)
        return lose(meter, error);
    spectra_cycle_take(meter, plan, work);
    meter->at = to;
    meter->filled++;
    return true;
}

/* The window that ends where the newest cycle does; 0 where it cannot be read now, or any more. */
static uint32_t take_window(struct spectra_meter *meter, const struct spectra_plan *plan,
                            struct spectra_work *work, const struct wave *wave, const struct wave_head *head,
                            struct spectra_window *window)
{
    int error = spread(meter, plan, work, wave, meter->window_at, meter->at, plan->per);

    if (error) {
        lose(meter, error);
        return 0;
    }
    finish_window(meter, plan, work, head, window);
    meter->window_at = meter->at;
    meter->filled = 0;
    move_base(meter);
    return SPECTRA_WINDOW;
}

uint32_t spectra_meter_next(struct spectra_meter *meter, const struct spectra_plan *plan,
                            struct spectra_work *work, const struct wave *wave,
                            struct spectra_distortion *distortion, struct spectra_window *window)
{
    struct wave_head head;

    if (!wave_head(wave, &head))
        return 0;
    if (!is_wanted(plan, &head) ||
        (meter->going && (meter->base + (uint64_t)meter->window_at < head.since + SPECTRA_REACH)))
        stop(meter);
    if (!is_wanted(plan, &head))
        return 0;
    if (!meter->going)
        start_at(meter, &head);
    if (meter->filled >= plan->per)         /* it could not be read then */
        return take_window(meter, plan, work, wave, &head, window);
    double from = meter->at, to = end_of(meter, &head);

    if (to < 0)
        stop(meter);
    if (to <= 0 || !take_cycle(meter, plan, work, wave, to))
        return 0;
    distortion->t_ns = time_of(meter, &head, to);
    distortion->frequency_hz = plan->rate_hz / (to - from);
    distortion->flags = (meter->cycles < plan->per ? SPECTRA_YOUNG : 0) |
                        (is_clipped(meter, &head, to - plan->per * (to - from)) ? SPECTRA_CLIPPED : 0);
    spectra_cycle_distortion(meter, plan, to - from, distortion);
    if (meter->filled < plan->per)
        return SPECTRA_CYCLE;
    return SPECTRA_CYCLE | take_window(meter, plan, work, wave, &head, window);
}
