/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plant's circuit breakers, written from the equations (domain.md 1.3 and 1.5) and sharing no code
 * with the controller's idea of them: a thermal image per phase (long-time), a definite short-time stage
 * with memory, and a peak-detecting instantaneous stage. Each device's true pickups and times are drawn
 * from its tolerance band.
 */
#ifndef FLYBALL_SIM_TRIPUNIT_H
#define FLYBALL_SIM_TRIPUNIT_H

#include <stdbool.h>

#include "msg/limits.h"
#include "sim/random.h"

enum trip_element { TRIP_NONE, TRIP_LONG_TIME, TRIP_SHORT_TIME, TRIP_INSTANTANEOUS };

struct tripunit_settings {
    double long_time_a;         /* Ir */
    double long_time_s;         /* tr: seconds at 6 Ir from cold */
    double short_time_a;        /* Isd, 0 = no such element */
    double short_time_s;        /* tsd */
    double instantaneous_a;     /* Ii as rms of a sine, 0 = none */
    double initial_heat;        /* theta at the start, in units of Ir squared */
};

struct tripunit {
    /* this device's own truth, inside the band */
    double long_time_a, theta_trip, tau_s;
    double short_time_a, short_time_s;
    double instantaneous_peak_a, instantaneous_s;
    /* state by phase */
    double theta[PHASES];
    double short_time_part[PHASES];     /* 1 = trips */
    double instantaneous_for_s[PHASES];
    double decay_dt_s, decay_heat, decay_short_time;    /* exp() of the usual step, kept */
};

/* setup: `random` NULL gives the nominal device: 1.125 Ir, times as set, instantaneous in 30 ms. */
void tripunit_init(struct tripunit *unit, const struct tripunit_settings *settings, struct random *random);

/* any: dt seconds at these rms currents (peak = crest * rms). Returns the element that trips now. */
enum trip_element tripunit_step(struct tripunit *unit, const double current_a[PHASES], double crest,
                                double dt_s);

/* any: hottest phase, 1.0 = trips. */
double tripunit_heat(const struct tripunit *unit);

const char *trip_element_name(enum trip_element element);

#endif
