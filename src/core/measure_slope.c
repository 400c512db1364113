/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares over values at even distances. */
#include "core/measure_inside.h"

/* W/s through five values a millisecond apart, oldest first. */
double measure_slope_five(const double value[MEASURE_SLOPE])
{
    return ((2 * (value[4] - value[0]) + (value[3] - value[1])) / 10) * 1000;
}

/* The same through what there is of the last 60 values of 16 ms. They lie in a ring: the newest ones from its
 * beginning, the oldest behind them. */
double measure_slope_trend(const struct measure_trend *trend)
{
    uint32_t n = trend->count, newest = trend->count < MEASURE_TREND ? 0 : trend->next;
    double at = -0.5 * (n - 1.0), sum = 0;

    if (n < 2)
        return 0;
    for (uint32_t k = newest; k < n; k++, at += 1)
        sum += at * trend->power_w[k];
    for (uint32_t k = 0; k < newest; k++, at += 1)
        sum += at * trend->power_w[k];
    return sum * 12 / ((double)n * ((double)n * n - 1)) / 0.016;
}

double measure_slope_load_factor(const struct measure_trend *trend)
{
    double sum = 0, most = trend->power_w[0];

    for (uint32_t k = 0; k < trend->count; k++) {
        sum += trend->power_w[k];
        most = measure_larger(trend->power_w[k], most);
    }
    return most > 0 ? sum / trend->count / most : 0;
}
