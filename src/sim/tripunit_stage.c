/* SPDX-License-Identifier: Apache-2.0 */
/* Short-time, ground and instantaneous stages, domain.md 1.3 and 1.5 (memory of the short-time stage). */
#include <math.h>

#include "sim/tripunit_parts.h"

/* Short-time: +-7 % of the pickup up to 6 In, +-10 % above; I2t +-15 % and +-20 % of the time. Ground: +-7 %,
 * I2t +-15 %. Definite times: the better of +-10 % and +-40 ms. Instantaneous: within 30 ms. */
static const double pickup_spread[2] = {0.07, 0.10}, i2t_spread[2] = {0.15, 0.20};
static const double ground_spread = 0.07, ground_i2t_spread = 0.15;
static const double definite_spread = 0.10, definite_spread_s = 0.040, peak_most_s = 0.030;
static const double memory_s = 0.5;

static double tolerance_of(const struct device_stage *stage, double profile)
{
    return stage->tolerance_ppm < 0 ? profile : (double)stage->tolerance_ppm / 1e6;
}

static void set_time(struct trip_stage *own, const struct device_stage *stage, double place, double knee_a2s,
                     const double spread[2])
{
    double delay_s = (double)stage->delay_ns / 1e9;
    double definite_s = delay_s + fmin(definite_spread * delay_s, definite_spread_s) * place;
    for (int wide = 0; wide < 2; wide++) {
        double factor = 1 + spread[wide] * place;
        own->time_s[wide] = stage->i2t ? delay_s * factor : definite_s;
        own->inverse_a2s[wide] = stage->i2t ? knee_a2s * factor : 0;
    }
}

static double time_of(const struct trip_stage *own, double amperes, int wide)
{
    return fmax(own->time_s[wide], own->inverse_a2s[wide] / (amperes * amperes));
}

/* I2t: inverse to 10 Ir, then flat (Schneider); ABB counts from 10 In. Some of its units are set up like the
 * others: the fast edge, and half of those drawn, count from 10 Ir. */
static void short_time_init(struct trip_stage *own, const struct site_device *device, struct trip_dice *dice)
{
    const struct device_stage *stage = &device->short_time;
    double rated_a = (double)device->long_time_ma / 1e3, seam_a = trip_seam_a(device);
    double place = trip_place(dice), time_place = trip_place(dice), pickup_a[2];
    if (stage->pickup_ma <= 0)
        return;
    bool from_in = stage->i2t && device->profile == PROFILE_ABB && trip_way(dice, 2, 1);
    double knee_a = 10 * (from_in || rated_a <= 0 ? trip_rating_a(device) : rated_a);
    for (int wide = 0; wide < 2; wide++)
        pickup_a[wide] = (double)stage->pickup_ma / 1e3 *
                         (1 + tolerance_of(stage, pickup_spread[wide]) * place);
    /* one specimen, one pickup: the band that the current there belongs to */
    own->pickup_a = (pickup_a[0] <= seam_a ? pickup_a[0] : fmax(seam_a, pickup_a[1])) * TRIP_AT;
    own->seam_a = seam_a;
    own->memory = stage->memory;
    set_time(own, stage, time_place, (double)stage->delay_ns / 1e9 * knee_a * knee_a, i2t_spread);
    own->rate_at_seam = isfinite(seam_a) ? 1 / fmax(time_of(own, seam_a, 0), 1e-9) : 0;
}

/* ABB silences it while a phase carries 8, 6, 4 or 2 In, for settings from 0.8, 0.5, 0.2 In and below. */
static double ground_inhibit_a(const struct site_device *device)
{
    double rated_a = trip_rating_a(device), part = (double)device->ground.pickup_ma / 1e3 / rated_a;
    if (device->profile != PROFILE_ABB || !(rated_a > 0))
        return 0;
    return rated_a * (part >= 0.8 ? 8 : part >= 0.5 ? 6 : part >= 0.2 ? 4 : 2);
}

/* I2t: 2 / (I / Ig)^2 seconds as ABB prints it, not below the delay. */
static void ground_init(struct trip_stage *own, const struct site_device *device, struct trip_dice *dice)
{
    const struct device_stage *stage = &device->ground;
    const double spread[2] = {ground_i2t_spread, ground_i2t_spread};
    double pickup_a = (double)stage->pickup_ma / 1e3;
    double place = trip_place(dice), time_place = trip_place(dice);
    if (stage->pickup_ma <= 0)
        return;
    own->pickup_a = pickup_a * (1 + tolerance_of(stage, ground_spread) * place) * TRIP_AT;
    own->seam_a = INFINITY;
    own->memory = stage->memory;
    own->inhibit_a = ground_inhibit_a(device);
    set_time(own, stage, time_place, 2 * pickup_a * pickup_a, spread);
}

/* It sees the peak and trips within 30 ms, the fast edge at once. */
static void peak_init(struct tripunit *unit, const struct device_stage *stage, struct trip_dice *dice)
{
    double tolerance = tolerance_of(stage, unit->kind->peak_tolerance) * trip_place(dice);
    double place = trip_place(dice);
    if (stage->pickup_ma <= 0)
        return;
    unit->peak.peak_a = sqrt(2) * (double)stage->pickup_ma / 1e3 * (1 + tolerance) * TRIP_AT;
    unit->peak.delay_s = dice->truth == TRUTH_NOMINAL ? peak_most_s : peak_most_s * (1 + place) / 2;
}

void trip_stages_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    short_time_init(&unit->short_time, setup->device, dice);
    peak_init(unit, &setup->device->instantaneous, dice);
    ground_init(&unit->ground, setup->device, dice);
}

void trip_stages_keep(struct tripunit *unit, double dt_s)
{
    unit->stage_decay = exp(-dt_s / memory_s);
}

/* Part after dt at this current. */
static double run_stage(const struct trip_stage *own, double part, double amperes, double decay, double dt_s)
{
    if (amperes < own->pickup_a)
        return own->memory ? part * decay : 0;
    if (amperes <= own->seam_a)
        return part + dt_s / fmax(time_of(own, amperes, 0), 1e-9);
    return part + dt_s * fmax(1 / fmax(time_of(own, amperes, 1), 1e-9), own->rate_at_seam);
}

static bool step_short_time(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    struct trip_stage *own = &unit->short_time;
    bool trips = false;
    if (own->pickup_a <= 0)
        return false;
    for (int phase = 0; phase < PHASES; phase++) {
        own->part[phase] = run_stage(own, own->part[phase], current_a[phase], unit->stage_decay, dt_s);
        trips |= own->part[phase] >= TRIP_FULL;
    }
    return trips;
}

static bool step_ground(struct tripunit *unit, const struct tripunit_load *load, double dt_s)
{
    struct trip_stage *own = &unit->ground;
    double phase_a = fmax(load->current_a[0], fmax(load->current_a[1], load->current_a[2]));
    if (own->pickup_a <= 0)
        return false;
    bool silent = own->inhibit_a > 0 && phase_a > own->inhibit_a;
    own->part[0] = run_stage(own, own->part[0], silent ? 0 : load->residual_a, unit->stage_decay, dt_s);
    return own->part[0] >= TRIP_FULL;
}

static bool step_peak(struct trip_peak *peak, const struct tripunit_load *load, double dt_s)
{
    bool trips = false;
    if (peak->peak_a <= 0)
        return false;
    for (int phase = 0; phase < PHASES; phase++) {
        bool over = load->crest * load->current_a[phase] >= peak->peak_a;
        peak->for_s[phase] = over ? peak->for_s[phase] + dt_s : 0;
        trips |= over && peak->for_s[phase] >= peak->delay_s - 1e-9;
    }
    return trips;
}

enum trip_element trip_stages_step(struct tripunit *unit, const struct tripunit_load *load, double dt_s)
{
    bool short_time = step_short_time(unit, load->current_a, dt_s);
    bool ground = step_ground(unit, load, dt_s);
    if (step_peak(&unit->peak, load, dt_s))
        return unit->kind->peak;
    if (short_time)
        return TRIP_SHORT_TIME;
    return ground ? TRIP_GROUND : TRIP_NONE;
}
