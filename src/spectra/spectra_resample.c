/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples evenly spread over whole cycles, so that a transform's bins lie on the harmonics. The kernel is a
 * B-spline: images of what is low, the fundamental first, are nothing (sixth-order zeros at multiples of the
 * sampling rate), those of what is high lie above the 50th harmonic, for there are more points than samples;
 * and what it takes of each frequency is known exactly and given back in the spectrum.
 */
#include "spectra/spectra_inside.h"

void spectra_resample(const struct spectra_plan *plan, const struct spectra_row *row, double from,
                      double step, uint32_t points, struct spectra_row *even)
{
    for (uint32_t j = 0; j < points; j++) {
        double t = from + j * step;
        uint32_t i = (uint32_t)t;
        float part = (float)(t - i) * SPECTRA_PARTS;
        /* so near to the next sample that a float is that sample: the last part's end, no part beyond it */
        uint32_t at = part < SPECTRA_PARTS ? (uint32_t)part : SPECTRA_PARTS - 1;
        float beside = part - (float)at;
        const spectra_four *low = plan->weight[at].of, *high = plan->weight[at + 1].of;
        spectra_four first = low[0] + beside * (high[0] - low[0]);
        spectra_four last = low[1] + beside * (high[1] - low[1]);
        const struct spectra_row *near = &row[i - 2];
        struct spectra_row sum = {.ab = first[0] * near[0].ab, .cn = first[0] * near[0].cn};

        for (uint32_t tap = 1; tap < 4; tap++) {
            sum.ab += first[tap] * near[tap].ab;
            sum.cn += first[tap] * near[tap].cn;
        }
        for (uint32_t tap = 4; tap < 6; tap++) {
            sum.ab += last[tap - 4] * near[tap].ab;
            sum.cn += last[tap - 4] * near[tap].cn;
        }
        even[j] = sum;
    }
}
