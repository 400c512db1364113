/* SPDX-License-Identifier: Apache-2.0 */
#include "time/meter_clock.h"

#include <string.h>

#include "time/wide.h"

enum { PAIRS_MAX = METER_CLOCK_POINTS * (METER_CLOCK_POINTS - 1) / 2 };
#define PPB INT64_C(1000000000)
/* A scatter that is chance is passed so many times by no drift of a clock that keeps time; one that is no
 * more than this part of the limit may count against it. */
enum { SURELY = 4, SMALL = 8 };
/* Leasts that lie closer say nothing of a rate. */
#define APART_NS (METER_CLOCK_BUCKET_NS / 2)

void meter_clock_forget(struct meter_clock *clock)
{
    clock->count = 0;
    clock->bucket = 0;
}

void meter_clock_take(struct meter_clock *clock, int64_t mono_ns, int64_t lag_ns, int64_t within_ns)
{
    int64_t bucket = mono_ns / METER_CLOCK_BUCKET_NS + 1;
    if (bucket < clock->bucket)
        return;
    if (clock->count && bucket == clock->bucket) {
        struct meter_clock_point *newest = &clock->point[clock->count - 1];
        if (lag_ns < newest->lag_ns)
            *newest = (struct meter_clock_point){mono_ns, lag_ns, within_ns};
        return;
    }
    if (clock->count == METER_CLOCK_POINTS) {
        clock->count--;
        memmove(clock->point, clock->point + 1, clock->count * sizeof *clock->point);
    }
    clock->point[clock->count++] = (struct meter_clock_point){mono_ns, lag_ns, within_ns};
    clock->bucket = bucket;
}

/* stamp - reference at a point; against this machine's monotonic clock where there is none. */
static wide offset_at(const struct meter_clock_point *point, const struct reference_line *line)
{
    return -(wide)point->lag_ns - (line ? reference_offset_ns(line, point->mono_ns) : 0);
}

static uint32_t slopes(const struct meter_clock *clock, const struct reference_line *line,
                       int64_t slope_ppb[PAIRS_MAX])
{
    uint32_t pairs = 0;
    for (uint32_t i = 0; i < clock->count; i++) {
        for (uint32_t j = i + 1; j < clock->count; j++) {
            const struct meter_clock_point *from = &clock->point[i], *to = &clock->point[j];
            wide moved_ns = offset_at(to, line) - offset_at(from, line);
            if (to->mono_ns - from->mono_ns >= APART_NS)
                slope_ppb[pairs++] = wide_clamp(moved_ns * PPB / (to->mono_ns - from->mono_ns));
        }
    }
    return pairs;
}

/* Four times the median distance of the leasts from their line, over the time they span. */
static int64_t scatter_ppb(const struct meter_clock *clock, const struct reference_line *line,
                           int64_t drift_ppb)
{
    const struct meter_clock_point *first = &clock->point[0], *last = &clock->point[clock->count - 1];
    int64_t residual[METER_CLOCK_POINTS];
    wide base_ns = offset_at(first, line);
    for (uint32_t i = 0; i < clock->count; i++) {
        const struct meter_clock_point *point = &clock->point[i];
        wide along_ns = (wide)(point->mono_ns - first->mono_ns) * drift_ppb / PPB;
        residual[i] = wide_clamp(offset_at(point, line) - base_ns - along_ns);
    }
    int64_t middle_ns = wide_median(residual, clock->count);
    for (uint32_t i = 0; i < clock->count; i++)
        residual[i] = wide_magnitude(wide_clamp((wide)residual[i] - middle_ns));
    return wide_clamp(4 * (wide)wide_median(residual, clock->count) * PPB / (last->mono_ns - first->mono_ns));
}

/* At the newest point, by all of them: that one may be of a few packets only. While no drift is known, by the
 * one that came quickest. By the earlier ends of arrivals instead of the later ones: a median and a largest
 * of intervals lie between those of their ends. */
static int64_t offset_now(const struct meter_clock *clock, const struct reference_line *line,
                          const struct meter_clock_found *found, bool early)
{
    const struct meter_clock_point *last = &clock->point[clock->count - 1];
    int64_t offset[METER_CLOCK_POINTS], most = INT64_MIN;
    for (uint32_t i = 0; i < clock->count; i++) {
        const struct meter_clock_point *point = &clock->point[i];
        wide along_ns = (wide)(last->mono_ns - point->mono_ns) * found->drift_ppb / PPB;
        offset[i] = wide_clamp(offset_at(point, line) + along_ns + (early ? point->within_ns : 0));
        most = offset[i] > most ? offset[i] : most;
    }
    return found->has_drift ? wide_median(offset, clock->count) : most;
}

void meter_clock_find(const struct meter_clock *clock, const struct reference_line *line, int64_t ahead_ns,
                      struct meter_clock_found *found)
{
    int64_t slope_ppb[PAIRS_MAX];
    *found = (struct meter_clock_found){.points = clock->count};
    if (!clock->count)
        return;
    uint32_t pairs = clock->count >= METER_CLOCK_ENOUGH ? slopes(clock, line, slope_ppb) : 0;
    if (pairs) {
        found->has_drift = true;
        found->drift_ppb = wide_median(slope_ppb, pairs);
        found->drift_half_ppb = scatter_ppb(clock, line, found->drift_ppb);
    }
    if (!line)
        return;
    found->has_offset = true;
    int64_t late_ns = offset_now(clock, line, found, false), early_ns = offset_now(clock, line, found, true);
    found->offset_ns = wide_clamp((wide)late_ns + ahead_ns);
    found->half_ns = wide_clamp((wide)reference_half_ns(line, clock->point[clock->count - 1].mono_ns) +
                                early_ns - late_ns);
}

enum meter_clock_rate meter_clock_rate(const struct meter_clock_found *found, int64_t drift_ppb)
{
    wide drift = wide_magnitude(found->drift_ppb), half = found->drift_half_ppb;
    if (!found->has_drift || found->points < METER_CLOCK_POINTS)
        return METER_CLOCK_UNKNOWN;
    if (drift > drift_ppb + SURELY * half)
        return METER_CLOCK_RUNS_OFF;
    if (half > drift_ppb / SMALL)
        return METER_CLOCK_UNKNOWN;
    return drift + half > drift_ppb ? METER_CLOCK_RUNS_OFF : METER_CLOCK_KEEPS;
}

bool meter_clock_is_off(const struct meter_clock_found *found, int64_t within_ns, int64_t drift_ppb)
{
    if (found->has_offset && wide_magnitude(found->offset_ns) > wide_clamp((wide)within_ns + found->half_ns))
        return true;
    return found->has_drift &&
           wide_magnitude(found->drift_ppb) > wide_clamp((wide)drift_ppb + found->drift_half_ppb);
}
