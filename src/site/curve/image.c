/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thermal images: domain.md 1.5 model B, and the thermal element of thermal-magnetic breakers (1.4).
 *     dtheta / dt = (x^2 - theta) / tau,  x = I / Ir,  trips at theta = pickup^2
 *     tau = t_at / ln(at^2 / (at^2 - pickup^2))       trips after t_at at x = at, from cold
 */
#include <math.h>

#include "site/curve/parts.h"

/* Of a thermal-magnetic breaker: conventional non-trip and trip currents 1.05 and 1.30 In of IEC 60947-2, and
 * 1.35 of UL 489 for the slow edge, so that either kind lies between. How well bimetals keep time no standard
 * says: +-20 % is convention. */
static const double thermal_pickup[] = {[EDGE_FAST] = 1.05, [EDGE_NOMINAL] = 1.175, [EDGE_SLOW] = 1.35};
static const double thermal_tolerance = 0.20;
static const double electronic_pickup[] = {
    [EDGE_FAST] = 1.05, [EDGE_NOMINAL] = 1.125, [EDGE_SLOW] = 1.20};

bool curve_image_of(const struct site_device *device, struct curve_image *image)
{
    bool thermal = device->kind == DEVICE_THERMAL_MAGNETIC;
    double at = device->long_time_at_ppm ? curve_ratio(device->long_time_at_ppm) : 6;
    double seconds = curve_s(device->long_time_ns);

    if (!device->long_time_ma || !device->long_time_ns ||
        !(thermal || (device->kind == DEVICE_ELECTRONIC && device->thermal_memory)))
        return false;
    for (int edge = EDGE_FAST; edge <= EDGE_SLOW; edge++)
        image->pickup[edge] = thermal ? thermal_pickup[edge] : electronic_pickup[edge];
    /* an electronic unit's delay is of its I2t law wherever it is given: the image meets that at 6 Ir */
    image->at = thermal ? at : 6;
    image->at_s = thermal ? seconds : seconds * at * at / 36;
    if (!(image->at > image->pickup[EDGE_SLOW]))
        return false;
    image->tolerance = thermal ? thermal_tolerance : 0.10;
    image->tolerance_wide = 0.20;
    return true;
}

double curve_image_constant_s(const struct curve_image *image, double pickup)
{
    return image->at_s / -log1p(-pickup * pickup / (image->at * image->at));
}

double curve_image_tau_s(const struct site_device *device)
{
    struct curve_image image;

    return curve_image_of(device, &image) ? curve_image_constant_s(&image, image.pickup[EDGE_NOMINAL]) : 0;
}

static double ambient(const struct site_device *device, enum curve_edge edge)
{
    bool given = device->ambient_ppm > 0 && device->ambient_ppm < PPM;

    return edge == EDGE_FAST && given ? curve_ratio(device->ambient_ppm) : 1;
}

double curve_image_trip(const struct site_device *device, enum curve_edge edge)
{
    struct curve_image image;
    double pickup;

    if (!curve_image_of(device, &image))
        return 0;
    pickup = image.pickup[edge] * ambient(device, edge);
    return pickup * pickup;
}

static double to_trip_s(double tau, double square, double theta, double trip)
{
    if (theta >= trip)
        return 0;
    return square > trip ? tau * log((square - theta) / (square - trip)) : INFINITY;
}

double curve_image_s(const struct site_device *device, enum curve_edge edge, double theta0, double amperes)
{
    double trip = curve_image_trip(device, edge), x;

    if (!isfinite(amperes) || amperes < 0 || isnan(theta0))
        return NAN;
    if (trip == 0)
        return INFINITY;
    x = amperes / curve_a(device->long_time_ma);
    return to_trip_s(curve_image_tau_s(device), x * x, theta0, trip);
}

/* The bimetal of one edge, from cold; the caller looks at the pickup. */
double curve_thermal_law_s(const struct site_device *device, enum curve_edge edge, double amperes)
{
    struct curve_image image;
    double x, tau, tolerance;

    if (!curve_image_of(device, &image))
        return INFINITY;
    x = amperes / (curve_a(device->long_time_ma) * ambient(device, edge));
    tau = curve_image_constant_s(&image, image.pickup[edge]);
    tolerance = edge == EDGE_FAST ? -image.tolerance : edge == EDGE_SLOW ? image.tolerance : 0;
    return tau * (1 + tolerance) * to_trip_s(1, x * x, 0, image.pickup[edge] * image.pickup[edge]);
}
