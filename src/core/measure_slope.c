/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares over values at even distances. */
#include "core/measure_inside.h"

#include <string.h>

#include "core/lanes.h"

/* W/s through five values a millisecond apart, oldest first. */
double measure_slope_five(const double value[MEASURE_SLOPE])
{
    return (2 * (value[4] - value[0]) + (value[3] - value[1])) * 100;
}

/* They lie in a ring: the newest ones from its beginning, the oldest behind them. Oldest first, and zeros. */
static void lay(const struct measure_trend *trend, double line[MEASURE_TREND_PLACES])
{
    uint32_t n = trend->count, newest = n < MEASURE_TREND ? 0 : trend->next;

    memset(line, 0, MEASURE_TREND_PLACES * sizeof *line);
    memcpy(line, &trend->power_w[newest], (n - newest) * sizeof *line);
    memcpy(&line[n - newest], trend->power_w, newest * sizeof *line);
}

/* The same through what there is of the last 60 values of 16 ms. */
double measure_slope_trend(const struct measure_trend *trend)
{
    double line[MEASURE_TREND_PLACES], n = trend->count, at = -0.5 * (n - 1);
    struct lanes sum = {0};

    if (trend->count < 2)
        return 0;
    lay(trend, line);
    for (uint32_t k = 0; k < MEASURE_TREND_PLACES; k += LANES, at += LANES) {
        struct lanes place = {{at, at + 1}, {at + 2, at + 3}, {at + 4, at + 5}, {at + 6, at + 7}};

        sum = lanes_plus(sum, lanes_times(lanes_at(&line[k]), place));
    }
    return lanes_fold(sum) * 12 / (n * (n * n - 1)) / 0.016;
}

double measure_slope_load_factor(const struct measure_trend *trend)
{
    double most = measure_larger(trend->power_w[0], 0), high[4] = {most, most, most, most};
    uint32_t n = trend->count, k = 0;

    for (; k + 4 <= n; k += 4)
        for (uint32_t l = 0; l < 4; l++)
            high[l] = measure_larger(trend->power_w[k + l], high[l]);
    for (; k < n; k++)
        high[0] = measure_larger(trend->power_w[k], high[0]);
    most = measure_larger(measure_larger(high[0], high[1]), measure_larger(high[2], high[3]));
    return most > 0 ? measure_sums_plain(trend->power_w, n) / n / most : 0;
}
