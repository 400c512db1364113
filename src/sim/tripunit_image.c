/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thermal image, domain.md 1.5 model B:
 *     dtheta / dt = (x^2 - theta) / tau,  x = I / rated,  trips at theta >= trip
 * stepped exactly for a constant current, and the bimetal of a thermal-magnetic breaker, which is one (1.4).
 */
#include <math.h>

#include "sim/tripunit_parts.h"

void trip_image_start(struct trip_image *image, double heat)
{
    for (int phase = 0; phase < PHASES; phase++)
        image->theta[phase] = heat;
}

void trip_image_keep(struct trip_image *image, double dt_s)
{
    for (int wide = 0; wide < 2; wide++)
        image->decay[wide] = image->tau_s[wide] > 0 ? exp(-dt_s / image->tau_s[wide]) : 0;
}

bool trip_image_step(struct trip_image *image, const double current_a[PHASES])
{
    bool trips = false;
    if (image->rated_a <= 0)
        return false;
    for (int phase = 0; phase < PHASES; phase++) {
        double x = current_a[phase] / image->rated_a, square = x * x;
        double decay = image->decay[current_a[phase] > image->seam_a];
        image->theta[phase] = square + (image->theta[phase] - square) * decay;
        trips |= image->theta[phase] >= image->trip;
    }
    return trips;
}

double trip_image_heat(const struct trip_image *image)
{
    double hottest = fmax(image->theta[0], fmax(image->theta[1], image->theta[2]));
    return image->rated_a > 0 ? hottest / image->trip : 0;
}

/* Conventional currents 1.05 (does not trip) and 1.30 (trips) of IEC 60947-2; UL 489 wants a trip at 1.35
 * only (domain.md 1.4). The nominal specimen lies between those of IEC. No standard says how well a bimetal
 * keeps
 * time: +-20 % is convention. */
static const double thermal_least = 1.05, thermal_middle = 1.175, thermal_most = 1.35, thermal_time = 0.20;

void trip_thermal_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct site_device *device = setup->device;
    double at = device->long_time_at_ppm ? (double)device->long_time_at_ppm / 1e6 : 6;
    double place = trip_place(dice), time = 1 + thermal_time * trip_place(dice);
    double pickup = thermal_middle + (place < 0 ? thermal_middle - thermal_least
                                                : thermal_most - thermal_middle) * place;
    struct trip_image *image = &unit->image;
    if (device->long_time_ma <= 0 || device->long_time_ns <= 0)
        return;
    image->rated_a = (double)device->long_time_ma / 1e3 * trip_ambient(device, dice);
    image->trip = pickup * pickup;
    /* from cold, `at` times the setting takes the delay */
    image->tau_s[0] = time * (double)device->long_time_ns / 1e9 / log(at * at / (at * at - image->trip));
    image->tau_s[1] = image->tau_s[0];
    image->seam_a = INFINITY;
    trip_image_start(image, setup->initial_heat);
}

enum trip_element trip_thermal_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    (void)dt_s;
    return trip_image_step(&unit->image, current_a) ? TRIP_THERMAL : TRIP_NONE;
}
