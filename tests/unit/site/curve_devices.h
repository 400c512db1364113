/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that curve tests share: the reference profiles of domain.md 1.3. */
#ifndef CURVE_DEVICES_H
#define CURVE_DEVICES_H

#include "site/curve.h"

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

#endif
