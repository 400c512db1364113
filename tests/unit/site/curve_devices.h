/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that curve tests share: the reference profiles of domain.md 1.3. */
#ifndef CURVE_DEVICES_H
#define CURVE_DEVICES_H

#include "site/curve/curve.h"

#define MA(amperes) ((int64_t)(amperes) * 1000)
#define PROFILE_TOLERANCE (-1)

static const struct site_device br800 = {
    .name = "BR800",
    .kind = DEVICE_ELECTRONIC,
    .profile = PROFILE_ABB,
    .thermal_memory = true,
    .rating_ma = MA(800),
    .long_time_ma = MA(800),
    .long_time_ns = 8 * NS_PER_S,
    .long_time_at_ppm = 6 * PPM,
    .short_time = {.pickup_ma = MA(4800), .delay_ns = 100 * NS_PER_MS, .tolerance_ppm = PROFILE_TOLERANCE},
    .instantaneous = {.pickup_ma = MA(8000), .tolerance_ppm = PROFILE_TOLERANCE},
    .opening_ns = 50 * NS_PER_MS,
    .clears_ns = 80 * NS_PER_MS,
    .ambient_ppm = PPM,
};

static const struct site_device mn3000 = {
    .name = "MN3000",
    .kind = DEVICE_ELECTRONIC,
    .profile = PROFILE_ABB,
    .thermal_memory = true,
    .rating_ma = MA(3000),
    .long_time_ma = MA(3000),
    .long_time_ns = 12 * NS_PER_S,
    .long_time_at_ppm = 6 * PPM,
    .short_time = {.pickup_ma = MA(12000), .delay_ns = 300 * NS_PER_MS, .i2t = true,
                   .tolerance_ppm = PROFILE_TOLERANCE},
    .instantaneous = {.pickup_ma = MA(36000), .tolerance_ppm = PROFILE_TOLERANCE},
    .ground = {.pickup_ma = MA(1200), .delay_ns = 300 * NS_PER_MS, .tolerance_ppm = PROFILE_TOLERANCE},
    .opening_ns = 50 * NS_PER_MS,
    .clears_ns = 80 * NS_PER_MS,
    .ambient_ppm = PPM,
};

/* One device of every other kind. */
static const struct site_device thermal_250 = {
    .name = "T250",
    .kind = DEVICE_THERMAL_MAGNETIC,
    .rating_ma = MA(250),
    .long_time_ma = MA(250),
    .long_time_ns = 10 * NS_PER_S,
    .long_time_at_ppm = 6 * PPM,
    .instantaneous = {.pickup_ma = MA(2500), .tolerance_ppm = PROFILE_TOLERANCE},
    .opening_ns = 50 * NS_PER_MS,
    .ambient_ppm = PPM,
};

static const struct site_device relay_vi = {
    .name = "51",
    .kind = DEVICE_RELAY,
    .relay = {.curve = RELAY_IEEE_VI, .reset = RELAY_RESET_DEPENDENT, .pickup_ma = MA(400),
              .time_dial_ppm = PPM / 2},
    .instantaneous = {.pickup_ma = MA(6000), .tolerance_ppm = PROFILE_TOLERANCE},
    .opening_ns = 50 * NS_PER_MS,
};

/* pandapower's Siemens NH-2-315 */
static const struct site_device nh_315 = {
    .name = "NH-2-315",
    .kind = DEVICE_FUSE,
    .min_count = 5,
    .min = {{MA(550), 4800 * NS_PER_S}, {MA(920), 120 * NS_PER_S}, {MA(1900), 7 * NS_PER_S},
            {MA(5000), 100 * NS_PER_MS}, {MA(11000), 4 * NS_PER_MS}},
};

/* pandapower's HV 63A: melting and total clearing */
static const struct site_device hv_63 = {
    .name = "HV 63A",
    .kind = DEVICE_FUSE,
    .min_count = 9,
    .max_count = 7,
    .min = {{MA(189), 10 * NS_PER_S}, {MA(220), 2840 * NS_PER_MS}, {MA(300), 368 * NS_PER_MS},
            {MA(350), 164 * NS_PER_MS}, {MA(393), 100 * NS_PER_MS}, {MA(450), 62100 * NS_PER_US},
            {MA(530), 37800 * NS_PER_US}, {MA(700), 19500 * NS_PER_US}, {MA(961), 10 * NS_PER_MS}},
    .max = {{MA(378), 10 * NS_PER_S}, {MA(500), 1820 * NS_PER_MS}, {MA(700), 344 * NS_PER_MS},
            {MA(934), 100 * NS_PER_MS}, {MA(1200), 46700 * NS_PER_US}, {MA(1500), 26900 * NS_PER_US},
            {MA(2366), 10 * NS_PER_MS}},
};

static const struct site_device listed = {
    .name = "listed",
    .kind = DEVICE_POINTS,
    .min_count = 3,
    .min = {{MA(100), 300 * NS_PER_S}, {MA(500), 5 * NS_PER_S}, {MA(501), 20 * NS_PER_MS}},
    .points_tolerance_ppm = 50000,
};

#endif
