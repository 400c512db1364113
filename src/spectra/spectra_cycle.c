/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distortion that slides along: the harmonic of a window of whole cycles is the sum of the harmonics of its
 * cycles, so each cycle is transformed once, added, and taken away again when it leaves the window.
 */
#include "spectra/spectra_inside.h"

#include <math.h>

#include <kiss_fft.h>

static void change_sum(struct spectra_meter *meter, const struct spectra_cycle *cycle, double by)
{
    for (uint32_t c = 0; c < 2 * meter->config.phases; c++)
        for (uint32_t h = 1; h <= HARMONICS_HIGHEST; h++) {
            meter->sum[c][h][0] += by * (double)cycle->of[c][h][0];
            meter->sum[c][h][1] += by * (double)cycle->of[c][h][1];
        }
}

/* Values of float are added and taken away in double: what is left over in a year is nothing. */
void spectra_cycle_take(struct spectra_meter *meter, const struct spectra_plan *plan,
                        struct spectra_work *work)
{
    struct spectra_cycle *cycle = &meter->newest[meter->next];
    const kiss_fft_cpx *in = (const kiss_fft_cpx *)(const void *)work->even;

    if (meter->cycles == plan->per)
        change_sum(meter, cycle, -1);
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        kiss_fft_stride(plan->cycle, in + p, (kiss_fft_cpx *)(void *)work->spectrum, 4);
        for (uint32_t h = 1; h <= HARMONICS_HIGHEST && 2 * h < plan->points; h++) {
            struct spectra_bin bin = spectra_bin_of(work->spectrum, plan->points, h);

            cycle->of[2 * p][h][0] = bin.v[0];
            cycle->of[2 * p][h][1] = bin.v[1];
            cycle->of[2 * p + 1][h][0] = bin.a[0];
            cycle->of[2 * p + 1][h][1] = bin.a[1];
        }
    }
    change_sum(meter, cycle, 1);
    meter->cycles += meter->cycles < plan->per;
    meter->next = (meter->next + 1) % plan->per;
}

/* `upright` by order; returns the first, rms, before the gains that were applied. */
static double thd_of(const double (*sum)[2], const double *upright, uint32_t orders, double *first)
{
    double rest = 0, one = 0;

    for (uint32_t h = 1; h <= orders; h++) {
        double square = (sum[h][0] * sum[h][0] + sum[h][1] * sum[h][1]) * upright[h] * upright[h];

        one = h == 1 ? square : one;
        rest += h == 1 ? 0 : square;
    }
    *first = sqrt(one);
    return one > 0 ? sqrt(rest / one) : 0;
}

void spectra_cycle_distortion(const struct spectra_meter *meter, const struct spectra_plan *plan,
                              double samples, struct spectra_distortion *distortion)
{
    double upright[HARMONICS_HIGHEST + 1], first, scale = sqrt(2) / ((double)plan->points * meter->cycles);
    const double (*sum)[HARMONICS_HIGHEST + 1][2] = meter->sum;
    uint32_t orders = 0;

    while (orders < HARMONICS_HIGHEST && 2 * (orders + 1) < samples) {
        orders++;
        upright[orders] = spectra_upright(plan, orders / samples);
    }
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        distortion->thd_v[p] = thd_of(sum[2 * p], upright, orders, &first);
        distortion->fundamental_v[p] = first * scale;
        distortion->thd_a[p] = thd_of(sum[2 * p + 1], upright, orders, &first);
        distortion->fundamental_a[p] = first * scale / meter->like;
    }
}
