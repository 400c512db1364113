/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over samples; the shape of every sum is that of lanes.h. */
#include "core/measure_inside.h"

#include <math.h>

#include "core/angle.h"
#include "core/lanes.h"

/* sum of a * b, a * c */
static void two(const double *a, const double *b, const double *c, uint32_t n, double *ab, double *ac)
{
    struct lanes first = {0}, second = {0};
    uint32_t whole = n / LANES * LANES;

    for (uint32_t k = 0; k < whole; k += LANES) {
        for (uint32_t p = 0; p < LANES_PAIRS; p++) {
            lanes_pair x = lanes_load(&a[k + 2 * p]);

            first.of[p] += x * lanes_load(&b[k + 2 * p]);
            second.of[p] += x * lanes_load(&c[k + 2 * p]);
        }
    }
    lanes_rest(&first, a, b, whole, n);
    lanes_rest(&second, a, c, whole, n);
    *ab = lanes_fold(&first);
    *ac = lanes_fold(&second);
}

void measure_sums_phase(const struct measure_work *work, uint32_t phase, uint32_t after, uint32_t to,
                        double sum[MEASURE_SUMS])
{
    const double *v = &work->x[SAMPLES_VA + phase][after + 1], *i = &work->x[SAMPLES_IA + phase][after + 1];
    const double *cosine = &work->cosine[after + 1], *sine = &work->sine[after + 1];
    double now[MEASURE_SUMS];
    uint32_t n = to - after;

    if (!n)
        return;
    two(v, v, i, n, &now[SUM_VV], &now[SUM_VI]);
    now[SUM_II] = measure_sums_square(i, n);
    two(v, cosine, sine, n, &now[SUM_VC], &now[SUM_VS]);
    two(i, cosine, sine, n, &now[SUM_IC], &now[SUM_IS]);
    for (uint32_t s = 0; s < MEASURE_SUMS; s++)
        sum[s] += now[s];
}

void measure_sums_shared(const struct measure_work *work, uint32_t after, uint32_t to,
                         double sum[MEASURE_SHARED])
{
    if (to == after)
        return;
    sum[SHARED_V0] += measure_sums_square(&work->zero_v[after + 1], to - after);
    sum[SHARED_N] += measure_sums_square(&work->x[SAMPLES_IN][after + 1], to - after);
    if (work->channels > SAMPLES_VN)
        sum[SHARED_VN] += measure_sums_square(&work->x[SAMPLES_VN][after + 1], to - after);
}

double measure_sums_square(const double *x, uint32_t n)
{
    struct lanes sum = {0};
    uint32_t whole = n / LANES * LANES;

    for (uint32_t k = 0; k < whole; k += LANES) {
        for (uint32_t p = 0; p < LANES_PAIRS; p++) {
            lanes_pair now = lanes_load(&x[k + 2 * p]);

            sum.of[p] += now * now;
        }
    }
    lanes_rest(&sum, x, x, whole, n);
    return lanes_fold(&sum);
}

double measure_sums_plain(const double *x, uint32_t n)
{
    struct lanes sum = {0};
    uint32_t whole = n / LANES * LANES;

    for (uint32_t k = 0; k < whole; k += LANES)
        for (uint32_t p = 0; p < LANES_PAIRS; p++)
            sum.of[p] += lanes_load(&x[k + 2 * p]);
    for (uint32_t k = whole; k < n; k++)
        sum.of[(k - whole) / 2][(k - whole) % 2] += x[k];
    return lanes_fold(&sum);
}

/* The highest magnitude: no order changes it. */
double measure_sums_peak(const double *x, uint32_t n)
{
    double high[2] = {0, 0};
    uint32_t k = 0;

    for (; k + 1 < n; k += 2) {
        high[0] = measure_larger(fabs(x[k]), high[0]);
        high[1] = measure_larger(fabs(x[k + 1]), high[1]);
    }
    if (k < n)
        high[0] = measure_larger(fabs(x[k]), high[0]);
    return measure_larger(high[0], high[1]);
}

void measure_sums_power(struct measure_work *work)
{
    const double *va = work->x[SAMPLES_VA], *vb = work->x[SAMPLES_VB], *vc = work->x[SAMPLES_VC];
    const double *ia = work->x[SAMPLES_IA], *ib = work->x[SAMPLES_IB], *ic = work->x[SAMPLES_IC];
    double *neutral = work->x[SAMPLES_IN];

    for (uint32_t k = 0; k <= work->n; k++) {
        work->power_w[k] = (va[k] * ia[k] + vb[k] * ib[k]) + vc[k] * ic[k];
        work->zero_v[k] = (va[k] + vb[k]) + vc[k];
    }
    for (uint32_t k = 0; work->channels <= SAMPLES_IN && k <= work->n; k++)
        neutral[k] = (ia[k] + ib[k]) + ic[k];
}

/* Cosine and sine of the oscillator at every sample: one angle worked out, seven turned on from it by a step
 * each, then eight at once by eight steps. A rounding is 1e-16, and a value has gone through 25 at most. */
void measure_sums_turn(struct measure_work *work, double turn, double cycles)
{
    double *cosine = work->cosine, *sine = work->sine, c, s;

    angle_turn(turn, &cosine[0], &sine[0]);
    angle_turn(cycles, &c, &s);
    for (uint32_t k = 1; k < LANES; k++) {
        cosine[k] = cosine[k - 1] * c - sine[k - 1] * s;
        sine[k] = sine[k - 1] * c + cosine[k - 1] * s;
    }
    for (uint32_t doubled = 1; doubled < LANES; doubled *= 2) {
        double both = c * s;

        c = c * c - s * s;
        s = both + both;
    }
    for (uint32_t k = LANES; k <= work->n; k++) {
        cosine[k] = cosine[k - LANES] * c - sine[k - LANES] * s;
        sine[k] = sine[k - LANES] * c + cosine[k - LANES] * s;
    }
}
