/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "site/curve/parts.h"

/* Conventions where the settings say nothing: makers of relays state +-5 % of pickup and time (IEC 60255-151
 * leaves the class to them); fuses are drawn to +-10 % of current (IEC 60269-1, gates). */
enum { RELAY_TOLERANCE_PPM = 50000, POINTS_TOLERANCE_PPM = 100000 };

double curve_a(int64_t ma)
{
    return (double)ma * 1e-3;
}

double curve_ratio(int64_t ppm)
{
    return (double)ppm * 1e-6;
}

double curve_s(int64_t ns)
{
    return (double)ns * 1e-9;
}

static double within(enum curve_edge edge, int64_t tolerance_ppm, int64_t convention_ppm)
{
    double tolerance = curve_ratio(tolerance_ppm ? tolerance_ppm : convention_ppm);

    return edge == EDGE_FAST ? fmax(1 - tolerance, 0) : edge == EDGE_SLOW ? 1 + tolerance : 1;
}

bool curve_has(const struct site_device *device, enum breaker_element_role role)
{
    bool thermal = device->kind == DEVICE_THERMAL_MAGNETIC, none = device->kind == DEVICE_NONE;
    bool long_time = device->long_time_ma && device->long_time_ns;

    switch (role) {
    case ELEMENT_LONG_TIME: return device->kind == DEVICE_ELECTRONIC && long_time;
    case ELEMENT_THERMAL: return thermal && long_time;
    case ELEMENT_SHORT_TIME: return !none && device->short_time.pickup_ma;
    case ELEMENT_INSTANTANEOUS: return !none && !thermal && device->instantaneous.pickup_ma;
    case ELEMENT_MAGNETIC: return thermal && device->instantaneous.pickup_ma;
    case ELEMENT_GROUND: return !none && device->ground.pickup_ma;
    case ELEMENT_INVERSE: return device->kind == DEVICE_RELAY && device->relay.pickup_ma;
    case ELEMENT_FUSE: return device->kind == DEVICE_FUSE && device->min_count;
    case ELEMENT_POINTS: return device->kind == DEVICE_POINTS && device->min_count;
    default: return false;
    }
}

double curve_seam_a(const struct site_device *device, enum breaker_element_role role)
{
    if (role != ELEMENT_LONG_TIME && role != ELEMENT_SHORT_TIME)
        return INFINITY;
    return 6 * curve_a(device->rating_ma ? device->rating_ma : device->long_time_ma);
}

/* The list of an edge, and what its currents are multiplied by. Two lists bound the device as they are; one
 * stands for the middle. */
static const struct device_point *list_of(const struct site_device *device, enum curve_edge edge,
                                          uint32_t *count, double *scale)
{
    bool both = device->max_count != 0, max = both && edge == EDGE_SLOW;

    *count = max ? device->max_count : device->min_count;
    *scale = both ? 1 : within(edge, device->points_tolerance_ppm, POINTS_TOLERANCE_PPM);
    return max ? device->max : device->min;
}

static double list_pickup_a(const struct site_device *device, enum curve_edge edge)
{
    double scale;
    uint32_t count;
    const struct device_point *list = list_of(device, edge, &count, &scale);

    return curve_a(list[0].ma) * scale;
}

/* Between the points of a fuse both ways of drawing are in use: the edges take in both. */
static double list_law_s(const struct site_device *device, enum curve_edge edge, double amperes)
{
    double scale, straight, smooth;
    uint32_t count;
    const struct device_point *list = list_of(device, edge, &count, &scale);

    if (edge == EDGE_NOMINAL && device->max_count)
        return sqrt(list_law_s(device, EDGE_FAST, amperes) * list_law_s(device, EDGE_SLOW, amperes));
    /* the first point itself survives scaling */
    amperes = fmax(amperes / scale, curve_a(list[0].ma));
    straight = curve_points_s(list, count, amperes);
    if (device->kind != DEVICE_FUSE || edge == EDGE_NOMINAL)
        return straight;
    smooth = curve_points_smooth_s(list, count, amperes);
    return edge == EDGE_FAST ? fmin(straight, smooth) : fmax(straight, smooth);
}

static double relay_pickup_a(const struct device_relay *relay, enum curve_edge edge)
{
    return curve_a(relay->pickup_ma) * within(edge, relay->pickup_tolerance_ppm, RELAY_TOLERANCE_PPM);
}

/* Not every relay holds its curve at 20 (C37.112 does not ask for it): the fast edge goes on. */
static double relay_law_s(const struct device_relay *relay, enum curve_edge edge, double amperes)
{
    double multiple = amperes / relay_pickup_a(relay, edge);
    double seconds = edge == EDGE_FAST ? curve_relay_free_s(relay->curve, multiple)
                                       : curve_relay_s(relay->curve, multiple);

    return seconds * curve_ratio(relay->time_dial_ppm) *
           within(edge, relay->time_tolerance_ppm, RELAY_TOLERANCE_PPM);
}

double curve_band_pickup_a(const struct site_device *device, enum breaker_element_role role,
                           enum curve_edge edge, enum curve_band band)
{
    double pickup[EDGE_SLOW + 1];
    struct curve_image image;

    switch (role) {
    case ELEMENT_INVERSE: return relay_pickup_a(&device->relay, edge);
    case ELEMENT_FUSE:
    case ELEMENT_POINTS:
        for (int e = EDGE_FAST; e <= EDGE_SLOW; e++)
            pickup[e] = list_pickup_a(device, (enum curve_edge)e);
        /* the middle of two lists runs where both run */
        return edge == EDGE_NOMINAL && device->max_count ? fmax(pickup[0], pickup[EDGE_SLOW]) : pickup[edge];
    case ELEMENT_THERMAL:
        return curve_image_of(device, &image)
                   ? sqrt(curve_image_trip(device, edge)) * curve_a(device->long_time_ma)
                   : 0;
    default: return curve_electronic_pickup_a(device, role, edge, band);
    }
}

double curve_law_s(const struct site_device *device, enum breaker_element_role role, enum curve_edge edge,
                   enum curve_band band, double amperes)
{
    switch (role) {
    case ELEMENT_LONG_TIME: return curve_long_time_law_s(device, edge, band, amperes);
    case ELEMENT_SHORT_TIME: return curve_short_time_law_s(device, edge, band, amperes);
    case ELEMENT_GROUND: return curve_ground_law_s(device, edge, amperes);
    case ELEMENT_INSTANTANEOUS:
    case ELEMENT_MAGNETIC: return curve_instantaneous_law_s(device, edge);
    case ELEMENT_THERMAL: return curve_thermal_law_s(device, edge, amperes);
    case ELEMENT_INVERSE: return relay_law_s(&device->relay, edge, amperes);
    case ELEMENT_FUSE:
    case ELEMENT_POINTS: return list_law_s(device, edge, amperes);
    default: return INFINITY;
    }
}

static double band_s(const struct site_device *device, enum breaker_element_role role, enum curve_edge edge,
                     enum curve_band band, double amperes)
{
    /* amperes that were worked out from a setting (0.93 x 4.8 kA) may miss it by rounding */
    if (amperes < curve_band_pickup_a(device, role, edge, band) * (1 - 1e-12))
        return INFINITY;
    return curve_law_s(device, role, edge, band, amperes);
}

/* Above the seam the wider tolerances hold, and the printed slow edge would jump up there. No device's own
 * time rises with current, and at the seam it keeps the narrow tolerance: so what bounds it at the seam
 * bounds it above, too, and the slow edge is the least of both. Fast edges only fall. */
double curve_element_s(const struct site_device *device, enum breaker_element_role role,
                       enum curve_edge edge, double amperes)
{
    double seam;

    if (!isfinite(amperes) || amperes < 0)
        return NAN;
    if (!curve_has(device, role))
        return INFINITY;
    seam = curve_seam_a(device, role);
    if (amperes <= seam)
        return band_s(device, role, edge, BAND_NARROW, amperes);
    return fmin(band_s(device, role, edge, BAND_NARROW, seam),
                band_s(device, role, edge, BAND_WIDE, amperes));
}

double curve_time_s(const struct site_device *device, enum curve_edge edge, double amperes)
{
    double least = INFINITY;

    if (!isfinite(amperes) || amperes < 0)
        return NAN;
    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++)
        if (role != ELEMENT_GROUND)
            least = fmin(least, curve_element_s(device, (enum breaker_element_role)role, edge, amperes));
    return least;
}

/* A fuse's slow edge is its clearing list: nothing opens after it. */
double curve_clearing_s(const struct site_device *device, double amperes)
{
    double least = INFINITY, seconds;

    if (!isfinite(amperes) || amperes < 0)
        return NAN;
    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++) {
        if (role == ELEMENT_GROUND)
            continue;
        seconds = curve_element_s(device, (enum breaker_element_role)role, EDGE_SLOW, amperes);
        if (role != ELEMENT_INSTANTANEOUS && role != ELEMENT_MAGNETIC && role != ELEMENT_FUSE)
            seconds += curve_s(device->opening_ns);
        least = fmin(least, seconds);
    }
    return least;
}

double curve_pickup_a(const struct site_device *device, enum breaker_element_role role, enum curve_edge edge)
{
    double narrow, seam;

    if (!curve_has(device, role))
        return 0;
    narrow = curve_band_pickup_a(device, role, edge, BAND_NARROW);
    seam = curve_seam_a(device, role);
    return narrow <= seam ? narrow : fmax(seam, curve_band_pickup_a(device, role, edge, BAND_WIDE));
}
