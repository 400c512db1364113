/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Point lists. Straight lines in log-log as OpenDSS draws them (TCC_Curve.pas; domain.md 1.2), or a monotone
 * cubic through the logarithms: F. N. Fritsch and R. E. Carlson, "Monotone Piecewise Cubic Interpolation",
 * SIAM J. Numer. Anal. 17 (1980) 238, with the slopes of F. N. Fritsch and J. Butland, SIAM J. Sci. Stat.
 * Comput. 5 (1984) 300 (weighted harmonic mean). Both go through every point and never rise where it falls.
 */
#include <math.h>

#include "site/curve/parts.h"

struct span { double x, y, width, slope; };     /* logarithms */

static struct span span_of(const struct device_point *p, uint32_t i)
{
    double x0 = log(curve_a(p[i].ma)), x1 = log(curve_a(p[i + 1].ma));
    double y0 = log(curve_s(p[i].ns)), y1 = log(curve_s(p[i + 1].ns));

    return (struct span){x0, y0, x1 - x0, x1 > x0 ? (y1 - y0) / (x1 - x0) : 0};
}

/* The last point at or below `amperes`; the caller has seen that there is one. */
static uint32_t point_at(const struct device_point *point, uint32_t count, double amperes)
{
    uint32_t i = 0;

    while (i + 1 < count && curve_a(point[i + 1].ma) <= amperes)
        i++;
    return i;
}

/* The time where no span is asked for: no current, below the first point, from the last one on. Else -1, and
 * `at` is the span's first point. */
static double beyond_points_s(const struct device_point *point, uint32_t count, double amperes, uint32_t *at)
{
    if (!isfinite(amperes) || amperes < 0)
        return NAN;
    if (!count || amperes < curve_a(point[0].ma))
        return INFINITY;
    *at = point_at(point, count, amperes);
    return *at + 1 == count ? curve_s(point[*at].ns) : -1;
}

double curve_points_s(const struct device_point *point, uint32_t count, double amperes)
{
    uint32_t i;
    struct span s;
    double beyond = beyond_points_s(point, count, amperes, &i);

    if (beyond >= 0 || isnan(beyond))
        return beyond;
    s = span_of(point, i);
    return exp(s.y + (log(amperes) - s.x) * s.slope);
}

/* The slope in a point between two spans: 0 at a turn. */
static double slope_between(const struct span *left, const struct span *right)
{
    double heavy_right = 2 * right->width + left->width, heavy_left = right->width + 2 * left->width;

    if (left->slope * right->slope <= 0)
        return 0;
    return (heavy_right + heavy_left) / (heavy_right / left->slope + heavy_left / right->slope);
}

/* At an end: three-point formula, held at 0. In a list that never rises it is at most twice the span's slope,
 * and no further bound is needed. */
static double slope_at_end(const struct span *end, const struct span *next)
{
    double slope =
        ((2 * end->width + next->width) * end->slope - end->width * next->slope) / (end->width + next->width);

    return slope * end->slope <= 0 ? 0 : slope;
}

static double slope_at(const struct device_point *p, uint32_t count, uint32_t i)
{
    struct span left, right;

    if (count == 2)
        return span_of(p, 0).slope;
    if (i == 0 || i + 1 == count) {
        left = span_of(p, i ? i - 1 : 0);
        right = span_of(p, i ? i - 2 : 1);
        return slope_at_end(&left, &right);
    }
    left = span_of(p, i - 1);
    right = span_of(p, i);
    return slope_between(&left, &right);
}

double curve_points_smooth_s(const struct device_point *point, uint32_t count, double amperes)
{
    uint32_t i;
    struct span s;
    double t, rest, first, last, beyond = beyond_points_s(point, count, amperes, &i);

    if (beyond >= 0 || isnan(beyond))
        return beyond;
    s = span_of(point, i);
    t = (log(amperes) - s.x) / s.width;
    rest = 1 - t;
    first = slope_at(point, count, i) * s.width;
    last = slope_at(point, count, i + 1) * s.width;
    /* cubic of Hermite: values at the ends, and slopes times the width */
    return exp(s.y * (1 + 2 * t) * rest * rest + (s.y + s.slope * s.width) * t * t * (3 - 2 * t) +
               first * t * rest * rest - last * t * t * rest);
}
