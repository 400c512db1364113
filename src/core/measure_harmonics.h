/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spectra: harmonics and what lies between them by IEC 61000-4-7, over the 10 or 12 cycles of one reading,
 * and the envelope of power. Beside the hot path: a window costs a product for each sample and bin.
 */
#ifndef FLYBALL_CORE_MEASURE_HARMONICS_H
#define FLYBALL_CORE_MEASURE_HARMONICS_H

#include <stdint.h>

enum {
    HARMONICS_HIGHEST = 50,
    HARMONICS_PER_MAX = 12,             /* bins from one harmonic to the next: the cycles of the window */
    HARMONICS_BINS_MAX = HARMONICS_HIGHEST * HARMONICS_PER_MAX + HARMONICS_PER_MAX / 2 + 1,
};

/* rms of each order, 0 to 50; [h] of `between` lies between h and h + 1 */
struct measure_harmonics {
    double harmonic[HARMONICS_HIGHEST + 1], group[HARMONICS_HIGHEST + 1], subgroup[HARMONICS_HIGHEST + 1],
        between[HARMONICS_HIGHEST + 1];
    double thd, thd_group, thd_subgroup;        /* ratios; orders 2 to 50 */
    double k_factor;                            /* UL 1561 */
    double factor_k;                            /* EN 50464-3, e = 0.1, q = 1.7 */
    uint32_t orders;                            /* below half of the sampling rate: those above are 0 */
};

/* any: rms at k / window of the rate, k = 0 .. bins - 1, of a window that begins at x[0] and is `samples`
 * long, which need not be whole; x has one sample more than that. A rectangular window over whole cycles. */
void measure_harmonics_bins(const double *x, double samples, uint32_t bins, double *rms);

/* any: of bins as above, `per` (10 or 12) from one harmonic to the next, up to order 50 and half a step,
 * as far as `bins` goes. */
void measure_harmonics_of(const double *rms, uint32_t bins, uint32_t per,
                          struct measure_harmonics *harmonics);

/* any: IEEE 519-2014, limit of a current harmonic at the point of common coupling as a share of the load's
 * maximum demand, by short-circuit ratio and order 2 to 50; order 0: of the total. */
double measure_harmonics_limit(double short_circuit_ratio, uint32_t order);

/* any: share of the swing of `values`, `step_s` apart, that lies from low to high Hz (both included), and the
 * rms there. The mean does not count. */
struct measure_envelope { double ratio, rms; };
struct measure_envelope measure_harmonics_envelope(const double *value, uint32_t values, double step_s,
                                                   double low_hz, double high_hz);

#endif
