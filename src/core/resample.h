/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples at another rate: a sinc of 16 zero crossings either way under a Kaiser window (beta 10.06). What
 * lies below 0.4 of the lower of both rates passes within 3e-5; what would fold onto that from above 0.6 of
 * it is less than 2e-5 (Kaiser's formula says 100 dB; tests/unit/core/resample_test.c measures both).
 */
#ifndef FLYBALL_CORE_RESAMPLE_H
#define FLYBALL_CORE_RESAMPLE_H

#include <stdint.h>

enum {
    RESAMPLE_CROSSINGS = 16,
    RESAMPLE_STEPS = 512,               /* of the table, from one zero crossing to the next */
    RESAMPLE_TABLE = RESAMPLE_CROSSINGS * RESAMPLE_STEPS + 2,
    RESAMPLE_FALL_MAX = 16,             /* a rate falls by at most that */
};

struct resample {
    double narrow;                      /* lower by higher rate: the filter is so much longer */
    uint32_t reach;                     /* samples that it takes before a place, and behind it */
    double table[RESAMPLE_TABLE];
};

/* setup: from one rate to another; 0, or -1 where it would fall by more than RESAMPLE_FALL_MAX. */
int resample_init(struct resample *resample, double from_hz, double to_hz);

/* any: the value at `place` of x[0], x[stride], ... (place 0 is x[0]): resample->reach samples must stand
 * before it, and as many behind the next one. */
double resample_at(const struct resample *resample, const double *x, uint32_t stride, double place);

#endif
