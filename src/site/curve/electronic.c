/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Electronic trip units: domain.md 1.3. Tolerances: performance tables of ABB SACE Tmax XT2-XT4 (manual p.
 * 78) and Emax 2 (1SDH001330 p. 95), for times from 100 ms; laws of short-time and ground with I2t: the same,
 * and Schneider 48049-136-05 p. 11.
 */
#include <math.h>

#include "site/curve/parts.h"

/* Asymptotes of the long-time element, of Ir; +-7 % and +-10 % of short-time pickup. */
static const double long_time_pickup[] = {
    [EDGE_FAST] = 1.05, [EDGE_NOMINAL] = 1.125, [EDGE_SLOW] = 1.20};
static const double long_time_tolerance[BAND_COUNT] = {0.10, 0.20};
static const double short_pickup_tolerance[BAND_COUNT] = {0.07, 0.10};
static const double short_i2t_tolerance[BAND_COUNT] = {0.15, 0.20};
static const double ground_pickup_tolerance = 0.07, ground_i2t_tolerance = 0.15;
static const double instantaneous_tolerance = 0.10, magnetic_tolerance = 0.20;

/* -1, 0 or +1 times a tolerance. */
static double within(enum curve_edge edge, double tolerance)
{
    return edge == EDGE_FAST ? fmax(1 - tolerance, 0) : edge == EDGE_SLOW ? 1 + tolerance : 1;
}

static double given_or(int64_t tolerance_ppm, double profile)
{
    return tolerance_ppm < 0 ? profile : curve_ratio(tolerance_ppm);
}

/* Hot surroundings take from the pickup; how hot it is, nobody knows, so only the fast edge counts them. */
static double ambient(const struct site_device *device, enum curve_edge edge)
{
    bool given = device->ambient_ppm > 0 && device->ambient_ppm < PPM;

    return edge == EDGE_FAST && given ? curve_ratio(device->ambient_ppm) : 1;
}

static double rating_a(const struct site_device *device)
{
    return curve_a(device->rating_ma ? device->rating_ma : device->long_time_ma);
}

double curve_electronic_pickup_a(const struct site_device *device, enum breaker_element_role role,
                                 enum curve_edge edge, enum curve_band band)
{
    const struct device_stage *s = &device->short_time, *i = &device->instantaneous, *g = &device->ground;
    double ir = curve_a(device->long_time_ma);

    switch (role) {
    case ELEMENT_LONG_TIME: return ir * long_time_pickup[edge] * ambient(device, edge);
    case ELEMENT_SHORT_TIME:
        return curve_a(s->pickup_ma) * within(edge, given_or(s->tolerance_ppm, short_pickup_tolerance[band]));
    case ELEMENT_INSTANTANEOUS:
        return curve_a(i->pickup_ma) * within(edge, given_or(i->tolerance_ppm, instantaneous_tolerance));
    case ELEMENT_MAGNETIC:
        return curve_a(i->pickup_ma) * within(edge, given_or(i->tolerance_ppm, magnetic_tolerance));
    case ELEMENT_GROUND:
        return curve_a(g->pickup_ma) * within(edge, given_or(g->tolerance_ppm, ground_pickup_tolerance));
    default: return 0;
    }
}

/* I2t through tr at so many times Ir. Some ABB units stay at 1 s or more, others take 1 s above 12 In
 * (Emax 2, 1SDH000999 p. 37): the edges allow for both, the nominal law for neither. */
double curve_long_time_law_s(const struct site_device *device, enum curve_edge edge, enum curve_band band,
                             double amperes)
{
    double at = device->long_time_at_ppm ? curve_ratio(device->long_time_at_ppm) : 6;
    double ratio = at * curve_a(device->long_time_ma) * ambient(device, edge) / amperes;
    double seconds = curve_s(device->long_time_ns) * ratio * ratio;

    if (device->profile == PROFILE_ABB && edge == EDGE_FAST && amperes > 12 * rating_a(device))
        seconds = fmin(seconds, 1);
    if (device->profile == PROFILE_ABB && edge == EDGE_SLOW)
        seconds = fmax(seconds, 1);
    return seconds * within(edge, long_time_tolerance[band]);
}

/* "Better of +-10 % and +-40 ms": the narrower of the two. The tables hold from 100 ms on: for a shorter
 * delay the edges take the 40 ms. */
static double definite_s(const struct device_stage *stage, enum curve_edge edge)
{
    double seconds = curve_s(stage->delay_ns), tolerance = fmin(0.1 * seconds, 0.040);

    if (stage->delay_ns < 100 * NS_PER_MS)
        tolerance = 0.040;
    return edge == EDGE_FAST   ? fmax(seconds - tolerance, 0)
           : edge == EDGE_SLOW ? seconds + tolerance
                               : seconds;
}

/* Inverse to 10 Ir, then flat (Schneider); ABB counts from 10 In. Not every ABB unit does, so its fast edge
 * counts from 10 Ir too. */
double curve_short_time_law_s(const struct site_device *device, enum curve_edge edge, enum curve_band band,
                              double amperes)
{
    double delay = curve_s(device->short_time.delay_ns), ir = curve_a(device->long_time_ma);
    double knee = 10 * (device->profile == PROFILE_ABB && edge != EDGE_FAST ? rating_a(device) : ir);

    if (!device->short_time.i2t)
        return definite_s(&device->short_time, edge);
    return fmax(delay, delay * (knee / amperes) * (knee / amperes)) *
           within(edge, short_i2t_tolerance[band]);
}

/* 2 / (I / Ig)^2 as ABB prints it, not below the delay. */
double curve_ground_law_s(const struct site_device *device, enum curve_edge edge, double amperes)
{
    double delay = curve_s(device->ground.delay_ns), multiple = amperes / curve_a(device->ground.pickup_ma);

    if (!device->ground.i2t)
        return definite_s(&device->ground, edge);
    return fmax(delay, 2 / (multiple * multiple)) * within(edge, ground_i2t_tolerance);
}

/* No intentional delay: up to 30 ms to trip (ABB), 80 ms until all is over (Schneider DOCA0216). */
double curve_instantaneous_law_s(const struct site_device *device, enum curve_edge edge)
{
    double clears = device->clears_ns ? curve_s(device->clears_ns) : 0.080;

    return edge == EDGE_FAST ? 0 : edge == EDGE_SLOW ? clears : fmin(0.030, clears);
}
