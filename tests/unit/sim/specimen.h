/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of domain.md 1.3 as settings, and a bench that steps one of them to its trip. */
#ifndef FLYBALL_TESTS_SPECIMEN_H
#define FLYBALL_TESTS_SPECIMEN_H

#include "sim/tripunit.h"

struct site_device specimen_br800(void);
struct site_device specimen_mn3000(void);
struct site_device specimen_relay(enum relay_curve curve, double time_dial);

/* Nominal, a timer where the long-time element may be either, no image heat. */
struct tripunit_setup specimen_setup(const struct site_device *device, enum trip_truth truth);

/* What is to flow on phase B alone at a time since the start. */
typedef double specimen_current(double t_s);

/* Seconds until it trips and what did; INFINITY and TRIP_NONE beyond limit_s. */
double specimen_trip_s(const struct tripunit_setup *setup, specimen_current *current, double dt_s,
                       double limit_s, enum trip_element *element);
double specimen_steady_s(const struct tripunit_setup *setup, double amperes, double limit_s,
                         enum trip_element *element);

/* One step of one current, crest of a sine. */
enum trip_element specimen_step(struct tripunit *unit, double amperes, double dt_s);

/* Fails with both figures; INFINITY equals INFINITY. */
void specimen_within(double seconds, double expected, double tolerance);

#endif
