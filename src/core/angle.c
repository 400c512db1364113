/* SPDX-License-Identifier: Apache-2.0 */
#include "core/angle.h"

#include <math.h>
#include <stdint.h>

/* Taylor, up to an eighth of a turn: the first term left out is 5e-17. */
static double sine_small(double x)
{
    double s = x * x;
    double sum = -1.0 / 1307674368000.0;

    sum = sum * s + 1.0 / 6227020800.0;
    sum = sum * s - 1.0 / 39916800.0;
    sum = sum * s + 1.0 / 362880.0;
    sum = sum * s - 1.0 / 5040.0;
    sum = sum * s + 1.0 / 120.0;
    sum = sum * s - 1.0 / 6.0;
    return x + x * s * sum;
}

static double cosine_small(double x)
{
    double s = x * x;
    double sum = 1.0 / 20922789888000.0;

    sum = sum * s - 1.0 / 87178291200.0;
    sum = sum * s + 1.0 / 479001600.0;
    sum = sum * s - 1.0 / 3628800.0;
    sum = sum * s + 1.0 / 40320.0;
    sum = sum * s - 1.0 / 720.0;
    sum = sum * s + 1.0 / 24.0;
    return 1 - (s * 0.5 - s * s * sum);
}

void angle_turn(double cycles, double *cosine, double *sine)
{
    int64_t quarters = (int64_t)(cycles * 4 + (cycles < 0 ? -0.5 : 0.5));
    double x = (cycles - (double)quarters * 0.25) * ANGLE_TWO_PI;
    double c = cosine_small(x), s = sine_small(x);

    switch (quarters & 3) {
    case 0: *cosine = c; *sine = s; break;
    case 1: *cosine = -s; *sine = c; break;
    case 2: *cosine = -c; *sine = -s; break;
    default: *cosine = s; *sine = -c; break;
    }
}

/* Of 0 to 1, in radians: halved once, which leaves at most 0.199 for a slope of 0.414. */
static double arc(double slope)
{
    double base = 0;

    if (slope > 0.4142135623730951) {
        base = ANGLE_TWO_PI / 8;
        slope = (slope - 1) / (slope + 1);
    }
    double half = slope / (1 + sqrt(1 + slope * slope)), s = half * half, sum = 0;

    for (int n = 25; n >= 3; n -= 2)
        sum = s * ((n % 4 == 1 ? 1.0 : -1.0) / n + sum);
    return base + 2 * (half + half * sum);
}

double angle_of(double x, double y)
{
    double right = fabs(x), up = fabs(y);

    if (right == 0 && up == 0)
        return 0;
    double turn = (up <= right ? arc(up / right) : ANGLE_TWO_PI / 4 - arc(right / up)) / ANGLE_TWO_PI;

    if (x < 0)
        turn = 0.5 - turn;
    return y < 0 ? -turn : turn;
}

double angle_near(double cycles)
{
    if (!(cycles > -ANGLE_MOST && cycles < ANGLE_MOST))
        return 0;
    return cycles - (double)(int64_t)(cycles + (cycles < 0 ? -0.5 : 0.5));
}
