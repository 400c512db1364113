/* SPDX-License-Identifier: Apache-2.0 */
#include "spectra/spectra_inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kiss_fft.h>

#define RATE_MIN_HZ 1000.0
#define RATE_MAX_HZ 16000.0
#define NOMINAL_MIN_HZ 45.0
#define NOMINAL_MAX_HZ 65.0
/* Points by samples of a cycle. An image of what is high then lies above the 50th order; where half of the
 * rate is hardly above that order or below it, of everything. */
#define FINER 1.2
#define FINER_SLOW 1.5
#define SLOW_SAMPLES 110.0      /* of a cycle */
#define LOOK_S 0.05
#define PI 3.14159265358979323846
/* aligned_alloc wants a multiple */
#define WEIGHTS_BYTES (((SPECTRA_PARTS + 1) * sizeof(struct spectra_weights) + 63) & ~(size_t)63)

/* The quintic B-spline: its spectrum is the sixth power of sin(pi f) / (pi f). */
static double spline(double x)
{
    double a = fabs(x), s = a * a;

    if (a < 1)
        return (66 - 60 * s + 30 * s * s - 10 * s * s * a) / 120;
    if (a < 2)
        return (51 + 75 * a - 210 * s + 150 * s * a - 45 * s * s + 5 * s * s * a) / 120;
    return a < 3 ? pow(3 - a, 5) / 120 : 0;
}

static void make_weights(struct spectra_plan *plan)
{
    for (uint32_t k = 0; k <= SPECTRA_PARTS; k++)
        for (uint32_t tap = 0; tap < 8; tap++)
            plan->weight[k].of[tap / 4][tap % 4] = (float)spline((double)k / SPECTRA_PARTS + 2 - tap);
}

/* From 0 to half of the sampling rate, and one more. */
static void make_upright(struct spectra_plan *plan)
{
    plan->upright[0] = 1;
    for (uint32_t k = 1; k <= SPECTRA_STEPS / 2 + 1; k++) {
        double turn = PI * k / SPECTRA_STEPS;

        plan->upright[k] = (float)pow(turn / sin(turn), 6);
    }
}

/* kissfft is fast where a length has no other factors than 2, 3 and 5, and allocates in others. */
static uint32_t points_of(double rate_hz, double nominal_hz)
{
    double samples = rate_hz / nominal_hz, finer = samples < SLOW_SAMPLES ? FINER_SLOW : FINER;

    return (uint32_t)kiss_fft_next_fast_size((int)ceil(finer * samples));
}

int spectra_plan_open(struct spectra_plan *plan, double rate_hz, double nominal_hz)
{
    memset(plan, 0, sizeof *plan);
    if (!(rate_hz >= RATE_MIN_HZ && rate_hz <= RATE_MAX_HZ && nominal_hz >= NOMINAL_MIN_HZ &&
          nominal_hz <= NOMINAL_MAX_HZ))
        return -EINVAL;
    plan->rate_hz = rate_hz;
    plan->nominal_hz = nominal_hz;
    plan->per = nominal_hz > 55 ? 12 : 10;
    plan->points = points_of(rate_hz, nominal_hz);
    plan->rows = plan->per * plan->points + 2 * SPECTRA_REACH + 4;
    plan->cycle = kiss_fft_alloc((int)plan->points, 0, NULL, NULL);
    plan->window = kiss_fft_alloc((int)(plan->points * plan->per), 0, NULL, NULL);
    plan->weight = aligned_alloc(64, WEIGHTS_BYTES);
    plan->upright = malloc((SPECTRA_STEPS / 2 + 2) * sizeof *plan->upright);
    if (!plan->cycle || !plan->window || !plan->weight || !plan->upright) {
        spectra_plan_close(plan);
        return -ENOMEM;
    }
    make_weights(plan);
    make_upright(plan);
    return 0;
}

void spectra_plan_close(struct spectra_plan *plan)
{
    kiss_fft_free(plan->cycle);
    kiss_fft_free(plan->window);
    free(plan->weight);
    free(plan->upright);
    memset(plan, 0, sizeof *plan);
}

uint32_t spectra_plan_samples(const struct spectra_plan *plan)
{
    uint32_t samples = 2 * SAMPLES_MAX;
    uint32_t wanted = plan->rows + (uint32_t)(LOOK_S * plan->rate_hz) + SAMPLES_MAX;

    while (samples < wanted)
        samples *= 2;
    return samples;
}

/* Nobody is faster than 16 kHz: what a thread needs for one meter is enough for all. */
int spectra_work_open(struct spectra_work *work)
{
    size_t most = 0;

    memset(work, 0, sizeof *work);
    for (double hz = NOMINAL_MIN_HZ; hz <= NOMINAL_MAX_HZ; hz += 0.5) {
        size_t rows = (hz > 55 ? 12 : 10) * (size_t)points_of(RATE_MAX_HZ, hz) + 2 * SPECTRA_REACH + 4;

        most = rows > most ? rows : most;
    }
    most = (most + 15) & ~(size_t)15;
    work->pair = aligned_alloc(64, most * WAVE_PAIRS_MAX * sizeof *work->pair);
    work->row = aligned_alloc(64, most * sizeof *work->row);
    work->even = aligned_alloc(64, most * sizeof *work->even);
    work->spectrum = aligned_alloc(64, most * sizeof *work->spectrum);
    work->rms_v = calloc(HARMONICS_BINS_MAX, sizeof *work->rms_v);
    work->rms_a = calloc(HARMONICS_BINS_MAX, sizeof *work->rms_a);
    if (work->pair && work->row && work->even && work->spectrum && work->rms_v && work->rms_a)
        return 0;
    spectra_work_close(work);
    return -ENOMEM;
}

void spectra_work_close(struct spectra_work *work)
{
    free(work->pair);
    free(work->row);
    free(work->even);
    free(work->spectrum);
    free(work->rms_v);
    free(work->rms_a);
    memset(work, 0, sizeof *work);
}
