/* SPDX-License-Identifier: Apache-2.0 */
#include "spectra/spectra_inside.h"

#include <math.h>

#include <kiss_fft.h>

/* rms of all bins of a phase. */
static void bins_of(const struct spectra_plan *plan, struct spectra_work *work, double samples,
                    uint32_t bins, double like)
{
    uint32_t points = plan->points * plan->per;

    for (uint32_t k = 0; k < bins; k++) {
        struct spectra_bin bin = spectra_bin_of(work->spectrum, points, k);
        double scale = spectra_upright(plan, k / samples) * (k ? sqrt(2) : 1) / points;

        work->rms_v[k] = scale * (double)sqrtf(bin.v[0] * bin.v[0] + bin.v[1] * bin.v[1]);
        work->rms_a[k] = scale * (double)sqrtf(bin.a[0] * bin.a[0] + bin.a[1] * bin.a[1]) / like;
    }
}

/* Below half of the sampling rate, and as far as the 50th group reaches. */
static uint32_t bins_within(const struct spectra_plan *plan, double samples)
{
    uint32_t wanted = HARMONICS_HIGHEST * plan->per + plan->per / 2 + 1, most = (uint32_t)ceil(samples / 2);

    return wanted < most ? wanted : most;
}

void spectra_window_take(const struct spectra_meter *meter, const struct spectra_plan *plan,
                         struct spectra_work *work, double samples, struct spectra_window *window)
{
    const kiss_fft_cpx *in = (const kiss_fft_cpx *)(const void *)work->even;
    uint32_t bins = bins_within(plan, samples);

    window->phases = meter->config.phases;
    window->cycles = plan->per;
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        kiss_fft_stride(plan->window, in + p, (kiss_fft_cpx *)(void *)work->spectrum, 4);
        bins_of(plan, work, samples, bins, meter->like);
        measure_harmonics_of(work->rms_v, bins, plan->per, &window->phase[p].v);
        measure_harmonics_of(work->rms_a, bins, plan->per, &window->phase[p].a);
    }
}
