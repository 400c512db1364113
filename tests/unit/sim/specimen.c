/* SPDX-License-Identifier: Apache-2.0 */
#include "specimen.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct site_device specimen_br800(void)
{
    return (struct site_device){
        .kind = DEVICE_ELECTRONIC, .rating_ma = 800000, .long_time_ma = 800000, .long_time_ns = 8 * NS_PER_S,
        .short_time = {.pickup_ma = 4800000, .delay_ns = 100 * NS_PER_MS, .tolerance_ppm = -1,
                       .memory = true},
        .instantaneous = {.pickup_ma = 8000000, .tolerance_ppm = -1},
    };
}

struct site_device specimen_mn3000(void)
{
    return (struct site_device){
        .kind = DEVICE_ELECTRONIC, .rating_ma = 3000000, .long_time_ma = 3000000,
        .long_time_ns = 12 * NS_PER_S,
        .short_time = {.pickup_ma = 12000000, .delay_ns = 300 * NS_PER_MS, .tolerance_ppm = -1, .i2t = true,
                       .memory = true},
        .instantaneous = {.pickup_ma = 36000000, .tolerance_ppm = -1},
        .ground = {.pickup_ma = 1200000, .delay_ns = 300 * NS_PER_MS, .tolerance_ppm = -1, .memory = true},
    };
}

struct site_device specimen_relay(enum relay_curve curve, double time_dial)
{
    return (struct site_device){
        .kind = DEVICE_RELAY,
        .relay = {.curve = (uint8_t)curve, .reset = RELAY_RESET_DEPENDENT, .pickup_ma = 100000,
                  .time_dial_ppm = (int64_t)(time_dial * 1e6)},
    };
}

struct tripunit_setup specimen_setup(const struct site_device *device, enum trip_truth truth)
{
    return (struct tripunit_setup){.device = device, .volts_ln = 277.128, .phases = 3, .truth = truth,
                                   .long_time = LONG_TIME_TIMER};
}

enum trip_element specimen_step(struct tripunit *unit, double amperes, double dt_s)
{
    struct tripunit_load load = {.current_a = {0, amperes, 0}, .crest = sqrt(2)};
    return tripunit_step(unit, &load, dt_s);
}

double specimen_trip_s(const struct tripunit_setup *setup, specimen_current *current, double dt_s,
                       double limit_s, enum trip_element *element)
{
    struct tripunit unit;
    tripunit_init(&unit, setup);
    for (int64_t step = 0; (double)step * dt_s < limit_s; step++) {
        *element = specimen_step(&unit, current((double)step * dt_s + dt_s / 2), dt_s);
        if (*element != TRIP_NONE)
            return (double)(step + 1) * dt_s;
    }
    return INFINITY;
}

double specimen_steady_s(const struct tripunit_setup *setup, double amperes, double limit_s,
                         enum trip_element *element)
{
    const double dt_s = 1e-3;
    struct tripunit unit;
    tripunit_init(&unit, setup);
    for (int64_t step = 1; (double)step * dt_s <= limit_s; step++) {
        *element = specimen_step(&unit, amperes, dt_s);
        if (*element != TRIP_NONE)
            return (double)step * dt_s;
    }
    return INFINITY;
}

void specimen_within(double seconds, double expected, double tolerance)
{
    if (isinf(expected) ? !isinf(seconds) : !(fabs(seconds - expected) <= tolerance))
        fail_msg("%.5f s, expected %.5f s within %.5f s", seconds, expected, tolerance);
}
