/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long-time of electronic trip units, domain.md 1.3 and 1.5: the I2t law t = tr (6 Ir / I)^2, as a timer that
 * forgets below its pickup (model A), as a thermal image (model B), or both side by side.
 */
#include <math.h>

#include "sim/tripunit_parts.h"

/* Trips between 1.05 and 1.20 Ir; +-10 % of the time up to 6 In, +-20 % above. */
static const double pickup_middle = 1.125, pickup_spread = 0.075;
static const double time_spread[2] = {0.10, 0.20};

struct long_time {
    double rated_a, seconds_at_6;
    double pickup;              /* of Ir */
    double time[2];             /* factors of this specimen */
};

static void set_image(struct tripunit *unit, const struct tripunit_setup *setup, const struct long_time *own)
{
    struct trip_image *image = &unit->image;
    image->rated_a = own->rated_a;
    image->trip = own->pickup * own->pickup;
    image->seam_a = trip_seam_a(setup->device);
    /* 6 Ir from cold takes tr */
    for (int wide = 0; wide < 2; wide++)
        image->tau_s[wide] = own->time[wide] * own->seconds_at_6 / log(36 / (36 - image->trip));
    trip_image_start(image, setup->initial_heat);
}

/* Some ABB units never take less than 1 s, others exactly 1 s above 12 In (Emax 2, 1SDH000999 p. 37); the
 * nominal specimen does neither. */
static void set_timer(struct tripunit *unit, const struct tripunit_setup *setup, const struct long_time *own,
                      struct trip_dice *dice)
{
    struct trip_timer *timer = &unit->timer;
    double six_a = 6 * own->rated_a;
    uint32_t way = setup->device->profile == PROFILE_ABB ? trip_way(dice, 3, 1) : 1;
    timer->pickup_a = own->rated_a * own->pickup * TRIP_AT;
    timer->seam_a = trip_seam_a(setup->device);
    for (int wide = 0; wide < 2; wide++)
        timer->rate_per_a2[wide] = 1 / (six_a * six_a * own->seconds_at_6 * own->time[wide]);
    timer->rate_at_seam = timer->seam_a * timer->seam_a * timer->rate_per_a2[0];
    timer->flat_above_a = way == 0 ? 12 * trip_rating_a(setup->device) : INFINITY;
    timer->flat_rate = 1 / own->time[1];
    timer->most_rate = way == 2 ? 1 / own->time[1] : INFINITY;
}

static enum trip_long_time long_time_of(const struct tripunit_setup *setup, struct trip_dice *dice)
{
    static const enum trip_long_time way[2] = {LONG_TIME_BOTH, LONG_TIME_IMAGE};
    if (setup->long_time != LONG_TIME_AS_SET)
        return setup->long_time;
    return setup->device->thermal_memory ? way[trip_way(dice, 2, 0)] : LONG_TIME_TIMER;
}

void trip_electronic_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct site_device *device = setup->device;
    double at = device->long_time_at_ppm ? (double)device->long_time_at_ppm / 1e6 : 6;
    struct long_time own = {
        .rated_a = (double)device->long_time_ma / 1e3,
        .seconds_at_6 = (double)device->long_time_ns / 1e9 * at * at / 36,
        .pickup = pickup_middle + pickup_spread * trip_place(dice),
    };
    double place = trip_place(dice);
    if (own.rated_a <= 0 || own.seconds_at_6 <= 0)
        return;
    own.rated_a *= trip_ambient(device, dice);
    for (int wide = 0; wide < 2; wide++)
        own.time[wide] = 1 + time_spread[wide] * place;
    enum trip_long_time is = long_time_of(setup, dice);
    if (is != LONG_TIME_TIMER)
        set_image(unit, setup, &own);
    if (is != LONG_TIME_IMAGE)
        set_timer(unit, setup, &own, dice);
}

/* No specimen's time rises with current, also where its tolerance widens. */
static double rate(const struct trip_timer *timer, double amperes)
{
    if (amperes <= timer->seam_a)
        return fmin(amperes * amperes * timer->rate_per_a2[0], timer->most_rate);
    if (amperes > timer->flat_above_a)
        return timer->flat_rate;
    double above = fmax(amperes * amperes * timer->rate_per_a2[1], timer->rate_at_seam);
    return fmin(above, timer->most_rate);
}

enum trip_element trip_electronic_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    const struct trip_timer *timer = &unit->timer;
    bool trips = trip_image_step(&unit->image, current_a);
    if (timer->pickup_a > 0) {
        for (int phase = 0; phase < PHASES; phase++) {
            bool runs = current_a[phase] >= timer->pickup_a;
            unit->part[phase] = runs ? unit->part[phase] + dt_s * rate(timer, current_a[phase]) : 0;
            trips |= unit->part[phase] >= TRIP_FULL;
        }
    }
    return trips ? TRIP_LONG_TIME : TRIP_NONE;
}
