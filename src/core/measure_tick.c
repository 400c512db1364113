/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control wants at fixed times: 1 ms, 16 ms, 20 ms. A sample stands for the time until the next one, so
 * a millisecond that is no whole number of samples takes a part of one. The notch is the mean over half a
 * cycle: it has zeros at twice the mains frequency and its multiples, where unbalance and harmonics make
 * power swing.
 */
#include "core/measure_inside.h"

#include <math.h>
#include <string.h>

#include "core/lanes.h"

enum { FEATURE_TICKS = 16, HEAT_TICKS = 20 };

/* What was before and what this block brings, in one line each. */
struct line {
    double power_w[MEASURE_NOTCH_KEEP + WORK_SAMPLES];
    double raw_w[MEASURE_SLOPE + WORK_SAMPLES], calm_w[MEASURE_SLOPE + WORK_SAMPLES];
    uint32_t begin;                     /* where index `fresh` of the work lies in power_w */
    uint32_t n, raws, calms;            /* how many there are of each */
    double half, per_half;              /* samples of half a cycle, and one by them */
    double heated;                      /* up to here of the work, currents are in the heat */
};

/* Sum over [from, to) of samples that stand until the next. */
static double held(const double *x, double from, double to, bool square)
{
    uint32_t first = (uint32_t)from, end = (uint32_t)to, whole = first + (from > first);
    double part = whole - from, rest = to - end, before = x[first], behind = rest > 0 ? x[end] : 0;

    if (first == end)
        return (to - from) * (square ? before * before : before);
    double sum =
        square ? measure_sums_square(&x[whole], end - whole) : measure_sums_plain(&x[whole], end - whole);

    if (part > 0)
        sum += part * (square ? before * before : before);
    return rest > 0 ? sum + rest * (square ? behind * behind : behind) : sum;
}

/* The straight lines between samples, from one place to another, as measure_grid.c has them: ends that lie
 * between samples would leave 1 % of the ripple where samples stood until the next. */
static double straight(const double *x, double from, double to)
{
    uint32_t first = (uint32_t)from, last = (uint32_t)to;
    double part = from - first, rest = to - last;
    double before = part * x[first] + 0.5 * part * part * (x[first + 1] - x[first]) - 0.5 * x[first];
    double behind = -0.5 * x[last];

    if (rest > 0)
        behind += rest * x[last] + 0.5 * rest * rest * (x[last + 1] - x[last]);
    return measure_sums_plain(&x[first + 1], last - first) + behind - before;
}

void measure_tick_start(struct measure_meter *meter)
{
    meter->fast = (struct measure_fast){.left = meter->samples_per_tick};
}

/* The slope stands still until the notch is filled again. */
void measure_tick_gap(struct measure_meter *meter)
{
    struct measure_fast *fast = &meter->fast;
    double slope = fast->slope_w_per_s, ripple = fast->ripple;

    measure_tick_start(meter);
    fast->slope_w_per_s = slope;
    fast->ripple = ripple;
    fast->flags = fast->feature_flags = fast->heat_flags = MEASURE_GAP;
}

static void slopes(struct measure_meter *meter, struct line *line, double at, struct measure_tick *tick)
{
    struct measure_fast *fast = &meter->fast;

    line->raw_w[line->raws++] = tick->power_w;
    fast->raw_ticks += fast->raw_ticks < MEASURE_SLOPE;
    tick->slope_fast_w_per_s = 0;
    if (fast->raw_ticks == MEASURE_SLOPE)
        tick->slope_fast_w_per_s = measure_slope_five(&line->raw_w[line->raws - MEASURE_SLOPE]);
    if (at - 1 >= line->half) {
        line->calm_w[line->calms++] = straight(line->power_w, at - 1 - line->half, at - 1) * line->per_half;
        fast->calm_ticks += fast->calm_ticks < MEASURE_SLOPE;
    }
    if (fast->calm_ticks == MEASURE_SLOPE)
        fast->slope_w_per_s = measure_slope_five(&line->calm_w[line->calms - MEASURE_SLOPE]);
    else if (fast->ripple > 0)
        tick->flags |= MEASURE_GAP;
    tick->slope_w_per_s = fast->slope_w_per_s;
}

static void feature(struct measure_meter *meter, const struct measure_tick *tick, struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    struct measure_trend *trend = &meter->trend;
    struct measure_feature now = {.t_ns = tick->t_ns, .slope_w_per_s = tick->slope_w_per_s,
                                  .power_w = fast->feature_w / FEATURE_TICKS, .flags = fast->feature_flags};

    if (now.flags & MEASURE_GAP)
        trend->count = trend->next = 0;
    trend->power_w[trend->next] = now.power_w;
    trend->next = (trend->next + 1) % MEASURE_TREND;
    trend->count += trend->count < MEASURE_TREND;
    now.trend_w_per_s = measure_slope_trend(trend);
    now.load_factor = measure_slope_load_factor(trend);
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        double cycle_a = meter->grid[p].cycle_a;
        double factor = cycle_a > 0 ? fast->feature_peak_a[p] / cycle_a : 0;

        now.peak_a[p] = fast->feature_peak_a[p];
        now.peak_factor = measure_larger(factor, now.peak_factor);
        fast->feature_peak_a[p] = 0;
    }
    fast->feature_w = fast->feature_ticks = fast->feature_flags = 0;
    if (out->features < MEASURE_FEATURES_MAX)
        out->feature[out->features++] = now;
    else
        out->lost++;
}

/* Squares of the currents that lie between what was taken before and `to`. */
static void warm(struct measure_meter *meter, const struct measure_work *work, struct line *line, double to)
{
    for (uint32_t p = 0; p < meter->config.phases && to > line->heated; p++)
        meter->fast.heat[p] += held(work->x[SAMPLES_IA + p], line->heated, to, true);
    line->heated = to;
}

static void heat(struct measure_meter *meter, int64_t t_ns, struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    struct measure_heat now = {.t_ns = t_ns, .flags = fast->heat_flags};

    for (uint32_t p = 0; p < meter->config.phases; p++) {
        now.current_a[p] = sqrt(fast->heat[p] / (HEAT_TICKS * meter->samples_per_tick));
        now.worst_a = measure_larger(now.current_a[p], now.worst_a);
        fast->heat[p] = 0;
    }
    fast->heat_ticks = fast->heat_flags = 0;
    if (out->heats < MEASURE_HEATS_MAX)
        out->heat[out->heats++] = now;
    else
        out->lost++;
}

/* The end of a millisecond: what was gathered in it. */
static void close_tick(struct measure_meter *meter, struct measure_tick *tick)
{
    struct measure_fast *fast = &meter->fast;

    for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
        tick->peak_a[p] = fast->peak_a[p];
        fast->feature_peak_a[p] = measure_larger(fast->peak_a[p], fast->feature_peak_a[p]);
        fast->peak_a[p] = 0;
    }
    fast->energy = 0;
    fast->feature_w += tick->power_w;
    fast->feature_flags |= tick->flags;
    fast->heat_flags |= tick->flags;
    fast->flags = 0;
}

/* It ends at `until` of the work. */
static void end_tick(struct measure_meter *meter, const struct measure_work *work, struct line *line,
                     double until, struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    struct measure_tick spare, *tick = &spare;

    if (out->ticks < MEASURE_TICKS_MAX)
        tick = &out->tick[out->ticks++];
    else
        out->lost++;
    tick->t_ns = measure_work_time_ns(work, until - 0.5);
    tick->power_w = fast->energy / meter->samples_per_tick;
    tick->flags = fast->flags;
    slopes(meter, line, line->begin + (until - work->fresh), tick);
    close_tick(meter, tick);
    measure_event_tick(meter, tick, out);
    if (++fast->feature_ticks == FEATURE_TICKS)
        feature(meter, tick, out);
    if (++fast->heat_ticks < HEAT_TICKS)
        return;
    warm(meter, work, line, until);
    heat(meter, tick->t_ns, out);
}

/* Samples from..to of the work, which need not be whole, into the millisecond that runs. */
static void take(struct measure_meter *meter, struct measure_work *work, double from, double to,
                 struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    uint32_t first = (uint32_t)from, last = (uint32_t)to - (to <= (uint32_t)to);
    double most_a = 0;

    if (to <= from)
        return;
    fast->energy += held(work->power_w, from, to, false);
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        double peak_a = measure_sums_peak(&work->x[SAMPLES_IA + p][first], last + 1 - first);

        fast->peak_a[p] = measure_larger(peak_a, fast->peak_a[p]);
        work->peak_a[p] = measure_larger(peak_a, work->peak_a[p]);
        most_a = measure_larger(peak_a, most_a);
    }
    if (measure_event_near(meter, most_a))
        measure_event_peak(meter, work, first, last, out);
    for (uint32_t m = 0; m < work->marks; m++)
        if (work->mark[m].from <= last && work->mark[m].to >= first)
            fast->flags |= work->mark[m].flags;
}

static void make_line(const struct measure_meter *meter, const struct measure_work *work, struct line *line)
{
    const struct measure_fast *fast = &meter->fast;
    uint32_t kept = fast->kept, fresh = work->n + 1 - work->fresh;

    memcpy(line->power_w, meter->power_w, kept * sizeof *line->power_w);
    memcpy(&line->power_w[kept], &work->power_w[work->fresh], fresh * sizeof *line->power_w);
    memset(&line->power_w[kept + fresh], 0, LANES * sizeof *line->power_w);
    line->begin = kept;
    line->n = kept + fresh;
    memcpy(line->raw_w, fast->raw_w, sizeof fast->raw_w);
    memcpy(line->calm_w, fast->calm_w, sizeof fast->calm_w);
    line->raws = line->calms = MEASURE_SLOPE;
    line->half = 0.5 / meter->track.frequency;
    line->per_half = 1 / line->half;
    line->heated = work->fresh;
}

static void keep_line(struct measure_meter *meter, const struct line *line)
{
    struct measure_fast *fast = &meter->fast;
    uint32_t most = (uint32_t)(meter->rate_hz / 76 + meter->samples_per_tick) + 3;
    uint32_t kept = line->n < most ? line->n : most;

    memcpy(meter->power_w, &line->power_w[line->n - kept], kept * sizeof *line->power_w);
    memcpy(fast->raw_w, &line->raw_w[line->raws - MEASURE_SLOPE], sizeof fast->raw_w);
    memcpy(fast->calm_w, &line->calm_w[line->calms - MEASURE_SLOPE], sizeof fast->calm_w);
    fast->kept = kept;
}

void measure_tick_run(struct measure_meter *meter, struct measure_work *work, struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    double at = work->fresh, end = work->n + 1;
    struct line line;

    make_line(meter, work, &line);
    memset(work->peak_a, 0, sizeof work->peak_a);
    while (at + fast->left <= end) {
        double until = at + fast->left;

        take(meter, work, at, until, out);
        end_tick(meter, work, &line, until, out);
        at = until;
        fast->left = meter->samples_per_tick;
    }
    take(meter, work, at, end, out);
    warm(meter, work, &line, end);
    fast->left -= end - at;
    keep_line(meter, &line);
}
