/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of tripunit*.c: the dice of one specimen, and the kinds of element. */
#ifndef FLYBALL_SIM_TRIPUNIT_PARTS_H
#define FLYBALL_SIM_TRIPUNIT_PARTS_H

#include "sim/tripunit.h"

/* A part that should reach 1 after n equal steps may miss it by rounding. */
#define TRIP_FULL (1.0 - 1e-9)
/* A current worked out from a setting (0.93 x 4.8 kA) may miss the pickup by rounding. */
#define TRIP_AT (1.0 - 1e-12)

struct trip_dice {
    enum trip_truth truth;
    struct random *random;
};

/* One kind of device: a row of the table in tripunit.c. */
struct trip_kind {
    const char *name;                       /* as `trip_unit:` spells it */
    double peak_tolerance;                  /* of the instantaneous or magnetic element */
    enum trip_element peak;                 /* which of both it is */
    void (*init)(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
    enum trip_element (*step)(struct tripunit *unit, const double current_a[PHASES], double dt_s);
    double (*pickup_a)(const struct tripunit *unit);    /* of its time element; 0 = none */
};

/* setup: where in its band a figure lies: -1 fast edge, 0 nominal, 1 slow edge. */
double trip_place(struct trip_dice *dice);
/* setup: one of `count` ways to build a device; 0 is the fast edge's, the last the slow edge's. */
uint32_t trip_way(struct trip_dice *dice, uint32_t count, uint32_t nominal);

/* setup: In, Ir and the current above which tolerances widen. */
double trip_rating_a(const struct site_device *device);
double trip_seam_a(const struct site_device *device);
/* setup: ambient heat takes so much of a thermal pickup: 1 = nothing. */
double trip_ambient(const struct site_device *device, struct trip_dice *dice);

/* any: an image that does not exist never trips. */
void trip_image_start(struct trip_image *image, double heat);
void trip_image_keep(struct trip_image *image, double dt_s);
bool trip_image_step(struct trip_image *image, const double current_a[PHASES]);
double trip_image_heat(const struct trip_image *image);

/* The rows; what is not set up stays zero. */
void trip_electronic_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
void trip_thermal_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
void trip_relay_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
void trip_points_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
enum trip_element trip_electronic_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);
enum trip_element trip_thermal_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);
enum trip_element trip_relay_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);
enum trip_element trip_fuse_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);
enum trip_element trip_points_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);

/* Short-time, instantaneous and ground, of any kind. */
void trip_stages_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
void trip_stages_keep(struct tripunit *unit, double dt_s);
enum trip_element trip_stages_step(struct tripunit *unit, const struct tripunit_load *load, double dt_s);

/* Transformer, conductor and UPS beside the device. */
void trip_equipment_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice);
void trip_equipment_keep(struct tripunit *unit, double dt_s);
enum trip_element trip_equipment_step(struct tripunit *unit, const double current_a[PHASES], double dt_s);

#endif
