/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuses and point lists: straight lines in log-log between the points, nothing below the first, the last time
 * above the last (domain.md 1.2). A specimen lies at a fixed share between both lists, in the logarithm of
 * current (its pickup) and of time; with one list it is that list moved along the current. Varying currents
 * add up dt / t(I): Miner's rule, and the integral form of C37.112.
 */
#include <math.h>

#include "sim/tripunit_parts.h"

/* Fuses are drawn to +-10 % of current (IEC 60269-1, gates). */
static const double usual_tolerance = 0.10;
static const double least_s = 1e-5;

static void set_line(struct trip_line *line, const struct device_point *point, uint32_t count, double scale)
{
    line->count = count;
    for (uint32_t i = 0; i < count; i++) {
        line->a[i] = log((double)point[i].ma / 1e3 * scale);
        line->s[i] = log(fmax((double)point[i].ns / 1e9, least_s));
    }
}

void trip_points_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct site_device *set = setup->device;
    struct trip_points *own = &unit->points;
    double place = trip_place(dice), scale = 1;
    double tolerance = set->points_tolerance_ppm ? (double)set->points_tolerance_ppm / 1e6 : usual_tolerance;
    /* nobody says whether such a device forgets; a fuse does not */
    own->forgets = trip_way(dice, 2, 0) == 1;
    if (!set->min_count)
        return;
    if (!set->max_count)
        scale = 1 + tolerance * place;
    set_line(&own->min, set->min, set->min_count, scale);
    set_line(&own->max, set->max_count ? set->max : set->min,
             set->max_count ? set->max_count : set->min_count, scale);
    own->slow_share = (1 + place) / 2;
    own->pickup_a = exp(own->min.a[0] + own->slow_share * (own->max.a[0] - own->min.a[0])) * TRIP_AT;
}

/* Below its first point a line goes on flat: the pickup decides. */
static double line_at(const struct trip_line *line, double log_a)
{
    uint32_t i = 0;
    if (log_a <= line->a[0])
        return line->s[0];
    while (i + 1 < line->count && line->a[i + 1] <= log_a)
        i++;
    if (i + 1 == line->count)
        return line->s[i];
    double along = (log_a - line->a[i]) / (line->a[i + 1] - line->a[i]);
    return line->s[i] + along * (line->s[i + 1] - line->s[i]);
}

static bool run(struct tripunit *unit, const double current_a[PHASES], bool forgets, double dt_s)
{
    const struct trip_points *own = &unit->points;
    bool trips = false;
    if (own->pickup_a <= 0)
        return false;
    for (int phase = 0; phase < PHASES; phase++) {
        if (current_a[phase] >= own->pickup_a) {
            double log_a = log(current_a[phase]), fast = line_at(&own->min, log_a);
            double slow = line_at(&own->max, log_a);
            unit->part[phase] += dt_s * exp(-(fast + own->slow_share * (slow - fast)));
        } else if (forgets) {
            unit->part[phase] = 0;
        }
        trips |= unit->part[phase] >= TRIP_FULL;
    }
    return trips;
}

enum trip_element trip_fuse_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    return run(unit, current_a, false, dt_s) ? TRIP_FUSE : TRIP_NONE;
}

enum trip_element trip_points_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    return run(unit, current_a, unit->points.forgets, dt_s) ? TRIP_POINTS : TRIP_NONE;
}
