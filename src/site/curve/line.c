/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a time-current curve to the rate lines of struct breaker_curve: nowhere below the true rate, and
 * tight.
 *
 * Let r(M) = 1 / t(M) never fall. Between two points the line is looked at in SAMPLES steps M_k: where
 * line(M_k) >= r(M_k+1) for every k, any M in [M_k, M_k+1] has line(M) >= line(M_k) >= r(M_k+1) >= r(M),
 * jumps included. A point starts as r just above it. Where its line is too low it is raised by as much as
 * that takes: at most to r(its right end), where a level line would do. So points never fall, and what is
 * raised helps the line on its left.
 */
#include <math.h>

#include "site/curve/parts.h"

enum { SAMPLES = 16, SAMPLED = (CURVE_POINTS - 1) * SAMPLES + 1 };

/* Errors of libm and of these sums, by far. */
static const double over = 1 + 1e-12;
/* "Any current": a curve that goes on falling above 64 times its unit counts as tripped at once there. */
static const double any_multiple = 1e12;

/* Travel per 2^30 ns, in units of HEAT_ONE. */
static double rate_of(double seconds)
{
    return (double)HEAT_ONE * 0x1p30 * 1e-9 / fmax(seconds, CURVE_LEAST_S);
}

static double multiple_of(uint32_t point, uint32_t sample)
{
    double step = (double)(point % CURVE_STEPS) + (double)sample / SAMPLES;

    return ldexp(1 + step / CURVE_STEPS, (int)(point / CURVE_STEPS));
}

static void sample(double rate[SAMPLED], curve_of_multiple *time_s, const void *context)
{
    double greatest = 0;

    for (uint32_t k = 0; k < SAMPLED; k++) {
        greatest = fmax(greatest, rate_of(time_s(context, multiple_of(k / SAMPLES, k % SAMPLES))));
        rate[k] = greatest;
    }
}

/* The least left end that does; never above the end of its own line. */
static double left_end(const double *rate, double left, double right)
{
    for (uint32_t k = 0; k < SAMPLES; k++)
        left = fmax(left, (rate[k + 1] * SAMPLES - right * k) / (SAMPLES - k));
    return fmin(left, rate[SAMPLES]);
}

static void draw(double point[CURVE_POINTS], const double rate[SAMPLED], double last)
{
    for (uint32_t i = 0; i + 1 < CURVE_POINTS; i++)
        point[i] = rate[i * SAMPLES + 1];
    point[CURVE_POINTS - 1] = last;
    for (uint32_t i = 0; i + 1 < CURVE_POINTS; i++)
        point[i] = left_end(rate + i * SAMPLES, point[i], point[i + 1]);
}

/* Up, to 32 binary digits: what differs in the last digits of a double is the same curve. */
static int64_t rounded(double rate)
{
    int digits;

    frexp(rate * over, &digits);
    digits -= 32;
    return digits > 0 ? (int64_t)ldexp(ceil(ldexp(rate * over, -digits)), digits)
                      : (int64_t)ceil(rate * over);
}

void curve_line(struct breaker_curve *curve, curve_of_multiple *time_s, const void *context)
{
    double rate[SAMPLED], point[CURVE_POINTS], last = rate_of(time_s(context, any_multiple));

    if (rate_of(time_s(context, 1)) >= last) {  /* definite */
        for (uint32_t i = 0; i < CURVE_POINTS; i++)
            curve->rate[i] = rounded(last);
        return;
    }
    sample(rate, time_s, context);
    draw(point, rate, fmax(last, rate[SAMPLED - 1]));
    for (uint32_t i = 0; i < CURVE_POINTS; i++)
        curve->rate[i] = rounded(point[i]);
}
