/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/tripunit.h"

#include <math.h>
#include <string.h>

#include "sim/tripunit_parts.h"

static void nothing_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    (void)unit;
    (void)setup;
    (void)dice;
}

static double no_pickup(const struct tripunit *unit)
{
    (void)unit;
    return 0;
}

static double timer_pickup(const struct tripunit *unit)
{
    return unit->timer.pickup_a;
}

static double relay_pickup(const struct tripunit *unit)
{
    return unit->relay.pickup_a;
}

static double points_pickup(const struct tripunit *unit)
{
    return unit->points.pickup_a;
}

static enum trip_element nothing_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    (void)unit;
    (void)current_a;
    (void)dt_s;
    return TRIP_NONE;
}

/* Instantaneous +-10 %, magnetic +-20 %: domain.md 1.3, 1.4. */
static const struct trip_kind kinds[DEVICE_KIND_COUNT] = {
    [DEVICE_NONE] = {"none", 0.10, TRIP_INSTANTANEOUS, nothing_init, nothing_step, no_pickup},
    [DEVICE_ELECTRONIC] = {"electronic", 0.10, TRIP_INSTANTANEOUS, trip_electronic_init,
                           trip_electronic_step, timer_pickup},
    [DEVICE_THERMAL_MAGNETIC] = {"thermal_magnetic", 0.20, TRIP_MAGNETIC, trip_thermal_init,
                                 trip_thermal_step, no_pickup},
    [DEVICE_RELAY] = {"relay", 0.10, TRIP_INSTANTANEOUS, trip_relay_init, trip_relay_step, relay_pickup},
    [DEVICE_FUSE] = {"fuse", 0.10, TRIP_INSTANTANEOUS, trip_points_init, trip_fuse_step,
                     points_pickup},
    [DEVICE_POINTS] = {"points", 0.10, TRIP_INSTANTANEOUS, trip_points_init, trip_points_step,
                       points_pickup},
};

static const char *const element_name[TRIP_ELEMENT_COUNT] = {
    [TRIP_NONE] = "none", [TRIP_CONDUCTOR] = "conductor", [TRIP_TRANSFORMER] = "transformer",
    [TRIP_UPS] = "UPS overload", [TRIP_LONG_TIME] = "long-time", [TRIP_THERMAL] = "thermal",
    [TRIP_INVERSE] = "inverse-time", [TRIP_FUSE] = "fuse", [TRIP_POINTS] = "curve", [TRIP_GROUND] = "ground",
    [TRIP_SHORT_TIME] = "short-time", [TRIP_MAGNETIC] = "magnetic", [TRIP_INSTANTANEOUS] = "instantaneous",
    [TRIP_ENGINE] = "engine",
};

double trip_place(struct trip_dice *dice)
{
    switch (dice->truth) {
    case TRUTH_FAST: return -1;
    case TRUTH_SLOW: return 1;
    case TRUTH_DRAWN: return random_between(dice->random, -1, 1);
    default: return 0;
    }
}

uint32_t trip_way(struct trip_dice *dice, uint32_t count, uint32_t nominal)
{
    switch (dice->truth) {
    case TRUTH_FAST: return 0;
    case TRUTH_SLOW: return count - 1;
    case TRUTH_DRAWN: return (uint32_t)(random_unit(dice->random) * count);
    default: return nominal;
    }
}

double trip_rating_a(const struct site_device *device)
{
    return (double)(device->rating_ma ? device->rating_ma : device->long_time_ma) / 1e3;
}

/* domain.md 1.3: tolerances are narrow up to 6 In. */
double trip_seam_a(const struct site_device *device)
{
    return device->kind == DEVICE_ELECTRONIC ? 6 * trip_rating_a(device) : INFINITY;
}

double trip_ambient(const struct site_device *device, struct trip_dice *dice)
{
    double hottest = (double)device->ambient_ppm / 1e6;
    if (hottest <= 0 || hottest >= 1)
        return 1;
    switch (dice->truth) {
    case TRUTH_FAST: return hottest;
    case TRUTH_DRAWN: return random_between(dice->random, hottest, 1);
    default: return 1;
    }
}

void tripunit_init(struct tripunit *unit, const struct tripunit_setup *setup)
{
    struct trip_dice dice = {setup->truth, setup->random};
    memset(unit, 0, sizeof(*unit));
    if (setup->truth == TRUTH_DRAWN && setup->fast_share > 0 &&
        random_unit(setup->random) < setup->fast_share)
        dice.truth = TRUTH_FAST;
    unit->kind = &kinds[setup->device->kind];
    unit->kind->init(unit, setup, &dice);
    if (setup->device->kind != DEVICE_NONE)
        trip_stages_init(unit, setup, &dice);
    if (setup->equipment)
        trip_equipment_init(unit, setup, &dice);
}

static void keep(struct tripunit *unit, double dt_s)
{
    unit->dt_s = dt_s;
    trip_image_keep(&unit->image, dt_s);
    trip_stages_keep(unit, dt_s);
    trip_equipment_keep(unit, dt_s);
}

static enum trip_element faster(enum trip_element left, enum trip_element right)
{
    return left > right ? left : right;
}

enum trip_element tripunit_step(struct tripunit *unit, const struct tripunit_load *load, double dt_s)
{
    if (unit->dt_s != dt_s)
        keep(unit, dt_s);
    enum trip_element trips = unit->kind->step(unit, load->current_a, dt_s);
    trips = faster(trips, trip_stages_step(unit, load, dt_s));
    trips = faster(trips, trip_equipment_step(unit, load->current_a, dt_s));
    if (unit->tripped == TRIP_NONE)
        unit->tripped = trips;
    return trips;
}

static double lower_of(double calm_a, double pickup_a)
{
    return pickup_a > 0 && pickup_a < calm_a ? pickup_a : calm_a;
}

static double image_calm_a(double calm_a, const struct trip_image *image)
{
    return lower_of(calm_a, fmin(image->rated_a * sqrt(image->trip), image->seam_a));
}

double tripunit_calm_a(const struct tripunit *unit, double crest)
{
    double calm_a = lower_of(INFINITY, unit->short_time.pickup_a);
    calm_a = lower_of(calm_a, unit->peak.peak_a / crest);
    calm_a = lower_of(calm_a, unit->ups.rated_a);
    calm_a = image_calm_a(calm_a, &unit->image);
    calm_a = image_calm_a(calm_a, &unit->transformer);
    calm_a = image_calm_a(calm_a, &unit->conductor);
    return lower_of(calm_a, unit->kind->pickup_a(unit));
}

static double worst(const double part[PHASES])
{
    return fmax(part[0], fmax(part[1], part[2]));
}

double tripunit_heat(const struct tripunit *unit)
{
    double heat = unit->image.rated_a > 0 ? trip_image_heat(&unit->image) : worst(unit->part);
    return fmax(heat, fmax(trip_image_heat(&unit->transformer), trip_image_heat(&unit->conductor)));
}

double tripunit_travel(const struct tripunit *unit)
{
    double stages = fmax(worst(unit->short_time.part), worst(unit->ground.part));
    return fmax(worst(unit->part), fmax(stages, worst(unit->ups.part)));
}

const char *trip_element_name(enum trip_element element)
{
    return element_name[element];
}

const char *trip_kind_name(enum device_kind kind)
{
    return kinds[kind].name;
}
