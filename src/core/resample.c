/* SPDX-License-Identifier: Apache-2.0 */
#include "core/resample.h"

#include <math.h>
#include <stddef.h>

#include "core/angle.h"

#define BETA 10.06              /* 0.1102 (100 dB - 8.7) */

enum { SERIES = 40 };

/* Modified Bessel function of order 0, by its series. */
static double bessel(double x)
{
    double term = 1, sum = 1;

    for (int k = 1; k < SERIES; k++) {
        term *= x / (2.0 * k) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

static double kernel(double x)
{
    double share = x / RESAMPLE_CROSSINGS, cosine, sine;

    if (share >= 1)
        return 0;
    angle_turn(x / 2, &cosine, &sine);
    double window = bessel(BETA * sqrt(1 - share * share)) / bessel(BETA);

    return window * (x > 0 ? sine / (ANGLE_TWO_PI / 2 * x) : 1);
}

int resample_init(struct resample *resample, double from_hz, double to_hz)
{
    if (!(from_hz > 0) || !(to_hz > 0) || from_hz > to_hz * RESAMPLE_FALL_MAX)
        return -1;
    resample->narrow = to_hz < from_hz ? to_hz / from_hz : 1;
    resample->reach = (uint32_t)(RESAMPLE_CROSSINGS / resample->narrow) + 1;
    for (uint32_t k = 0; k < RESAMPLE_TABLE; k++)
        resample->table[k] = kernel((double)k / RESAMPLE_STEPS);
    return 0;
}

double resample_at(const struct resample *resample, const double *x, uint32_t stride, double place)
{
    int64_t here = (int64_t)place, reach = resample->reach;
    double sum = 0;

    for (int64_t n = here - reach + 1; n <= here + reach; n++) {
        double away = fabs(place - (double)n) * resample->narrow * RESAMPLE_STEPS;

        if (away >= RESAMPLE_CROSSINGS * RESAMPLE_STEPS)
            continue;
        uint32_t at = (uint32_t)away;
        const double *table = &resample->table[at];

        sum += x[(size_t)n * stride] * (table[0] + (away - at) * (table[1] - table[0]));
    }
    return sum * resample->narrow;
}
