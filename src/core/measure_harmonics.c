/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure_harmonics.h"

#include <math.h>
#include <string.h>

#include "core/angle.h"

#define EDDY (0.1 / 1.1)                /* e / (1 + e), eddy losses of a transformer at the fundamental */
/* of the mean, squared: what roundings leave of a load that stands still */
#define FLAT 1e-20
enum { ANEW = 256 };                    /* samples until a turn is worked out instead of turned on */

/* h to the 1.7th */
static const double eddy_weight[HARMONICS_HIGHEST + 1] = {
    0, 1, 3.2490095854249419, 6.4730078399237794, 10.556063286183154, 15.425846568000241,
    21.030864518443156, 27.331701439859053, 34.29675080116138, 41.89983049571471,
    50.118723362727224, 58.934223364325241, 68.329480410195117, 78.289532356812046,
    88.80095996407475, 99.851625772126866, 111.43047210190387, 123.52736184080698,
    136.13295090825738, 149.23858464887539, 162.83621261476173, 176.91831769866369,
    191.47785662026729, 206.50820950428545, 222.00313681982973, 237.95674233948478,
    254.36344106571849, 271.21793129023871, 288.51517011821539, 306.25035191761083,
    324.41888925390435, 343.01639594923518, 362.0386719675123, 381.48168987709647,
    401.34158268303707, 421.61463285365699, 442.29726239311128, 463.38602383363121,
    484.87759203944773, 506.76875672961074, 529.05641563965469, 551.73756825277337,
    574.80931004021352, 598.26882715827821, 622.11339155587109, 646.34035645211247,
    670.94715214836549, 695.93128214315311, 721.29031952203172, 747.02190359759334,
    773.12373677747917,
};

struct turned { double x, y; };

static struct turned turn(struct turned now, struct turned by)
{
    return (struct turned){now.x * by.x - now.y * by.y, now.x * by.y + now.y * by.x};
}

/* Sum of x[n] turned by n steps. Worked out anew every 256 samples, so that roundings do not pile up. */
static struct turned correlate(const double *x, uint32_t count, double cycles)
{
    struct turned sum = {0}, step, at;

    angle_turn(cycles, &step.x, &step.y);
    for (uint32_t n = 0; n < count; n++) {
        if (n % ANEW == 0)
            angle_turn(angle_near(cycles * n), &at.x, &at.y);
        sum.x += x[n] * at.x;
        sum.y += x[n] * at.y;
        at = turn(at, step);
    }
    return sum;
}

/* What lies from the last whole sample to the end of the window, as in measure_grid.c, less half of either
 * end. */
static double tail(double here, double next, double part)
{
    return part * here + 0.5 * part * part * (next - here) - 0.5 * here;
}

void measure_harmonics_bins(const double *x, double samples, uint32_t bins, double *rms)
{
    uint32_t whole = (uint32_t)samples;
    double part = samples - whole;

    for (uint32_t k = 0; k < bins; k++) {
        double cycles = k / samples, next = part > 0 ? x[whole + 1] : 0;
        struct turned at, behind, sum = correlate(x, whole + 1, cycles);

        angle_turn(angle_near(cycles * whole), &at.x, &at.y);
        angle_turn(angle_near(cycles * (whole + 1)), &behind.x, &behind.y);
        sum.x += tail(x[whole] * at.x, next * behind.x, part) - 0.5 * x[0];
        sum.y += tail(x[whole] * at.y, next * behind.y, part);
        rms[k] = sqrt(sum.x * sum.x + sum.y * sum.y) / samples * (k ? sqrt(2) : 1);
    }
}

static double squares(const double *rms, uint32_t bins, uint32_t from, uint32_t to)
{
    double sum = 0;

    for (uint32_t k = from; k <= to && k < bins; k++)
        sum += rms[k] * rms[k];
    return sum;
}

static double square(const double *rms, uint32_t bins, uint32_t k)
{
    return k < bins ? rms[k] * rms[k] : 0;
}

static double share(double part, double of)
{
    return of > 0 ? part / of : 0;
}

static void distortion(struct measure_harmonics *h)
{
    double all = 0, groups = 0, subgroups = 0, weighted = 0, eddy = 0,
           first2 = h->harmonic[1] * h->harmonic[1];

    for (uint32_t k = 2; k <= h->orders; k++) {
        double square_of = h->harmonic[k] * h->harmonic[k];

        all += square_of;
        groups += h->group[k] * h->group[k];
        subgroups += h->subgroup[k] * h->subgroup[k];
        weighted += square_of * k * k;
        eddy += square_of * eddy_weight[k];
    }
    h->thd = share(sqrt(all), h->harmonic[1]);
    h->thd_group = share(sqrt(groups), h->group[1]);
    h->thd_subgroup = share(sqrt(subgroups), h->subgroup[1]);
    h->k_factor = share(first2 + weighted, first2 + all);
    h->factor_k = sqrt(1 + EDDY * share(eddy, first2 + all));
}

void measure_harmonics_of(const double *rms, uint32_t bins, uint32_t per, struct measure_harmonics *harmonics)
{
    memset(harmonics, 0, sizeof *harmonics);
    for (uint32_t h = 1; h <= HARMONICS_HIGHEST && h * per + 1 < bins; h++) {
        uint32_t at = h * per, half = per / 2;
        double edges = 0.5 * (square(rms, bins, at - half) + square(rms, bins, at + half));

        harmonics->orders = h;
        harmonics->harmonic[h] = rms[at];
        harmonics->group[h] = sqrt(squares(rms, bins, at - half + 1, at + half - 1) + edges);
        harmonics->subgroup[h] = sqrt(squares(rms, bins, at - 1, at + 1));
    }
    for (uint32_t h = 0; h < HARMONICS_HIGHEST && (h + 1) * per < bins; h++)
        harmonics->between[h] = sqrt(squares(rms, bins, h * per + 2, (h + 1) * per - 2));
    distortion(harmonics);
}

double measure_harmonics_limit(double short_circuit_ratio, uint32_t order)
{
    static const double ratio[] = {20, 50, 100, 1000};
    static const uint32_t last[] = {10, 16, 22, 34};
    static const double percent[5][6] = {{4.0, 2.0, 1.5, 0.6, 0.3, 5.0}, {7.0, 3.5, 2.5, 1.0, 0.5, 8.0},
                                         {10.0, 4.5, 4.0, 1.5, 0.7, 12.0}, {12.0, 5.5, 5.0, 2.0, 1.0, 15.0},
                                         {15.0, 7.0, 6.0, 2.5, 1.4, 20.0}};
    uint32_t row = 0, column = 0;

    while (row < 4 && short_circuit_ratio >= ratio[row])
        row++;
    while (column < 4 && order > last[column])
        column++;
    if (!order)
        return percent[row][5] / 100;
    return percent[row][column] / 100 * (order % 2 ? 1 : 0.25);
}

/* All of the swing is its variance (Parseval), so only bins of the band are worked out. */
struct measure_envelope measure_harmonics_envelope(const double *value, uint32_t values, double step_s,
                                                   double low_hz, double high_hz)
{
    double took_s = values * step_s, mean = 0, variance = 0, band = 0;
    uint32_t first = (uint32_t)(low_hz * took_s + 0.999999), last = (uint32_t)(high_hz * took_s + 1e-6);

    for (uint32_t n = 0; n < values; n++)
        mean += value[n] / values;
    for (uint32_t n = 0; n < values; n++)
        variance += (value[n] - mean) * (value[n] - mean) / values;
    for (uint32_t k = first ? first : 1; k <= last && 2 * k <= values; k++) {
        struct turned sum = correlate(value, values, (double)k / values);
        double both = 2 * k == values ? 1 : 2;  /* the bin at half of the rate is its own mirror image */

        band += both * (sum.x * sum.x + sum.y * sum.y) / ((double)values * values);
    }
    return (struct measure_envelope){.ratio = variance > FLAT * mean * mean ? band / variance : 0,
                                     .rms = sqrt(band)};
}
