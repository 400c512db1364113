/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sags, swells and interruptions by the rms of a cycle, every half cycle of each phase (IEC 61000-4-30 5.4):
 * a sag or swell begins where any phase passes its threshold and ends where all are back beyond the
 * hysteresis; an interruption begins where all phases are below and ends where any is back. Peaks by single
 * samples, edges and ramps of power by the millisecond.
 */
#include "core/measure_inside.h"

#include <math.h>

#define AGAIN 0.95              /* of the peak threshold: it still lasts */
#define OVER 0.8                /* of a slope's threshold: it is over below */
#define RIPPLES 3.0             /* an edge stands out of the ripple by this much (peak by rms: 1.41) */
#define RIPPLE_SLOW (1.0 / 1024)
enum { PEAK_OVER_NS = 20 * MEASURE_TICK_NS };

static void say(struct measure_out *out, const struct measure_event *event)
{
    if (out->events < MEASURE_EVENTS_MAX)
        out->event[out->events++] = *event;
    else
        out->lost++;
}

static void begin(struct measure_meter *meter, const struct measure_event *event, struct measure_out *out)
{
    meter->watch.on |= 1u << event->kind;
    meter->watch.event[event->kind] = *event;
    say(out, event);
}

static void end(struct measure_meter *meter, uint32_t kind, int64_t t_ns, struct measure_out *out)
{
    struct measure_event *event = &meter->watch.event[kind];

    meter->watch.on &= ~(1u << kind);
    event->end_ns = t_ns;
    event->over = true;
    say(out, event);
}

static bool on(const struct measure_meter *meter, uint32_t kind)
{
    return meter->watch.on >> kind & 1;
}

/* Lowest and highest of the newest values of all phases. */
static double extreme(const struct measure_meter *meter, double sign, uint32_t *phase)
{
    const double *voltage_v = meter->watch.voltage_v;

    *phase = 0;
    for (uint32_t p = 1; p < meter->config.phases; p++)
        if (sign * voltage_v[p] > sign * voltage_v[*phase])
            *phase = p;
    return voltage_v[*phase];
}

static void dip(struct measure_meter *meter, uint32_t kind, bool starts, bool ends, struct measure_event *now,
                struct measure_out *out)
{
    struct measure_event *event = &meter->watch.event[kind];
    double sign = kind == MEASURE_SWELL ? 1 : -1;

    now->kind = (uint16_t)kind;
    if (!on(meter, kind) && starts)
        begin(meter, now, out);
    if (!on(meter, kind))
        return;
    if (sign * now->value > sign * event->value) {
        event->value = now->value;
        event->phase = now->phase;
    }
    event->flags |= now->flags;
    if (ends)
        end(meter, kind, now->t_ns, out);
}

/* Whether what an rms is taken over is a cycle: where the mains are gone, it is as it was. */
static bool is_trusted(const struct measure_track *track)
{
    return track->locked || (track->found && track->absent);
}

void measure_event_half(struct measure_meter *meter, const struct measure_half *half, struct measure_out *out)
{
    const struct measure_config *config = &meter->config;
    struct measure_watch *watch = &meter->watch;
    double declared_v = config->voltage_v, beside_v = config->hysteresis * declared_v;
    struct measure_event low = {.t_ns = half->t_ns, .flags = (uint16_t)half->flags}, high = low;

    watch->voltage_v[half->phase] = half->voltage_v;
    watch->seen |= 1u << half->phase;
    if (!(declared_v > 0) || watch->seen + 1 != 1u << config->phases || !is_trusted(&meter->track))
        return;
    low.value = extreme(meter, -1, &low.phase);
    high.value = extreme(meter, 1, &high.phase);
    dip(meter, MEASURE_SAG, low.value < config->sag * declared_v,
        low.value >= config->sag * declared_v + beside_v, &low, out);
    dip(meter, MEASURE_SWELL, high.value > config->swell * declared_v,
        high.value <= config->swell * declared_v - beside_v, &high, out);
    low.value = high.value;
    low.phase = high.phase;
    dip(meter, MEASURE_INTERRUPTION, high.value < config->interruption * declared_v,
        high.value >= config->interruption * declared_v + beside_v, &low, out);
}

static void slope(struct measure_meter *meter, uint32_t kind, double value, double limit, int64_t t_ns,
                  struct measure_out *out)
{
    struct measure_event *event = &meter->watch.event[kind];

    if (!on(meter, kind) && fabs(value) >= limit)
        begin(meter, &(struct measure_event){.t_ns = t_ns, .kind = (uint16_t)kind, .value = value}, out);
    if (!on(meter, kind))
        return;
    if (fabs(value) > fabs(event->value))
        event->value = value;
    if (fabs(value) < OVER * limit)
        end(meter, kind, t_ns, out);
}

/* Where there is an edge, or one goes on, it has to stand out of the ripple. */
static void edge(struct measure_meter *meter, const struct measure_tick *tick, struct measure_out *out)
{
    double limit = meter->config.slope_w_per_s, value = tick->slope_fast_w_per_s;

    if (!on(meter, MEASURE_EDGE) && !(fabs(value) >= limit))
        return;
    double above = RIPPLES * sqrt(2 * meter->fast.ripple);

    slope(meter, MEASURE_EDGE, value, measure_larger(above, limit), tick->t_ns, out);
}

void measure_event_tick(struct measure_meter *meter, const struct measure_tick *tick, struct measure_out *out)
{
    struct measure_fast *fast = &meter->fast;
    double limit = meter->config.slope_w_per_s, ripple = tick->slope_fast_w_per_s - tick->slope_w_per_s;

    if (on(meter, MEASURE_PEAK) && tick->t_ns - meter->watch.peak_ns > PEAK_OVER_NS)
        end(meter, MEASURE_PEAK, meter->watch.peak_ns, out);
    if (limit > 0 && fast->raw_ticks == MEASURE_SLOPE)
        edge(meter, tick, out);
    if (limit > 0 && fast->calm_ticks == MEASURE_SLOPE)
        slope(meter, MEASURE_RAMP, tick->slope_w_per_s, limit, tick->t_ns, out);
    if (fast->calm_ticks == MEASURE_SLOPE && !on(meter, MEASURE_EDGE) && !on(meter, MEASURE_RAMP))
        fast->ripple += RIPPLE_SLOW * (ripple * ripple - fast->ripple);
}

/* One sample near or over the threshold of a phase. */
static void peak(struct measure_meter *meter, double value_a, uint32_t phase, int64_t t_ns,
                 struct measure_out *out)
{
    struct measure_event *event = &meter->watch.event[MEASURE_PEAK];

    if (!on(meter, MEASURE_PEAK) && value_a >= meter->config.peak_a)
        begin(meter, &(struct measure_event){.t_ns = t_ns, .kind = MEASURE_PEAK, .value = value_a,
                                             .phase = phase}, out);
    meter->watch.peak_ns = t_ns;
    if (on(meter, MEASURE_PEAK) && value_a > event->value) {
        event->value = value_a;
        event->phase = phase;
    }
}

void measure_event_peak(struct measure_meter *meter, const struct measure_work *work, uint32_t first,
                        uint32_t last, struct measure_out *out)
{
    double near_a = AGAIN * meter->config.peak_a;

    for (uint32_t k = first; near_a > 0 && k <= last; k++)
        for (uint32_t p = 0; p < meter->config.phases; p++)
            if (fabs(work->x[SAMPLES_IA + p][k]) >= near_a)
                peak(meter, fabs(work->x[SAMPLES_IA + p][k]), p, measure_work_time_ns(work, k), out);
}

bool measure_event_near(const struct measure_meter *meter, double peak_a)
{
    double near_a = AGAIN * meter->config.peak_a;

    return near_a > 0 && peak_a >= near_a;
}
