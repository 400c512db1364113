/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of spectra.h share. */
#ifndef FLYBALL_SPECTRA_SPECTRA_INSIDE_H
#define FLYBALL_SPECTRA_SPECTRA_INSIDE_H

#include "spectra/spectra.h"

enum {
    SPECTRA_PARTS = 512,            /* of a sample, that the kernel's weights are tabled at */
    SPECTRA_STEPS = 4096,           /* of the sampling rate, that `upright` is tabled at */
};

/* spectra_resample.c: `points` values, `step` samples apart, from row[from] on, which stands between two rows
 * and has SPECTRA_REACH of them on either side */
void spectra_resample(const struct spectra_plan *plan, const struct spectra_row *row, double from,
                      double step, uint32_t points, struct spectra_row *even);

/* What a component of so many cycles a sample is multiplied by; 0 to 0.5. */
static inline double spectra_upright(const struct spectra_plan *plan, double cycles)
{
    double at = cycles * SPECTRA_STEPS;
    uint32_t k = (uint32_t)at;
    double low = (double)plan->upright[k], high = (double)plan->upright[k + 1];

    return low + (at - k) * (high - low);
}

/* Voltage and current of bin k, of the transform of voltage + i current over `points`. */
struct spectra_bin { float v[2], a[2]; };

static inline struct spectra_bin spectra_bin_of(float (*spectrum)[2], uint32_t points, uint32_t k)
{
    const float *z = spectrum[k], *mirror = spectrum[k ? points - k : 0];

    return (struct spectra_bin){.v = {0.5F * (z[0] + mirror[0]), 0.5F * (z[1] - mirror[1])},
                                .a = {0.5F * (z[1] + mirror[1]), 0.5F * (mirror[0] - z[0])}};
}

/* spectra_cycle.c: harmonics of the cycle in `work->even`; distortion by the sum of the newest ones */
void spectra_cycle_take(struct spectra_meter *meter, const struct spectra_plan *plan,
                        struct spectra_work *work);
void spectra_cycle_distortion(const struct spectra_meter *meter, const struct spectra_plan *plan,
                              double samples, struct spectra_distortion *distortion);

/* spectra_window.c: of the rows in `work->even` */
void spectra_window_take(const struct spectra_meter *meter, const struct spectra_plan *plan,
                         struct spectra_work *work, double samples, struct spectra_window *window);

#endif
