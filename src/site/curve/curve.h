/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time-current curves from settings, in floating point, for people (check, report, plot) and for the compiler
 * that makes the decision's integer tables. domain.md 1.1 to 1.5, 1.8. Amperes are rms of one phase at the
 * device's own volts; times in seconds, INFINITY = never. A current that is not finite or below 0 gives NAN.
 */
#ifndef FLYBALL_SITE_CURVE_H
#define FLYBALL_SITE_CURVE_H

#include <stdint.h>

#include "msg/breaker.h"
#include "msg/model.h"
#include "site/device.h"

/* Fast: low pickup, short time ("would trip"). Slow: high pickup, long time; without opening time. */
enum curve_edge { EDGE_FAST, EDGE_NOMINAL, EDGE_SLOW };

/* any: time of one curve of the tables of domain.md 1.1 and 1.2 at M = I / Is, time dial 1; M held at 20. */
double curve_relay_s(enum relay_curve curve, double multiple);
/* any: its reset time from full travel at M < 1 (t_r / (1 - M^e)), time dial 1. */
double curve_relay_reset_s(enum relay_curve curve, double multiple);
/* any: constants of it; 0 where there is none. */
struct curve_constants { double k, c, alpha, reset_s; const char *name; };
const struct curve_constants *curve_constants(enum relay_curve curve);

/* any: a point list: log-log straight lines, never below the first point, the last time above the last. */
double curve_points_s(const struct device_point *point, uint32_t count, double amperes);
/* any: the same through the points by a monotone cubic (PCHIP) in log-log, as fuse programs draw them. */
double curve_points_smooth_s(const struct device_point *point, uint32_t count, double amperes);

/* any: one element from cold, and the whole device (the least over its elements but ground). A role that the
 * device does not have gives INFINITY. */
double curve_element_s(const struct site_device *device, enum breaker_element_role role,
                       enum curve_edge edge, double amperes);
double curve_time_s(const struct site_device *device, enum curve_edge edge, double amperes);

/* any: longest time until the current is gone: slow edge + opening; instantaneous: clears. */
double curve_clearing_s(const struct site_device *device, double amperes);

/* any: thermal image of the long-time element from heat theta0 (in Ir^2) at a constant current. */
double curve_image_s(const struct site_device *device, enum curve_edge edge, double theta0, double amperes);
/* any: its time constant, and the heat at which an edge trips (in Ir^2); 0 without an image. */
double curve_image_tau_s(const struct site_device *device);
double curve_image_trip(const struct site_device *device, enum curve_edge edge);

/* any: lowest rms current at which an element may run, an edge; 0 = the device has no such element. */
double curve_pickup_a(const struct site_device *device, enum breaker_element_role role, enum curve_edge edge);

/* setup: device and equipment compiled into integers: EDGE_FAST for the decision (upper bounds, the image
 * bounds the whole band), EDGE_NOMINAL for comparing with published vectors. The long-time element of an
 * electronic unit becomes a timer (TRAVEL, I2t) and, with thermal memory, an image too: the least over its
 * thermal models rules. Appends TRAVEL curves, each different one once, to `curves` (room for
 * BREAKER_CURVES_MAX). A device without a long-time, thermal, inverse, fuse or point curve compiles to
 * nothing; so does equipment beside it, unless the node has no device of its own (`limited` 0, or no
 * rating). 0; -ENOSPC
 * when elements or curves do not fit; -EINVAL for EDGE_SLOW, and for figures that no device has (a pickup
 * below 1 mA or above 10 MA, an image of less than 1 ms or more than 366 days): `breaker` is empty then. */
int curve_compile(const struct site_device *device, const struct site_equipment *equipment,
                  const struct model_node *node, enum curve_edge edge, struct breaker *breaker,
                  struct breaker_curve *curves, uint32_t *curve_count);

#endif
