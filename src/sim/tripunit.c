/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/tripunit.h"

#include <math.h>
#include <string.h>

static const double short_time_decay_s = 0.5;   /* domain.md 1.5: T_dec of the short-time memory */

struct band {
    double pickup, time, short_pickup, short_time_s, peak_pickup, instantaneous_s;
};

/* domain.md 1.3, profile ABB: long time 1.05 .. 1.20 Ir and +-10 %, short time +-7 % and the better of
 * +-10 % and +-40 ms, instantaneous +-10 % and 0 .. 30 ms. */
static struct band draw_band(struct random *random, double short_time_s)
{
    struct band band = {1.125, 1.0, 1.0, short_time_s, 1.0, 0.030};
    if (!random)
        return band;
    double spread_s = fmin(0.10 * short_time_s, 0.040);
    band.pickup = random_between(random, 1.05, 1.20);
    band.time = random_between(random, 0.90, 1.10);
    band.short_pickup = random_between(random, 0.93, 1.07);
    band.short_time_s = random_between(random, short_time_s - spread_s, short_time_s + spread_s);
    band.peak_pickup = random_between(random, 0.90, 1.10);
    band.instantaneous_s = random_between(random, 0.0, 0.030);
    return band;
}

void tripunit_init(struct tripunit *unit, const struct tripunit_settings *settings, struct random *random)
{
    struct band band = draw_band(random, settings->short_time_s);
    memset(unit, 0, sizeof(*unit));
    unit->long_time_a = settings->long_time_a;
    unit->theta_trip = band.pickup * band.pickup;
    /* tau such that 6 Ir from cold takes tr: domain.md 1.5 */
    unit->tau_s = band.time * settings->long_time_s / log(36.0 / (36.0 - unit->theta_trip));
    unit->short_time_a = settings->short_time_a * band.short_pickup;
    unit->short_time_s = band.short_time_s;
    unit->instantaneous_peak_a = sqrt(2.0) * settings->instantaneous_a * band.peak_pickup;
    unit->instantaneous_s = band.instantaneous_s;
    for (int phase = 0; phase < PHASES; phase++)
        unit->theta[phase] = settings->initial_heat;
}

static void keep_decay(struct tripunit *unit, double dt_s)
{
    if (unit->decay_dt_s == dt_s)
        return;
    unit->decay_dt_s = dt_s;
    unit->decay_heat = exp(-dt_s / unit->tau_s);
    unit->decay_short_time = exp(-dt_s / short_time_decay_s);
}

static bool step_long_time(struct tripunit *unit, int phase, double current_a)
{
    double x = current_a / unit->long_time_a;
    unit->theta[phase] = x * x + (unit->theta[phase] - x * x) * unit->decay_heat;
    return unit->theta[phase] >= unit->theta_trip;
}

static bool step_short_time(struct tripunit *unit, int phase, double current_a, double dt_s)
{
    if (unit->short_time_a <= 0)
        return false;
    if (current_a >= unit->short_time_a)
        unit->short_time_part[phase] += dt_s / unit->short_time_s;
    else
        unit->short_time_part[phase] *= unit->decay_short_time;
    return unit->short_time_part[phase] >= 1.0 - 1e-9;
}

static bool step_instantaneous(struct tripunit *unit, int phase, double peak_a, double dt_s)
{
    if (unit->instantaneous_peak_a <= 0)
        return false;
    if (peak_a < unit->instantaneous_peak_a) {
        unit->instantaneous_for_s[phase] = 0;
        return false;
    }
    unit->instantaneous_for_s[phase] += dt_s;
    return unit->instantaneous_for_s[phase] >= unit->instantaneous_s - 1e-9;
}

enum trip_element tripunit_step(struct tripunit *unit, const double current_a[PHASES], double crest,
                                double dt_s)
{
    enum trip_element trips = TRIP_NONE;
    keep_decay(unit, dt_s);
    for (int phase = 0; phase < PHASES; phase++) {
        bool heat = step_long_time(unit, phase, current_a[phase]);
        bool slow = step_short_time(unit, phase, current_a[phase], dt_s);
        bool fast = step_instantaneous(unit, phase, crest * current_a[phase], dt_s);
        if (fast)
            trips = TRIP_INSTANTANEOUS;
        else if (slow && trips != TRIP_INSTANTANEOUS)
            trips = TRIP_SHORT_TIME;
        else if (heat && trips == TRIP_NONE)
            trips = TRIP_LONG_TIME;
    }
    return trips;
}

double tripunit_heat(const struct tripunit *unit)
{
    double heat = 0;
    for (int phase = 0; phase < PHASES; phase++)
        heat = fmax(heat, unit->theta[phase] / unit->theta_trip);
    return heat;
}

const char *trip_element_name(enum trip_element element)
{
    static const char *const name[] = {"none", "long-time", "short-time", "instantaneous"};
    return name[element];
}
