/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of curve*.c. An element is two things: pickups, and a law that says how long it takes
 * once it runs. Where the tolerances of a table change at a current (6 In), both have a narrow and a wide
 * version.
 */
#ifndef FLYBALL_SITE_CURVE_PARTS_H
#define FLYBALL_SITE_CURVE_PARTS_H

#include <stdbool.h>

#include "site/curve/curve.h"

enum curve_band { BAND_NARROW, BAND_WIDE, BAND_COUNT };

/* Inverse curves are held above so many times the pickup (domain.md 1.1). */
#define RELAY_MULTIPLE_MAX 20.0
/* Nothing is quicker: a rate has to fit an integer. */
#define CURVE_LEAST_S 1e-5

/* any: amperes, ratio and seconds from the integers of the settings. */
double curve_a(int64_t ma);
double curve_ratio(int64_t ppm);
double curve_s(int64_t ns);

/* any: is there such an element; amperes at which it starts to run; the current at which bands change
 * (INFINITY: nowhere). */
bool curve_has(const struct site_device *device, enum breaker_element_role role);
double curve_band_pickup_a(const struct site_device *device, enum breaker_element_role role,
                           enum curve_edge edge, enum curve_band band);
double curve_seam_a(const struct site_device *device, enum breaker_element_role role);

/* any: seconds at a steady current, running as if it were above the pickup. */
double curve_law_s(const struct site_device *device, enum breaker_element_role role, enum curve_edge edge,
                   enum curve_band band, double amperes);

/* any: an inverse curve that is not held anywhere. */
double curve_relay_free_s(enum relay_curve curve, double multiple);

/* any: domain.md 1.3, elements L, S, I and G; `stage` of the last three. */
double curve_long_time_law_s(const struct site_device *device, enum curve_edge edge, enum curve_band band,
                             double amperes);
double curve_short_time_law_s(const struct site_device *device, enum curve_edge edge, enum curve_band band,
                              double amperes);
double curve_ground_law_s(const struct site_device *device, enum curve_edge edge, double amperes);
double curve_instantaneous_law_s(const struct site_device *device, enum curve_edge edge);
double curve_electronic_pickup_a(const struct site_device *device, enum breaker_element_role role,
                                 enum curve_edge edge, enum curve_band band);

/* The thermal models of one long-time element: asymptotes from low to high, x = I / Ir. */
struct curve_image {
    double pickup[EDGE_SLOW + 1];
    /* from cold, all of them trip after `at_s` at x = at, but for tolerance */
    double at;
    double at_s;
    double tolerance, tolerance_wide;   /* of the time, up to the seam and above it */
};

/* any: false where the device has none, or its delay is given at a current that need not trip it. */
bool curve_image_of(const struct site_device *device, struct curve_image *image);
/* any: the time constant of the device with asymptote `pickup`. */
double curve_image_constant_s(const struct curve_image *image, double pickup);
double curve_thermal_law_s(const struct site_device *device, enum curve_edge edge, double amperes);

/* setup: integer tables. `time_s` never rises with M; the rate line is nowhere below 1 / time_s. */
typedef double curve_of_multiple(const void *context, double multiple);
void curve_line(struct breaker_curve *curve, curve_of_multiple *time_s, const void *context);

#endif
